"""What part of a map is asked for: a namespace, a port, ends by name."""

from difflib import get_close_matches
from typing import Protocol

from cloison.algebra import AddressSet, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.connectivity import EndRef, MapOptions
from cloison.analyses.ends import (
    AddressEnd,
    AnyEnd,
    End,
    EntryEnd,
    NameEnd,
    Names,
    NodeEnd,
    PodsEnd,
    ServiceEnd,
)
from cloison.analyses.question import parse_traffic
from cloison.base import QuestionError, UnknownEndpointError
from cloison.base.words import few
from cloison.engine import Engine
from cloison.ir.names import host_name
from cloison.resources.world import World


def check_namespace(engine: Engine, options: MapOptions) -> None:
    """Check that the namespace a map is asked for is there.

    Raises:
        UnknownEndpointError: it is not.
    """
    if options.namespace is not None:
        check_named(engine.world, options.namespace)


def check_named(world: World, namespace: str) -> None:
    """Check that there is a namespace.

    Raises:
        UnknownEndpointError: there is none.
    """
    known = world.namespaces
    if namespace not in known:
        close = get_close_matches(namespace, known, n=3)
        msg = f"there is no namespace {namespace!r}"
        near = f"did you mean {' or '.join(close)}?" if close else f"known: {few(known) or 'none'}"
        raise UnknownEndpointError(msg, near)


def port_limit(options: MapOptions) -> TrafficSet | None:
    """Return the traffic a map is asked about; None when it is all.

    Raises:
        QuestionError: the port is none, or a name.
    """
    if options.port is None:
        return None
    traffic = parse_traffic(options.port)
    if traffic.name is not None:
        msg = f"{options.port!r} names a port; a map is asked by number"
        raise QuestionError(msg, "write --port 8080 or --port 53/UDP")
    return traffic.traffic


class Inventory(Protocol):
    """The ends there are, and how to find them."""

    engine: Engine
    names: Names
    ends: tuple[EndRef, ...]
    of_unit: dict[int, list[int]]


class Chosen:
    """Ends that a filter names; nothing named means everybody."""

    def __init__(self, survey: Inventory, names: tuple[str, ...]) -> None:
        self.named = bool(names)
        self.places = BitMap()
        self.addresses = AddressSet()
        for name in names:
            self._take(survey, survey.names.end(name))

    def _take(self, survey: Inventory, end: End) -> None:
        match end:
            case PodsEnd():
                for index in end.endpoints:
                    endpoint = survey.engine.table.endpoints[index]
                    for unit in survey.engine.table.by_endpoint[index]:
                        for place in survey.of_unit[unit]:
                            ref = survey.ends[place]
                            if ref.namespace == endpoint.namespace and ref.name in (
                                endpoint.pod,
                                endpoint.workload.name,
                            ):
                                self.places.add(place)
            case NodeEnd():
                wanted = EndRef("node", name=end.node.name)
                self.places |= BitMap(i for i, e in enumerate(survey.ends) if e == wanted)
            case NameEnd() | AddressEnd(name=str()):
                self.places |= self._host(survey, end)
            case AddressEnd():
                self.addresses |= end.addresses
            case ServiceEnd() | EntryEnd():
                self.places |= self._front(survey, end)
            case AnyEnd():
                self.places |= BitMap(
                    i
                    for i, e in enumerate(survey.ends)
                    if e.kind in ("workload", "pod") and end.namespace in (None, e.namespace)
                )
            case _:
                msg = f"{end.text} is not an end of the map"
                raise QuestionError(msg, "name workloads, pods, nodes or addresses")

    def _front(self, survey: Inventory, end: ServiceEnd | EntryEnd) -> BitMap:
        """Return a Service or gateway, where the map has such ends."""
        if isinstance(end, ServiceEnd):
            wanted = EndRef("service", end.service.namespace, end.service.name)
        else:
            entry = end.entry
            wanted = EndRef("gateway", entry.namespace, entry.name, str(entry.kind))
        found = BitMap(i for i, e in enumerate(survey.ends) if e == wanted)
        if not found:
            msg = f"{end.text} is not an end of the map"
            raise QuestionError(msg, "Services and gateways are ends of the logical map only")
        return found

    def _host(self, survey: Inventory, end: NameEnd | AddressEnd) -> BitMap:
        wanted = EndRef("external-name", name=host_name(end.text.removeprefix("dns:")))
        found = BitMap(i for i, e in enumerate(survey.ends) if e == wanted)
        if not found:
            msg = f"{end.text} is not an end of the map"
            raise QuestionError(msg, "name one that a rule mentions, or addresses")
        return found

    def __bool__(self) -> bool:
        """Return whether anything was named."""
        return self.named

    def inside(self, every: BitMap) -> BitMap:
        """Return the ends of the world that are chosen."""
        return self.places if self.named else every

    @property
    def near(self) -> BitMap | None:
        """The chosen ends, None when nothing was named."""
        return self.places if self.named else None

    def outside(self, addresses: AddressSet) -> AddressSet:
        """Return the addresses that are chosen."""
        return addresses & self.addresses if self.named else addresses
