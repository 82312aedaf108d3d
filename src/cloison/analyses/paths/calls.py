"""The connection that a call is about: to pods behind a Service, to a name, by a proxy."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cloison.algebra import parse_address
from cloison.analyses.aliases import alias
from cloison.analyses.ask import Explanation, Question
from cloison.analyses.backends import members
from cloison.analyses.ends import (
    AddressEnd,
    End,
    NameEnd,
    Names,
    PodsEnd,
    ServiceEnd,
    SomeNodeEnd,
)
from cloison.analyses.explain import merge_caveats
from cloison.analyses.paths.lookup import Ask, lookups, taken
from cloison.analyses.paths.model import Hop, HopRole, Stop, Way
from cloison.analyses.paths.site import Site
from cloison.analyses.paths.which import by_name
from cloison.analyses.question import EVERYTHING, parse_traffic
from cloison.analyses.services import lead
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict
from cloison.ir.names import host_name
from cloison.ir.policy import Direction
from cloison.platform.names import by_search, is_short, looked_up, searches
from cloison.platform.routes.proxies import Proxies, Proxy, proxies

_SCHEMES = {"TCP/80": "http", "TCP/8080": "http", "TCP/443": "https", "TCP/8443": "https"}
"""What is spoken on ports, where a question does not say it."""


def parts(engine: Engine, asked: Question) -> tuple[tuple[Question, Stop | None], ...]:
    """Return a question as one or several, each of which arrives as a whole, or not at all.

    Args:
        engine: Whose world.
        asked: A question about one connection.
    """
    end = asked.destination
    if not isinstance(end, ServiceEnd):
        return ((asked, None),)
    found = lead(engine, asked.source, end, asked.traffic)
    if all(part.stop is None for part in found):
        return ((asked, None),)
    return tuple(
        (replace(asked, source=part.source, traffic=part.traffic), part.stop) for part in found
    )


def judged(asked: Question, ask: Ask, engine: Engine | None = None) -> Explanation:
    """Return what becomes of one connection, whichever source its end may see.

    Args:
        asked: The question.
        ask: Judges a hop.
        engine: Who decides, where that is not the engine of the session.
    """
    answer = ask(asked, engine)
    end, source = asked.destination, asked.source
    if not (isinstance(end, ServiceEnd) and end.outside and isinstance(source, PodsEnd)):
        return answer
    if end.service.external_traffic_policy == "Local" or leaving_stops(answer):
        return answer
    # What leads it to the pods within the cluster may put the node's address in its place.
    note = "the source seen may be its node's address"
    node = SomeNodeEnd(f"{source.text}, translated", note, passing=True)
    other = ask(replace(asked, source=node), engine)
    if other.verdict is answer.verdict:
        return answer
    said = f"{answer.verdict} as a pod's, {other.verdict} as a node's connection"
    return replace(
        answer,
        verdict=Verdict.UNDETERMINED,
        caveats=merge_caveats([answer.caveats, other.caveats]),
        notes=(*answer.notes, said),
    )


def leaving_stops(answer: Explanation) -> bool:
    """Return whether a connection is stopped where it leaves, whoever it is to."""
    points = answer.shown.points if answer.shown is not None else ()
    return any(p.direction is Direction.EGRESS and p.verdict is Verdict.DENIED for p in points)


def call(engine: Engine, site: Site, question: Question, ask: Ask) -> Iterator[Way]:
    """Yield the ways of a call by name, or to an outside address of a Service.

    Args:
        engine: Who decides.
        site: What leads traffic where it goes.
        question: What is asked; pods ask it.
        ask: Judges a hop.
    """
    source = question.source
    before: tuple[Hop, ...] = ()
    if isinstance(source, PodsEnd):
        question = _meant(engine, question, source)
        if by_name(question):
            name = _looked_up(engine, question.destination)
            before = tuple(lookups(engine, site, source, ask, name))
    led, why, stop = _aliased(engine, question)
    plain = (
        (Way(before, stop),)
        if stop is not None
        else tuple(direct(engine, site, led, ask, before, why))
    )
    said = question if _said(question.destination) else led
    if isinstance(source, PodsEnd) and (stop is None or said is question):
        yield from tuple(_proxied(engine, site, said, source, ask, plain)) or plain
        return
    yield from plain


def _meant(engine: Engine, question: Question, source: PodsEnd) -> Question:
    """Return a question whose end is what its source means by the name, which it searches."""
    name, index = _said(question.destination), next(iter(source.endpoints), None)
    if name is None or "*" in name or not is_short(name) or index is None:
        return question
    found = None
    if searches(engine.world, engine.table.endpoints[index].shape):
        found = by_search(engine.world, source.workload.id.namespace, name)
    if found is not None:
        end = ServiceEnd(found.text, found.service, found.note, name=name)
        return replace(question, destination=end)
    if isinstance(question.destination, ServiceEnd):  # what another means by the name
        return replace(question, destination=Names(engine).end(f"dns:{name}"))
    return question


def _said(end: End) -> str | None:
    """Return the name that an end is called by, where it is."""
    if isinstance(end, ServiceEnd):
        return end.name
    if isinstance(end, NameEnd | AddressEnd) and end.text.startswith("dns:"):
        return host_name(end.text.removeprefix("dns:"))
    return None


def _aliased(engine: Engine, question: Question) -> tuple[Question, tuple[str, ...], Stop | None]:
    """Return a question about what an alias stands for, what says so, and what keeps it off."""
    end = question.destination
    if not isinstance(end, ServiceEnd) or end.service.type != "ExternalName":
        return question, (), None
    found = alias(engine, end)
    if isinstance(found, Stop):
        return question, (), found
    why = (f"{end.text} is an alias for {host_name(found.text.removeprefix('dns:'))}",)
    if isinstance(found, ServiceEnd):
        return question, why, None
    named = lead(engine, question.source, end, question.traffic)[0]
    if named.stop is not None:
        return question, (), named.stop
    return replace(question, destination=found, traffic=named.traffic), why, None


def direct(
    engine: Engine,
    site: Site,
    question: Question,
    ask: Ask,
    before: Sequence[Hop] = (),
    why: tuple[str, ...] = (),
) -> Iterator[Way]:
    """Yield the ways of a connection that is opened at once, part by part.

    Args:
        engine: Who decides.
        site: What leads traffic where it goes.
        question: What is asked.
        ask: Judges a hop.
        before: The hops before it.
        why: What says that it goes there.
    """
    for asked, stop in parts(engine, question):
        if stop is not None:
            yield Way(tuple(before), stop)
            continue
        cached = taken(engine, site, asked)
        at, told = (asked, ()) if cached is None else (cached[0], (cached[1],))
        said = (*why, *told, *_leaving(engine, site, at))
        yield Way((*before, Hop(HopRole.CALL, at, said, answer=judged(at, ask))))


def led_out(engine: Engine, site: Site, question: Question, ask: Ask) -> tuple[Way, ...]:
    """Return the way of a connection to an address that chosen nodes lead out; none for others.

    Args:
        engine: Who decides.
        site: What leads traffic where it goes.
        question: What is asked.
        ask: Judges a hop.
    """
    why = tuple(_leaving(engine, site, question))
    answer = judged(question, ask) if why else None
    if answer is None or answer.verdict is Verdict.DENIED:
        return ()
    return (Way((Hop(HopRole.CALL, question, why, answer=answer),)),)


def _leaving(engine: Engine, site: Site, asked: Question) -> Iterator[str]:
    """Say by which nodes, and as whom, a connection leaves the cluster."""
    source, end = asked.source, asked.destination
    if not isinstance(source, PodsEnd) or not isinstance(end, NameEnd | AddressEnd):
        return
    for each in site.leaving:
        led = [
            index
            for index in source.endpoints
            if each.takes(engine.world, engine.table.endpoints[index])
        ]
        addresses = end.addresses
        if not led or (addresses and not addresses & each.destinations):
            continue
        sure = bool(addresses) and addresses <= each.destinations
        nodes = f"node {' or '.join(each.nodes)}" if each.nodes else "a node that it chooses"
        word = "leads" if sure and len(led) == len(source.endpoints) else "may lead"
        yield f"{each.name} {word} it out through {nodes}, {each.seen}"


def _proxied(
    engine: Engine,
    site: Site,
    question: Question,
    source: PodsEnd,
    ask: Ask,
    plain: tuple[Way, ...],
) -> Iterator[Way]:
    """Yield the ways by the proxies that the environment of pods names; none where none does."""
    host = _said(question.destination)
    if host is None:
        return
    shape = engine.table.endpoints[source.endpoints[0]].shape
    told = proxies(engine.world, source.workload.id.namespace, shape.runtime)
    notes = tuple(
        f"container {each.container} has {name} from where nobody may read it: whether it goes by "
        "a proxy is not known"
        for each in told
        for name in each.hidden
    )
    chosen: dict[tuple[str, int], Proxy] = {}
    for each in told:
        found = _chosen(each, question, host)
        if found is not None:
            chosen.setdefault((found.host, found.port), found)
    if not chosen:
        if notes:
            yield from (replace(way, notes=(*way.notes, *notes)) for way in plain)
        return
    notes = (*notes, f"without the proxy, the call itself is {plain[0].verdict}")
    for proxy in chosen.values():
        way = _by_proxy(engine, site, question, source, proxy, ask)
        yield replace(way, notes=(*way.notes, *notes))


def _chosen(told: Proxies, question: Question, host: str) -> Proxy | None:
    """Return the proxy that a container takes for a question; None where it takes none."""
    text = question.traffic.text
    scheme = _SCHEMES.get(text or "")
    port = int(text.rpartition("/")[2]) if text and text.rpartition("/")[2].isdecimal() else None
    if scheme is None and (question.request is not None or text is None):
        scheme = "https"  # what is asked is said to be a request, or is everything
    return told.of(scheme, host, port) if scheme is not None else None


def _looked_up(engine: Engine, end: End) -> str | None:
    """Return the name that is looked up for an end, where it is one name and no pattern."""
    name = _said(end)
    if name is not None and isinstance(end, ServiceEnd):
        return looked_up(engine.world, end.service, name)
    return None if name is None or "*" in name else name


def _by_proxy(
    engine: Engine, site: Site, question: Question, source: PodsEnd, proxy: Proxy, ask: Ask
) -> Way:
    """Return the way by one proxy: its host is looked up, it is reached, and calls the name."""
    end = _proxy_end(engine, source, proxy)
    why = f"{proxy} in container {proxy.container}"
    traffic = parse_traffic(str(proxy.port), "TCP")
    by_name = not isinstance(end, AddressEnd) or end.name is not None
    hops = list(lookups(engine, site, source, ask)) if by_name else []
    if isinstance(end, Stop):
        return Way(tuple(hops), end)
    asked = Question(source, end, traffic)
    split = parts(engine, asked)
    stop = next((stop for _, stop in split if stop is not None), None)
    if stop is not None:
        return Way(tuple(hops), stop)
    hops.append(Hop(HopRole.PROXY, asked, (why,), answer=judged(asked, ask)))
    behind = _behind(engine, end)
    if not behind:
        outside = "the proxy is outside the cluster: what it calls, no policy here judges"
        return Way(tuple(hops), notes=(outside,))
    calls = question.traffic if question.traffic != EVERYTHING else parse_traffic("443", "TCP")
    for pods in behind:
        onward = _meant(engine, replace(question, source=pods, traffic=calls), pods)
        hops += lookups(engine, site, pods, ask, _looked_up(engine, onward.destination))
        onward, why_there, stop = _aliased(engine, onward)
        stop = stop or next((stop for _, stop in parts(engine, onward) if stop is not None), None)
        if stop is not None:
            return Way(tuple(hops), stop)
        said = (f"{pods.text} calls it for {source.text}", *why_there)
        said = (*said, *_leaving(engine, site, onward))
        hops.append(Hop(HopRole.CALL, onward, said, answer=judged(onward, ask)))
    return Way(tuple(hops))


def _proxy_end(engine: Engine, source: PodsEnd, proxy: Proxy) -> End | Stop:
    """Return who a proxy is: a Service, pods, an address or a name."""
    host = host_name(proxy.host)
    found = by_search(engine.world, source.workload.id.namespace, host)
    if found is not None and found.host is None:
        return ServiceEnd(found.text, found.service)
    if "." not in host:
        return _no_proxy(proxy)
    names = Names(engine)
    try:
        return names.end(proxy.host if _is_address(proxy.host) else f"dns:{proxy.host}")
    except QuestionError as error:
        return replace(_no_proxy(proxy), help=error.message)


def _is_address(host: str) -> bool:
    try:
        parse_address(host)
    except ValueError:
        return False
    return True


def _no_proxy(proxy: Proxy) -> Stop:
    return Stop(
        "ProxyNotFound",
        f"{proxy} in container {proxy.container} names nothing that is in the input",
        "correct the variable, or add the proxy's Service to the input",
    )


def _behind(engine: Engine, end: End) -> tuple[PodsEnd, ...]:
    """Return the pods that a proxy is; none where it is outside."""
    if isinstance(end, PodsEnd):
        return (end,)
    if not isinstance(end, ServiceEnd):
        return ()
    found = members(engine, end.service).ends
    return tuple(each for each, _ in found if isinstance(each, PodsEnd))
