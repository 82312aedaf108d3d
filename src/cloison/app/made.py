"""Sessions that also hold the pods that operators will make of what was read."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cloison.app.load import over
from cloison.platform.made import Made, with_made
from cloison.resources.world import WorkloadId

if TYPE_CHECKING:
    from cloison.app.session import Session


def furnished(session: "Session") -> "tuple[Session, Mapping[WorkloadId, Made]]":
    """Return a session with the pods that operators will make, and what is assumed of them.

    Args:
        session: The session. What its settings say of a component counts for more.
    """
    world, made = with_made(session.world, session.settings.components)
    return (over(session, world) if made else session), made
