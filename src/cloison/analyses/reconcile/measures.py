"""Least privilege in numbers: how much is open beyond what is meant or used, and how far one gets.

What is counted are (source workload, destination workload, port): of 65 535 ports nobody listens on
almost all, so what is open at a port counts where the destination declares it, a connection got
through to it, or what lets it through names it. Traffic of a workload with itself does not count.

What could be permitted is every declared port from every other workload, and of ports that are in
use undeclared what is open. So neither a denied connection, nor a scan that gets through, nor an
entry of a contract makes a cluster look better segmented than it is.

Source: the measures are those of the literature on segmentation: excess, segmentedness (the share
of what could be that is not), blast radius.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from cloison.algebra import NO_TRAFFIC, PORT_PROTOCOLS, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.connectivity import EndRef, Map
from cloison.analyses.reconcile.kinds import Cell, Kind
from cloison.analyses.reconcile.seen import workload_ref
from cloison.resources.world import World

_WORKLOADS = ("workload", "pod")
_MOST = 4096


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one gets, in workloads.

    Args:
        mean: On average over who may start.
        worst: At most.
        of: Who gets that far; the first by name.
    """

    mean: float = 0.0
    worst: int = 0
    of: EndRef | None = None


@dataclass(frozen=True, slots=True)
class Measures:
    """The cube in numbers.

    Args:
        workloads: How many there are.
        possible: What could be permitted between them, at declared ports, and what is open at ports
            in use that nobody declares.
        admitted: What of that is permitted.
        permitted: What is permitted, also at ports that only the rules name which let it through.
        needed: The part of it that is meant or was seen to get through.
        ports_allowed: Ports that are open for each pair of workloads with any, on average.
        ports_used: Ports that are meant or used for each pair with any, on average.
        one_hop: How many workloads a workload reaches.
        any_hops: How many it reaches through others.
        from_outside: How many are reached from addresses outside.
        from_outside_hops: How many are reached from outside, also through others.
        data: How many keep data.
        to_data: From how many workloads one of these is reached, on average.
        to_data_hops: From how many it is reached through others.
    """

    workloads: int = 0
    possible: int = 0
    admitted: int = 0
    permitted: int = 0
    needed: int = 0
    ports_allowed: float = 0.0
    ports_used: float = 0.0
    one_hop: Reach = Reach()
    any_hops: Reach = Reach()
    from_outside: int = 0
    from_outside_hops: int = 0
    data: int = 0
    to_data: float = 0.0
    to_data_hops: float = 0.0

    @property
    def excess(self) -> float:
        """The share of what is permitted that nobody means or uses."""
        return 1 - self.needed / self.permitted if self.permitted else 0.0

    @property
    def segmentedness(self) -> float:
        """The share of what could be permitted that is not."""
        return 1 - self.admitted / self.possible if self.possible else 1.0


def measures(
    cells: Iterable[Cell], permitted: Map, world: World, data: Iterable[EndRef] | None = None
) -> Measures:
    """Return the cube in numbers.

    Args:
        cells: The cells of the cube, without excess.
        permitted: The map of everything permitted.
        world: The inventory.
        data: Workloads that keep data; StatefulSets where nobody says.
    """
    known = tuple(cells)
    places = {e: at for at, e in enumerate(permitted.ends) if e.kind in _WORKLOADS}
    declared = _declared(places, world)
    listening = _listening(known, places, declared)
    used = _used(known, places)
    opened = _opened(permitted, {at: (declared[at], listening[at]) for at in places.values()})
    hops = opened.hops
    far = closure(hops)
    outside = BitMap(
        place
        for place in places.values()
        if any(_open(p.allowed, listening[place]) for p in permitted.inward.get(place, {}))
    )
    reached = outside.copy()
    for place in outside:
        reached |= far[place]
    kept = _kept(places, data)
    sizes = [traffic.size() for traffic in used.values()]
    return Measures(
        len(places),
        sum(declared[place].size() for place in places.values()) * max(0, len(places) - 1)
        + opened.undeclared,
        opened.declared + opened.undeclared,
        opened.points,
        _needed(permitted, used, listening),
        opened.points / opened.pairs if opened.pairs else 0.0,
        sum(sizes) / len(sizes) if sizes else 0.0,
        _reach(hops, permitted),
        _reach(far, permitted),
        len(outside),
        len(reached),
        len(kept),
        _into(hops, kept),
        _into(far, kept),
    )


@dataclass(slots=True)
class _Opened:
    """What is permitted between workloads.

    Args:
        hops: Whom each reaches at once.
        points: What is open.
        pairs: Pairs of workloads between which something is.
        declared: What is open at ports that are declared.
        undeclared: What is open at ports that are in use, and that nobody declares.
    """

    hops: dict[int, BitMap]
    points: int = 0
    pairs: int = 0
    declared: int = 0
    undeclared: int = 0

    def add(self, sizes: tuple[int, int, int], pairs: int) -> None:
        points, declared, listening = (size * pairs for size in sizes)
        self.points += points
        self.pairs += pairs
        self.declared += declared
        self.undeclared += listening - declared


_Ports: TypeAlias = tuple[TrafficSet, TrafficSet]
"""What a workload declares, and what may listen there, which holds the former."""


