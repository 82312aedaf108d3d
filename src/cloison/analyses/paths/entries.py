"""Through a gateway: the client reaches whoever serves it, and that one reaches the backends."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cloison.algebra import NO_TRAFFIC, AddressSet, TrafficSet
from cloison.analyses.ask import Question
from cloison.analyses.ends import (
    AddressEnd,
    End,
    EntryEnd,
    PodsEnd,
    ServiceEnd,
    SomeNodeEnd,
)
from cloison.analyses.paths.assume import with_pods
from cloison.analyses.paths.lookup import Ask
from cloison.analyses.paths.model import Hop, HopRole, Stop, Way
from cloison.analyses.question import EVERYTHING, Traffic
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.platform.routes.model import Backend, Dials, Entry, Listener, Plane, RouteRule
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
        return self.plane.why if self.plane.assumed else None


def served(engine: Engine, entry: Entry) -> Iterator[Served]:
    """Yield who serves an entry; several where the input does not say which it is."""
    for plane in entry.planes:
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


def _apart(engine: Engine, text: str) -> PodsEnd | None:
    """Return an end that the enforcer has besides pods, where the world has it."""
    for name, workload in engine.world.workloads.items():
        if name.namespace == APART and f"{APART}{name.name}" == text:
            return PodsEnd(text, workload, engine.table.by_workload[name])
    return None


def inwards(engine: Engine, question: Question, end: EntryEnd, ask: Ask) -> Iterator[Way]:
    """Yield the ways from a client through an entry to everything behind it.

    Args:
        engine: Who decides.
        question: What is asked; its destination is `end`.
        end: The entry.
        ask: Judges a hop.

    Raises:
        QuestionError: The entry has no such port.
    """
    entry = end.entry
    listeners = [each for each in entry.listeners if _asked(each, question.traffic)]
    if not listeners:
        have = ", ".join(f"{e.transport}/{e.port}" for e in entry.listeners) or "no listeners"
        msg = f"{end.text} has no listener on {question.traffic.text}"
        raise QuestionError(msg, f"it has {have}")
    serving = tuple(served(engine, entry))
    if not serving:
        yield Way((), nobody(entry))
        return
    for listener in listeners:
        rules = [rule for rule in entry.rules if _behind(rule, listener, question)]
        for each in serving:
            first = _entered(engine, question, listener, each, ask)
            if not rules:
                yield Way((first,), _no_rule(entry, listener, question))
            for rule in rules:
                for backend in rule.backends:
                    yield _backed(engine, question, each, rule, backend, listener, ask, (first,))


def outwards(engine: Engine, question: Question, end: EntryEnd, ask: Ask) -> Iterator[Way]:
    """Yield the ways from whoever serves an entry to an end.

    Args:
        engine: Who decides.
        question: What is asked; its source is `end`.
        end: The entry.
        ask: Judges a hop.
    """
    entry, to = end.entry, question.destination
    serving = tuple(served(engine, entry))
    if not serving:
        yield Way((), nobody(entry))
        return
    leading = [
        (rule, backend)
        for rule in entry.rules
        for backend in rule.backends
        if _leads(engine, backend, to)
    ]
    for each in serving:
        if question.traffic == EVERYTHING and leading:
            for rule, backend in leading:
                listener = rule.listeners[0] if rule.listeners else None
                yield _backed(engine, question, each, rule, backend, listener, ask, ())
            continue
        said = "" if leading else f"no rule of {entry} leads to {to.text}"
        why = tuple(text for text in (each.plane.why, said) if text)
        yield Way((_hop(HopRole.BACKEND, each, to, question, question.traffic, why, ask),))


def nobody(entry: Entry) -> Stop:
    """Return why nothing passes an entry that nobody serves."""
    named = f"class {entry.class_name}" if entry.class_name else "no class"
    return Stop(
        "NoController",
        f"nothing in the input serves {entry} ({named})",
        "add the controller's workload to the input, or name it in cloison.yaml",
        entry.span,
    )


def _asked(listener: Listener, traffic: Traffic) -> bool:
    if traffic.name is not None:
        return listener.name == traffic.name
    wanted = TrafficSet.ports(listener.transport, listener.port)
    return traffic == EVERYTHING or wanted <= traffic.traffic


def _behind(rule: RouteRule, listener: Listener, question: Question) -> bool:
    """Return whether a rule is behind a listener and for the request that is made, if one is."""
    if rule.listeners and listener not in rule.listeners:
        return False
    request = question.request
    host = request.host.partition(":")[0].lower() if request and request.host else None
    path = request.path.partition("?")[0] if request and request.path else None
    hosts = [each for each in (listener.hostname, *rule.hosts) if each]
    if host is not None and hosts and not any(_is_host(host, each) for each in hosts):
        return False
    return path is None or not rule.paths or any(_is_path(path, each) for each in rule.paths)


def _is_host(host: str, pattern: str) -> bool:
    """Return whether a host is one that a route names; a star stands for one label or more."""
    pattern = pattern.lower()
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return host == pattern


def _is_path(path: str, written: str) -> bool:
    """Return whether a path is what a rule writes: itself, or below a prefix ending in a star."""
    if not written.endswith("*"):
        return path == written
    prefix = written[:-1].rstrip("/")
    return path == prefix or path.startswith(f"{prefix}/")


def _no_rule(entry: Entry, listener: Listener, question: Question) -> Stop:
    asked = f" for {question.request}" if question.request is not None else ""
    return Stop(
        "NoRoute",
        f"no rule of {entry} is behind port {listener.port}{asked}",
        "check the routes' parentRefs, hosts and sectionName",
        listener.span or entry.span,
    )


def _entered(engine: Engine, question: Question, listener: Listener, by: Served, ask: Ask) -> Hop:
    """Return the hop from the client to whoever serves an entry."""
    port = by.plane.ports.get(listener.port, listener.port)
    why = (by.plane.why,)
    if isinstance(by.end, PodsEnd):
        service = _in_front(by.engine or engine, by.end, listener)
        if service is not None:
            name = f"svc:{service.namespace}/{service.name}"
            front = ServiceEnd(name, service)
            traffic = _port(listener.transport, listener.port)
            return _hop(HopRole.ENTRY, by, front, question, traffic, why, ask, inwards=True)
    to = by.end or AddressEnd(by.plane.name, AddressSet(()))
    traffic = _port(listener.transport, port)
    return _hop(HopRole.ENTRY, by, to, question, traffic, why, ask, inwards=True)


def _in_front(engine: Engine, end: PodsEnd, listener: Listener) -> Service | None:
    """Return the Service that leads a listener's port to pods, the most open one first."""
    labels = [engine.table.endpoints[index].labels.items() for index in end.endpoints]
    found = [
        service
        for service in engine.world.services.values()
        if service.namespace == end.workload.id.namespace
        and service.selector
        and any(service.selector.items() <= each for each in labels)
        and any((p.port, p.protocol) == (listener.port, listener.transport) for p in service.ports)
    ]
    order = ("LoadBalancer", "NodePort", "ClusterIP")
    return min(
        found, key=lambda s: (order.index(s.type) if s.type in order else 9, s.name), default=None
    )


