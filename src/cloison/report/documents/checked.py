"""`contract check` as published."""

from collections.abc import Iterator, Sequence

from cloison.analyses.contract.breach import Breach
from cloison.analyses.contract.breach import Side as End
from cloison.analyses.contract.examine import Check
from cloison.analyses.contract.prove import Proof, Status
from cloison.analyses.parties import Party
from cloison.intent import Dependency
from cloison.ir.fidelity import Verdict
from cloison.report.about import About, Judged
from cloison.report.documents import parts
from cloison.report.documents.ends import party
from cloison.report.documents.judged import Counted, SuppressedFinding, counted, suppressed
from cloison.resources.objects import NAMESPACE_NAME_LABEL


class LetThrough(parts.Base, frozen=True):
    """What lets a flow through: a rule, or that nobody isolates."""

    text: str
    policy: parts.PolicyRef | None
    rule: int | None
    file: str | None
    line: int | None
    column: int | None


class Counterexample(parts.Base, frozen=True):
    """A flow that a guardrail forbids, and that is permitted or may be.

    `request` is one with which it passes, null where every one does; `given` what else has to
    hold. `why` are the arguments with which `cloison why` shows it. `pods` says what a pod would
    be like that does not exist yet.
    """

    src: parts.Endpoint
    dst: parts.Endpoint
    traffic: list[parts.Traffic]
    verdict: Verdict
    request: str | None
    given: str | None
    port: str
    decided_by: list[LetThrough]
    mend: str
    why: list[str]
    pods: list[str]
    caveats: list[str]


class GuardrailProved(parts.Base, frozen=True):
    """What came of a guardrail. It holds only where it was proved for every flow.

    `more` says whether other pairs of ends are in the same case as the counterexamples, `caveats`
    what it stands on.
    """

    name: str
    status: Status
    reason: str | None
    owner: str | None
    counterexamples: list[Counterexample]
    more: bool
    caveats: list[str]
    message: str | None
    help: str | None
    file: str | None
    line: int | None


class DependencySaid(parts.Base, frozen=True):
    """A dependency, how many edges it comes to here, and what it leaves open of ten primitives."""

    name: str
    from_: str
    to: str
    ports: list[str]
    owner: str | None
    reason: str | None
    expires: str | None
    edges: int
    blank: list[str]
    file: str | None
    line: int | None


class Placed(parts.Base, frozen=True):
    """What the contract says of a workload."""

    workload: parts.WorkloadEndpoint
    zone: str | None
    class_: str | None
    owner: str | None
    asset: str | None


class GuardrailCounts(parts.Base, frozen=True):
    """How many guardrails came out how."""

    holds: int
    broken: int
    undetermined: int
    unasked: int


class Checked(parts.Envelope, frozen=True):
    """What came of a contract: its guardrails, its dependencies, and what is wrong with it."""

    contracts: list[str]
    today: str
    guardrails: list[GuardrailProved]
    counts: GuardrailCounts
    dependencies: list[DependencySaid]
    workloads: list[Placed]
    caveats: list[parts.CaveatSaid]
    findings: list[parts.Finding]
    suppressed: list[SuppressedFinding]
    summary: Counted


DOCUMENT = Checked


def document(result: Judged[Check], about: About) -> Checked:
    """Return what came of a contract as published."""
    found = result.answer
    edges: dict[str, int] = {}
    for edge in found.edges.edges:
        edges[edge.entry.name] = edges.get(edge.entry.name, 0) + 1
    return Checked(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=parts.findings(about),
        contracts=list(found.contract.names),
        today=found.today.isoformat(),
        guardrails=[_proof(each) for each in found.proofs],
        counts=GuardrailCounts(**{str(each): found.count(each) for each in Status}),
        dependencies=[
            _dependency(each, edges.get(each.name, 0), found.blanks.get(each.name, ()))
            for each in found.contract.dependencies
        ],
        workloads=[
            Placed(
                workload=parts.WorkloadEndpoint(
                    namespace=name.namespace, name=name.name, type=name.kind
                ),
                zone=place.zone,
                class_=place.workload_class,
                owner=place.owner,
                asset=place.asset,
            )
            for name, place in found.placed.places.items()
        ],
        caveats=parts.caveats(sorted({c for proof in found.proofs for c in proof.caveats})),
        findings=[parts.finding(each) for each in result.findings],
        suppressed=suppressed(result.suppressed),
        summary=counted(result),
    )


