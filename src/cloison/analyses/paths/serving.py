"""Who serves an entry, as ends that the engine knows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cloison.algebra import NO_ADDRESSES, AddressSet
from cloison.analyses.backends import services_in
from cloison.analyses.ends import AddressEnd, End, PodsEnd, ServiceEnd, SomeNodeEnd
from cloison.analyses.paths.assume import with_pods
from cloison.analyses.paths.model import Stop
from cloison.engine import Engine
from cloison.ir import caveats as known
from cloison.ir.fidelity import Caveat
from cloison.platform.routes.model import Entry, Listener, Plane
from cloison.resources.objects import Service
from cloison.resources.world import APART


@dataclass(frozen=True, slots=True)
class Served:
    """Who serves an entry, as an end.

    Args:
        plane: The plane.
        end: Its end; None where nothing can stand for it.
        engine: Who decides about it, where pods of it had to be assumed.
    """

    plane: Plane
    end: End | None
    engine: Engine | None = None

    @property
    def assumed(self) -> str | None:
        """What stands in for it, if the input does not hold it."""
        if not self.plane.assumed or not isinstance(self.end, PodsEnd):
            return None
        return f"default pods of {self.plane.name} in {self.end.workload.id.namespace}"

    @property
    def sender(self) -> End:
        """Who opens the connections to the backends."""
        if self.plane.on_nodes:
            return SomeNodeEnd(f"{self.plane.name}, by a node", passing=True)
        return self.end or AddressEnd(self.plane.name, NO_ADDRESSES)

    @property
    def balances(self) -> bool:
        """Whether it is a load balancer outside the cluster, which clients reach unjudged."""
        if self.plane.unknown or self.plane.somewhere is not None:
            return False
        return self.plane.on_nodes or bool(self.plane.blocks) or self.end is None

    def towards(self, service: Service) -> "Served":
        """Return who opens the connection to a Service's pods.

        What comes by a node carries its address, unless the Service keeps it on the node.
        """
        if not self.plane.on_nodes or service.external_traffic_policy != "Local":
            return self
        spans = (s for block in self.plane.blocks for s in AddressSet.block(block).spans)
        end = AddressEnd(self.plane.name, AddressSet(spans)) if self.plane.blocks else None
        return replace(self, plane=replace(self.plane, on_nodes=False), end=end)

    @property
    def on_host(self) -> bool:
        """Whether its pods use the network of their node."""
        return isinstance(self.end, PodsEnd) and any(
            each.shape.host_network for each in self.end.workload.endpoints
        )

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """What stands on it that its connections look as they do."""
        if self.plane.unknown:
            return (known.GATEWAY_CONTROLLER_UNKNOWN,)
        if self.end is None:
            unknown = known.GATEWAY_ADDRESS_UNKNOWN
            if self.plane.somewhere is not None:
                unknown = known.GATEWAY_NAMESPACE_UNKNOWN
            return (*self.plane.caveats, unknown)
        if self.plane.on_nodes or self.on_host:
            return (*self.plane.caveats, known.OVERLAY_SOURCE)
        return self.plane.caveats


def served(engine: Engine, entry: Entry) -> Iterator[Served]:
    """Yield who serves an entry; several where the input does not say which it is."""
    for plane in planes_of(entry):
        if plane.on_nodes:
            yield Served(plane, SomeNodeEnd(f"{plane.name}, on a node"))
        elif plane.apart is not None:
            yield Served(plane, _apart(engine, plane.apart))
        elif plane.blocks:
            spans = (span for block in plane.blocks for span in AddressSet.block(block).spans)
            yield Served(plane, AddressEnd(plane.name, AddressSet(spans)))
        elif plane.supposed is not None:
            added, pods = with_pods(engine, plane.supposed, plane.name)
            yield Served(plane, pods, added)
        elif not plane.workloads:
            yield Served(plane, None)
        for name in plane.workloads:
            workload = engine.world.workloads[name]
            indices = engine.table.by_workload[name]
            yield Served(plane, PodsEnd(str(name), workload, indices, gone=not indices))


def planes_of(entry: Entry) -> tuple[Plane, ...]:
    """Return who serves an entry; where nothing in the input says it, whoever that is."""
    somebody = Plane(f"whoever serves {entry}", "", span=entry.span, unknown=True)
    return entry.planes or (somebody,)


def _apart(engine: Engine, text: str) -> PodsEnd | None:
    """Return an end that the enforcer has besides pods, where the world has it."""
    for name, workload in engine.world.workloads.items():
        if name.namespace == APART and f"{APART}{name.name}" == text:
            return PodsEnd(text, workload, engine.table.by_workload[name])
    return None


def nobody(entry: Entry) -> Stop:
    """Return what is not known of an entry of which the input does not say who serves it."""
    named = f"class {entry.class_name}" if entry.class_name else "no class"
    return Stop(
        "NoController",
        f"nothing in the input serves {entry} ({named})",
        "add the controller's workload to the input, or name it in cloison.yaml",
        entry.span,
        caveat=known.GATEWAY_CONTROLLER_UNKNOWN,
    )


def in_front(engine: Engine, by: Served, listener: Listener) -> ServiceEnd | None:
    """Return the Service that leads a listener's port to whoever serves it.

    That is the one that the entry names; of others the most open one.

    Args:
        engine: Whose world.
        by: Who serves the entry.
        listener: The listener.
    """
    end = by.end
    if not isinstance(end, PodsEnd):
        return None
    named = engine.world.services.get(by.plane.service) if by.plane.service else None
    if named is not None and _opens(named, listener):
        return _end(named)
    labels = [engine.table.endpoints[index].labels.items() for index in end.endpoints]
    found = [
        service
        for service in services_in(engine, end.workload.id.namespace)
        if service.selector
        and any(service.selector.items() <= each for each in labels)
        and _opens(service, listener)
    ]
    order = ("LoadBalancer", "NodePort", "ClusterIP")
    first = min(
        found, key=lambda s: (order.index(s.type) if s.type in order else 9, s.name), default=None
    )
    return None if first is None else _end(first)


def _end(service: Service) -> ServiceEnd:
    return ServiceEnd(f"svc:{service.namespace}/{service.name}", service)


def _opens(service: Service, listener: Listener) -> bool:
    return any(
        (port.port, port.protocol) == (listener.port, listener.transport) for port in service.ports
    )
