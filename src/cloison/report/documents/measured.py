"""`verify --on lab` as published."""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from cloison.analyses.measured import (
    Agreement,
    Arrival,
    Cell,
    Control,
    Counted,
    Flow,
    MeasuredMatrix,
    MeasuredRow,
    RowStatus,
)
from cloison.analyses.paths.model import HopRole
from cloison.ir.fidelity import Verdict
from cloison.report.about import About
from cloison.report.documents import parts
from cloison.report.documents.verify import Asked
from cloison.report.documents.why import DecidedBy, decided_by


class FlowSaid(parts.Base, frozen=True):
    """A connection between two ends of the lab.

    `address` and `target` are the addresses they have there, null where they have none; `port` is
    null for ICMP, and `family` null where it is not known. `request` is the HTTP request that is
    made, null where none is.
    """

    from_: str = msgspec.field(name="from")
    to: str
    address: str | None
    target: str | None
    protocol: str
    port: int | None
    family: int | None
    request: str | None


class ControlSaid(parts.Base, frozen=True):
    """A flow that arrived in the same run.

    `same` is what it shares with the closed path: `target` or `source`.
    """

    flow: FlowSaid
    same: Literal["target", "source"]


class CountedSaid(parts.Base, frozen=True):
    """A rule, or the end of a tier, that counted packets."""

    packets: int
    rule: DecidedBy


class LegSaid(parts.Base, frozen=True):
    """Which connection of a call a flow is.

    `way` counts the ways a call may take, `hop` the connections on one, both from 1; `role` says
    what it is for: lookup, entry, backend, proxy or call.
    """

    way: int
    hop: int
    role: HopRole


class CellSaid(parts.Base, frozen=True):
    """One flow of a row, predicted and measured.

    `outcome` is open, refused, forbidden, dropped, no-route or failed, null where nothing was sent.
    `verdict` is what that proves, null where it proves nothing; `reason` then says why, or what a
    proxy said that refused the request. `control` is what
    shows that a closed path is not merely broken. `decidedBy` names what decides, as predicted;
    the row has each with its place. `counted` is what its packets met, where prediction and
    measurement differ. `leg` is null where all of the row is one connection; `seen` is the source
    address that whoever answered saw, null where nobody said so.
    """

    flow: FlowSaid
    predicted: Verdict
    outcome: Arrival | None
    verdict: Verdict | None
    agreement: Agreement
    control: ControlSaid | None
    reason: str | None
    decided_by: list[str]
    counted: list[CountedSaid]
    leg: LegSaid | None
    seen: str | None


class Result(Asked, frozen=True):
    """What came of one expectation.

    `status` is passed, failed, inconclusive or error; an error is a row that could not be asked.
    `verdict` is what was measured, null where that leaves something open; `decidedBy` and
    `caveats` belong to the prediction. `expected` is null where only the prediction was checked.
    """

    predicted: Verdict | None
    passed: bool
    status: RowStatus
    cells: list[CellSaid]
    decided_by: list[DecidedBy]
    caveats: list[parts.CaveatSaid]
    notes: list[str]
    why: str | None
    error: str | None
    help: str | None
    file: str | None
    line: int | None


class Summary(parts.Base, frozen=True):
    """How many rows came to what; the first four add up to the total."""

    passed: int
    failed: int
    inconclusive: int
    errors: int
    total: int


class Cells(parts.Base, frozen=True):
    """How many cells came to what; the first four add up to the total.

    `controls` are flows that were sent besides.
    """

    agrees: int
    differs: int
    inconclusive: int
    not_measurable: int
    total: int
    controls: int


class Measurement(parts.Envelope, frozen=True):
    """Paths that must be open or closed, as a kernel treats them, beside what was predicted."""

    runner: str
    results: list[Result]
    summary: Summary
    cells: Cells
    notes: list[str]


DOCUMENT = Measurement


