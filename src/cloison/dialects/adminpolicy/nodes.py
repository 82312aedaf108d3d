"""What nodes of a document hold, where they hold it."""

from cloison.resources.documents import Node


def number(node: Node | None) -> int | None:
    """Return a whole number, as JSON may carry it with a fraction of zero."""
    value = node.value if node is not None else None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def text(node: Node | None) -> str | None:
    """Return a text, None where there is none."""
    return node.value if node is not None and isinstance(node.value, str) else None


def items(node: Node | None) -> list[Node]:
    """Return the items of a list, none where there is no list."""
    return node.value if node is not None and isinstance(node.value, list) else []
