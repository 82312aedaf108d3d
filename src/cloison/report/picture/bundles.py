"""Edges put together: what many say alike is drawn once."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.report.picture.graph import Bundle, Group, Node, known_by

if TYPE_CHECKING:
    from cloison.report.picture.fold import Fold

_LABEL = 26
"""Characters of a label; what is longer is cut between ports."""


@dataclass(frozen=True, slots=True)
class Told:
    """What there is to say of an edge.

    Args:
        kind: That of the bundle.
        traffic: What passes; in a difference, what passes that did not.
        lost: In a difference, what passes no more.
        unsure: Nobody can say of all of it.
        partly: Some of it passes with some requests only.
    """

    kind: str
    traffic: TrafficSet
    lost: TrafficSet = NO_TRAFFIC
    unsure: bool = False
    partly: bool = False

    def join(self, other: "Told") -> "Told":
        """Return what there is to say of some edges and others of the same kind."""
        unsure, partly = self.unsure or other.unsure, self.partly or other.partly
        traffic, lost = self.traffic | other.traffic, self.lost | other.lost
        return Told(self.kind, traffic, lost, unsure, partly)

    @property
    def title(self) -> str:
        """All of it, in words."""
        return " ".join(self._parts(str))

    @property
    def label(self) -> str:
        """In few words."""
        return " ".join(self._parts(_short))

    def _parts(self, text: Callable[[TrafficSet], str]) -> Iterator[str]:
        diff = self.kind not in ("allowed", "undetermined")
        if self.traffic:
            yield ("+ " if diff else "") + text(self.traffic)
        if self.lost:
            yield f"\u2212 {text(self.lost)}"
        if self.partly:
            yield "(some requests)"
        if self.unsure:
            yield "?"


@dataclass(slots=True)
class Cell:
    """What is said from one node to another.

    Args:
        told: All of it.
        pairs: Of how many pairs of ends.
        mixed: Not of every one of these the same.
    """

    told: Told
    pairs: int
    mixed: bool = False


class Tally:
    """What is to be said from node to node, and of how many pairs of ends."""

    def __init__(self) -> None:
        self.cells: dict[tuple[str, int, int], Cell] = {}

    def add(self, src: int, dst: int, told: Told, pairs: int, *, mixed: bool = False) -> None:
        """Say something of some pairs of the ends of two nodes."""
        cell = self.cells.get((told.kind, src, dst))
        if cell is None:
            self.cells[told.kind, src, dst] = Cell(told, pairs, mixed)
            return
        cell.mixed |= mixed or cell.told != told
        cell.told = cell.told.join(told)
        cell.pairs += pairs

    def folded(self, before: "Fold", after: "Fold") -> "Tally":
        """Return the same for a picture with more folded."""
        new = {n: after.place[end] for end, n in before.place.items()}
        found = Tally()
        for (_, src, dst), cell in self.cells.items():
            found.add(new[src], new[dst], cell.told, cell.pairs, mixed=cell.mixed)
        return found


def pairs_of(nodes: Sequence[Node], src: int, dst: int) -> int:
    """Return how many pairs of ends there are between two nodes, or inside one."""
    size = nodes[src].size
    if src != dst:
        return size * nodes[dst].size
    return size * (size - 1) if size > 1 else 1


def bundled(tally: Tally, nodes: Sequence[Node]) -> tuple[Bundle, ...]:
    """Return bundles: each pair of nodes of which something is said is in one for it."""
    by_said: dict[tuple[Told, bool], dict[tuple[int, int], int]] = defaultdict(dict)
    for (_, src, dst), cell in tally.cells.items():
        some = cell.mixed or cell.pairs < pairs_of(nodes, src, dst)
        by_said[cell.told, some][src, dst] = cell.pairs
    found: list[tuple[tuple[int, ...], tuple[int, ...], Bundle]] = []
    for (told, some), pairs in by_said.items():
        for sources, destinations in _fewest(pairs):
            one = sources == destinations and len(sources) == 1
            number = sum(
                pairs.get((s, d), 0) for s in sources for d in destinations if one or s != d
            )
            a, b = (tuple(nodes[i].id for i in side) for side in (sources, destinations))
            known = known_by(told.kind, told.title, *a, "to", *b)
            label = f"{told.label}, some" if some else told.label
            bundle = Bundle(f"b-{known}", told.kind, label, told.title, a, b, number, some)
            found.append((sources, destinations, bundle))
    found.sort(key=lambda each: (each[0], each[1], each[2].kind, each[2].title))
    return tuple(bundle for _, _, bundle in found)


Sides = tuple[tuple[int, ...], tuple[int, ...]]


def _fewest(pairs: Iterable[tuple[int, int]]) -> list[Sides]:
    """Put pairs into products, by rows or by columns, whichever takes fewer lines."""
    alone = [((a,), (b,)) for a, b in pairs if a == b]
    apart = [(a, b) for a, b in pairs if a != b]
    by_row = _products(apart)
    by_column = [(b, a) for a, b in _products([(b, a) for a, b in apart])]
    best = min(by_row, by_column, key=lambda sides: sum(len(a) + len(b) for a, b in sides))
    return [*alone, *best]


def _products(pairs: Iterable[tuple[int, int]]) -> list[Sides]:
    rows: dict[int, set[int]] = defaultdict(set)
    for a, b in pairs:
        rows[a].add(b)
    alike: dict[frozenset[int], list[int]] = defaultdict(list)
    for a, row in rows.items():
        alike[frozenset(row | {a})].append(a)
    groups: dict[frozenset[int], list[int]] = defaultdict(list)
    for own, sources in alike.items():
        if len(sources) > 1:
            groups[own] += sources
        else:
            groups[frozenset(rows[sources[0]])].append(sources[0])
    found = []
    for shared, sources in groups.items():
        reached = shared if len(sources) > 1 else shared.difference(sources)
        found.append((tuple(sorted(sources)), tuple(sorted(reached))))
    return found


def in_nodes(
    nodes: Sequence[Node], bundles: Sequence[Bundle]
) -> tuple[tuple[Node, ...], tuple[Bundle, ...]]:
    """Say in a node that stands for several ends what flows among them, instead of drawing it."""
    several = {node.id for node in nodes if node.size > 1}
    inside: dict[str, list[str]] = defaultdict(list)
    rest: list[Bundle] = []
    for bundle in bundles:
        alone = bundle.sources == bundle.destinations and len(bundle.sources) == 1
        if alone and bundle.kind == "allowed" and bundle.sources[0] in several:
            inside[bundle.sources[0]].append(bundle.label)
        else:
            rest.append(bundle)
    said = (
        replace(n, note=f"{n.note}, inside {'; '.join(inside[n.id])}") if n.id in inside else n
        for n in nodes
    )
    return tuple(said), tuple(rest)


def in_groups(
    groups: Sequence[Group], nodes: Sequence[Node], bundles: Sequence[Bundle]
) -> tuple[tuple[Group, ...], tuple[Bundle, ...]]:
    """Say of a group what each of its nodes may send to each other, instead of drawing it."""
    members: dict[tuple[str, ...], str] = {}
    for group in groups:
        inside = tuple(n.id for n in nodes if n.group == group.id)
        if len(inside) > 1:
            members[inside] = group.id
    notes: dict[str, list[str]] = defaultdict(list)
    rest: list[Bundle] = []
    for bundle in bundles:
        home = members.get(bundle.sources) if bundle.mutual else None
        if home is None or bundle.kind != "allowed":
            rest.append(bundle)
        else:
            notes[home].append(f"each to each other: {bundle.title}")
    return tuple(replace(g, notes=tuple(notes.get(g.id, ()))) for g in groups), tuple(rest)


def _short(traffic: TrafficSet) -> str:
    text = str(traffic)
    if len(text) <= _LABEL:
        return text
    words = text.replace(",", ", ").replace(",  ", ", ").split(", ")
    kept: list[str] = []
    while words and len(", ".join([*kept, words[0]])) < _LABEL - 5:
        kept.append(words.pop(0))
    return f"{', '.join(kept)} and {len(words)} more" if kept else f"{text[: _LABEL - 1]}\u2026"
