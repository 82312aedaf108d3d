"""`map --tiers`: which tier decides about how many pairs, and what it leaves to the next.

A pair is a source and a destination: two different workloads, or a workload and the outside, which
is one end here. Each pair is decided twice: by the policies of its source, which it leaves, and by
those of its destination, which it enters. A tier that allows some of the traffic of a pair and
denies other is counted for both; what holds for a pod of each end holds for the pair.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from cloison.algebra import L4, NO_TRAFFIC, TrafficSet
from cloison.algebra.bitmaps import BitMap, union
from cloison.analyses.chosen import Chosen, check_namespace, port_limit
from cloison.analyses.connectivity import EndRef, MapOptions
from cloison.analyses.ends import Names
from cloison.analyses.survey import ends_of, outside_caveats, standing_caveats
from cloison.engine import Engine, UnitKind
from cloison.engine.decide import Decision, Piece
from cloison.engine.point import Point
from cloison.engine.steps import Cause, Step
from cloison.ir.fidelity import Caveat
from cloison.ir.policy import Action, Direction


class StageKind(StrEnum):
    """What kind of stage traffic comes to on its way through a layer."""

    BUILTIN = "builtin"
    """The enforcer's own rules, before every tier."""
    OPAQUE = "opaque"
    """Policies that nobody understood."""
    TIER = "tier"
    DEFAULT = "default"
    """No tier decided."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of evaluation.

    Args:
        layer: The layer it is in, by its place.
        kind: What it is.
        name: The tier's name; empty for other stages.
    """

    layer: int
    kind: StageKind
    name: str = ""


@dataclass(frozen=True, slots=True)
class StageCount:
    """For how many pairs a stage does what, with some of their TCP, UDP or SCTP traffic.

    Args:
        stage: The stage.
        direction: Whether sources or destinations are asked.
        comes: Traffic comes to it.
        allows: It allows some.
        denies: It denies some.
        undetermined: Nobody can say what it does with some.
        goes_on: Some goes on to the next stage, or may.
    """

    stage: Stage
    direction: Direction
    comes: int
    allows: int
    denies: int
    undetermined: int
    goes_on: int


@dataclass(frozen=True, slots=True)
class Handover:
    """What policies for the whole cluster leave to those of namespaces.

    Args:
        direction: Whether sources or destinations are asked.
        tier: The first tier that holds policies of namespaces.
        whole: Pairs all of whose traffic comes to it.
        partly: Pairs of which some does.
        nothing: Pairs that are decided before.
    """

    direction: Direction
    tier: str
    whole: int
    partly: int
    nothing: int


@dataclass(frozen=True)
class Tiers:
    """The answer to `map --tiers`.

    Args:
        pairs: How many pairs are decided, by direction.
        layers: Names of the layers.
        counts: What each stage does, in the order of evaluation; egress first.
        handovers: What is left to policies of namespaces; none where there is no such policy, or
            where nothing comes before them.
        caveats: What all of it stands on.
        partial: Whether only a part was asked for.
    """

    pairs: Mapping[Direction, int]
    layers: tuple[str, ...]
    counts: tuple[StageCount, ...]
    handovers: tuple[Handover, ...]
    caveats: tuple[Caveat, ...] = ()
    partial: bool = False


class _Fate(StrEnum):
    COMES = "comes"
    ALLOWS = "allows"
    DENIES = "denies"
    UNDETERMINED = "undetermined"
    ON = "on"
    AWAY = "away"
    """Some of it does not come here: it is decided before."""


_DECIDING = (_Fate.ALLOWS, _Fate.DENIES, _Fate.UNDETERMINED)
_TOLD = (_Fate.COMES, *_DECIDING, _Fate.ON)

_Key = tuple[Stage, _Fate]
_Fates = dict[_Key, TrafficSet]
_View = tuple[int, int]
"""A decision, by its id, and an address family."""


def tiers(engine: Engine, options: MapOptions, names: Names) -> Tiers:
    """Return which tier decides about how many pairs, as far as `options` ask.

    Raises:
        QuestionError: a filter names nothing, or a port that is none.

    Cost: the pieces of all decisions; never a pair of ends.
    """
    check_namespace(engine, options)
    return _Count(engine, options, names).tiers()


