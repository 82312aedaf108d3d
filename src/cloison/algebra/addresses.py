"""Sets of IP addresses of both families on one axis."""

import ipaddress
import socket
from collections.abc import Iterator
from typing import Self

from cloison.algebra.intervals import IntervalSet

V6_BASE = 1 << 32
"""Where IPv6 starts on the axis: IPv4 addresses are their own number, IPv6 is shifted past them."""
_MAPPED = 0xFFFF
"""The first 96 bits of an IPv4-mapped address."""
_MAPPED_BITS = 96
_BITS4, _BITS6 = 32, 128
_V6_TOP = V6_BASE + (1 << 128) - 1


class AddressSet(IntervalSet):
    """A set of IPv4 and IPv6 addresses, canonical.

    >>> str(AddressSet.block("192.0.2.0/24") - AddressSet.block("192.0.2.128/25"))
    '192.0.2.0/25'
    """

    __slots__ = ()

    @classmethod
    def block(cls, cidr: str) -> Self:
        """Return the addresses of a CIDR block; bits beyond the prefix are masked.

        Raises:
            ValueError: `cidr` is not an address block.
        """
        network = ipaddress.ip_network(cidr, strict=False)
        if isinstance(network, ipaddress.IPv6Network):
            mapped = network[0].ipv4_mapped
            if mapped is None or network.prefixlen < _MAPPED_BITS:
                return cls([(V6_BASE + int(network[0]), V6_BASE + int(network[-1]))])
            network = ipaddress.ip_network((mapped, network.prefixlen - _MAPPED_BITS))
        return cls([(int(network[0]), int(network[-1]))])

    @classmethod
    def address(cls, text: str) -> Self:
        """Return the set of one address.

        Raises:
            ValueError: `text` is not an address.
        """
        point = parse_address(text)
        return cls([(point, point)])

    @classmethod
    def points(cls, points: tuple[int, ...]) -> Self:
        """Return the set of addresses given as points of the axis."""
        return cls([(p, p) for p in points])

    def family(self, family: int) -> Self:
        """Return the members of one family, 4 or 6."""
        return self & type(self)._of(FAMILY[family].spans)

    def ranges(self) -> Iterator[str]:
        """Iterate over the members as `first-last`, IPv4 before IPv6."""
        for low, high in self._of_one_family():
            yield f"{address_text(low)}-{address_text(high)}"

    def _of_one_family(self) -> Iterator[tuple[int, int]]:
        """Iterate over the members as intervals of IPv4 or of IPv6."""
        for low, high in self.spans:
            if low < V6_BASE <= high:
                yield low, V6_BASE - 1
                yield V6_BASE, high
            else:
                yield low, high

    def __str__(self) -> str:
        """Render for people: blocks where they are exact, ranges otherwise."""
        return ", ".join(self.blocks()) or "no address"

    def blocks(self) -> Iterator[str]:
        """Iterate over `a.b.c.d/n` where an interval is one block, else `first-last`."""
        for low, high in self._of_one_family():
            base, width = (0, _BITS4) if low < V6_BASE else (V6_BASE, _BITS6)
            size = high - low + 1
            if size == 1:
                yield address_text(low)
            elif size & (size - 1) or (low - base) % size:
                yield f"{address_text(low)}-{address_text(high)}"
            else:
                yield f"{address_text(low)}/{width + 1 - size.bit_length()}"


def meant(cidr: str) -> str | None:
    """Return the block that stands for a text with bits beyond its prefix, None without any.

    Raises:
        ValueError: `cidr` is not an address block.

    >>> meant("192.0.2.7/24"), meant("192.0.2.0/24"), meant("192.0.2.7")
    ('192.0.2.0/24', None, None)
    """
    given = ipaddress.ip_interface(cidr)
    network = given.network
    return None if given.ip == network.network_address else str(network)


def parse_address(text: str) -> int:
    """Return an address as a point of the axis.

    Zones (`%eth0`), leading zeros and surrounding space are refused. An IPv4-mapped IPv6
    address is the IPv4 address inside it: that is what travels.

    Raises:
        ValueError: `text` is not an address.
    """
    try:
        if ":" in text:
            number = int.from_bytes(socket.inet_pton(socket.AF_INET6, text), "big")
            if number >> 32 == _MAPPED:
                return number & (V6_BASE - 1)
            return V6_BASE + number
        return int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big")
    except OSError as error:
        msg = f"{text!r} is not an IP address"
        raise ValueError(msg) from error


def address_text(point: int) -> str:
    """Return a point of the axis as an address."""
    if point < V6_BASE:
        return str(ipaddress.IPv4Address(point))
    return str(ipaddress.IPv6Address(point - V6_BASE))


def family_of(point: int) -> int:
    """Return 4 or 6."""
    return 4 if point < V6_BASE else 6


NO_ADDRESSES = AddressSet()
EVERY_ADDRESS = AddressSet([(0, _V6_TOP)])
FAMILY = {4: AddressSet([(0, V6_BASE - 1)]), 6: AddressSet([(V6_BASE, _V6_TOP)])}
