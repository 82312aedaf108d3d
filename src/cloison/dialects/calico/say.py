"""How this dialect words its diagnostics, each statement in one place. Family `CAL`."""

from cloison.base import TREATED_AS_ABSENT, Diagnostic, Severity, Span

VALIDATOR = "projectcalico/calico libcalico-go/lib/validator/v3/validator.go"
TYPES = "projectcalico/calico api/pkg/apis/projectcalico/v3"
SELECTORS = "projectcalico/calico libcalico-go/lib/selector"
PROCESSORS = "projectcalico/calico libcalico-go/lib/backend/syncersv1/updateprocessors"
FELIX = "projectcalico/calico typha/pkg/validator/v1/validator.go and felix/calc"
STORE = "projectcalico/calico libcalico-go/lib/backend/k8s/resources/resources.go"
CALICOCTL_ABSENT = f"the API server refuses this object, so {TREATED_AS_ABSENT}"
FELIX_ABSENT = f"Felix takes no notice of an object that fails its checks, so {TREATED_AS_ABSENT}"


def refused(
    code: str,
    name: str,
    span: Span | None,
    message: str,
    help_: str,
    *,
    stored: bool = False,
    source: str | None = None,
) -> Diagnostic:
    """Return the diagnostic of an object that takes no part.

    Args:
        code: Its code.
        name: The object's.
        span: Where.
        message: What is wrong.
        help_: What to do.
        stored: Whether the object is as the backing store has it, so that Felix judges.
        source: Who says so, when neither the API's validator nor Felix's does.
    """
    return Diagnostic(
        code,
        Severity.ERROR,
        message,
        span,
        name,
        effect=FELIX_ABSENT if stored else CALICOCTL_ABSENT,
        help=help_,
        source=source or (FELIX if stored else VALIDATOR),
    )
