"""The parts of validation that every field needs: look it up, count it, say what is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cloison.base import Diagnostic, Severity, Span
from cloison.dialects.adminpolicy.nodes import number
from cloison.dialects.adminpolicy.say import ABSENT, V1ALPHA1, V1ALPHA2
from cloison.dialects.adminpolicy.terms import split_help, word_help
from cloison.resources.documents import Document, Node
from cloison.resources.faults import Path, path_text
from cloison.resources.names import shown
from cloison.resources.options import Channel


@dataclass(frozen=True, slots=True)
class Limits:
    """What differs between the kinds.

    Args:
        rules: Most rules of a direction.
        items: Most items of `from`, `to` and `ports` or `protocols`.
        actions: The actions there are.
        traffic: What the field for ports is called.
        source: Where the rest is from.
    """

    rules: int
    items: int
    actions: tuple[str, ...]
    traffic: str
    source: str


LIMITS: Final = {
    "AdminNetworkPolicy": Limits(100, 100, ("Allow", "Deny", "Pass"), "ports", V1ALPHA1),
    "BaselineAdminNetworkPolicy": Limits(100, 100, ("Allow", "Deny"), "ports", V1ALPHA1),
    "ClusterNetworkPolicy": Limits(25, 25, ("Accept", "Deny", "Pass"), "protocols", V1ALPHA2),
}
"""By kind."""


class Checking:
    """What checking the fields of one object takes; collects what is found.

    Args:
        document: The object.
        kind: One of `LIMITS`.
        object_: What it is called, for people.
        channel: Which CRDs are installed, where somebody says so.
    """

    def __init__(
        self, document: Document, kind: str, object_: str, channel: Channel | None
    ) -> None:
        self.document = document
        self.kind = kind
        self.object = object_
        self.limits = LIMITS[kind]
        self.channel = channel
        self.live = document.root.get("metadata", "uid") is not None
        self.found: list[Diagnostic] = []

    def get(self, path: Path) -> Node | None:
        """Return the node at a path; null is absent."""
        node = self.document.root.get(*path)
        return None if node is None or node.value is None else node

    def span(self, path: Path) -> Span:
        """Return where the deepest part of a path stands that there is."""
        node = self.document.root
        for step in path:
            child = node.get(step)
            if child is None:
                break
            node = child
        # A null is where its line ends: the key is what can be seen.
        file = self.document.file
        return node.key_span(file) if node.value is None else node.span(file)

    def error(
        self, code: str, path: Path, message: str, help_: str, source: str | None = None
    ) -> None:
        """Note a reason to refuse the object."""
        text = f"{message} at {path_text(path)}"
        self.note(code, path, text, ABSENT, help_, source)

    def note(
        self,
        code: str,
        path: Path,
        message: str,
        effect: str,
        help_: str,
        source: str | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Note something that is wrong."""
        self.found.append(
            Diagnostic(
                code,
                severity,
                message,
                self.span(path),
                self.object,
                effect,
                help_,
                source or self.limits.source,
            )
        )

    def required(self, path: Path, what: str) -> bool:
        """Return whether a field is there; report it where it is not."""
        if self.get(path) is not None:
            return True
        # Null is dropped before anything is checked; who wrote the key should hear of that.
        state = "missing" if self.document.root.get(*path) is None else "null, which is as missing,"
        self.error("ADL005", path, f"`{path[-1]}` is {state}", f"write `{path[-1]}`: {what}")
        return False

    def word(self, path: Path, what: str, words: Sequence[str]) -> None:
        """Report a text that is none of some words, or not there."""
        if not self.required(path, f"one of {', '.join(words)}"):
            return
        found = self.get(path)
        if found is None or not isinstance(found.value, str) or found.value in words:
            return
        self.error(
            "ADL006" if what == "a tier" else "ADL007",
            path,
            f"`{shown(found.value)}` is not {what} of {self.kind}",
            word_help(found.value, words, self.kind),
        )

    def number(self, path: Path, code: str, low: int, high: int, what: str) -> int | None:
        """Return a number in a range, None where there is none."""
        node = self.get(path)
        value = number(node)
        if node is None or value is None:
            return None
        if low <= value <= high:
            return value
        self.error(
            code,
            path,
            f"{value if abs(value) <= 1 << 31 else 'this'} is not {what}",
            f"write a number from {low} to {high}",
        )
        return None

    def one_of(self, path: Path, fields: Sequence[str], what: str) -> str | None:
        """Return the one field that a mapping has; report it where there is not exactly one."""
        node = self.get(path)
        written = [f for f in fields if self.get((*path, f)) is not None]
        if len(written) == 1:
            return written[0]
        if written:
            listed = " and ".join(f"`{field}`" for field in written)
            self.error(
                "ADL010",
                path,
                f"{what} has {listed}",
                "write one list item for each of them"
                if "peer" in what or "entry" in what
                else "keep one of them",
            )
            return None
        unknown = node is not None and isinstance(node.value, dict) and bool(node.value)
        if not (self.live and unknown):
            self.error(
                "ADL009",
                path,
                f"{what} has none of {', '.join(f'`{f}`' for f in fields)}",
                "name one of them",
            )
        return None

    def items(self, path: Path, most: int, least: int = 0) -> range:
        """Return the places of a list's items; report nulls and a wrong number of them."""
        node = self.get(path)
        if node is None or not isinstance(node.value, list):
            return range(0)
        count = len(node.value)
        field = path[-1]
        if count > most:
            self.error(
                "ADL011",
                path,
                f"{count} items of `{field}`, and at most {most} are accepted",
                split_help(str(field)),
            )
        elif count < least:
            self.error(
                "ADL012",
                path,
                f"`{field}` is empty",
                "name at least one item"
                if field not in ("ports", "protocols")
                else "leave it out to mean all traffic",
            )
        for i, item in enumerate(node.value[:most]):
            if item.value is None:
                self.error("ADL013", (*path, i), "an item is null", "write it, or remove the `-`")
        return range(min(count, most))
