"""What drift is told in: a sign that a check sees, and the finding that comes of it over time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cloison.analyses.ask import Question
from cloison.analyses.drift.windows import STANDING, Pace
from cloison.analyses.past.course import NEVER, Course
from cloison.base import Severity, Span
from cloison.resources.world import WorkloadId


class Code(StrEnum):
    """What has drifted."""

    UNUSED = "D1"
    DENIED = "D2"
    NEW_FLOW = "D3"
    UNPROTECTED = "D4"
    SELECTS_NOBODY = "D5"
    LABELS = "D6"
    AGENT = "D7"
    NOT_ENFORCED = "D8"
    BROAD = "D9"
    BYPASS = "D10"
    EXPIRED = "D11"
    RANGES = "D12"


TITLES: Final[Mapping[Code, str]] = {
    Code.UNUSED: "allowed but no longer used",
    Code.DENIED: "denied again and again",
    Code.NEW_FLOW: "new flow without a record",
    Code.UNPROTECTED: "workload without policy",
    Code.SELECTS_NOBODY: "policy that selects nothing",
    Code.LABELS: "namespace label changed",
    Code.AGENT: "agent of the network plugin failing",
    Code.NOT_ENFORCED: "enforcement not in force",
    Code.BROAD: "broad egress",
    Code.BYPASS: "bypass of a gateway or proxy",
    Code.EXPIRED: "expired exception",
    Code.RANGES: "provider's addresses moved",
}


class State(StrEnum):
    """How far a finding has come."""

    NEW = "new"
    """Seen for the first time in the newest windows, and not often enough yet."""
    SUSPECT = "suspect"
    """Seen, and not often enough to be told from a one-off."""
    CONFIRMED = "confirmed"
    ACKNOWLEDGED = "acknowledged"
    """Confirmed, and accepted by somebody until a day."""
    RESOLVED = "resolved"
    """It was confirmed, and was not seen for long enough."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What a finding is known by again, however pods, labels and lines change.

    Args:
        code: What has drifted.
        source: The workload that calls, or the object that it is about.
        destination: The workload, block or name that is called, or the part that it is about.
        protocol: The protocol, where there is one.
        port: The port, or ports, as text.
    """

    code: Code
    source: str
    destination: str = ""
    protocol: str = ""
    port: str = ""

    def __str__(self) -> str:
        """Render as baselines and `--accept` take it."""
        parts = (self.source, self.destination, self.protocol, self.port)
        told = "|".join(part.replace("|", "/") for part in parts)
        return f"{self.code}|{told.rstrip('|')}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that a finding stands on.

    Args:
        text: What it says, in a sentence without its end.
        span: Where that is written.
    """

    text: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Atom:
    """The part of a policy that a finding is about.

    Args:
        text: `NetworkPolicy web/portal ingress rule 1`.
        span: Where it is written.
    """

    text: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A change that would settle a finding.

    Args:
        text: What to do, in one line.
        manifest: The objects as they should be; empty where words have to do.
        lines: What of it is new, for people; empty where it is all of the manifest.
    """

    text: str
    manifest: str = ""
    lines: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of an object that policies depend on.

    Args:
        text: What was done to what.
        time: When, in microseconds since 1970; None where only the order is known.
        user: By whom; None where that is not told.
        namespace: Where the object lives; empty for one of the whole cluster.
        kind: Its kind, as audit logs write it: `networkpolicies`.
        name: Its name.
        labels: The object's labels afterwards, where the record shows them.
    """

    text: str
    time: int | None = None
    user: str | None = None
    namespace: str = ""
    kind: str = ""
    name: str = ""
    labels: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Sign:
    """What a check sees, before anybody says how long it has been so.

    Args:
        key: What it is known by.
        severity: How bad it is if it stays.
        message: What is so, in one line.
        help: What to do.
        workloads: Whom it is about.
        course: When it was seen; hours of `NEVER` for what is so now.
        pace: How often it has to be seen.
        evidence: What it stands on.
        atom: The part of a policy that it is about.
        asked: What `why` would be asked about it.
        doubt: Why it is no more than suspected, however often it was seen.
        namespaces: Where a change may explain it.
        meant: Whether the contract means the edge.
        allow: What would allow or record it.
        remove: What would put an end to it.
        group: What signs have in common that are one finding; empty for one of its own.
        brief: What is so, in a few words for a table; empty for the message.
        covers: Keys of the flows that it is about, where that is another one than its own.
        dark: Whether it counts in hours, too, in which too much was lost to judge flows.
        place: Where one would look first, where that is not the part of the policy: what a
            workload or a namespace is written in.
    """

    key: Key
    severity: Severity
    message: str
    help: str
    workloads: tuple[WorkloadId, ...] = ()
    course: Course = NEVER
    pace: Pace = STANDING
    evidence: tuple[Evidence, ...] = ()
    atom: Atom | None = None
    asked: Question | None = None
    doubt: str | None = None
    namespaces: tuple[str, ...] = ()
    meant: bool = False
    allow: Step | None = None
    remove: Step | None = None
    group: tuple[str, ...] = ()
    brief: str = ""
    covers: tuple[Key, ...] = ()
    dark: bool = False
    place: Span | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A row of a baseline: drift that somebody answers for, until a day.

    Args:
        key: The key, or a pattern of one: `*` stands for any text.
        owner: Who answers for it.
        until: The last day on which it counts, as `2027-01-31`; None for ever.
        reason: Why.
    """

    key: str
    owner: str
    until: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that has drifted.

    Args:
        sign: What is so.
        state: How far it has come.
        new: Whether it was confirmed since the last run, or in the time asked about.
        first: When it was seen first; an hour since 1970, None for what has no time.
        last: When it was seen last.
        confirmed: The hour in which it was confirmed.
        resolved: The hour in which it was over.
        preceded: The first change that could explain it.
        accepted: Who answers for it.
        members: Signs that it stands for, where several were put together.
    """

    sign: Sign
    state: State
    new: bool
    first: int | None = None
    last: int | None = None
    confirmed: int | None = None
    resolved: int | None = None
    preceded: Change | None = None
    accepted: Accepted | None = None
    members: tuple[Sign, ...] = ()

    @property
    def key(self) -> Key:
        """What it is known by."""
        return self.sign.key

    @property
    def counts(self) -> bool:
        """Whether it is drift that nobody knew of and nobody accepted."""
        return self.new and self.state in (State.CONFIRMED, State.RESOLVED)


