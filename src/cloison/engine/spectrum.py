"""Traffic in pieces that no rule of a decision splits, so that sets of it are plain integers."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Protocol, Self, TypeVar

from cloison.algebra import ANY, NO_TRAFFIC, TrafficSet
from cloison.ir.ruleset import BoundRule

_LOW, _HIGH = ANY.spans[0][0], ANY.spans[-1][1] + 1


class _Sets(Protocol):
    def __and__(self, other: Self, /) -> Self: ...

    def __or__(self, other: Self, /) -> Self: ...

    def __invert__(self) -> Self: ...

    def __bool__(self) -> bool: ...


Mask = TypeVar("Mask", bound=_Sets)
"""A set of what is evaluated."""


class Parts(Protocol[Mask]):
    """What is evaluated, and what rules say of it."""

    @property
    def whole(self) -> Mask:
        """All of it."""

    @property
    def nothing(self) -> Mask:
        """The empty set."""

    def mask(self, traffic: TrafficSet) -> Mask:
        """Return the part of some traffic."""

    def traffic(self, mask: Mask) -> TrafficSet:
        """Return the traffic of a part."""

    def reach(self, rule: BoundRule, *, sure: bool) -> tuple[Mask, Mask]:
        """Return what a rule certainly and possibly matches from a peer it matches."""


class Spectrum:
    """All traffic, cut at the boundaries of some sets, with one bit for each piece.

    Args:
        sets: What masks will be asked for.
    """

    def __init__(self, sets: Iterable[TrafficSet]) -> None:
        cuts = {_LOW, _HIGH}
        for traffic in sets:
            for low, high in traffic.spans:
                cuts.update((low, high + 1))
        self._cuts = sorted(cuts)
        self.nothing = 0
        self.whole: int = (1 << len(self._cuts) - 1) - 1
        self._masks: dict[TrafficSet, int] = {ANY: self.whole, NO_TRAFFIC: 0}
        self._sets: dict[int, TrafficSet] = {self.whole: ANY, 0: NO_TRAFFIC}
        self._reach: dict[tuple[TrafficSet, TrafficSet, bool], tuple[int, int]] = {}

    def mask(self, traffic: TrafficSet) -> int:
        """Return the pieces of one of the sets the spectrum was made of."""
        found = self._masks.get(traffic)
        if found is None:
            found = 0
            for low, high in traffic.spans:
                first, end = bisect_left(self._cuts, low), bisect_left(self._cuts, high + 1)
                found |= (1 << end) - (1 << first)
            self._masks[traffic] = found
        return found

    def traffic(self, mask: int) -> TrafficSet:
        """Return the traffic of some pieces."""
        found = self._sets.get(mask)
        if found is None:
            spans, place, left = [], 0, mask
            while left:
                skip = (left & -left).bit_length() - 1
                left >>= skip
                run = (~left & left + 1).bit_length() - 1
                first = place + skip
                spans.append((self._cuts[first], self._cuts[first + run] - 1))
                left >>= run
                place = first + run
            # The axis has points that are no traffic, port 0 among them.
            found = self._sets[mask] = TrafficSet(spans) & ANY
        return found

    def every(self, rule: BoundRule) -> int:
        """Return the pieces of all that a rule certainly or possibly matches."""
        return self.mask(rule.traffic) | self.mask(rule.may_traffic)

    def cut(self, mask: int, by_sets: Iterable[TrafficSet]) -> list[int]:
        """Return the parts of a mask that none of some sets splits."""
        found = [mask] if mask else []
        for by in {self.mask(traffic) for traffic in by_sets}:
            halves = ((part & by, part & ~by) for part in found)
            found = [half for both in halves for half in both if half]
        return sorted(found)

    def reach(self, rule: BoundRule, *, sure: bool) -> tuple[int, int]:
        """Return the traffic a rule certainly and possibly matches from a peer it matches."""
        sure = sure and not rule.rule.asks
        key = (rule.traffic, rule.may_traffic, sure)
        found = self._reach.get(key)
        if found is None:
            must, may = self.mask(rule.traffic), self.mask(rule.may_traffic)
            if not sure:
                must, may = 0, must | may
            found = self._reach[key] = (must, may)
        return found
