"""The runner that asks a kernel: rows become cells, cells probes, and the answers are compared."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from cloison.algebra import AddressSet
from cloison.analyses.explain import explain_case
from cloison.analyses.matrix import Row
from cloison.analyses.measured import (
    Agreement,
    Arrival,
    Cell,
    Flow,
    MeasuredMatrix,
    MeasuredRow,
    compare,
    wrong,
)
from cloison.base import Diagnostic, QuestionError
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict
from cloison.probe.lab.cells import Asked, Planned, Planner
from cloison.probe.lab.controls import Controls, candidates
from cloison.probe.lab.hops import Calls, as_seen
from cloison.probe.lab.keys import Keys
from cloison.probe.lab.lone import Ear, Prober, alone, attend, explained, unheard
from cloison.probe.lab.plan import Measured, Plan

_CONTROLS = 2
"""Flows sent as controls of one closed path before it is known how it fares."""
_MORE = 6
"""Flows sent when none of those arrived."""
_IN_FULL = 16
"""Flows of a row that are explained in full, of those that come out otherwise than expected."""
_ALONE = 5
"""Flows sent once more by themselves, of those that come out otherwise than predicted."""


def run(
    lab: Prober,
    engine: Engine,
    plan: Plan,
    rows: Iterable[Row],
    *,
    unclear: Sequence[tuple[AddressSet, str]] = (),
    diagnostics: tuple[Diagnostic, ...] = (),
    notes: tuple[str, ...] = (),
    calls: Calls | None = None,
) -> MeasuredMatrix:
    """Measure every row.

    Args:
        lab: A running lab.
        engine: Policies bound to the world as it was built.
        plan: What was built of it.
        rows: What is expected.
        unclear: Addresses about which no packet filter can be asked, each with the reason.
        diagnostics: What reading the rows brought to light, handed on.
        notes: What there is to know about all of it, handed on.
        calls: Finds the ways of a call, each hop of which is then measured.
    """
    planner = Planner(engine, plan, unclear, calls=calls)
    asked = [_asked(planner, row) for row in rows]
    cells = [c for _, one in asked if isinstance(one, Asked) for c in one.cells]
    known, controls = compared(lab, planner, cells)
    results = tuple(_result(planner, row, one, known) for row, one in asked)
    return MeasuredMatrix(results, diagnostics, controls, notes)


def compared(
    lab: Prober, planner: Planner, cells: Sequence[Planned]
) -> tuple[dict[Planned, Cell], tuple[Flow, ...]]:
    """Send flows, and say how each compares with what is predicted.

    Args:
        lab: A running lab.
        planner: Predicts what may be a control.
        cells: The flows.

    Returns:
        What came of each, and the flows sent besides as controls.
    """
    bench = _Bench(lab)
    before = _without_control(cells)
    controls = [c for cell in before for c in candidates(planner, cell, _CONTROLS)]
    bench.send([*cells, *controls])
    lacking = [cell for cell in cells if bench.unproven(cell)]
    more = [c for cell in lacking for c in candidates(planner, cell, _MORE)]
    bench.send(more)
    known = {cell: bench.cell(cell) for cell in dict.fromkeys(cells)}
    _look_closer(lab, planner.engine, known)
    mine = {cell.flow for cell in cells}
    besides = dict.fromkeys(c.flow for c in (*controls, *more) if c.flow not in mine)
    return known, tuple(besides)


def _asked(planner: Planner, row: Row) -> tuple[Row, Asked | QuestionError]:
    if row.faults:
        return row, QuestionError(row.faults[0].message, row.faults[0].help)
    try:
        return row, planner.row(row)
    except QuestionError as error:
        return row, QuestionError(error.message, error.help)


def _result(
    planner: Planner, row: Row, asked: Asked | QuestionError, known: Mapping[Planned, Cell]
) -> MeasuredRow:
    if isinstance(asked, QuestionError):
        return MeasuredRow(row, (), error=asked.message, help=asked.help)
    found: list[Cell] = []
    odd = 0
    for planned in asked.cells:
        cell = known[planned]
        if wrong(cell, row.expect):
            odd += 1
        if wrong(cell, row.expect) and odd <= _IN_FULL:
            # Whoever looks into a failure wants the rule that came nearest.
            engine = planner.asking(planned.request).engine
            cell = explained(cell, [explain_case(engine, c) for c in planned.cases])
        elif row.expect is not None or cell.agreement is not Agreement.AGREES:
            cell = explained(cell, planner.answers(planned))
        found.append(cell)
    return MeasuredRow(row, tuple(found), asked.notes)


def _look_closer(lab: Prober, engine: Engine, known: dict[Planned, Cell]) -> None:
    """Send some of what differs once more, by itself, and note what its packets meet."""
    differing: dict[str, Planned] = {}
    for cell, came in known.items():
        if came.agreement is Agreement.DIFFERS:
            # What differs over one family most likely does so over the other.
            differing.setdefault(str(cell.flow), cell)
    keys = Keys(engine) if differing else None
    for cell in list(differing.values())[:_ALONE]:
        if keys is not None:
            known[cell] = replace(known[cell], counted=alone(lab, keys, cell).counted)


def _without_control(cells: Sequence[Planned]) -> list[Planned]:
    """Return the closed paths beside which, if all goes as predicted, nothing arrives."""
    sent = [c for c in cells if c.probe is not None]
    arriving = Controls(c.flow for c in sent if c.predicted is Verdict.ALLOWED)
    closed = dict.fromkeys(c for c in sent if c.predicted is Verdict.DENIED)
    return [cell for cell in closed if arriving.of(cell.flow) is None]


class _Bench:
    """Sends each flow once and remembers what came of it; lives for one run."""

    def __init__(self, lab: Prober) -> None:
        self._lab = lab
        self._heard: set[Ear] = set()
        self._deaf: dict[Ear, str] = {}
        self._found: dict[Planned, Measured] = {}
        self._arrived: Controls | None = None

    def send(self, cells: Sequence[Planned]) -> None:
        """Send what has not been sent."""
        new = [c for c in dict.fromkeys(cells) if c.probe is not None and c not in self._found]
        if not new:
            return
        ears = {ear for cell in new for ear in cell.listeners}
        self._deaf |= attend(self._lab, sorted(ears - self._heard))
        self._heard |= ears
        sent = []
        for cell in new:
            why = unheard(cell, self._deaf)
            if why is None:
                sent.append(cell)
            else:
                # What nothing can answer says nothing; of all others it does not matter.
                self._found[cell] = Measured(Arrival.FAILED, why)
        measured = self._lab.probe([c.probe for c in sent if c.probe is not None])
        self._found.update(zip(sent, measured, strict=True))
        self._arrived = None

    @property
    def _controls(self) -> Controls:
        if self._arrived is None:
            self._arrived = Controls(c.flow for c, m in self._found.items() if m.arrived)
        return self._arrived

    def unproven(self, cell: Planned) -> bool:
        """Whether nothing arrived, neither on a path nor beside it."""
        found = self._found.get(cell)
        return (
            found is not None
            and Arrival(found.outcome) is Arrival.DROPPED
            and self._controls.of(cell.flow) is None
        )

    def cell(self, cell: Planned) -> Cell:
        """Return what came of a flow."""
        found = self._found.get(cell)
        if found is None:
            said = Agreement.NOT_MEASURABLE
            return Cell(cell.flow, cell.predicted, said, reason=cell.reason, leg=cell.leg)
        arrival, control = Arrival(found.outcome), self._controls.of(cell.flow)
        made = compare(cell.flow, cell.predicted, arrival, control, detail=found.detail)
        return as_seen(made, cell, found.detail)
