"""What is permitted beyond what is meant and what was seen, as a map."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from cloison.algebra import L4, NO_ADDRESSES, AddressSet, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.connectivity import EndRef, Map, Passage, Row

Said = Mapping[tuple[EndRef, EndRef], TrafficSet]
_Around = dict[Passage, AddressSet]


def beyond(permitted: Map, said: Said, held: AddressSet = NO_ADDRESSES) -> Map:
    """Return a map without what is meant or was seen.

    Args:
        permitted: The map of everything permitted.
        said: What is meant or was seen, by pair of ends.
        held: Addresses of pods and nodes that are known: nothing is outside that is only there.
    """
    places = {end: place for place, end in enumerate(permitted.ends)}
    inside: dict[int, dict[int, TrafficSet]] = defaultdict(dict)
    out: dict[int, list[tuple[AddressSet, TrafficSet]]] = defaultdict(list)
    into: dict[int, list[tuple[AddressSet, TrafficSet]]] = defaultdict(list)
    for (one, other), traffic in said.items():
        here, there = places.get(one), places.get(other)
        if here is not None and there is not None:
            inside[here][there] = traffic
        elif here is not None and other.addresses is not None:
            out[here].append((other.addresses, traffic))
        elif there is not None and one.addresses is not None:
            into[there].append((one.addresses, traffic))
    rows = {at: _row(row, inside.get(at, {})) for at, row in permitted.rows.items()}
    outward = {at: _around(found, out.get(at, ()), held) for at, found in permitted.outward.items()}
    inward = {at: _around(found, into.get(at, ()), held) for at, found in permitted.inward.items()}
    itself = {
        at: passage.within(L4 - inside.get(at, {}).get(at, TrafficSet()))
        for at, passage in permitted.itself.items()
    }
    return replace(
        permitted,
        rows={at: row for at, row in rows.items() if row},
        outward={at: found for at, found in outward.items() if found},
        inward={at: found for at, found in inward.items() if found},
        itself={at: passage for at, passage in itself.items() if passage.allowed},
    )


def _row(row: Row, known: Mapping[int, TrafficSet]) -> Row:
    """Return of one source's row what is not known of it."""
    found: Row = {}
    said = BitMap(known)
    for passage, members in row.items():
        whole = passage.within(L4)
        rest = members - said
        if whole.allowed and rest:
            found[whole] = found.get(whole, BitMap()) | rest
        for place in members & said:
            left = passage.within(L4 - known[place])
            if left.allowed:
                found[left] = found.get(left, BitMap()) | BitMap([place])
    return found


def _around(
    found: _Around, known: "list[tuple[AddressSet, TrafficSet]] | tuple[()]", held: AddressSet
) -> _Around:
    """Return of what passes between one end and the outside what is not known of it."""
    parts = [(passage.within(L4), addresses) for passage, addresses in found.items()]
    for block, traffic in known:
        cut: list[tuple[Passage, AddressSet]] = []
        for passage, addresses in parts:
            cut.append((passage, addresses - block))
            cut.append((passage.within(L4 - traffic), addresses & block))
        parts = [(passage, addresses) for passage, addresses in cut if addresses]
    merged: _Around = {}
    for passage, addresses in parts:
        if passage.allowed and not addresses <= held:
            merged[passage] = merged.get(passage, AddressSet()) | addresses
    return merged
