"""Calls to a headless Service on a port that only its `port` says.

Nothing stands in front of its pods that could lead to `targetPort`: the number that is dialled is
the number that arrives. Source: kubernetes/website content/en/docs/concepts/services-networking,
page service, section headless Services.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cloison.algebra import TrafficSet
from cloison.analyses.contract.intended import Intended
from cloison.analyses.ends import PodsEnd, ServiceEnd
from cloison.intent import Dependency
from cloison.resources.objects import Service

UNHEARD = "CON117"
"""A dependency dials a port of a headless Service on which no pod says that it listens."""
EFFECT = "the call is let through and meets nobody there, unless pods listen undeclared"


@dataclass(frozen=True, slots=True)
class Unheard:
    """A port that is dialled, and that no pod declares.

    Args:
        entry: The dependency.
        message: What is dialled, and what its Service says of it.
        help: What to do.
    """

    entry: Dependency
    message: str
    help: str


def unheard(edges: Iterable[Intended]) -> Iterator[Unheard]:
    """Yield, each once, the ports of headless Services that are dialled and lead elsewhere.

    Args:
        edges: What dependencies come to.
    """
    seen: set[tuple[str, str, str, int, str]] = set()
    for edge in edges:
        end, pods = edge.dialled, edge.destination
        if not isinstance(end, ServiceEnd) or not isinstance(pods, PodsEnd):
            continue
        service = end.service
        for port, protocol, target in _elsewhere(service, pods):
            key = (edge.entry.name, service.namespace, service.name, port, protocol)
            if TrafficSet.ports(protocol, port) & edge.traffic.traffic and key not in seen:
                seen.add(key)
                yield Unheard(
                    edge.entry,
                    f"Service {service.namespace}/{service.name} is headless: {port}/{protocol} "
                    f"arrives at the pods as it is, and none declares it; `targetPort` is {target}",
                    f"dial {target}, or give the Service an address of its own",
                )


def _elsewhere(service: Service, pods: PodsEnd) -> Iterator[tuple[int, str, int | str]]:
    """Yield ports of a headless Service that pods do not declare, and where they are to lead."""
    if "None" not in service.cluster_ips:
        return
    held = {(p.number, p.protocol) for pod in pods.workload.endpoints for p in pod.ports}
    for each in service.ports:
        target = each.target
        if target not in (None, each.port) and (each.port, each.protocol) not in held:
            yield each.port, each.protocol, target or each.port
