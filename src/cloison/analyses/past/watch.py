"""When anybody watched, and what of it was lost."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cloison.analyses.past.course import HOUR
from cloison.analyses.reconcile.seen import Loss


@dataclass(frozen=True)
class Watch:
    """The hours in which sources of flows told anything, and what they say they lost.

    An hour in which nobody told anything is one in which nobody watched: nothing is known of it.

    Args:
        sources: Of each source, the hours since 1970 that it told something of, ascending.
        lost: What they say they lost.
        recorded: How many events each node told of meanwhile; empty where nobody counted.
        counted: The hours of which these are; None where they are of all.
        dropped: How many events each node lost in these hours, where they are not all; None is a
            node that nobody names.
    """

    sources: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    lost: tuple[Loss, ...] = ()
    recorded: Mapping[str, int] = field(default_factory=dict)
    counted: frozenset[int] | None = None
    dropped: Mapping[str | None, int] = field(default_factory=dict)

    @cached_property
    def hours(self) -> tuple[int, ...]:
        """The hours that any source told something of, ascending."""
        return tuple(sorted({hour for hours in self.sources.values() for hour in hours}))

    def __bool__(self) -> bool:
        """Return whether anybody watched."""
        return bool(self.hours)

    def watched(self, first: int, last: int) -> int:
        """Return how many hours between two were watched, both included."""
        return max(0, bisect_right(self.hours, last) - bisect_left(self.hours, first))

    @property
    def gaps(self) -> tuple[tuple[int, int], ...]:
        """Stretches between the first hour and the last in which nobody watched: first and last."""
        pairs = zip(self.hours, self.hours[1:], strict=False)
        return tuple((one + 1, other - 1) for one, other in pairs if other > one + 1)

    def losses(self, hour: int, node: str | None = None) -> tuple[Loss, ...]:
        """Return what was lost in an hour, on a node or on one that nobody names.

        Args:
            hour: The hour since 1970.
            node: The node; None for any.
        """
        start, end = hour * HOUR, (hour + 1) * HOUR
        return tuple(
            each
            for each in self.lost
            if (each.since is None or each.since < end)
            and (each.until is None or each.until >= start)
            and (node is None or each.node is None or each.node == node)
        )


UNWATCHED = Watch()
"""Nobody watched."""