class _Count:
    """Counts pairs; lives for one call."""

    def __init__(self, engine: Engine, options: MapOptions, names: Names) -> None:
        self.engine = engine
        self.names = names
        self.options = options
        self.ends, self.of_unit = ends_of(engine, options)
        self.limit = port_limit(options) or L4
        self.stages = tuple(_stages(engine))
        self.outside = len(self.ends)
        self._of_layer = [
            [s for s in self.stages if s.layer == number]
            for number in range(len(engine.policies.layers))
        ]
        self._places: dict[bytes, BitMap] = {}
        self._known: dict[tuple[object, ...], _Fates] = {}

    def tiers(self) -> Tiers:
        found = {d: self._sums(d) for d in (Direction.EGRESS, Direction.INGRESS)}
        options = self.options
        asked = (options.focus, options.sources, options.destinations, options.namespace)
        return Tiers(
            {d: number for d, (number, _) in found.items()},
            tuple(layer.name for layer in self.engine.policies.layers),
            tuple(
                self._row(s, d, sums) for d, (_, sums) in found.items() for s in self._seen(sums)
            ),
            tuple(
                h for d, (number, sums) in found.items() for h in self._handover(d, number, sums)
            ),
            tuple(sorted({*standing_caveats(self.engine), *outside_caveats(self.engine)})),
            partial=any(asked) or options.port is not None,
        )

    def _seen(self, sums: Mapping[_Key, int]) -> Iterator[Stage]:
        """Iterate over the stages to tell of: tiers, defaults, and others that do something."""
        for stage in self.stages:
            plain = stage.kind in (StageKind.TIER, StageKind.DEFAULT)
            if plain or any(sums.get((stage, fate)) for fate in _DECIDING):
                yield stage

    def _row(self, stage: Stage, direction: Direction, sums: Mapping[_Key, int]) -> StageCount:
        numbers = (sums.get((stage, fate), 0) for fate in _TOLD)
        return StageCount(stage, direction, *numbers)

    def _handover(
        self, direction: Direction, pairs: int, sums: Mapping[_Key, int]
    ) -> Iterator[Handover]:
        holding = {p.tier for p in self.engine.ordered if p.id.namespace is not None}
        first = [s for s in self.stages if s.layer == 0 and s.kind is StageKind.TIER]
        place = next((i for i, s in enumerate(first) if s.name in holding), 0)
        if place:
            stage = first[place]
            comes, away = sums.get((stage, _Fate.COMES), 0), sums.get((stage, _Fate.AWAY), 0)
            partly = comes + away - pairs
            yield Handover(direction, stage.name, pairs - away, partly, pairs - comes)

    def _sums(self, direction: Direction) -> tuple[int, dict[_Key, int]]:
        """Return how many pairs there are, and of how many each thing is to be said."""
        views: dict[int, list[_View]] = defaultdict(list)
        known: dict[_View, tuple[BitMap, dict[_Key, BitMap]]] = {}
        fates: dict[int, list[tuple[Piece, _Fates]]] = {}
        for unit in self._subjects(direction):
            decision = self.engine.decision(unit, direction)
            view = (id(decision), self.engine.table.units[unit].family)
            if view not in known:
                if view[0] not in fates:
                    fates[view[0]] = [(p, self._fates(unit, decision, p)) for p in decision.pieces]
                known[view] = self._peers(fates[view[0]], view[1])
            for place in self.of_unit[unit]:
                views[place].append(view)
        alike: dict[tuple[_View, ...], list[int]] = defaultdict(list)
        for place, seen in views.items():
            alike[tuple(sorted(set(seen)))].append(place)
        near = _Near(self, direction)
        pairs = 0
        sums: dict[_Key, int] = defaultdict(int)
        for seen_alike, places in alike.items():
            every = union(known[view][0] for view in seen_alike)
            keys = {key: None for view in seen_alike for key in known[view][1]}
            held = {
                key: union(known[view][1][key] for view in seen_alike if key in known[view][1])
                for key in keys
            }
            for place in places:
                pairs += len(near.of(place, every))
                for key, peers in held.items():
                    sums[key] += len(near.of(place, peers))
        return pairs, sums

    def _subjects(self, direction: Direction) -> Iterator[int]:
        """Iterate over the units of workloads that policies may apply to."""
        table = self.engine.table
        yield from table.kinds[UnitKind.POD]
        for unit in table.kinds[UnitKind.HOST]:
            if self.engine.decision(unit, direction).policies:
                yield unit

    def _peers(
        self, pieces: list[tuple[Piece, _Fates]], family: int
    ) -> tuple[BitMap, dict[_Key, BitMap]]:
        """Return the peers of a decision, all of them and by what is to be said of them."""
        able = self.engine.table.families[family] if family else None
        every = BitMap()
        found: dict[_Key, BitMap] = defaultdict(BitMap)
        for piece, fates in pieces:
            places = self._ends(piece.peers if able is None else piece.peers & able)
            every |= places
            for key in fates:
                found[key] |= places
        return every, dict(found)

    def _ends(self, units: BitMap) -> BitMap:
        """Return the places of the ends that have some of these units, outside included."""
        key = units.serialize()
        found = self._places.get(key)
        if found is None:
            kinds = self.engine.table.kinds
            inside = units & (kinds[UnitKind.POD] | kinds[UnitKind.HOST])
            found = BitMap([place for unit in inside for place in self.of_unit[unit]])
            if units.intersect(kinds[UnitKind.EXTERNAL]):
                found.add(self.outside)
            self._places[key] = found
        return found

    def _fates(self, unit: int, decision: Decision, piece: Piece) -> _Fates:
        """Return what becomes of the traffic of a piece at each stage, where there is any."""
        point = Point(decision.direction, unit, piece.peers[0], piece.outcome, decision, piece)
        found: _Fates = {}
        for number, (_, steps) in enumerate(self.engine.steps(point)):
            # Whose rule it is makes no difference, and most pieces go the same few ways.
            key = (number, *((s.cause, s.tier, s.traffic, s.action) for s in steps))
            if key not in self._known:
                fates = self._through(self._of_layer[number], steps)
                self._known[key] = {fate: traffic for fate, traffic in fates.items() if traffic}
            found |= self._known[key]
        return found

    def _through(self, stages: list[Stage], steps: tuple[Step, ...]) -> _Fates:
        does: dict[Stage, dict[Action, TrafficSet]] = defaultdict(
            lambda: dict.fromkeys(Action, NO_TRAFFIC)
        )
        comes = dict.fromkeys(stages, NO_TRAFFIC)
        for step in steps:
            stage = Stage(step.layer, _KINDS[step.cause], step.tier or "")
            traffic = step.traffic & self.limit
            if step.cause in (Cause.ENTRY, Cause.DEFAULT):
                comes[stage] |= traffic
            for action in (Action.ALLOW, Action.DENY) if step.action is None else (step.action,):
                if step.cause is not Cause.ENTRY:
                    does[stage][action] |= traffic
        going = self.limit
        found: _Fates = {}
        for stage, after in zip(stages, [*stages[1:], None], strict=True):
            if stage.kind in (StageKind.TIER, StageKind.DEFAULT):
                going = comes[stage]
            following = _following(stages, stage)
            on = comes[following] if following is not None and after is not None else NO_TRAFFIC
            allow, deny = does[stage][Action.ALLOW], does[stage][Action.DENY]
            allows, denies = allow - deny - on, deny - allow - on
            found[stage, _Fate.COMES] = going
            found[stage, _Fate.AWAY] = self.limit - going
            found[stage, _Fate.ALLOWS] = allows
            found[stage, _Fate.DENIES] = denies
            found[stage, _Fate.UNDETERMINED] = (allow | deny) - allows - denies
            found[stage, _Fate.ON] = on
        return found


