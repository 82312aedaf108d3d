"""Who enforces policies in a cluster, pod by pod, as drift looks at it."""

from typing import TYPE_CHECKING, Final

from cloison.analyses.drift.scene import Agent, Agents
from cloison.resources.world import Workload

if TYPE_CHECKING:
    from cloison.app.session import Session

_SYSTEM: Final = "kube-system"


def agents(session: "Session") -> Agents:
    """Return the agents of a cluster, nodes that rest, and why nobody enforces."""
    titles = {
        evidence.span: enforcer.title
        for enforcer in session.enforcers
        for evidence in enforcer.evidence
        if evidence.span is not None
    }
    found = tuple(
        _agent(each, titles.get(each.span) if each.span is not None else None)
        for each in session.world.workloads.values()
        if each.id.kind == "DaemonSet" and (each.span in titles or _on_every_node(each))
    )
    resting = frozenset(name for name, each in session.world.nodes.items() if each.resting)
    return Agents(found, resting, _off(session))


def _on_every_node(workload: Workload) -> bool:
    """Return whether a DaemonSet is one of the cluster's own, on its nodes' network."""
    return workload.id.namespace == _SYSTEM and any(
        pod.shape.host_network for pod in workload.endpoints
    )


def _agent(workload: Workload, title: str | None) -> Agent:
    down = tuple(
        (pod.shape.node or "", pod.pod)
        for pod in workload.endpoints
        if pod.pod is not None and pod.ready is False and not pod.terminating
    )
    return Agent(workload.id, title or str(workload.id), workload.ready, down, workload.span)


def _off(session: "Session") -> str | None:
    """Return why nothing is enforced; None where something is, or nobody knows."""
    if not session.profile.enforces:
        return f"{session.profile.name} does not"
    found = session.enforcers
    if found and all(each.enforces is False for each in found):
        return found[0].why
    return None
