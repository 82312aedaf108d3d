"""The traffic of a rule: protocols, ICMP messages, ports by number and by name."""

from collections.abc import Iterable

from cloison.algebra import ANY, NO_TRAFFIC, PORT_PROTOCOLS, TrafficSet
from cloison.dialects.calico.model import Icmp, Port, Protocol, Rule
from cloison.ir.policy import NamedPort, TrafficMatch

_NUMBERS = {"ICMP": 1, "TCP": 6, "UDP": 17, "ICMPv6": 58, "SCTP": 132, "UDPLite": 136}
_ICMP_V6 = 58
_V6 = 6


def protocol_number(protocol: Protocol) -> int:
    """Return the number of a protocol."""
    if isinstance(protocol, int):
        return protocol
    return int(protocol) if protocol.isdecimal() else _NUMBERS[protocol]


def protocols(rule: Rule) -> TrafficSet:
    """Return the protocols and ICMP messages a rule is about, all of them when it says nothing."""
    found = ANY
    number = None
    if rule.protocol is not None:
        number = protocol_number(rule.protocol)
        found = TrafficSet.protocol(number)
    if rule.not_protocol is not None:
        found -= TrafficSet.protocol(protocol_number(rule.not_protocol))
    version = _V6 if number == _ICMP_V6 or rule.ip_version == _V6 else 4
    if rule.icmp is not None:
        found &= _messages(rule.icmp, version)
    if rule.not_icmp is not None and rule.not_icmp.type is not None:
        found -= _messages(rule.not_icmp, version)
    return found


def _messages(icmp: Icmp, version: int) -> TrafficSet:
    return TrafficSet.icmp(icmp.type, icmp.code, version)


def traffic(rule: Rule) -> TrafficMatch:
    """Return the traffic that a rule matches by protocol and destination port."""
    about = protocols(rule)
    ports, not_ports = rule.destination.ports, rule.destination.not_ports
    must, named = (numbers(ports, about), names(ports, about)) if ports else (about, ())
    left = numbers(not_ports, about)
    without = left if named else NO_TRAFFIC
    return TrafficMatch(must - left, named=named, excepted=names(not_ports, about), without=without)


def sources(rule: Rule) -> TrafficSet | None:
    """Return the source ports a rule asks for, by number; None when it asks for none."""
    ports, not_ports = rule.source.ports, rule.source.not_ports
    if not ports and not not_ports:
        return None
    about = protocols(rule)
    found = numbers(ports, about) if ports else about
    return found - numbers(not_ports, about)


def source_names(rule: Rule) -> tuple[str, ...]:
    """Return the source ports a rule asks for, or excepts, by name."""
    ports = (*rule.source.ports, *rule.source.not_ports)
    return tuple(dict.fromkeys(port for port in ports if isinstance(port, str)))


def numbers(ports: Iterable[Port], about: TrafficSet) -> TrafficSet:
    """Return those of some traffic that goes to numbered ports."""
    found = NO_TRAFFIC
    for port in ports:
        if isinstance(port, str):
            continue
        low, high = port if isinstance(port, tuple) else (port, port)
        for protocol in PORT_PROTOCOLS:
            found |= TrafficSet.ports(protocol, low, high)
    return found & about


def names(ports: Iterable[Port], about: TrafficSet) -> tuple[NamedPort, ...]:
    """Return ports by name, of the protocols that some traffic is of."""
    mine = [each for each in PORT_PROTOCOLS if TrafficSet.protocol(each) <= about]
    every = len(mine) == len(PORT_PROTOCOLS)
    found = [
        NamedPort(port, protocol)
        for port in ports
        if isinstance(port, str)
        for protocol in ([None] if every else mine)
    ]
    return tuple(dict.fromkeys(found))
