"""From a map or a difference to what is shown of it.

Pairs of workloads are never spelled out on the way: there may be millions.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar, cast

from cloison.algebra import AddressSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.compress import fans, products
from cloison.analyses.connectivity import EndRef, Map, Passage
from cloison.analyses.diff import Diff, Shift
from cloison.ir.when import union
from cloison.report.picture.bundles import Tally, Told, bundled, in_groups, in_nodes
from cloison.report.picture.fold import NODES, Fold, fold
from cloison.report.picture.graph import Bundle, Picture

LINES = 600
"""Lines there may be in a picture: more cannot be told apart, however few the nodes."""

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Every one of the sources may send this to every one of the destinations.

    None to itself, except where one end stands alone on both sides.
    """

    told: Told
    sources: BitMap
    destinations: BitMap

    @property
    def alone(self) -> bool:
        """Whether it is about what one end may send to itself."""
        return len(self.sources) == 1 and self.sources == self.destinations


@dataclass(frozen=True, slots=True)
class Limits:
    """How much there may be in a picture."""

    nodes: int
    lines: int


def of(kind: str, known: object, lines: int = LINES, lacks: Sequence[str] = ()) -> Picture:
    """Return the picture of a result: of a `map` or a `diff`.

    Args:
        kind: Which of them.
        known: The result.
        lines: How many lines there may be.
        lacks: What the result lacks, in sentences; the picture's first notes.
    """
    if kind == "diff":
        picture = of_diff(cast("Diff", known), lines=lines)
    else:
        picture = of_map(cast("Map", known), lines=lines)
    return replace(picture, notes=(*lacks, *picture.notes))


def of_map(known: Map, limit: int = NODES, lines: int = LINES) -> Picture:
    """Return the picture of a map.

    Args:
        known: The map. What only a part was asked for is drawn without unconnected workloads.
        limit: How many nodes may be shown; where there are more, namespaces are folded.
        lines: How many lines there may be, likewise.
    """
    ends, outside = _ends(known.ends, known.outward, known.inward)
    found = _rectangles(known.rows, known.outward, known.inward, known.itself, outside, _passing)
    title = "Who may call whom" if known.logical else "Who may talk to whom"
    picture = _picture(title, ends, list(found), Limits(limit, lines), whole=not known.partial)
    if known.partial:
        picture = replace(picture, notes=("Only part was asked for.", *picture.notes))
    if picture.bundles or any(group.notes for group in picture.groups):
        return picture
    words = "Nothing is permitted." if known.ends else "No workload was read."
    return replace(picture, notes=(words, *picture.notes))


def of_diff(known: Diff, limit: int = NODES, lines: int = LINES) -> Picture:
    """Return the picture of a difference: what it opens, closes and changes, and nothing else.

    Args:
        known: The difference.
        limit: How many nodes may be shown; where there are more, namespaces are folded.
        lines: How many lines there may be, likewise.
    """
    ends, outside = _ends(known.ends, known.outward, known.inward)
    found = _rectangles(known.rows, known.outward, known.inward, known.itself, outside, _shifting)
    title = "What changes about who may talk to whom"
    picture = _picture(title, ends, list(found), Limits(limit, lines), whole=False)
    words = "Nothing changes: every path is as open, or as closed, as before."
    return picture if picture.bundles else replace(picture, notes=(words,))


def counted(known: Map, limit: int) -> tuple[Fold, Tally]:
    """Return the ends of a map in at most `limit` nodes, and what passes between these."""
    ends, outside = _ends(known.ends, known.outward, known.inward)
    found = list(
        _rectangles(known.rows, known.outward, known.inward, known.itself, outside, _passing)
    )
    folded = fold(ends, _connected(found), limit, whole=not known.partial)
    return folded, _tally(folded, found)


def _connected(found: Iterable[Rectangle]) -> BitMap:
    connected = BitMap()
    for each in found:
        connected |= each.sources | each.destinations
    return connected


