"""What is read of an object, beside plain values: refusals, counts and words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from cloison.base import Span
from cloison.dialects.cilium.say import CRD, VALIDATION, refused
from cloison.dialects.reading.values import FORM, Values
from cloison.resources.documents import Node
from cloison.resources.names import shown

T = TypeVar("T")


@dataclass(slots=True)
class Reader(Values):
    """Reads one object and notes what is wrong with it.

    Args:
        wide: Whether it lives in no namespace.
    """

    wide: bool = False

    def refuse(
        self,
        code: str,
        where: Node | Span | None,
        message: str,
        help_: str,
        *,
        source: str = VALIDATION,
    ) -> None:
        """Note a reason for which the object takes no part."""
        self.refused = True
        self.note(refused(code, self.name, self.place(where), message, help_, source=source))

    def wrong(self, node: Node, path: str, expected: str) -> None:
        """Note a value of another type."""
        self.refuse("CIL001", node, f"`{path}` is not {expected}", FORM, source=CRD)

    def items(
        self, node: Node | None, path: str, read: Callable[[Node, str], T]
    ) -> tuple[T, ...] | None:
        """Return a list's items, none of which may be null; None when absent or null."""
        if node is not None and isinstance(node.value, list):
            for i, item in enumerate(node.value):
                if item.value is None:
                    message = f"`{path}[{i}]` is null, which no item of a list may be"
                    self.refuse("CIL001", item, message, "write it, or remove it", source=CRD)
        return Values.items(self, node, path, read)

    def count(self, node: Node | None, path: str) -> int | None:
        """Return how many items a list has, None when absent or null."""
        found = self.items(node, path, lambda item, _: item)
        return None if found is None else len(found)

    def word(
        self,
        code: str,
        node: Node | None,
        path: str,
        words: tuple[str, ...],
        *,
        hint: str | None = None,
    ) -> str | None:
        """Return one of some words, None when absent, null or another, which is noted."""
        text = "" if node is not None and node.value == "" else self.text(node, path)
        if text is None or text in words:
            return text
        help_ = hint or f"write one of {', '.join(words)}"
        self.refuse(code, node, f"`{path}` is `{shown(text)}`", help_, source=CRD)
        return None
