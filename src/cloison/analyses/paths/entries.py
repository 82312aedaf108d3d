"""Through a gateway: the client reaches whoever serves it, and that one reaches the backends."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cloison.algebra import NO_ADDRESSES, NO_TRAFFIC, TrafficSet
from cloison.analyses.ask import Question
from cloison.analyses.backends import members, own_port
from cloison.analyses.ends import AddressEnd, End, EntryEnd, PodsEnd, ServiceEnd
from cloison.analyses.paths.calls import judged, parts
from cloison.analyses.paths.choosing import choose
from cloison.analyses.paths.lookup import Ask, lookups
from cloison.analyses.paths.model import Hop, HopRole, Stop, Way
from cloison.analyses.paths.serving import Served, in_front, nobody, served
from cloison.analyses.paths.site import Site
from cloison.analyses.question import EVERYTHING, Traffic
from cloison.base import QuestionError
from cloison.base.words import few
from cloison.engine import Engine
from cloison.ir import caveats as known
from cloison.platform.routes.model import Backend, Dials, Entry, Listener, RouteRule
from cloison.resources.objects import Service

_ROUTES = 3
"""Routes that are named where several lead to one backend."""


@dataclass(frozen=True, slots=True)
class _Target:
    """A backend, and every rule that leads there.

    Args:
        backend: The backend.
        rules: The rules, at least one.
    """

    backend: Backend
    rules: tuple[RouteRule, ...]

    @property
    def routes(self) -> str:
        """The routes, for people."""
        return few(dict.fromkeys(rule.route for rule in self.rules), _ROUTES)


def inwards(
    engine: Engine, site: Site, question: Question, end: EntryEnd, ask: Ask
) -> Iterator[Way]:
    """Yield the ways from a client through an entry to everything behind it.

    Args:
        engine: Who decides.
        site: What leads traffic where it goes.
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
        msg = f"{end.text} has no listener on {question.traffic.text or 'any port'}"
        raise QuestionError(msg, f"it has {have}")
    before: tuple[Hop, ...] = ()
    if isinstance(question.source, PodsEnd) and not question.source.gone:
        before = tuple(lookups(engine, site, question.source, ask))
    serving = tuple(served(engine, entry))
    told: dict[object, tuple[Way, ...]] = {}
    for port, alike in _by_port(listeners):
        chosen = choose(entry.kind, entry.rules, alike, question.request)
        for by in serving:
            first, stop = None, None
            if not by.balances:
                first, stop = _entered(engine, question, port, by, ask)
            path = (*before, first) if first is not None else before
            outside = (f"{by.plane.why}; clients reach it outside the cluster",)
            if stop is not None:
                yield Way(path, stop)
                continue
            if not chosen.rules or chosen.perhaps_none:
                yield Way(path, _no_rule(entry, port, question, perhaps=bool(chosen.rules)))
            if chosen.rules:
                # What is behind several ports is judged once.
                key = (id(by), port.transport, *(id(rule) for rule in chosen.rules))
                if key not in told:
                    found = _beyond(engine, question, by, chosen.rules, port, ask)
                    told[key] = tuple(_doubted(way) if chosen.unsettled else way for way in found)
                for way in told[key]:
                    notes = (*way.notes, *(outside if by.balances else ()))
                    through = replace(way, hops=(*path, *way.hops), notes=notes)
                    yield _known(through, by, entry)


def _by_port(listeners: Iterable[Listener]) -> Iterator[tuple[Listener, list[Listener]]]:
    """Yield listeners that share a port together, and one that stands for them."""
    found: dict[tuple[str, int], list[Listener]] = {}
    for each in listeners:
        found.setdefault((each.transport, each.port), []).append(each)
    for alike in found.values():
        yield alike[0], alike


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
    leading = [
        # That others get the requests of which these are copies is not asked here.
        replace(rule, backends=backends, answers=all(each.mirror for each in backends))
        for rule in entry.rules
        if (backends := tuple(each for each in rule.backends if _leads(engine, each, to)))
    ]
    if not leading and isinstance(to, PodsEnd | ServiceEnd):
        yield Way((), _no_way(engine, entry, to))
        return
    for by in serving:
        if leading and _no_port(question.traffic):
            listener = next((each for rule in leading for each in rule.listeners), None)
            for way in _beyond(engine, question, by, leading, listener, ask):
                yield _known(way, by, entry)
            continue
        why = (by.plane.why,) if by.plane.why else ()
        asked = replace(question, source=by.sender)
        for one, stop in parts(by.engine or engine, asked):
            if stop is not None:
                yield Way((), stop)
            else:
                yield _known(Way((_hop(HopRole.BACKEND, by, one, why, ask),)), by, entry)


