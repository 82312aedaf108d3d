"""What speaks for each call that is let through, and what somebody has to be asked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from cloison.analyses.contract.compile.model import Result
from cloison.analyses.draft.model import Sure
from cloison.analyses.past.link import Link
from cloison.analyses.past.watch import UNWATCHED, Watch
from cloison.analyses.recommend.ready import Readiness
from cloison.base import Diagnostic, Severity
from cloison.intent import Contract, Dependency
from cloison.resources.world import WorkloadId


class Ground(StrEnum):
    """What a call is let through for."""

    CONTRACT = "contract"
    """Somebody owns the reason."""
    MANIFEST = "manifest"
    """Settings of workloads, or what leads traffic to them, say so."""
    OBSERVED = "observed"
    """It was seen, and nothing speaks against it."""


class Asking(StrEnum):
    """Why somebody is asked about calls."""

    DENIED = "denied"
    PERSON = "person"
    SCAN = "scan"
    UNCLEAR = "unclear"
    EXPIRED = "expired"
    """Its entry of the contract counts no more."""
    STRANGER = "stranger"
    """An end of it is nobody whom the input holds."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a call.

    Args:
        grounds: What it is let through for, the weightiest first.
        count: How many connections got through.
        denied: How many policy stopped.
        first: When it was seen first; microseconds since 1970.
        last: When it was seen last.
        hours: In how many hours connections got through.
        pods: How many pods are known to have opened them.
        sources: Which sources of flows tell of it.
        hints: What manifests say of it, with the places.
        sure: How sure all that is.
        why: Why it is as sure as that.
        ports: How many connections got through on each port, where they differ.
    """

    grounds: tuple[Ground, ...]
    count: int = 0
    denied: int = 0
    first: int | None = None
    last: int | None = None
    hours: int = 0
    pods: int = 0
    sources: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    sure: Sure = Sure.LOW
    why: str = ""
    ports: tuple[tuple[str, int], ...] = ()

    @property
    def seen(self) -> bool:
        """Whether connections were seen to get through."""
        return self.count > 0


@dataclass(frozen=True)
class Backed:
    """A call that is let through, and what speaks for it.

    Args:
        entry: It, as a dependency of the contract that is compiled.
        evidence: What speaks for it.
        links: What was seen of it.
        notes: What else there is to know of it.
        review: The day by which somebody has to look at it again; None where that is not needed.
        widened: How many addresses are let through besides those that were seen.
    """

    entry: Dependency
    evidence: Evidence
    links: tuple[Link, ...] = ()
    notes: tuple[str, ...] = ()
    review: date | None = None
    widened: int = 0


@dataclass(frozen=True)
class Question:
    """Calls that were seen and are not let through, unless somebody says so.

    Args:
        asking: Why it is asked.
        ends: Who called whom, for people.
        why: What is known of it, as part of a sentence.
        links: What was seen; empty for what has no place in the input.
        count: How many connections got through.
        denied: How many policy stopped.
        first: When it was seen first; microseconds since 1970.
        last: When it was seen last.
        write: The entry of a contract that lets it through; None where there is none to write.
    """

    asking: Asking
    ends: tuple[str, str]
    why: str
    links: tuple[Link, ...] = ()
    count: int = 0
    denied: int = 0
    first: int | None = None
    last: int | None = None
    write: str | None = None

    @property
    def ports(self) -> tuple[str, ...]:
        """With what, each once."""
        keys = [each.key for each in self.links]
        said = (k.protocol if k.port < 0 else f"{k.port}/{k.protocol}" for k in keys)
        return tuple(dict.fromkeys(said))


@dataclass(frozen=True)
class OfPlatform:
    """What was seen of something that the platform does.

    Args:
        role: What: `dns`, `probes`, `metrics`, `telemetry`.
        links: What was seen.
    """

    role: str
    links: tuple[Link, ...]


@dataclass(frozen=True)
class Fused:
    """Flows, manifests and contract as one contract.

    Args:
        contract: It.
        backed: Its dependencies and what speaks for each, in the same order.
        questions: What is not let through unasked.
        platform: What was seen of the platform.
        watch: When anybody watched.
        called: Whom CronJobs are known to call, whether anybody saw it or not.
    """

    contract: Contract
    backed: tuple[Backed, ...] = ()
    questions: tuple[Question, ...] = ()
    platform: tuple[OfPlatform, ...] = ()
    watch: Watch = UNWATCHED
    called: Mapping[WorkloadId, frozenset[WorkloadId]] = field(default_factory=dict)

    @property
    def expected(self) -> Iterator[Link]:
        """The edges that were seen and have to pass, each once."""
        found = {each.key: each for one in self.backed for each in one.links}
        found |= {each.key: each for one in self.platform for each in one.links}
        yield from (found[key] for key in sorted(found))

    @property
    def refused(self) -> Iterator[Link]:
        """The edges that were seen and must not pass."""
        for each in self.questions:
            yield from each.links


@dataclass(frozen=True)
class Unproved:
    """An edge of which the policies do not do what they should.

    Args:
        link: The edge.
        why: Why not, as part of a sentence.
    """

    link: Link
    why: str


@dataclass(frozen=True)
class Proof:
    """What the policies do with what was seen.

    Args:
        expected: How many edges have to pass.
        lost: Those that do not.
        unsure: Those of which nobody can say.
        refused: How many edges must not pass.
        leaks: Those that do.
        ungoverned: How many of these no policy here is about.
        opened: Between how many pairs of ends more passes than today.
        closed: Between how many less.
        changed: Between how many something else.
    """

    expected: int = 0
    lost: tuple[Unproved, ...] = ()
    unsure: tuple[Unproved, ...] = ()
    refused: int = 0
    leaks: tuple[Unproved, ...] = ()
    ungoverned: int = 0
    opened: int = 0
    closed: int = 0
    changed: int = 0


@dataclass(frozen=True)
class Recommended:
    """What is recommended.

    Args:
        fused: What it is made of.
        result: The policies, and what they do.
        proof: What they do with what was seen.
        findings: All there is to know of it, sorted.
        store: Where flows are from; None where there are none.
        namespaces: The namespaces that were asked for; empty for all.
        readiness: How far workloads may be restricted.
    """

    fused: Fused
    result: Result
    proof: Proof
    findings: tuple[Diagnostic, ...]
    store: str | None = None
    namespaces: tuple[str, ...] = ()
    readiness: tuple[Readiness, ...] = ()

    @property
    def policies(self) -> int:
        """How many policies there are."""
        return self.result.policies

    @property
    def workloads(self) -> Sequence[WorkloadId]:
        """Whom they are for."""
        return tuple(sorted({w for each in self.result.files for w in each.sheet.workloads}))

    @property
    def proved(self) -> bool:
        """Whether the policies do what they should."""
        return not any(each.severity is Severity.ERROR for each in self.findings)
