"""`recommend` as published."""

from collections.abc import Iterator, Sequence

from cloison.analyses.past.link import Link
from cloison.analyses.past.watch import Watch
from cloison.analyses.recommend.model import (
    Aside,
    Asking,
    Backed,
    Ground,
    Proof,
    Question,
    Recommended,
)
from cloison.analyses.recommend.ready import Readiness
from cloison.report.about import About, Judged
from cloison.report.documents import compiled, parts
from cloison.report.documents.judged import Counted, SuppressedFinding, counted, suppressed
from cloison.report.documents.reconciled import told_time

HOUR = 3_600_000_000


class FlowsWatched(parts.Base, frozen=True):
    """When anybody watched: `watched` of `hours` between `first` and `last`, which are in UTC.

    `gaps` are stretches of hours in which nobody did, `lost` the events that sources say they lost.
    """

    store: str | None
    first: str | None
    last: str | None
    hours: int
    watched: int
    gaps: list[tuple[str | None, str | None]]
    lost: int


class PortBacked(parts.Base, frozen=True):
    """What speaks for one port of a call: one that was seen, or that manifests name.

    `connections` got through on it between `first` and `last`, which are null where it was not
    seen. `confidence` is `low`, `medium` or `high`, and `why` why.
    """

    port: str
    connections: int
    first: str | None
    last: str | None
    sources: list[str]
    confidence: str
    why: str


class CallBacked(parts.Base, frozen=True):
    """What speaks for a call that is let through.

    `grounds` are `contract`, `manifest`, `observed`. `connections` got through, `denied` were
    stopped by policy, `hours` is how many hours saw any, `pods` how many pods are known to have
    opened them. `hints` is what manifests say. `confidence` is `low`, `medium` or `high`: that of
    the least sure of the ports that were seen. `ports` has each port by itself.
    """

    grounds: list[Ground]
    connections: int
    denied: int
    first: str | None
    last: str | None
    hours: int
    pods: int
    sources: list[str]
    hints: list[str]
    confidence: str
    why: str
    ports: list[PortBacked]


class CallRecommended(parts.Base, frozen=True):
    """A call that is let through.

    `edges` are the observed ones that it stands for. `review` is the day by which somebody has to
    look at it again. `widened` counts addresses that are let through besides those that were seen.
    `refused` is why it is not let through after all, or not in whole; null where it is.
    """

    name: str
    from_: str
    to: str
    ports: list[str]
    owner: str | None
    reason: str | None
    expires: str | None
    evidence: CallBacked
    edges: int
    notes: list[str]
    review: str | None
    widened: int
    refused: str | None


class CallAsked(parts.Base, frozen=True):
    """Calls that are not let through unless somebody says so: `write` is the contract's entry."""

    asking: Asking
    from_: str
    to: str
    ports: list[str]
    why: str
    connections: int
    denied: int
    first: str | None
    last: str | None
    write: str | None


class CallAside(parts.Base, frozen=True):
    """Calls that policies of pods are not about: loopback, multicast and the like."""

    from_: str
    to: str
    ports: list[str]
    why: str
    connections: int


class PlatformSeen(parts.Base, frozen=True):
    """What was seen of something that the platform does, as edges."""

    role: str
    edges: list[str]


class EdgeUnproved(parts.Base, frozen=True):
    """An observed edge of which the policies do not do what they should, and why."""

    edge: str
    why: str


class PairOpened(parts.Base, frozen=True):
    """A pair of ends between which more passes than today: what, and what stops it today.

    `shut` is empty where nothing is known of it, as beyond the first 200 pairs.
    """

    from_: str
    to: str
    traffic: str
    shut: list[str]


class RecommendationProved(parts.Base, frozen=True):
    """What the policies do, read back and asked of the engine.

    `expected` edges were seen and have to pass: `lost` do not, of `unsure` nobody can say.
    `refused` must not: `leaks` do, and `ungoverned` of them no policy here is about. `opened`,
    `closed` and `changed` count pairs of ends against what is in force today, and `openings` has
    those between which more passes.
    """

    proved: bool
    expected: int
    lost: list[EdgeUnproved]
    unsure: list[EdgeUnproved]
    refused: int
    leaks: list[EdgeUnproved]
    ungoverned: int
    opened: int
    closed: int
    changed: int
    openings: list[PairOpened]
    policies: compiled.PoliciesReadBack | None


class LackFound(parts.Base, frozen=True):
    """One thing that is missing before a workload can be restricted."""

    lack: str
    text: str


class WorkloadReady(parts.Base, frozen=True):
    """Whether enough was seen of a workload in one direction.

    `unseen` is the share of what happens that may be of edges never seen; null where none was.
    """

    workload: parts.WorkloadEndpoint
    direction: str
    ready: bool
    missing: list[LackFound]
    edges: int
    unseen: float | None
    notes: list[str]


class PoliciesRecommended(parts.Envelope, frozen=True):
    """Policies made of flows, manifests and the contract, what speaks for them, and the proof."""

    contracts: list[str]
    target: str
    directory: str | None
    namespaces: list[str]
    watched: FlowsWatched
    proof: RecommendationProved
    calls: list[CallRecommended]
    questions: list[CallAsked]
    aside: list[CallAside]
    platform: list[PlatformSeen]
    added: list[compiled.PlatformAdded]
    readiness: list[WorkloadReady]
    files: list[compiled.FileCompiled]
    left: list[str]
    findings: list[parts.Finding]
    suppressed: list[SuppressedFinding]
    summary: Counted


