"""One flow sent by itself, and the counters that moved meanwhile."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cloison.algebra import AddressSet, parse_address
from cloison.analyses.matrix import Row
from cloison.analyses.measured import Agreement, Arrival, Cell, Control, Counted, compare
from cloison.analyses.traced import Met, Trace
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.ir.policy import Direction
from cloison.probe.lab.cells import Planned, Planner
from cloison.probe.lab.controls import candidates
from cloison.probe.lab.expected import Stage, expected
from cloison.probe.lab.keys import HANDED, Keys
from cloison.probe.lab.lone import Prober, alone, attend, explained, unheard
from cloison.probe.lab.plan import Plan

_CONTROLS = 4


def trace(
    lab: Prober,
    engine: Engine,
    plan: Plan,
    row: Row,
    *,
    family: int | None = None,
    unclear: Sequence[tuple[AddressSet, str]] = (),
) -> Trace:
    """Send one flow, and say which rules counted its packets.

    Args:
        lab: A running lab in which nothing else is being sent.
        engine: Policies bound to the world as it was built.
        plan: What was built of it.
        row: The question; the first flow that it means is sent.
        family: 4 or 6, where only that is wanted.
        unclear: Addresses about which no packet filter can be asked, each with the reason.

    Raises:
        QuestionError: The question cannot be asked, or means nothing that can be sent.
    """
    planner = Planner(engine, plan, unclear)
    asked = planner.row(row)
    wanted = [c for c in asked.cells if family in (None, c.flow.family)]
    cell = next((c for c in wanted if c.probe is not None), None)
    if cell is None:
        reason = next((c.reason for c in wanted if c.reason), "there is no such flow here")
        msg = f"{row} cannot be sent: {reason}"
        raise QuestionError(msg, "cloison why says what is known about it")
    keys = Keys(engine)
    measured = alone(lab, keys, cell)
    if measured.agreement is Agreement.INCONCLUSIVE and measured.arrival is Arrival.DROPPED:
        measured = _controlled(lab, planner, cell, measured)
    answers = planner.answers(cell)
    # Of a Service with several pods behind it nobody knows who answers.
    answer = answers[0] if len(answers) == 1 else None
    stages = expected(answer) if answer is not None and not _stays(planner, cell) else ()
    met = tuple(_beside(keys, stages, measured.counted))
    said = explained(measured, answers)
    return Trace(said, met, answer is not None, len(wanted) - 1, asked.notes)


def _controlled(lab: Prober, planner: Planner, cell: Planned, measured: Cell) -> Cell:
    """Look for something that arrives beside a flow that did not."""
    found = candidates(planner, cell, _CONTROLS)
    if not found:
        return measured
    deaf = attend(lab, (ear for each in found for ear in each.listeners))
    found = [each for each in found if unheard(each, deaf) is None]
    results = lab.probe([each.probe for each in found if each.probe is not None])
    arrived = (c.flow for c, m in zip(found, results, strict=True) if m.arrived)
    flow = next(arrived, None)
    if flow is None:
        return measured
    control = Control(flow, "target" if flow.target == cell.flow.target else "source")
    compared = compare(cell.flow, cell.predicted, Arrival.DROPPED, control)
    return replace(measured, agreement=compared.agreement, control=control, reason=compared.reason)


def _stays(planner: Planner, cell: Planned) -> bool:
    """Whether a flow never leaves the pod it comes from: no filter sees it."""
    target = planner.stations.at(parse_address(cell.flow.target))
    if target is None or cell.probe is None or target.name != cell.probe.source:
        return False
    return target in planner.plan.pods


def _beside(keys: Keys, stages: Sequence[Stage], counted: Sequence[Counted]) -> Iterator[Met]:
    """Yield what counted beside what should have, leaving before entering."""
    moved = {each.key: each for each in counted if not each.key.endswith(HANDED)}
    # Let through to a proxy, which then counts what it decides by.
    handed = [each for each in counted if each.key not in moved]
    for direction in (Direction.EGRESS, Direction.INGRESS):
        for each in handed:
            if each.decider.direction is direction:
                yield Met(direction, (each.decider,), (each,))
        for stage in stages:
            if stage.direction is direction:
                yield from _met(keys, stage, moved)
        for key in [k for k, each in moved.items() if each.decider.direction is direction]:
            yield Met(direction, (), (moved.pop(key),))
    for each in moved.values():
        yield Met(None, (), (each,))


def _met(keys: Keys, stage: Stage, moved: dict[str, Counted]) -> Iterator[Met]:
    """Yield what counted in one place, and take it from what moved."""
    for group, needed in ((stage.besides, False), (stage.one_of, True)):
        mine = tuple(moved.pop(key) for key in group if key in moved)
        if mine or (group and needed):
            yield Met(stage.direction, tuple(dict.fromkeys(map(keys.decider, group))), mine)
