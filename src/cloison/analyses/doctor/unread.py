"""D-READ: what objects say of who needs whom can be read."""

from collections.abc import Iterator

from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.finding import Finding
from cloison.base import Severity
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
                    yield Finding(
                        code=odd.code,
                        check="D-READ",
                        severity=Severity.WARNING,
                        message=f"{item.shown} cannot be read: {odd.message}",
                        effect="no other check takes it into account",
                        help="write the field as its API says",
                        object=item.shown,
                        span=odd.span,
                    )
