"""From nodes to plain values, with a diagnostic for everything that does not fit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from cloison.base import Diagnostic, Span
from cloison.dialects.cilium.say import CRD, VALIDATION, refused
from cloison.resources.documents import Document, Node
from cloison.resources.names import shown
from cloison.resources.options import ReadOptions
from cloison.resources.pool import Pool

T = TypeVar("T")

MAX_FAULTS = 100
"""Faults reported of one object."""
_INT64 = 1 << 63


@dataclass(slots=True)
class Reader:
    """Reads one object and notes what is wrong with it.

    Args:
        document: The object.
        options: The namespace of objects that name none.
        pool: Where repeated values are kept.
        name: What the object is called, for diagnostics.
        wide: Whether it lives in no namespace.
    """

    document: Document
    options: ReadOptions
    pool: Pool
    name: str
    wide: bool = False
    refused: bool = False
    found: list[Diagnostic] = field(default_factory=list)

    def span(self, node: Node | None) -> Span | None:
        """Return where a value stands."""
        return None if node is None else node.span(self.document.file)

    def key_span(self, node: Node | None) -> Span | None:
        """Return where the key of a value stands."""
        return None if node is None else node.key_span(self.document.file)

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
        if len(self.found) < MAX_FAULTS:
            span = where if isinstance(where, Span) else self.span(where or self.document.root)
            self.found.append(refused(code, self.name, span, message, help_, source=source))

    def wrong(self, node: Node, path: str, expected: str) -> None:
        """Note a value of another type."""
        help_ = "write the value in the form the API expects"
        self.refuse("CIL001", node, f"`{path}` is not {expected}", help_, source=CRD)

    def mapping(self, node: Node | None, path: str) -> dict[str, Node]:
        """Return a mapping, empty when absent or null."""
        if node is None or node.value is None:
            return {}
        if isinstance(node.value, dict):
            return node.value
        self.wrong(node, path, "a mapping")
        return {}

    def items(
        self, node: Node | None, path: str, read: Callable[[Node, str], T]
    ) -> tuple[T, ...] | None:
        """Return a list's items, None when absent or null."""
        if node is None or node.value is None:
            return None
        if isinstance(node.value, list):
            for i, item in enumerate(node.value):
                if item.value is None:
                    self.wrong(item, f"{path}[{i}]", "anything but null")
            return tuple([read(item, f"{path}[{i}]") for i, item in enumerate(node.value)])
        self.wrong(node, path, "a list")
        return None

    def count(self, node: Node | None, path: str) -> int | None:
        """Return how many items a list has, None when absent or null."""
        found = self.items(node, path, lambda item, _: item)
        return None if found is None else len(found)

    def text(self, node: Node | None, path: str) -> str | None:
        """Return a text, None when absent, null or empty."""
        if node is None or node.value is None:
            return None
        if isinstance(node.value, str):
            return node.value or None
        self.wrong(node, path, "text")
        return None

    def texts(self, node: Node | None, path: str) -> tuple[str, ...] | None:
        """Return a list of texts, None when absent or null."""
        found = self.items(node, path, lambda item, at: self.text(item, at) or "")
        return None if found is None else self.pool.share(found)

    def strings(self, node: Node | None, path: str) -> Mapping[str, str]:
        """Return a mapping of texts."""
        found = self.mapping(node, path)
        return self.pool.mapping(
            {key: self.text(value, f"{path}.{key}") or "" for key, value in found.items()}
        )

    def flag(self, node: Node | None, path: str) -> bool | None:
        """Return a boolean, None when absent or null."""
        if node is None or node.value is None:
            return None
        if isinstance(node.value, bool):
            return node.value
        self.wrong(node, path, "true or false")
        return None

    def whole(self, node: Node | None, path: str) -> int | None:
        """Return a whole number, None when absent or null."""
        if node is None or node.value is None:
            return None
        value = node.value
        if isinstance(value, float) and value.is_integer() and abs(value) < _INT64:
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _INT64:
            return value
        self.wrong(node, path, "a whole number")
        return None

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