def _backed(
    engine: Engine,
    question: Question,
    by: Served,
    rule: RouteRule,
    backend: Backend,
    listener: Listener | None,
    ask: Ask,
    before: Sequence[Hop],
) -> Way:
    """Return the way that ends at a backend."""
    service = engine.world.services.get((backend.namespace, backend.service))
    if backend.stop is not None:
        return Way(tuple(before), backend.stop)
    if service is None:
        return Way(tuple(before), _absent(rule, backend))
    transport = listener.transport if listener is not None else "TCP"
    to = ServiceEnd(f"svc:{service.namespace}/{service.name}", service)
    why = (f"{rule.route} leads to {to.text[4:]}:{backend.port}",)
    traffic = _service_port(service, backend, transport)
    if by.plane.dials is Dials.NODE_PORT:
        by = replace(by, end=SomeNodeEnd(f"{by.plane.name}, by a node"))
    hop = _hop(HopRole.BACKEND, by, to, question, traffic, why, ask)
    return Way((*before, replace(hop, span=backend.span)))


def _absent(rule: RouteRule, backend: Backend) -> Stop:
    return Stop(
        "BackendNotFound",
        f"{rule.route} leads to Service {backend.namespace}/{backend.service}, "
        "which is not in the input",
        "correct the name, or add the Service to the input",
        backend.span or rule.span,
    )


def _service_port(service: Service, backend: Backend, transport: str) -> Traffic:
    """Return the port of a Service that a backend means."""
    port = backend.port
    if backend.endpoint_port and isinstance(port, int):
        port = next((p.port for p in service.ports if (p.target or p.port) == port), port)
    if port is None:
        return EVERYTHING
    if isinstance(port, str):
        return Traffic(port, NO_TRAFFIC, port, transport)
    return _port(transport, port)


def _port(transport: str, port: int) -> Traffic:
    return Traffic(f"{transport}/{port}", TrafficSet.ports(transport, port))


def _leads(engine: Engine, backend: Backend, to: End) -> bool:
    """Return whether a backend is an end, or pods of it are behind the backend."""
    service = engine.world.services.get((backend.namespace, backend.service))
    if service is None:
        return False
    if isinstance(to, ServiceEnd):
        return (to.service.namespace, to.service.name) == (service.namespace, service.name)
    if not isinstance(to, PodsEnd) or to.workload.id.namespace != service.namespace:
        return False
    selector = service.selector
    ends = engine.table.endpoints
    return bool(selector) and any(
        (selector or {}).items() <= ends[index].labels.items() for index in to.endpoints
    )


def _hop(
    role: HopRole,
    by: Served,
    to: End,
    question: Question,
    traffic: Traffic,
    why: tuple[str, ...],
    ask: Ask,
    *,
    inwards: bool = False,
) -> Hop:
    """Return a judged hop from, or to, whoever serves an entry."""
    source = question.source if inwards else by.end or AddressEnd(by.plane.name, AddressSet(()))
    # What a gateway sends on is the request that it got.
    asked = replace(question, source=source, destination=to, traffic=traffic)
    answer = ask(asked, by.engine) if by.end is not None else None
    return Hop(role, asked, why, by.plane.span, by.assumed, (), answer)
