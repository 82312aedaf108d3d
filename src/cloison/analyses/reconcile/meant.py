"""What is meant, as the cube takes it: the contract's edges, and what the cluster does by itself.

A contract names a Gateway; what flows and policies know are the pods that serve it. It says
`platform: dns`; what is meant by that are connections of every pod to its resolvers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.analyses.application import Application
from cloison.analyses.connectivity import EndRef
from cloison.analyses.contract.intended import Edges, Intended, Unmet
from cloison.analyses.ends import AddressEnd, AnyEnd, End, EntryEnd, NameEnd, PodsEnd
from cloison.analyses.paths.serving import Served, in_front, served
from cloison.analyses.paths.site import Site
from cloison.analyses.question import Traffic
from cloison.analyses.reconcile.kinds import Because
from cloison.analyses.reconcile.seen import NODES, ref
from cloison.analyses.reconcile.sources import Assumed, Sort, behind
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.intent import Contract, Dependency, EndForm
from cloison.resources.world import APART, WorkloadId

if TYPE_CHECKING:
    from cloison.algebra import Request

DNS: Final = ("dns", "resolver")
"""What contracts call the part of the platform that answers lookups."""


_OUTSIDE: Final = (AddressEnd, NameEnd)
_MANY: Final = (EndForm.PODS, EndForm.ZONE)
"""Forms of ends that stand for several workloads."""


@dataclass(frozen=True, slots=True)
class Meant:
    """Traffic that somebody means between two ends.

    Args:
        source: Who calls.
        destination: Who is called.
        traffic: With what.
        because: Why.
        request: The request that is meant; any where there is none.
        told_as: What the same connections may be seen as besides, by entry and destination: those
            that nodes lead in show a client or a node. None where they show one thing only.
        spare: Whether it is what is meant if nodes keep the client's address.
    """

    source: End
    destination: End
    traffic: TrafficSet
    because: Because
    request: "Request | None" = None
    told_as: "tuple[str, EndRef, str] | None" = None
    spare: bool = False


def meant(
    engine: Engine, site: Site, contract: Contract, edges: Edges, assumed: Sequence[Assumed]
) -> tuple[tuple[Meant, ...], tuple[Unmet, ...]]:
    """Return all that is meant, and what of the contract means nothing here.

    Args:
        engine: Whose world.
        site: What leads traffic in it.
        contract: The contract.
        edges: What its dependencies come to.
        assumed: What the cluster does by itself.
    """
    found: list[Meant] = []
    unmet = list(edges.unmet)
    missing: dict[str, Unmet] = {}
    for edge in edges.edges:
        try:
            found += _contracted(engine, edge)
            found += _led_on(edge, assumed)
        except QuestionError as error:
            missing.setdefault(edge.entry.name, Unmet(edge.entry, str(error), error.help))
    going = {each.because.name for each in found}
    for name, each in missing.items():
        # Among many, those that do not declare the port are not meant.
        if name not in going or each.entry.destination.form not in _MANY:
            unmet.append(each)
    found += _lookups(engine, site, contract)
    found += (
        Meant(each.source, each.destination, each.traffic, _implied(each))
        for each in assumed
        if each.sort is Sort.PROBE
    )
    found = [each for one in found for each in _led_in(one, assumed)]
    once = {(ref(e.source), ref(e.destination), e.traffic, e.because, e.request): e for e in found}
    return tuple(once.values()), tuple(unmet)


def _implied(assumed: Assumed) -> Because:
    return Because(assumed.of, span=assumed.span, implied=True)


def _contracted(engine: Engine, edge: Intended) -> Iterator[Meant]:
    entry = edge.entry
    because = Because(entry.name, entry.owner, entry.span)
    request = _request(entry)
    for source in _pods(engine, edge.source):
        for destination, traffic in _arriving(engine, edge):
            if isinstance(source, _OUTSIDE) and isinstance(destination, _OUTSIDE):
                msg = f"{source.text} and {destination.text} are both outside the cluster"
                raise QuestionError(msg, "nothing here judges it or sees it: leave it out")
            yield Meant(source, destination, traffic, because, request)


def _led_on(edge: Intended, assumed: Sequence[Assumed]) -> Iterator[Meant]:
    """Yield what whoever serves a gateway does for those who are meant to call it."""
    entry = edge.dialled.entry if isinstance(edge.dialled, EntryEnd) else None
    for each in assumed if entry is not None else ():
        if each.sort is Sort.GATEWAY and each.of == str(entry) and each.supposed is None:
            yield Meant(each.source, each.destination, each.traffic, _implied(each))


def _led_in(one: Meant, assumed: Sequence[Assumed]) -> Iterator[Meant]:
    """Yield what is meant from outside, and where nodes lead it in, with their address as well.

    Both are meant, and one of them is what flows show.
    """
    rest = one.traffic
    if isinstance(one.source, AddressEnd) and not one.because.implied:
        for each in assumed:
            by_node = each.sort is Sort.BALANCER and each.source == NODES
            both = each.traffic & one.traffic
            if by_node and both and ref(each.destination) == ref(one.destination):
                either = (one.because.name, ref(one.destination), str(both))
                yield replace(one, source=NODES, traffic=both, told_as=either)
                yield replace(one, traffic=both, told_as=either, spare=True)
                rest -= both
    if rest:
        yield replace(one, traffic=rest)


def _pods(engine: Engine, end: End) -> Iterator[End]:
    """Yield the ends that flows and policies know an end by."""
    if isinstance(end, EntryEnd):
        yield from (by.end for by in _serving(engine, end) if by.end is not None)
    elif isinstance(end, AnyEnd):
        for name, workload in engine.world.workloads.items():
            here = end.namespace in (None, name.namespace) and name.namespace != APART
            if here and workload.endpoints:
                yield _end(engine, name)
    else:
        yield end


def _serving(engine: Engine, end: EntryEnd) -> list[Served]:
    """Return who serves an entry, as far as the input holds it.

    Raises:
        QuestionError: Nobody in it does.
    """
    found = [by for by in served(engine, end.entry) if by.engine is None and by.end is not None]
    if not found:
        msg = f"nobody in the input serves {end.text}"
        raise QuestionError(msg, "read what installs its controller as well")
    return found


def _request(entry: Dependency) -> "Request | None":
    if entry.http is None:
        return None
    said = " ".join(part for part in (entry.http.method, entry.http.path) if part)
    found = Application(http=said or None).request()
    return replace(found, host=entry.http.host) if found and entry.http.host else found


def _arriving(engine: Engine, edge: Intended) -> Iterator[tuple[End, TrafficSet]]:
    """Yield who is called, with the traffic that arrives there.

    Raises:
        QuestionError: No pod of it declares a port of the name that is meant, or nobody serves it.
    """
    end = edge.destination
    if not isinstance(end, EntryEnd):
        for destination in _pods(engine, end):
            yield destination, _traffic(edge, destination)
        return
    for by in _serving(engine, end):
        for listener in end.entry.listeners:
            dialled = TrafficSet.ports(listener.transport, listener.port)
            if by.end is None or not dialled & edge.traffic.traffic:
                continue
            front = in_front(engine, by, listener)
            if front is None:
                port = by.plane.ports.get(listener.port, listener.port)
                yield by.end, TrafficSet.ports(listener.transport, port)
                continue
            asked = Traffic(f"{listener.transport}/{listener.port}", dialled)
            for _, arriving in behind(engine, front.service, asked):
                yield by.end, arriving


def _traffic(edge: Intended, destination: End) -> TrafficSet:
    """Return an intended edge's traffic, a port's name looked up on the destination."""
    asked = edge.traffic
    if asked.name is None:
        return asked.traffic
    found = NO_TRAFFIC
    for pod in destination.workload.endpoints if isinstance(destination, PodsEnd) else ():
        for port in pod.ports:
            if port.name == asked.name and asked.protocol in (None, port.protocol):
                found |= TrafficSet.ports(port.protocol, port.number)
    if not found:
        msg = f"{destination.text} has no port that is called {asked.name!r}"
        raise QuestionError(msg, "write the port's number")
    return found


def _lookups(engine: Engine, site: Site, contract: Contract) -> Iterator[Meant]:
    """Yield what a contract means that has the cluster's names among its platform."""
    entry = next((each for each in contract.platform if each.id in DNS), None)
    if entry is None:
        return
    because = Because(f"platform {entry.id}", entry.owner, entry.span)
    for name, workload in engine.world.workloads.items():
        if name.namespace == APART or not workload.endpoints:
            continue
        source = _end(engine, name)
        for each in site.resolvers(workload.endpoints[0].shape).every:
            for other in each.workloads:
                if other != name and other in engine.world.workloads:
                    for protocol in each.protocols:
                        traffic = TrafficSet.ports(protocol, each.port)
                        yield Meant(source, _end(engine, other), traffic, because)


def _end(engine: Engine, name: WorkloadId) -> PodsEnd:
    indices = engine.table.by_workload.get(name, ())
    return PodsEnd(str(name), engine.world.workloads[name], indices, gone=not indices)
