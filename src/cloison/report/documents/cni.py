"""`cni` as published."""

from collections.abc import Iterator, Sequence

from cloison.analyses.enforcement import Enforcement, Fact, KindOf, State
from cloison.platform.enforcers import Enforcer
from cloison.platform.traits import TITLES, Basis, Stands, Topic
from cloison.report.about import About, Judged
from cloison.report.documents import parts
from cloison.report.documents.judged import (
    Counted,
    SuppressedFinding,
    Told,
    counted,
    suppressed,
    told,
)


class Installed(parts.Base, frozen=True):
    """A network plugin or agent that the input gives away.

    `enforces` is null where it is not known; `profile` where it has none; `assumed` says that a
    platform brings it, and no object of it is there.
    """

    id: str
    title: str
    version: str | None
    profile: str | None
    enforces: bool | None
    why: str
    assumed: bool
    evidence: list[Told]
    caveats: list[parts.CaveatSaid]
    source: str


class Shared(parts.Base, frozen=True):
    """How several network plugins share the work; `contested` where more than one enforces."""

    text: str
    contested: bool
    evidence: list[Told]


class PolicyObject(parts.Base, frozen=True):
    """A policy object."""

    name: str
    file: str | None
    line: int | None
    column: int | None


class PolicyKind(parts.Base, frozen=True):
    """The policies of one kind; `enforced` is null where nobody knows."""

    kind: str
    group: str
    enforced: bool | None
    policies: list[PolicyObject]


class Concerned(parts.Base, frozen=True):
    """How many objects of the input a fact is about, and the first few."""

    number: int
    of: str
    first: list[Told]


class FactSaid(parts.Base, frozen=True):
    """What the enforcer does, of one topic.

    `stands` is what that means for whoever relies on policies, `bad` that something passes which
    they say is closed; `basis` is what the fact rests on; `seen` the setting that makes it so.
    """

    topic: Topic
    title: str
    says: str
    stands: Stands
    text: str
    basis: Basis
    source: str
    version: str | None
    seen: Told | None
    concerns: Concerned | None


class Cni(parts.Envelope, frozen=True):
    """Who enforces policies, and what to know before relying on them.

    `state` is `none` where what is installed enforces nothing, and `unseen` where nothing speaks
    for any enforcer: in both nothing is enforced, as far as anybody can see.
    """

    state: State
    installed: list[Installed]
    together: list[Shared]
    grounds: list[Told]
    kinds: list[PolicyKind]
    facts: list[FactSaid]
    findings: list[parts.Finding]
    suppressed: list[SuppressedFinding]
    summary: Counted


DOCUMENT = Cni


def document(result: Judged[Enforcement], about: About) -> Cni:
    """Return who enforces as published."""
    found = result.answer
    return Cni(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=parts.findings(about),
        state=found.state,
        installed=[_installed(one) for one in found.installed],
        together=[
            Shared(text=t.text, contested=t.contested, evidence=[told(e) for e in t.evidence])
            for t in found.together
        ],
        grounds=[told(each) for each in found.grounds],
        kinds=[_kind(each) for each in found.kinds],
        facts=[_fact(each) for each in found.facts],
        findings=[parts.finding(each) for each in result.findings],
        suppressed=suppressed(result.suppressed),
        summary=counted(result),
    )


def _installed(one: Enforcer) -> Installed:
    return Installed(
        id=one.id,
        title=one.title,
        version=one.version,
        profile=one.profile,
        enforces=one.enforces,
        why=one.why,
        assumed=one.assumed,
        evidence=[told(each) for each in one.evidence],
        caveats=parts.caveats(one.caveats),
        source=one.source,
    )


def _kind(each: KindOf) -> PolicyKind:
    return PolicyKind(
        kind=each.kind,
        group=each.group,
        enforced=each.enforced,
        policies=[
            PolicyObject(
                name=one.name,
                file=one.span.file if one.span else None,
                line=one.span.line if one.span else None,
                column=one.span.column if one.span else None,
            )
            for one in each.objects
        ],
    )


def _fact(each: Fact) -> FactSaid:
    trait = each.trait
    concerns = None
    if each.number:
        concerns = Concerned(
            number=each.number, of=each.of, first=[told(one) for one in each.touches]
        )
    return FactSaid(
        topic=trait.topic,
        title=TITLES[trait.topic],
        says=trait.says,
        stands=trait.stands,
        text=trait.text,
        basis=trait.basis,
        source=trait.source,
        version=trait.version,
        seen=told(trait.seen) if trait.seen else None,
        concerns=concerns,
    )


HEADER = ("topic", "stands", "says", "text", "concerns", "basis", "version", "source")


def rows(result: Judged[Enforcement]) -> Iterator[Sequence[object]]:
    """Iterate over what the enforcer does, one row a topic, after who it is."""
    found = result.answer
    yield ("state", "", str(found.state), "", "", "", "", "")
    for one in found.installed:
        enforces = {True: "enforces", False: "does not enforce", None: "may enforce"}[one.enforces]
        yield ("installed", enforces, one.id, one.why, "", "", one.version or "", one.source)
    for kind in found.kinds:
        enforced = {True: "enforced", False: "ignored", None: "unknown"}[kind.enforced]
        yield ("policies", enforced, kind.named, "", len(kind.objects), "", "", "")
    for each in found.facts:
        t = each.trait
        yield (
            str(t.topic),
            str(t.stands),
            t.says,
            t.text,
            each.number,
            str(t.basis),
            t.version or "",
            t.source,
        )
