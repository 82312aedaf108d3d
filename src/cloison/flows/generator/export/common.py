"""What records of every source need: who saw a connection, and how its ends are written."""

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from cloison.flows.generator.model import Connection, Place, Pod

SECOND = 1_000_000
"""Microseconds in a second."""

BYTES, PACKETS = 1200, 9
"""What every made-up connection carries."""

NUMBERS = {"TCP": 6, "UDP": 17, "SCTP": 132}
"""Protocols' numbers (IANA)."""


def sides(of: Connection) -> Iterator[tuple[str, Pod]]:
    """Yield the pods at which a connection is seen: `src`, `dst` or both.

    One that its source's policy denies never comes to the other end.
    """
    if isinstance(of.src, Pod) and of.seen_ip == of.src_ip:
        yield "src", of.src
    stopped = not of.allowed and of.call.denied_at == "src"
    if isinstance(of.dst, Pod) and not stopped:
        yield "dst", of.dst


def denied_here(of: Connection, side: str) -> bool:
    """Return whether a connection is denied at one of its ends."""
    return not of.allowed and of.call.denied_at == side


def policy(of: Connection) -> tuple[str, str]:
    """Return namespace and name of the policy that denies a connection; empty where none is."""
    namespace, _, name = (of.call.denied or "").partition("/")
    return namespace, name


def seconds(of: Connection) -> int:
    """Return when a connection began, in whole seconds."""
    return of.time // SECOND


def stamp(time: int, digits: int = 3) -> str:
    """Return a time as RFC 3339, with so many digits of a second."""
    whole, rest = divmod(time, SECOND)
    fraction = f"{rest:06d}".ljust(digits, "0")[:digits]
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{fraction}Z"


def name(end: Pod | Place) -> str:
    """Return a pod's name; nothing for what is no pod."""
    return end.name if isinstance(end, Pod) else ""


def namespace(end: Pod | Place) -> str:
    """Return a pod's namespace; nothing for what is no pod."""
    return end.made.namespace if isinstance(end, Pod) else ""


def json(what: object) -> str:
    """Return a record as one line."""
    return msgspec.json.encode(what).decode()
