"""Where pods say that they listen, by containers, Services, probes and annotations."""

from collections.abc import Iterator
from functools import cached_property
from typing import Final

from cloison.algebra import PORT_PROTOCOLS
from cloison.analyses.ends import PodsEnd
from cloison.analyses.past.link import Link
from cloison.analyses.reconcile.seen import Outside
from cloison.resources.objects import PodShape, Service, ServicePort
from cloison.resources.world import Workload, WorkloadId, World

_HEADLESS: Final = "None"
_PORT: Final = "/port"
"""How annotations end that say at which port a pod is to be asked, as `prometheus.io/port`."""

Ports = tuple[tuple[str, int, int], ...]
"""Protocol, first and last port."""


class Listening:
    """Knows at which ports pods say that they listen.

    Args:
        world: The pods, and the Services that lead to them.
    """

    def __init__(self, world: World) -> None:
        """Remember the world; ports are looked up when somebody asks."""
        self._world = world
        self._known: dict[WorkloadId, Ports] = {}

    def said(self, link: Link) -> bool:
        """Return whether anything says that its port is listened at.

        Of nodes, of what is outside and of what has no ports nobody can tell: those count as said.
        """
        end, key = link.destination, link.key
        if not isinstance(end, PodsEnd) or key.protocol not in PORT_PROTOCOLS or key.port < 0:
            return True
        if any(each.shape.host_network for each in end.workload.endpoints):
            return True
        return self.declares(link)

    def declares(self, link: Link) -> bool:
        """Return whether anything names the port of an edge; of what is outside, nothing does."""
        end, key = link.destination, link.key
        if isinstance(end, Outside):
            return False
        spans = self.of(end.workload) if isinstance(end, PodsEnd) else self._of_nodes
        return any(p == key.protocol and a <= key.port <= b for p, a, b in spans)

    @cached_property
    def _of_nodes(self) -> Ports:
        """The ports that Services have on nodes."""
        every = (port for each in self._world.services.values() for port in each.ports)
        return tuple((p.protocol, p.node_port, p.node_port) for p in every if p.node_port)

    def of(self, workload: Workload) -> Ports:
        """Return the ports that containers, Services, probes and annotations name."""
        if workload.id not in self._known:
            shapes = {id(each.shape): each.shape for each in workload.endpoints}
            found = (one for shape in shapes.values() for one in self._ports(workload.id, shape))
            self._known[workload.id] = tuple(dict.fromkeys(found))
        return self._known[workload.id]

    def _ports(self, name: WorkloadId, shape: PodShape) -> Iterator[tuple[str, int, int]]:
        for port in shape.ports:
            yield port.protocol, *port.span
        for service in self._services.get(name.namespace, ()):
            if service.selector and service.selector.items() <= shape.labels.items():
                for each in service.ports:
                    yield from _led(service, each, shape)
        run = shape.runtime
        if run is None:
            return
        for container in run.containers:
            for probe in container.probes:
                if isinstance(probe.port, int):
                    yield "TCP", probe.port, probe.port
        for key, value in run.annotations:
            if key.endswith(_PORT) and value.isascii() and value.isdecimal():
                yield "TCP", int(value), int(value)

    @cached_property
    def _services(self) -> dict[str, list[Service]]:
        found: dict[str, list[Service]] = {}
        for service in self._world.services.values():
            found.setdefault(service.namespace, []).append(service)
        return found


def _led(service: Service, port: ServicePort, shape: PodShape) -> Iterator[tuple[str, int, int]]:
    """Yield the ports of a pod that a port of a Service leads to."""
    target = port.port if port.target is None else port.target
    if isinstance(target, int):
        yield port.protocol, target, target
    else:
        for each in shape.ports:
            if (each.name, each.protocol) == (target, port.protocol):
                yield each.protocol, *each.span
    if _HEADLESS in service.cluster_ips:
        yield port.protocol, port.port, port.port  # clients call the pods themselves
