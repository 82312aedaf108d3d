"""Questions about traffic between two ends, and the flows they stand for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from cloison.algebra import (
    L4,
    MAX_PORT,
    NO_TRAFFIC,
    PORT_PROTOCOLS,
    PROTOCOLS,
    TrafficSet,
    family_of,
    protocol_number,
)
from cloison.analyses.ends import (
    AddressEnd,
    End,
    NameEnd,
    NodeEnd,
    PodsEnd,
    SomeNodeEnd,
)
from cloison.analyses.parties import Party, parties
from cloison.base import QuestionError
from cloison.engine import Engine, UnitKind
from cloison.engine.related import (
    HOSTS,
    ON_ONE_NODE,
    ON_OTHER_NODES,
    ON_UNKNOWN_NODES,
    UNRELATED,
    Relations,
)
from cloison.ir.peers import Relative
from cloison.ir.profile import Profile
from cloison.resources.names import shown


class State(StrEnum):
    """What a packet is to its connection."""

    NEW = "new"
    REPLY = "reply"
    """Travels back on a connection that the question's source opened."""
    ESTABLISHED = "established"
    """Opened before the policies or labels were what they are now."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """The traffic a question is about.

    Args:
        text: As asked, or None for everything.
        traffic: What is meant; empty when a port is given by name.
        name: A port by name, looked up on each destination.
        protocol: The protocol the name must be declared with; None accepts any.
    """

    text: str | None
    traffic: TrafficSet
    name: str | None = None
    protocol: str | None = None


EVERYTHING = Traffic(None, L4)
"""A question without a port is about every port of TCP, UDP and SCTP."""

_PROTO = "proto"
_NOT_A_BYTE = 256
_DIGITS = 5
"""Digits of the largest port."""
_NAME_MOST = 15
"""Characters of a port's name."""
_HELP = "write DST:8080, DST:8080/UDP, DST:http or DST:icmp"


def split_port(text: str) -> tuple[str, str | None]:
    """Split a destination into its end and what follows the last colon that starts a port.

    >>> split_port("web/api:8080/UDP")
    ('web/api', '8080/UDP')
    >>> split_port("[2001:db8::1]:443"), split_port("2001:db8::1"), split_port("node:n1")
    (('2001:db8::1', '443'), ('2001:db8::1', None), ('node:n1', None))
    >>> split_port("reserved:ingress"), split_port("reserved:health@n1:4240")
    (('reserved:ingress', None), ('reserved:health@n1', '4240'))
    """
    bracketed = re.fullmatch(r"\[([^\]]+)\](?::(.+))?", text)
    if bracketed:
        return bracketed[1], bracketed[2]
    prefix = re.match(r"(node|svc|gw|dns|any|reserved):", text)
    head, rest = (prefix[0], text[prefix.end() :]) if prefix else ("", text)
    if rest.count(":") > 1:
        return text, None
    end, colon, port = rest.rpartition(":")
    return (head + end, port) if colon else (text, None)


