"""Sets of integers as canonical lists of closed intervals."""

from collections.abc import Iterable, Iterator
from typing import Self


class IntervalSet:
    """An immutable set of integers, always canonical, so equality is set equality.

    Intervals are closed, disjoint, ascending and never adjacent. Subclasses give the
    integers a meaning (ports, addresses) and keep every operation.

    Cost: every operation is linear in the intervals of its operands.

    >>> IntervalSet([(1, 3), (4, 9)])
    IntervalSet([(1, 9)])
    >>> IntervalSet([(1, 9)]) - IntervalSet([(5, 5)])
    IntervalSet([(1, 4), (6, 9)])
    """

    __slots__ = ("_hash", "spans")

    spans: tuple[tuple[int, int], ...]

    def __init__(self, intervals: Iterable[tuple[int, int]] = ()) -> None:
        self.spans = _canonical(intervals)
        self._hash = hash(self.spans)

    @classmethod
    def _of(cls, spans: tuple[tuple[int, int], ...]) -> Self:
        """Wrap spans already known to be canonical."""
        new = cls.__new__(cls)
        new.spans = spans
        new._hash = hash(spans)
        return new

    def __or__(self, other: Self) -> Self:
        """Return the union."""
        if not self.spans or self.spans == other.spans:
            return other
        if not other.spans:
            return self
        return self._of(_canonical(self.spans + other.spans))

    def __and__(self, other: Self) -> Self:
        """Return the intersection."""
        if self.spans == other.spans or not self.spans:
            return self
        if not other.spans:
            return other
        return self._of(_intersect(self.spans, other.spans))

    def __sub__(self, other: Self) -> Self:
        """Return the members of this set that are not in `other`."""
        if not other.spans:
            return self
        return self._of(_subtract(self.spans, other.spans))

    def __le__(self, other: Self) -> bool:
        """Return whether every member is in `other`."""
        return not _subtract(self.spans, other.spans)

    def __ge__(self, other: Self) -> bool:
        """Return whether every member of `other` is in this set."""
        return not _subtract(other.spans, self.spans)

    def isdisjoint(self, other: Self) -> bool:
        """Return whether the two sets share no member."""
        return not _intersect(self.spans, other.spans)

    def __contains__(self, item: int) -> bool:
        """Return whether `item` is a member."""
        return any(low <= item <= high for low, high in self.spans)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Iterate over the intervals, ascending."""
        return iter(self.spans)

    def __bool__(self) -> bool:
        """Return whether the set has a member."""
        return bool(self.spans)

    def __len__(self) -> int:
        """Return the number of intervals, not of members."""
        return len(self.spans)

    def size(self) -> int:
        """Return the number of members."""
        return sum(high - low + 1 for low, high in self.spans)

    def __eq__(self, other: object) -> bool:
        """Return whether both sets have the same members."""
        return isinstance(other, IntervalSet) and self.spans == other.spans

    def __hash__(self) -> int:
        """Hash by members."""
        return self._hash

    def __repr__(self) -> str:
        """Render as a constructor call."""
        return f"{type(self).__name__}({list(self.spans)!r})"


def _canonical(intervals: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(intervals):
        if low > high:
            continue
        if merged and low <= merged[-1][1] + 1:
            if high > merged[-1][1]:
                merged[-1] = (merged[-1][0], high)
        else:
            merged.append((low, high))
    return tuple(merged)


def _intersect(
    a: tuple[tuple[int, int], ...], b: tuple[tuple[int, int], ...]
) -> tuple[tuple[int, int], ...]:
    out: list[tuple[int, int]] = []
    i = j = 0
    while i < len(a) and j < len(b):
        low = max(a[i][0], b[j][0])
        high = min(a[i][1], b[j][1])
        if low <= high:
            out.append((low, high))
        if a[i][1] < b[j][1]:
            i += 1
        else:
            j += 1
    return tuple(out)


def _subtract(
    a: tuple[tuple[int, int], ...], b: tuple[tuple[int, int], ...]
) -> tuple[tuple[int, int], ...]:
    if not b:
        return a
    out: list[tuple[int, int]] = []
    j = 0
    for low, high in a:
        start = low
        while j < len(b) and b[j][1] < start:
            j += 1
        k = j
        while k < len(b) and b[k][0] <= high:
            if b[k][0] > start:
                out.append((start, b[k][0] - 1))
            start = max(start, b[k][1] + 1)
            k += 1
        if start <= high:
            out.append((start, high))
    return tuple(out)