def _passing(passage: Passage) -> Iterator[Told]:
    some = union(each.traffic for each in passage.when if each.allowed)
    if passage.allowed or some:
        yield Told("allowed", passage.allowed | some, partly=bool(some))
    if passage.undetermined - some:
        yield Told("undetermined", passage.undetermined - some, unsure=True)


def _shifting(shift: Shift) -> Iterator[Told]:
    now = shift.after if shift.gained else shift.before
    some = union(each.traffic for each in now.when if each.allowed)
    moved = shift.gained or shift.lost
    unsure, partly = not moved <= now.allowed | some, not moved.isdisjoint(some)
    yield Told(str(shift.kind), shift.gained, shift.lost, unsure=unsure, partly=partly)


def _ends(
    inside: Sequence[EndRef], *tables: Mapping[int, Mapping[K, AddressSet]]
) -> tuple[Sequence[EndRef], dict[AddressSet, int]]:
    """Return all ends, those outside last, and the places of these."""
    blocks = {a for table in tables for found in table.values() for a in found.values()}
    outside = sorted((EndRef("ip", addresses=a) for a in blocks), key=lambda end: end.sort_key)
    places = {
        end.addresses: place
        for place, end in enumerate(outside, len(inside))
        if end.addresses is not None
    }
    return (*inside, *outside), places


def _rectangles(
    rows: Mapping[int, Mapping[K, BitMap]],
    outward: Mapping[int, Mapping[K, AddressSet]],
    inward: Mapping[int, Mapping[K, AddressSet]],
    itself: Mapping[int, K],
    outside: Mapping[AddressSet, int],
    tell: Callable[[K], Iterator[Told]],
) -> Iterator[Rectangle]:
    for key, sources, destinations in products(rows):
        for told in tell(key):
            yield Rectangle(told, BitMap(sources), destinations)
    for table, leaving in ((outward, True), (inward, False)):
        for key, places, addresses in fans(table):
            here, there = BitMap(places), BitMap([outside[addresses]])
            for told in tell(key):
                yield Rectangle(told, here, there) if leaving else Rectangle(told, there, here)
    for place, key in itself.items():
        for told in tell(key):
            yield Rectangle(told, BitMap([place]), BitMap([place]))


def _picture(
    title: str, ends: Sequence[EndRef], found: Sequence[Rectangle], limits: Limits, *, whole: bool
) -> Picture:
    folded = fold(ends, _connected(found), limits.nodes, whole=whole)
    tally = _tally(folded, found)
    bundles = bundled(tally, folded.nodes)
    if _lines(bundles) > limits.lines:
        finest = folded
        coarser = finest.further()
        # Folding more never makes more lines, or hardly: the finest that fits is found by halves.
        low, high = 0, len(coarser) - 1
        while low <= high:
            middle = (low + high) // 2
            folded = coarser[middle]
            bundles = bundled(tally.folded(finest, folded), folded.nodes)
            if _lines(bundles) > limits.lines:
                low = middle + 1
            else:
                high = middle - 1
        if 0 <= low < len(coarser) and folded is not coarser[low]:
            folded = coarser[low]
            bundles = bundled(tally.folded(finest, folded), folded.nodes)
    nodes, bundles = in_nodes(folded.nodes, bundles)
    groups, bundles = in_groups(folded.groups, nodes, bundles)
    return Picture(title, nodes, groups, bundles, tuple(folded.notes()))


def _lines(bundles: Sequence[Bundle]) -> int:
    """Return how many lines bundles are drawn with."""
    return sum(len(b.sources) + len(b.destinations) for b in bundles)


def _tally(folded: Fold, found: Sequence[Rectangle]) -> Tally:
    """Count pairs of ends between nodes."""
    tally = Tally()
    for each in found:
        both = each.sources & each.destinations
        left = folded.of(each.sources)
        right = folded.of(each.destinations)
        for a, many in left.items():
            for b, more in right.items():
                pairs = many * more
                if a == b and not each.alone:
                    pairs -= folded.of(both)[a] if both else 0
                if pairs:
                    tally.add(a, b, each.told, pairs)
    return tally
