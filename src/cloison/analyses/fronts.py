"""Services and gateways as ends that are called, and where calls to them arrive.

Every port of such a front leads to ends on ports of their own. That is found once for all callers,
or once for each node where it depends on the caller's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from cloison.algebra import L4, NO_ADDRESSES, NO_TRAFFIC, AddressSet, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.aliases import alias
from cloison.analyses.connectivity import Passage, Role
from cloison.analyses.ends import (
    AddressEnd,
    End,
    EntryEnd,
    NameEnd,
    NodeEnd,
    PodsEnd,
    ServiceEnd,
    SomeNodeEnd,
)
from cloison.analyses.paths.serving import in_front, served
from cloison.analyses.question import EVERYTHING, Traffic
from cloison.analyses.services import Followed, lead, source_ranges
from cloison.engine import Engine
from cloison.ir import caveats as known
from cloison.ir.fidelity import Caveat
from cloison.platform.routes.model import Entry, Stop

NOBODY = AddressEnd("outside", NO_ADDRESSES)
"""Stands for any caller: where a call arrives, but for its node, does not depend on who it is."""

Nodes = Mapping[str | None, PodsEnd]
"""For each node with pods on it, one of these; None for those of which the node is not known."""


@dataclass(frozen=True, slots=True)
class Lead:
    """Where calls to one port of a front arrive.

    Args:
        dialled: The port as callers dial it; everything where the front has no ports of its own.
        arriving: The port where it arrives.
        to: Who it leads to.
        units: The same, as units.
        caveats: What that stands on.
        local: Whether it is for callers on one node only.
        node: That node; None where it is not known.
    """

    dialled: TrafficSet
    arriving: TrafficSet
    to: End
    units: BitMap
    caveats: tuple[Caveat, ...] = ()
    local: bool = False
    node: str | None = None

    def carried(self, passage: Passage) -> Passage:
        """Return what passes to those behind, as callers dial it."""
        cut = passage.within(self.arriving)
        caveats = tuple(sorted({*cut.caveats, *self.caveats}))
        if self.arriving == self.dialled:
            return replace(cut, caveats=caveats)
        # What arrives is one port: all of it passes, or none.
        return Passage(
            self.dialled if cut.allowed else NO_TRAFFIC,
            self.dialled if cut.undetermined else NO_TRAFFIC,
            caveats,
            tuple(replace(each, traffic=self.dialled) for each in cut.when),
        )


@dataclass(frozen=True, slots=True)
class Front:
    """A Service or gateway, and where calls to it arrive.

    Args:
        leads: Calls from within.
        outer: Calls from outside whose source is still seen where they arrive.
        noded: Calls from outside that arrive as a node's.
        passed: What is taken from outside by somebody who is no pod, and no policy sees it.
        admits: The only addresses outside from which calls are taken; None where all are.
    """

    leads: tuple[Lead, ...] = ()
    outer: tuple[Lead, ...] = ()
    noded: tuple[Lead, ...] = ()
    passed: TrafficSet = NO_TRAFFIC
    admits: AddressSet | None = None


def service_front(engine: Engine, end: ServiceEnd, nodes: Nodes) -> Front:
    """Return where calls to a Service arrive.

    Args:
        engine: Whose world; with units of the names that Services are aliases for.
        end: The Service.
        nodes: A pod of each node.
    """
    leads = tuple(_service(engine, end, nodes))
    outer, noded = _outside(engine, end, takes_all=False)
    admits = None if end.service.external_ips else source_ranges(end.service)
    return Front(leads, outer, noded, admits=admits)


def entry_front(engine: Engine, entry: Entry, nodes: Nodes) -> Front:
    """Return where calls to an entry arrive: at whoever serves it.

    Args:
        engine: Whose world.
        entry: The entry.
        nodes: A pod of each node.
    """
    leads: list[Lead] = []
    outer: list[Lead] = []
    noded: list[Lead] = []
    passed = NO_TRAFFIC
    ports = {(each.transport, each.port): each for each in entry.listeners}
    for by in served(engine, entry):
        for (transport, number), listener in ports.items():
            front, own = in_front(engine, by, listener), by.plane.ports.get(number, number)
            dialled = TrafficSet.ports(transport, number)
            if front is not None:
                leads += _service(engine, front, nodes, dialled)
                seen, hidden = _outside(engine, front, dialled, takes_all=True)
                outer += seen
                noded += hidden
                continue
            if by.end is None:
                continue
            arriving = TrafficSet.ports(transport, own)
            one = Lead(dialled, arriving, by.end, units_of(engine, by.end), by.plane.caveats)
            leads.append(one)
            if isinstance(by.end, PodsEnd):
                outer.append(one)
            else:
                passed |= dialled
    return Front(tuple(leads), tuple(outer), tuple(noded), passed)


def leads_to(front: Front) -> Role:
    """Return whom a front leads to, as a role of it."""
    return Role("front", tuple(sorted({_bare(each.to) for each in front.leads})))


def _bare(end: End) -> str:
    return str(end.workload.id) if isinstance(end, PodsEnd) else end.text


def asked_ports(engine: Engine, end: ServiceEnd) -> Iterator[TrafficSet]:
    """Yield what there is to dial at a Service, port by port."""
    found = _target(engine, end)
    if not isinstance(found, ServiceEnd):
        return
    if "None" in found.service.cluster_ips:
        seen = {each.dialled for each in _headless(engine, found, None)}
    else:
        seen = {TrafficSet.ports(each.protocol, each.port) for each in found.service.ports}
    yield from sorted(seen, key=str)


def exact(engine: Engine, source: PodsEnd, end: ServiceEnd, dialled: TrafficSet) -> list[Followed]:
    """Return where a call arrives that some pods make, who may be behind the Service themselves.

    Args:
        engine: Whose world.
        source: The pods.
        end: The Service.
        dialled: One port of `asked_ports`.
    """
    parts = lead(engine, source, end, _asked(dialled))
    return [each for part in parts if part.stop is None for each in part.followed]


def names_of_aliases(engine: Engine) -> Iterator[NameEnd]:
    """Yield the names outside that Services of the world are aliases for."""
    for service in engine.world.services.values():
        if service.type == "ExternalName":
            found = alias(engine, _end(service.namespace, service.name, engine))
            if isinstance(found, NameEnd):
                yield found


def units_of(engine: Engine, end: End) -> BitMap:
    """Return the units of whoever accepts a connection."""
    table = engine.table
    match end:
        case PodsEnd():
            return BitMap([unit for index in end.endpoints for unit in table.by_endpoint[index]])
        case SomeNodeEnd():
            return BitMap([table.some_node])
        case NodeEnd():
            return BitMap(table.by_node[end.node.name])
        case AddressEnd():
            found = table.external_range(end.addresses)
            for point, name in engine.node_addresses.items():
                if point in end.addresses:
                    found |= BitMap(table.by_node[name])
            return found
        case NameEnd():
            hosts = BitMap([u for each in end.names for u in engine.hosts.of(each) or ()])
            return hosts | table.external_range(end.addresses)
        case _:
            return BitMap()


def _end(namespace: str, name: str, engine: Engine) -> ServiceEnd:
    return ServiceEnd(f"svc:{namespace}/{name}", engine.world.services[namespace, name])


def _target(engine: Engine, end: ServiceEnd) -> ServiceEnd | NameEnd | AddressEnd | Stop:
    """Return the Service that is called, or the name that a Service stands for."""
    return alias(engine, end) if end.service.type == "ExternalName" else end


def _asked(dialled: TrafficSet) -> Traffic:
    return EVERYTHING if dialled == L4 else Traffic(str(dialled), dialled)


def _service(
    engine: Engine, end: ServiceEnd, nodes: Nodes, only: TrafficSet | None = None
) -> Iterator[Lead]:
    """Yield where calls from within to the ports of a Service, or to `only` one, arrive."""
    found = _target(engine, end)
    if isinstance(found, Stop):
        return
    if not isinstance(found, ServiceEnd):
        # The client dials what the name stands for, on its own port.
        written = [TrafficSet.ports(p.protocol, p.port) for p in end.service.ports] or [L4]
        units = units_of(engine, found)
        yield from (Lead(each, each, found, units) for each in written)
        return
    service = found.service
    if "None" in service.cluster_ips:
        yield from _headless(engine, found, only)
        return
    local = service.internal_traffic_policy == "Local" or service.redirect is not None
    for port in service.ports:
        dialled = TrafficSet.ports(port.protocol, port.port)
        if only is not None and dialled != only:
            continue
        if not local:
            for each in _arriving(engine, NOBODY, replace(found, direct=True), dialled):
                yield _led(engine, each, dialled, (known.SERVICE_NAT,))
            continue
        for node, pods in nodes.items():
            for each in _arriving(engine, pods, found, dialled):
                yield replace(_led(engine, each, dialled), local=True, node=node)


def _headless(engine: Engine, end: ServiceEnd, only: TrafficSet | None) -> Iterator[Lead]:
    """Yield where calls to a headless Service arrive: at its pods, on the ports that they have."""
    service = end.service
    if not service.ports:
        for each in _arriving(engine, NOBODY, end, L4):
            yield _led(engine, each, L4)
        return
    # Its own ports are found as behind an address, which the name does not have.
    behind = replace(end, service=replace(service, cluster_ips=()), direct=True)
    own = {
        each.traffic.traffic
        for port in service.ports
        for each in _arriving(engine, NOBODY, behind, TrafficSet.ports(port.protocol, port.port))
    }
    for dialled in sorted(own, key=str):
        if only is None or dialled == only:
            for each in _arriving(engine, NOBODY, end, dialled):
                yield _led(engine, each, dialled)


def _arriving(
    engine: Engine, source: End, end: ServiceEnd, dialled: TrafficSet
) -> Iterator[Followed]:
    for part in lead(engine, source, end, _asked(dialled)):
        if part.stop is None:
            yield from part.followed


def _led(
    engine: Engine, each: Followed, dialled: TrafficSet, more: tuple[Caveat, ...] = ()
) -> Lead:
    caveats = tuple(sorted({*each.caveats, *more}))
    arriving = dialled if each.traffic == EVERYTHING else each.traffic.traffic
    to = each.destination
    return Lead(dialled, arriving, to, units_of(engine, to), caveats)


def _outside(
    engine: Engine, end: ServiceEnd, only: TrafficSet | None = None, *, takes_all: bool
) -> tuple[tuple[Lead, ...], tuple[Lead, ...]]:
    """Return where calls from outside arrive: those that still look so, and those of a node.

    Args:
        engine: Whose world.
        end: The Service.
        only: The one port asked about.
        takes_all: Whether something else brings calls from outside to its own address.
    """
    service = end.service
    outward = service.type in ("NodePort", "LoadBalancer") or service.external_ips
    headless = "None" in service.cluster_ips or service.type == "ExternalName"
    if service.redirected is not None or not (outward or takes_all) or headless:
        return (), ()
    seen: list[Lead] = []
    hidden: list[Lead] = []
    for port in service.ports:
        dialled = TrafficSet.ports(port.protocol, port.port)
        if only is None or dialled == only:
            for each in _arriving(engine, NOBODY, end, dialled):
                found = hidden if isinstance(each.source, SomeNodeEnd) else seen
                found.append(_led(engine, each, dialled))
    return tuple(seen), tuple(hidden)


def entry_end(entry: Entry) -> EntryEnd:
    """Return an entry as the end of a question."""
    return EntryEnd(f"gw:{entry.namespace}/{entry.name}", entry)
