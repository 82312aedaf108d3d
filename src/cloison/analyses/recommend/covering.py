"""Whether edges that were seen are among those that are let through."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from cloison.algebra import L4, NO_ADDRESSES, NO_TRAFFIC, PORT_PROTOCOLS, AddressSet, TrafficSet
from cloison.analyses.connectivity import EndRef
from cloison.analyses.contract.compile.model import Edge
from cloison.analyses.ends import AddressEnd, AnyEnd, End, NameEnd, NodeEnd, PodsEnd
from cloison.analyses.past.link import Link
from cloison.analyses.reconcile.seen import NODES, Outside, ref
from cloison.engine import Engine
from cloison.ir.allowlist import PortRange
from cloison.ir.names import host_name

_BEYOND = (AddressEnd, NameEnd)


@dataclass(frozen=True, slots=True)
class Let:
    """Traffic that is let through between two ends.

    Args:
        source: Who calls.
        destination: Who is called.
        traffic: With what.
        name: The entry of the contract that says so; empty for what the platform needs.
        role: What of the platform needs it; empty for an entry.
    """

    source: End
    destination: End
    traffic: TrafficSet
    name: str = ""
    role: str = ""


@dataclass(frozen=True)
class Covers:
    """Traffic that is let through, by its ends.

    Args:
        every: It.
    """

    every: tuple[Let, ...]

    @cached_property
    def _inside(self) -> dict[tuple[EndRef, EndRef], list[Let]]:
        found: dict[tuple[EndRef, EndRef], list[Let]] = defaultdict(list)
        for each in self.every:
            if not isinstance(each.source, _BEYOND) and not isinstance(each.destination, _BEYOND):
                found[_whose(each.source), _whose(each.destination)].append(each)
        return found

    @cached_property
    def _outside(self) -> dict[tuple[bool, EndRef], list[Let]]:
        found: dict[tuple[bool, EndRef], list[Let]] = defaultdict(list)
        for each in self.every:
            if isinstance(each.destination, _BEYOND):
                found[True, _whose(each.source)].append(each)
            elif isinstance(each.source, _BEYOND):
                found[False, _whose(each.destination)].append(each)
        return found

    def of(self, link: Link) -> tuple[Let, ...]:
        """Return what lets an edge through; nothing where a part of it is not let through."""
        return self.between(link.source, link.destination, link.traffic, addresses(link))

    def between(
        self,
        source: End | Outside,
        destination: End | Outside,
        traffic: TrafficSet,
        known: AddressSet = NO_ADDRESSES,
    ) -> tuple[Let, ...]:
        """Return what lets some traffic through between two ends; nothing where a part is not.

        Args:
            source: Who calls.
            destination: Who is called.
            traffic: With what.
            known: The addresses of the one that is outside.
        """
        rest, found = traffic, list[Let]()
        for each in self._candidates(source, destination, known):
            if each.traffic & rest:
                found.append(each)
                rest -= each.traffic
            if not rest:
                return tuple(found)
        return ()

    def _candidates(
        self, source: End | Outside, destination: End | Outside, known: AddressSet
    ) -> Iterator[Let]:
        out = _is_beyond(destination)
        if not out and not _is_beyond(source):
            for one in _keys(source):
                for other in _keys(destination):
                    yield from self._inside.get((one, other), ())
            return
        inside, beyond = (source, destination) if out else (destination, source)
        for key in _keys(inside):
            for each in self._outside.get((out, key), ()):
                if _holds(each.destination if out else each.source, beyond, known):
                    yield each


def let(edges: Iterable[Edge], engine: Engine) -> Iterator[Let]:
    """Yield what edges of a contract let through.

    Args:
        edges: The edges.
        engine: Whose pods their ends are.
    """
    for each in edges:
        name = each.entry.name if each.entry is not None else ""
        traffic = traffic_of(each.ports, each.destination, engine)
        if traffic:
            yield Let(each.source, each.destination, traffic, name, each.role or "dns")


def traffic_of(ports: Iterable[PortRange], to: End, engine: Engine) -> TrafficSet:
    """Return the traffic of ports, those with names looked up on whom they are of."""
    every = tuple(ports)
    found = NO_TRAFFIC if every else L4
    called = to.endpoints if isinstance(to, PodsEnd) else ()
    pods = [engine.table.endpoints[index] for index in called]
    for each in every:
        if each.name is not None:
            for port in (p for pod in pods for p in pod.ports):
                if (port.name, port.protocol) == (each.name, each.protocol):
                    found |= TrafficSet.ports(port.protocol, *port.span)
        elif each.protocol.startswith("ICMP"):
            version = 6 if each.protocol == "ICMPv6" else 4
            found |= TrafficSet.icmp(each.first, each.last, version)
        elif each.first is None or each.protocol not in PORT_PROTOCOLS:
            found |= TrafficSet.protocol(each.protocol)
        else:
            found |= TrafficSet.ports(each.protocol, each.first, each.last)
    return found


def addresses(link: Link) -> AddressSet:
    """Return the addresses that the end of an edge had that is outside."""
    texts = {
        seen.ip
        for side in (0, 1)
        if isinstance((link.source, link.destination)[side], Outside)
        for seen in (each.ends[side] for each in link.seen)
        if seen.ip is not None
    }
    return AddressSet(span for text in texts for span in _address(text).spans)


def _address(text: str) -> AddressSet:
    try:
        return AddressSet.address(text)
    except ValueError:
        return NO_ADDRESSES


def _is_beyond(end: End | Outside) -> bool:
    return isinstance(end, Outside | AddressEnd | NameEnd)


def _whose(end: End) -> EndRef:
    """Return an end as edges are compared by: flows do not tell one node from another."""
    if isinstance(end, AnyEnd):
        return _any(end.namespace)
    return ref(NODES if isinstance(end, NodeEnd) else end)


def _any(namespace: str | None) -> EndRef:
    return EndRef("any", namespace or "")


def _keys(end: End | Outside) -> tuple[EndRef, ...]:
    """Return by what an end is found among those of edges."""
    if isinstance(end, Outside):
        return ()
    if isinstance(end, PodsEnd):
        return ref(end), _any(end.workload.id.namespace), _any(None)
    return (_whose(end),)


def _holds(end: End, beyond: End | Outside, known: AddressSet) -> bool:
    """Return whether an end of an edge stands for one that was seen outside."""
    ends = [beyond] if isinstance(beyond, NameEnd | AddressEnd) else []
    if isinstance(beyond, Outside):
        ends = [each for each in (beyond.name, beyond.address) if each is not None]
    names = {name for each in ends if (name := _called(each)) is not None}
    if isinstance(end, NameEnd):
        return any(pattern.covers(name) for pattern in end.names for name in names)
    if not isinstance(end, AddressEnd):
        return False
    if end.name is not None and host_name(end.name) in names:
        return True
    every = beyond.addresses if isinstance(beyond, AddressEnd) and not known else known
    return bool(every) and every <= end.addresses


def _called(end: NameEnd | AddressEnd) -> str | None:
    """Return the DNS name of an end; None where it has none."""
    if isinstance(end, AddressEnd):
        return None if end.name is None else host_name(end.name)
    return host_name(end.text.removeprefix("dns:"))
