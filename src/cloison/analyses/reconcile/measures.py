"""Least privilege in numbers: how much is open beyond what is meant or used, and how far one gets.

What is counted are (source workload, destination workload, port), with the ports that destinations
declare, the contract names or flows show: of 65 535 ports nobody listens on almost all.

Source: the measures are those of the literature on segmentation: excess, segmentedness (the share
of what could be that is not), blast radius.
"""

from collections import defaultdict
from dataclasses import dataclass

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.connectivity import EndRef, Map
from cloison.analyses.reconcile.cube import Cube
from cloison.analyses.reconcile.kinds import Kind
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
        possible: What could be permitted between them.
        permitted: What is.
        needed: The part of it that is meant or was seen.
        ports_allowed: Ports that are open for each pair of workloads with any, on average.
        ports_used: Ports that are meant or used for each pair with any, on average.
        one_hop: How many workloads a workload reaches.
        any_hops: How many it reaches through others.
        from_outside: How many are reached from addresses outside.
        from_outside_hops: How many are reached from outside through others.
        doors: From how many workloads stateful ones are reached in one hop, on average.
    """

    workloads: int
    possible: int
    permitted: int
    needed: int
    ports_allowed: float
    ports_used: float
    one_hop: Reach
    any_hops: Reach
    from_outside: int
    from_outside_hops: int
    doors: float

    @property
    def excess(self) -> float:
        """The share of what is permitted that nobody means or uses."""
        return 1 - self.needed / self.permitted if self.permitted else 0.0

    @property
    def segmentedness(self) -> float:
        """The share of what could be permitted that is not."""
        return 1 - self.permitted / self.possible if self.possible else 1.0


def measures(cube: Cube, permitted: Map, world: World) -> Measures:
    """Return the cube in numbers.

    Args:
        cube: The cube.
        permitted: The map of everything permitted.
        world: The inventory.
    """
    ends = [place for place, end in enumerate(permitted.ends) if end.kind in _WORKLOADS]
    known = set(ends)
    served = _served(cube, permitted, world)
    used = _used(cube, permitted)
    groups: dict[TrafficSet, BitMap] = defaultdict(BitMap)
    for place in ends:
        groups[served[place]].add(place)
    count = open_pairs = 0
    hops: dict[int, BitMap] = {place: BitMap() for place in ends}
    for source in ends:
        for passage, members in permitted.rows.get(source, {}).items():
            for ports, places in groups.items():
                open_ = (passage.allowed & ports).size()
                there = members & places - BitMap([source])
                if open_ and there:
                    count += open_ * len(there)
                    open_pairs += len(there)
                    hops[source] |= there
    possible = sum(ports.size() * len(p) * (len(ends) - 1) for ports, p in groups.items())
    needed = sum(
        (_allowed(permitted, one, other) & traffic & served[other]).size()
        for (one, other), traffic in used.items()
        if one != other and one in known and other in known
    )
    far = _closure(hops)
    outside = {
        place
        for place in ends
        if any(p.allowed & served[place] for p in permitted.inward.get(place, {}))
    }
    reached = BitMap(outside).union(*(far[place] for place in outside)) if outside else BitMap()
    stateful = [place for place in ends if permitted.ends[place].type == "StatefulSet"]
    into = sum(place in reach for reach in hops.values() for place in stateful)
    pairs_used = [t.size() for (one, other), t in used.items() if one != other]
    return Measures(
        len(ends),
        possible,
        count,
        needed,
        count / open_pairs if open_pairs else 0.0,
        sum(pairs_used) / len(pairs_used) if pairs_used else 0.0,
        _reach(hops, permitted),
        _reach(far, permitted),
        len(outside),
        len(reached),
        into / len(stateful) if stateful else 0.0,
    )


def _served(cube: Cube, permitted: Map, world: World) -> dict[int, TrafficSet]:
    """Return for each workload the ports at which something may listen."""
    places = {end: place for place, end in enumerate(permitted.ends)}
    found: dict[int, TrafficSet] = defaultdict(TrafficSet)
    for known, workload in world.workloads.items():
        kind = "pod" if known.kind == "Pod" else "workload"
        end = EndRef(kind, known.namespace, known.name, "" if kind == "pod" else known.kind)
        if end in places:
            for pod in workload.endpoints[:1]:
                for port in pod.ports:
                    found[places[end]] |= TrafficSet.ports(port.protocol, port.number)
    for cell in cube.cells:
        if cell.destination in places and cell.traffic.size() <= _MOST:
            found[places[cell.destination]] |= cell.traffic
    return found


def _used(cube: Cube, permitted: Map) -> dict[tuple[int, int], TrafficSet]:
    """Return what is meant, or was seen to get through, between workloads."""
    places = {end: place for place, end in enumerate(permitted.ends)}
    found: dict[tuple[int, int], TrafficSet] = {}
    for cell in cube.cells:
        if cell.source in places and cell.destination in places and cell.kind is not Kind.ATTEMPTED:
            key = (places[cell.source], places[cell.destination])
            found[key] = found.get(key, NO_TRAFFIC) | cell.traffic
    return found


def _allowed(permitted: Map, source: int, destination: int) -> TrafficSet:
    for passage, members in permitted.rows.get(source, {}).items():
        if destination in members:
            return passage.allowed
    return NO_TRAFFIC


def _closure(hops: dict[int, BitMap]) -> dict[int, BitMap]:
    """Return whom each reaches through others; itself only by a way around."""
    found = {place: reach.copy() for place, reach in hops.items()}
    for middle, beyond in found.items():
        for reach in found.values():
            if middle in reach:
                reach.update(beyond)
    return {place: reach - BitMap([place]) for place, reach in found.items()}


def _reach(hops: dict[int, BitMap], permitted: Map) -> Reach:
    if not hops:
        return Reach()
    counts = {place: len(reach) for place, reach in hops.items()}
    worst = max(counts.values())
    first = min(place for place, number in counts.items() if number == worst)
    return Reach(sum(counts.values()) / len(counts), worst, permitted.ends[first])
