"""Sets as values, always canonical: traffic, addresses, labels, texts, requests, bitmaps.

Sets of texts and of requests are imported when first used: most clusters ask nothing of either.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from cloison.algebra.addresses import (
    EVERY_ADDRESS,
    FAMILY,
    NO_ADDRESSES,
    V6_BASE,
    AddressSet,
    address_text,
    family_of,
    parse_address,
)
from cloison.algebra.intervals import IntervalSet
from cloison.algebra.labelsets import ALL_LABELS, ANY_VALUE, LabelSet, ValueSet
from cloison.algebra.selectors import EVERYTHING, LabelSelector, Operator, Requirement
from cloison.algebra.traffic import (
    ANY,
    L4,
    MAX_PORT,
    NO_TRAFFIC,
    PORT_PROTOCOLS,
    PROTOCOLS,
    TrafficEntry,
    TrafficSet,
    protocol_number,
)

if TYPE_CHECKING:
    from cloison.algebra.budget import TooLargeError, UndecidedError, UnsupportedPatternError
    from cloison.algebra.concrete import matches
    from cloison.algebra.names import host_names
    from cloison.algebra.regex import PatternError
    from cloison.algebra.requests import EVERY_REQUEST, NO_REQUESTS, Request, RequestSet
    from cloison.algebra.strings import EVERY_STRING, NO_STRINGS, StringSet
    from cloison.algebra.values import Values

_LATER = {
    "EVERY_REQUEST": "requests",
    "EVERY_STRING": "strings",
    "NO_REQUESTS": "requests",
    "NO_STRINGS": "strings",
    "PatternError": "regex",
    "Request": "requests",
    "RequestSet": "requests",
    "StringSet": "strings",
    "TooLargeError": "budget",
    "UndecidedError": "budget",
    "UnsupportedPatternError": "budget",
    "Values": "values",
    "host_names": "names",
    "matches": "concrete",
}


def __getattr__(name: str) -> object:
    """Import what is first used now."""
    if name not in _LATER:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value


__all__ = [
    "ALL_LABELS",
    "ANY",
    "ANY_VALUE",
    "EVERYTHING",
    "EVERY_ADDRESS",
    "EVERY_REQUEST",
    "EVERY_STRING",
    "FAMILY",
    "L4",
    "MAX_PORT",
    "NO_ADDRESSES",
    "NO_REQUESTS",
    "NO_STRINGS",
    "NO_TRAFFIC",
    "PORT_PROTOCOLS",
    "PROTOCOLS",
    "V6_BASE",
    "AddressSet",
    "IntervalSet",
    "LabelSelector",
    "LabelSet",
    "Operator",
    "PatternError",
    "Request",
    "RequestSet",
    "Requirement",
    "StringSet",
    "TooLargeError",
    "TrafficEntry",
    "TrafficSet",
    "UndecidedError",
    "UnsupportedPatternError",
    "ValueSet",
    "Values",
    "address_text",
    "family_of",
    "host_names",
    "matches",
    "parse_address",
    "protocol_number",
]