DOCUMENT = PoliciesRecommended


def document(result: Judged[Recommended], about: About) -> PoliciesRecommended:
    """Return what is recommended as published."""
    found = result.answer
    inner = compiled.document(Judged(found.result, result.findings, result.suppressed), about)
    return PoliciesRecommended(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=parts.findings(about),
        contracts=inner.contracts,
        target=inner.target,
        directory=inner.directory,
        namespaces=inner.namespaces,
        watched=_watched(found.fused.watch, found.store),
        proof=_proof(found, inner.read_back),
        calls=[_call(each, found.refused.get(each.entry.name)) for each in found.fused.backed],
        questions=[_question(each) for each in found.fused.questions],
        aside=[_aside(each) for each in found.fused.aside],
        platform=[
            PlatformSeen(role=each.role, edges=[str(link.key) for link in each.links])
            for each in found.fused.platform
        ],
        added=inner.added,
        readiness=[_ready(each) for each in found.readiness],
        files=inner.files,
        left=inner.left,
        findings=inner.findings,
        suppressed=suppressed(result.suppressed),
        summary=counted(result),
    )


def _watched(watch: Watch, store: str | None) -> FlowsWatched:
    hours = watch.hours
    return FlowsWatched(
        store=store,
        first=told_time(hours[0] * HOUR) if hours else None,
        last=told_time((hours[-1] + 1) * HOUR) if hours else None,
        hours=hours[-1] - hours[0] + 1 if hours else 0,
        watched=len(hours),
        gaps=[(told_time(a * HOUR), told_time((b + 1) * HOUR)) for a, b in watch.gaps],
        lost=sum(each.events for each in watch.lost),
    )


def _proof(found: Recommended, policies: compiled.PoliciesReadBack | None) -> RecommendationProved:
    proof: Proof = found.proof

    def told(each: tuple[Link, str]) -> EdgeUnproved:
        return EdgeUnproved(edge=str(each[0].key), why=each[1])

    return RecommendationProved(
        proved=found.proved,
        expected=proof.expected,
        lost=[told((each.link, each.why)) for each in proof.lost],
        unsure=[told((each.link, each.why)) for each in proof.unsure],
        refused=proof.refused,
        leaks=[told((each.link, each.why)) for each in proof.leaks],
        ungoverned=proof.ungoverned,
        opened=proof.opened,
        closed=proof.closed,
        changed=proof.changed,
        openings=[
            PairOpened(from_=e.source, to=e.destination, traffic=e.traffic, shut=[*e.shut])
            for e in proof.openings
        ],
        policies=policies,
    )


def _aside(each: Aside) -> CallAside:
    one, other = each.ends
    return CallAside(from_=one, to=other, ports=[*each.ports], why=each.why, connections=each.count)


def _call(each: Backed, refused: str | None) -> CallRecommended:
    entry, found = each.entry, each.evidence
    return CallRecommended(
        name=entry.name,
        from_=entry.source.text,
        to=entry.destination.text,
        ports=[port.text for port in entry.ports],
        owner=entry.owner,
        reason=entry.reason,
        expires=entry.expires.isoformat() if entry.expires else None,
        evidence=CallBacked(
            grounds=list(found.grounds),
            connections=found.count,
            denied=found.denied,
            first=told_time(found.first),
            last=told_time(found.last),
            hours=found.hours,
            pods=found.pods,
            sources=list(found.sources),
            hints=list(found.hints),
            confidence=str(found.sure),
            why=found.why,
            ports=[
                PortBacked(
                    port=one.port,
                    connections=one.count,
                    first=told_time(one.first),
                    last=told_time(one.last),
                    sources=list(one.sources),
                    confidence=str(one.sure),
                    why=one.why,
                )
                for one in found.ports
            ],
        ),
        edges=len(each.links),
        notes=list(each.notes),
        review=each.review.isoformat() if each.review else None,
        widened=each.widened,
        refused=refused,
    )


def _question(each: Question) -> CallAsked:
    return CallAsked(
        asking=each.asking,
        from_=each.ends[0],
        to=each.ends[1],
        ports=list(each.ports),
        why=each.why,
        connections=each.count,
        denied=each.denied,
        first=told_time(each.first),
        last=told_time(each.last),
        write=each.write,
    )


def _ready(each: Readiness) -> WorkloadReady:
    name = each.workload
    return WorkloadReady(
        workload=parts.WorkloadEndpoint(namespace=name.namespace, name=name.name, type=name.kind),
        direction=str(each.direction),
        ready=each.ready,
        missing=[LackFound(lack=str(one.lack), text=one.text) for one in each.missing],
        edges=each.estimate.edges,
        unseen=each.estimate.unseen,
        notes=list(each.notes),
    )


HEADER = ("name", "from", "to", "ports", "grounds", "connections", "hours", "confidence", "why")


def rows(result: Judged[Recommended]) -> Iterator[Sequence[object]]:
    """Iterate over the calls that are let through as rows."""
    refused = result.answer.refused
    for each in result.answer.fused.backed:
        entry, found = each.entry, each.evidence
        lost = refused.get(entry.name)
        yield (
            entry.name,
            entry.source.text,
            entry.destination.text,
            " ".join(port.text for port in entry.ports),
            " ".join(found.grounds),
            found.count,
            found.hours,
            str(found.sure),
            found.why if lost is None else f"not let through: {lost}",
        )
