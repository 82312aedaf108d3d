"""Values of Calico's API that are texts or numbers: ports, protocols, blocks of addresses.

Source: projectcalico/calico api/pkg/lib/numorstring and libcalico-go/lib/net.
"""

import ipaddress
import re
from dataclasses import dataclass

from cloison.algebra import AddressSet
from cloison.dialects.calico.model import Port, Protocol
from cloison.resources.names import MAX_PORT, is_port_name

PROTOCOL_NAMES = ("TCP", "UDP", "ICMP", "ICMPv6", "SCTP", "UDPLite")
MAX_PROTOCOL = 255
_WITH_PORTS = frozenset({"TCP", "UDP", "SCTP", 6, 17, 132})
_BY_LOWER = {name.lower(): name for name in PROTOCOL_NAMES}
_RANGE = re.compile(r"([0-9]+):([0-9]+)")
_V4 = 4
_LONGEST_NUMBER = 9
"""Digits: more are out of every range, and not worth turning into a number."""


def parse_port(value: str | int) -> Port | None:
    """Return a port as the API reads it, or None when it is none.

    >>> parse_port("80:90"), parse_port("8080"), parse_port("http"), parse_port("90:80")
    ((80, 90), 8080, 'http', None)
    """
    if isinstance(value, int):
        return value if 1 <= value <= MAX_PORT else None
    if _digits(value):
        return parse_port(int(value)) if len(value) <= _LONGEST_NUMBER else None
    ends = _RANGE.fullmatch(value)
    if ends is not None:
        low, high = (parse_port(end) for end in ends.groups())
        if isinstance(low, int) and isinstance(high, int) and low <= high:
            return (low, high)
        return None
    return value if is_port_name(value) else None


def parse_protocol(value: str | int, *, any_case: bool = False) -> Protocol | None:
    """Return a protocol as the API reads it, or None when it is none.

    Args:
        value: A name or a number, also as text.
        any_case: Whether names may be written in any case, as in the backing store.

    >>> parse_protocol("47"), parse_protocol("tcp"), parse_protocol("tcp", any_case=True)
    (47, None, 'TCP')
    """
    if isinstance(value, int):
        return value if 1 <= value <= MAX_PROTOCOL else None
    if _digits(value):
        return parse_protocol(int(value)) if len(value) <= _LONGEST_NUMBER else None
    if any_case:
        return _BY_LOWER.get(value.lower())
    return value if value in PROTOCOL_NAMES else None


def has_ports(protocol: Protocol) -> bool:
    """Return whether rules for a protocol may name ports."""
    return protocol in _WITH_PORTS


@dataclass(frozen=True, slots=True)
class Block:
    """A block of addresses as Go reads it, of one family.

    Args:
        network: The block, bits beyond its prefix cleared.
        host_bits: Whether such bits were set.
    """

    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    host_bits: bool

    @property
    def is_v4(self) -> bool:
        """Whether it matches IPv4 packets."""
        return self.network.version == _V4

    @property
    def addresses(self) -> AddressSet:
        """The addresses it matches."""
        return AddressSet.block(str(self.network))


def parse_block(text: str) -> Block | None:
    """Return a block of addresses, or a bare address as the block of itself; None when neither.

    >>> str(parse_block("10.0.0.1").network), parse_block("10.0.0.1/24").host_bits
    ('10.0.0.1/32', True)
    """
    address, slash, prefix = text.partition("/")
    # Python takes masks and zones, too.
    if "%" in address or (slash and not _digits(prefix)):
        return None
    try:
        found = ipaddress.ip_interface(text)
    except ValueError:
        return None
    return Block(found.network, found.ip != found.network.network_address)


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
