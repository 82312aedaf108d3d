"""One flow sent by itself, so that what counts meanwhile counts its packets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from cloison.analyses.explain import CaseAnswer, merge_caveats
from cloison.analyses.measured import Agreement, Arrival, Cell, Control, compare
from cloison.base import SourceError
from cloison.probe.lab.cells import Planned
from cloison.probe.lab.keys import Keys
from cloison.probe.lab.plan import Measured, Probe


class Prober(Protocol):
    """A running lab, as far as measuring needs it."""

    def probe(self, probes: Sequence[Probe]) -> Sequence[Measured]:
        """Try connections; one result for each, in order."""

    def listen(self, station: str, protocol: str, port: int) -> None:
        """Have something answer on a port."""

    def counters(self) -> Mapping[str, Mapping[str, int]]:
        """Return how many packets each rule counted, by node and key."""


Ear = tuple[str, str, int]
"""A station, a protocol and a port on which something has to answer."""


def attend(lab: Prober, ears: Iterable[Ear]) -> dict[Ear, str]:
    """Have something answer on ports; return where that cannot be, with the reason.

    Args:
        lab: A running lab.
        ears: The ports.
    """
    deaf: dict[Ear, str] = {}
    for ear in dict.fromkeys(ears):
        try:
            lab.listen(*ear)
        except SourceError as error:
            deaf[ear] = error.message
    return deaf


def unheard(cell: Planned, deaf: Mapping[Ear, str]) -> str | None:
    """Return why nothing can answer a flow; None where something does."""
    return next((deaf[ear] for ear in cell.listeners if ear in deaf), None)


def alone(lab: Prober, keys: Keys, cell: Planned, control: Control | None = None) -> Cell:
    """Send one flow by itself, and return what came of it and what its packets met.

    Args:
        lab: A running lab in which nothing else is being sent.
        keys: Knows its counters.
        cell: The flow; it has something to send.
        control: What is known to arrive beside it.
    """
    if cell.probe is None:
        return Cell(cell.flow, cell.predicted, Agreement.NOT_MEASURABLE, reason=cell.reason)
    why = unheard(cell, attend(lab, cell.listeners))
    if why is not None:
        return compare(cell.flow, cell.predicted, Arrival.FAILED, None, detail=why)
    before = lab.counters()
    (found,) = lab.probe([cell.probe])
    counted = keys.counted(before, lab.counters())
    arrival = Arrival(found.outcome)
    compared = compare(cell.flow, cell.predicted, arrival, control, detail=found.detail)
    return replace(compared, counted=counted)


def explained(cell: Cell, answers: Sequence[CaseAnswer]) -> Cell:
    """Return a cell with the reasons of its prediction.

    Args:
        cell: The cell.
        answers: One, or one for each pod behind a Service.
    """
    deciders = tuple(dict.fromkeys(d for each in answers for d in each.decided_by))
    caveats = merge_caveats(each.caveats for each in answers)
    return replace(cell, decided_by=deciders, caveats=caveats)
