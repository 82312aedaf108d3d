"""What speaks for each call that is let through, and what somebody has to be asked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from cloison.analyses.contract.compile.model import Result
from cloison.analyses.draft.model import Sure
from cloison.analyses.past.link import Link
from cloison.analyses.past.watch import UNWATCHED, Watch
from cloison.analyses.recommend.ready import Readiness
from cloison.base import Diagnostic, Severity
from cloison.intent import Contract, Dependency
from cloison.resources.world import WorkloadId

WITHHELD: Final = "REC004"
"""Policies that were not written to files, as they are not proved."""


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
class OfPort:
    """What speaks for one port of a call.

    Args:
        port: The port, for people: `80/TCP`, `ICMP`.
        count: How many connections got through on it.
        first: When it was seen first; microseconds since 1970.
        last: When it was seen last.
        sources: Which sources of flows tell of it.
        sure: How sure that is.
        why: Why it is as sure as that.
    """

    port: str
    count: int = 0
    first: int | None = None
    last: int | None = None
    sources: tuple[str, ...] = ()
    sure: Sure = Sure.LOW
    why: str = ""


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
        ports: What speaks for each port that was seen or that manifests name, in order.
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
    ports: tuple[OfPort, ...] = ()

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
class Aside:
    """Calls that policies of pods are not about: nothing is let through for them, nobody is asked.

    Args:
        ends: Who called whom, for people.
        why: Why not, as part of a sentence.
        links: What was seen.
        count: How many connections got through.
    """

    ends: tuple[str, str]
    why: str
    links: tuple[Link, ...]
    count: int

    @property
    def ports(self) -> tuple[str, ...]:
        """With what, each once."""
        return tuple(dict.fromkeys(each.key.port_text for each in self.links))


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
        aside: What was seen that policies of pods are not about.
        watch: When anybody watched.
        called: Whom CronJobs are known to call, whether anybody saw it or not.
    """

    contract: Contract
    backed: tuple[Backed, ...] = ()
    questions: tuple[Question, ...] = ()
    platform: tuple[OfPlatform, ...] = ()
    aside: tuple[Aside, ...] = ()
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


@dataclass(frozen=True, slots=True)
class Opening:
    """A pair of ends between which more is let through than policy lets through today.

    Args:
        source: Who calls.
        destination: Who is called.
        traffic: What is opened.
        shut: What stops it today, as far as anybody can tell.
    """

    source: str
    destination: str
    traffic: str
    shut: tuple[str, ...] = ()


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
        openings: What more passes than today, by its ends.
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
    openings: tuple[Opening, ...] = ()


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
    def refused(self) -> Mapping[str, str]:
        """Calls that are not let through, or not in whole, by name: why, with the code."""
        errors = [each for each in self.result.findings if each.severity is Severity.ERROR]
        found = {}
        for name in sorted(self.result.compiled.refused):
            said = [e for e in errors if e.message.startswith(f"dependency {name!r}: ")]
            # What is said of a workload names the calls that are lost with it.
            said += [
                e for e in errors if name in (e.effect or "").partition("not let through: ")[2]
            ]
            found[name] = f"{said[0].code}: {said[0].message}" if said else "the findings say why"
        return found

    @property
    def unproved(self) -> Sequence[str]:
        """Why the policies are not proved, each code with the first that it says."""
        errors = [each for each in self.findings if each.severity is Severity.ERROR]
        first = {each.code: each.message for each in reversed(errors)}
        first.pop(WITHHELD, None)  # it comes of the others
        return tuple(f"{code}: {message}" for code, message in sorted(first.items()))

    @property
    def workloads(self) -> Sequence[WorkloadId]:
        """Whom they are for."""
        return tuple(sorted({w for each in self.result.files for w in each.sheet.workloads}))

    @property
    def proved(self) -> bool:
        """Whether the policies do what they should."""
        return not any(each.severity is Severity.ERROR for each in self.findings)
