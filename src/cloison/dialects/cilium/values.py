"""Values of Cilium's API that are texts: ports, blocks of addresses, names, label keys.

Source: cilium/cilium pkg/policy/api, pkg/iana/svcname.go and pkg/labels/labels.go.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cloison.resources.names import MAX_PORT

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PROTOCOLS = ("TCP", "UDP", "SCTP", "VRRP", "IGMP", "ANY")
PORTLESS = ("VRRP", "IGMP")
"""Protocols without ports; known where `enable-extended-ip-protocols` is on."""
ANY_SOURCE = "any"
RESERVED = "reserved"
MAX_NAME = 255
"""Characters of a name, or of a pattern of names."""
_SERVICE = re.compile(r"(?=[0-9-]*[A-Za-z])[A-Za-z0-9](?:-?[A-Za-z0-9])*")
_MAX_SERVICE = 15
_BASES = (("0x", 16), ("0b", 2), ("0o", 8), ("0", 8))
_DIGITS = re.compile(r"[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*")
_NAME = re.compile(r"[-a-zA-Z0-9_]+(?:\.[-a-zA-Z0-9_]+)*\.?")
_PATTERN = re.compile(r"[-a-zA-Z0-9_*]+(?:\.[-a-zA-Z0-9_*]+)*\.?")
_BLOCK = re.compile(r"[0-9a-fA-F:.]{2,45}/[0-9]{1,3}")
_LONGEST_NUMBER = 24

ICMP_TYPES: Mapping[int, Mapping[str, int]] = MappingProxyType(
    {
        4: MappingProxyType(
            {
                "EchoReply": 0,
                "DestinationUnreachable": 3,
                "Redirect": 5,
                "Echo": 8,
                "EchoRequest": 8,
                "RouterAdvertisement": 9,
                "RouterSelection": 10,
                "TimeExceeded": 11,
                "ParameterProblem": 12,
                "Timestamp": 13,
                "TimestampReply": 14,
                "Photuris": 40,
                "ExtendedEchoRequest": 42,
            }
        ),
        6: MappingProxyType(
            {
                "DestinationUnreachable": 1,
                "PacketTooBig": 2,
                "TimeExceeded": 3,
                "ParameterProblem": 4,
                "EchoRequest": 128,
                "EchoReply": 129,
                "MulticastListenerQuery": 130,
                "MulticastListenerReport": 131,
                "MulticastListenerDone": 132,
                "RouterSolicitation": 133,
                "RouterAdvertisement": 134,
                "NeighborSolicitation": 135,
                "NeighborAdvertisement": 136,
                "RedirectMessage": 137,
                "RouterRenumbering": 138,
                "ICMPNodeInformationQuery": 139,
                "ICMPNodeInformationResponse": 140,
                "InverseNeighborDiscoverySolicitation": 141,
                "InverseNeighborDiscoveryAdvertisement": 142,
                "HomeAgentAddressDiscoveryRequest": 144,
                "HomeAgentAddressDiscoveryReply": 145,
                "MobilePrefixSolicitation": 146,
                "MobilePrefixAdvertisement": 147,
                "DuplicateAddressRequestCodeSuffix": 157,
                "DuplicateAddressConfirmationCodeSuffix": 158,
                "ExtendedEchoRequest": 160,
            }
        ),
    }
)
"""Names of ICMP types by family.

`ExtendedEchoReply`, which Cilium knows too, is not among them: the schema's pattern misspells it.
Source: cilium/cilium pkg/policy/api/icmp.go.
"""


@dataclass(frozen=True, slots=True)
class LabelKey:
    """A key of a selector, taken apart.

    Args:
        source: Before the colon; `any` where nothing stands there.
        key: The rest.
    """

    source: str
    key: str


def parse_key(text: str) -> LabelKey:
    """Return the parts of a selector's key.

    >>> parse_key("k8s:app"), parse_key("a.b").source, parse_key("$host").source
    (LabelKey(source='k8s', key='app'), 'any', 'reserved')
    """
    if text.startswith("$"):
        source, key = RESERVED, text[1:]
    elif ":" in text:
        source, _, key = text.partition(":")
    elif text.startswith(f"{RESERVED}."):
        source, key = RESERVED, text.removeprefix(f"{RESERVED}.")
    else:
        source, key = "", text
    return LabelKey(source or ANY_SOURCE, key.partition("=")[0])


def parse_port(text: str) -> str | None:
    """Return a port as Cilium reads it: a number in decimal or a name in small letters.

    Numbers may have any form that Go reads, so `010` is 8. None when it is neither.

    >>> parse_port("8080"), parse_port("HTTP"), parse_port("010"), parse_port("80-90")
    ('8080', 'http', '8', None)
    """
    if len(text) <= _MAX_SERVICE and _SERVICE.fullmatch(text):
        return text.lower()
    number = _number(text)
    return str(number) if number is not None and number <= MAX_PORT else None


def _number(text: str) -> int | None:
    lower = text.lower()
    if len(text) > _LONGEST_NUMBER or not text[:1].isdigit():
        return None
    if lower == "0":
        return 0
    prefix, base = next(((p, b) for p, b in _BASES if lower.startswith(p)), ("", 10))
    digits = lower[len(prefix) :].removeprefix("_") if prefix else lower
    if not _DIGITS.fullmatch(digits):
        return None
    try:
        return int(digits, base)
    except ValueError:
        return None


def parse_block(text: str) -> Network | None:
    """Return a block of addresses, bits beyond its prefix cut off; None when it is none.

    >>> parse_block("10.0.0.1/8"), parse_block("10.0.0.1")
    (IPv4Network('10.0.0.0/8'), None)
    """
    if not _BLOCK.fullmatch(text):
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def block_base(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return the address that a block is written with, its bits beyond the prefix included.

    Raises:
        ValueError: It is no block of addresses.
    """
    return ipaddress.ip_interface(text).ip


def parse_address(text: str) -> str | None:
    """Return a bare address as a block, None when it is none.

    >>> parse_address("10.0.0.1"), parse_address("fd00::1")
    ('10.0.0.1/32', 'fd00::1/128')
    """
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        return None


def is_dns_name(text: str) -> bool:
    """Return whether a text is a DNS name as `matchName` takes it."""
    return len(text) <= MAX_NAME and _NAME.fullmatch(text) is not None


def is_dns_pattern(text: str) -> bool:
    """Return whether a text is a pattern of DNS names as `matchPattern` takes it."""
    return len(text) <= MAX_NAME and _PATTERN.fullmatch(text) is not None
