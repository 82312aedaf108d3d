"""Rules without ports that also cover the resolver, beside rules about the names it is asked for.

Whether such a rule lets every name through is not confirmed (`cilium.U3`), so what it does there
is apart from what it does otherwise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.dialects.cilium import caveats
from cloison.dialects.cilium.l7 import Condition
from cloison.dialects.cilium.near import Near, both
from cloison.dialects.cilium.rules import every_port
from cloison.dialects.cilium.switches import U3
from cloison.ir.names import NamePattern
from cloison.ir.peers import (
    AllOf,
    AnyMatch,
    NamesMatch,
    NodesMatch,
    NoneOf,
    PeerMatch,
    PodsMatch,
    RelativeMatch,
)
from cloison.ir.policy import Action, Direction, Peer, Policy, Rule, TrafficMatch

_RELAXED = "a rule without ports lets every name through"


@dataclass(frozen=True, slots=True)
class Limit:
    """A rule about names that may be looked up.

    Args:
        subjects: Whom it is about, any of these.
        nodes: The nodes it is about.
        peers: The resolvers.
        traffic: What goes to them.
        names: The names.
    """

    subjects: tuple[PodsMatch, ...]
    nodes: frozenset[str]
    peers: tuple[PeerMatch, ...]
    traffic: TrafficSet
    names: tuple[NamePattern, ...]


def limits(policies: Sequence[Policy]) -> Near[Limit]:
    """Return the rules of policies about names that may be looked up."""
    found = []
    for policy in policies:
        for rule in policy.rules_for(Direction.EGRESS):
            asked = rule.request
            names = asked.names if isinstance(asked, Condition) else None
            if names is not None and rule.action is Action.ALLOW and rule.peers:
                matches = tuple(peer.match for peer in rule.peers)
                traffic = rule.traffic.must | rule.traffic.may
                found.append(Limit(policy.subjects, policy.nodes, matches, traffic, names))
    return Near(found)


def beside_limits(policy: Policy, known: Near[Limit], u3: U3 | None) -> Policy:
    """Return a policy with what is not confirmed of it apart."""
    if u3 is U3.RELAXES or not any(map(_wide, policy.rules)):
        return policy
    mine = known.to(policy)
    rules = tuple(each for rule in policy.rules for each in _apart(rule, policy, mine, u3))
    return policy if rules == policy.rules else replace(policy, rules=rules)


def _wide(rule: Rule) -> bool:
    """Whether it lets all traffic with its peers out."""
    outward = rule.direction is Direction.EGRESS and rule.action is Action.ALLOW
    return outward and every_port(rule) and bool(rule.peers)


def _apart(rule: Rule, policy: Policy, mine: Sequence[Limit], u3: U3 | None) -> Iterator[Rule]:
    near = [each for each in mine if _wide(rule) and _about(rule.peers, each.peers)]
    limited = NO_TRAFFIC
    for each in near:
        limited |= each.traffic
    if not limited:
        yield rule
        return
    rest = replace(rule.traffic, must=rule.traffic.must - limited, may=rule.traffic.may - limited)
    yield replace(rule, traffic=rest)
    for traffic, there in _parts(limited, near):
        yield from _limited(rule, policy, traffic, there, u3)


def _parts(
    limited: TrafficSet, near: Sequence[Limit]
) -> Iterator[tuple[TrafficSet, Sequence[Limit]]]:
    """Yield parts of some traffic with the limits of it; all at once where they are too many."""
    parts = [limited]
    for by in {each.traffic for each in near}:
        parts = [half for part in parts for half in (part & by, part - by) if half]
        if len(parts) > _MOST_PARTS:
            parts = [limited]
            break
    for part in sorted(parts, key=lambda each: each.spans):
        yield part, [each for each in near if not each.traffic.isdisjoint(part)]


_MOST_PARTS = 16


def _limited(
    rule: Rule, policy: Policy, traffic: TrafficSet, near: Sequence[Limit], u3: U3 | None
) -> Iterator[Rule]:
    """Yield what a rule is on traffic of which some limits are."""
    there = TrafficMatch(traffic)
    resolvers = tuple(match for each in near for match in each.peers)
    under = tuple(match for each in near for match in each.subjects)
    yield replace(rule, traffic=there, peers=_without(rule.peers, resolvers))
    if not set(policy.subjects) <= set(under) and not policy.nodes:
        yield replace(rule, traffic=there, subjects=(NoneOf(under),))
    names = tuple(_everywhere(near))
    if names:
        # Whether or not one of them is about the peer, these names pass.
        yield replace(rule, traffic=there, request=Condition(names=names))
    if u3 is None:
        said = (*rule.caveats, caveats.L3_RELAXES_DNS)
        yield replace(rule, traffic=there, condition=_RELAXED, caveats=said)


def _everywhere(near: Sequence[Limit]) -> Iterator[NamePattern]:
    """Yield names that all of some rules let be looked up."""
    first, *others = near
    for name in first.names:
        if all(any(each.holds(name) for each in other.names) for other in others):
            yield name


def _about(peers: Sequence[Peer], resolvers: Sequence[PeerMatch]) -> bool:
    return any(_meet(peer.match, each) for peer in peers for each in resolvers)


def _meet(one: PeerMatch, other: PeerMatch) -> bool:
    """Whether two matches may find the same end, as far as that is plain."""
    if isinstance(one, PodsMatch) and isinstance(other, PodsMatch):
        return both(one, other) is not None
    if isinstance(one, PodsMatch):
        return not isinstance(other, _NO_PODS)
    return not (isinstance(other, PodsMatch) and isinstance(one, _NO_PODS))


_NO_PODS = (NamesMatch, NodesMatch, RelativeMatch)


def _without(peers: Sequence[Peer], resolvers: tuple[PeerMatch, ...]) -> tuple[Peer, ...]:
    """Return those of some peers that are no resolver."""
    rest = NoneOf(resolvers)
    return tuple(
        replace(p, match=rest if isinstance(p.match, AnyMatch) else AllOf((p.match, rest)))
        for p in peers
    )
