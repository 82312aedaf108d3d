"""What is broken or about to break in the cluster of a session."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cloison.analyses.ask import Explanation, Question
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.examine import CHECKS, examine
from cloison.analyses.doctor.finding import Finding
from cloison.app.answers import hop, with_ends
from cloison.app.mends import rewritten, writable, write
from cloison.base import QuestionError
from cloison.engine import Engine

if TYPE_CHECKING:
    from cloison.app.session import Session


def doctor(
    session: "Session", namespaces: Iterable[str] = (), checks: Iterable[str] = ()
) -> tuple[Finding, ...]:
    """Return what is broken or about to break, the worst first.

    Args:
        session: What to examine.
        namespaces: Only workloads of these; of all when none is given.
        checks: Only these checks; all when none is given.

    Raises:
        QuestionError: There is no such namespace or check.
    """
    spaces, wanted = frozenset(namespaces), tuple(checks)
    for each in spaces - session.world.namespaces.keys():
        msg = f"there is no namespace {each!r}"
        raise QuestionError(msg, f"known: {', '.join(session.world.namespaces) or 'none'}")
    for each in wanted:
        if each not in CHECKS:
            msg = f"there is no check {each!r}"
            raise QuestionError(msg, f"known: {', '.join(CHECKS)}")

    # Who serves an entry may be no pod, and be an end of the enforcer's all the same.
    session = with_ends(session, "gw:")

    def ask(question: Question, engine: Engine | None = None) -> Explanation:
        return hop(session, question, engine)

    origins = session.origins
    clinic = Clinic(
        session.engine,
        session.site,
        ask,
        spaces,
        writable=lambda policy: writable(policy, origins),
        write=lambda changes: write(changes, origins),
        rewrite=lambda policy: rewritten(policy, origins),
    )
    return examine(clinic, wanted)
