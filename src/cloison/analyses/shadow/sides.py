"""Where a rule is missing: which enforcement points do not let an edge through, and why."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain

from cloison.algebra import TrafficSet
from cloison.analyses.ask import ask
from cloison.analyses.ends import End, NameEnd, NodeEnd, ServiceEnd, SomeNodeEnd
from cloison.analyses.explain import (
    Decider,
    PointAnswer,
    case_outcome,
    deciders_at,
    explain_case,
    merge_caveats,
    verdict_of,
)
from cloison.analyses.parties import Party
from cloison.analyses.question import Case, cases
from cloison.analyses.reconcile.passing import apart as by_node
from cloison.analyses.reconcile.passing import nowhere
from cloison.analyses.replay import apart, plain
from cloison.analyses.shadow.judging import Asked
from cloison.analyses.shadow.model import UNTOLD, Side, Told
from cloison.base import QuestionError
from cloison.engine import Engine, Point
from cloison.engine.related import UNRELATED
from cloison.ir.caveats import NODE_ADDRESS_UNKNOWN
from cloison.ir.fidelity import Caveat, Verdict
from cloison.ir.policy import Direction
from cloison.ir.ruleset import Outcome
from cloison.ir.when import within

_Key = tuple[object, ...]
_OPEN = frozenset((Verdict.UNDETERMINED, Verdict.MIXED))


@dataclass(frozen=True)
class Sides:
    """Finds where rules are missing; what is alike for many edges is looked at once.

    Args:
        engine: Who decides.
    """

    engine: Engine
    _deciders: dict[_Key, tuple[Decider, ...]] = field(default_factory=dict, compare=False)
    _caveats: dict[_Key, tuple[Caveat, ...]] = field(default_factory=dict, compare=False)
    _units: dict[int, int | None] = field(default_factory=dict, compare=False)
    _kept: dict[int, object] = field(default_factory=dict, compare=False)

    def of(self, asked: Asked) -> Told:
        """Return which sides do not let an edge through, and the caveats of that."""
        try:
            if isinstance(asked.destination, NameEnd | ServiceEnd):
                return self._explained(asked)
            found = list(self._cases(asked))
        except QuestionError:
            return UNTOLD
        sides = chain.from_iterable(each.sides for each in found)
        caveats = merge_caveats(each.caveats for each in found)
        return Told(_together(sides), caveats, any(each.requests for each in found))

    def _explained(self, asked: Asked) -> Told:
        answer = ask(self.engine, asked.question)
        points = [point for case in answer.cases for point in case.points]
        stopping = [each for each in points if each.verdict is not Verdict.ALLOWED]
        sure = [each for each in stopping if each.verdict is Verdict.DENIED]
        sides = _together(_side(each) for each in sure or stopping)
        return Told(sides, answer.caveats, bool(answer.when))

    def _cases(self, asked: Asked) -> Iterator[Told]:
        one, other = self._unit(asked.source), self._unit(asked.destination)
        if one is not None and other is not None and self._simple(asked, one, other):
            # As replaying does: how such ends stand to each other changes nothing.
            parties = (Party(one, asked.source.text), Party(other, asked.destination.text))
            yield self._told(Case(*parties, UNRELATED, UNRELATED, asked.traffic.traffic))
            return
        ends = asked.source, asked.destination
        if not any(isinstance(end, SomeNodeEnd | NodeEnd) for end in ends):
            for case in cases(self.engine, *ends, asked.traffic):
                yield self._told(case)
            return
        for case in by_node(self.engine, *ends, asked.traffic):
            told = self._told(case)
            unknown = told.sides and nowhere(self.engine, case)
            yield replace(told, caveats=(*told.caveats, NODE_ADDRESS_UNKNOWN)) if unknown else told

    def _told(self, case: Case) -> Told:
        one, other = case.source.unit, case.destination.unit
        points = (
            self.engine.point(one, other, Direction.EGRESS, case.out_of, case.family),
            self.engine.point(other, one, Direction.INGRESS, case.into, case.family),
        )
        verdicts = [verdict_of(point.outcome, case.traffic) for point in points]
        # Where one side denies it for certain, nothing is missing where nobody can say.
        stops = {Verdict.DENIED} & {*verdicts} or _OPEN
        sides = tuple(
            Side(point.direction, self._by(point, case.traffic))
            for point, verdict in zip(points, verdicts, strict=True)
            if verdict in stops
        )
        unsure = Verdict.UNDETERMINED in verdicts or Verdict.MIXED in verdicts
        asks = any(_asks(point.outcome, case.traffic) for point in points)
        return Told(sides, self._doubts(case, points) if unsure else (), asks)

    def _simple(self, asked: Asked, one: int, other: int) -> bool:
        units = self.engine.table.units
        same = units[one].family == units[other].family
        return same and apart(asked.source, asked.destination)

    def _unit(self, end: End) -> int | None:
        """Return the unit of an end that stands in no relation to others."""
        key = id(end)
        if key not in self._units:
            self._kept[key] = end  # so that nothing else gets its place in memory
            self._units[key] = plain(self.engine, end)
        return self._units[key]

    def _by(self, point: Point, traffic: TrafficSet) -> tuple[Decider, ...]:
        key = self._key((point,), traffic)
        found = self._deciders.get(key)
        if found is None:
            found = self._deciders[key] = deciders_at(self.engine, point, traffic)
        return found

    def _doubts(self, case: Case, points: tuple[Point, ...]) -> tuple[Caveat, ...]:
        key = self._key(points, case.traffic)
        found = self._caveats.get(key)
        if found is None:
            found = self._caveats[key] = explain_case(self.engine, case, misses=False).caveats
        return found

    def _key(self, points: tuple[Point, ...], traffic: TrafficSet) -> _Key:
        """Return what the answer hangs on: peers that a decision does not tell apart are one."""
        found: list[object] = [traffic]
        for point in points:
            for each in (point.decision, point.piece):
                self._kept[id(each)] = each  # so that nothing else gets its place in memory
                found.append(id(each))
            found += (point.direction, point.builtin_sure, point.relations)
        return tuple(found)


def _asks(outcome: Outcome, traffic: TrafficSet) -> bool:
    return any(each.mixed for each in within(outcome.when, traffic))


def alike(one: Engine, here: Asked, other: Engine, there: Asked) -> bool:
    """Return whether two engines decide the same on an edge, whatever is requested."""
    try:
        return _outcomes(one, here) == _outcomes(other, there)
    except QuestionError:
        return False


def _outcomes(engine: Engine, asked: Asked) -> set[Outcome]:
    if isinstance(asked.destination, NameEnd):
        engine = engine.with_hosts(asked.destination.names)
    found = cases(engine, asked.source, asked.destination, asked.traffic)
    return {case_outcome(engine, each).within(each.traffic) for each in found}


def _side(point: PointAnswer) -> Side:
    return Side(point.direction, point.decided_by)


def _together(sides: Iterator[Side]) -> tuple[Side, ...]:
    """Return sides with those of one direction as one, egress first."""
    found: dict[Direction, dict[Decider, None]] = {}
    for side in sides:
        found.setdefault(side.direction, {}).update(dict.fromkeys(side.deciders))
    order = (Direction.EGRESS, Direction.INGRESS)
    return tuple(Side(way, tuple(found[way])) for way in order if way in found)
