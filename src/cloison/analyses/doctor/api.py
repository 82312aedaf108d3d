"""D-API: workloads that work through the API server reach it."""

from collections.abc import Iterator

from cloison.analyses.doctor.clinic import Clinic, on
from cloison.analyses.doctor.control import Control, anywhere, listening, shown
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.doctor.judged import about, closed_to_others, denied, tried
from cloison.analyses.ends import PodsEnd
from cloison.analyses.explain import merge_caveats
from cloison.base import Severity
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Direction
from cloison.platform.apiserver import FRONT_PORT, PORT, calls_api
from cloison.platform.rbac import Grants, granted, grants, mounts_token
from cloison.resources.world import Workload

_SOURCE = (
    "kubernetes/website reference/networking/ports-and-protocols.md; "
    "concepts/security/service-accounts.md"
)


def api(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for each workload that needs the API server and does not reach it."""
    given = grants(clinic.engine.world)
    known = _known(clinic)
    servers = listening(clinic)
    for workload in clinic.workloads():
        shape = workload.endpoints[0].shape
        if shape.host_network or not clinic.isolated(workload.id, Direction.EGRESS):
            continue
        why = _needs(clinic, workload, given, known)
        if not why:
            continue
        pods = clinic.pods(workload.id)
        if servers:
            yield from _at(clinic, workload, pods, why, servers)
        else:
            yield from _nowhere(clinic, workload, pods, why)


def needing(clinic: Clinic) -> Iterator[tuple[Workload, tuple[Evidence, ...]]]:
    """Yield the workloads that work through the API server, and what says so."""
    given, known = grants(clinic.engine.world), _known(clinic)
    for workload in clinic.everyone():
        why = _needs(clinic, workload, given, known)
        if why:
            yield workload, why


def _known(clinic: Clinic) -> dict[object, str]:
    """Return the components that call the API server, by workload."""
    return {
        name: found.component.name
        for found in clinic.site.components
        if found.certain and calls_api(found.component)
        for name in found.workloads
    }


def _needs(
    clinic: Clinic, workload: Workload, given: Grants, known: dict[object, str]
) -> tuple[Evidence, ...]:
    """Return what says that a workload calls the API server; nothing where nothing does."""
    shape, namespace = workload.endpoints[0].shape, workload.id.namespace
    if not mounts_token(clinic.engine.world, namespace, shape):
        return ()
    said = [
        Evidence(
            f"{each.binding.kind} {each.binding.name} gives service account "
            f"{namespace}/{shape.service_account} {each.role}"
            + ("" if each.known else ", whose rules are not in the input"),
            each.binding.span,
        )
        for each in granted(given, namespace, shape.service_account)[:2]
    ]
    if workload.id in known:
        said.append(Evidence(f"{workload.id} is {known[workload.id]}", workload.span))
    return tuple(said)


def _at(
    clinic: Clinic,
    workload: Workload,
    pods: PodsEnd,
    why: tuple[Evidence, ...],
    servers: tuple[Control, ...],
) -> Iterator[Finding]:
    """Yield what is wrong with the way to where the API server is known to be."""
    answers = [(each, tried(clinic, pods, each.end, on("TCP", each.port))) for each in servers]
    shut = [
        (each, answer)
        for each, answer in answers
        if answer is not None and closed_to_others(answer)
    ]
    if not shut:
        return
    where = tuple(each for each, _ in shut)
    told = [answer for _, answer in shut]
    sure = any(each.verdict is Verdict.DENIED for each in told)
    ways = shown(where)
    verb = "are" if " and " in ways else "is"
    yield Finding(
        code="API001",
        check="D-API",
        severity=Severity.ERROR if sure else Severity.WARNING,
        message=f"{workload.id} cannot call the API server: {ways} {verb} not let through",
        effect="it cannot read or change objects, and most controllers then stop or restart",
        help="let it reach the endpoints of Service default/kubernetes on their own port; no pod "
        f"selector matches them, and the Service's port {FRONT_PORT} is not theirs",
        mode=Mode.DEPENDENCY,
        **about(workload),
        evidence=(*why, *dict.fromkeys(Evidence(each.why, each.span) for each in where)),
        mend=clinic.mend(told),
        caveats=merge_caveats(each.caveats for each in told),
        source=_SOURCE,
    )


def _nowhere(
    clinic: Clinic, workload: Workload, pods: PodsEnd, why: tuple[Evidence, ...]
) -> Iterator[Finding]:
    """Yield a finding where nothing lets a workload out to any place an API server could be."""
    asked = [
        tried(clinic, pods, end, on("TCP", port))
        for end in anywhere()
        for port in (FRONT_PORT, PORT)
    ]
    if not all(map(denied, asked)):
        return
    yield Finding(
        code="API002",
        check="D-API",
        severity=Severity.WARNING,
        message=f"{workload.id} needs the API server, and nothing lets it out to any node or "
        f"address on port {FRONT_PORT} or {PORT}",
        effect="it cannot read or change objects, unless the API server is a pod here, or "
        "listens on another port",
        help="let it reach the addresses and port that `kubectl get endpointslices -n default "
        "-l kubernetes.io/service-name=kubernetes` shows; with those in the input the change "
        "can be proposed",
        mode=Mode.DEPENDENCY,
        **about(workload),
        evidence=why,
        caveats=merge_caveats(each.caveats for each in asked if each is not None),
        source=_SOURCE,
    )
