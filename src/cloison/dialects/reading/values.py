"""From nodes to plain values, with a diagnostic for everything that does not fit."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from cloison.base import Diagnostic, Span
from cloison.resources.documents import Document, Node
from cloison.resources.options import ReadOptions
from cloison.resources.pool import Pool

T = TypeVar("T")

MAX_FAULTS: Final = 100
"""Faults reported of one object."""
FORM: Final = "write the value in the form the API expects"
"""What to do about a value of another type."""
_INT64 = 1 << 63


@dataclass(slots=True)
class Values(ABC):
    """Reads the values of one object and notes what is wrong with it.

    A dialect says in a class of its own how it notes a value of another type.

    Args:
        document: The object.
        options: The namespace of objects that name none.
        pool: Where repeated values are kept.
        name: What the object is called, for diagnostics.
        refused: Whether it takes no part, as far as was read.
        found: What was noted.
    """

    document: Document
    options: ReadOptions
    pool: Pool
    name: str
    refused: bool = False
    found: list[Diagnostic] = field(default_factory=list)

    @abstractmethod
    def wrong(self, node: Node, path: str, expected: str) -> None:
        """Note a value of another type."""

    def note(self, said: Diagnostic) -> None:
        """Note something, unless enough is noted."""
        if len(self.found) < MAX_FAULTS:
            self.found.append(said)

    def place(self, where: Node | Span | None) -> Span:
        """Return where something is wrong; with the object itself where nothing else is named."""
        if isinstance(where, Span):
            return where
        return (where or self.document.root).span(self.document.file)

    def span(self, node: Node | None) -> Span | None:
        """Return where a value stands."""
        return None if node is None else node.span(self.document.file)

    def key_span(self, node: Node | None) -> Span | None:
        """Return where the key of a value stands."""
        return None if node is None else node.key_span(self.document.file)

    def object_name(self) -> str:
        """Return the name in the object's metadata, empty where there is none."""
        root = self.document.root
        name = self.text(root.get("metadata", "name"), "metadata.name")
        prefix = self.text(root.get("metadata", "generateName"), "metadata.generateName")
        if name or not prefix:
            return name or ""
        # The server will append five characters nobody knows yet; the position keeps two apart.
        return f"{prefix}* ({root.span(self.document.file).place})"

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
            return tuple([read(item, f"{path}[{i}]") for i, item in enumerate(node.value)])
        self.wrong(node, path, "a list")
        return None

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
        """Return a whole number of 64 bits, None when absent or null."""
        if node is None or node.value is None:
            return None
        value = node.value
        if isinstance(value, float) and value.is_integer() and abs(value) < _INT64:
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _INT64:
            return value
        self.wrong(node, path, "a whole number")
        return None
