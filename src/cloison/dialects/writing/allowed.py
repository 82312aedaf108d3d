"""What every language does alike when it says an allowlist."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cloison.base import Span
from cloison.dialects.writing.render import Comments
from cloison.dialects.writing.tree import At, Tree
from cloison.ir.allowlist import Allowlist, Opening
from cloison.resources.names import printable

MANAGER: Final = {"app.kubernetes.io/managed-by": "cloison"}
"""Labels of policies that are written from a contract."""

_PAGE: Final = "allowlist"


@dataclass(frozen=True, slots=True)
class Said:
    """A policy in some language.

    Args:
        tree: The document.
        comments: What to say beside its rules.
    """

    tree: Mapping[str, Tree]
    comments: Comments


@dataclass(slots=True)
class Margin:
    """Collects comments about the rules of one document; lives for one call."""

    above: dict[Span, tuple[str, ...]] = field(default_factory=dict)
    lines: int = 0

    def rule(self, tree: Tree, openings: Sequence[Opening]) -> Tree:
        """Return a rule with why it is there above it."""
        reasons = dict.fromkeys(reason for each in openings for reason in each.reasons)
        return self._noted(tree, tuple(f" {reason}" for reason in reasons))

    def port(self, tree: Tree, note: str) -> Tree:
        """Return a port with the port of a Service above it that leads there."""
        return self._noted(tree, (f" {note}",)) if note else tree

    def comments(self) -> Comments:
        """Return all that was said."""
        return Comments(self.above)

    def _noted(self, tree: Tree, lines: tuple[str, ...]) -> Tree:
        if not lines:
            return tree
        self.lines += 1
        place = Span(_PAGE, self.lines, 1)
        self.above[place] = tuple(map(printable, lines))
        return At(tree, place)


def metadata(wanted: Allowlist, name: str, namespace: str | None) -> Mapping[str, Tree]:
    """Return the metadata of a policy: its name, whose it is and why."""
    found: dict[str, Tree] = {"name": name}
    if namespace is not None:
        found["namespace"] = namespace
    found["labels"] = dict(MANAGER)
    if wanted.annotations:
        found["annotations"] = dict(sorted(wanted.annotations.items()))
    return found
