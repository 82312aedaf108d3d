"""Documents as read: plain values that remember where they stood."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import msgspec

from cloison.base import Span

T = TypeVar("T")

Value: TypeAlias = "str | int | float | bool | list[Node] | dict[str, Node] | None"
"""What a node holds: a scalar, typed as `kubectl` types it, or a list or mapping of nodes."""


class Node:
    """One value of a document with its position. Never changed once read.

    Not a dataclass: a 20 MB file makes a million of them.

    Args:
        value: The value; a mapping keeps its order, and for a repeated key the last value.
        line: 1-based line where the value starts.
        column: 1-based column where the value starts.
        key_line: Line of the key that holds it, or of the value itself in a list.
        key_column: Column of that key.
    """

    __slots__ = ("column", "key_column", "key_line", "line", "value")

    def __init__(
        self,
        value: Value,
        line: int,
        column: int,
        key_line: int | None = None,
        key_column: int | None = None,
    ) -> None:
        self.value = value
        self.line = line
        self.column = column
        self.key_line = line if key_line is None else key_line
        self.key_column = column if key_column is None else key_column

    def get(self, *path: str | int) -> "Node | None":
        """Return the node at `path` below this one, or None where the path leads nowhere."""
        node: Node | None = self
        for step in path:
            if node is None:
                return None
            value = node.value
            if isinstance(value, dict) and isinstance(step, str):
                node = value.get(step)
            elif isinstance(value, list) and isinstance(step, int):
                node = value[step] if 0 <= step < len(value) else None
            else:
                return None
        return node

    def plain(self) -> object:
        """Return the value without positions, as `json.loads` would give it."""
        value = self.value
        if isinstance(value, dict):
            return {key: node.plain() for key, node in value.items()}
        if isinstance(value, list):
            return [node.plain() for node in value]
        return value

    def span(self, file: str) -> Span:
        """Return where the value starts."""
        return Span(file, self.line, self.column)

    def key_span(self, file: str) -> Span:
        """Return where the key of this value starts."""
        return Span(file, self.key_line, self.key_column)

    def __repr__(self) -> str:
        """Render for debugging."""
        return f"Node({self.value!r}, {self.line}, {self.column})"


@dataclass(frozen=True, slots=True)
class Document:
    """One object as written: an item of a List, or a YAML document.

    Args:
        file: Path as shown to people.
        root: The mapping.
    """

    file: str
    root: Node


@dataclass(frozen=True, slots=True)
class RawObject:
    """One item of a large JSON List, still as bytes: decoded in bulk, located only at need.

    Args:
        file: Path as shown to people.
        line: 1-based line where the item starts.
        column: 1-based column where the item starts.
        api_version: The item's (or, where it says none, the List's) `apiVersion`.
        kind: The item's kind.
        data: The item's JSON text.
        locate: Reads the item again with positions; costs a hundred times the bulk decode. An
            item that cannot be read so comes back as its version and kind alone, and the reader
            that gave it says why next.
    """

    file: str
    line: int
    column: int
    api_version: str
    kind: str
    data: memoryview
    locate: Callable[[], Document]

    def decode(self, into: type[T]) -> T:
        """Return the item as a msgspec type.

        Raises:
            Exception: It is not of that type; one of `typed.NOT_SO`.
        """
        return msgspec.json.decode(self.data, type=into)


class PlainObject(msgspec.Struct, frozen=True):
    """An object that a program hands over as plain values: it stands nowhere, only in an order.

    Args:
        file: What the objects are called together.
        line: 1-based place among them.
        api_version: Its `apiVersion`.
        kind: Its kind.
        value: The object.
    """

    file: str
    line: int
    api_version: str
    kind: str
    value: Mapping[str, object]
    column: int = 1

    def decode(self, into: type[T]) -> T:
        """Return the object as a msgspec type.

        Raises:
            Exception: It is not of that type; one of `typed.NOT_SO`.
        """
        return msgspec.convert(self.value, into)

    def locate(self) -> Document:
        """Return the object as a document; all of it stands where the object does.

        Raises:
            TypeError: It holds something that no manifest could.
        """
        return Document(self.file, plain_node(self.value, self.line))


def plain_node(value: object, line: int) -> Node:
    """Return plain values as nodes, all on one line.

    Raises:
        TypeError: There is something among them that no manifest could hold.
    """
    return _node(msgspec.to_builtins(value, str_keys=True), line)


def _node(value: object, line: int) -> Node:
    if isinstance(value, dict):
        return Node({key: _node(item, line) for key, item in value.items()}, line, 1)
    if isinstance(value, list | tuple):
        return Node([_node(item, line) for item in value], line, 1)
    if value is None or isinstance(value, str | int | float):
        return Node(value, line, 1)
    msg = f"{type(value).__name__} is nothing that a manifest could hold"
    raise TypeError(msg)
