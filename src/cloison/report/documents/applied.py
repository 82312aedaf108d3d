"""`lab apply` as published."""

from collections.abc import Iterator, Sequence

from cloison.analyses.applied import Applied, Changed, Deed, Held
from cloison.analyses.measured import Agreement, Arrival
from cloison.ir.fidelity import Verdict
from cloison.report.about import About
from cloison.report.documents import measured, parts
from cloison.report.documents.why import DecidedBy, decided_by


class DoneSaid(parts.Base, frozen=True):
    """What was done with an object.

    It was added, replaced or deleted; applied where it is not known which of the first two.
    """

    deed: Deed
    kind: str
    name: str


class ChangedSaid(parts.Base, frozen=True):
    """A flow that the change opened or closed, as predicted, and what came of a new connection.

    `held` is what became of one that was open before: lived, died, or none where there was none.
    """

    flow: measured.FlowSaid
    opened: bool
    predicted: Verdict
    outcome: Arrival | None
    verdict: Verdict | None
    agreement: Agreement
    held: Held
    reason: str | None
    decided_by: list[DecidedBy]


class Change(parts.Envelope, frozen=True):
    """Policies changed in a lab that runs.

    `flows` are on declared ports; `more` is how many there are besides. `keepsConnections` is what
    the profile says of connections that are open, null where it does not say.
    """

    objects: list[DoneSaid]
    nodes: list[str]
    flows: list[ChangedSaid]
    more: int
    keeps_connections: bool | None
    agrees: bool
    notes: list[str]


DOCUMENT = Change


def document(result: Applied, about: About) -> Change:
    """Return a change as published."""
    return Change(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=list(parts.findings(about)),
        objects=[DoneSaid(deed=d.deed, kind=d.kind, name=d.name) for d in result.done],
        nodes=list(result.nodes),
        flows=[_changed(each) for each in result.flows],
        more=result.more,
        keeps_connections=result.keeps,
        agrees=result.agrees,
        notes=list(result.notes),
    )


def _changed(known: Changed) -> ChangedSaid:
    cell = known.cell
    return ChangedSaid(
        flow=measured.flow(cell.flow),
        opened=known.opened,
        predicted=cell.predicted,
        outcome=cell.arrival,
        verdict=cell.measured,
        agreement=cell.agreement,
        held=known.held,
        reason=cell.reason,
        decided_by=[decided_by(d) for d in cell.decided_by],
    )


HEADER = ("change", "from", "to", "protocol", "port", "family", "outcome", "agreement", "held")


def rows(result: Applied) -> Iterator[Sequence[object]]:
    """Iterate over the flows that changed."""
    for each in result.flows:
        flow = each.cell.flow
        yield (
            "opened" if each.opened else "closed",
            flow.source,
            flow.destination,
            flow.protocol,
            flow.port or "",
            flow.family or "",
            str(each.cell.arrival or ""),
            str(each.cell.agreement),
            str(each.held),
        )
