"""`lab trace` as published."""

from collections.abc import Iterator, Sequence

from cloison.analyses.measured import Agreement, Arrival
from cloison.analyses.traced import Met, Trace
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Direction
from cloison.report.about import About
from cloison.report.documents import measured, parts
from cloison.report.documents.why import DecidedBy, decided_by


class MetSaid(parts.Base, frozen=True):
    """A place on the way where packets are counted.

    `predicted` are rules any of which may count them; it is empty where nothing was predicted, and
    `counted` where nothing counted.
    """

    direction: Direction | None
    predicted: list[DecidedBy]
    counted: list[measured.CountedSaid]
    agrees: bool


class Traced(parts.Envelope, frozen=True):
    """One connection that was sent in a lab, and what its packets met.

    `rulesCompared` is false where the rules on the way could not be predicted. `others` is how many
    flows the question means besides.
    """

    flow: measured.FlowSaid
    predicted: Verdict
    outcome: Arrival | None
    verdict: Verdict | None
    agreement: Agreement
    agrees: bool
    control: measured.ControlSaid | None
    reason: str | None
    path: list[MetSaid]
    rules_compared: bool
    decided_by: list[DecidedBy]
    caveats: list[parts.CaveatSaid]
    others: int
    notes: list[str]


DOCUMENT = Traced


def document(result: Trace, about: About) -> Traced:
    """Return a trace as published."""
    cell = result.cell
    return Traced(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=list(parts.findings(about)),
        flow=measured.flow(cell.flow),
        predicted=cell.predicted,
        outcome=cell.arrival,
        verdict=cell.measured,
        agreement=cell.agreement,
        agrees=result.agrees,
        control=measured.control(cell.control),
        reason=cell.reason,
        path=[_met(each) for each in result.met],
        rules_compared=result.compared,
        decided_by=[decided_by(d) for d in cell.decided_by],
        caveats=parts.caveats(cell.caveats),
        others=result.others,
        notes=list(result.notes),
    )


def _met(known: Met) -> MetSaid:
    return MetSaid(
        direction=known.direction,
        predicted=[decided_by(d) for d in known.predicted],
        counted=[measured.counted(c) for c in known.counted],
        agrees=known.agrees,
    )


HEADER = ("direction", "predicted", "counted", "packets", "file", "line")


def rows(result: Trace) -> Iterator[Sequence[object]]:
    """Iterate over the places on the way."""
    for met in result.met:
        predicted = "; ".join(d.text for d in met.predicted)
        if not met.counted:
            yield (str(met.direction or ""), predicted, "", 0, "", "")
        for each in met.counted:
            span = each.decider.span
            yield (
                str(met.direction or ""),
                predicted,
                each.decider.text,
                each.packets,
                span.file if span else "",
                span.line if span else "",
            )
