"""Sets of traffic: every IP protocol, with ports or ICMP types where it has them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from cloison.algebra.intervals import IntervalSet

PROTOCOLS: dict[str, int] = {"ICMP": 1, "TCP": 6, "UDP": 17, "ICMPV6": 58, "SCTP": 132}
"""Protocols with a name here; every other one is written as its number."""

PORT_PROTOCOLS = ("TCP", "UDP", "SCTP")
"""Protocols whose traffic is told apart by port, in the order they are printed."""

_ICMP = {4: "ICMP", 6: "ICMPV6"}
_NAMES = {number: name for name, number in PROTOCOLS.items()}
_PORTED = frozenset(PROTOCOLS[name] for name in PORT_PROTOCOLS)
_TYPED = frozenset((1, 58))
_WIDTH = 1 << 16
MAX_PORT = _WIDTH - 1
_LAST_PROTOCOL = 255
_MOST_PROTOCOLS = 128
"""Half of them; a set of more is said by what it leaves out."""
_DIGITS = 3
"""Digits of the last protocol; longer numbers are not worth making."""


@dataclass(frozen=True, slots=True)
class TrafficEntry:
    """One printable piece of a traffic set.

    Args:
        protocol: `TCP`, `ICMP`, a number as text, or `ANY` for everything.
        low: First port, or ICMP type * 256 + code; None when the whole protocol is meant.
        high: Last port, inclusive, on the same terms.
    """

    protocol: str
    low: int | None = None
    high: int | None = None


class TrafficSet(IntervalSet):
    """A set of (protocol, port) pairs, canonical.

    One axis holds everything: protocol number * 65536 + port. Ports run from 1 to 65535;
    ICMP uses type * 256 + code; of a protocol with neither, all 65536 points are one thing.

    >>> str(TrafficSet.ports("TCP", 8080) | TrafficSet.ports("UDP", 53))
    'TCP/8080, UDP/53'
    >>> str(TrafficSet.protocol("SCTP"))
    'SCTP'
    """

    __slots__ = ()

    @classmethod
    def ports(cls, protocol: str, low: int, high: int | None = None) -> Self:
        """Return ports `low` to `high`, inclusive, of TCP, UDP or SCTP."""
        base = PROTOCOLS[protocol] * _WIDTH
        return cls([(base + max(low, 1), base + (low if high is None else high))])

    @classmethod
    def protocol(cls, protocol: str | int) -> Self:
        """Return everything of one protocol, named or numbered."""
        number = protocol if isinstance(protocol, int) else protocol_number(protocol)
        base = number * _WIDTH
        if number in _PORTED:
            return cls([(base + 1, base + MAX_PORT)])
        return cls([(base, base + MAX_PORT)])

    @classmethod
    def icmp(cls, type_: int | None = None, code: int | None = None, version: int = 4) -> Self:
        """Return ICMP (or ICMPv6, `version=6`) of a type and code; None means every one."""
        base = PROTOCOLS[_ICMP[version]] * _WIDTH
        if type_ is None:
            return cls([(base, base + MAX_PORT)])
        first = base + type_ * 256 + (code or 0)
        return cls([(first, first if code is not None else first + 255)])

    def entries(self) -> Iterator[TrafficEntry]:
        """Iterate over printable pieces, TCP, UDP, SCTP first, then by protocol number.

        Everything is the single entry `ANY`.
        """
        if self == ANY:
            yield TrafficEntry("ANY")
            return
        by_protocol: dict[int, list[tuple[int, int]]] = {}
        for low, high in self.spans:
            for number in range(low // _WIDTH, high // _WIDTH + 1):
                base = number * _WIDTH
                piece = (max(low, base) - base, min(high, base + MAX_PORT) - base)
                by_protocol.setdefault(number, []).append(piece)
        first = {PROTOCOLS[name]: rank for rank, name in enumerate(PORT_PROTOCOLS)}
        for number in sorted(by_protocol, key=lambda n: (first.get(n, len(first)), n)):
            name = _NAMES.get(number, str(number))
            for low, high in by_protocol[number]:
                whole = number not in _PORTED and (number not in _TYPED or high - low == MAX_PORT)
                yield TrafficEntry(name) if whole else TrafficEntry(name, low, high)

    def __str__(self) -> str:
        """Render for people: `TCP/80,443, UDP/53`, `any`, `any but TCP/80`, `none`."""
        if not self:
            return "none"
        if self == ANY:
            return "any"
        if self == L4:
            return "any TCP, UDP or SCTP"
        parts = self._parts()
        if len(parts) > _MOST_PROTOCOLS:
            # Nobody reads two hundred numbers of protocols: what is left out says it.
            return f"any but {', '.join((ANY - self)._parts())}"
        return ", ".join(parts)

    def _parts(self) -> list[str]:
        """Return a text for each protocol, as `entries` orders them."""
        parts: dict[str, list[str]] = {}
        for entry in self.entries():
            parts.setdefault(entry.protocol, []).append(_text(entry))
        return [
            name if texts == [""] else f"{name}/{','.join(texts)}" for name, texts in parts.items()
        ]


def _text(entry: TrafficEntry) -> str:
    if entry.low is None or entry.high is None:
        return ""
    if PROTOCOLS.get(entry.protocol) in _TYPED:
        low, high = entry.low, entry.high
        if low % 256 == 0 and high == low + 255:
            return f"type {low // 256}"
        if low == high:
            return f"type {low // 256} code {low % 256}"
        return f"type {low // 256} code {low % 256} to type {high // 256} code {high % 256}"
    if (entry.low, entry.high) == (1, MAX_PORT):
        return ""
    return str(entry.low) if entry.low == entry.high else f"{entry.low}-{entry.high}"


def protocol_number(text: str) -> int:
    """Return the number of a protocol given by name or as digits.

    Raises:
        KeyError: the name is not one of `PROTOCOLS` and not a number from 0 to 255.
    """
    upper = text.upper()
    if upper in PROTOCOLS:
        return PROTOCOLS[upper]
    if text.isascii() and text.isdecimal() and len(text.lstrip("0")) <= _DIGITS:
        number = int(text)
        if number <= _LAST_PROTOCOL:
            return number
    raise KeyError(text)


def _universe() -> TrafficSet:
    everything = TrafficSet()
    for number in range(256):
        everything |= TrafficSet.protocol(number)
    return everything


NO_TRAFFIC = TrafficSet()
"""The empty set."""
ANY: TrafficSet = TrafficSet()
ANY = _universe()
"""Everything: 256 protocols with all their ports and types."""
L4 = TrafficSet.protocol("TCP") | TrafficSet.protocol("UDP") | TrafficSet.protocol("SCTP")
"""Every port of TCP, UDP and SCTP: what a NetworkPolicy speaks about."""
