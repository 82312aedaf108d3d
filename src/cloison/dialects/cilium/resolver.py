"""Rules without ports that also cover the resolver, beside rules about the names it is asked for.

Whether such a rule lets every name through is not confirmed (`cilium.U3`), so what it does there
is apart from what it does otherwise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.dialects.cilium import caveats
from cloison.dialects.cilium.l7 import Condition
from cloison.dialects.cilium.near import Near, both, within
from cloison.dialects.cilium.rules import every_port
from cloison.dialects.cilium.unsettled import U3
from cloison.ir.names import NamePattern
from cloison.ir.peers import (
    AllOf,
    AnyMatch,
    AnyOf,
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
    every = [each for each in near if policy.nodes or _all_of(policy, each.subjects)]
    some: dict[tuple[PodsMatch, ...], list[Limit]] = {}
    for each in near:
        if each not in every:
            some.setdefault(each.subjects, []).append(each)
    sorts = _sorts(list(some))
    for mine in sorts if len(sorts) <= _MOST_SORTS else (tuple(some),):
        limits_ = (*every, *(each for subjects in mine for each in some[subjects]))
        resolvers = tuple(match for each in limits_ for match in each.peers)
        peers = _without(rule.peers, resolvers) if resolvers else rule.peers
        whose = _whose(rule, mine, tuple(some)) if len(sorts) <= _MOST_SORTS else rule.subjects
        yield replace(rule, traffic=there, peers=peers, subjects=whose)
    if len(sorts) > _MOST_SORTS:
        said = (*rule.caveats, caveats.L3_RELAXES_DNS)
        yield replace(rule, traffic=there, condition=_MANY, caveats=said)
    names = tuple(_everywhere(near))
    if names:
        # Whether or not one of them is about the peer, these names pass.
        yield replace(rule, traffic=there, request=Condition(names=names))
    if u3 is None:
        said = (*rule.caveats, caveats.L3_RELAXES_DNS)
        yield replace(rule, traffic=there, condition=_RELAXED, caveats=said)


_MOST_SORTS = 64
_MANY = "none of many rules about names is about both ends"

_Subjects: TypeAlias = tuple[PodsMatch, ...]


def _all_of(policy: Policy, subjects: _Subjects) -> bool:
    """Return whether all whom a policy is about are among some pods."""
    return all(any(within(mine, other) for other in subjects) for mine in policy.subjects)


def _sorts(groups: Sequence[_Subjects]) -> Sequence[tuple[_Subjects, ...]]:
    """Return which of some groups a pod may be in at once; one more than are told apart at most."""
    found: list[tuple[_Subjects, ...]] = [()]
    for each in groups:
        more = [(*held, each) for held in found if all(_overlap(each, one) for one in held)]
        found += more[: _MOST_SORTS + 1 - len(found)]
    return found


def _overlap(ours: _Subjects, theirs: _Subjects) -> bool:
    return any(both(one, other) is not None for one in ours for other in theirs)


def _whose(
    rule: Rule, mine: Sequence[_Subjects], groups: Sequence[_Subjects]
) -> tuple[PeerMatch, ...] | None:
    """Return the subjects of a rule that are in some groups, and in none of the others."""
    rest = [each for each in groups if each not in mine]
    if mine:
        rest = [each for each in rest if _overlap(each, mine[0])]
    parts: list[PeerMatch] = [AnyOf(mine[0])] if mine else []
    if rest:
        parts.append(NoneOf(tuple(match for each in rest for match in each)))
    if not parts:
        return rule.subjects
    if rule.subjects is not None:
        parts.append(AnyOf(rule.subjects))
    return (AllOf(tuple(parts)),) if len(parts) > 1 else (parts[0],)


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
