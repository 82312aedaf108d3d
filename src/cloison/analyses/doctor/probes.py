"""D-PROBE: probes that policies can stop, because they do not come from the pod's own node.

The kubelet's probes come from the node the pod is on, and that is let through by contract: plain
pods are never spoken of here.
"""

from collections.abc import Iterator

from cloison.algebra import TrafficSet
from cloison.analyses.doctor.admitting import nodes_let_in
from cloison.analyses.doctor.clinic import Clinic, on
from cloison.analyses.doctor.dns import isolating
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.ends import SomeNodeEnd
from cloison.base import QuestionError, Severity
from cloison.ir.fidelity import Verdict
from cloison.ir.peers import Relative, RelativeMatch
from cloison.ir.policy import Action, Direction
from cloison.resources.runtime import Probe, ProbeWay
from cloison.resources.world import Workload

_SOURCE = "kubernetes/website services-networking/network-policies.md"


def probes(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for each workload whose probes policies stop."""
    if exempt(clinic):
        return
    for workload in clinic.workloads():
        for probe, port in asked(workload):
            found = _stopped(clinic, workload, probe, port)
            if found is not None:
                yield found
                break


def exempt(clinic: Clinic) -> bool:
    """Return whether whoever enforces lets a pod's own node through, as the contract says."""
    first = clinic.engine.policies.layers[0]
    return any(
        rule.direction is Direction.INGRESS
        and rule.action is Action.ALLOW
        and any(
            isinstance(peer.match, RelativeMatch) and peer.match.relation is Relative.OWN_NODE
            for peer in rule.peers
        )
        for rule in first.builtin
    )


def _admits_own(clinic: Clinic, workload: Workload, port: int) -> bool:
    """Return whether a rule lets a pod's own node in, which is a peer of its own to some."""
    engine, wanted = clinic.engine, TrafficSet.ports("TCP", port)
    return any(
        rule.action is Action.ALLOW
        and wanted <= rule.traffic.must
        and any(peer.match == RelativeMatch(Relative.OWN_NODE) for peer in rule.peers)
        for unit in engine.table.workload_units(workload.id)
        for policy in engine.decision(unit, Direction.INGRESS).terms.policies
        for rule in policy.rules_for(Direction.INGRESS)
    )


def asked(workload: Workload) -> Iterator[tuple[Probe, int]]:
    """Yield the probes that use the network, and the port they ask at."""
    run = workload.endpoints[0].shape.runtime
    for container in run.containers if run is not None else ():
        for probe in container.probes:
            if probe.way is ProbeWay.EXEC or probe.host is not None:
                continue
            port = probe.port
            if isinstance(port, str):
                port = next((p.number for p in container.ports if p.name == port), None)
            if isinstance(port, int):
                yield probe, port


def _stopped(clinic: Clinic, workload: Workload, probe: Probe, port: int) -> Finding | None:
    if any(pod.shape.host_network for pod in workload.endpoints):
        return None
    try:
        answer = clinic.reach(SomeNodeEnd("its node"), clinic.pods(workload.id), on("TCP", port))
    except QuestionError:
        return None
    if answer.verdict is not Verdict.DENIED or _admits_own(clinic, workload, port):
        return None
    return Finding(
        code="PRB001",
        check="D-PROBE",
        severity=Severity.ERROR,
        message=f"{workload.id} does not admit its node, which probes it on TCP/{port}",
        effect=f"the {probe.role} probe fails, and the kubelet acts on that",
        help="admit the addresses of the nodes on that port: this enforcer exempts no node",
        mode=Mode.HEALTH,
        workload=workload.id,
        object=f"{workload.id.kind} {workload.id}",
        span=workload.span,
        evidence=(Evidence(f"the {probe.role} probe asks {probe.port}"), *isolating([answer])),
        mend=nodes_let_in(clinic, [answer], (Relative.OWN_NODE,)),
        source=_SOURCE,
    )
