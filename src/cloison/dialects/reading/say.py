"""How every dialect words what it only suspects."""

from typing import Protocol

from cloison.base import Diagnostic, Severity, Span


class Placed(Protocol):
    """What was read; its text is its kind and name."""

    @property
    def span(self) -> Span | None:
        """Where it starts."""


def suspect(
    code: str,
    resource: Placed,
    span: Span | None,
    message: str,
    *,
    effect: str,
    help_: str,
    source: str,
    severity: Severity = Severity.WARNING,
) -> Diagnostic:
    """Return the diagnostic of something that is accepted but probably not meant.

    Args:
        code: Its code.
        resource: What it is about.
        span: Where; None for where the resource starts.
        message: What is odd.
        effect: What follows from it.
        help_: What to do.
        source: Who says so.
        severity: How bad it is.
    """
    where = span or resource.span
    return Diagnostic(code, severity, message, where, str(resource), effect, help_, source)
