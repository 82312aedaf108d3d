"""How this dialect words its diagnostics, each statement in one place. Family `CIL`.

`CIL0` is about values, `CIL1` about what does not go together, `CIL2` about what is accepted and
probably not meant.
"""

from cloison.base import TREATED_AS_ABSENT, Diagnostic, Severity, Span

VALIDATION = "cilium/cilium pkg/policy/api/rule_validation.go"
CRD = "cilium/cilium pkg/k8s/apis/cilium.io/client/crds/v2"
API = "cilium/cilium pkg/policy/api"
TRANSLATION = "cilium/cilium pkg/k8s/apis/cilium.io/utils/utils.go"
SERVER_ABSENT = f"the API server refuses this object, so {TREATED_AS_ABSENT}: none of it counts"
AGENT_ABSENT = (
    "Cilium marks this object as not valid and enforces nothing of it, "
    f"so {TREATED_AS_ABSENT}: none of its rules counts"
)


def refused(
    code: str, name: str, span: Span | None, message: str, help_: str, *, source: str = VALIDATION
) -> Diagnostic:
    """Return the diagnostic of an object that takes no part.

    Args:
        code: Its code.
        name: The object's.
        span: Where.
        message: What is wrong.
        help_: What to do.
        source: Who says so: the schema, by which the API server refuses it, or Cilium itself.
    """
    effect = SERVER_ABSENT if source.startswith(CRD) else AGENT_ABSENT
    return Diagnostic(code, Severity.ERROR, message, span, name, effect, help_, source)