def parse_traffic(port: str | None, protocol: str | None = None) -> Traffic:
    """Read a port and protocol, together (`8080/UDP`) or apart.

    Types of ICMP, and codes, are told with it: `icmp/8/0`; a protocol without ports is `proto/47`.

    Raises:
        QuestionError: not a port, name or protocol.
    """
    if port is None:
        if protocol is None:
            return EVERYTHING
        if protocol.lower().startswith(("icmp/", "icmpv6/")):
            return _icmp(protocol)
        return Traffic(protocol.upper(), TrafficSet.protocol(_protocol(protocol)))
    number, _, said = port.partition("/")
    said = said or protocol or ""
    if number.lower() in ("icmp", "icmpv6"):
        return _icmp(port)
    name = _known(said) if said else "TCP"
    if number.lower() == _PROTO and name not in PORT_PROTOCOLS:
        return Traffic(f"{_PROTO}/{name}", TrafficSet.protocol(_protocol(said)))
    span = re.fullmatch(r"([0-9]{1,5})-([0-9]{1,5})", number)
    single = number.isascii() and number.isdecimal()
    if (single or span) and name not in PORT_PROTOCOLS:
        msg = f"{name} has no ports"
        raise QuestionError(msg, _HELP)
    if single:
        if len(number.lstrip("0")) > _DIGITS or not 1 <= int(number) <= MAX_PORT:
            msg = f"port {shown(number)} is not between 1 and {MAX_PORT}"
            raise QuestionError(msg, _HELP)
        return Traffic(f"{name}/{number}", TrafficSet.ports(name, int(number)))
    if span and 1 <= int(span[1]) <= int(span[2]) <= MAX_PORT:
        traffic = TrafficSet.ports(name, int(span[1]), int(span[2]))
        return Traffic(f"{name}/{number}", traffic)
    if not re.fullmatch(r"(?=.*[a-z])[a-z0-9](-?[a-z0-9])*", number) or len(number) > _NAME_MOST:
        msg = f"{number!r} is neither a port nor a port's name"
        raise QuestionError(msg, _HELP)
    return Traffic(f"{said + '/' if said else ''}{number}", NO_TRAFFIC, number, name)


def _icmp(port: str) -> Traffic:
    version = 6 if port.lower().startswith("icmpv6") else 4
    parts = re.fullmatch(r"icmp(?:v6)?(?:/([0-9]{1,3})(?:/([0-9]{1,3}))?)?", port.lower())
    values = [int(n) for n in parts.groups() if n is not None] if parts else [_NOT_A_BYTE]
    if any(value >= _NOT_A_BYTE for value in values):
        msg = f"{port!r} is not an ICMP type and code"
        raise QuestionError(msg, "write icmp, icmp/8 or icmp/8/0")
    type_, code = (*values, None, None)[:2]
    return Traffic(port.lower(), TrafficSet.icmp(type_, code, version))


def _protocol(text: str) -> int:
    try:
        return protocol_number(text)
    except KeyError:
        msg = f"{text!r} is not a protocol"
        raise QuestionError(msg, "TCP, UDP, SCTP, ICMP, ICMPv6 or a number to 255") from None


def _known(text: str) -> str:
    number = _protocol(text)
    names = {value: name for name, value in PROTOCOLS.items()}
    return names.get(number, text.upper())


@dataclass(frozen=True, slots=True)
class Case:
    """Flows that cannot differ in verdict but by their traffic.

    Args:
        source: Who connects.
        destination: Who listens.
        out_of: How the destination stands to the source.
        into: How the source stands to the destination.
        traffic: What is asked of this pair.
        foreign: The ends share no address family.
        family: The address family of the flows, where it is known.
    """

    source: Party
    destination: Party
    out_of: Relations
    into: Relations
    traffic: TrafficSet
    foreign: bool = False
    family: int | None = None


