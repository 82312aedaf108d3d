"""D-READ: what objects say of who needs whom can be read."""

from collections.abc import Iterator

from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.finding import Finding
from cloison.platform.unread import unread as unreadable


def unread(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for each object that no check can take into account."""
    for item, odd in unreadable(clinic.engine.world):
        if clinic.examines(item.namespace or None):
            yield Finding(
                code=odd.code,
                check="D-READ",
                severity=odd.severity,
                message=odd.message,
                effect=odd.effect or "",
                help=odd.help or "",
                object=odd.object,
                span=odd.span,
                source=odd.source,
            )
