"""Small things that checks share: hops that may not be askable, and what their answers come to."""

from collections.abc import Iterable
from typing import TypedDict

from cloison.algebra import AddressSet
from cloison.analyses.ask import Explanation
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.ends import AddressEnd, End, SomeNodeEnd
from cloison.analyses.explain import CaseAnswer
from cloison.analyses.parties import Party
from cloison.analyses.question import Traffic
from cloison.base import QuestionError, Span
from cloison.engine import Engine
from cloison.ir.caveats import OWN_NODE_UNKNOWN, POD_ADDRESS_UNKNOWN, SERVICE_NAT
from cloison.ir.fidelity import Verdict
from cloison.resources.objects import Service
from cloison.resources.world import Workload, WorkloadId

_HARMLESS = (POD_ADDRESS_UNKNOWN, SERVICE_NAT)
"""What many answers carry: where it could change one, that one is undetermined."""


def tried(
    clinic: Clinic, source: End, destination: End, traffic: Traffic, engine: Engine | None = None
) -> Explanation | None:
    """Return what becomes of a new connection; None where it cannot be asked of these ends.

    Args:
        clinic: Who judges.
        source: Who connects.
        destination: Who listens.
        traffic: What is sent.
        engine: Who decides, where pods are assumed that the input does not hold.
    """
    try:
        return clinic.reach(source, destination, traffic, engine)
    except QuestionError:
        return None


def closed(answer: Explanation | None) -> bool:
    """Return whether some of what was asked is certainly not let through, whatever it requests.

    What passes with some requests only is not closed: which ones are made is not known.
    """
    if answer is None or answer.verdict not in (Verdict.DENIED, Verdict.MIXED):
        return False
    return any(each.outcome.denied & each.case.traffic for each in answer.cases)


def closed_to_others(answer: Explanation | None) -> bool:
    """Return whether traffic with a node is closed, or would be but for the pods of that node.

    Where it is not known which node pods run on, an answer about a node stays open because
    enforcers let a pod and its own node talk. Most pods run elsewhere.
    """
    if closed(answer):
        return True
    if answer is None or answer.verdict is not Verdict.UNDETERMINED:
        return False
    return any(each.id == OWN_NODE_UNKNOWN.id for each in answer.caveats)


def denied(answer: Explanation | None) -> bool:
    """Return whether nothing of what was asked is let through."""
    return answer is not None and answer.verdict is Verdict.DENIED


def shut_everywhere(answer: Explanation | None) -> bool:
    """Return whether nobody of many gets in, but perhaps a pod's own node.

    Pods are left out: of all that somebody unknown may be, he is no pod of the input. Which node
    pods run on is often not known, and enforcers let a pod and its own node talk.
    """
    cases = () if answer is None else answer.cases
    callers = [each for each in cases if _no_pod(each.case.source)]
    return bool(callers) and all(map(_shut_but_at_home, callers))


def _no_pod(party: Party) -> bool:
    return party.endpoint is None or party.endpoint.shape.host_network


def _shut_but_at_home(case: CaseAnswer) -> bool:
    """Return whether a case is denied, or would be but for the pods of that very node."""
    if case.verdict is Verdict.UNDETERMINED:
        return any(each.id == OWN_NODE_UNKNOWN.id for each in case.caveats)
    return case.verdict is Verdict.DENIED


def certain(clinic: Clinic, answer: Explanation) -> bool:
    """Return whether nothing gets through, and nothing that is not known could change that.

    What the enforcer's profile says of all answers is said there, and not of one of them.
    """
    known = {each.id for each in (*clinic.engine.profile.known, *_HARMLESS)}
    return denied(answer) and all(each.id in known for each in answer.caveats)


def opened(answer: Explanation | None) -> bool:
    """Return whether all that was asked is let through."""
    return answer is not None and answer.verdict is Verdict.ALLOWED


def outside(text: str, blocks: Iterable[str]) -> AddressEnd:
    """Return addresses as the end of a question.

    Args:
        text: What to call them.
        blocks: Addresses and blocks, canonical.
    """
    return AddressEnd(text, AddressSet(s for each in blocks for s in AddressSet.block(each).spans))


def nodes(clinic: Clinic, text: str) -> End:
    """Return the nodes of the input as the end of a question; some node where it holds none.

    Args:
        clinic: Whose input.
        text: What to call them.
    """
    points = [p for node in clinic.engine.world.nodes.values() for p in node.addresses]
    return AddressEnd(text, AddressSet.points(tuple(points))) if points else SomeNodeEnd(text)


def what(workload: Workload) -> str:
    """Return a workload as the object of a finding: `Deployment web/portal`."""
    return f"{workload.id.kind} {workload.id}"


class About(TypedDict):
    """What every finding about one workload says of it."""

    workload: WorkloadId
    object: str
    span: Span | None


def about(workload: Workload) -> About:
    """Return a workload as that of which a finding speaks, where the finding is about it."""
    return About(workload=workload.id, object=what(workload), span=workload.span)


def selects(service: Service, workload: Workload) -> bool:
    """Return whether a Service takes the pods of a workload of its namespace for its own."""
    wanted = (service.selector or {}).items()
    return bool(wanted) and wanted <= workload.endpoints[0].labels.items()
