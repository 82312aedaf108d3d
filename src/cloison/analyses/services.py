"""Services followed to the pods behind them: address, port and apparent source.

Policies judge the packet that arrives: the backend pod's address and its own port.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from cloison.algebra import NO_TRAFFIC, AddressSet, TrafficSet, parse_address
from cloison.analyses.ends import AddressEnd, End, NodeEnd, PodsEnd, ServiceEnd, SomeNodeEnd
from cloison.analyses.question import Traffic
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.ir import caveats as known
from cloison.ir.fidelity import Caveat
from cloison.resources.objects import Service, ServicePort


@dataclass(frozen=True, slots=True)
class Followed:
    """A question as the enforcement points see it; `returned` to the very pod that asks."""

    source: End
    destination: End
    traffic: Traffic
    caveats: tuple[Caveat, ...] = ()
    notes: tuple[str, ...] = ()
    returned: bool = False


def follow(engine: Engine, source: End, end: ServiceEnd, traffic: Traffic) -> list[Followed]:
    """Return the questions that one through a Service comes to.

    Raises:
        QuestionError: the Service has no such port, or nothing behind it.
    """
    service = end.service
    if service.type == "ExternalName":
        msg = f"{end.text} is an alias for {service.external_name}"
        raise QuestionError(msg, "ask about the address it stands for")
    found = list(
        _headless(engine, source, end, traffic)
        if "None" in service.cluster_ips
        else _translated(engine, source, end, traffic)
    )
    if not found:
        msg = f"no pod is behind {end.text}"
        raise QuestionError(msg, _why_empty(service))
    return found


def _headless(engine: Engine, source: End, end: ServiceEnd, traffic: Traffic) -> Iterator[Followed]:
    """A headless name stands for the pods' own addresses, and nothing rewrites the port."""
    service = end.service
    if traffic.name is not None:
        named = [p for p in service.ports if p.name == traffic.name]
        for port in named[:1]:
            text = f"{port.protocol}/{port.port}"
            traffic = Traffic(text, TrafficSet.ports(port.protocol, port.port))
    note = f"Service {end.text[4:]} is headless: its name leads to the pods, the port is theirs"
    for backend, _ in _backends(engine, service):
        yield Followed(source, backend, traffic, (), (note,))


def _translated(
    engine: Engine, source: End, end: ServiceEnd, traffic: Traffic
) -> Iterator[Followed]:
    """The usual Service: address and port are replaced by a backend's."""
    service = end.service
    caveats = {known.SERVICE_NAT}
    apparent = _apparent(source, service, caveats)
    for port in _ports(service, traffic, end.text):
        for backend, listed in _led(engine, source, service, port):
            asked = _target(port, listed)
            if asked is None:
                continue
            arriving = asked.traffic
            if not arriving and isinstance(backend, PodsEnd):
                arriving = _declared(engine, port, backend)
            if not arriving:
                continue
            note = f"Service {end.text[4:]} port {port.port} leads to {backend.text} on {arriving}"
            followed = Followed(apparent, backend, asked, tuple(sorted(caveats)), (note,))
            yield from _hairpin(engine, followed)


def _hairpin(engine: Engine, followed: Followed) -> Iterator[Followed]:
    """Where the pods behind a Service are those that ask, a pod may be led back to itself."""
    source, backend = followed.source, followed.destination
    if not (
        isinstance(source, PodsEnd)
        and isinstance(backend, PodsEnd)
        and source.endpoints == backend.endpoints
    ):
        yield followed
        return
    workload = source.workload
    alone = len(source.endpoints) == 1 and (
        source.single
        or workload.replicas == 1
        or engine.table.endpoints[source.endpoints[0]].pod is not None
    )
    itself = replace(source, single=True), replace(backend, single=True)
    yield replace(followed, source=itself[0], destination=itself[1], returned=True)
    if not alone:
        yield followed


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
        have = ", ".join(
            f"{p.protocol}/{p.port}{f' ({p.name})' if p.name else ''}" for p in service.ports
        )
        have = have or "no ports"
        msg = f"{text} has no port {traffic.text}"
        raise QuestionError(msg, f"it has {have}")
    return found


def _led(
    engine: Engine, source: End, service: Service, port: ServicePort
) -> Iterator[tuple[PodsEnd | AddressEnd, tuple[ServicePort, ...] | None]]:
    """Iterate over what a port of a Service leads to from where somebody is.

    On a node that has a pod to which traffic of the Service is redirected, that gets it.
    """
    redirect = service.redirect
    here = _nodes_of(engine, source)
    target = None if redirect is None else redirect.ports.get((port.protocol, port.port))
    everywhere = True
    if redirect is not None and target is not None and here:
        local = [
            (index, end)
            for index, end in enumerate(engine.table.endpoints)
            if end.namespace == service.namespace
            and end.shape.node in here
            and redirect.pods.matches(end.labels)
        ]
        for index, end in local:
            workload = engine.world.workloads[end.workload]
            listed = (replace(port, port=target),)
            yield PodsEnd(end.name, workload, (index,), single=True), listed
        everywhere = bool(here - {end.shape.node for _, end in local})
    if everywhere:
        yield from _backends(engine, service)


def _nodes_of(engine: Engine, source: End) -> frozenset[str | None]:
    """Return the nodes that somebody is on, None among them for one that is not known."""
    if isinstance(source, NodeEnd):
        return frozenset((source.node.name,))
    if isinstance(source, PodsEnd):
        ends = engine.table.endpoints
        return frozenset(ends[index].shape.node for index in source.endpoints)
    return frozenset()


def _backends(
    engine: Engine, service: Service
) -> Iterator[tuple[PodsEnd | AddressEnd, tuple[ServicePort, ...] | None]]:
    """Iterate over what is behind a Service, with the ports its EndpointSlice gives, if any."""
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
            end = PodsEnd(str(workload.id), workload, chosen, single=workload.id.kind == "Pod")
            yield end, None


def _listed(
    engine: Engine, service: Service
) -> Iterator[tuple[PodsEnd | AddressEnd, tuple[ServicePort, ...]]]:
    """Iterate over what EndpointSlices list for a Service without a selector."""
    for piece in engine.world.slices:
        if (piece.namespace, piece.service) != (service.namespace, service.name):
            continue
        for text in (address for each in piece.endpoints for address in each.addresses):
            try:
                point = parse_address(text)
            except ValueError:
                continue  # a slice may list host names
            held = engine.holders.get(point, ())
            for index in held:
                endpoint = engine.table.endpoints[index]
                workload = engine.world.workloads[endpoint.workload]
                yield PodsEnd(endpoint.name, workload, (index,), single=True), piece.ports
            if not held:
                yield AddressEnd(text, AddressSet.points((point,))), piece.ports


def _target(port: ServicePort, listed: tuple[ServicePort, ...] | None) -> Traffic | None:
    """Return the backend's own port behind a Service port, a name where the Service gives one.

    Args:
        port: The Service's port.
        listed: Ports of the EndpointSlice; they are the backends' own, matched by name.
    """
    if listed is not None:
        match = next((p for p in listed if p.name == port.name), None)
        if match is None:
            return None
        text = f"{match.protocol}/{match.port}"
        return Traffic(text, TrafficSet.ports(match.protocol, match.port))
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
