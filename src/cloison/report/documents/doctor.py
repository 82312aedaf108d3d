"""`doctor` as published."""

from collections.abc import Iterator, Sequence

from msgspec.structs import asdict

from cloison.analyses.doctor.finding import Finding, Mode
from cloison.base import Severity
from cloison.report.about import About, Examination
from cloison.report.documents import parts
from cloison.report.documents.judged import SuppressedFinding, suppressed
from cloison.report.documents.why import Mend, mends
from cloison.resources.world import WorkloadId


class Evidence(parts.Base, frozen=True):
    """One thing that a finding stands on."""

    text: str
    file: str | None
    line: int | None
    column: int | None


class DoctorFinding(parts.Base, frozen=True):
    """Something broken, about to break, or open that should not be.

    `mode` is the way it shows, F1 to F10; `workload` the one that suffers, and `workloads` all that
    do where one cause makes several suffer. Applied together, the changes of `mend` end it. Each
    manifest contains what findings before it change in the same object: they are applied in order.
    """

    code: str
    check: str
    severity: Severity
    mode: Mode | None
    message: str
    effect: str
    help: str
    workload: parts.WorkloadEndpoint | None
    workloads: list[parts.WorkloadEndpoint]
    object: str | None
    file: str | None
    line: int | None
    column: int | None
    source: str | None
    evidence: list[Evidence]
    mend: list[Mend]
    caveats: list[parts.CaveatSaid]


class DoctorSummary(parts.Base, frozen=True):
    """How much was found."""

    errors: int
    warnings: int
    infos: int
    suppressed: int


class Doctor(parts.Envelope, frozen=True):
    """What is broken or about to break, the worst first."""

    findings: list[DoctorFinding]
    checks: list[str]
    suppressed: list[SuppressedFinding]
    summary: DoctorSummary


DOCUMENT = Doctor


def document(result: Examination, about: About) -> Doctor:
    """Return findings as published."""
    counted = [each.severity for each in result.findings]
    return Doctor(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=parts.findings(about),
        findings=[_finding(each) for each in result.findings],
        checks=list(result.checks),
        suppressed=suppressed(result.suppressed),
        summary=DoctorSummary(
            errors=counted.count(Severity.ERROR),
            warnings=counted.count(Severity.WARNING),
            infos=counted.count(Severity.INFO),
            suppressed=len(result.suppressed),
        ),
    )


def _finding(found: Finding) -> DoctorFinding:
    named = found.workload
    return DoctorFinding(
        **asdict(parts.finding(found.diagnostic)),
        check=found.check,
        mode=found.mode,
        workload=None if named is None else _workload(named),
        workloads=[_workload(each) for each in found.everybody],
        evidence=[
            Evidence(
                text=each.text,
                file=each.span.file if each.span else None,
                line=each.span.line if each.span else None,
                column=each.span.column if each.span else None,
            )
            for each in found.evidence
        ],
        mend=mends(found.mend),
        caveats=parts.caveats(found.caveats),
    )


def _workload(name: WorkloadId) -> parts.WorkloadEndpoint:
    return parts.WorkloadEndpoint(namespace=name.namespace, name=name.name, type=name.kind)


HEADER = (
    "severity",
    "code",
    "check",
    "mode",
    "workload",
    "message",
    "effect",
    "help",
    "file",
    "line",
)


def rows(result: Examination) -> Iterator[Sequence[object]]:
    """Iterate over the findings, one row each."""
    for each in result.findings:
        span = each.span
        yield (
            str(each.severity),
            each.code,
            each.check,
            str(each.mode) if each.mode else "",
            str(each.workload) if each.workload else "",
            each.message,
            each.effect,
            each.help,
            span.file if span else "",
            span.line if span else "",
        )
