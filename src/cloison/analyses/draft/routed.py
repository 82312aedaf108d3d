"""Edges from outside: Ingresses, gateways, routes, load balancers and node ports; and scrapes."""

from collections.abc import Iterator

from cloison.analyses.doctor.scrape import scrapes
from cloison.analyses.doctor.served import numbers, target_of
from cloison.analyses.draft.model import WORLD, Edge, Found, Hint, Outside, Party, Sure
from cloison.analyses.draft.sight import Sight
from cloison.analyses.ends import PodsEnd
from cloison.analyses.paths.serving import Served, in_front, served
from cloison.platform.routes.model import Backend, Dials, Entry, Listener
from cloison.resources.objects import Service
from cloison.resources.world import APART

_OUTSIDE = ("LoadBalancer", "NodePort")


def routed(sight: Sight) -> Iterator[Found]:
    """Yield edges from outside, and from whoever serves an entry to what is behind it."""
    for service in sight.world.services.values():
        yield from _service(sight, service)
    for entry in sight.clinic.site.entries:
        yield from _entry(sight, entry)


def _service(sight: Sight, service: Service) -> Iterator[Hint]:
    if service.type not in _OUTSIDE and not service.external_ips:
        return
    how = service.type if service.type in _OUTSIDE else "with external addresses"
    for port in service.ports:
        for party, number in sight.behind(service, port.port, port.protocol):
            text = f"Service {service.namespace}/{service.name} is a {how}"
            text += f", port {port.port}"
            if number not in (None, port.port):
                text += f", which is port {number} of the pods"
            for source in _clients(service):
                edge = Edge(source, party, port.protocol, number)
                yield Hint(edge, text, service.span, Sure.HIGH, door=True)


def _clients(service: Service) -> tuple[Party, ...]:
    """Return who may call a Service from outside: the world, or what its load balancer lets in."""
    if service.type != "LoadBalancer" or not service.source_ranges:
        return (WORLD,)
    whole = {"0.0.0.0/0", "::/0"}.intersection(service.source_ranges)
    return (WORLD,) if whole else tuple(Outside(e, block=True) for e in service.source_ranges)


def _entry(sight: Sight, entry: Entry) -> Iterator[Hint]:
    own = f"gw:{entry.namespace}/{entry.name}"
    serving: list[Party] = [name for plane in entry.planes for name in plane.workloads]
    for listener in entry.listeners:
        if not serving:
            edge = Edge(WORLD, own, listener.transport, listener.port)
            text = f"{entry} takes connections on port {listener.port}"
            yield Hint(edge, text, listener.span or entry.span, Sure.HIGH, door=True)
        for by in served(sight.clinic.engine, entry):
            yield from _door(sight, entry, by, listener)
    early = any(plane.dials is not Dials.ENDPOINTS for plane in entry.planes)
    for rule in entry.rules:
        for backend in rule.backends:
            if backend.stop is not None or (backend.weight <= 0 and not backend.mirror):
                continue
            for source in dict.fromkeys(serving) or (own,):
                yield from _backend(sight, source, backend, rule.route, ask=early and not serving)


def _door(sight: Sight, entry: Entry, by: Served, listener: Listener) -> Iterator[Hint]:
    """Yield what clients call of the pods that serve an entry."""
    if by.plane.assumed or not isinstance(by.end, PodsEnd):
        return
    name, port = by.end.workload.id, by.plane.ports.get(listener.port, listener.port)
    front = in_front(sight.clinic.engine, by, listener)
    if front is not None:
        behind = sight.behind(front.service, listener.port, listener.transport)
        port = next((n for party, n in behind if party == name and n is not None), port)
    text = f"it serves {entry}, port {listener.port}"
    text += f", which is port {port} of the pods" if port != listener.port else ""
    edge = Edge(WORLD, name, listener.transport, port)
    yield Hint(edge, text, entry.span, Sure.HIGH, door=True)


def _backend(
    sight: Sight, source: Party, backend: Backend, route: str, *, ask: bool
) -> Iterator[Hint]:
    service = sight.world.services.get((backend.namespace, backend.service))
    if service is None:
        return
    name = f"{backend.namespace}/{backend.service}"
    text = f"{route} leads to Service {name}"
    meant = [p for p in service.ports if backend.port in (p.port, p.name, None)]
    if backend.endpoint_port:
        pods = sight.serving.behind(service)
        meant = [
            p
            for p in service.ports
            if any(target_of(w.endpoints[0], p) == backend.port for w in pods)
            or backend.port in (p.target, p.name)
        ]
    for port in meant:
        for party, number in sight.behind(service, port.port, port.protocol):
            if party != source:
                edge = Edge(source, party, port.protocol, number)
                yield Hint(edge, text, backend.span, Sure.HIGH, ask, door=True)


def scraped(sight: Sight) -> Iterator[Found]:
    """Yield edges from whoever collects metrics to what monitors and annotations name."""
    for collector, target, said in scrapes(sight.clinic):
        if not isinstance(target.to, PodsEnd):
            continue
        source, destination = collector.end.workload.id, target.to.workload.id
        if source == destination or APART in (source.namespace, destination.namespace):
            continue
        for protocol, port in numbers(target.traffic.traffic):
            sure = Sure.HIGH if collector.sure else Sure.MEDIUM
            text = f"{said.text}; {collector.why}"
            yield Hint(Edge(source, destination, protocol, port), text, said.span, sure)
