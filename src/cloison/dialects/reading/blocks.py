"""Addresses of blocks as rules write them, after what is no block was refused."""

from collections.abc import Iterable

from cloison.algebra import NO_ADDRESSES, AddressSet


def block(text: str) -> AddressSet:
    """Return the addresses of a block or bare address; none of a text that is neither."""
    try:
        return AddressSet.block(text)
    except ValueError:
        return NO_ADDRESSES


def together(texts: Iterable[str]) -> AddressSet:
    """Return the addresses of several blocks, of which there may be many thousand."""
    return AddressSet(span for text in texts for span in block(text).spans)
