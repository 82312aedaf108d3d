"""`reconcile` as published."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from shlex import quote

from cloison.analyses.ends import AddressEnd, PodsEnd
from cloison.analyses.explain import Decider
from cloison.analyses.reconcile.asked import Asked
from cloison.analyses.reconcile.kinds import Because, Cell
from cloison.analyses.reconcile.kinds import Evidence as Found
from cloison.analyses.reconcile.marks import Mark
from cloison.analyses.reconcile.measures import Measures as Numbers
from cloison.analyses.reconcile.measures import Reach as Reached
from cloison.analyses.reconcile.pairs import Unplaced
from cloison.analyses.reconcile.reconciled import EXCESS, Reconciled
from cloison.analyses.reconcile.seen import Loss as Lost
from cloison.analyses.reconcile.surplus import Surplus
from cloison.ir.policy import Action
from cloison.report.about import About
from cloison.report.documents import parts
from cloison.report.documents.ends import ref
from cloison.report.documents.moments import moment
from cloison.report.documents.reconciledparts import (
    AssumedSource,
    CellSaid,
    Counts,
    DecidedBy,
    Excess,
    Flows,
    Intention,
    Loss,
    Measures,
    Missing,
    Observed,
    Reach,
    Stray,
)


class ReconciledSaid(parts.Envelope, frozen=True):
    """What is intended, permitted and observed, side by side.

    `flows` is null where no flows were read: then nobody knows what was observed.
    """

    contracts: list[str]
    flows: Flows | None
    counts: Counts
    cells: list[CellSaid]
    excess: list[Excess]
    sources: list[AssumedSource]
    measures: Measures
    unplaced: list[Stray]
    unmet: list[Missing]
    caveats: list[parts.CaveatSaid]


DOCUMENT = ReconciledSaid


def document(result: Reconciled, about: About) -> ReconciledSaid:
    """Return what was reconciled as published."""
    told = result.told()
    excess = result.told_excess()
    asked = (*(each for _, each in told), *(each.asked for each in excess))
    return ReconciledSaid(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=parts.findings(about),
        contracts=list(result.contracts),
        flows=_flows(result),
        counts=Counts(**{str(kind): number for kind, number in result.counts.items()}),
        cells=[_cell(*each, result) for each in told],
        excess=[_excess(each) for each in excess],
        sources=[_source(each) for each in result.marks],
        measures=_measures(result.measures),
        unplaced=[stray(each) for each in result.cube.unplaced],
        unmet=[Missing(name=e.entry.name, why=e.message, help=e.help) for e in result.cube.unmet],
        caveats=parts.caveats(sorted({c for each in asked for c in each.caveats})),
    )


def _flows(result: Reconciled) -> Flows | None:
    if result.store is None:
        return None
    since, until = map(told_time, result.span)
    return Flows(
        store=result.store,
        adapters=list(result.adapters),
        since=since,
        until=until,
        connections=result.seen,
        lost=[loss(each) for each in result.lost],
        names=list(result.learned),
    )


def loss(each: Lost) -> Loss:
    """Return what a source says it lost, as published."""
    return Loss(
        events=each.events,
        reason=each.reason,
        node=each.node,
        sampled=each.sampled,
        since=told_time(each.since),
        until=told_time(each.until),
        gap=each.gap,
    )


def told_time(time: int | None) -> str | None:
    """Return a time in microseconds since 1970 as published."""
    return None if time is None else moment(datetime.fromtimestamp(time // 1_000_000, UTC))


def _cell(cell: Cell, asked: Asked, result: Reconciled) -> CellSaid:
    return CellSaid(
        kind=cell.kind,
        src=ref(cell.source),
        dst=ref(cell.destination),
        src_name=cell.names[0],
        dst_name=cell.names[1],
        traffic=parts.traffic(cell.traffic),
        permitted=cell.state,
        conditional=cell.conditional,
        intended=[_intention(each) for each in cell.intended],
        observed=_observed(cell.evidence),
        covered=result.cube.covered(cell),
        decided_by=[decided(each) for each in asked.deciders],
        caveats=parts.caveat_ids(asked.caveats),
        denied=asked.denied or None,
        why=list(asked.words) or None,
    )


def _intention(because: Because) -> Intention:
    return Intention(
        name=because.name,
        owner=because.owner,
        implied=because.implied,
        place=parts.place(because.span),
    )


def _observed(found: Found) -> Observed | None:
    if not found and not found.ambiguous:
        return None
    return Observed(
        allowed=found.allowed,
        denied=found.denied,
        audited=found.audited,
        other=found.other,
        ambiguous=found.ambiguous,
        first=told_time(found.first),
        last=told_time(found.last),
        adapters=list(found.adapters),
        closed=found.closed,
    )


def decided(by: Decider) -> DecidedBy:
    """Return what decides, as published."""
    return DecidedBy(
        text=by.text,
        policy=parts.policy_ref(by.policy) if by.policy else None,
        rule=by.rule,
        place=parts.place(by.span),
    )


def _excess(line: Surplus) -> Excess:
    return Excess(
        src=[ref(end) for end in line.sources],
        dst=[ref(end) for end in line.destinations],
        verdict=line.verdict,
        traffic=parts.traffic(line.traffic),
        unobserved=line.unobserved,
        itself=line.itself,
        decided_by=[decided(each) for each in line.asked.deciders],
        caveats=parts.caveat_ids(line.asked.caveats),
        why=list(line.asked.words) or None,
    )


def _source(mark: Mark) -> AssumedSource:
    one = mark.assumed
    return AssumedSource(
        sort=one.sort,
        status=mark.status,
        src=named(one.source),
        dst=named(one.destination),
        traffic=parts.traffic(one.traffic),
        of=one.of,
        because=one.why,
        place=parts.place(one.span),
        observed=_observed(mark.evidence),
        instead=_observed(mark.instead),
        called=list(mark.called),
    )


def named(end: object) -> str:
    """Return what an end is called, its workload without a kind."""
    if isinstance(end, PodsEnd):
        return f"{end.workload.id.namespace}/{end.workload.id.name}"
    return end.text if isinstance(end, AddressEnd) else getattr(end, "text", "")


def _measures(found: Numbers) -> Measures:
    return Measures(
        workloads=found.workloads,
        possible=found.possible,
        admitted=found.admitted,
        permitted=found.permitted,
        needed=found.needed,
        excess=round(found.excess, 4),
        segmentedness=round(found.segmentedness, 4),
        ports_permitted=round(found.ports_allowed, 4),
        ports_needed=round(found.ports_used, 4),
        one_hop=_reach(found.one_hop),
        any_hops=_reach(found.any_hops),
        from_outside=found.from_outside,
        from_outside_any_hops=found.from_outside_hops,
        data=found.data,
        to_data=round(found.to_data, 4),
        to_data_any_hops=round(found.to_data_hops, 4),
    )


def _reach(found: Reached) -> Reach:
    of = None if found.of is None else str(found.of)
    return Reach(mean=round(found.mean, 4), worst=found.worst, of=of)


def stray(each: Unplaced) -> Stray:
    """Return an observed edge whose ends are not known, as published."""
    seen = each.seen
    return Stray(
        src=str(seen.source),
        dst=str(seen.destination),
        protocol=seen.protocol,
        port=seen.port,
        verdict=seen.became,
        count=seen.count,
        why=each.why,
    )


def decides(asked: Asked) -> list[str]:
    """Return what decides in words, after the part that it denies where it is about one."""
    part = [f"denied: {asked.denied}"] if asked.denied else []
    return [*part, *because(asked.deciders)]


def because(deciders: Iterable[Decider]) -> list[str]:
    """Return what decides in words: rules with their places, then why others need none."""
    rules: list[str] = []
    without: list[str] = []
    for by in deciders:
        none = _WITHOUT.get(by.text) if by.action is Action.ALLOW else None
        if none is not None:
            without.append(none.format(by.direction or "it"))
            continue
        text = f"{by.text} ({by.direction})" if by.direction else by.text
        rules.append(f"{text} ({by.span.place})" if by.span else text)
    if without:
        once = ", ".join(dict.fromkeys(without))
        rules.append(f"{once}, so no rule is needed")
    return rules


_WITHOUT = {
    "default": "no policy isolates {}",
    "not policed": "policies do not apply to {}",
    "own node": "a pod's own node has access ({})",
}
"""What is said of what passes without a rule, by what decides."""


def why(asked: Asked, result: Reconciled) -> str:
    """Return the command that shows a cell."""
    return f"cloison why {' '.join(quote(each) for each in (*asked.words, *result.options))}"


HEADER = (
    "kind",
    "source",
    "destination",
    "traffic",
    "permitted",
    "intended_by",
    "owners",
    "allowed",
    "denied",
    "audited",
    "other",
    "first",
    "last",
    "decided_by",
    "why",
    "covered",
)


def rows(result: Reconciled) -> Iterator[Sequence[object]]:
    """Iterate over cells, then excess, a row each."""
    for cell, asked in result.told():
        found = cell.evidence
        yield (
            str(cell.kind),
            *cell.names,
            str(cell.traffic),
            str(cell.state),
            "; ".join(each.name for each in cell.intended),
            "; ".join(dict.fromkeys(each.owner or "" for each in cell.intended)),
            found.allowed,
            found.denied,
            found.audited,
            found.other,
            told_time(found.first) or "",
            told_time(found.last) or "",
            "; ".join(decides(asked)),
            why(asked, result) if asked.words else "",
            _covered(whole=result.cube.covered(cell)),
        )
    for line in result.told_excess():
        if line.permitted:
            yield _row(line, result)


def _row(line: Surplus, result: Reconciled) -> Sequence[object]:
    by = "; ".join(because(line.asked.deciders))
    said = {
        "kind": EXCESS,
        "source": "; ".join(map(str, line.sources)),
        "destination": "itself" if line.itself else "; ".join(map(str, line.destinations)),
        "traffic": str(line.traffic),
        "permitted": "yes",
        "decided_by": by,
        "why": why(line.asked, result) if line.asked.words else "",
        "covered": _covered(whole=not line.unobserved),
    }
    return [said.get(name, "") for name in HEADER]


def _covered(*, whole: bool) -> str:
    return "yes" if whole else "no"
