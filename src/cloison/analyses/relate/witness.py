"""Flows as people are shown them: ends by name, and what decided on each side."""

from dataclasses import replace
from typing import TYPE_CHECKING

from cloison.algebra import UndecidedError
from cloison.analyses.connectivity import EndRef
from cloison.analyses.explain import Decider, deciders_at
from cloison.analyses.relate.answer import Flow, Told
from cloison.analyses.relate.hunt import Hit
from cloison.analyses.relate.pairs import Pair
from cloison.engine import Engine, Point, UnitKind
from cloison.ir.fidelity import Verdict
from cloison.ir.flows import Flows, Known
from cloison.ir.policy import Action, Direction
from cloison.ir.requests import RequestCondition
from cloison.resources.world import PodEndpoint

if TYPE_CHECKING:
    from cloison.algebra import RequestSet


def flow(hit: Hit, first: Engine, second: Engine, named: tuple[bool | None, bool | None]) -> Flow:
    """Return a hit as it is shown.

    Args:
        hit: The hit.
        first: The first set of policies.
        second: The second.
        named: Whether rules of the one and of the other name it.
    """
    source, target = _ends(first, hit.pair)
    return Flow(
        source,
        target,
        hit.traffic,
        told(first, hit, named=named[0]),
        told(second, hit, named=named[1]),
        requests=hit.requests,
    )


def told(engine: Engine, hit: Hit, *, named: bool | None) -> Told:
    """Return what one set of policies makes of a hit."""
    pair = hit.pair
    points = (
        engine.point(pair.source, pair.target, Direction.EGRESS, pair.relations, pair.family),
        engine.point(pair.target, pair.source, Direction.INGRESS, pair.relations, pair.family),
    )
    verdicts = [_verdict(point.outcome.flows, hit.flows) for point in points]
    verdict = _verdict(points[0].outcome.meet(points[1].outcome).flows, hit.flows)
    telling = [
        point
        for point, said in zip(points, verdicts, strict=True)
        if verdict in (Verdict.ALLOWED, Verdict.MIXED) or said is verdict
    ]
    found: dict[Decider, None] = {}
    for point in telling or points:
        found.update(dict.fromkeys(deciders_at(engine, _asked(point, hit.requests), hit.traffic)))
    rules = tuple(each for each in found if each.action is Action.ALLOW)
    if hit.requests is not None and verdict is Verdict.ALLOWED and rules:
        return Told(verdict, named, rules)
    return Told(verdict, named, tuple(found))


def _asked(point: Point, requests: "RequestSet | None") -> Point:
    """Return a point without the rules that match none of some requests."""
    if requests is None or point.piece is None:
        return point
    rules = tuple(r for r in point.piece.rules if _matches(r[0].rule.request, requests))
    return replace(point, piece=replace(point.piece, rules=rules))


def _matches(condition: RequestCondition | None, requests: "RequestSet") -> bool:
    if condition is None:
        return True
    try:
        sets = condition.requests()
        possible = sets.must if sets.may is None else sets.must | sets.may
        return not possible.isdisjoint(requests)
    except UndecidedError:
        return True


def _verdict(known: Known, asked: Flows) -> Verdict:
    try:
        return known.verdict(asked)
    except UndecidedError:
        return Verdict.UNDETERMINED


def place_of(engine: Engine, unit: int, node: str | None = None, *, second: bool = False) -> EndRef:
    """Return a unit's name.

    Args:
        engine: Whose unit it is.
        unit: The unit.
        node: Where the pod that is named must run; None for any.
        second: Whether to name the second of several, where there are several.
    """
    known = engine.table.units[unit]
    if known.kind is UnitKind.EXTERNAL:
        return EndRef("ip", addresses=known.addresses)
    if known.kind is UnitKind.NODE:
        return EndRef("node", name=known.node or "")
    members = [engine.table.endpoints[m] for m in known.endpoints]
    fitting = [m for m in members if node is None or m.shape.node == node] or members
    return end_of(engine, fitting[min(int(second), len(fitting) - 1)])


def end_of(engine: Engine, endpoint: PodEndpoint) -> EndRef:
    """Return a pod's name: its workload's, where all pods of that are alike."""
    id_ = endpoint.workload
    table = engine.table
    kinds = {table.by_endpoint[index] for index in table.by_workload[id_]}
    if len(kinds) > 1 and endpoint.pod is not None:
        return EndRef("pod", endpoint.namespace, endpoint.pod)
    return EndRef("workload", id_.namespace, id_.name, id_.kind)


def _ends(engine: Engine, pair: Pair) -> tuple[EndRef, EndRef]:
    alike = pair.source == pair.target
    source = place_of(engine, pair.source, pair.node)
    return source, place_of(engine, pair.target, pair.node, second=alike)
