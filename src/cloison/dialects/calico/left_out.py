"""Ports that a rule leaves out by a name that host endpoints give: they are cut out by address.

The engine looks names up on pods. A host endpoint is known to rules by its addresses, so a rule
that is about all of these comes apart: one for everybody else, and one for each set of addresses
at which the same ports are left out.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cloison.algebra import NO_TRAFFIC, AddressSet, TrafficSet
from cloison.dialects.calico.entities import ANYBODY, Choice, one, together
from cloison.ir.groups import exactly
from cloison.ir.peers import NoneOf
from cloison.ir.policy import AddressGroup, Direction, NamedPort, Rule, TrafficMatch


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a rule is not about at some addresses.

    Args:
        addresses: The addresses.
        traffic: What is left out there.
    """

    addresses: AddressSet
    traffic: TrafficSet


def left_out(names: Iterable[NamedPort], hosts: Iterable[AddressGroup]) -> tuple[LeftOut, ...]:
    """Return what names leave out at the addresses of hosts; none of these has two entries.

    Args:
        names: Port names that a rule leaves out.
        hosts: The hosts on which they are looked up.
    """
    excepted = tuple(names)
    found: list[LeftOut] = []
    for host in hosts:
        ports = [port for name, port in host.ports if any(each.name == name for each in excepted)]
        here = NO_TRAFFIC
        for port in ports:
            here |= port
        if here and host.addresses:
            found = list(_joined(found, LeftOut(host.addresses, here)))
    return tuple(found)


def _joined(found: Iterable[LeftOut], new: LeftOut) -> Iterator[LeftOut]:
    alone = new.addresses
    for each in found:
        both, rest = each.addresses & new.addresses, each.addresses - new.addresses
        alone -= each.addresses
        if both:
            yield LeftOut(both, each.traffic | new.traffic)
        if rest:
            yield replace(each, addresses=rest)
    if alone:
        yield replace(new, addresses=alone)


def without(rule: Rule, left: Sequence[LeftOut]) -> Iterator[Rule]:
    """Yield rules that stand for one, less what is left out by address.

    Args:
        rule: The rule.
        left: What it is not about, at whose addresses.
    """
    if not left:
        yield rule
        return
    blocks = exactly(AddressSet(span for each in left for span in each.addresses.spans))
    yield _towards(rule, (NoneOf(blocks),))
    for each in left:
        traffic = _less(rule.traffic, each.traffic)
        if traffic.must or traffic.may or traffic.named:
            yield replace(_towards(rule, exactly(each.addresses)), traffic=traffic)


def _towards(rule: Rule, choice: Choice) -> Rule:
    """Return a rule for those of its destinations that are among a choice."""
    if rule.direction is Direction.INGRESS:
        here = choice if rule.subjects is None else together([rule.subjects, choice])
        return replace(rule, subjects=here)
    peers = (
        replace(peer, match=one(choice if parts == ANYBODY else together([parts, choice])))
        for peer in rule.peers
        for parts in [(peer.match,)]
    )
    return replace(rule, peers=tuple(peers))


def _less(match: TrafficMatch, left: TrafficSet) -> TrafficMatch:
    return TrafficMatch(
        match.must - left, match.may - left, match.named, match.excepted, match.without | left
    )