def cases(
    engine: Engine,
    source: End,
    destination: End,
    traffic: Traffic,
    family: int | None = None,
    *,
    returned: bool = False,
) -> Iterator[Case]:
    """Iterate over the cases a question stands for, in a stable order.

    Args:
        engine: Whose world; with units of the names that are asked about.
        source: Who connects.
        destination: Who listens.
        traffic: What is asked.
        family: The address family of the flows, where it is known.
        returned: Whether what a pod sends to itself takes the way through a Service.

    Raises:
        QuestionError: a port name that no destination declares.
    """
    if isinstance(source, NameEnd) or (isinstance(source, AddressEnd) and source.name is not None):
        msg = f"{source.text} is a name to connect to; who connects has an address"
        raise QuestionError(msg, "ask about the address, or the other way round")
    for end in (source, destination):
        if family is None and isinstance(end, PodsEnd | NodeEnd):
            family = end.family
    sources = list(parties(engine, source))
    if isinstance(destination, AddressEnd) and destination.own_node:
        yield from _to_own_nodes(engine, sources, destination, traffic, family)
        return
    tos = list(parties(engine, destination, named=traffic.name is not None))
    if traffic.name is not None and tos and not any(_traffic(traffic, to) for to, _ in tos):
        _no_such_name(traffic, tos)
    both = isinstance(source, PodsEnd) and isinstance(destination, PodsEnd)
    itself = _one_and_the_same(source, destination)
    pairs = [(f, t) for f in sources for t in tos if _meet(engine, f[0], t[0], family)]
    if both and not itself:
        pairs = [pair for pair in pairs if not _one_pod(engine, *pair)] or pairs
    foreign = not pairs
    if foreign and family is not None and sources and tos:
        msg = f"{source.text} and {destination.text} do not both have IPv{family} addresses"
        raise QuestionError(msg, "ask about the other family, or about both")
    for (party, ours), (other, theirs) in pairs or [(f, t) for f in sources for t in tos]:
        asked = _traffic(traffic, other)
        if not asked and traffic.name is not None:
            continue
        if itself:
            relations = _RETURNED if returned else _SELF
            yield Case(party, other, relations, relations, asked)
            continue
        ways = _relations(engine, (party, ours), (other, theirs))
        if isinstance(source, SomeNodeEnd):
            ways = _passed_on(engine, source, party, (other, theirs))
        for relations, one, two in ways:
            known = family or _family(engine, one, two)
            yield Case(one, two, relations, relations, asked, foreign, known)


def _to_own_nodes(
    engine: Engine,
    sources: list[tuple[Party, tuple[int, ...]]],
    end: AddressEnd,
    traffic: Traffic,
    family: int | None,
) -> Iterator[Case]:
    """Yield the cases of what ends at the node of whoever sends it."""
    to = Party(-1, end.text)
    if traffic.name is not None:
        _no_such_name(traffic, [(to, ())])
    pairs = [
        (example, replace(to, unit=unit), relations)
        for party, members in sources
        for example, node in _nodes(engine, party, members)
        for unit, relations in own_node(engine, end, node)
    ]
    met = [pair for pair in pairs if _meet(engine, *pair[:2], family)]
    for one, other, relations in met or pairs:
        known = family or _family(engine, one, other)
        yield Case(one, other, relations, relations, traffic.traffic, not met, known)


def as_node(profile: Profile) -> bool:
    """Return whether an address that a pod's own node has is the node to who enforces."""
    return profile.own_node_whole and not profile.block_matches_nodes


def own_node(engine: Engine, end: AddressEnd, node: str | None) -> Iterator[tuple[int, Relations]]:
    """Yield what an address that nodes have themselves is to who enforces, and to a pod.

    To most it is an address, whoever has it. Those whose blocks match no nodes take it for the
    node; that is what they make of every address that an interface of the node has.

    Args:
        engine: Who decides.
        end: The addresses.
        node: The node that a pod runs on, where it is known.
    """
    table = engine.table
    relations = ON_ONE_NODE if engine.profile.own_node_whole else UNRELATED
    if as_node(engine.profile):
        families = {0, *(family_of(low) for low, _ in end.addresses.spans)}
        units = table.by_node.get(node or "", ())
        for unit in [u for u in units if table.units[u].family in families] or [table.some_node]:
            yield unit, relations
        return
    for unit in table.external_range(end.addresses):
        yield unit, relations


def _one_and_the_same(source: End, destination: End) -> bool:
    """Whether both ends are one single pod."""
    return (
        isinstance(source, PodsEnd)
        and isinstance(destination, PodsEnd)
        and source.single
        and destination.single
        and source.endpoints == destination.endpoints
    )


def _one_pod(
    engine: Engine, one: tuple[Party, tuple[int, ...]], two: tuple[Party, tuple[int, ...]]
) -> bool:
    """Whether two sides are one live pod, which is no connection between replicas."""
    (_, ours), (_, theirs) = one, two
    alone = len(ours) == 1 and ours == theirs
    return alone and engine.table.endpoints[ours[0]].pod is not None


_SELF = Relations(frozenset({Relative.SELF, Relative.OWN_NODE}))
_RETURNED = Relations(frozenset({Relative.RETURNED, Relative.OWN_NODE}))
"""On its node's network, a pod is also its own node."""