_KINDS = {
    Cause.BUILTIN: StageKind.BUILTIN,
    Cause.OPAQUE: StageKind.OPAQUE,
    Cause.ENTRY: StageKind.TIER,
    Cause.RULE: StageKind.TIER,
    Cause.END: StageKind.TIER,
    Cause.DEFAULT: StageKind.DEFAULT,
}


def _stages(engine: Engine) -> Iterator[Stage]:
    """Iterate over the stages of every layer, in order."""
    for number, layer in enumerate(engine.policies.layers):
        yield Stage(number, StageKind.BUILTIN)
        yield Stage(number, StageKind.OPAQUE)
        yield from (Stage(number, StageKind.TIER, tier.name) for tier in layer.tiers)
        yield Stage(number, StageKind.DEFAULT)


def _following(stages: list[Stage], stage: Stage) -> Stage | None:
    """Return the next stage that tells what comes to it: a tier, or the default."""
    later = stages[stages.index(stage) + 1 :]
    return next((s for s in later if s.kind in (StageKind.TIER, StageKind.DEFAULT)), None)


class _Near:
    """The pairs that are asked for.

    Args:
        count: The ends there are.
        direction: Which end of a pair is given: the source on egress.
    """

    def __init__(self, count: _Count, direction: Direction) -> None:
        options = count.options
        every = BitMap(range(len(count.ends)))
        ends = options.sources, options.destinations
        own, other = ends if direction is Direction.EGRESS else ends[::-1]
        self.own = Chosen(count, own).inside(every)
        self.others = _reached(Chosen(count, other), every, count.outside)
        self.near = [_reached(Chosen(count, options.focus), every, count.outside)]
        if options.namespace is not None:
            self.near.append(_home(count.ends, options.namespace))
        self.filtered = any((own, other, options.focus, options.namespace))

    def of(self, place: int, peers: BitMap) -> BitMap:
        """Return those peers of an end whose pair with it is asked for; never itself."""
        found = peers
        if self.filtered:
            if place not in self.own:
                return BitMap()
            found = found & self.others
            for near in self.near:
                if place not in near:
                    found = found & near
        return found - BitMap([place]) if place in found else found


def _reached(chosen: Chosen, every: BitMap, outside: int) -> BitMap:
    """Return the ends that are chosen, with the outside where it is, or where nothing was named."""
    found = chosen.inside(every).copy()
    if not chosen or chosen.addresses:
        found.add(outside)
    return found


def _home(ends: tuple[EndRef, ...], namespace: str) -> BitMap:
    return BitMap(place for place, end in enumerate(ends) if end.namespace == namespace)
