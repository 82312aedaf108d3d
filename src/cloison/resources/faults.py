"""What is said about objects, each statement in one place. Family `OBJ`."""

from dataclasses import dataclass
from typing import TypeAlias

from cloison.base import TREATED_AS_ABSENT, Diagnostic, Severity, Span
from cloison.resources.documents import Node
from cloison.resources.names import shown

ABSENT = f"the API server refuses this object, so {TREATED_AS_ABSENT}"
DROPPED = "the API server drops this field, so it has no effect"
NEWER = "a server printed this field, but we do not know it; it is not taken into account"

Path: TypeAlias = tuple[str | int, ...]

MALFORMED = "OBJ001"
UNKNOWN_FIELD = "OBJ002"
WRONG_TYPE = "OBJ003"
NAME_MISSING = "OBJ004"
NAME_INVALID = "OBJ005"
LABEL_INVALID = "OBJ006"
VERSION_GONE = "OBJ007"
KIND_MISPLACED = "OBJ008"
PORT_INVALID = "OBJ009"
ADDRESS_INVALID = "OBJ010"
NAME_LABEL = "OBJ011"
TOO_MANY = "OBJ012"
DUPLICATE = "OBJ020"
ADDRESS_SHARED = "OBJ021"
KIND_UNUSED = "OBJ022"

UNREADABLE = frozenset((MALFORMED, WRONG_TYPE))
"""What keeps an object from being read; of the others it is known what they say."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A diagnostic that still lacks its place: what bulk decoding can say of an item.

    Args:
        path: Where in the object, as keys and 0-based indices.
        code: The diagnostic's code.
        message: What is wrong.
        effect: What it does to the answer.
        help: What to do.
        source: Who says so.
        severity: How much it matters.
    """

    path: Path
    code: str
    message: str
    effect: str = ABSENT
    help: str | None = None
    source: str | None = None
    severity: Severity = Severity.ERROR

    def at(self, root: Node, file: str, name: str) -> Diagnostic:
        """Return the diagnostic, placed at the deepest part of the path that `root` has."""
        node = root
        for step in self.path:
            below = node.get(step)
            if below is None:
                break
            node = below
        return Diagnostic(
            self.code,
            self.severity,
            self.message,
            node.span(file),
            name,
            self.effect,
            self.help,
            self.source,
        )


def path_text(path: Path) -> str:
    """Return a path as people write it: `spec.containers[0].ports`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def version_gone(
    span: Span, name: str, api_version: str, replacement: str, removed: tuple[int, int]
) -> Diagnostic:
    """Say that an API version is no longer served."""
    version = f"{removed[0]}.{removed[1]}"
    return Diagnostic(
        VERSION_GONE,
        Severity.WARNING,
        f"`{api_version}` is not served since Kubernetes {version}",
        span,
        name,
        f"read as `{replacement}`, which a cluster would only do up to {version}",
        f"write `apiVersion: {replacement}` and check the fields that changed",
        "Kubernetes documentation, Deprecated API Migration Guide",
    )


def kind_mistyped(span: Span, name: str, api_version: str, kind: str, meant: str) -> Diagnostic:
    """Say that there is no such kind, though nearly."""
    return Diagnostic(
        KIND_MISPLACED,
        Severity.ERROR,
        f"there is no kind {shown(kind)} in API version `{shown(api_version)}`",
        span,
        name,
        ABSENT,
        f"did you mean `kind: {meant}`?",
        "Kubernetes API reference",
    )


def kind_misplaced(span: Span, name: str, api_version: str, kind: str, right: str) -> Diagnostic:
    """Say that a built-in kind is looked for in an API version that has no such kind."""
    return Diagnostic(
        KIND_MISPLACED,
        Severity.ERROR,
        f"there is no kind {kind} in API version `{api_version}`",
        span,
        name,
        ABSENT,
        f"write `apiVersion: {right}`",
        "Kubernetes API reference",
    )