def _family(engine: Engine, one: Party, two: Party) -> int | None:
    """Return the family of what two sides exchange, if either's is known and they agree."""
    families = {engine.table.units[p.unit].family for p in (one, two)} - {0}
    return families.pop() if len(families) == 1 else None


def _meet(engine: Engine, one: Party, other: Party, family: int | None) -> bool:
    families = {engine.table.units[p.unit].family for p in (one, other)} - {0}
    if family is not None:
        return families <= {family}
    return len(families) <= 1


def _traffic(traffic: Traffic, to: Party) -> TrafficSet:
    if traffic.name is None:
        return traffic.traffic
    found = NO_TRAFFIC
    for port in to.endpoint.ports if to.endpoint else ():
        if port.name == traffic.name and port.protocol == traffic.protocol:
            found |= TrafficSet.ports(port.protocol, port.number)
    return found


def _no_such_name(traffic: Traffic, tos: list[tuple[Party, tuple[int, ...]]]) -> None:
    party = tos[0][0]
    ports = party.endpoint.ports if party.endpoint else ()
    names = sorted({f"{p.name} ({p.protocol}/{p.number})" for p in ports if p.name})
    msg = f"{party.text} declares no {traffic.protocol} port named {traffic.name!r}"
    raise QuestionError(msg, f"it declares {', '.join(names)}" if names else _HELP)


def _relations(
    engine: Engine, one: tuple[Party, tuple[int, ...]], two: tuple[Party, tuple[int, ...]]
) -> Iterator[tuple[Relations, Party, Party]]:
    """Iterate over the ways the two sides can stand to each other.

    Only a node, or a pod on its node's network, can be a pod's own node, or have own pods.
    """
    (source, ours), (destination, theirs) = one, two
    ends = (source.unit, destination.unit)
    on_host = [engine.table.units[unit].kind in HOSTS for unit in ends]
    free = all(on_host) and not any(unit in engine.governed for unit in ends)
    if free or not any(on_host) or engine.table.some_node in ends:
        yield UNRELATED, source, destination
        return
    seen: set[Relations] = set()
    for left, left_node in _nodes(engine, source, ours):
        for right, right_node in _nodes(engine, destination, theirs):
            relations = ON_ONE_NODE if left_node == right_node else ON_OTHER_NODES
            if left_node is None or right_node is None:
                relations = ON_UNKNOWN_NODES
            if relations not in seen:
                seen.add(relations)
                yield relations, left, right


def _passed_on(
    engine: Engine, source: SomeNodeEnd, party: Party, to: tuple[Party, tuple[int, ...]]
) -> Iterator[tuple[Relations, Party, Party]]:
    """Iterate over the ways a node that passes something on can stand to who gets it.

    That any node may be a pod's own says nothing; that a known one is does.
    """
    other, members = to
    if source.node is None or engine.table.units[other.unit].kind is not UnitKind.POD:
        yield UNRELATED, party, other
        return
    elsewhere = UNRELATED if party.unit == engine.table.some_node else ON_OTHER_NODES
    seen: set[Relations] = set()
    for example, node in _nodes(engine, other, members):
        relations = ON_ONE_NODE if node == source.node else elsewhere
        if node is None:
            relations = ON_UNKNOWN_NODES
        if relations not in seen:
            seen.add(relations)
            yield relations, party, example


def _nodes(
    engine: Engine, party: Party, members: tuple[int, ...]
) -> Iterator[tuple[Party, str | None]]:
    unit = engine.table.units[party.unit]
    if unit.kind is UnitKind.NODE:
        yield party, unit.node
        return
    if not members:
        yield party, None
    seen: set[str | None] = set()
    for index in members:
        endpoint = engine.table.endpoints[index]
        if endpoint.shape.node not in seen:
            seen.add(endpoint.shape.node)
            yield Party(party.unit, endpoint.name, endpoint), endpoint.shape.node
