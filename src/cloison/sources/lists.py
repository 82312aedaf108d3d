"""Which documents are Kubernetes objects, and the objects inside Lists."""

from collections.abc import Iterator
from typing import Final

from cloison.base import Diagnostic, Span
from cloison.resources.documents import Document, Node
from cloison.sources import faults

MAX_LIST_DEPTH: Final = 8
"""Lists inside Lists; nobody writes two."""


def is_list(kind: str) -> bool:
    """Return whether a kind names a List, whose `items` are the objects."""
    return kind.endswith("List")


def item_kind(kind: str) -> str:
    """Return the kind that items of a List have when they name none; empty for a plain `List`."""
    return kind[: -len("List")]


class Sorter:
    """Sorts the documents of one file into objects and others, and says once what the others are.

    A file that holds no object at all (a values file, a workflow) is worth one remark; among
    objects each stray document is a warning. Which of the two it is shows at the end of the file.

    Args:
        file: Name of the file.
        anything: Whether mappings that are no objects are wanted as they are.
    """

    __slots__ = ("_anything", "_file", "_objects", "_others")

    def __init__(self, file: str, *, anything: bool = False) -> None:
        self._file = file
        self._anything = anything
        self._objects = False
        self._others: list[tuple[Span, str]] = []

    def saw_objects(self) -> None:
        """Note that the file holds objects that did not come through `sort`."""
        self._objects = True

    def sort(self, root: Node) -> Iterator[Document | Diagnostic]:
        """Yield the objects of one document."""
        value = root.value
        if value is None:
            return
        if not isinstance(value, dict):
            self._others.append((root.span(self._file), f"it is {_name(value)}"))
            return
        if not value:
            return
        missing = missing_field(root)
        if missing is not None and self._anything:
            self._objects = True
            yield Document(self._file, root)
            return
        if missing is None:
            self._objects = True
            yield from flatten(self._file, root)
            return
        has = "kind" if missing == "apiVersion" else "apiVersion"
        if _text(root, has):
            yield faults.half_an_object(root.span(self._file), has, missing)
            return
        self._others.append((root.span(self._file), "it has no `apiVersion` and no `kind`"))

    def finish(self) -> Iterator[Diagnostic]:
        """Yield what is to be said of the documents that are no objects."""
        if self._others and not self._objects:
            span, what = self._others[0]
            count = len(self._others)
            more = f" (nor do the {count - 1} other documents)" if count > 1 else ""
            yield faults.no_objects(span, what + more)
            return
        for span, what in self._others:
            yield faults.not_an_object(span, what)


def flatten(file: str, root: Node, depth: int = 0) -> Iterator[Document | Diagnostic]:
    """Yield the objects that `root`, an object, stands for: itself, or a List's items."""
    kind = _text(root, "kind")
    items = root.get("items")
    if is_list(kind) and items is None:
        keys = root.value if isinstance(root.value, dict) else {}
        near = next((key for key in keys if key.lower() == "items"), None)
        if near is not None:
            yield faults.list_without_items(root.span(file), near)
            return
    if not is_list(kind) or items is None or not isinstance(items.value, list | None):
        yield Document(file, root)
        return
    if depth >= MAX_LIST_DEPTH:
        yield faults.lists_too_deep(root.span(file), MAX_LIST_DEPTH)
        return
    for item in items.value or ():
        whole = completed(item, _text(root, "apiVersion"), item_kind(kind))
        fault = item_fault(file, whole)
        if fault is None:
            yield from flatten(file, whole, depth + 1)
        else:
            yield fault


def completed(item: Node, api_version: str, kind: str) -> Node:
    """Return an item with what its List says about all items; the typed Lists of an API do.

    Args:
        item: The item as written.
        api_version: The List's own.
        kind: What the List's kind makes of its items; empty when that is nothing.
    """
    value = item.value
    if not kind or not isinstance(value, dict) or ("kind" in value and "apiVersion" in value):
        return item
    given = {
        "apiVersion": Node(api_version, item.line, item.column),
        "kind": Node(kind, item.line, item.column),
    }
    return Node(given | value, item.line, item.column)


def item_fault(file: str, item: Node) -> Diagnostic | None:
    """Return what keeps an item of a List from being an object."""
    if not isinstance(item.value, dict):
        return faults.list_item(item.span(file), f"it is {_name(item.value)}")
    missing = missing_field(item)
    return None if missing is None else faults.list_item(item.span(file), f"it has no `{missing}`")


def missing_field(root: Node) -> str | None:
    """Return the name of the field without which a mapping is no object, if one is missing."""
    for name in ("kind", "apiVersion"):
        if not _text(root, name):
            return name
    return None


def _text(root: Node, name: str) -> str:
    """Return a field that holds text, or nothing."""
    node = root.get(name)
    return node.value if node is not None and isinstance(node.value, str) else ""


def _name(value: object) -> str:
    """Return what a value that is no mapping is, in words."""
    if value is None:
        return "empty"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true or false"
    return "text" if isinstance(value, str) else "a number"
