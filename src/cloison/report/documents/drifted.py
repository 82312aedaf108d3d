"""`drift` as published."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

from cloison.analyses.drift.model import TITLES, Change, Code, Drift, Finding, State, Step
from cloison.base import Diagnostic, Severity
from cloison.report.about import About, Accepted
from cloison.report.documents import parts
from cloison.report.documents.moments import moment
from cloison.report.documents.reconciled import told_time
from cloison.resources.world import WorkloadId


class DriftEvidence(parts.Base, frozen=True):
    """One thing that a finding stands on."""

    text: str
    place: parts.Place | None


class PolicyPart(parts.Base, frozen=True):
    """The part of a policy, or of the contract, that a finding is about."""

    text: str
    place: parts.Place | None


class Edit(parts.Base, frozen=True):
    """A change that would settle a finding.

    `manifest` holds the objects as they should be, and is empty where words have to do; `lines` is
    what of it is new.
    """

    text: str
    manifest: str
    lines: str


class ChangeSaid(parts.Base, frozen=True):
    """A change of an object, as an audit log tells it."""

    text: str
    time: str | None
    user: str | None


class AcceptedSaid(parts.Base, frozen=True):
    """Who answers for a finding, and the last day on which they do."""

    owner: str
    until: str | None
    reason: str


class DriftFinding(parts.Base, frozen=True):
    """Something that has drifted.

    `key` is what it is known by from run to run, and what baselines accept. `members` are the keys
    of what was put together, where that is several. `new` findings were not known in the last run,
    nor in the time asked about, nor in the version compared with. `preceded` is the last change
    before it that could explain it. `allow` and `remove` settle it, one way or the other.
    """

    code: Code
    key: str
    state: State
    new: bool
    severity: Severity
    message: str
    help: str
    doubt: str | None
    workloads: list[parts.WorkloadEndpoint]
    connections: int
    hours: int
    first: str | None
    last: str | None
    confirmed: str | None
    resolved: str | None
    evidence: list[DriftEvidence]
    policy: PolicyPart | None
    preceded: ChangeSaid | None
    allow: Edit | None
    remove: Edit | None
    accepted: AcceptedSaid | None
    members: list[str]


class NotJudged(parts.Base, frozen=True):
    """What could not be judged, and why."""

    code: Code
    reason: str
    count: int
    noun: str


class WorkloadDrift(parts.Base, frozen=True):
    """One workload: what is expected of it, what is new, denied or unused, and what to do."""

    workload: parts.WorkloadEndpoint
    expected: list[str]
    observed_new: list[str]
    observed_denied: list[str]
    unused: list[str]
    action: str


class Watched(parts.Base, frozen=True):
    """What flows were looked at.

    `covered` counts the hours between `first` and `last` that were told of well enough. From
    `learned` on, new flows count as new.
    """

    store: str
    first: str | None
    last: str | None
    covered: int
    lost: int
    learned: str | None


class DriftCounts(parts.Base, frozen=True):
    """How many findings there are of each state, and how many of them are new."""

    new: int
    confirmed: int
    acknowledged: int
    resolved: int
    suspects: int


class Drifted(parts.Envelope, frozen=True):
    """What has drifted: findings, what counts first.

    `suspects` were seen too seldom to be told from a one-off. `gone` are keys of what stood in the
    last run and is so no more. `flows` is null without a store.
    """

    checks: list[Code]
    against: str | None
    flows: Watched | None
    counts: DriftCounts
    findings: list[DriftFinding]
    suspects: list[DriftFinding]
    gone: list[str]
    not_judged: list[NotJudged]
    workloads: list[WorkloadDrift]


DOCUMENT = Drifted


def document(result: Drift, about: About) -> Drifted:
    """Return drift as published."""
    return Drifted(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=parts.findings(about),
        checks=list(result.checks),
        against=result.against,
        flows=None
        if result.store is None
        else Watched(
            store=result.store,
            first=hour(result.first),
            last=hour(result.last),
            covered=result.covered,
            lost=result.lost,
            learned=hour(result.learning),
        ),
        counts=DriftCounts(
            new=len(result.new),
            confirmed=_count(result, State.CONFIRMED),
            acknowledged=_count(result, State.ACKNOWLEDGED),
            resolved=_count(result, State.RESOLVED),
            suspects=len(result.suspects),
        ),
        findings=[_finding(each) for each in result.findings],
        suspects=[_finding(each) for each in result.suspects],
        gone=list(result.gone),
        not_judged=[
            NotJudged(code=e.code, reason=e.reason, count=e.count, noun=e.noun)
            for e in result.unjudged
        ],
        workloads=[
            WorkloadDrift(
                workload=_workload(row.workload),
                expected=list(row.expected),
                observed_new=list(row.new),
                observed_denied=list(row.denied),
                unused=list(row.unused),
                action="; ".join(row.actions),
            )
            for row in result.rows
        ],
    )


def _count(result: Drift, state: State) -> int:
    return sum(each.state is state for each in result.findings)


def hour(number: int | None) -> str | None:
    """Return an hour since 1970 as published.

    >>> hour(490896)
    '2026-01-01T00:00:00Z'
    """
    return None if number is None else moment(datetime.fromtimestamp(number * 3600, UTC))


def _finding(found: Finding) -> DriftFinding:
    sign = found.sign
    return DriftFinding(
        code=found.key.code,
        key=str(found.key),
        state=found.state,
        new=found.counts,
        severity=sign.severity,
        message=sign.message,
        help=sign.help,
        doubt=sign.doubt,
        workloads=[_workload(each) for each in sign.workloads],
        connections=sign.course.total,
        hours=len(sign.course.hours),
        first=hour(found.first),
        last=hour(found.last),
        confirmed=hour(found.confirmed),
        resolved=hour(found.resolved),
        evidence=[
            DriftEvidence(text=each.text, place=parts.place(each.span)) for each in sign.evidence
        ],
        policy=None
        if sign.atom is None
        else PolicyPart(text=sign.atom.text, place=parts.place(sign.atom.span)),
        preceded=_change(found.preceded),
        allow=_step(sign.allow),
        remove=_step(sign.remove),
        accepted=None
        if found.accepted is None
        else AcceptedSaid(
            owner=found.accepted.owner,
            until=found.accepted.until,
            reason=found.accepted.reason,
        ),
        members=[str(each.key) for each in found.members],
    )


def _step(step: Step | None) -> Edit | None:
    return None if step is None else Edit(text=step.text, manifest=step.manifest, lines=step.lines)


def _change(change: Change | None) -> ChangeSaid | None:
    if change is None:
        return None
    return ChangeSaid(text=change.text, time=told_time(change.time), user=change.user)


def _workload(name: WorkloadId) -> parts.WorkloadEndpoint:
    return parts.WorkloadEndpoint(namespace=name.namespace, name=name.name, type=name.kind)


HEADER = (
    "code",
    "title",
    "state",
    "new",
    "severity",
    "message",
    "workloads",
    "connections",
    "hours",
    "first",
    "last",
    "policy",
    "key",
)


def rows(result: Drift) -> Iterator[Sequence[object]]:
    """Iterate over the findings, one row each, suspects last."""
    for each in (*result.findings, *result.suspects):
        sign = each.sign
        yield (
            str(each.key.code),
            TITLES[each.key.code],
            str(each.state),
            each.counts,
            str(sign.severity),
            sign.message,
            " ".join(map(str, sign.workloads)),
            sign.course.total,
            len(sign.course.hours),
            hour(each.first) or "",
            hour(each.last) or "",
            sign.atom.text if sign.atom else "",
            str(each.key),
        )


def diagnostics(result: Drift) -> tuple[Diagnostic, ...]:
    """Return what is told of findings as other findings are: those that stand, and nobody accepted.

    What was so before is among them: where results are kept, one that is left out would count as
    mended.
    """
    return tuple(map(diagnostic, (e for e in result.findings if e.state is State.CONFIRMED)))


def diagnostic(found: Finding) -> Diagnostic:
    """Return a finding as other findings are."""
    sign = found.sign
    spans = [sign.place, *([sign.atom.span] if sign.atom else [])]
    spans += [each.span for each in sign.evidence]
    return Diagnostic(
        f"DRF{int(found.key.code.removeprefix('D')):03}",
        sign.severity,
        sign.message,
        next((each for each in spans if each is not None), None),
        str(found.key),
        ", ".join(each.text for each in sign.evidence) or None,
        sign.help,
        "Cloison design: drift",
    )


def key_of(found: Diagnostic) -> str:
    """Return what a finding of drift is known by from run to run."""
    return found.object or ""


def title(code: str) -> str | None:
    """Return what a check of drift finds, by the code of its findings; None for others.

    >>> title("DRF002"), title("NPL001")
    ('Denied again and again', None)
    """
    number = code.removeprefix("DRF")
    if number == code:
        return None
    found = TITLES[Code(f"D{int(number)}")]
    return found[0].upper() + found[1:]


def accepted(result: Drift) -> tuple[Accepted, ...]:
    """Return findings that somebody answers for."""
    return tuple(
        Accepted(
            diagnostic(each),
            f"{each.accepted.owner}: {each.accepted.reason}".rstrip(": "),
            None if each.accepted.until is None else date.fromisoformat(each.accepted.until),
        )
        for each in result.findings
        if each.accepted is not None
    )
