"""Sets as values, always canonical: traffic, addresses, label selectors, bitmaps."""

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

__all__ = [
    "ALL_LABELS",
    "ANY",
    "ANY_VALUE",
    "EVERYTHING",
    "EVERY_ADDRESS",
    "FAMILY",
    "L4",
    "MAX_PORT",
    "NO_ADDRESSES",
    "NO_TRAFFIC",
    "PORT_PROTOCOLS",
    "PROTOCOLS",
    "V6_BASE",
    "AddressSet",
    "IntervalSet",
    "LabelSelector",
    "LabelSet",
    "Operator",
    "Requirement",
    "TrafficEntry",
    "TrafficSet",
    "ValueSet",
    "address_text",
    "family_of",
    "parse_address",
    "protocol_number",
]
