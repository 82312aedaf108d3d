"""Relations about one set of policies: what could go, what is about nobody, who is selected."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from cloison.algebra.bitmaps import BitMap, union
from cloison.analyses.connectivity import EndRef
from cloison.analyses.relate.answer import Found, Overlap, Part, Related, Relation, Uncaptured
from cloison.analyses.relate.pairs import FAMILIES, Pair, Pairs
from cloison.analyses.relate.placing import TOO_MANY, placed, unplaced
from cloison.analyses.relate.redundant import redundant
from cloison.analyses.relate.witness import place_of
from cloison.analyses.survey import standing_caveats
from cloison.engine import Engine, UnitKind
from cloison.engine.bind import Ports
from cloison.ir.caveats import EVERY_PLACEMENT, POD_ADDRESS_UNKNOWN
from cloison.ir.policy import Direction, Policy, Rule
from cloison.ir.ruleset import BoundRule
from cloison.resources.world import Workload

_LISTED = 1000
"""Pairs of policies that are listed; there may be as many as half the square of them."""


def relate_one(relation: Relation, engine: Engine) -> Related:
    """Answer whether a relation about one set of policies holds.

    Args:
        relation: Which relation.
        engine: The policies, bound.
    """
    caveats = set(standing_caveats(engine))
    lent: frozenset[int] = frozenset()
    if relation not in (Relation.REDUNDANT, Relation.EMPTY):
        caveats.discard(POD_ADDRESS_UNKNOWN)  # whom policies select is no matter of addresses
    elif unplaced(engine, [engine.policies]):
        anywhere = placed(engine, [engine.policies])
        if anywhere is None:
            return Related(relation, None, reason=TOO_MANY, caveats=tuple(sorted(caveats)))
        engine = Engine(anywhere.world, engine.policies, engine.profile, engine.networks)
        lent = anywhere.lent
        caveats = caveats - {POD_ADDRESS_UNKNOWN} | {EVERY_PLACEMENT}
    return replace(_answer(relation, engine, lent), caveats=tuple(sorted(caveats)))


def _answer(relation: Relation, engine: Engine, lent: frozenset[int]) -> Related:
    match relation:
        case Relation.REDUNDANT:
            return _come_upon(relation, redundant(engine, lent))
        case Relation.EMPTY:
            return _come_upon(relation, _empty(engine, lent))
        case Relation.DISJOINT:
            return _free_of(relation, _overlaps(engine))
        case _:
            return _free_of(relation, _uncaptured(engine))


def _come_upon(relation: Relation, found: Iterator[Found]) -> Related:
    """Answer a relation that holds if there is anything of a kind."""
    known = tuple(found)
    if any(each.sure for each in known):
        return Related(relation, holds=True, found=known)
    if known:
        return Related(relation, holds=None, found=known, reason=_REASON)
    return Related(relation, holds=False)


def _free_of(relation: Relation, found: Iterator[Found]) -> Related:
    """Answer a relation that holds if there is nothing of a kind."""
    known: list[Found] = []
    more = 0
    sure = False
    for each in found:
        sure = sure or each.sure
        if len(known) < _LISTED:
            known.append(each)
        else:
            more += 1
    if sure:
        return Related(relation, holds=False, found=tuple(known), more=more)
    if known:
        return Related(relation, holds=None, found=tuple(known), more=more, reason=_REASON)
    return Related(relation, holds=True)


_REASON = "what it depends on is not known"


def _empty(engine: Engine, lent: frozenset[int]) -> Iterator[Part]:
    """Find policies that select nothing and rules that name no flow."""
    pairs = Pairs(engine, lent)
    for policy in in_order(engine.ordered):
        selected = engine.binder.subjects(policy)
        if not selected.must:
            yield Part(policy.id, span=policy.span, sure=not selected.may)
        elif policy.opaque is not None:
            yield Part(policy.id, span=policy.span, sure=False)
        for rule in policy.rules if policy.opaque is None else ():
            named = _names(engine, pairs, policy, rule)
            if named is not True:
                place = rule.span or policy.span
                yield Part(policy.id, rule.direction, rule.index, place, sure=named is None)


def _names(engine: Engine, pairs: Pairs, policy: Policy, rule: Rule) -> bool | None:
    """Return whether a rule certainly (True) or possibly (False) names a flow."""
    found: bool | None = None
    for hold, units in engine.binder.holds(policy, rule.direction):
        by_ports: dict[Ports, list[int]] = defaultdict(list)
        for unit in units:
            known = engine.table.units[unit]
            by_ports[known.ports if known.kind is UnitKind.POD else None].append(unit)
        for ports, members in by_ports.items():
            for bound in engine.binder.held(hold, ports):
                if bound.rule is not rule or not (bound.traffic or bound.may_traffic):
                    continue
                for sure in _matched(engine, pairs, bound, BitMap(members)):
                    if sure and hold.sure and bound.traffic:
                        return True
                    found = False
    return found


def _matched(engine: Engine, pairs: Pairs, bound: BoundRule, units: BitMap) -> Iterator[bool]:
    """Iterate over flows that a rule matches, a few of each kind: whether it certainly does."""
    peers = bound.must | bound.may
    outward = bound.rule.direction is Direction.EGRESS
    candidates: list[Pair | None] = []
    for family in FAMILIES:
        for others in (bound.must, bound.may):
            ends = (units, others) if outward else (others, units)
            candidates.append(pairs.unrelated(*ends, family))
        for one, other in ((pairs.pods, pairs.hosts), (pairs.hosts, pairs.hosts)):
            near = units & one
            hosts = (pairs.hosts if bound.relations else peers) & other
            candidates += pairs.with_nodes(*((near, hosts) if outward else (hosts, near)), family)
        pods = (pairs.pods if bound.relations else peers) & pairs.pods
        near = units & pairs.hosts
        candidates += pairs.with_nodes(*((near, pods) if outward else (pods, near)), family)
    candidates += pairs.alone(units if bound.relations else units & peers)
    for pair in candidates:
        if pair is None:
            continue
        subject, peer = pair.source, pair.target
        if not outward:
            subject, peer = peer, subject
        kinds = engine.table.units[subject].kind, engine.table.units[peer].kind
        relations = pair.relations.between(*kinds)
        sure = engine.binder.matches(bound, subject, peer, relations, pair.family)
        if sure is not None:
            yield sure


def _overlaps(engine: Engine) -> Iterator[Overlap]:
    """Find pairs of policies that select a common workload."""
    ordered = in_order(engine.ordered)
    pods = engine.table.kinds[UnitKind.POD] | engine.table.kinds[UnitKind.HOST]
    certain: dict[int, list[int]] = defaultdict(list)
    possible: dict[int, list[int]] = defaultdict(list)
    for number, policy in enumerate(ordered):
        selected = engine.binder.subjects(policy)
        for unit in selected.must & pods:
            (possible if policy.opaque else certain)[unit].append(number)
        for unit in selected.may & pods:
            possible[unit].append(number)
    shared: dict[tuple[int, int], tuple[bool, int]] = {}
    for unit in pods:
        sure, maybe = certain[unit], possible[unit]
        for pair in combinations(sure, 2):
            if pair not in shared or not shared[pair][0]:
                shared[pair] = (True, unit)
        for pair in combinations(sorted((*sure, *maybe)), 2) if maybe else ():
            shared.setdefault(pair, (False, unit))
    for (one, other), (sure_of_it, unit) in sorted(shared.items()):
        ends = _whole(ordered[one]), _whole(ordered[other])
        yield Overlap(*ends, place_of(engine, unit), sure_of_it)


def _whole(policy: Policy) -> Part:
    return Part(policy.id, span=policy.span)


def _uncaptured(engine: Engine) -> Iterator[Uncaptured]:
    """Find workloads that no policy selects."""
    table = engine.table
    selected = [(policy, engine.binder.subjects(policy)) for policy in engine.ordered]
    certain = union(each.must for policy, each in selected if policy.opaque is None)
    possible = union(each.possible for _, each in selected)
    for workload in engine.world.workloads.values():
        units = [table.by_endpoint[index] for index in table.by_workload[workload.id]]
        captured = [any(unit in certain for unit in each) for each in units]
        if not all(captured):
            might = all(any(unit in possible for unit in each) for each in units)
            yield _left_out(workload, partly=any(captured), sure=not might)


def _left_out(workload: Workload, *, partly: bool, sure: bool) -> Uncaptured:
    id_ = workload.id
    return Uncaptured(
        EndRef("workload", id_.namespace, id_.name, id_.kind),
        all(endpoint.shape.host_network for endpoint in workload.endpoints),
        partly,
        workload.span,
        sure,
    )


def in_order(policies: Sequence[Policy]) -> list[Policy]:
    """Return policies by kind, namespace and name."""
    return sorted(policies, key=lambda p: (p.id.kind, p.id.namespace or "", p.id.name))
