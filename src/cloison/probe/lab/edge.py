"""By which node a client outside comes to a Service."""

from collections.abc import Iterable

from cloison.probe.lab.plan import Plan, ServicePlan, Station


def homes(plan: Plan) -> dict[str, str]:
    """Return the name of the node that each address of a pod or node is at.

    Args:
        plan: The plan.
    """
    nodes = {node.name for node in plan.nodes}
    found = {a: node.name for node in plan.nodes for a in node.addresses}
    for pod in plan.pods:
        home = pod.node if pod.node in nodes else f"node:{pod.node}"
        found |= dict.fromkeys(pod.addresses, home)
    return found


def edge(plan: Plan, service: ServicePlan) -> Station | None:
    """Return the node that what is sent to a Service from outside arrives at.

    One with a pod behind the Service, where it keeps such calls on their node: load balancers leave
    out the others. Else one without: only there is the address that the pod's own node sees one
    that was put in place of the client's.

    Args:
        plan: The plan.
        service: One of its Services.

    Returns:
        None where there is no such node.
    """
    at = homes(plan)
    behind = {at[a] for a in _backends(service) if a in at}
    return next((n for n in plan.nodes if (n.name in behind) is service.local), None)


def _backends(service: ServicePlan) -> Iterable[str]:
    return (address for port in service.ports for address, _ in port.backends)
