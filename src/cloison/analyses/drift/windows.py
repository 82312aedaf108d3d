"""Hour windows: how often something has to be seen to be more than a one-off, and to be over.

What enters and what leaves are thresholds apart, so that a finding does not come and go. Only
hours that somebody watched are windows; where nobody watched, nothing begins and nothing ends.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import Final

DAY: Final = 24
WEEK: Final = 7 * DAY


@dataclass(frozen=True, slots=True)
class Pace:
    """How often something has to be seen, in covered hours.

    Args:
        span: Hours that are looked at together.
        enter: Of these, how many it has to be seen in to be confirmed.
        leave: Hours without it after which it is over.
        hold: Hours after which it may be over at the earliest, once confirmed.
        days: Of a week of covered hours, on how many days it may be seen instead to be confirmed;
            0 where that does not count. What is seen so seldom is over after a week without it.
    """

    span: int
    enter: int
    leave: int
    hold: int
    days: int = 0


FAST: Final = Pace(6, 3, DAY, DAY)
"""For what has to be known at once, such as denials."""
AGAIN: Final = Pace(6, 3, DAY, DAY, days=3)
"""For what has to be known at once, and no less where it comes back day after day."""
SLOW: Final = Pace(WEEK, 3, WEEK, DAY)
"""For what may be seldom and still be there to stay, such as new edges."""
STANDING: Final = Pace(1, 1, 1, 0)
"""For what is so, or is not so, whoever looks."""


@dataclass(frozen=True, slots=True)
class Passage:
    """How something has come and gone.

    Args:
        first: The hour it was seen in first; None for never.
        last: The hour it was seen in last.
        confirmed: The hour it was confirmed in, the last time.
        resolved: The hour from which on it was over, if it is.
        muted: Hours in which it was seen and that were not judged.
        news: Hours in which it was confirmed, all of them.
    """

    first: int | None = None
    last: int | None = None
    confirmed: int | None = None
    resolved: int | None = None
    muted: int = 0
    news: tuple[int, ...] = ()

    @property
    def stands(self) -> bool:
        """Whether it is confirmed and not over."""
        return self.confirmed is not None and self.resolved is None


@dataclass(frozen=True)
class Windows:
    """The hours that count.

    Args:
        covered: Hours since 1970 that were watched well enough, ascending.
    """

    covered: tuple[int, ...]

    @cached_property
    def end(self) -> int:
        """The last of them."""
        return self.covered[-1] if self.covered else 0

    def between(self, first: int, last: int) -> int:
        """Return how many of them lie between two hours, both included."""
        return bisect_right(self.covered, last) - bisect_left(self.covered, first)

    def back(self, hour: int, many: int) -> int:
        """Return the first of the last so many up to an hour; the hour where there are none."""
        at = bisect_right(self.covered, hour)
        return self.covered[max(0, at - many)] if at else hour

    def without(self, muted: Iterable[int]) -> "Windows":
        """Return them without some hours."""
        gone = frozenset(muted)
        if not gone:
            return self
        return Windows(tuple(hour for hour in self.covered if hour not in gone))

    def follow(self, hours: Sequence[int], pace: Pace, held: int | None = None) -> Passage:
        """Return how something has come and gone that was seen in some hours.

        Args:
            hours: The hours it was seen in, ascending.
            pace: How often it has to be seen.
            held: When it was confirmed before the first of the hours, as far as is remembered.
        """
        known = [hour for hour in hours if self.between(hour, hour)]
        muted = len(hours) - len(known)
        confirmed, resolved, last = held, None, held
        leave = pace.leave
        news: list[int] = []
        for place, hour in enumerate(known):
            if confirmed is not None and resolved is None and last is not None:
                resolved = self._over(last, confirmed, hour - 1, leave, pace.hold)
            last = hour
            often = place + 1 - bisect_left(known, self.back(hour, pace.span)) >= pace.enter
            daily = not often and self._daily(known, place, pace.days)
            leave = WEEK if daily else pace.leave
            if (often or daily) and (confirmed is None or resolved is not None):
                confirmed, resolved = hour, None
                news.append(hour)
        if confirmed is not None and resolved is None and last is not None:
            resolved = self._over(last, confirmed, self.end, leave, pace.hold)
        first = hours[0] if hours else None
        latest = hours[-1] if hours else held
        return Passage(first, latest, confirmed, resolved, muted, tuple(news))

    def _daily(self, known: Sequence[int], place: int, days: int) -> bool:
        """Return whether the hours up to a place are of so many days of a week; never of none."""
        if not days:
            return False
        first = bisect_left(known, self.back(known[place], WEEK))
        return len({hour // DAY for hour in known[first : place + 1]}) >= days

    def _over(self, last: int, confirmed: int, until: int, leave: int, hold: int) -> int | None:
        """Return the covered hour by which something is over; None where it is not by then."""
        after = bisect_right(self.covered, last)
        quiet = after + leave - 1
        held = bisect_right(self.covered, confirmed) + hold - 1
        at = max(quiet, held)
        if at < len(self.covered) and self.covered[at] <= until:
            return self.covered[at]
        return None


_ERRORS: Final = 3
"""Standard errors within which a share may differ by chance."""


def poorly(told: int, lost: int, least: float) -> bool:
    """Return whether less than a share of events was told, beyond what chance explains.

    Args:
        told: Events that were told.
        lost: Events that were lost.
        least: The share that has to be told.

    >>> poorly(900, 100, 0.9), poorly(890, 110, 0.9), poorly(500, 500, 0.9)
    (False, False, True)
    """
    every = told + lost
    if not lost or not every:
        return False
    share = told / every
    return share + _ERRORS * sqrt(share * (1 - share) / every) < least
