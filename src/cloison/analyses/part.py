"""The part of a map that somebody asks for: a namespace, a port, ends by name."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cloison.algebra import AddressSet, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.chosen import Chosen, Inventory, port_limit
from cloison.analyses.connectivity import Map, MapOptions, Passage, Row


def asked_part(there: Inventory, options: MapOptions, whole: Map) -> Map:
    """Return the part of a map that is asked for.

    Args:
        there: The ends of the map, and how to find them.
        options: What is asked for.
        whole: The map.

    Raises:
        QuestionError: A filter names nothing, or a port that is none.
    """
    limit = port_limit(options)
    focus = Chosen(there, options.focus)
    sources = Chosen(there, options.sources)
    targets = Chosen(there, options.destinations)
    home = (
        BitMap(i for i, e in enumerate(whole.ends) if e.namespace == options.namespace)
        if options.namespace is not None
        else None
    )
    if limit is None and home is None and not (focus or sources or targets):
        return whole
    every = BitMap(range(len(whole.ends)))

    def keep(source: int | None, destination: BitMap) -> BitMap:
        """Return those destinations whose edge from `source` is asked for."""
        kept = destination & targets.inside(every)
        if source is not None and source not in sources.inside(every):
            return BitMap()
        for near in [c for c in (home, focus.near) if c is not None]:
            if source is None or source not in near:
                kept = kept & near
        return kept

    rows = {
        s: {p: kept for p, d in _limited(row, limit) if (kept := keep(s, d))}
        for s, row in whole.rows.items()
    }
    itself = {
        e: q
        for e, p in whole.itself.items()
        if keep(e, BitMap([e])) and (q := p.within(limit) if limit else p)
    }

    def outside(
        edges: Mapping[int, dict[Passage, AddressSet]], here: Chosen, far: Chosen
    ) -> dict[int, dict[Passage, AddressSet]]:
        """Return the outside edges of one direction that are asked for, by their ends inside."""
        asked = here.inside(every) if home is None else here.inside(every) & home
        found = {
            e: _outer(held, limit, [far, focus], near=focus.near is None or e in focus.near)
            for e, held in edges.items()
            if e in asked
        }
        return {e: each for e, each in found.items() if each}

    out = outside(whole.outward, sources, targets)
    into = outside(whole.inward, targets, sources)
    return replace(
        whole,
        rows={s: r for s, r in rows.items() if r},
        outward=out,
        inward=into,
        itself=itself,
        partial=True,
    )


def _outer(
    held: dict[Passage, AddressSet],
    limit: TrafficSet | None,
    filters: list[Chosen],
    *,
    near: bool,
) -> dict[Passage, AddressSet]:
    """Return the outside edges of one end that are asked for."""
    far, focus = filters
    found: dict[Passage, AddressSet] = {}
    for passage, addresses in held.items():
        cut = passage.within(limit) if limit else passage
        kept = far.outside(addresses)
        if not near:
            kept = focus.outside(kept)
        if cut and kept:
            found[cut] = found[cut] | kept if cut in found else kept
    return found


def _limited(row: Row, limit: TrafficSet | None) -> Iterable[tuple[Passage, BitMap]]:
    if limit is None:
        return row.items()
    found: Row = {}
    for passage, members in row.items():
        cut = passage.within(limit)
        if cut:
            found[cut] = found.get(cut, BitMap()) | members
    return found.items()
