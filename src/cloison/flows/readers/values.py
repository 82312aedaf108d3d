"""Values as sources write them: checked, bounded, in the schema's own spelling."""

import csv
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from cloison.flows.reader import BadRecordError
from cloison.flows.schema import Direction

PROTOCOLS: Final = {1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6", 132: "SCTP"}
"""Names of the protocols that have one here, by number (IANA, Protocol Numbers)."""

_NAMES: Final = {name.upper(): name for name in PROTOCOLS.values()} | {
    "ICMP6": "ICMPv6",
    "ICMPV4": "ICMP",
    "IPV6-ICMP": "ICMPv6",
}
_DIRECTIONS: Final[dict[str, Direction]] = {
    "ingress": "ingress",
    "in": "ingress",
    "egress": "egress",
    "out": "egress",
}
_LONGEST: Final = 1024
_MOST: Final = 1 << 53
_DIGITS: Final = 19
_LAST: Final = 255
_LATEST: Final = 7_258_118_400_000_000  # the year 2200


@lru_cache(maxsize=1 << 14)
def address(text: str) -> str:
    """Return an address as everybody writes it.

    Raises:
        BadRecordError: it is none.

    >>> address("2001:DB8:0::1")
    '2001:db8::1'
    """
    try:
        read = ip_address(text)
    except ValueError:
        raise BadRecordError(f"{text[:64]!r} is no address") from None
    mapped = getattr(read, "ipv4_mapped", None)
    return str(mapped or read).partition("%")[0]


@lru_cache(maxsize=1 << 10)
def protocol(said: str | int) -> str | None:
    """Return a protocol's name, or its number where it has no name here.

    Raises:
        BadRecordError: it is neither a number of a protocol nor a name.

    >>> protocol(6), protocol("17"), protocol("tcp"), protocol(47), protocol("UNKNOWN")
    ('TCP', 'UDP', 'TCP', '47', None)
    """
    text = str(said).strip()
    if text.isascii() and text.isdigit():
        known = number(text, most=_LAST)
        return PROTOCOLS.get(known or 0, str(known))
    name = text.upper()
    if name in {"UNKNOWN", "ANY", "ANY PROTOCOL", "RESERVED", "-", ""}:
        return None
    if name not in _NAMES:
        raise BadRecordError(f"{text[:64]!r} is no protocol")
    return _NAMES[name]


def separated(line: str, by: str = ",") -> list[str]:
    """Return the fields of a line, of which any may stand in quotes.

    Raises:
        BadRecordError: its quotes or its ends of lines are odd.

    >>> separated('a,"b,c"')
    ['a', 'b,c']
    """
    try:
        return next(csv.reader([line], delimiter=by), [])
    except csv.Error as error:
        raise BadRecordError(str(error)) from None


def port(said: object) -> int | None:
    """Return a port; `None` where there is none, as in what has no ports.

    Raises:
        BadRecordError: it is no port.

    >>> port("8080"), port(0), port("-"), port(None)
    (8080, None, None, None)
    """
    return number(said, most=65535) or None


def number(said: object, *, most: int = _MOST) -> int | None:
    """Return a count; `None` where there is none.

    Raises:
        BadRecordError: it is no number, or one that cannot be.
    """
    if type(said) is int and 0 <= said <= most:
        return said
    if said is None or said in ("", "-"):
        return None
    text = str(said).strip()
    read = int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else -1
    if not 0 <= read <= most:
        raise BadRecordError(f"{text[:64]!r} is no number from 0 to {most}")
    return read


def total(*said: object) -> int | None:
    """Return the sum of counts; `None` where none is told.

    Raises:
        BadRecordError: one is no number, or they are too much together.

    >>> total(1, "2", None), total(None)
    (3, None)
    """
    told = [count for count in map(number, said) if count is not None]
    return number(sum(told)) if told else None


def moment(said: object, unit: int) -> int | None:
    """Return a time that is written as a number, in microseconds since 1970.

    Args:
        said: The number.
        unit: Microseconds in one of what it counts.

    Raises:
        BadRecordError: it is no number, or a time after the year 2200.
    """
    read = number(said)
    if read is None:
        return None
    if read * unit > _LATEST:
        raise BadRecordError(f"{read} is no time")
    return read * unit


def text(said: object) -> str | None:
    """Return a name; `None` where there is none, as sources write that.

    Raises:
        BadRecordError: it is longer than any name.
    """
    if said is None or said in ("", "-"):
        return None
    read = str(said)
    if len(read) > _LONGEST:
        raise BadRecordError("a name is longer than any can be")
    return read


def direction(said: str | None) -> Direction | None:
    """Return a direction; `None` where none is told, or one that is neither in nor out."""
    return _DIRECTIONS.get((said or "").lower())
