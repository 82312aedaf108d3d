"""`portability` as published."""

from collections.abc import Iterator, Sequence

from cloison.analyses.portable import GONE, Portability, Portable, Read
from cloison.base import Diagnostic, Severity, sort_diagnostics
from cloison.ir.features import Kept, Use
from cloison.report.about import About
from cloison.report.documents import parts


class ElsewhereSaid(parts.Base, frozen=True):
    """What becomes of something in another language: lost, kept in part, or as it is today."""

    language: str
    kept: Kept
    text: str


class ReadBy(parts.Base, frozen=True):
    """What some of those that enforce the policy make of something, and others do not."""

    profiles: list[str]
    text: str


class FeatureUsed(parts.Base, frozen=True):
    """Something a policy says that not every language says, or not every enforcer reads alike.

    `path` and the place are those of the first of so many `times`.
    """

    feature: str
    title: str
    path: str
    file: str
    line: int
    column: int
    times: int
    elsewhere: list[ElsewhereSaid]
    readings: list[ReadBy]
    source: str


class PolicyPortable(parts.Base, frozen=True):
    """A policy, and who else can have it.

    `enforcedBy` are the profiles that enforce its kind; `sayable` the other languages that have
    words for all it says, `partly` those of them that have them under conditions only. `bound` is
    the one product that enforces it, where no other language has words for it, else null.
    """

    policy: parts.PolicyRef
    file: str | None
    line: int | None
    column: int | None
    language: str
    enforced_by: list[str]
    sayable: list[str]
    partly: list[str]
    bound: str | None
    features: list[FeatureUsed]


class Bound(parts.Base, frozen=True):
    """How many policies are bound to a product."""

    product: str
    policies: int


class PortabilityDocument(parts.Envelope, frozen=True):
    """Which policies bind a cluster to one enforcer, and what each would lose elsewhere."""

    bound: list[Bound]
    policies: list[PolicyPortable]


DOCUMENT = PortabilityDocument


def document(result: Portability, about: About) -> PortabilityDocument:
    """Return an answer as published."""
    return PortabilityDocument(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=parts.findings(about),
        bound=[Bound(product=name, policies=len(held)) for name, held in result.bound.items()],
        policies=[_policy(each, result) for each in result.objects],
    )


def _policy(each: Portable, result: Portability) -> PolicyPortable:
    readings = list(result.readings(each))
    return PolicyPortable(
        policy=parts.policy_ref(each.id),
        file=each.span.file if each.span else None,
        line=each.span.line if each.span else None,
        column=each.span.column if each.span else None,
        language=each.language,
        enforced_by=list(each.enforced_by),
        sayable=list(each.sayable),
        partly=list(each.partly),
        bound=each.bound,
        features=[_feature(use, each, readings) for use in each.uses],
    )


def _feature(use: Use, each: Portable, readings: Sequence[Read]) -> FeatureUsed:
    feature = use.feature
    there = ((name, feature.in_language(name)) for name in each.languages)
    return FeatureUsed(
        feature=feature.id,
        title=feature.title,
        path=use.path,
        file=use.span.file,
        line=use.span.line,
        column=use.span.column,
        times=use.times,
        elsewhere=[
            ElsewhereSaid(language=name, kept=found.kept, text=found.text)
            for name, found in there
            if found.kept is not Kept.KEPT
        ],
        readings=[
            ReadBy(profiles=list(read.by), text=read.text) for read in readings if read.use == use
        ],
        source=feature.source,
    )


BOUND, READ_OTHERWISE = "POR001", "POR002"
"""Codes of what binds a policy to one product, and of what enforcers do not read alike."""


def diagnostics(result: Portability) -> tuple[Diagnostic, ...]:
    """Return an answer as findings, for formats that show these beside the lines of a file."""
    found: list[Diagnostic] = []
    for each in result.objects:
        if each.bound is not None:
            found += _binding(each, each.bound)
        for read in result.readings(each):
            found.append(
                Diagnostic(
                    READ_OTHERWISE,
                    Severity.INFO,
                    f"{read.use.feature.title}: {read.text}, by {', '.join(read.by)}",
                    read.use.span,
                    f"{each.id.kind} {each.id}",
                    source=read.use.feature.source,
                )
            )
    return sort_diagnostics(found)


def _binding(each: Portable, product: str) -> Iterator[Diagnostic]:
    for use in each.uses:
        there = ((name, use.feature.in_language(name)) for name in each.languages)
        lost = [f"{name}: {found.text}" for name, found in there if found.kept in GONE]
        if lost:
            yield Diagnostic(
                BOUND,
                Severity.WARNING,
                f"{use.feature.title}: only {product} has it",
                use.span,
                f"{each.id.kind} {each.id}",
                "; ".join(lost),
                source=use.feature.source,
            )


HEADER = (
    "kind",
    "namespace",
    "name",
    "bound",
    "sayable",
    "feature",
    "path",
    "file",
    "line",
    "lost",
    "partly",
    "readings",
)


def rows(result: Portability) -> Iterator[Sequence[object]]:
    """Iterate over what each policy uses, one row each; one row for a policy that uses nothing."""
    for each in result.objects:
        policy = each.id
        name = (policy.kind, policy.namespace or "", policy.name)
        head = (*name, each.bound or "", " ".join(each.sayable))
        readings = list(result.readings(each))
        for use in each.uses:
            said = "; ".join(
                f"{' '.join(read.by)}: {read.text}" for read in readings if read.use == use
            )
            lost, partly = (_names(each, use, kept) for kept in (GONE, (Kept.PARTLY,)))
            place = (use.path, use.span.file, use.span.line)
            yield (*head, use.feature.id, *place, lost, partly, said)
        if not each.uses:
            span = each.span
            where = ("", span.file, str(span.line)) if span else ("", "", "")
            yield (*head, "", *where, "", "", "")


def _names(each: Portable, use: Use, kept: tuple[Kept, ...]) -> str:
    return " ".join(n for n in each.languages if use.feature.in_language(n).kept in kept)