@dataclass(frozen=True, slots=True)
class Unjudged:
    """What could not be judged, and why.

    Args:
        code: Which check.
        reason: Why, in a sentence without its end.
        count: How many edges, rules or hours.
        noun: What is counted.
    """

    code: Code
    reason: str
    count: int
    noun: str = "edge"


@dataclass(frozen=True, slots=True)
class Row:
    """One workload's part of the report: names and counts ready to print.

    Args:
        workload: Which.
        expected: What it is meant to call, as edges.
        new: Observed and without record.
        denied: Observed and denied again and again.
        unused: Permitted and not used any more.
        actions: What to do, the worst first, each with the check that says so.
    """

    workload: WorkloadId
    expected: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drift:
    """What has drifted.

    Args:
        findings: Everything that is told, what counts first, then by severity and key.
        suspects: What was seen too seldom to be told from a one-off.
        unjudged: What could not be judged.
        rows: By workload.
        checks: Which checks were made.
        store: Where flows are from; None where nobody watched.
        first: The first hour that was watched.
        last: The last.
        covered: How many hours between them are covered.
        lost: Events that sources say they lost.
        learning: The first hour in which a new flow counts as such; None without flows.
        against: What the cluster is compared with, in words; None for nothing.
        gone: Keys of what stood in the last run, and is so no more.
        unread: Places that nobody could read, because of which checks were not made.
    """

    findings: tuple[Finding, ...]
    suspects: tuple[Finding, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()
    rows: tuple[Row, ...] = ()
    checks: tuple[Code, ...] = ()
    store: str | None = None
    first: int | None = None
    last: int | None = None
    covered: int = 0
    lost: int = 0
    learning: int | None = None
    against: str | None = None
    gone: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def new(self) -> tuple[Finding, ...]:
        """Drift that nobody knew of and nobody accepted."""
        return tuple(each for each in self.findings if each.counts)


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of a finding.

    Args:
        state: How far it had come.
        first: When it was seen first; an hour since 1970.
        last: When it was seen last.
        confirmed: When it was confirmed.
        resolved: When it was over.
    """

    state: State
    first: int | None = None
    last: int | None = None
    confirmed: int | None = None
    resolved: int | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of the last run.

    Args:
        began: The first hour that was ever watched; None where nobody did.
        until: The last hour that was judged.
        findings: Findings by their keys as text.
        labels: Labels of namespaces, by namespace.
        ranges: Blocks of providers' lists, by external.
        policies: Digest of the policies.
        since: The first hour of which it is certain that policies were what they are now.
        learned: Keys of flows that were there while everything was new.
        ran: Whether there was a last run at all.
        every_label: Whether all labels are remembered, and not only those that selectors used.
    """

    began: int | None = None
    until: int | None = None
    findings: Mapping[str, Known] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    ranges: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    policies: str = ""
    since: int | None = None
    learned: frozenset[str] = frozenset()
    ran: bool = False
    every_label: bool = True


BLANK: Final = Memory()
"""Nothing is remembered."""
