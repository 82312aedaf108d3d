"""Relations of two sets of policies by their definition: every flow of a world, asked one by one.

Flows are told apart by ends and by the boundaries that occur in policies; between two of them
nothing can change. An end whose address nobody knows takes part with every address it may have.
What rules name is read off the IR oracle's own walk.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from cloison.algebra import (
    EVERY_ADDRESS,
    L4,
    PORT_PROTOCOLS,
    V6_BASE,
    AddressSet,
    Request,
    family_of,
)
from cloison.analyses.relate import Relation
from cloison.engine import UnitKind
from cloison.ir.fidelity import Verdict
from cloison.ir.names import NamePattern
from cloison.ir.peers import AllOf, AnyOf, BlockMatch, NoneOf, PeerMatch, plain_matches
from cloison.ir.policy import Action, Direction, Policy, PolicySet, Rule
from cloison.resources.world import PodEndpoint
from tests.oracle.ir import IROracle, Point
from tests.oracle.ir_ways import OPEN, End, Match, Way, Ways, traffic_point
from tests.support.chances import chance
from tests.support.policies import Snapshot, random_snapshot
from tests.support.richer import rich_snapshot

Flow = tuple[End, End, int, int]
"""Source, destination, point of the traffic axis, family."""


@dataclass(frozen=True)
class Said:
    """What one set of policies makes of a flow.

    Args:
        verdict: What becomes of it.
        named: Whether a rule names it: surely (True), perhaps (None) or not.
    """

    verdict: Verdict
    named: bool | None


def random_pair(
    rng: random.Random, changed: Callable[[random.Random, Snapshot], Snapshot] | None = None
) -> tuple[Snapshot, Snapshot]:
    """Return two sets of policies over one world, with much in common.

    Args:
        rng: Chance.
        changed: Makes something else of each of them first.
    """
    made = rich_snapshot if chance(rng, 0.6) else random_snapshot
    one, other = made(rng), made(rng)
    if changed is not None:
        one, other = changed(rng, one), changed(rng, other)
    tiers = [tier.name for layer in one.policies.layers for tier in layer.tiers]
    kept = [p for p in one.policies.policies if chance(rng, 0.7)]
    new = [
        replace(p, id=replace(p.id, name=f"new-{p.id.name}"), tier=rng.choice(tiers), band=0)
        for p in other.policies.policies
        if chance(rng, 0.25)
    ]
    groups = rng.choice((one, other)).policies.groups
    policies = replace(one.policies, policies=(*kept, *new), groups=groups)
    return one, replace(one, policies=policies)


def flows(snapshots: tuple[Snapshot, ...], known: AddressSet = EVERY_ADDRESS) -> Iterator[Flow]:
    """Iterate over a flow of every kind that there is in a world.

    Args:
        snapshots: The sets of policies, over one world.
        known: Where pods have their addresses.
    """
    world = snapshots[0].world
    rules = [r for s in snapshots for p in s.policies.policies for r in p.rules]
    oracle = IROracle(world, snapshots[0].policies, snapshots[0].profile)
    sets = [g.addresses for s in snapshots for g in s.policies.groups]
    sets += snapshots[0].names.values()
    outside = list(_outside(oracle, _addresses(rules, sets)))
    places = {
        UnitKind.POD: list(_free(oracle, _addresses(rules, [*sets, known]), known)),
        UnitKind.NODE: list(_free(oracle, _addresses(rules, sets), EVERY_ADDRESS)),
    }
    ends: list[End] = [*oracle.pods(), *world.nodes.values()]
    inside = [each for end in ends for each in _everywhere(oracle, end, places)]
    alone = {a for stretch in (*places.values(),) for a, *others in stretch if not others}
    points = _points(snapshots, rules)
    for src in (*inside, *outside):
        for dst in (*inside, *outside):
            if _no_flow(oracle, src, dst) or not _at_once(oracle, ends, alone, (src, dst)):
                continue
            for family in sorted(_families(oracle, src, dst)):
                for traffic in points:
                    yield src, dst, traffic, family


def _no_flow(oracle: IROracle, src: End, dst: End) -> bool:
    """Whether no policy is about what two ends exchange: both outside, or a node with itself."""
    outer = isinstance(src, int) and isinstance(dst, int)
    return outer or (src == dst and not oracle.is_pod(src))


def _free(oracle: IROracle, starts: list[int], known: AddressSet) -> Iterator[list[int]]:
    """Iterate over the stretches an end may be in: an address of each, or two if there are two."""
    ends = [*starts[1:], V6_BASE + (1 << 128)]
    for low, end in zip(starts, ends, strict=True):
        if low in known:
            found = (point for point in range(low, end) if oracle.resolve(point) == point)
            if stretch := list(islice(found, 2)):
                yield stretch


def _everywhere(
    oracle: IROracle, end: End, places: dict[UnitKind, list[list[int]]]
) -> Iterator[End]:
    """Iterate over an end at every address it may have; once, if that is known or never asked."""
    on_node, _ = oracle.node_of(end)
    seen = oracle.profile.block_matches_nodes if on_node else oracle.profile.block_matches_pods
    if isinstance(end, int | NamePattern) or oracle.addresses(end) or not seen:
        yield end
        return
    for stretch in places[UnitKind.NODE if on_node else UnitKind.POD]:
        yield replace(end, addresses=(stretch[0],))


def _at_once(oracle: IROracle, ends: list[End], alone: set[int], flow: tuple[End, End]) -> bool:
    """Whether two ends can be where they are at one time."""
    src, dst = flow
    if isinstance(src, int | NamePattern) or isinstance(dst, int | NamePattern):
        return True
    ours, theirs = src.addresses, dst.addresses
    host, other = oracle.node_of(src), oracle.node_of(dst)
    if src in ends or dst in ends:
        return True
    if host[0] and host[1] is not None and host == other:
        return ours == theirs
    if isinstance(src, PodEndpoint) and src.pod is not None and src == replace(dst, addresses=ours):
        return ours == theirs
    return ours != theirs or ours[0] not in alone


def _families(oracle: IROracle, src: End, dst: End) -> set[int]:
    found = {4, 6}
    for end in (src, dst):
        known = (end,) if isinstance(end, int) else oracle.addresses(end)
        found &= {family_of(a) for a in known} or {4, 6}
    return found


def _outside(oracle: IROracle, starts: list[int]) -> Iterator[End]:
    """Iterate over the first address of every stretch that belongs to nobody."""
    ends = [*starts[1:], V6_BASE + (1 << 128)]
    for low, end in zip(starts, ends, strict=True):
        point = low
        while oracle.resolve(point) != point:
            point += 1
        if point < end:
            yield point


def _addresses(rules: list[Rule], sets: list[AddressSet]) -> list[int]:
    """Return the first address of every stretch that nothing divides."""
    asked = (m for r in rules for m in (*(p.match for p in r.peers), *(r.subjects or ())))
    matches = (plain for match in asked for plain in plain_matches(match))
    blocks = [match.addresses for match in matches if isinstance(match, BlockMatch)]
    found = {0, V6_BASE}
    for known in (*sets, *blocks):
        for low, high in known.spans:
            found |= {low, high + 1}
    return sorted(p for p in found if p < V6_BASE + (1 << 128))


def _points(snapshots: tuple[Snapshot, ...], rules: list[Rule]) -> list[int]:
    """Return the first point of every stretch of traffic that nothing divides."""
    named = {port.name for rule in rules for port in (*rule.traffic.named, *rule.traffic.excepted)}
    found = {traffic_point("ICMP", None), *(traffic_point(p, 1) for p in PORT_PROTOCOLS)}
    for workload in snapshots[0].world.workloads.values():
        for endpoint in workload.endpoints:
            for port in endpoint.ports:
                if port.name in named:
                    point = traffic_point(port.protocol, port.number)
                    found |= {point, point + 1}
    for rule in rules:
        for low, high in (*rule.traffic.must.spans, *rule.traffic.may.spans):
            found |= {point for point in (low, high + 1) if point in L4}
    return sorted(found)


class Asked:
    """One set of policies, asked flow by flow.

    Args:
        snapshot: The world and its policies.
        request: The request that is made; None where no rule asks.
    """

    def __init__(self, snapshot: Snapshot, request: Request | None = None) -> None:
        world, names = snapshot.world, snapshot.names
        self.oracle = IROracle(world, snapshot.policies, snapshot.profile, names, request=request)
        self.strict = [
            (IROracle(world, each, snapshot.profile, names, request=request), number)
            for number, each in enumerate(_strict(snapshot.policies))
        ]

    def say(self, flow: Flow) -> Said:
        """Return what becomes of a flow, and whether a rule names it."""
        verdict = self.verdict(flow)
        if verdict is Verdict.DENIED:
            return Said(verdict, named=False)
        ways = list(self._named(flow))
        if verdict is Verdict.ALLOWED and OPEN in ways:
            return Said(verdict, named=True)
        return Said(verdict, None if any(Way.ALLOW in way for way in ways) else False)

    def verdict(self, flow: Flow) -> Verdict:
        """Return what becomes of a flow."""
        return self.oracle.decide(*flow)

    def matches(self, policy: Policy, rule: Rule, flow: Flow) -> Match:
        """Return whether a rule matches a flow, apart from conditions."""
        src, dst, traffic, family = flow
        source, target = self.oracle.resolve(src), self.oracle.resolve(dst)
        ends = (source, target) if rule.direction is Direction.EGRESS else (target, source)
        layer = self.oracle.layers[0]
        plain = replace(rule, condition=None, sources=None)
        point = Point(self.oracle, layer, *ends, rule.direction, target, traffic, family)
        return point._matches(policy, plain)

    def _named(self, flow: Flow) -> Iterator[Ways]:
        """Iterate over what is possible at each point when nothing is open by default."""
        src, dst, traffic, family = flow
        for oracle, number in self.strict:
            source, target = oracle.resolve(src), oracle.resolve(dst)
            for subject, peer, direction in (
                (source, target, Direction.EGRESS),
                (target, source, Direction.INGRESS),
            ):
                if oracle.is_subject(subject):
                    layer = oracle.layers[number]
                    yield Point(
                        oracle, layer, subject, peer, direction, target, traffic, family
                    ).outcome()


def _strict(known: PolicySet) -> Iterator[PolicySet]:
    """Iterate over policies under layers one of which opens nothing by itself."""
    for number, layer in enumerate(known.layers):
        tiers = tuple(
            replace(t, end=Action.DENY) if t.end is Action.ALLOW else t for t in layer.tiers
        )
        changed = replace(layer, tiers=tiers, default=Action.DENY, builtin=())
        yield replace(known, layers=(*known.layers[:number], changed, *known.layers[number + 1 :]))


def shows(relation: Relation, one: Said, other: Said) -> bool | None:
    """Return whether a flow shows that a relation does not hold; None where it may.

    For `interferes`, whether it shows that it does hold.
    """
    a, b = _possible(one.verdict), _possible(other.verdict)
    x, y = ([True, False] if said.named is None else [said.named] for said in (one, other))
    match relation:
        case Relation.EQUIVALENT:
            return _both(p != q for p in a for q in b)
        case Relation.CONTAINED:
            return _both(p and not q for p in a for q in b)
        case Relation.PERMITS:
            return _both(p and not q for p in x for q in b)
        case Relation.FORBIDS:
            return _both(p and q for p in x for q in b)
        case _:
            return _both(p and not q for p in x for q in y)


def _possible(verdict: Verdict) -> list[bool]:
    if verdict is Verdict.UNDETERMINED:
        return [True, False]
    return [verdict is Verdict.ALLOWED]


def _both(answers: Iterator[bool]) -> bool | None:
    found = set(answers)
    return None if len(found) > 1 else found.pop()


def without(known: PolicySet, policy: Policy, rule: Rule | None = None) -> PolicySet:
    """Return policies without one of them, or without one of its rules."""
    left = []
    for each in known.policies:
        if each is not policy:
            left.append(each)
        elif rule is not None:
            left.append(replace(each, rules=tuple(r for r in each.rules if r is not rule)))
    return replace(known, policies=tuple(left))


def recut(known: PolicySet) -> PolicySet:
    """Return policies with every block written as two."""

    def cut(match: PeerMatch) -> PeerMatch:
        match match:
            case AllOf() | AnyOf() | NoneOf():
                return replace(match, matches=tuple(map(cut, match.matches)))
            case BlockMatch() if match.addresses:
                low, high = match.addresses.spans[0]
                half = AddressSet([(low, (low + high) // 2)])
                parts = (match.addresses & half, match.addresses - half)
                return AnyOf(tuple(replace(match, addresses=p, whole=False) for p in parts if p))
        return match

    def changed(rule: Rule) -> Rule:
        peers = tuple(replace(peer, match=cut(peer.match)) for peer in rule.peers)
        subjects = rule.subjects and tuple(map(cut, rule.subjects))
        return replace(rule, peers=peers, subjects=subjects)

    return replace(
        known,
        policies=tuple(
            replace(policy, rules=tuple(map(changed, policy.rules))) for policy in known.policies
        ),
    )


def in_scope(traffic: int) -> bool:
    """Return whether what is undetermined about a point of the traffic axis counts."""
    return traffic in L4