def _known(way: Way, by: Served, entry: Entry) -> Way:
    """Return a way, which stays open where nobody knows who serves the entry."""
    return replace(way, stop=nobody(entry)) if by.plane.unknown and way.stop is None else way


def _no_way(engine: Engine, entry: Entry, to: End) -> Stop:
    """Return why an entry brings nothing to somebody no rule of it leads to."""
    for rule in entry.rules:
        for each in rule.backends:
            if each.weight <= 0 and _leads(engine, replace(each, weight=1), to):
                return Stop(
                    "NoWeight",
                    f"{rule.route} leads to Service {each.namespace}/{each.service} with weight 0, "
                    f"so {to.text} gets nothing of {entry}",
                    "give the backend a weight above 0",
                    each.span or rule.span,
                    "kubernetes-sigs/gateway-api apis/v1/httproute_types.go HTTPBackendRef",
                )
    return Stop(
        "NoRoute",
        f"no rule of {entry} leads to {to.text}",
        "check what its listeners allow, and the routes' parentRefs, hosts and backends; whoever "
        "serves it can be asked about by its own name",
        entry.span,
    )


def _no_port(traffic: Traffic) -> bool:
    """Return whether a question names no port, so that it is about what routes lead to."""
    return traffic == EVERYTHING or traffic.text in ("TCP", "UDP")


def _asked(listener: Listener, traffic: Traffic) -> bool:
    if traffic.name is not None:
        return listener.name == traffic.name
    wanted = TrafficSet.ports(listener.transport, listener.port)
    return traffic == EVERYTHING or wanted <= traffic.traffic


def _doubted(way: Way) -> Way:
    """Return a way of which it is not settled that the request takes it."""
    hops = (replace(hop, caveats=(*hop.caveats, known.ROUTE_ORDER)) for hop in way.hops)
    return replace(way, hops=tuple(hops))


def _no_rule(
    entry: Entry, listener: Listener, question: Question, *, perhaps: bool = False
) -> Stop:
    asked = f" for {question.request}" if question.request is not None else ""
    none = "perhaps no rule" if perhaps else "no rule"
    return Stop(
        "NoRoute",
        f"{none} of {entry} is behind port {listener.port}{asked}",
        "check the routes' parentRefs, hosts and sectionName, and whether the listener takes "
        "routes of their namespace",
        listener.span or entry.span,
    )


def _entered(
    engine: Engine, question: Question, listener: Listener, by: Served, ask: Ask
) -> tuple[Hop | None, Stop | None]:
    """Return the hop from the client to whoever serves an entry; or why nothing gets there."""
    inside = by.engine or engine
    port = by.plane.ports.get(listener.port, listener.port)
    to: End = by.end or AddressEnd(by.plane.name, NO_ADDRESSES)
    asked = replace(question, destination=to, traffic=_port(listener.transport, port), request=None)
    front = in_front(inside, by, listener)
    if front is not None:
        asked = replace(asked, destination=front, traffic=_port(listener.transport, listener.port))
        stop = next((stop for _, stop in parts(inside, asked) if stop is not None), None)
        if stop is not None:
            return None, stop
    return _hop(HopRole.ENTRY, by, asked, (by.plane.why,) if by.plane.why else (), ask), None


def _beyond(
    engine: Engine,
    question: Question,
    by: Served,
    rules: Sequence[RouteRule],
    listener: Listener | None,
    ask: Ask,
) -> Iterator[Way]:
    """Yield the ways from whoever serves an entry to the backends of some rules, each once."""
    targets: dict[object, list[tuple[Backend, RouteRule]]] = {}
    answered: RouteRule | None = None
    for rule in rules:
        used = [each for each in rule.backends if each.mirror or each.weight > 0]
        if not any(not each.mirror for each in used):
            if rule.answers:
                answered = answered or rule
            else:
                yield Way((), _no_backend(rule))
        for each in used:
            key = (each.namespace, each.service, each.port, each.mirror, each.stop is None)
            targets.setdefault(key, []).append((each, rule))
    # That some requests are answered so says nothing of the others, if none is asked about.
    if answered is not None and (not targets or question.request is not None):
        yield Way((), notes=(f"{answered.route} answers with a redirect itself",))
    for held in targets.values():
        target = _Target(held[0][0], tuple(rule for _, rule in held))
        for way in _backed(engine, question, by, target, listener, ask):
            yield replace(way, copy=target.backend.mirror)


