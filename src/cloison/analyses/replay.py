"""Verdicts on many concrete flows at once: column by column, not flow by flow.

Recorded flows come by the million, but between few kinds of ends on few ports. Ends that no policy
tells apart share a number; what each enforcement point does with every such number is written down
once, as a row of a table; the rest is looking up. What does not fit the table, such as a pod that
calls itself, is asked one by one, each different question once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cloison.algebra import AddressSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.ask import Question, verdict_only
from cloison.analyses.ends import AddressEnd, End, PodsEnd
from cloison.analyses.explain import verdict_of
from cloison.analyses.question import Traffic
from cloison.base import QuestionError
from cloison.engine import Engine, UnitKind
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Direction
from cloison.ir.ruleset import OPEN, Outcome

Codes: TypeAlias = NDArray[np.int8]
Column: TypeAlias = NDArray[np.int64]
Ask: TypeAlias = Callable[[Question], Verdict]


class Code(IntEnum):
    """Verdicts as numbers."""

    ALLOWED = 0
    DENIED = 1
    UNDETERMINED = 2
    MIXED = 3


CODES: Final = {
    Verdict.ALLOWED: Code.ALLOWED,
    Verdict.DENIED: Code.DENIED,
    Verdict.UNDETERMINED: Code.UNDETERMINED,
    Verdict.MIXED: Code.MIXED,
}


@dataclass(frozen=True, slots=True)
class Batch:
    """Many questions, each a source, a destination and traffic, by their places in three lists.

    Args:
        ends: Everybody who calls or is called.
        traffics: What is asked.
        source: Of each question, the place of its source in `ends`.
        destination: Likewise.
        traffic: Of each question, the place in `traffics`.
    """

    ends: Sequence[End]
    traffics: Sequence[Traffic]
    source: Column
    destination: Column
    traffic: Column


def replay(engine: Engine, batch: Batch, ask: Ask | None = None) -> Codes:
    """Return the verdict on each question of a batch, as `Code`.

    A question that cannot be asked of its ends is undetermined.

    Args:
        engine: Who decides.
        batch: The questions.
        ask: Answers a single question, of those that the table does not hold; the engine itself
            by default.
    """
    found = np.full(len(batch.source), -1, np.int8)
    table = _Table(engine, batch)
    rows = np.flatnonzero(table.fits())
    if len(rows):
        found[rows] = table.codes(rows)
    rest = np.flatnonzero(found < 0)
    if len(rest):
        found[rest] = _one_by_one(engine, batch, rest, ask)
    return found


def _one_by_one(engine: Engine, batch: Batch, rows: Column, ask: Ask | None) -> Codes:
    """Return the verdicts on some questions, each different one asked once."""
    ends, kinds = len(batch.ends), len(batch.traffics)
    key = (batch.source[rows] * ends + batch.destination[rows]) * kinds + batch.traffic[rows]
    _, first, where = np.unique(key, return_index=True, return_inverse=True)
    codes = np.empty(len(first), np.int8)
    for place, row in enumerate(rows[first]):
        asked = Question(
            batch.ends[batch.source[row]],
            batch.ends[batch.destination[row]],
            batch.traffics[batch.traffic[row]],
        )
        try:
            verdict = ask(asked) if ask is not None else verdict_only(engine, asked)
        except QuestionError:
            verdict = Verdict.UNDETERMINED
        codes[place] = CODES[verdict]
    told: Codes = np.take(codes, where.reshape(-1))
    return told


class _Table:
    """What every enforcement point does with every unit that occurs in a batch."""

    def __init__(self, engine: Engine, batch: Batch) -> None:
        self._engine = engine
        self._batch = batch
        units = [plain(engine, end) for end in batch.ends]
        self._unit = np.array([-1 if unit is None else unit for unit in units], np.int64)
        self._single = np.array([_single(each) for each in batch.traffics], np.bool_)
        family = [-1 if unit is None else engine.table.units[unit].family for unit in units]
        self._family = np.array(family, np.int8)
        homes: dict[object, int] = {}
        self._home = np.array([_home(end, homes) for end in batch.ends], np.int64)
        self._outcomes: list[Outcome] = []
        self._numbers: dict[int, int] = {}

    def fits(self) -> NDArray[np.bool_]:
        """Return of which questions the table holds the answer."""
        batch = self._batch
        source, destination = self._unit[batch.source], self._unit[batch.destination]
        plain = (source >= 0) & (destination >= 0) & self._single[batch.traffic]
        one, other = self._home[batch.source], self._home[batch.destination]
        # A pod stands to its own workload in a way that no unit tells, and of two ends outside
        # nobody here knows anything.
        apart = (one != other) & plain
        # An end without a known address meets both families, each in its own way.
        met = self._family[batch.source] == self._family[batch.destination]
        fit: NDArray[np.bool_] = np.logical_and(apart, met)
        return fit

    def codes(self, rows: Column) -> Codes:
        """Return the verdicts on questions that the table holds; -1 for what it cannot tell."""
        batch = self._batch
        source, destination = self._unit[batch.source[rows]], self._unit[batch.destination[rows]]
        traffic = batch.traffic[rows]
        out_of = self._judged(Direction.EGRESS, source, destination, traffic)
        into = self._judged(Direction.INGRESS, destination, source, traffic)
        found = np.full(len(rows), Code.UNDETERMINED, np.int8)
        found[(out_of == Code.ALLOWED) & (into == Code.ALLOWED)] = Code.ALLOWED
        found[(out_of == Code.MIXED) | (into == Code.MIXED)] = -1
        found[(out_of == Code.DENIED) | (into == Code.DENIED)] = Code.DENIED
        return found

    def _judged(
        self, direction: Direction, subjects: Column, peers: Column, traffic: Column
    ) -> Codes:
        """Return what one side's policies do: a number for each question."""
        units = len(self._engine.table.units)
        peer_units, peer = _distinct(peers, units)
        subject_units, subject = _distinct(subjects, units)
        decisions, decided = self._decided(direction, subject_units, peer_units)
        kinds = len(self._batch.traffics)
        key = decisions[decided[subject], peer].astype(np.int64) * kinds + traffic
        asked, where = _distinct(key, len(self._outcomes) * kinds)
        codes = np.array(
            [
                CODES[
                    verdict_of(
                        self._outcomes[key // kinds], self._batch.traffics[key % kinds].traffic
                    )
                ]
                for key in asked.tolist()
            ],
            np.int8,
        )
        told: Codes = np.take(codes, where)
        return told

    def _decided(
        self, direction: Direction, subjects: Column, peers: Column
    ) -> tuple[NDArray[np.int32], Column]:
        """Return outcomes by decision and peer, and the decision of each subject."""
        rows: list[NDArray[np.int32]] = []
        places: dict[int, int] = {}
        decided = np.empty(len(subjects), np.int64)
        everybody = BitMap(peers.tolist())
        place = np.zeros(len(self._engine.table.units), np.int64)
        place[peers] = np.arange(len(peers))
        for at, unit in enumerate(subjects.tolist()):
            governed = unit in self._engine.governed
            decision = self._engine.decision(unit, direction) if governed else None
            key = id(decision)
            if key not in places:
                places[key] = len(rows)
                row = np.empty(len(peers), np.int32)
                if decision is None:
                    row[:] = self._number(OPEN)
                for piece in decision.pieces if decision is not None else ():
                    there = np.frombuffer((piece.peers & everybody).to_array(), np.uint32)
                    row[place[there]] = self._number(piece.outcome)
                rows.append(row)
            decided[at] = places[key]
        return np.stack(rows), decided

    def _number(self, outcome: Outcome) -> int:
        # Outcomes are kept, so that no two of them are at one place in memory.
        found = self._numbers.get(id(outcome))
        if found is None:
            found = self._numbers[id(outcome)] = len(self._outcomes)
            self._outcomes.append(outcome)
        return found


def _distinct(values: Column, size: int) -> tuple[Column, Column]:
    """Return the different values of a column, ascending, and the place of each row's among them.

    Args:
        values: Numbers from 0 to `size`, without that.
        size: How many there could be; memory and time are in proportion to it.
    """
    there = np.zeros(size, np.bool_)
    there[values] = True
    found = np.flatnonzero(there)
    places = np.zeros(size, np.int64)
    places[found] = np.arange(len(found))
    return found, places[values]


def plain(engine: Engine, end: End) -> int | None:
    """Return the only unit of an end that stands in no relation to others; None for other ends."""
    table = engine.table
    units: set[int] = set()
    if isinstance(end, PodsEnd) and not end.gone and end.family is None:
        units = {unit for index in end.endpoints for unit in table.by_endpoint[index]}
        if any(table.endpoints[index].pending for index in end.endpoints):
            return None
    elif isinstance(end, AddressEnd) and not (end.loopback or end.own_node or end.name):
        addresses = end.addresses
        if not _held(engine, addresses):
            units = set(table.external_range(addresses))
    kinds = {table.units[unit].kind for unit in units}
    return units.pop() if len(units) == 1 and kinds <= _PLAIN else None


def apart(source: End, destination: End) -> bool:
    """Return whether two ends are neither of one workload nor both outside."""
    inside = [end.workload.id for end in (source, destination) if isinstance(end, PodsEnd)]
    return len(set(inside)) == len(inside) > 0


def _held(engine: Engine, addresses: AddressSet) -> bool:
    """Return whether any of some addresses is a pod's or a node's."""
    held = (engine.holders, engine.node_addresses)
    if addresses.size() == 1:
        ((point, _),) = addresses.spans
        return any(point in known for known in held)
    return any(point in addresses for known in held for point in known)


def _home(end: End, known: dict[object, int]) -> int:
    """Return a number for an end's workload; 0 for ends outside."""
    if not isinstance(end, PodsEnd):
        return 0
    return known.setdefault(end.workload.id, len(known) + 1)


_PLAIN: Final = {UnitKind.POD, UnitKind.EXTERNAL}


def _single(asked: Traffic) -> bool:
    """Return whether one flow is asked about, of which there is no allowed and denied part."""
    return asked.name is None and asked.traffic.size() == 1


def columns(rows: Sequence[tuple[int, int, int]]) -> tuple[Column, Column, Column]:
    """Return places of sources, destinations and traffic as columns."""
    table: Any = np.array(rows, np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]
