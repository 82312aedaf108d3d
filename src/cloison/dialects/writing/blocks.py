"""Addresses as blocks that can be written."""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from typing import TypeVar

from cloison.algebra import AddressSet

T = TypeVar("T")


def batched(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """Iterate over stretches of some items that are `size` long, the last perhaps shorter.

    >>> list(batched("abcde", 2))
    [('a', 'b'), ('c', 'd'), ('e',)]
    """
    held = tuple(items)
    yield from (held[start : start + size] for start in range(0, len(held), size))


def cidrs(addresses: AddressSet) -> Iterator[str]:
    """Iterate over the blocks that together are a set of addresses, IPv4 before IPv6.

    >>> list(cidrs(AddressSet.block("10.0.0.0/8") - AddressSet.block("10.128.0.0/9")))
    ['10.0.0.0/9']
    """
    for text in addresses.ranges():
        first, last = (ipaddress.ip_address(part) for part in text.split("-"))
        yield from map(str, ipaddress.summarize_address_range(first, last))


def masked(cidr: str) -> str:
    """Return a block without bits beyond its prefix, an address as the block of it alone.

    Zeros before the digits of IPv4, which older API servers took, are left out.

    >>> masked("010.1.2.3/8")
    '10.0.0.0/8'
    """
    plain = cidr if ":" in cidr else re.sub(r"\b0+(?=\d)", "", cidr)
    return next(cidrs(AddressSet.block(plain)))


def by_family(blocks: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Iterate over the blocks of IPv4, then of IPv6, where there are any."""
    found = tuple(blocks)
    for six in (False, True):
        part = tuple(block for block in found if (":" in block) is six)
        if part:
            yield part
