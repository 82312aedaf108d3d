"""What a candidate changes and still permits, and what of that was ever used."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from cloison.algebra import NO_TRAFFIC, AddressSet, TrafficSet
from cloison.analyses.connectivity import EndRef, Line, Map, Passage
from cloison.analyses.diff import Diff
from cloison.analyses.ends import End
from cloison.analyses.reconcile.cube import Cube
from cloison.analyses.reconcile.excess import beyond
from cloison.analyses.reconcile.pairs import Placed, Unplaced
from cloison.analyses.reconcile.pairs import shown as with_outside
from cloison.analyses.reconcile.seen import Missed, Outside, ref
from cloison.analyses.shadow.model import Edge, Traffics, Unused, Used, Was

_INSIDE = ("workload", "pod")


def used(diff: Diff, edges: Iterable[Edge], here: Cube, most: int) -> tuple[Used, ...]:
    """Return the first lines of a difference, with the connections that were seen over each.

    Args:
        diff: What a candidate opens and closes.
        edges: What was seen.
        here: Tells whether use would have been seen.
        most: How many lines.
    """
    partners = Partners(edges)
    found: list[Used] = []
    for line in islice(diff.lines, most):
        lost, gained = _Touching(line.shift.lost), _Touching(line.shift.gained)
        for edge in partners.between(line.sources, line.destinations):
            if edge.was is Was.LET:
                lost.add(edge)
            elif edge.was is Was.DENIED:
                gained.add(edge)
        passage = Passage(line.shift.lost | line.shift.gained)
        known = here.tells_use(Line(line.sources, line.destinations, passage))
        found.append(Used(line, lost.connections, gained.connections, known))
    return tuple(found)


class _Touching:
    """Sums up connections with some traffic.

    Args:
        traffic: The traffic.
    """

    def __init__(self, traffic: TrafficSet) -> None:
        self._traffic = traffic
        self._known: dict[TrafficSet, bool] = {}
        self.connections = 0

    def add(self, edge: Edge) -> None:
        """Count an edge, if it has any of the traffic."""
        traffic = edge.link.traffic
        touches = self._known.get(traffic)
        if touches is None:
            touches = self._known[traffic] = bool(traffic & self._traffic)
        if touches:
            self.connections += edge.connections


_ByEnd = dict[EndRef, dict[EndRef, list[Edge]]]


class Partners:
    """Finds the edges between ends without looking at any other.

    Args:
        edges: The edges.
    """

    def __init__(self, edges: Iterable[Edge]) -> None:
        self._called: _ByEnd = defaultdict(lambda: defaultdict(list))
        self._calling: _ByEnd = defaultdict(lambda: defaultdict(list))
        for edge in edges:
            one, other = (_end(end) for end in (edge.link.source, edge.link.destination))
            if one is not None and other is not None:
                # From outside there are more callers than called.
                if one.kind == "ip":
                    self._calling[other][one].append(edge)
                else:
                    self._called[one][other].append(edge)
        self._addresses: dict[int, tuple[list[int], list[EndRef]]] = {}

    def between(self, sources: Sequence[EndRef], destinations: Sequence[EndRef]) -> Iterator[Edge]:
        """Yield the edges from some ends to others; of blocks, those of each address in one."""
        outside = sources[0].kind == "ip"
        near, far = (destinations, sources) if outside else (sources, destinations)
        held = self._calling if outside else self._called
        names = frozenset(far)
        blocks = _joined(far)
        for end in near:
            partners = held.get(end)
            if partners is None:
                continue
            few, many = (partners, names) if len(partners) < len(names) else (names, partners)
            met = {each for each in few if each in many}
            if blocks:
                met.update(self._within(partners, blocks))
            for other in met:
                yield from partners[other]

    def _within(self, partners: dict[EndRef, list[Edge]], blocks: AddressSet) -> Iterator[EndRef]:
        """Yield those of some ends whose addresses are in blocks."""
        starts, ends = self._sorted(partners)
        for first, last in blocks.spans:
            for each in ends[bisect_left(starts, first) : bisect_right(starts, last)]:
                if each.addresses is not None and each.addresses.spans[-1][1] <= last:
                    yield each

    def _sorted(self, partners: dict[EndRef, list[Edge]]) -> tuple[list[int], list[EndRef]]:
        key = id(partners)
        if key not in self._addresses:
            found = [(e.addresses.spans[0][0], e) for e in partners if e.addresses]
            found.sort(key=lambda row: row[0])
            self._addresses[key] = ([first for first, _ in found], [e for _, e in found])
        return self._addresses[key]


def _joined(ends: Iterable[EndRef]) -> AddressSet:
    return AddressSet(span for each in ends if each.addresses for span in each.addresses.spans)


def _end(end: End | Outside) -> EndRef | None:
    if isinstance(end, Outside):
        return None if end.address is None else ref(end.address)
    return ref(end)


def unseen(
    permitted: Map,
    here: Sequence[Placed],
    strangers: Sequence[Unplaced],
    gone: Missed = frozenset(),
) -> Cube:
    """Return what is permitted and was never seen, with whether use of it would have been seen.

    Args:
        permitted: The map of everything that is permitted.
        here: What was seen.
        strangers: What was seen of ends that are not known.
        gone: Workloads of which flows may be missing; None where that may be of all.
    """
    said: Traffics = defaultdict(lambda: NO_TRAFFIC)
    for one, other, traffic in _pairs(here):
        said[one, other] |= traffic
    left = beyond(permitted, said)
    watched = frozenset(end for pair in said for end in pair if end.kind in _INSIDE)
    return Cube((), left, _alike(strangers), (), bool(here), watched, gone)


def excess(cube: Cube, most: int) -> tuple[tuple[Unused, ...], int]:
    """Return the first lines of what is permitted and was never seen, and how many more there are.

    Those that are sure come first.

    Args:
        cube: What was never seen.
        most: How many lines.
    """
    lines = [line for line in cube.excess.lines if line.passage.allowed]
    told = [Unused(line, cube.tells_use(line)) for line in islice(lines, most)]
    shown = tuple(sorted(told, key=lambda each: not each.known))
    return shown, len(lines) - len(shown)


def _pairs(here: Sequence[Placed]) -> Iterable[tuple[EndRef, EndRef, TrafficSet]]:
    yield from with_outside(here)
    for each in here:
        if not (isinstance(each.source, Outside) or isinstance(each.destination, Outside)):
            yield ref(each.source), ref(each.destination), each.traffic


def _alike(strangers: Sequence[Unplaced]) -> tuple[Unplaced, ...]:
    """Return what cannot be placed, that of the same ends and traffic once."""
    found = {
        (each.ends, each.traffic, each.seen.initiator): each
        for each in strangers
        if each.ends != (None, None) and each.traffic
    }
    return tuple(found.values())
