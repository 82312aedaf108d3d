"""How this dialect words its diagnostics."""

from cloison.base import TREATED_AS_ABSENT, Diagnostic, Severity, Span

ABSENT = (
    f"the API server refuses this object, so {TREATED_AS_ABSENT}: "
    "it isolates no pod and allows nothing"
)
VALIDATION = "kubernetes/kubernetes pkg/apis/networking/validation/validation.go"


def refused(
    code: str,
    object_: str,
    span: Span | None,
    message: str,
    help_: str,
    *,
    source: str = VALIDATION,
) -> Diagnostic:
    """Return the diagnostic of an object that no API server would store."""
    return Diagnostic(
        code, Severity.ERROR, message, span, object_, effect=ABSENT, help=help_, source=source
    )
