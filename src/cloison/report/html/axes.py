"""Who stands along the edges of the matrix, and which address blocks stand together there."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from cloison.algebra import EVERY_ADDRESS, FAMILY, AddressSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.connectivity import EndRef, Map
from cloison.analyses.diff import Diff
from cloison.report.html.content import Content


@dataclass(frozen=True)
class Blocks:
    """Address space cut up by the sets that occur.

    Args:
        groups: Disjoint; every set that was cut by is a union of some of them.
    """

    groups: tuple[AddressSet, ...]

    @classmethod
    def of(cls, sets: Iterable[AddressSet]) -> "Blocks":
        """Cut address space by `sets`: what the same of them hold stays together.

        Cost: the intervals of all sets, sorted.

        >>> halves = AddressSet.block("192.0.2.0/25"), AddressSet.block("192.0.2.128/25")
        >>> whole = halves[0] | halves[1]
        >>> [str(group) for group in Blocks.of([whole, halves[1]]).groups]
        ['192.0.2.0/25', '192.0.2.128/25']
        """
        turns: dict[int, int] = defaultdict(int)
        for number, members in enumerate(sorted(set(sets), key=lambda s: s.spans)):
            for low, high in members.spans:
                turns[low] ^= 1 << number
                turns[high + 1] ^= 1 << number
        found: dict[int, list[tuple[int, int]]] = defaultdict(list)
        held = 0
        points = sorted(turns)
        for low, after in pairwise(points):
            held ^= turns[low]
            if held:
                found[held].append((low, after - 1))
        groups = [AddressSet(spans) for spans in found.values()]
        # What is scattered is what the others leave over: last.
        return cls(tuple(sorted(groups, key=lambda g: (len(g) > _SCATTERED, g.spans))))

    @cached_property
    def _starts(self) -> tuple[list[int], list[int]]:
        found = sorted((low, n) for n, g in enumerate(self.groups) for low, _ in g.spans)
        return [low for low, _ in found], [number for _, number in found]

    def within(self, addresses: AddressSet) -> list[int]:
        """Return the groups that lie in `addresses`, as places in `groups`, ascending."""
        starts, numbers = self._starts
        found: set[int] = set()
        for low, high in addresses.spans:
            found.update(numbers[bisect_left(starts, low) : bisect_right(starts, high)])
        return sorted(found)


_SCATTERED = 4


@dataclass(frozen=True, slots=True)
class Axes:
    """The ends of a matrix: those of the result that are shown, and blocks outside.

    Names outside are not: what they stand for is among the blocks.

    Args:
        ends: In order; the same for rows and columns.
        place: The new place of each end of the result that is shown.
        inside: How many ends come before the blocks.
        blocks: The blocks.
    """

    ends: tuple[EndRef, ...]
    place: Mapping[int, int]
    inside: int
    blocks: Blocks

    def moved(self, members: BitMap) -> BitMap:
        """Return a set of the result's ends as places on the axes."""
        if self._same and (not members or members.max() < self.inside):
            return members
        return BitMap([self.place[m] for m in members if m in self.place])

    @property
    def _same(self) -> bool:
        return not self.place or max(self.place) == self.inside - 1

    def outside(self, addresses: AddressSet) -> BitMap:
        """Return a set of addresses as places on the axes."""
        return BitMap([self.inside + n for n in self.blocks.within(addresses)])


def axes(content: Content) -> Axes:
    """Return the axes of a report.

    All of a whole map is on them; of a part, and of a difference, what has something in it.
    """
    result = content.result
    found = {
        addresses
        for table in (result.outward, result.inward)
        for row in table.values()
        for addresses in row.values()
    }
    whole = isinstance(result, Map) and not result.partial
    alike = [group.addresses for side in content.sides for group in side.ledger.outside]
    blocks = Blocks.of([*found, *alike])
    if not whole:
        held = {n for addresses in found for n in blocks.within(addresses)}
        blocks = Blocks(tuple(g for n, g in enumerate(blocks.groups) if n in held))
    every = range(len(result.ends)) if whole else sorted(_used(result))
    shown = [end for end in every if result.ends[end].kind != "external-name"]
    place = {end: number for number, end in enumerate(shown)}
    ends = [result.ends[end] for end in place]
    ends += [EndRef("ip", addresses=group) for group in blocks.groups]
    return Axes(tuple(ends), place, len(place), blocks)


def _used(result: Map | Diff) -> set[int]:
    found = {*result.rows, *result.outward, *result.inward, *result.itself}
    columns = BitMap()
    for members in _all_members(result):
        columns |= members
    return found | set(columns)


def _all_members(result: Map | Diff) -> Iterator[BitMap]:
    for row in result.rows.values():
        yield from row.values()


def block_name(addresses: AddressSet) -> str:
    """Return a short name for addresses outside.

    >>> block_name(AddressSet.block("192.0.2.0/24")), block_name(EVERY_ADDRESS)
    ('192.0.2.0/24', 'any address')
    """
    blocks = list(addresses.blocks())
    for whole, name in ((EVERY_ADDRESS, "any address"), (FAMILY[4], "any IPv4 address")):
        left = list((whole - addresses).blocks())
        if addresses <= whole and len(left) < len(blocks) + (len(blocks) == len(whole)):
            few = ", ".join(left) if len(left) <= _NAMED else f"{len(left)} blocks"
            return f"{name} but {few}" if left else name
    few = ", ".join(blocks[:_NAMED])
    return few if len(blocks) <= _NAMED else f"{few} and {len(blocks) - _NAMED} more"


_NAMED = 2
_DOCUMENTATION = tuple(
    AddressSet.address(text).spans[0][0] for text in ("203.0.113.1", "2001:db8::1")
)
"""Addresses that belong to nobody: good examples of any address outside."""


def example(addresses: AddressSet) -> int:
    """Return one of the addresses to ask about: of the whole internet, one that is nobody's."""
    for point in _DOCUMENTATION:
        if point in addresses:
            return point
    return addresses.spans[0][0]