def document(result: MeasuredMatrix, about: About) -> Measurement:
    """Return a measured matrix as published."""
    said = [*parts.findings(about), *(parts.finding(d) for d in result.diagnostics)]
    rows, cells = result.rows, result.counts
    return Measurement(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=said,
        runner=result.runner,
        results=[_result(r) for r in result],
        summary=Summary(
            passed=rows.passed,
            failed=rows.failed,
            inconclusive=rows.inconclusive,
            errors=rows.errors,
            total=rows.total,
        ),
        cells=Cells(
            agrees=cells.agrees,
            differs=cells.differs,
            inconclusive=cells.inconclusive,
            not_measurable=cells.not_measurable,
            total=cells.total,
            controls=cells.controls,
        ),
        notes=list(result.notes),
    )


def _result(known: MeasuredRow) -> Result:
    row = known.row
    return Result(
        name=row.name,
        from_=row.source,
        to=row.destination,
        port=row.port,
        protocol=row.protocol,
        expected=row.expect,
        verdict=known.measured,
        predicted=known.predicted,
        passed=known.status is RowStatus.PASSED,
        status=known.status,
        cells=[_cell(c) for c in known.cells],
        decided_by=[decided_by(d) for d in known.decided_by],
        caveats=parts.caveats(known.caveats),
        notes=list(known.notes),
        why=row.why,
        error=known.error,
        help=known.help,
        file=row.span.file if row.span else None,
        line=row.span.line if row.span else None,
    )


def _cell(cell: Cell) -> CellSaid:
    leg = cell.leg
    return CellSaid(
        flow=flow(cell.flow),
        predicted=cell.predicted,
        outcome=cell.arrival,
        verdict=cell.measured,
        agreement=cell.agreement,
        control=control(cell.control),
        reason=cell.reason,
        decided_by=[d.text for d in cell.decided_by],
        counted=[counted(c) for c in cell.counted],
        leg=None if leg is None else LegSaid(way=leg.way, hop=leg.hop, role=leg.role),
        seen=cell.seen or None,
    )


def flow(known: Flow) -> FlowSaid:
    """Return a flow as published."""
    return FlowSaid(
        from_=known.source,
        to=known.destination,
        address=known.address or None,
        target=known.target or None,
        protocol=known.protocol,
        port=known.port or None,
        family=known.family or None,
        request=known.request or None,
    )


def control(known: Control | None) -> ControlSaid | None:
    """Return a positive control as published."""
    return ControlSaid(flow=flow(known.flow), same=known.same) if known is not None else None


def counted(known: Counted) -> CountedSaid:
    """Return a rule that counted packets as published."""
    return CountedSaid(packets=known.packets, rule=decided_by(known.decider))


HEADER = (
    "name",
    "status",
    "expected",
    "from",
    "to",
    "protocol",
    "port",
    "family",
    "predicted",
    "outcome",
    "verdict",
    "agreement",
    "control",
    "decidedBy",
    "reason",
    "request",
    "hop",
    "seen",
)


def rows(result: MeasuredMatrix) -> Iterator[Sequence[object]]:
    """Iterate over the cells, one a row; a row without any has one of its own."""
    for known in result:
        row = known.row
        head = (row.name, str(known.status), str(row.expect or ""))
        if not known.cells:
            ends = (row.source, row.destination, row.protocol, row.port or "")
            yield (*head, *ends, *[""] * 7, known.error or "", *[""] * 3)
        for cell in known.cells:
            yield (
                *head,
                cell.flow.source,
                cell.flow.destination,
                cell.flow.protocol,
                cell.flow.port or "",
                cell.flow.family or "",
                str(cell.predicted),
                str(cell.arrival or ""),
                str(cell.measured or ""),
                str(cell.agreement),
                str(cell.control.flow) if cell.control else "",
                "; ".join(d.text for d in cell.decided_by),
                cell.reason or "",
                cell.flow.request,
                str(cell.leg or ""),
                cell.seen,
            )
