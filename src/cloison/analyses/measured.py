"""Connectivity tests as measured: what a kernel did with packets, beside what was predicted."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from cloison.analyses.explain import Decider
from cloison.analyses.matrix import Expect, Row
from cloison.analyses.paths.model import HopRole, way_verdict
from cloison.base import Diagnostic, Severity
from cloison.ir.fidelity import Caveat, Verdict


class Arrival(StrEnum):
    """What came of a packet that was sent."""

    OPEN = "open"
    """Something answered."""
    REFUSED = "refused"
    """It arrived, and nothing listens there."""
    FORBIDDEN = "forbidden"
    """A proxy on the way answered that it may not be asked for."""
    DROPPED = "dropped"
    """No answer in time."""
    NO_ROUTE = "no-route"
    """It could not be sent, or a router said so: no policy was asked."""
    FAILED = "failed"
    """The probe itself went wrong."""

    @property
    def arrived(self) -> bool:
        """Whether packets went through."""
        return self in (Arrival.OPEN, Arrival.REFUSED)


class Agreement(StrEnum):
    """How what was measured stands to what was predicted."""

    AGREES = "agrees"
    DIFFERS = "differs"
    INCONCLUSIVE = "inconclusive"
    """It was measured, and that proves nothing."""
    NOT_MEASURABLE = "not-measurable"
    """Nothing was sent, since its fate would have said nothing about the policies."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A connection between two concrete ends.

    Args:
        source: Who connects, as people call it.
        destination: Who listens.
        address: The address it connects from; empty where it has none.
        target: The address it connects to.
        protocol: `TCP`, `UDP`, `SCTP` or `ICMP`.
        port: The destination port; 0 for ICMP.
        family: 4 or 6; 0 where it is not known.
        request: The request that is made, as text; empty for none.
    """

    source: str
    destination: str
    address: str
    target: str
    protocol: str
    port: int = 0
    family: int = 0
    request: str = ""

    @property
    def traffic(self) -> str:
        """Protocol and port: `TCP/8080`."""
        return f"{self.protocol}/{self.port}" if self.port else self.protocol

    def __str__(self) -> str:
        """Render as a question."""
        asked = f", {self.request}" if self.request else ""
        return f"{self.source} -> {self.destination} on {self.traffic}{asked}"


@dataclass(frozen=True, slots=True)
class Leg:
    """Which connection of a call a flow is.

    Args:
        way: The way it is on, of those the call may take; counted from 1.
        hop: Its place on that way, likewise.
        role: What it is for.
    """

    way: int
    hop: int
    role: HopRole

    @property
    def beside(self) -> bool:
        """Whether it only comes before the call, whose verdict does not depend on it."""
        return self.role is HopRole.LOOKUP

    def __str__(self) -> str:
        """Render for people."""
        return f"hop {self.hop}, {self.role}"


@dataclass(frozen=True, slots=True)
class Control:
    """A flow that arrived, and so shows that the way to or from somewhere works.

    Args:
        flow: The flow.
        same: What it has in common with what it is the control of: `target` or `source`.
    """

    flow: Flow
    same: Literal["target", "source"]


@dataclass(frozen=True, slots=True)
class Counted:
    """A rule, or the end of a tier, that packets met.

    Args:
        key: What the packet filter calls it.
        packets: How many it counted.
        decider: What people call it, and where it is written.
    """

    key: str
    packets: int
    decider: Decider


@dataclass(frozen=True, slots=True)
class Cell:
    """One flow of a row: predicted, and measured.

    Args:
        flow: What was sent, or would have been.
        predicted: The engine's verdict, for the world as it was built.
        agreement: How the two compare.
        arrival: What came of it; None where nothing was sent.
        control: For a closed path, what shows that it was closed and not merely broken.
        reason: Why it proves nothing, or was not sent; of what a proxy refused, its words.
        decided_by: What decides, as predicted. Of what nobody expected and that came out as
            predicted, it is not said.
        caveats: What the prediction stands on, likewise.
        counted: Rules that its packets met, measured once more by itself where the two differ.
        leg: Which connection of a call it is; None where all of the row is one connection.
        seen: The source address that whoever answered saw; empty where nobody said so.
    """

    flow: Flow
    predicted: Verdict
    agreement: Agreement
    arrival: Arrival | None = None
    control: Control | None = None
    reason: str | None = None
    decided_by: tuple[Decider, ...] = ()
    caveats: tuple[Caveat, ...] = ()
    counted: tuple[Counted, ...] = ()
    leg: Leg | None = None
    seen: str = ""

    @property
    def measured(self) -> Verdict | None:
        """What the kernel says; None where it says nothing that counts."""
        if self.agreement not in (Agreement.AGREES, Agreement.DIFFERS) or self.arrival is None:
            return None
        return Verdict.ALLOWED if self.arrival.arrived else Verdict.DENIED


def compare(
    flow: Flow,
    predicted: Verdict,
    arrival: Arrival,
    control: Control | None,
    *,
    detail: str = "",
) -> Cell:
    """Return what a measurement proves about a prediction.

    A closed path is one on which nothing arrived while something else did, from the same
    source or to the same target: without that it may as well be broken. A refusal by a proxy needs
    nothing beside it.

    Args:
        flow: What was sent.
        predicted: Allowed or denied.
        arrival: What came of it.
        control: What arrived in the same run.
        detail: The system's words.
    """
    reason = None
    if arrival.arrived:
        control = None
        agreement = _agreement(Verdict.ALLOWED, predicted)
    elif arrival is Arrival.FORBIDDEN:
        control, reason = None, detail or None
        agreement = _agreement(Verdict.DENIED, predicted)
    elif arrival is Arrival.DROPPED and control is not None:
        agreement = _agreement(Verdict.DENIED, predicted)
    else:
        agreement, control = Agreement.INCONCLUSIVE, None
        reason = _UNPROVEN[arrival] + (f": {detail}" if detail else "")
    return Cell(flow, predicted, agreement, arrival, control, reason)


_UNPROVEN = {
    Arrival.DROPPED: "nothing from the same source or to the same target arrived either",
    Arrival.NO_ROUTE: "there was no route, so no policy was asked",
    Arrival.FAILED: "the probe went wrong",
}


def _agreement(measured: Verdict, predicted: Verdict) -> Agreement:
    return Agreement.AGREES if measured is predicted else Agreement.DIFFERS


class RowStatus(StrEnum):
    """What came of a row."""

    PASSED = "passed"
    FAILED = "failed"
    """Some of what was measured is not what the row expects or, of a row that expects nothing,
    not what was predicted."""
    INCONCLUSIVE = "inconclusive"
    """Some of it could not be measured, or proves nothing."""
    ERROR = "error"
    """The row could not be asked."""


@dataclass(frozen=True, slots=True)
class MeasuredRow:
    """What came of one row.

    Args:
        row: The row; it expects nothing where a prediction was merely to be checked.
        cells: Every flow it means, in order.
        notes: How the row was understood.
        error: Why the row could not be asked.
        help: What to do about it.
    """

    row: Row
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()
    error: str | None = None
    help: str | None = None

    @property
    def status(self) -> RowStatus:
        """What came of it, in a word."""
        if self.error is not None:
            return RowStatus.ERROR
        if self.called:
            return self._of_call()
        if any(wrong(cell, self.row.expect) for cell in self.cells):
            return RowStatus.FAILED
        if not self.cells or any(cell.measured is None for cell in self.cells):
            return RowStatus.INCONCLUSIVE
        return RowStatus.PASSED

    def _of_call(self) -> RowStatus:
        """What came of a call: all of its hops have to let it through."""
        expect, found = self.row.expect, self.measured
        odd = found not in (None, expect.verdict) if expect is not None else self.differs
        if odd:
            return RowStatus.FAILED
        return RowStatus.INCONCLUSIVE if found is None else RowStatus.PASSED

    @property
    def called(self) -> bool:
        """Whether the row is a call of several connections, each of which was measured."""
        return any(cell.leg is not None for cell in self.cells)

    @property
    def measured(self) -> Verdict | None:
        """What the kernel says about all of it; None where it leaves something open."""
        if self.called:
            return _of_ways(self.cells, lambda cell: cell.measured)
        found = {cell.measured for cell in self.cells}
        if not found or None in found:
            return None
        return found.pop() if len(found) == 1 else Verdict.MIXED

    @property
    def predicted(self) -> Verdict | None:
        """What the engine says about all of it; None where the row could not be asked."""
        if self.called:
            return _of_ways(self.cells, lambda cell: cell.predicted)
        found = {cell.predicted for cell in self.cells}
        if not found:
            return None
        return found.pop() if len(found) == 1 else Verdict.MIXED

    @property
    def decided_by(self) -> tuple[Decider, ...]:
        """What decides about its cells, as predicted; of a call, about the call itself."""
        own = (cell for cell in self.cells if cell.leg is None or not cell.leg.beside)
        return tuple(dict.fromkeys(d for cell in own for d in cell.decided_by))

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """What the predictions stand on, sorted."""
        return tuple(sorted({c for cell in self.cells for c in cell.caveats}))

    @property
    def differs(self) -> bool:
        """Whether something was measured otherwise than predicted."""
        return any(cell.agreement is Agreement.DIFFERS for cell in self.cells)


def _of_ways(cells: Sequence[Cell], said: Callable[[Cell], Verdict | None]) -> Verdict | None:
    """Return what becomes of a call, by what is said of each of its hops."""
    ways: dict[int, dict[int, set[Verdict | None]]] = {}
    for cell in cells:
        if cell.leg is not None and not cell.leg.beside:
            ways.setdefault(cell.leg.way, {}).setdefault(cell.leg.hop, set()).add(said(cell))
    found = {_of_hops(list(hops.values())) for hops in ways.values()}
    if not found or None in found:
        return None
    return found.pop() if len(found) == 1 else Verdict.MIXED


def _of_hops(hops: Sequence[set[Verdict | None]]) -> Verdict | None:
    """Return what becomes of one way; None where no hop stops it and one of them says nothing."""
    single = {next(iter(each)) for each in hops if len(each) == 1}
    if Verdict.DENIED in single:
        return Verdict.DENIED
    if any(None in each for each in hops):
        return None
    return way_verdict(each or Verdict.MIXED for each in (*single, *_several(hops)))


def _several(hops: Sequence[set[Verdict | None]]) -> Iterator[Verdict]:
    return (Verdict.MIXED for each in hops if len(each) > 1)


def wrong(cell: Cell, expect: Expect | None) -> bool:
    """Return whether a measurement is not what a row expects; if nothing, what was predicted.

    What a row expects is said of all of a call, so its hops are held to what was predicted.
    """
    if expect is None or cell.leg is not None:
        return cell.agreement is Agreement.DIFFERS
    return cell.measured not in (None, expect.verdict)


@dataclass(frozen=True, slots=True)
class RowCounts:
    """How many rows came to what; the first four add up to the total."""

    passed: int
    failed: int
    inconclusive: int
    errors: int
    total: int


@dataclass(frozen=True, slots=True)
class CellCounts:
    """How many cells came to what; the first four add up to the total.

    Args:
        agrees: Measured as predicted.
        differs: Measured otherwise.
        inconclusive: Measured, and proves nothing.
        not_measurable: Not sent.
        total: All cells.
        controls: Flows that were sent besides, as positive controls.
    """

    agrees: int
    differs: int
    inconclusive: int
    not_measurable: int
    total: int
    controls: int = 0


@dataclass(frozen=True, slots=True)
class MeasuredMatrix:
    """The answer to `verify --on lab`.

    Args:
        results: One for each row, in the order of the files.
        diagnostics: What is wrong with the tests themselves, sorted.
        controls: Flows sent besides, to find a positive control.
        notes: What there is to know about all of it.
        runner: Who answered.
    """

    results: tuple[MeasuredRow, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    controls: tuple[Flow, ...] = ()
    notes: tuple[str, ...] = ()
    runner: str = "lab"

    def __iter__(self) -> Iterator[MeasuredRow]:
        """Iterate over the results."""
        return iter(self.results)

    @property
    def cells(self) -> Iterable[Cell]:
        """Iterate over every cell."""
        return (cell for row in self.results for cell in row.cells)

    @property
    def rows(self) -> RowCounts:
        """How many rows came to what."""
        found = dict.fromkeys(RowStatus, 0)
        for row in self.results:
            found[row.status] += 1
        return RowCounts(
            passed=found[RowStatus.PASSED],
            failed=found[RowStatus.FAILED],
            inconclusive=found[RowStatus.INCONCLUSIVE],
            errors=found[RowStatus.ERROR],
            total=len(self.results),
        )

    @property
    def counts(self) -> CellCounts:
        """How many cells came to what."""
        found = dict.fromkeys(Agreement, 0)
        for cell in self.cells:
            found[cell.agreement] += 1
        return CellCounts(
            agrees=found[Agreement.AGREES],
            differs=found[Agreement.DIFFERS],
            inconclusive=found[Agreement.INCONCLUSIVE],
            not_measurable=found[Agreement.NOT_MEASURABLE],
            total=sum(found.values()),
            controls=len(self.controls),
        )

    @property
    def passed(self) -> bool:
        """Whether every row is as expected, and every cell as predicted."""
        rows, cells = self.rows, self.counts
        return self.complete and rows.passed == rows.total and not cells.differs

    @property
    def complete(self) -> bool:
        """Whether every row could be asked and measured, and every test document be read."""
        rows = self.rows
        broken = any(d.severity is Severity.ERROR for d in self.diagnostics)
        return not (rows.errors or rows.inconclusive or broken)
