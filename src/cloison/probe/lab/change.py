"""Policies replaced in a lab that runs, while connections are open."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cloison.algebra import AddressSet
from cloison.analyses.applied import Changed, Held
from cloison.analyses.matrix import Row
from cloison.analyses.measured import Flow
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict
from cloison.probe.lab.cells import Planned, Planner
from cloison.probe.lab.lone import Prober, attend, explained, unheard
from cloison.probe.lab.measure import compared
from cloison.probe.lab.pairs import pairs
from cloison.probe.lab.plan import Plan, Probe
from cloison.probe.lab.rulings import NodeProxy

MOST_FLOWS = 64
"""Flows tried after a change."""
_HOLDABLE = ("TCP", "UDP")


class Changeable(Prober, Protocol):
    """A running lab, as far as changing its policies needs it."""

    def hold(self, probes: Sequence[Probe]) -> Sequence[int]:
        """Open connections and keep them; a number for each, 0 where none came about."""

    def still(self, held: Sequence[int]) -> Sequence[bool]:
        """Return whether connections that are kept still work."""

    def release(self, held: Sequence[int]) -> None:
        """Let go of connections."""

    def apply(
        self, rulesets: Mapping[str, str], proxies: Mapping[str, NodeProxy] | None = None
    ) -> None:
        """Replace packet filters, each in one step; none where one of them is wrong."""


@dataclass(frozen=True, slots=True)
class Side:
    """Policies of a running lab, before a change or after it.

    Args:
        engine: The policies, bound to the world as built.
        unclear: Addresses about which no packet filter can be asked, each with the reason.
    """

    engine: Engine
    unclear: tuple[tuple[AddressSet, str], ...] = ()


def change(
    lab: Changeable, plan: Plan, before: Side, after: Side
) -> tuple[tuple[Changed, ...], int]:
    """Replace the policies of a lab, and try what that should open and close.

    For each flow that is to be closed, a connection is opened before, and asked after.

    Args:
        lab: The lab.
        plan: What was built, with the packet filters and proxies that are to be.
        before: Its policies.
        after: Those that take their place.

    Returns:
        The flows that were tried, those that closed first, and how many were not.

    Raises:
        SourceError: The packet filter refuses a script; nothing is changed then.
    """
    was = Planner(before.engine, plan, before.unclear)
    will = Planner(after.engine, plan, after.unclear)
    turned = _turned(was, will, pairs(after.engine)[0])
    chosen, more = turned[:MOST_FLOWS], len(turned) - MOST_FLOWS
    closing = [c for c in chosen if c.predicted is Verdict.DENIED]
    held = _hold(lab, closing)
    try:
        lab.apply(plan.rulesets, plan.proxies)
        lived = dict(zip(held, lab.still(list(held.values())), strict=True))
    finally:
        lab.release(list(held.values()))
    known, _ = compared(lab, will, chosen)
    found = (
        Changed(
            explained(known[cell], will.answers(cell)),
            opened=cell.predicted is Verdict.ALLOWED,
            held=_FARED[lived.get(cell.flow)],
        )
        for cell in chosen
    )
    return tuple(found), max(more, 0)


def _turned(was: Planner, will: Planner, rows: Iterable[Row]) -> list[Planned]:
    """Return the flows that were open and will be closed, then those the other way round."""
    closed: dict[Flow, Planned] = {}
    opened: dict[Flow, Planned] = {}
    for row in rows:
        try:
            before = {cell.flow: cell.predicted for cell in was.row(row).cells}
            cells = will.row(row).cells
        except QuestionError:
            continue  # what cannot be asked has not changed
        for cell in cells:
            turn = (before.get(cell.flow), cell.predicted)
            if cell.probe is None:
                continue
            if turn == (Verdict.ALLOWED, Verdict.DENIED):
                closed.setdefault(cell.flow, cell)
            elif turn == (Verdict.DENIED, Verdict.ALLOWED):
                opened.setdefault(cell.flow, cell)
    return [*closed.values(), *opened.values()]


def _hold(lab: Changeable, cells: Iterable[Planned]) -> dict[Flow, int]:
    """Open connections that are going to be closed; return the number of each that came about."""
    wanted = [c for c in cells if c.probe is not None and c.flow.protocol in _HOLDABLE]
    deaf = attend(lab, (ear for cell in wanted for ear in cell.listeners))
    wanted = [c for c in wanted if unheard(c, deaf) is None]
    numbers = lab.hold([c.probe for c in wanted if c.probe is not None])
    return {c.flow: number for c, number in zip(wanted, numbers, strict=True) if number}


_FARED = {None: Held.NONE, True: Held.LIVED, False: Held.DIED}
