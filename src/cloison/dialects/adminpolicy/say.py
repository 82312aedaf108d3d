"""How this dialect words its diagnostics. Families `ADL` (reading) and `ADS` (suspicion)."""

from cloison.base import TREATED_AS_ABSENT, Diagnostic, Severity, Span
from cloison.dialects.adminpolicy.model import Object

ABSENT = f"the API server refuses this object, so {TREATED_AS_ABSENT}: none of its rules counts"
V1ALPHA1 = "kubernetes-sigs/network-policy-api apis/v1alpha1, CRDs v0.1.7"
V1ALPHA2 = "kubernetes-sigs/network-policy-api apis/v1alpha2, CRDs v0.2.0"
DOCS = "Network Policy API documentation, API overview"


def refused(
    code: str, object_: str, span: Span | None, message: str, help_: str, source: str
) -> Diagnostic:
    """Return the diagnostic of an object that no API server would store."""
    return Diagnostic(code, Severity.ERROR, message, span, object_, ABSENT, help_, source)


def said(
    code: str,
    policy: Object,
    span: Span | None,
    message: str,
    *,
    effect: str,
    help_: str,
    source: str = DOCS,
    severity: Severity = Severity.WARNING,
) -> Diagnostic:
    """Return a diagnostic about something that the API server accepts."""
    return Diagnostic(
        code, severity, message, span or policy.span, str(policy), effect, help_, source
    )
