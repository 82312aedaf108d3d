"""Services followed to the pods behind them: address, port and apparent source.

Policies judge the packet that arrives: the backend pod's address and its own port.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from cloison.algebra import NO_TRAFFIC, TrafficSet, parse_address
from cloison.analyses.ends import AddressEnd, End, PodsEnd, ServiceEnd, SomeNodeEnd
from cloison.analyses.question import Traffic
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.ir import caveats as known
from cloison.ir.fidelity import Caveat
from cloison.resources.objects import Service, ServicePort


@dataclass(frozen=True, slots=True)
class Followed:
    """A question as the enforcement points see it."""

    source: End
    destination: End
    traffic: Traffic
    caveats: tuple[Caveat, ...] = ()
    notes: tuple[str, ...] = ()


def follow(engine: Engine, source: End, end: ServiceEnd, traffic: Traffic) -> list[Followed]:
    """Return the questions that one through a Service comes to.

    Raises:
        QuestionError: the Service has no such port, or nothing behind it.
    """
    service = end.service
    if service.type == "ExternalName":
        msg = f"{end.text} is an alias for {service.external_name}"
        raise QuestionError(msg, "ask about the address it stands for")
    name = f"{service.namespace}/{service.name}"
    caveats = {known.SERVICE_NAT}
    apparent = _apparent(source, service, caveats)
    found = []
    for port in _ports(service, traffic, end.text):
        for backend in _backends(engine, service):
            asked = _target(port)
            arriving = asked.traffic or _declared(engine, port, backend)
            if not arriving:
                continue
            extra = set(caveats)
            if isinstance(apparent, PodsEnd) and apparent.endpoints == backend.endpoints:
                extra.add(known.HAIRPIN)
            note = f"Service {name} port {port.port} leads to {backend.text} on {arriving}"
            found.append(Followed(apparent, backend, asked, tuple(sorted(extra)), (note,)))
    if not found:
        msg = f"no pod is behind {end.text}"
        raise QuestionError(msg, _why_empty(service))
    return found


def _apparent(source: End, service: Service, caveats: set[Caveat]) -> End:
    """Return the source a backend sees.

    A client outside comes through a load balancer or node port, where its address is
    replaced unless the Service keeps traffic on the node it arrived at.
    """
    outside = isinstance(source, AddressEnd)
    if not outside or service.type == "ClusterIP" or service.external_traffic_policy == "Local":
        return source
    caveats.add(known.SNAT)
    return SomeNodeEnd(f"{source.text}, translated", "the source seen may be a node's address")


def _ports(service: Service, traffic: Traffic, text: str) -> Iterable[ServicePort]:
    if traffic.text is None:
        return service.ports
    found = [
        port
        for port in service.ports
        if (
            port.name == traffic.name
            if traffic.name is not None
            else TrafficSet.ports(port.protocol, port.port) <= traffic.traffic
        )
    ]
    if not found:
        have = ", ".join(f"{p.protocol}/{p.port}" for p in service.ports) or "no ports"
        msg = f"{text} has no port {traffic.text}"
        raise QuestionError(msg, f"it has {have}")
    return found


def _backends(engine: Engine, service: Service) -> Iterable[PodsEnd]:
    selector = service.selector
    if selector is None:
        yield from _listed(engine, service)
        return
    if not selector:
        return
    for workload in engine.world.workloads.values():
        if workload.id.namespace != service.namespace:
            continue
        chosen = tuple(
            index
            for index in engine.table.by_workload[workload.id]
            if selector.items() <= engine.table.endpoints[index].labels.items()
        )
        if chosen:
            yield PodsEnd(str(workload.id), workload, chosen, single=workload.id.kind == "Pod")


def _listed(engine: Engine, service: Service) -> Iterable[PodsEnd]:
    """Return pods that EndpointSlices list for a Service without a selector."""
    wanted = {
        parse_address(address)
        for piece in engine.world.slices
        if (piece.namespace, piece.service) == (service.namespace, service.name)
        for endpoint in piece.endpoints
        for address in endpoint.addresses
    }
    for index, endpoint in enumerate(engine.table.endpoints):
        if wanted & set(endpoint.addresses):
            workload = engine.world.workloads[endpoint.workload]
            yield PodsEnd(endpoint.name, workload, (index,), single=True)


def _target(port: ServicePort) -> Traffic:
    """Return the pod's own port behind a Service port, a name where the Service gives one."""
    target = port.target if port.target is not None else port.port
    text = f"{port.protocol}/{target}"
    if isinstance(target, int):
        return Traffic(text, TrafficSet.ports(port.protocol, target))
    return Traffic(text, NO_TRAFFIC, target, port.protocol)


def _declared(engine: Engine, port: ServicePort, backend: PodsEnd) -> TrafficSet:
    """Return the numbers that a backend's pods declare under the name a Service port leads to."""
    found = NO_TRAFFIC
    for index in backend.endpoints:
        for each in engine.table.endpoints[index].ports:
            if each.name == port.target and each.protocol == port.protocol:
                found |= TrafficSet.ports(each.protocol, each.number)
    return found


def _why_empty(service: Service) -> str:
    if not service.selector:
        return "it has no selector, and no EndpointSlice lists a pod that was read"
    chosen = ", ".join(f"{k}={v}" for k, v in sorted(service.selector.items()))
    return f"it selects {chosen} in {service.namespace}; check the labels and its targetPort"
