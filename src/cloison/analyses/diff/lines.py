"""Compressing a diff to lines that a person can read."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING

from cloison.algebra import TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.compress import fans, products
from cloison.analyses.connectivity import EndRef, Passage, pairs_of
from cloison.analyses.diff.shifts import NO_REASONS, Kind, Reasons, Shift, reasons_of, together

if TYPE_CHECKING:
    from cloison.analyses.diff.answer import Diff

_ORDER = (Kind.OPENED, Kind.CHANGED, Kind.CLOSED)
"""Lines are told in this order: what was opened matters most to security."""
_EXPLAINED = 5_000
"""Edges between workloads whose reasons are looked up to make lines of them."""
_FEW = 4
"""Edges of a line that are looked at once so many have been."""
_APART = 8
"""Different reasons of one line for which it is told apart; beyond, they are told together."""


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """The same change of every source to every destination, never to itself.

    As in a map, what a workload's own replicas may send each other has a line of its own, in
    which it stands alone on both sides. Expanding all lines gives exactly the changes.

    Args:
        sources: Who connects.
        destinations: Who listens.
        shift: What passes before and after.
        reasons: The policies responsible, for every pair of the line.
        joint: Its pairs have too many different reasons to say each: these are of one pair or
            another, in a very large diff of some.
    """

    sources: tuple[EndRef, ...]
    destinations: tuple[EndRef, ...]
    shift: Shift
    reasons: Reasons = NO_REASONS
    joint: bool = False

    @property
    def kind(self) -> Kind:
        """What became of the edges."""
        return self.shift.kind

    @property
    def pairs(self) -> int:
        """How many edges it stands for."""
        return pairs_of(self.sources, self.destinations)


def lines(diff: "Diff") -> tuple[ChangeLine, ...]:
    """Return the changes, compressed: opened, changed, closed."""
    found = sorted(
        _Lines(diff).all(),
        key=lambda line: (
            _ORDER.index(line.kind),
            [s.sort_key for s in line.sources],
            [d.sort_key for d in line.destinations],
            *(str(t) for p in (line.shift.before, line.shift.after) for t in _traffic(p)),
        ),
    )
    return tuple(found)


class _Lines:
    """Makes lines of a diff; lives for one call."""

    def __init__(self, diff: "Diff") -> None:
        self.diff = diff

    def all(self) -> Iterator[ChangeLine]:
        yield from self._inner_lines()
        for table, outward in ((self.diff.outward, True), (self.diff.inward, False)):
            for shift, places, addresses in fans(table):
                outside = EndRef("ip", addresses=addresses)
                yield from self._fan(shift, places, outside, outward=outward)
        alone: dict[Shift, list[EndRef]] = defaultdict(list)
        for place, shift in self.diff.itself.items():
            alone[shift].append(self.diff.ends[place])
        for shift, ends in alone.items():
            whys = [self._why(end, end, shift) for end in ends]
            joint = len({*whys}) > _APART
            whys = [together(whys)] * len(ends) if joint else whys
            for end, why in zip(ends, whys, strict=True):
                yield ChangeLine((end,), (end,), shift, why, joint=joint)

    def _inner_lines(self) -> Iterator[ChangeLine]:
        """Iterate over lines of edges within the cluster."""
        apart: dict[int, dict[tuple[Shift, Reasons], BitMap]] = defaultdict(dict)
        left = _EXPLAINED
        for shift, sources, members in products(self.diff.rows):
            pairs = _chosen(sources, members, left)
            left = max(0, left - len(pairs))
            found = {
                (s, d): self._why(self.diff.ends[s], self.diff.ends[d], shift) for s, d in pairs
            }
            different = len({*found.values()})
            whole = len(sources) * len(members) - len(members & BitMap(sources))
            if different <= _APART and len(found) == whole:
                for (src, dst), why in found.items():
                    apart[src].setdefault((shift, why), BitMap()).add(dst)
            else:
                ends = self._named(sources), self._named(members)
                yield ChangeLine(*ends, shift, together(found.values()), joint=different > 1)
        for (shift, why), sources, members in products(apart):
            yield ChangeLine(self._named(sources), self._named(members), shift, why)

    def _fan(
        self, shift: Shift, places: list[int], outside: EndRef, *, outward: bool
    ) -> Iterator[ChangeLine]:
        groups: dict[Reasons, list[int]] = defaultdict(list)
        for place in places:
            end = self.diff.ends[place]
            pair = (end, outside) if outward else (outside, end)
            groups[self._why(*pair, shift)].append(place)
        joint = len(groups) > _APART
        if joint:
            groups = {together(groups): places}
        for why, members in groups.items():
            inside = self._named(members)
            src, dst = (inside, (outside,)) if outward else ((outside,), inside)
            yield ChangeLine(src, dst, shift, why, joint=joint)

    def _named(self, places: Iterable[int]) -> tuple[EndRef, ...]:
        return tuple(self.diff.ends[place] for place in places)

    def _why(self, src: EndRef, dst: EndRef, shift: Shift) -> Reasons:
        return reasons_of(self.diff.explain, src, dst, shift)


def _chosen(sources: Sequence[int], members: BitMap, limit: int) -> list[tuple[int, int]]:
    """Return the pairs of a product whose reasons to look up: all of them, if they are few.

    Else each source with one destination and each destination with one source, since most
    policies are asked because of one end; of those, too, no more than the limit.
    """
    if len(sources) * len(members) <= limit:
        return [(s, d) for s in sources for d in members if s != d]
    first = sources[0]
    leaving = ((s, next(d for d in members if d != s)) for s in sources)
    entering = ((first, d) for d in members if d != first)
    both = chain.from_iterable(zip_longest(leaving, entering))
    return list(islice((pair for pair in both if pair is not None), max(limit, _FEW)))


def _traffic(passage: Passage) -> tuple[TrafficSet, TrafficSet]:
    return passage.allowed, passage.undetermined
