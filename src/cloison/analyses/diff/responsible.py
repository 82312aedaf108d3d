"""Which policies a change of connectivity is owed to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.connectivity import EndRef, Passage
from cloison.analyses.diff.shifts import Reasons, Shift
from cloison.analyses.ends import NodeEnd, PodsEnd
from cloison.analyses.explain import Decider, case_outcome, deciders_at
from cloison.analyses.hosts import hosts_of, mentioned_by
from cloison.analyses.parties import Party
from cloison.analyses.question import Case, Traffic, cases
from cloison.engine import Engine, Point
from cloison.engine.related import UNRELATED
from cloison.ir.names import NamePattern
from cloison.ir.policy import Direction
from cloison.ir.when import within
from cloison.resources.world import WorkloadId

_Where = tuple[object, ...]
"""What of an end matters to the policies asked: ends of which it is equal share an answer."""
_Moves = tuple[tuple[TrafficSet, int], ...]
"""Traffic that has moved, each with the side on which it passes."""
_KEPT = 100_000
"""Answers that are remembered; where every pair has its own there may be millions."""


class Responsible:
    """Names the policies responsible for edges that changed; remembers what it said.

    One flow of an edge stands for it: a pair of pods between which the traffic in question
    passes on one side. Enforcement points that answer the same on both sides are left out.

    Args:
        before: Who decided.
        after: Who decides now.
    """

    def __init__(self, before: Engine, after: Engine) -> None:
        names = mentioned_by(before, after)
        self._sides = (
            Side(before.with_hosts(names), names),
            Side(after.with_hosts(names), names),
        )
        self._kinds: dict[EndRef, int] = {}
        self._numbers: dict[_Where, int] = {}
        self._known: dict[object, dict[int, Reasons]] = {}
        self._kept = 0

    def __call__(
        self, src: EndRef, destinations: Sequence[EndRef], shift: Shift
    ) -> Iterator[Reasons]:
        """Iterate over who is responsible for the same change of edges from one source."""
        moves = ((shift.gained, 1), (shift.lost, 0))
        own = self._kind(src)
        key = (own, moves)
        known = self._known.setdefault(key, {})
        for dst in destinations:
            kind = self._kind(dst)
            # Replicas of one workload differ from two workloads that are alike.
            place = -1 if kind == own and src == dst else kind
            found = known.get(place)
            if found is None:
                found = known[place] = self._find(src, dst, moves)
                self._kept += 1
            yield found
        if self._kept > _KEPT:
            self._known.clear()
            self._kept = 0

    def of(self, src: EndRef, dst: EndRef, moved: TrafficSet, *, passes_after: bool) -> Reasons:
        """Return who is responsible for some traffic of an edge.

        Args:
            src: Who connects.
            dst: Who listens.
            moved: Traffic that passes, or may pass, on one side and not so on the other.
            passes_after: Whether that is the later side.
        """
        return self._find(src, dst, ((moved, int(passes_after)),))

    def _kind(self, end: EndRef) -> int:
        """Return a number that ends share which are the same to every policy asked."""
        found = self._kinds.get(end)
        if found is None:
            where = tuple(side.where(end) for side in self._sides)
            found = self._kinds[end] = self._numbers.setdefault(where, len(self._numbers))
        return found

    def _find(self, src: EndRef, dst: EndRef, moves: _Moves) -> Reasons:
        before: dict[Decider, None] = {}
        after: dict[Decider, None] = {}
        for moved, passing in moves:
            if not moved:
                continue
            here, there = self._sides[passing], self._sides[1 - passing]
            shown = here.witness(src, dst, moved)
            if shown is None:
                continue
            asked, ours = shown
            theirs = there.stopped(src, dst, asked)
            mine, others = (after, before) if passing else (before, after)
            told = _differing(ours, theirs, asked)
            mine.update((d, None) for p in told[0] for d in here.deciders(p, asked))
            others.update((d, None) for p in told[1] for d in there.deciders(p, asked))
        return Reasons(tuple(before), tuple(after))


_Points = tuple[Point, ...]


def _differing(ours: _Points, theirs: _Points, asked: TrafficSet) -> tuple[_Points, _Points]:
    """Return the points that answer differently; all of them where none does."""
    if not theirs:
        return ours, theirs
    pairs = [
        (a, b) for a, b in zip(ours, theirs, strict=True) if _answer(a, asked) != _answer(b, asked)
    ]
    if not pairs:
        return ours, theirs
    return tuple(a for a, _ in pairs), tuple(b for _, b in pairs)


def _answer(point: Point, asked: TrafficSet) -> tuple[object, ...]:
    outcome = point.outcome
    return outcome.allowed & asked, outcome.undetermined & asked, within(outcome.when, asked)


@dataclass
class Side:
    """One snapshot, asked about ends of a map.

    Args:
        engine: Who decides.
        names: Names outside that the map tells of; the engine has units of them.
    """

    engine: Engine
    names: tuple[NamePattern, ...] = ()
    _units: dict[EndRef, _Where] = field(default_factory=dict)
    _deciders: dict[object, tuple[Point, tuple[Decider, ...]]] = field(default_factory=dict)

    @cached_property
    def _pods(self) -> dict[tuple[str, str], int]:
        return {
            (e.namespace, e.pod): index
            for index, e in enumerate(self.engine.table.endpoints)
            if e.pod is not None
        }

    @cached_property
    def _hosts(self) -> dict[EndRef, BitMap]:
        return hosts_of(self.engine, self.names)

    def where(self, end: EndRef) -> _Where:
        """Return what of an end matters to policies: its units."""
        if end.addresses is not None:
            return (end.addresses,)
        found = self._units.get(end)
        if found is None:
            table = self.engine.table
            units: set[int] = set()
            if end.kind == "node":
                units.update(table.by_node.get(end.name, ()))
            if end.kind == "external-name":
                units.update(self._hosts.get(end, ()))
            for index in self._endpoints(end):
                units.update(table.by_endpoint[index])
            found = self._units[end] = tuple(sorted(units))
        return found

    def _endpoints(self, end: EndRef) -> tuple[int, ...]:
        table = self.engine.table
        if end.kind == "workload":
            return table.by_workload.get(WorkloadId(end.namespace, end.name, end.type), ())
        if end.kind != "pod":
            return ()
        alone = table.by_workload.get(WorkloadId(end.namespace, end.name, "Pod"))
        if alone is not None:
            return alone
        index = self._pods.get((end.namespace, end.name))
        return () if index is None else (index,)

    def witness(
        self, src: EndRef, dst: EndRef, moved: TrafficSet
    ) -> tuple[TrafficSet, _Points] | None:
        """Return some of `moved` that passes, with the points it passes."""
        maybe: tuple[TrafficSet, Case] | None = None
        for case in self._cases(src, dst, moved):
            outcome = case_outcome(self.engine, case)
            passes = outcome.allowed & moved
            if passes:
                return passes, self._points(case)
            if maybe is None and outcome.undetermined & moved:
                maybe = outcome.undetermined & moved, case
        return None if maybe is None else (maybe[0], self._points(maybe[1]))

    def stopped(self, src: EndRef, dst: EndRef, asked: TrafficSet) -> _Points:
        """Return the points at which traffic does not pass as it does on the other side."""
        case = next(iter(self._cases(src, dst, asked)), None)
        return () if case is None else self._points(case)

    def passage(self, src: EndRef, dst: EndRef, asked: TrafficSet) -> Passage:
        """Return what passes of some traffic, for one pair of pods or another."""
        found = Passage(NO_TRAFFIC)
        for case in self._cases(src, dst, asked):
            outcome = case_outcome(self.engine, case)
            passage = Passage(outcome.allowed, outcome.undetermined, (), outcome.when)
            found = found.join(passage.within(asked))
        return found

    def _points(self, case: Case) -> _Points:
        source, destination = case.source.unit, case.destination.unit
        return (
            self.engine.point(source, destination, Direction.EGRESS, case.out_of),
            self.engine.point(destination, source, Direction.INGRESS, case.into),
        )

    def deciders(self, point: Point, asked: TrafficSet) -> tuple[Decider, ...]:
        """Return what decides at a point; the same for all that share a piece of a decision."""
        if point.piece is None or point.builtin is not None:
            return deciders_at(self.engine, point, asked)
        key = (id(point.decision), id(point.piece), asked)
        found = self._deciders.get(key)
        if found is None:
            # The point is kept, so that no other object comes to have the id of its piece.
            found = self._deciders[key] = (point, deciders_at(self.engine, point, asked))
        return found[1]

    def _cases(self, src: EndRef, dst: EndRef, asked: TrafficSet) -> Iterator[Case]:
        """Iterate over the pairs of units that an edge stands for."""
        if "ip" not in (src.kind, dst.kind) and dst.kind != "external-name":
            ends = self._end(src), self._end(dst)
            if ends[0] is not None and ends[1] is not None:
                found = cases(self.engine, ends[0], ends[1], Traffic(None, asked))
                # The map speaks of both families at once, and this explains a map.
                yield from (replace(case, family=None) for case in found if not case.foreign)
            return
        for source in self._parties(src):
            for destination in self._parties(dst):
                yield Case(source, destination, UNRELATED, UNRELATED, asked)

    def _end(self, end: EndRef) -> PodsEnd | NodeEnd | None:
        if end.kind == "node":
            node = self.engine.world.nodes.get(end.name)
            return None if node is None else NodeEnd(f"node:{end.name}", node)
        indices = self._endpoints(end)
        if not indices:
            return None
        workload = self.engine.world.workloads[self.engine.table.endpoints[indices[0]].workload]
        text = f"{end.namespace}/{end.name}"
        return PodsEnd(text, workload, indices, single=end.kind == "pod")

    def _parties(self, end: EndRef) -> Iterator[Party]:
        table = self.engine.table
        if end.addresses is not None:
            yield from (Party(u, str(end.addresses)) for u in table.external_range(end.addresses))
            return
        if end.kind == "external-name":
            yield from (Party(unit, str(end)) for unit in self._hosts.get(end, ()))
            return
        if end.kind == "node":
            yield from (Party(unit, str(end)) for unit in table.by_node.get(end.name, ()))
            return
        for index in self._endpoints(end):
            endpoint = table.endpoints[index]
            for unit in table.by_endpoint[index]:
                yield Party(unit, endpoint.name, endpoint)
