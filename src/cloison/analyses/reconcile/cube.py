"""Intended, permitted and observed, put beside each other: one cell for what is alike.

Of every pair of ends that the contract names or flows tell of, traffic falls into cells by what
three sets say of it. What is permitted and neither intended nor observed is a map of its own: it is
most of an open cluster, and is told in groups.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cloison.algebra import NO_TRAFFIC, AddressSet, TrafficSet
from cloison.analyses.connectivity import EndRef, Line, Map
from cloison.analyses.contract.intended import Unmet
from cloison.analyses.ends import AddressEnd
from cloison.analyses.reconcile.excess import beyond
from cloison.analyses.reconcile.kinds import Because, Cell, Evidence, Kind, State, kind_of
from cloison.analyses.reconcile.meant import Meant
from cloison.analyses.reconcile.pairs import Pair, Pairs, Placed, Unplaced, shown, together
from cloison.analyses.reconcile.passing import Passages
from cloison.analyses.reconcile.seen import Missed
from cloison.engine import Engine

_INSIDE = ("workload", "pod")


@dataclass(frozen=True, slots=True)
class Observed:
    """What flows tell.

    Args:
        placed: Edges whose ends are known.
        unplaced: The others.
        known: Whether there are flows at all; without any, nothing is known to be unused.
        missed: Workloads of which some may be missing, as sources lost some or kept a sample; None
            where that may be of all.
    """

    placed: Sequence[Placed] = ()
    unplaced: Sequence[Unplaced] = ()
    known: bool = True
    missed: Missed = frozenset()


@dataclass(frozen=True, slots=True)
class Cube:
    """Three relations over the same edges.

    Args:
        cells: All cells but those of excess, sorted.
        excess: What is permitted beyond them, as a map.
        unplaced: Observed edges that are in no cell.
        unmet: Entries of the contract that mean nothing here.
        observed: Whether flows were there to be seen.
        watched: Workloads that flows tell of.
        missed: Workloads of which flows may be missing; None where that may be of all.
    """

    cells: tuple[Cell, ...]
    excess: Map
    unplaced: tuple[Unplaced, ...] = ()
    unmet: tuple[Unmet, ...] = ()
    observed: bool = True
    watched: frozenset[EndRef] = frozenset()
    missed: Missed = frozenset()

    def whole(self, *ends: EndRef) -> bool:
        """Return whether flows tell of all that some ends did."""
        return self.missed is not None and self.missed.isdisjoint(ends)

    def covered(self, cell: Cell) -> bool:
        """Return whether a source tells of one end of a cell at least."""
        return self.observed and any(end in self.watched for end in (cell.source, cell.destination))

    def tells_use(self, line: Line) -> bool:
        """Return whether a line of excess would have been seen, had it been used."""
        sides = (line.sources, line.destinations)
        covered = any(all(end in self.watched for end in side) for side in sides)
        whole = self.whole(*line.sources, *line.destinations)
        return self.observed and whole and covered and not self._doubtful(line)

    def _doubtful(self, line: Line) -> bool:
        """Return whether an edge that is in no cell may be of a line."""
        return any(
            each.may_be_of(line.sources, line.destinations, line.allowed) for each in self.unplaced
        )

    def of(self, kind: Kind) -> tuple[Cell, ...]:
        """Return the cells of one kind."""
        return tuple(each for each in self.cells if each.kind is kind)


def reconcile(
    engine: Engine,
    meant: Sequence[Meant],
    observed: Observed,
    permitted: Map,
    unmet: Sequence[Unmet] = (),
    known: Sequence[AddressEnd] = (),
) -> Cube:
    """Return the cube.

    Args:
        engine: Who says what is permitted.
        meant: What is intended, or done by the cluster itself.
        observed: What flows tell.
        permitted: The map of everything permitted.
        unmet: Entries of the contract that mean nothing here.
        known: Addresses that have a name.
    """
    pairs = together(engine, meant, observed.placed, known)
    watched = _watched(pairs) if observed.known else frozenset()
    told = _told(pairs)
    passages = Passages(engine)
    cells: list[Cell] = []
    doubtful = [each for each in observed.unplaced if each.traffic and each.ends != (None, None)]
    for key, pair in pairs.items():
        whole = observed.missed is not None and observed.missed.isdisjoint(key)
        open_ = whole and any(end in watched for end in key)
        cells += _cells(key, pair, passages, doubtful if open_ else None, told)
    said = {key: _union(_said(pair)) for key, pair in pairs.items()}
    for one, other, traffic in shown(observed.placed):
        said[one, other] = said.get((one, other), NO_TRAFFIC) | traffic
    return Cube(
        tuple(sorted(cells, key=lambda cell: cell.sort_key)),
        beyond(permitted, said, AddressSet.points((*engine.holders, *engine.node_addresses))),
        tuple(observed.unplaced),
        tuple(unmet),
        observed.known,
        watched,
        observed.missed,
    )


def _watched(pairs: Pairs) -> frozenset[EndRef]:
    """Return the workloads that flows tell of: what others send them would be told as well."""
    seen = (key for key, pair in pairs.items() if pair.seen)
    return frozenset(end for key in seen for end in key if end.kind in _INSIDE)


_Told = frozenset[tuple[object, bool]]
"""What may be seen as one thing or another, and as which of them it was."""


def _told(pairs: Pairs) -> _Told:
    return frozenset(
        (each.told_as, each.spare)
        for pair in pairs.values()
        for each in pair.meant
        if each.told_as is not None and any(traffic & each.traffic for traffic, _ in pair.seen)
    )


def _said(pair: Pair) -> Iterator[TrafficSet]:
    yield from (each.traffic for each in pair.meant)
    yield from (traffic for traffic, _ in pair.seen)


def _cells(
    key: tuple[EndRef, EndRef],
    pair: Pair,
    passages: Passages,
    doubtful: Sequence[Unplaced] | None,
    told: _Told,
) -> Iterator[Cell]:
    """Yield the cells of a pair.

    Args:
        key: Its ends.
        pair: What is said of it.
        passages: What passes.
        doubtful: Observed edges that may be of any pair; None where no flow would tell of it.
        told: As which of two things connections were seen, of those that may be either.
    """
    names = (pair.source.text, pair.destination.text)
    for part in _parts(pair):
        evidence = Evidence.of(seen for traffic, seen in pair.seen if traffic & part)
        intended = [each for each in pair.meant if each.traffic & part]
        if not intended and evidence:
            intended = [each for each in pair.implied if each.traffic & part]
        because = tuple(sorted({each.because for each in intended}, key=_by_name))
        requests = tuple(dict.fromkeys(e.request for e in intended if e.request is not None))
        own = bool(because) and all(each.implied for each in because)
        spare = not evidence and bool(intended) and all(each.spare for each in intended)
        used = bool(intended) and all((each.told_as, not each.spare) in told for each in intended)
        for found, traffic, conditional in _states(passages, pair, intended, part):
            # What passes of it is what the cluster does: a pod's own node, and no other one.
            state = State.YES if own and found is State.PARTLY else found
            if spare and state is not State.YES:
                continue
            kind = kind_of(
                state,
                evidence,
                intended=bool(because),
                watched=doubtful is not None
                and not any(each.may_be(key, traffic) for each in doubtful),
                conditional=conditional,
            )
            if used and kind in (Kind.UNUSED, Kind.UNOBSERVED):
                kind = Kind.HEALTHY
            yield Cell(
                kind,
                *key,
                traffic,
                state,
                because,
                evidence,
                conditional=conditional,
                names=names,
                requests=requests,
            )


def _by_name(because: Because) -> tuple[str, str]:
    return because.name, because.owner or ""


_BADNESS: Mapping[State, int] = {
    State.NO: 0,
    State.UNCLEAR: 1,
    State.PARTLY: 2,
    State.YES: 3,
}


def _states(
    passages: Passages, pair: Pair, intended: Sequence[Meant], part: TrafficSet
) -> Iterator[tuple[State, TrafficSet, bool]]:
    """Yield the parts of some traffic by whether they are permitted, and whether to any request.

    Where requests are meant, what counts is whether these pass: the worst of several.
    """
    requests = dict.fromkeys(each.request for each in intended) or {None: None}
    parts = [(State.YES, part)]
    for request in requests:
        passing = passages.between(pair.source, pair.destination, request)
        parts = [
            (min(state, other, key=_BADNESS.__getitem__), some)
            for state, known in parts
            for other, some in passing.states(known)
        ]
    merged: dict[State, TrafficSet] = {}
    for state, traffic in parts:
        merged[state] = merged.get(state, NO_TRAFFIC) | traffic
    # Flows do not tell requests, so what they show hangs on them whichever are meant.
    hanging = passages.between(pair.source, pair.destination).conditional
    return (
        (state, cut, hangs)
        for state, traffic in merged.items()
        for cut, hangs in _halves(traffic, hanging)
    )


def _halves(traffic: TrafficSet, by: TrafficSet) -> Iterator[tuple[TrafficSet, bool]]:
    return ((cut, inside) for cut, inside in ((traffic & by, True), (traffic - by, False)) if cut)


def _parts(pair: Pair) -> Iterator[TrafficSet]:
    """Yield disjoint traffic of which all of it is in the same entries and the same flows."""
    said = dict.fromkeys(_said(pair))
    parts = [_union(said)] if said else []
    for each in dict.fromkeys((*said, *(one.traffic for one in pair.implied))):
        cut = [(part & each, part - each) for part in parts]
        parts = [half for halves in cut for half in halves if half]
    yield from parts


def _union(sets: Iterable[TrafficSet]) -> TrafficSet:
    found = NO_TRAFFIC
    for each in dict.fromkeys(sets):
        found |= each
    return found
