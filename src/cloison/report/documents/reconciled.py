"""`reconcile` as published."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from shlex import quote

from cloison.analyses.ends import AddressEnd, PodsEnd
from cloison.analyses.explain import Decider
from cloison.analyses.reconcile.asked import Asked
from cloison.analyses.reconcile.kinds import Because, Cell, Kind, State
from cloison.analyses.reconcile.kinds import Evidence as Found
from cloison.analyses.reconcile.marks import Mark, Status
from cloison.analyses.reconcile.measures import Measures as Numbers
from cloison.analyses.reconcile.measures import Reach as Reached
from cloison.analyses.reconcile.pairs import Unplaced
from cloison.analyses.reconcile.reconciled import EXCESS, Reconciled
from cloison.analyses.reconcile.seen import Loss as Lost
from cloison.analyses.reconcile.sources import Sort
from cloison.analyses.reconcile.surplus import Surplus
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Action
from cloison.report.about import About
from cloison.report.documents import parts
from cloison.report.documents.ends import ref
from cloison.report.documents.moments import moment


class Observed(parts.Base, frozen=True):
    """What flows say: connections, when the first and the last of them was seen, and who tells.

    `other` are those of which nobody knows what became, `audited` those that would have been
    stopped by a policy that is not enforced, `ambiguous` those besides with an address that
    several held at that time. Of `closed` cells all that got through did so before the first that
    was stopped.
    """

    allowed: int
    denied: int
    audited: int
    other: int
    ambiguous: int
    first: str | None
    last: str | None
    adapters: list[str]
    closed: bool


class Intention(parts.Base, frozen=True):
    """Why traffic is intended: an entry of the contract, or what the cluster does (`implied`)."""

    name: str
    owner: str | None
    implied: bool
    place: parts.Place | None


class DecidedBy(parts.Base, frozen=True):
    """What decides: a rule, isolation, or a default."""

    text: str
    policy: parts.PolicyRef | None
    rule: int | None
    place: parts.Place | None


class CellSaid(parts.Base, frozen=True):
    """Traffic between two ends of which the three relations say the same.

    `permitted` is `partly` where it is for some pods or addresses only. `conditional` traffic is
    permitted with some requests only. `observed` is null where no flow tells of it; where it is
    healthy then, its entry was seen at the other source it may have, a node or a client. `covered`
    says whether any source tells of one of its ends. `why` are the arguments with which
    `cloison why` shows it, null where it cannot be asked.
    """

    kind: Kind
    src: parts.Endpoint
    dst: parts.Endpoint
    src_name: str
    dst_name: str
    traffic: list[parts.Traffic]
    permitted: State
    conditional: bool
    intended: list[Intention]
    observed: Observed | None
    covered: bool
    decided_by: list[DecidedBy]
    caveats: list[str]
    why: list[str] | None


class Excess(parts.Base, frozen=True):
    """What is permitted, neither intended nor observed: every source to every other destination.

    Whether it is used is not known where it is `unobserved`: no source tells of these ends, some
    flows were lost, or there are none. Where it is of `itself`, each source may call pods of its
    own, and no other destination. `decidedBy` names what lets a few of the pairs through, `why`
    are the arguments with which `cloison why` shows one of them, null where it cannot be asked.
    """

    src: list[parts.Endpoint]
    dst: list[parts.Endpoint]
    verdict: Verdict
    traffic: list[parts.Traffic]
    unobserved: bool
    itself: bool
    decided_by: list[DecidedBy]
    caveats: list[str]
    why: list[str] | None


class AssumedSource(parts.Base, frozen=True):
    """A source that the path model assumes, and what flows say of it.

    It is `refuted` where it was never seen, and others were that could be the same connections:
    these are in `instead`, and `called` names a few of them.
    """

    sort: Sort
    status: Status
    src: str
    dst: str
    traffic: list[parts.Traffic]
    of: str
    because: str
    place: parts.Place | None
    observed: Observed | None
    instead: Observed | None
    called: list[str]


class Reach(parts.Base, frozen=True):
    """How many workloads are reached: on average over who may start, at most, and by whom."""

    mean: float
    worst: int
    of: str | None


class Measures(parts.Base, frozen=True):
    """Least privilege in numbers.

    Counted are (source, destination, port) between workloads, with the ports that destinations
    declare, the contract names or flows show. `excess` is the share of what is permitted that
    nobody means or uses, `segmentedness` the share of what could be permitted that is not.
    `toData` says from how many workloads those that keep data are reached, on average.
    """

    workloads: int
    possible: int
    permitted: int
    needed: int
    excess: float
    segmentedness: float
    ports_permitted: float
    ports_needed: float
    one_hop: Reach
    any_hops: Reach
    from_outside: int
    from_outside_any_hops: int
    data: int
    to_data: float
    to_data_any_hops: float


class Stray(parts.Base, frozen=True):
    """An observed edge that is in no cell, and why."""

    src: str
    dst: str
    protocol: str | None
    port: int | None
    verdict: str
    count: int
    why: str


class Missing(parts.Base, frozen=True):
    """An entry of the contract, or a part of one, that means nothing here."""

    name: str
    why: str
    help: str | None


class Loss(parts.Base, frozen=True):
    """What a source says it lost; of samples, one of `sampled` was recorded.

    A `gap` is a time of which a source tells nothing, though it tells of much in other hours; its
    `reason` is the source. What was lost on a `node` counts for workloads with pods there; for all
    where it is null, or where nobody knows who has.
    """

    events: int
    reason: str
    node: str | None
    sampled: int
    since: str | None
    until: str | None
    gap: bool


class Flows(parts.Base, frozen=True):
    """Where flows are from, when they count, how many connections they tell of, what was lost.

    `names` are those whose addresses are taken from flows, as nobody else says them.
    """

    store: str
    adapters: list[str]
    since: str | None
    until: str | None
    connections: int
    lost: list[Loss]
    names: list[str]


class Counts(parts.Base, frozen=True):
    """How many cells there are of each kind, whichever of them are told."""

    contradicted: int
    broken: int
    attempted: int
    undocumented: int
    undetermined: int
    unused: int
    unobserved: int
    healthy: int


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
            "; ".join(because(asked.deciders)),
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
