"""What is broken or about to break in the cluster of a session."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from cloison.analyses.ask import Explanation, Question
from cloison.analyses.chosen import check_named
from cloison.analyses.doctor.assumed import marked
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.examine import CHECKS, examine
from cloison.analyses.doctor.finding import Finding
from cloison.analyses.ends import PodsEnd
from cloison.app.answers import find_names, hop, with_ends
from cloison.app.made import furnished
from cloison.app.mends import rewritten, writable, write
from cloison.app.mends_composed import composed
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.ir.policy import Policy, PolicyId

if TYPE_CHECKING:
    from cloison.app.session import Session


def doctor(
    session: "Session", namespaces: Iterable[str] = (), checks: Iterable[str] = ()
) -> tuple[Finding, ...]:
    """Return what is broken or about to break, the worst first; see `Session.doctor`."""
    return in_order(session, examined(session, namespaces, checks))


def examined(
    session: "Session", namespaces: Iterable[str] = (), checks: Iterable[str] = ()
) -> tuple[Finding, ...]:
    """Return what is broken or about to break, the worst first; each as if it were the only one.

    Args:
        session: What to examine.
        namespaces: Only workloads of these; of all when none is given.
        checks: Only these checks; all when none is given.

    Raises:
        QuestionError: There is no such namespace or check.
    """
    spaces, wanted = frozenset(namespaces), tuple(checks)
    session, made = furnished(session)
    for each in sorted(spaces):
        check_named(session.world, each)
    for each in wanted:
        if each not in CHECKS:
            msg = f"there is no check {each!r}"
            raise QuestionError(msg, f"known: {', '.join(CHECKS)}")

    # Who serves an entry may be no pod, and be an end of the enforcer's all the same.
    session = with_ends(session, "gw:")

    def ask(question: Question, engine: Engine | None = None) -> Explanation:
        answer = hop(session, question, engine)
        return marked(answer, made) if made else answer

    origins = session.origins
    clinic = Clinic(
        session.engine,
        session.site,
        ask,
        spaces,
        writable=lambda policy: writable(policy, origins),
        write=lambda changes: write(changes, origins, session.profile),
        rewrite=lambda before, meant: rewritten(before, meant, _policies(session), origins),
        assumed=made,
    )
    return examine(clinic, wanted)


def in_order(session: "Session", findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return findings whose manifests can be applied one after the other, as they stand here.

    Each contains what those before it change in the same object.

    Args:
        session: What was examined.
        findings: What is shown of it, in its order.
    """
    return composed(findings, _policies(session), session.origins)


def about(
    session: "Session",
    findings: Iterable[Finding],
    workloads: Iterable[str],
    namespace: str | None = None,
) -> tuple[Finding, ...]:
    """Return the findings that say that some workloads suffer.

    Args:
        session: What was examined.
        findings: What was found in it.
        workloads: Names of workloads or pods.
        namespace: Where bare names are looked up.

    Raises:
        QuestionError: There is no such workload or pod.
    """
    names, wanted = find_names(session, namespace), set()
    for name in workloads:
        end = names.end(name)
        if not isinstance(end, PodsEnd):
            msg = f"{name} is no workload, and only workloads are examined"
            raise QuestionError(msg, "name workloads or pods: NAMESPACE/NAME")
        wanted.add(end.workload.id)
    return tuple(each for each in findings if wanted & set(each.everybody))


def _policies(session: "Session") -> Mapping[PolicyId, Policy]:
    return {each.id: each for each in session.engine.policies.policies}
