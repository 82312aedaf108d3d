"""What a candidate changes and still permits, and what of that was ever used."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice

from cloison.algebra import NO_TRAFFIC, TrafficSet
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
    by_source: dict[EndRef, list[tuple[EndRef, Edge]]] = defaultdict(list)
    from_outside: dict[EndRef, list[tuple[EndRef, Edge]]] = defaultdict(list)
    for edge in edges:
        one, other = (_end(end) for end in (edge.link.source, edge.link.destination))
        if one is None or other is None:
            continue
        if one.kind == "ip":
            from_outside[other].append((one, edge))
        else:
            by_source[one].append((other, edge))
    found: list[Used] = []
    for line in islice(diff.lines, most):
        lost = gained = 0
        outside = line.sources[0].kind == "ip"
        near, far = (
            (line.destinations, line.sources) if outside else (line.sources, line.destinations)
        )
        names = frozenset(far)
        for end in near:
            for other, edge in (from_outside if outside else by_source).get(end, ()):
                if not (other in names or any(_holds(each, other) for each in far)):
                    continue
                traffic = edge.link.traffic
                if edge.was is Was.LET and traffic & line.shift.lost:
                    lost += edge.connections
                if edge.was is Was.DENIED and traffic & line.shift.gained:
                    gained += edge.connections
        passage = Passage(line.shift.lost | line.shift.gained)
        known = here.tells_use(Line(line.sources, line.destinations, passage))
        found.append(Used(line, lost, gained, known))
    return tuple(found)


def _holds(block: EndRef, end: EndRef) -> bool:
    if block.addresses is None or end.addresses is None:
        return False
    return end.addresses <= block.addresses


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
