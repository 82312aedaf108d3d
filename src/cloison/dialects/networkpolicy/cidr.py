"""Address blocks as Kubernetes reads them, which is more leniently than Python does.

Leading zeros are decimal, bits beyond the prefix are masked, and an IPv4-mapped IPv6 block
behaves as the IPv4 block inside it. Stored objects may hold all three, so a reader has to
understand them even where a newer API server refuses them in new objects.

Source: kubernetes/utils internal/third_party/forked/golang/net (ParseCIDR, IPNet.Contains)
and kubernetes/kubernetes apimachinery pkg/util/validation/ip.go.
"""

import ipaddress
from dataclasses import dataclass

from cloison.algebra import V6_BASE, AddressSet

V4_BITS = 32
"""Bits of an IPv4 address."""
_V6_BITS = 128
_MAPPED_BITS = _V6_BITS - V4_BITS
_MAPPED_PREFIX = 0xFFFF
_GROUPS = 8
_GROUP_DIGITS = 4
_OCTETS = 4
_OCTET_MAX = 255
_MOST_DIGITS = 3
"""No number of an address or a length has more, leading zeros aside."""
_DIGITS = frozenset("0123456789")
_HEX = frozenset("0123456789abcdefABCDEF")


@dataclass(frozen=True, slots=True)
class Cidr:
    """An address block that the API server can parse.

    Args:
        text: As written.
        base: First address of the block, a number within its family.
        prefix: Prefix length as written.
        bits: Width of the notation as written, 32 or 128; a mapped block is written with 128.
        mapped: Written as an IPv4 address inside `::ffff:0:0/96`.
        leading_zeros: Some number has leading zeros.
        host_bits: Bits beyond the prefix were set.
    """

    text: str
    base: int
    prefix: int
    bits: int
    mapped: bool
    leading_zeros: bool
    host_bits: bool

    @property
    def loose(self) -> bool:
        """Whether it is written as only older servers accept it."""
        return self.mapped or self.leading_zeros or self.host_bits

    @property
    def is_v4(self) -> bool:
        """Whether it matches IPv4 packets."""
        return self.bits == V4_BITS or (self.mapped and self.prefix >= _MAPPED_BITS)

    @property
    def length(self) -> int:
        """Prefix length within the family it matches."""
        return self.prefix - _MAPPED_BITS if self.is_v4 and self.mapped else self.prefix

    @property
    def addresses(self) -> AddressSet:
        """The addresses it matches."""
        width = V4_BITS if self.is_v4 else _V6_BITS
        low = self.base if self.is_v4 else V6_BASE + self.base
        return AddressSet([(low, low + (1 << (width - self.length)) - 1)])

    def holds_strictly(self, inner: "Cidr") -> bool:
        """Return whether `except` may name `inner`: it starts inside, with a longer prefix.

        The prefix lengths compared are those written, so mixing the mapped notation with
        the plain one has surprising results; this is what the API server does.
        """
        if self.is_v4 != inner.is_v4 or self.prefix >= inner.prefix:
            return False
        start = inner.base if inner.is_v4 else V6_BASE + inner.base
        return start in self.addresses

    def canonical(self) -> str:
        """Return the block as it should have been written."""
        kind = ipaddress.IPv4Network if self.is_v4 else ipaddress.IPv6Network
        return str(kind((self.base, self.length)))

    @property
    def complaint(self) -> str | None:
        """Why a strict API server refuses it in a new object, or None when it does not."""
        if self.leading_zeros:
            return "has leading zeros in the address or the prefix length"
        if self.mapped:
            return "is an IPv4-mapped IPv6 block"
        if self.host_bits:
            return "has bits set beyond its prefix length"
        return None


def parse_cidr(text: str) -> Cidr | None:
    """Return the block that `text` denotes to Kubernetes, or None when it denotes none.

    >>> parse_cidr("010.1.2.3/8").canonical()
    '10.0.0.0/8'
    >>> parse_cidr("10.0.0.1") is None
    True
    """
    address, slash, length = text.partition("/")
    prefix = _decimal(length)
    if not slash or prefix is None:
        return None
    bits, number = V4_BITS, _ipv4(address)
    if number is None:
        bits, number = _V6_BITS, _ipv6(address)
    if number is None or prefix > bits:
        return None
    mapped = bits == _V6_BITS and number >> V4_BITS == _MAPPED_PREFIX
    base = number >> (bits - prefix) << (bits - prefix)
    host_bits = base != number
    if mapped and prefix >= _MAPPED_BITS:
        base &= (1 << V4_BITS) - 1
    return Cidr(text, base, prefix, bits, mapped, _leading_zeros(address, length), host_bits)


def _decimal(text: str) -> int | None:
    if not text or not _DIGITS.issuperset(text):
        return None
    digits = text.lstrip("0") or "0"
    return int(digits) if len(digits) <= _MOST_DIGITS else None


def _ipv4(text: str) -> int | None:
    octets = [_decimal(part) for part in text.split(".")]
    if len(octets) != _OCTETS:
        return None
    number = 0
    for octet in octets:
        if octet is None or octet > _OCTET_MAX:
            return None
        number = number << 8 | octet
    return number


def _ipv6(text: str) -> int | None:
    head, ellipsis, tail = text.partition("::")
    if "::" in tail or tail.startswith(":"):
        return None
    left = _groups(head, last=not ellipsis)
    right = _groups(tail, last=True)
    if left is None or right is None:
        return None
    missing = _GROUPS - len(left) - len(right)
    if missing < 1 if ellipsis else missing != 0:
        return None
    number = 0
    for group in (*left, *([0] * missing), *right):
        number = number << 16 | group
    return number


def _groups(text: str, *, last: bool) -> list[int] | None:
    """Read colon-separated groups; only at the very end may an IPv4 address stand."""
    if not text:
        return []
    parts = text.split(":")
    out: list[int] = []
    for place, part in enumerate(parts, 1):
        if "." in part:
            number = _ipv4(part) if last and place == len(parts) else None
            if number is None:
                return None
            out += [number >> 16, number & 0xFFFF]
            continue
        digits = part.lstrip("0")
        if not part or not _HEX.issuperset(part) or len(digits) > _GROUP_DIGITS:
            return None
        out.append(int(digits or "0", 16))
    return out


def _leading_zeros(address: str, length: str) -> bool:
    if len(length) > 1 and length.startswith("0"):
        return True
    groups = address.split(":")
    octets = groups.pop().split(".") if "." in groups[-1] else []
    padded = any(len(octet) > 1 and octet.startswith("0") for octet in octets)
    return padded or any(len(group) > _GROUP_DIGITS for group in groups)
