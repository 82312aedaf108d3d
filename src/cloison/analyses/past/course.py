"""When an edge was seen: hours, and the connections of each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

HOUR = 3_600_000_000
"""Microseconds of an hour."""


@dataclass(frozen=True, slots=True)
class Course:
    """Connections hour by hour.

    Args:
        hours: Hours since 1970 in which there were any, ascending.
        counts: How many there were in each of these.
        undated: Those of which nobody says when.
    """

    hours: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()
    undated: int = 0

    @classmethod
    def of(cls, rows: Iterable[tuple[int | None, int]]) -> "Course":
        """Return hours and counts in order; those without an hour are undated."""
        some = tuple(rows)
        known = [hour for hour, _ in some if hour is not None]
        if len(known) == len(some) and sorted(set(known)) == known:
            return cls(tuple(known), tuple(count for _, count in some))
        found: dict[int, int] = {}
        undated = 0
        for hour, count in some:
            if hour is None:
                undated += count
            else:
                found[hour] = found.get(hour, 0) + count
        hours = tuple(sorted(found))
        return cls(hours, tuple(found[hour] for hour in hours), undated)

    @classmethod
    def together(cls, courses: "Iterable[Course]") -> "Course":
        """Return the sum of several."""
        some = [each for each in courses if each]
        if len(some) == 1:
            return some[0]
        return cls.of(chain.from_iterable(each.rows() for each in some))

    def rows(self) -> Iterator[tuple[int | None, int]]:
        """Yield hours and counts."""
        yield from zip(self.hours, self.counts, strict=True)
        if self.undated:
            yield None, self.undated

    def __bool__(self) -> bool:
        """Return whether there were any."""
        return bool(self.hours or self.undated)

    @property
    def total(self) -> int:
        """How many there were."""
        return sum(self.counts) + self.undated

    def within(self, first: int, last: int) -> "Course":
        """Return the part between two hours, both included; without what is undated."""
        return Course.of(
            (hour, count)
            for hour, count in zip(self.hours, self.counts, strict=True)
            if first <= hour <= last
        )


NEVER = Course()
"""Nothing was seen."""
