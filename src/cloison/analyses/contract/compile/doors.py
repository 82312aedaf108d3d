"""Gateways, Ingresses and routes as policies know them: whoever serves them, and what is behind.

Policies of a backend see whoever serves the entry, or a node where that is how its connections
arrive; clients of an entry are seen where it is served.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cloison.algebra import NO_TRAFFIC, LabelSelector, TrafficSet
from cloison.analyses.contract.compile.model import TODAY, UNSAID, WIDENED, Notes
from cloison.analyses.contract.intended import Intended
from cloison.analyses.ends import AddressEnd, End, EntryEnd, NameEnd, PodsEnd, SomeNodeEnd
from cloison.analyses.paths.serving import Served, in_front, served
from cloison.analyses.question import EVERYTHING, Traffic
from cloison.analyses.reconcile.sources import behind, leads
from cloison.analyses.services import follow
from cloison.base import Severity
from cloison.base.words import few
from cloison.engine import Engine
from cloison.ir.peers import PeerMatch, PodsMatch
from cloison.platform.routes.model import Entry, Listener

_OUTSIDE = (AddressEnd, NameEnd)


@dataclass(frozen=True, slots=True)
class Leg:
    """A connection that an edge to or from an entry comes to.

    Args:
        edge: Who opens it, where it arrives, and with what.
        caller: Whom the called end names, where the caller is in no input.
        called: Whom the caller names, likewise.
        onward: Whether whoever serves the entry opens it for its clients.
    """

    edge: Intended
    caller: PeerMatch | None = None
    called: PeerMatch | None = None
    onward: bool = False


def legs(edge: Intended, engine: Engine, notes: Notes) -> Iterator[Leg]:
    """Yield the connections that an edge comes to: itself where no entry is an end of it.

    Args:
        edge: The edge.
        engine: Whose world.
        notes: Takes what cannot be said.
    """
    if not isinstance(edge.source, EntryEnd):
        yield from _into(Leg(edge), engine, notes)
        return
    for by in _serving(edge.source, edge, engine, notes):
        for sender in _senders(by, edge, engine):
            source, named = _named(sender)
            one = Leg(replace(edge, source=source), caller=named)
            yield from _into(one, engine, notes)


def _into(leg: Leg, engine: Engine, notes: Notes) -> Iterator[Leg]:
    """Yield what a connection comes to if its destination is an entry: in, and on."""
    edge, end = leg.edge, leg.edge.destination
    if not isinstance(end, EntryEnd):
        yield leg
        return
    listeners = [each for each in end.entry.listeners if _asked(each, edge.traffic)]
    if not listeners:
        have = ", ".join(f"{e.port}/{e.transport}" for e in end.entry.listeners) or "none"
        what = f"{end.text} has no listener on {edge.traffic.text or 'any port'}"
        notes.shut(edge.entry, UNSAID, what, part(edge), f"its listeners: {have}")
        return
    for by in _serving(end, edge, engine, notes):
        for listener in listeners:
            yield from _in(leg, by, listener, engine, notes)
        yield from _on(edge, by, end.entry, engine)


def _in(leg: Leg, by: Served, listener: Listener, engine: Engine, notes: Notes) -> Iterator[Leg]:
    """Yield how a client reaches whoever serves an entry."""
    edge = leg.edge
    if by.balances:
        # Clients outside reach a load balancer outside without being judged.
        if not isinstance(edge.source, _OUTSIDE):
            notes.shut(
                edge.entry,
                UNSAID,
                f"the addresses at which {by.plane.name} takes connections are not known",
                part(edge),
                "write a dependency to its addresses",
            )
        return
    port = by.plane.ports.get(listener.port, listener.port)
    arriving = _traffic(listener.transport, port)
    to, named = _named(by)
    front = in_front(engine, by, listener) if by.engine is None else None
    if front is None:
        yield replace(leg, edge=replace(edge, destination=to, traffic=arriving), called=named)
        return
    dialled = _traffic(listener.transport, listener.port)
    for each in follow(engine, edge.source, front, dialled):
        inner = replace(edge, destination=each.destination, traffic=each.traffic)
        yield replace(leg, edge=inner)
        if isinstance(each.source, SomeNodeEnd) and each.source != edge.source:
            # A node may put its own address in the place of the client's.
            node = replace(each.source, text=f"a node that passes on {edge.source.text}")
            yield replace(leg, edge=replace(inner, source=node), caller=None, onward=True)


def _on(edge: Intended, by: Served, entry: Entry, engine: Engine) -> Iterator[Leg]:
    """Yield what whoever serves an entry opens to the pods behind it."""
    for service, asked in leads(engine, entry):
        source, named = _named(by.towards(service))
        for pods, traffic in behind(engine, service, asked):
            to = Traffic(str(traffic), traffic)
            inner = replace(edge, source=source, destination=pods, traffic=to)
            yield Leg(inner, caller=named, onward=True)


def part(edge: Intended) -> str:
    """Return an edge as people read it."""
    return f"{edge.source.text} to {edge.destination.text} on {edge.traffic.text or 'any port'}"


def _serving(end: EntryEnd, edge: Intended, engine: Engine, notes: Notes) -> tuple[Served, ...]:
    """Return who serves an entry, as far as that can be said: of assumed ones the likeliest."""
    entry = edge.entry
    found = tuple(served(engine, end.entry))
    known = tuple(each for each in found if each.end is not None and each.engine is None)
    if known:
        names = list(dict.fromkeys(each.plane.name for each in known))
        if len(names) > 1:
            notes.of(
                entry,
                WIDENED,
                f"the input does not say which of {few(names)} serves {end.text}",
                "each of them is let through",
                "name the controller of its class in the input",
                Severity.WARNING,
            )
        return known
    assumed = tuple(each for each in found if each.end is not None)[:1]
    for each in assumed:
        notes.of(
            entry,
            TODAY,
            f"{end.text} is served by {each.plane.name}, whose pods are not in the input",
            "it is written by the labels that its product is shipped with",
            "read what installs it as well",
            Severity.WARNING,
        )
    if not assumed:
        what, advice = _nobody(end, found)
        notes.shut(entry, UNSAID, what, part(edge), advice)
    return assumed


def _nobody(end: EntryEnd, found: tuple[Served, ...]) -> tuple[str, str]:
    by = found[0].plane if found else None
    if by is None or by.unknown:
        advice = "read what installs its controller as well, or name it in cloison.yaml"
        return f"nothing in the input serves {end.text}", advice
    if by.somewhere is not None:
        advice = "read what installs it as well, or name its namespace in cloison.yaml"
        return f"{end.text} is served by {by.name}, whose namespace is not known", advice
    advice = "write a dependency from its subnets, as an external"
    return f"{end.text} is served by {by.name}, whose addresses are not known", advice


def _senders(by: Served, edge: Intended, engine: Engine) -> Iterator[Served]:
    """Yield how connections of whoever serves an entry arrive at an end.

    By a node they keep their address where the Service that they come by says so.
    """
    entry = edge.source.entry if isinstance(edge.source, EntryEnd) else None
    ways: list[Served] = []
    for service, asked in leads(engine, entry) if entry is not None and by.plane.on_nodes else ():
        if any(_meets(pods, edge.destination) for pods, _ in behind(engine, service, asked)):
            way = by.towards(service)
            ways += [way] if way not in ways and way.end is not None else []
    yield from ways or [by]


def _meets(pods: PodsEnd, end: End) -> bool:
    return isinstance(end, PodsEnd) and not set(pods.endpoints).isdisjoint(end.endpoints)


def _named(by: Served) -> tuple[End, PeerMatch | None]:
    """Return who serves an entry as an end, and by which labels where the input lacks it."""
    supposed = by.plane.supposed
    if supposed is None or by.engine is None:
        return by.sender, None
    if supposed.host_network:
        return SomeNodeEnd(f"{by.plane.name}, on a node"), None
    match = PodsMatch(namespace=supposed.namespace, pods=LabelSelector.of(supposed.labels))
    return by.sender, match


def _asked(listener: Listener, traffic: Traffic) -> bool:
    if traffic.name is not None:
        return listener.name == traffic.name
    wanted = TrafficSet.ports(listener.transport, listener.port)
    return traffic == EVERYTHING or traffic.traffic & wanted != NO_TRAFFIC


def _traffic(protocol: str, port: int) -> Traffic:
    return Traffic(f"{protocol}/{port}", TrafficSet.ports(protocol, port))
