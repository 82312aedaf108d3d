"""What traffic an element of a policy is about: ports by number and by name, types of ICMP.

Source: cilium/cilium pkg/policy/api/l4.go, icmp.go, pkg/policy/l4.go, pkg/types/portmap.go.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cloison.algebra import MAX_PORT, NO_TRAFFIC, PORT_PROTOCOLS, TrafficSet
from cloison.dialects.cilium import caveats
from cloison.dialects.cilium.cluster import Cluster
from cloison.dialects.cilium.model_rules import Icmp, Port
from cloison.ir.fidelity import Caveat
from cloison.ir.policy import Direction, NamedPort, TrafficMatch

_PORTLESS = {"VRRP": 112, "IGMP": 2}
_NAMES_PER_PEER = (1, 20)
"""Since when a port name means on each destination what that declares."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Traffic that goes to some ports.

    Args:
        traffic: The traffic.
        unclear: Traffic that may be meant besides.
        caveats: What an answer that rests on it carries.
    """

    traffic: TrafficMatch
    unclear: TrafficSet = NO_TRAFFIC
    caveats: tuple[Caveat, ...] = ()


def of_ports(ports: Sequence[Port], direction: Direction, cluster: Cluster) -> Ports:
    """Return the traffic to some ports; without any, none."""
    must, may = NO_TRAFFIC, NO_TRAFFIC
    named: list[NamedPort] = []
    said: list[Caveat] = []
    for port in ports:
        if port.port and not port.port.isdecimal():
            names = [NamedPort(port.port, each) for each in _protocols(port)]
            if direction is Direction.INGRESS or cluster.switches.version >= _NAMES_PER_PEER:
                named += names
            else:
                must |= _in_table(names, cluster)
                said.append(caveats.PORT_NAME_TABLE)
            continue
        sure, unsure = _numbered(port)
        must |= sure
        may |= unsure
    match = TrafficMatch(must, named=tuple(dict.fromkeys(named)))
    return Ports(match, may - must, tuple(dict.fromkeys(said)))


def of_messages(icmps: Iterable[Icmp]) -> Ports:
    """Return ICMP messages of some types, whatever their codes."""
    found = NO_TRAFFIC
    for each in icmps:
        found |= TrafficSet.icmp(each.type, version=each.family)
    return Ports(TrafficMatch(found))


def _protocols(port: Port) -> tuple[str, ...]:
    return PORT_PROTOCOLS if port.protocol == "ANY" else (port.protocol,)


def _numbered(port: Port) -> tuple[TrafficSet, TrafficSet]:
    """Return the traffic to a port by number that is surely meant, and what may be besides."""
    sure, unsure = NO_TRAFFIC, NO_TRAFFIC
    first = int(port.port or 0)
    for name in _protocols(port):
        if name in _PORTLESS:
            sure |= TrafficSet.protocol(_PORTLESS[name])
        elif first == 0:
            # Every port; beside an end, perhaps those up to it.
            every = TrafficSet.protocol(name)
            partial = port.end not in (None, 0, MAX_PORT)
            meant = TrafficSet.ports(name, 1, port.end) if partial else every
            sure |= meant
            unsure |= every - meant
        elif port.end is not None and 0 < port.end < first:
            unsure |= TrafficSet.ports(name, first)
        else:
            sure |= TrafficSet.ports(name, first, port.end or None)
    return sure, unsure


def _in_table(names: Iterable[NamedPort], cluster: Cluster) -> TrafficSet:
    """Return what names mean in the one table of all pods: nothing, where they differ."""
    found = NO_TRAFFIC
    for name in names:
        numbers = cluster.port_names.get((name.name, name.protocol or ""), frozenset())
        if len(numbers) == 1:
            found |= TrafficSet.ports(name.protocol or "", min(numbers))
    return found