def _opened(permitted: Map, ports: Mapping[int, _Ports]) -> _Opened:
    groups: dict[_Ports, BitMap] = defaultdict(BitMap)
    found = _Opened({place: BitMap() for place in ports})
    for place, known in ports.items():
        groups[known].add(place)
    sizes: dict[tuple[TrafficSet, _Ports], tuple[int, int, int]] = {}
    for source, reach in found.hops.items():
        for passage, members in permitted.rows.get(source, {}).items():
            others = members - BitMap([source])
            for known, alike in groups.items():
                there = others & alike
                if not there:
                    continue
                key = (passage.allowed, known)
                if key not in sizes:
                    sizes[key] = _sizes(*key)
                if sizes[key][0]:
                    found.add(sizes[key], len(there))
                    reach.update(there)
    return found


def _sizes(allowed: TrafficSet, known: _Ports) -> tuple[int, int, int]:
    declared, listening = known
    return (
        _open(allowed, listening).size(),
        (allowed & declared).size(),
        (allowed & listening).size(),
    )


def _open(allowed: TrafficSet, listening: TrafficSet) -> TrafficSet:
    """Return the open ports of what is permitted with somebody.

    Args:
        allowed: What is permitted.
        listening: The ports at which something may listen there.
    """
    return allowed & (listening | _named(allowed))


@cache
def _named(allowed: TrafficSet) -> TrafficSet:
    """Return the ports that rules name of what they permit.

    Where so much of a protocol passes that nobody listed it, as all of it but a few ports, none.
    """
    found = NO_TRAFFIC
    for protocol in PORT_PROTOCOLS:
        ports = allowed & TrafficSet.protocol(protocol)
        if ports.size() <= _MOST:
            found |= ports
    return found


def _declared(places: Mapping[EndRef, int], world: World) -> dict[int, TrafficSet]:
    """Return for each workload the ports that its pods declare."""
    found = dict.fromkeys(places.values(), NO_TRAFFIC)
    for known, workload in world.workloads.items():
        place = places.get(workload_ref(known))
        ports = {(p.protocol, p.number) for pod in workload.endpoints for p in pod.ports}
        if place is not None:
            for protocol, number in ports:
                found[place] |= TrafficSet.ports(protocol, number)
    return found


def _listening(
    cells: Iterable[Cell], places: Mapping[EndRef, int], declared: Mapping[int, TrafficSet]
) -> dict[int, TrafficSet]:
    """Return for each workload what it declares, and the ports to which connections got through."""
    found = dict(declared)
    for cell in cells:
        if cell.destination in places and cell.evidence.allowed and _small(cell):
            found[places[cell.destination]] |= cell.traffic
    return found


def _small(cell: Cell) -> bool:
    """Return whether a cell names ports; an entry that means all of them names none."""
    return cell.traffic.size() <= _MOST


def _used(cells: Iterable[Cell], places: Mapping[EndRef, int]) -> dict[tuple[int, int], TrafficSet]:
    """Return what is meant, or was seen to get through, between workloads."""
    found: dict[tuple[int, int], TrafficSet] = {}
    for cell in cells:
        key = (places.get(cell.source, -1), places.get(cell.destination, -1))
        if min(key) >= 0 and key[0] != key[1] and cell.kind is not Kind.ATTEMPTED and _small(cell):
            found[key] = found.get(key, NO_TRAFFIC) | cell.traffic
    return found


def _needed(
    permitted: Map, used: Mapping[tuple[int, int], TrafficSet], listening: Mapping[int, TrafficSet]
) -> int:
    return sum(
        (_open(passage.allowed, listening[other]) & traffic).size()
        for (one, other), traffic in used.items()
        for passage, members in permitted.rows.get(one, {}).items()
        if other in members
    )


def _kept(places: Mapping[EndRef, int], data: Iterable[EndRef] | None) -> list[int]:
    if data is not None:
        return sorted({places[end] for end in data if end in places})
    return [place for end, place in places.items() if end.type == "StatefulSet"]


def _into(hops: Mapping[int, BitMap], kept: list[int]) -> float:
    into = sum(place in reach for reach in hops.values() for place in kept)
    return into / len(kept) if kept else 0.0


def closure(hops: Mapping[int, BitMap]) -> dict[int, BitMap]:
    """Return whom each reaches through others, itself left out.

    Args:
        hops: Whom each reaches at once.
    """
    # Those that reach the same at once, which in a cluster are many, reach the same in the end.
    found: dict[int, BitMap] = {}
    known: dict[bytes, BitMap] = {}
    for place, reach in hops.items():
        key = bytes(reach.serialize())
        if key not in known:
            known[key] = _beyond(reach, hops)
        found[place] = known[key] - BitMap([place])
    return found


def _beyond(first: BitMap, hops: Mapping[int, BitMap]) -> BitMap:
    """Return whom some workloads are, and whom they reach."""
    seen, fresh = BitMap(), first.copy()
    while fresh:
        seen |= fresh
        following = BitMap()
        for place in fresh:
            following |= hops.get(place, BitMap())
        fresh = following - seen
    return seen


def _reach(hops: Mapping[int, BitMap], permitted: Map) -> Reach:
    if not hops:
        return Reach()
    counts = {place: len(reach) for place, reach in hops.items()}
    most = max(counts.values())
    first = min(place for place, number in counts.items() if number == most)
    return Reach(sum(counts.values()) / len(counts), most, permitted.ends[first])
