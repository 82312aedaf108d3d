"""`validate` as published."""

from collections.abc import Iterator, Sequence

from cloison.base import Severity
from cloison.report.about import About, Findings
from cloison.report.documents import parts
from cloison.report.documents.judged import SuppressedFinding, suppressed


class FindingSummary(parts.Base, frozen=True):
    """How much was found in how many files."""

    errors: int
    warnings: int
    infos: int
    files: int
    suppressed: int


class Validation(parts.Envelope, frozen=True):
    """What is wrong, or suspicious, with the input itself."""

    findings: list[parts.Finding]
    suppressed: list[SuppressedFinding]
    summary: FindingSummary


DOCUMENT = Validation


def document(result: Findings, about: About) -> Validation:
    """Return findings as published. They are the diagnostics, so those are not said twice."""
    counted = [d.severity for d in result.diagnostics]
    return Validation(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=[],
        findings=[parts.finding(d) for d in result.diagnostics],
        suppressed=suppressed(result.suppressed),
        summary=FindingSummary(
            errors=counted.count(Severity.ERROR),
            warnings=counted.count(Severity.WARNING),
            infos=counted.count(Severity.INFO),
            files=result.files,
            suppressed=len(result.suppressed),
        ),
    )


HEADER = (
    "severity",
    "code",
    "file",
    "line",
    "column",
    "object",
    "message",
    "effect",
    "help",
    "source",
)


def rows(result: Findings) -> Iterator[Sequence[object]]:
    """Iterate over the findings, one row each."""
    for each in result.diagnostics:
        span = each.span
        yield (
            str(each.severity),
            each.code,
            span.file if span else "",
            span.line if span else "",
            span.column if span else "",
            each.object or "",
            each.message,
            each.effect or "",
            each.help or "",
            each.source or "",
        )
