"""Documents of policy objects, kept beside what is made of them."""

from collections.abc import Iterable, Iterator

from cloison.app.load import Item
from cloison.base import Span
from cloison.dialects import completed, dialect_for
from cloison.resources.documents import Document, RawObject


def noted(items: Iterable[Item], kept: dict[Span, Document]) -> Iterator[Item]:
    """Yield what is read, and keep the documents that hold policy.

    Args:
        items: What is read.
        kept: Where to keep them, by the place where each starts.
    """
    for item in items:
        read = _located(item)
        if isinstance(read, Document):
            api_version, kind = (read.root.get(key) for key in ("apiVersion", "kind"))
            if api_version and kind and dialect_for(str(api_version.value), str(kind.value)):
                kept[read.root.span(read.file)] = read
        yield read


def _located(item: Item) -> Item:
    """Return an item of a large list with its places, if it holds policy."""
    if isinstance(item, RawObject) and dialect_for(item.api_version, item.kind):
        return completed(item.locate(), item.api_version, item.kind)
    return item
