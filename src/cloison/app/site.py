"""What leads traffic where it goes, for one session."""

from typing import TYPE_CHECKING

from cloison.analyses.paths.site import Site
from cloison.base import QuestionError
from cloison.platform.routes import entries
from cloison.platform.routes.leaving import leaving

if TYPE_CHECKING:
    from cloison.app.session import Session


def site(session: "Session") -> Site:
    """Return what leads traffic in the cluster of a session.

    Raises:
        QuestionError: The settings name no platform that we know.
    """
    if not session.settings.runtime:
        msg = "what is asked for takes how pods are run, which was not read"
        raise QuestionError(msg, "load with runtime=True")
    components = session.components
    return Site(
        session.seen,
        session.platform,
        components,
        entries(session.seen, components),
        session.settings.components,
        leaving(session.seen),
    )
