"""What Cloison has to say about its input, collected rather than raised."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from cloison.base.spans import Span


class Severity(StrEnum):
    """How much a diagnostic matters to the answer."""

    ERROR = "error"
    """The object, or the answer, is not what its author meant."""
    WARNING = "warning"
    """Accepted, but suspicious."""
    INFO = "info"
    """Worth knowing; nothing is wrong."""

    @property
    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for error."""
        return ("info", "warning", "error").index(self.value)


TREATED_AS_ABSENT = "it is treated as absent"
"""What the effect of a diagnostic says where an object counts as if it were not there."""

ENFORCED_ONLY = "answers are those of the enforced policies"
"""The effect of a diagnostic that says that staged policies take no part."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One statement about the input: what, where, what it does to the answer, what to do.

    Args:
        code: Stable code, three letters of a family and three digits (`NPL003`).
        severity: How much it matters.
        message: What is wrong, in one line, without the position.
        span: Where, if it is about a place.
        object: The object it is about, as `Kind namespace/name`.
        effect: What it does to the answer.
        help: What to do.
        source: Who says so: a document or specification, never a guess.
    """

    code: str
    severity: Severity
    message: str
    span: Span | None = None
    object: str | None = None
    effect: str | None = None
    help: str | None = None
    source: str | None = None


def sort_diagnostics(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return `diagnostics` without repeats, in an order that reading order cannot change."""
    nowhere = Span("", 0, 0)
    return tuple(
        sorted(
            set(diagnostics),
            key=lambda d: (d.span or nowhere, d.code, d.object or "", d.message),
        )
    )


def worst(diagnostics: Iterable[Diagnostic]) -> Severity | None:
    """Return the highest severity among `diagnostics`, or None when there are none."""
    return max((d.severity for d in diagnostics), key=lambda s: s.rank, default=None)
