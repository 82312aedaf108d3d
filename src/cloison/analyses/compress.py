"""Rows put together to products: what many sources and many destinations have in common.

Shared by everything that is kept in rows: what passes, and what has changed about it.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping
from typing import TypeVar

from cloison.algebra import AddressSet
from cloison.algebra.bitmaps import BitMap, FrozenBitMap

K = TypeVar("K", bound=Hashable)


def products(rows: Mapping[int, Mapping[K, BitMap]]) -> Iterator[tuple[K, list[int], BitMap]]:
    """Iterate over (what, sources, destinations); every pair of the rows is in exactly one.

    A product never speaks of a place and itself, so destinations may hold a source where there
    are several sources.

    Args:
        rows: For each source the destinations, by what there is to say of them.
    """
    by_key: dict[K, dict[int, BitMap]] = defaultdict(dict)
    for source, row in rows.items():
        for key, members in row.items():
            by_key[key][source] = members
    numbers = _Numbers()
    for key, held in by_key.items():
        # A row may be read with its own source added: that is how the members of an open
        # group come to look alike. Compared as sets: equal ones may be laid out differently.
        whole = {s: numbers.of(m | BitMap([s])) for s, m in held.items()}
        alike = Counter(whole.values())
        groups: dict[int, list[int]] = defaultdict(list)
        for source, members in held.items():
            own = whole[source]
            groups[own if alike[own] > 1 else numbers.of(members)].append(source)
        for number, sources in groups.items():
            destinations = BitMap(numbers.sets[number])
            if len(sources) == 1:
                destinations.discard(sources[0])
            yield key, sorted(sources), destinations


class _Numbers:
    """Gives equal sets the same number; a set is hashed as one only where its bytes are new."""

    def __init__(self) -> None:
        self.sets: list[FrozenBitMap] = []
        self._by_bytes: dict[bytes, int] = {}
        self._by_set: dict[FrozenBitMap, int] = {}

    def of(self, members: BitMap) -> int:
        # Equal sets may be laid out differently.
        key = members.serialize()
        found = self._by_bytes.get(key)
        if found is None:
            frozen = FrozenBitMap(members)
            found = self._by_set.setdefault(frozen, len(self.sets))
            if found == len(self.sets):
                self.sets.append(frozen)
            self._by_bytes[key] = found
        return found


def fans(
    table: Mapping[int, Mapping[K, AddressSet]],
) -> Iterator[tuple[K, list[int], AddressSet]]:
    """Iterate over (what, places, addresses); every place and range is in exactly one.

    Args:
        table: For each place the addresses outside, by what there is to say of them.
    """
    groups: dict[tuple[K, AddressSet], list[int]] = defaultdict(list)
    for place, found in table.items():
        for key, addresses in found.items():
            groups[key, addresses].append(place)
    for (key, addresses), places in groups.items():
        yield key, sorted(places), addresses
