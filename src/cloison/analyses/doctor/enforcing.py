"""D-ENFORCE and D-HOSTNET: policies that nobody enforces, and pods that they do not hold back."""

from collections.abc import Iterator

from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.base import Severity
from cloison.base.words import few
from cloison.ir.policy import Direction
from cloison.ir.policy import Mode as Part
from cloison.resources.world import Workload, WorkloadId

_SOURCE = "kubernetes/website services-networking/network-policies.md"


def enforcing(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding where there are policies and nobody who enforces them."""
    engine = clinic.engine
    told = [p for p in engine.policies.policies if p.mode is Part.ENFORCED and p.stated]
    if engine.profile.enforces or not told:
        return
    first = told[0]
    count = "policy does" if len(told) == 1 else "policies do"
    yield Finding(
        code="ENF001",
        check="D-ENFORCE",
        severity=Severity.ERROR,
        message=f"nobody enforces policies here ({engine.profile.name}): {len(told)} {count} "
        "nothing",
        effect="every pod reaches every other one, and everything outside",
        help="install an agent that enforces, or switch it on; `cloison cni` says what was found",
        mode=Mode.NO_EFFECT,
        object=f"{first.id.kind} {first.id}",
        span=first.span,
        source=_SOURCE,
    )


def host_network(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for pods on their node's network beside pods that policies isolate.

    What comes from a pod's own node is let through, whatever policies say.
    """
    beside: dict[str, list[Workload]] = {}
    known = {name for found in clinic.site.components for name in found.workloads}
    for workload in clinic.workloads():
        # Agents that run on every node are part of it.
        agent = workload.id.kind == "DaemonSet" or workload.id in known
        if not agent and any(pod.shape.host_network for pod in workload.endpoints):
            beside.setdefault(workload.id.namespace, []).append(workload)
    for home, agents in beside.items():
        guarded = sorted(_guarded(clinic, home, agents))
        if guarded:
            first = agents[0]
            yield Finding(
                code="HST001",
                check="D-HOSTNET",
                severity=Severity.INFO,
                message=f"{few(str(w.id) for w in agents)} is on the network of its node, and "
                f"reaches {few(map(str, guarded))} there whatever policies say",
                effect="what comes from a pod's own node is let through: no policy of those pods "
                "holds it back",
                help="run it on the pod network, or keep it in a namespace, and on nodes, of its "
                "own; policies for hosts can stop it where the enforcer has them",
                mode=Mode.NEIGHBOUR,
                workload=first.id,
                object=f"{first.id.kind} {first.id}",
                span=first.span,
                evidence=(Evidence(f"{first.id} has hostNetwork: true", first.span),),
                source=_SOURCE,
            )


def _guarded(clinic: Clinic, home: str, agents: list[Workload]) -> Iterator[WorkloadId]:
    """Yield the isolated workloads of a namespace that share a node with some pods, or may."""
    engine = clinic.engine
    nodes = {pod.shape.node for each in agents for pod in each.endpoints}
    for name, indices in engine.table.by_workload.items():
        if name.namespace != home or name in {each.id for each in agents}:
            continue
        on = {engine.table.endpoints[index].shape.node for index in indices}
        if (on & nodes or None in on | nodes) and clinic.isolated(name, Direction.INGRESS):
            yield name