def _proof(proof: Proof) -> GuardrailProved:
    span = proof.guardrail.span
    return GuardrailProved(
        name=proof.guardrail.name,
        status=proof.status,
        reason=proof.guardrail.reason,
        owner=proof.guardrail.owner,
        counterexamples=[_counterexample(each) for each in proof.breaches],
        more=proof.more,
        caveats=parts.caveat_ids(proof.caveats),
        message=proof.message,
        help=proof.help,
        file=span.file if span else None,
        line=span.line if span else None,
    )


def _counterexample(breach: Breach) -> Counterexample:
    case = breach.answer.case
    return Counterexample(
        src=_end(breach.source, case.source),
        dst=_end(breach.destination, case.destination),
        traffic=parts.traffic(breach.traffic),
        verdict=breach.verdict,
        request=None if breach.request is None else str(breach.request),
        given=breach.given or None,
        port=breach.port,
        decided_by=[
            LetThrough(
                text=each.text,
                policy=parts.policy_ref(each.policy) if each.policy else None,
                rule=each.rule,
                file=each.span.file if each.span else None,
                line=each.span.line if each.span else None,
                column=each.span.column if each.span else None,
            )
            for each in breach.deciders
        ],
        mend=breach.mend,
        why=list(breach.arguments),
        pods=[e.text for e in (breach.source, breach.destination) if e.kind == "any-pod"],
        caveats=parts.caveat_ids(breach.caveats),
    )


def _end(end: End, known: Party) -> parts.Endpoint:
    if end.addresses is not None:
        return parts.addresses(end.addresses)
    if end.kind == "any-pod" and known.endpoint is not None:
        home = {NAMESPACE_NAME_LABEL: known.endpoint.namespace}
        return parts.AnyPodEndpoint(
            namespace_selector=parts.Selector(match_labels=home),
            pod_selector=parts.Selector(match_labels=dict(sorted(known.endpoint.labels.items()))),
        )
    if known.endpoint is not None:
        name = known.endpoint.workload
        return parts.WorkloadEndpoint(namespace=name.namespace, name=name.name, type=name.kind)
    return party(known)


def _dependency(entry: Dependency, edges: int, blank: Sequence[str]) -> DependencySaid:
    return DependencySaid(
        name=entry.name,
        from_=entry.source.text,
        to=entry.destination.text,
        ports=[each.text for each in entry.ports],
        owner=entry.owner,
        reason=entry.reason,
        expires=None if entry.expires is None else entry.expires.isoformat(),
        edges=edges,
        blank=list(blank),
        file=entry.span.file if entry.span else None,
        line=entry.span.line if entry.span else None,
    )


HEADER = (
    "guardrail",
    "status",
    "source",
    "destination",
    "traffic",
    "verdict",
    "decided_by",
    "file",
    "line",
)


def rows(result: Judged[Check]) -> Iterator[Sequence[object]]:
    """Iterate over guardrails: one row for each counterexample, one for those without."""
    for proof in result.answer.proofs:
        span = proof.guardrail.span
        place = (span.file if span else "", span.line if span else "")
        name, status = proof.guardrail.name, str(proof.status)
        for each in proof.breaches:
            by = "; ".join(d.text for d in each.deciders)
            ends = (each.source.text, each.destination.text)
            yield (name, status, *ends, str(each.traffic), str(each.verdict), by, *place)
        if not proof.breaches:
            yield (name, status, "", "", "", "", "", *place)
