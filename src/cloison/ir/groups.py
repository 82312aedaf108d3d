"""Address groups in rules that go by port name: what a name is where no pod declares it."""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cloison.algebra import AddressSet, TrafficSet, address_text
from cloison.ir.peers import (
    AllOf,
    AnyMatch,
    AnyOf,
    BlockMatch,
    GroupsMatch,
    PeerMatch,
    UnknownMatch,
)
from cloison.ir.policy import AddressGroup, Direction, NamedPort, Peer, Policy, Rule, TrafficMatch


def exactly(addresses: AddressSet) -> tuple[BlockMatch, ...]:
    """Return blocks that hold these addresses and no other.

    >>> [each.cidr for each in exactly(AddressSet.block("192.0.2.7"))]
    ['192.0.2.7/32']
    """
    found = []
    for low, high in addresses.spans:
        first, last = (ipaddress.ip_address(address_text(point)) for point in (low, high))
        found += [str(each) for each in ipaddress.summarize_address_range(first, last)]
    return tuple(BlockMatch(AddressSet.block(text), text) for text in found)


@dataclass(frozen=True, slots=True)
class Declared:
    """A port that has one name at the addresses of some groups.

    Args:
        name: The name.
        traffic: The port.
        groups: The groups.
        everywhere: Their addresses, as a match.
    """

    name: str
    traffic: TrafficSet
    groups: tuple[AddressGroup, ...]
    everywhere: PeerMatch

    def meant(self, named: NamedPort) -> bool:
        """Return whether a rule means it by a port name."""
        protocol = named.protocol
        return named.name == self.name and (
            protocol is None or self.traffic <= TrafficSet.protocol(protocol)
        )

    def among(self, peers: Iterable[Peer]) -> tuple[Peer, ...]:
        """Return where peers of a rule find it by its name.

        That is where they go by no selector, or theirs matches the group.
        """
        found = ((peer, self._there(peer.match)) for peer in peers)
        return tuple(replace(peer, match=match) for peer, match in found if match is not None)

    def _there(self, match: PeerMatch) -> PeerMatch | None:
        if isinstance(match, AnyMatch):
            return self.everywhere
        if isinstance(match, UnknownMatch):
            return AllOf((match, self.everywhere))
        if isinstance(match, BlockMatch):
            addresses = _union(self.groups)
            if match.addresses.isdisjoint(addresses):
                return None
            plain = match.caveat is None and addresses <= match.addresses
            return self.everywhere if plain else AllOf((match, self.everywhere))
        held = _apart(match)[1]
        found = [g for g in self.groups if any(each.labels.matches(g.labels) for each in held)]
        return _at(found) if found else None


def declared(groups: Iterable[AddressGroup]) -> tuple[Declared, ...]:
    """Return the ports that have names at addresses of groups, by name and number."""
    found: dict[tuple[str, TrafficSet], list[AddressGroup]] = {}
    for group in groups:
        for port in group.ports if group.addresses else ():
            found.setdefault(port, []).append(group)
    ports = sorted(found.items(), key=lambda item: (item[0][0], item[0][1].spans))
    return tuple(Declared(*port, tuple(held), _at(held)) for port, held in ports)


def with_port_names(policy: Policy, ports: Sequence[Declared]) -> Policy:
    """Return a policy whose port names are looked up at addresses of groups, too.

    That is for an enforcer which keeps one set of addresses and ports behind a name: of every
    endpoint where the peer goes by addresses or is everybody, and otherwise of endpoints that the
    peer's selectors match. It gives no number to what is matched as the address of a group only.

    Args:
        policy: A policy, in whose language groups declare no ports.
        ports: What groups declare.

    Returns:
        The policy; where groups matter to a rule, several rules stand for it, one after another.
    """
    if not any(map(_by_name, policy.rules)):
        return policy
    rules = tuple(each for rule in policy.rules for each in _looked_up(rule, ports))
    return policy if rules == policy.rules else replace(policy, rules=rules)


def named_there(rule: Rule, name: NamedPort, groups: Iterable[AddressGroup]) -> bool:
    """Return whether a port name of a rule is a number at addresses of some group."""
    return rule.direction is Direction.EGRESS and any(
        each.meant(name) and each.among(rule.peers) for each in declared(groups)
    )


def _by_name(rule: Rule) -> bool:
    """Whether it is about port names on its peers."""
    return rule.direction is Direction.EGRESS and bool(rule.traffic.named)


def _looked_up(rule: Rule, ports: Sequence[Declared]) -> Iterator[Rule]:
    if not _by_name(rule):
        yield rule
        return
    apart = [(peer, *_apart(peer.match)) for peer in rule.peers]
    if any(held for _, _, held in apart):
        pods = (replace(peer, match=rest) for peer, rest, _ in apart if rest is not None)
        yield replace(rule, peers=tuple(pods))
        numbers = replace(rule.traffic, named=())
        if numbers.must or numbers.may:
            held = (replace(peer, match=each) for peer, _, found in apart for each in found)
            yield replace(rule, peers=tuple(held), traffic=numbers)
    else:
        yield rule
    for each in ports:
        there = each.among(rule.peers) if any(map(each.meant, rule.traffic.named)) else ()
        if there:
            yield replace(rule, peers=there, traffic=TrafficMatch(each.traffic))


def _apart(match: PeerMatch) -> tuple[PeerMatch | None, tuple[GroupsMatch, ...]]:
    """Return whom a match finds otherwise than as addresses of groups, and those groups."""
    if isinstance(match, GroupsMatch):
        return None, (match,)
    if not isinstance(match, AnyOf):
        return match, ()
    held = tuple(each for each in match.matches if isinstance(each, GroupsMatch))
    if not held:
        return match, ()
    rest = tuple(each for each in match.matches if not isinstance(each, GroupsMatch))
    return rest[0] if len(rest) == 1 else AnyOf(rest) if rest else None, held


def _at(groups: Iterable[AddressGroup]) -> PeerMatch:
    """Return who has an address of some groups."""
    blocks = exactly(_union(groups))
    return blocks[0] if len(blocks) == 1 else AnyOf(blocks)


def _union(groups: Iterable[AddressGroup]) -> AddressSet:
    return AddressSet(span for group in groups for span in group.addresses.spans)
