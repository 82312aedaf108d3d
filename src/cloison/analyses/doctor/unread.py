"""D-READ: what objects say of who needs whom can be read."""

from collections.abc import Iterator

from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.finding import Finding
from cloison.base import Diagnostic, Severity
from cloison.platform import calls, certificates, monitors, rbac, webhooks
from cloison.resources.declared import body

_READERS = (calls, certificates, monitors, rbac, webhooks)


def unread(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for each object that no check can take into account."""
    declared = clinic.engine.world.declared
    for reader in _READERS:
        for kind, shape in reader.SHAPES.items():
            for item in declared.get(kind, ()):
                if not clinic.examines(item.namespace or None):
                    continue
                for odd in body(item, shape)[1]:
                    yield _finding(item.shown, odd, "no other check takes it into account")
    for odd in clinic.site.diagnostics:
        yield _finding(odd.object or "a route", odd, "it leads traffic nowhere, as far as we know")


def _finding(name: str, odd: Diagnostic, effect: str) -> Finding:
    return Finding(
        code=odd.code,
        check="D-READ",
        severity=Severity.WARNING,
        message=f"{name} cannot be read: {odd.message}",
        effect=effect,
        help="write the field as its API says",
        object=name,
        span=odd.span,
    )
