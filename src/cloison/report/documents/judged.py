"""What documents of answers with findings have in common."""

from collections.abc import Iterable

from cloison.base import Severity
from cloison.platform.evidence import Evidence
from cloison.report.about import Accepted, Judged
from cloison.report.documents import parts


class SuppressedFinding(parts.Base, frozen=True):
    """A finding that the settings file accepts; `expires` is the last day on which it does."""

    finding: parts.Finding
    reason: str
    expires: str | None


class Told(parts.Base, frozen=True):
    """Something the input says, and where."""

    text: str
    file: str | None
    line: int | None
    column: int | None


class Counted(parts.Base, frozen=True):
    """How much was found."""

    errors: int
    warnings: int
    infos: int
    suppressed: int


def told(known: Evidence) -> Told:
    """Return evidence as published."""
    span = known.span
    return Told(
        text=known.shown,
        file=span.file if span else None,
        line=span.line if span else None,
        column=span.column if span else None,
    )


def suppressed(known: Iterable[Accepted]) -> list[SuppressedFinding]:
    """Return what is accepted as published."""
    return [
        SuppressedFinding(
            finding=parts.finding(each.diagnostic),
            reason=each.reason,
            expires=str(each.expires) if each.expires else None,
        )
        for each in known
    ]


def counted(result: Judged[object]) -> Counted:
    """Return how much was found."""
    severities = [d.severity for d in result.findings]
    return Counted(
        errors=severities.count(Severity.ERROR),
        warnings=severities.count(Severity.WARNING),
        infos=severities.count(Severity.INFO),
        suppressed=len(result.suppressed),
    )