def _no_backend(rule: RouteRule) -> Stop:
    return Stop(
        "NoBackend",
        f"a rule of {rule.route} leads to no backend that gets traffic",
        "add a backend, or give one a weight above 0",
        rule.span,
        "kubernetes-sigs/gateway-api apis/v1/httproute_types.go HTTPBackendRef",
    )


def _backed(
    engine: Engine,
    question: Question,
    by: Served,
    target: _Target,
    listener: Listener | None,
    ask: Ask,
) -> Iterator[Way]:
    """Yield the ways that end at a backend."""
    backend, rule = target.backend, target.rules[0]
    service = engine.world.services.get((backend.namespace, backend.service))
    if backend.stop is not None:
        yield Way((), backend.stop)
        return
    if service is None:
        yield Way((), _absent(rule, backend))
        return
    by = by.towards(service)
    transport = listener.transport if listener is not None else "TCP"
    to = ServiceEnd(f"svc:{service.namespace}/{service.name}", service, direct=True)
    port = f":{backend.port}" if backend.port is not None else ""
    share = " a copy of each request" if backend.mirror else ""
    why = [f"{target.routes} {'sends' if share else 'leads'}{share} to {to.text[4:]}{port}"]
    if by.plane.dials is Dials.SERVICE:
        to = replace(to, direct=False)
        why.append("it dials the Service's own address")
    if rule.passthrough:
        why.append("TLS passes unopened")
    caveats = by.caveats
    if rule.passthrough and by.plane.apart is not None:
        caveats = (*caveats, known.PASSTHROUGH_SOURCE)
    traffic = _service_port(engine, service, backend, transport)
    if traffic is None:
        yield Way((), _no_endpoint_port(rule, backend))
        return
    asked = replace(question, source=by.sender, destination=to, traffic=traffic)
    for one, stop in parts(by.engine or engine, asked):
        if stop is not None:
            yield Way((), replace(stop, span=stop.span or backend.span))
            continue
        hop = _hop(HopRole.BACKEND, by, one, tuple(why), ask)
        yield Way((replace(hop, span=backend.span, caveats=caveats),))


def _absent(rule: RouteRule, backend: Backend) -> Stop:
    return Stop(
        "BackendNotFound",
        f"{rule.route} leads to Service {backend.namespace}/{backend.service}, "
        "which is not in the input",
        "correct the name, or add the Service to the input",
        backend.span or rule.span,
    )


def _no_endpoint_port(rule: RouteRule, backend: Backend) -> Stop:
    return Stop(
        "NoSuchPort",
        f"{rule.route} leads to port {backend.port} of the endpoints of Service "
        f"{backend.namespace}/{backend.service}, and none of them has it",
        "name the targetPort of one of its ports, or that port's name",
        backend.span or rule.span,
        "openshift/api route/v1/types.go RoutePort",
    )


def _service_port(
    engine: Engine, service: Service, backend: Backend, transport: str
) -> Traffic | None:
    """Return the port of a Service that a backend means; None where it means none of them."""
    port = backend.port
    if port is None:
        return EVERYTHING
    if isinstance(port, str):
        return Traffic(port, NO_TRAFFIC, port, transport)
    if not backend.endpoint_port:
        return _port(transport, port)
    for each in service.ports:
        target = each.target if each.target is not None else each.port
        numbers = {target}
        if isinstance(target, str):
            numbers = {
                own_port(engine.table.endpoints[index], target, each.protocol) or 0
                for end, _ in members(engine, service).ends
                for index in (end.endpoints if isinstance(end, PodsEnd) else ())
            }
        if port in numbers:
            return _port(each.protocol, each.port)
    return None


def _port(transport: str, port: int) -> Traffic:
    return Traffic(f"{transport}/{port}", TrafficSet.ports(transport, port))


def _leads(engine: Engine, backend: Backend, to: End) -> bool:
    """Return whether a backend is an end, or pods of it are behind the backend."""
    service = engine.world.services.get((backend.namespace, backend.service))
    if service is None or (backend.weight <= 0 and not backend.mirror):
        return False
    if isinstance(to, ServiceEnd):
        return (to.service.namespace, to.service.name) == (service.namespace, service.name)
    if not isinstance(to, PodsEnd):
        return False
    behind = {
        index
        for end, _ in members(engine, service).ends
        for index in (end.endpoints if isinstance(end, PodsEnd) else ())
    }
    return not behind.isdisjoint(to.endpoints)


def _hop(role: HopRole, by: Served, asked: Question, why: tuple[str, ...], ask: Ask) -> Hop:
    """Return a judged hop from, or to, whoever serves an entry."""
    answer = judged(asked, ask, by.engine) if by.end is not None else None
    return Hop(role, asked, why, by.plane.span, by.assumed, (), answer)
