"""Dependencies on workloads that name the port of a Service in front of them.

Policies judge the packet that arrives at a pod, whose port is that of the pod: what lets the port
of the Service through lets nobody through. Source: kubernetes/api core/v1 types.go (ServicePort).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cloison.algebra import TrafficSet
from cloison.analyses.backends import own_port
from cloison.analyses.contract.intended import Intended
from cloison.analyses.ends import PodsEnd
from cloison.intent import Dependency
from cloison.resources.objects import Service, ServicePort
from cloison.resources.world import PodEndpoint, World

FRONTED = "CON118"
"""A dependency names a port that only a Service in front of the pods has."""
EFFECT = "what arrives at the pods has their own port: the call is not let through"


@dataclass(frozen=True, slots=True)
class Fronted:
    """A port that is a Service's and not the pods'.

    Args:
        entry: The dependency.
        message: What it names, and what has it.
        help: What to do.
    """

    entry: Dependency
    message: str
    help: str


def fronted(edges: Iterable[Intended], world: World) -> Iterator[Fronted]:
    """Yield, each once, the ports that dependencies name and that only a Service has.

    Args:
        edges: What dependencies come to.
        world: The Services.
    """
    by_home: dict[str, list[Service]] = {}
    for service in world.services.values():
        by_home.setdefault(service.namespace, []).append(service)
    seen: set[tuple[str, str, int, str]] = set()
    for edge in edges:
        pods = edge.destination
        if edge.dialled is not None or not isinstance(pods, PodsEnd):
            continue
        known = pods.workload
        for entry in edge.traffic.traffic.entries():
            number, protocol = entry.low, entry.protocol
            key = (edge.entry.name, str(known.id), number or 0, protocol)
            # Ranges are no Service's port.
            if number is None or entry.high != number or key in seen:
                continue
            seen.add(key)
            found = _front(by_home.get(known.id.namespace, ()), known.endpoints, protocol, number)
            if found is not None:
                service, own = found
                yield Fronted(
                    edge.entry,
                    f"{known.id} has no port {number}/{protocol}: Service {service.namespace}/"
                    f"{service.name} has, and leads to {own} of the pods",
                    f"write {own}, or `to: svc:{service.namespace}/{service.name}`",
                )


def _front(
    services: Iterable[Service], pods: Iterable[PodEndpoint], protocol: str, number: int
) -> tuple[Service, str] | None:
    """Return the Service that has a port which the pods behind it do not have, and theirs."""
    every = tuple(pods)
    held = TrafficSet()
    for pod in every:
        for port in pod.ports:
            held |= TrafficSet.ports(port.protocol, *port.span)
    if TrafficSet.ports(protocol, number) <= held:
        return None
    for service in services:
        wanted = (service.selector or {}).items()
        behind = [pod for pod in every if wanted and wanted <= pod.labels.items()]
        leads = {
            own for each in service.ports for pod in behind if (own := _own(each, pod)) is not None
        }
        mine = {
            own
            for each in service.ports
            if (each.protocol, each.port) == (protocol, number)
            for pod in behind
            if (own := _own(each, pod)) is not None
        }
        if mine and number not in leads:
            return service, " or ".join(map(str, sorted(mine)))
    return None


def _own(port: ServicePort, pod: PodEndpoint) -> int | None:
    """Return the port of a pod that one of a Service leads to."""
    target = port.port if port.target is None else port.target
    return target if isinstance(target, int) else own_port(pod, target, port.protocol)
