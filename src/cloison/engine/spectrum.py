"""Traffic in pieces that no rule of a decision splits, so that sets of it are plain integers."""

from bisect import bisect_left
from collections.abc import Iterable

from cloison.algebra import ANY, NO_TRAFFIC, TrafficSet
from cloison.ir.ruleset import BoundRule

_LOW, _HIGH = ANY.spans[0][0], ANY.spans[-1][1] + 1
Mask = int
"""A set of pieces, one bit for each."""


class Spectrum:
    """All traffic, cut at the boundaries of some sets.

    Args:
        sets: What masks will be asked for.
    """

    def __init__(self, sets: Iterable[TrafficSet]) -> None:
        cuts = {_LOW, _HIGH}
        for traffic in sets:
            for low, high in traffic.spans:
                cuts.update((low, high + 1))
        self._cuts = sorted(cuts)
        self.whole: Mask = (1 << len(self._cuts) - 1) - 1
        self._masks: dict[TrafficSet, Mask] = {ANY: self.whole, NO_TRAFFIC: 0}
        self._sets: dict[Mask, TrafficSet] = {self.whole: ANY, 0: NO_TRAFFIC}
        self._reach: dict[tuple[TrafficSet, TrafficSet, bool], tuple[Mask, Mask]] = {}

    def mask(self, traffic: TrafficSet) -> Mask:
        """Return the pieces of one of the sets the spectrum was made of."""
        found = self._masks.get(traffic)
        if found is None:
            found = 0
            for low, high in traffic.spans:
                first, end = bisect_left(self._cuts, low), bisect_left(self._cuts, high + 1)
                found |= (1 << end) - (1 << first)
            self._masks[traffic] = found
        return found

    def traffic(self, mask: Mask) -> TrafficSet:
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

    def reach(self, rule: BoundRule, *, sure: bool) -> tuple[Mask, Mask]:
        """Return the traffic a rule certainly and possibly matches from a peer it matches."""
        sure = sure and rule.rule.condition is None and rule.rule.sources is None
        key = (rule.traffic, rule.may_traffic, sure)
        found = self._reach.get(key)
        if found is None:
            must, may = self.mask(rule.traffic), self.mask(rule.may_traffic)
            if not sure:
                must, may = 0, must | may
            found = self._reach[key] = (must, may)
        return found
