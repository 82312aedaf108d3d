"""Which times of the day, the week and the month somebody watched."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_DAY = 24
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Slots:
    """What of the calendar was watched; UTC.

    Args:
        days: How many days, counted from the first hour on, of which enough was watched.
        week: How often each day of a week was, counted from the first on.
        clock: How often each hour of the day was.
        ends: The last days of months that were, as `2026-01-31`.
    """

    days: int = 0
    week: tuple[int, ...] = (0,) * _WEEK
    clock: tuple[int, ...] = (0,) * _DAY
    ends: tuple[str, ...] = ()

    @property
    def cycles(self) -> int:
        """How many times each day of a week was watched, at least."""
        return min(self.week)

    def held(self, cycles: int, ends: int) -> tuple[int, int]:
        """Return how many slots were watched, and how many should be.

        Args:
            cycles: How often each day of the week and each hour of the day should be.
            ends: How many ends of months should be.
        """
        each = (*self.week, *self.clock)
        seen = sum(min(number, cycles) for number in each) + min(len(self.ends), ends)
        return seen, cycles * len(each) + ends


def slots(hours: Collection[int], share: float = 0.75) -> Slots:
    """Return what of the calendar some hours are.

    Args:
        hours: Hours since 1970 in which somebody watched.
        share: How much of a day makes it a watched one.
    """
    if not hours:
        return Slots()
    first, enough = min(hours), _DAY * share
    since = Counter((hour - first) // _DAY for hour in hours)
    days = [day for day, number in since.items() if number >= enough]
    week = Counter(day % _WEEK for day in days)
    clock = Counter(hour % _DAY for hour in hours)
    dates = Counter(hour // _DAY for hour in hours)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    ends = tuple(
        f"{epoch + timedelta(days=day):%Y-%m-%d}"
        for day, number in sorted(dates.items())
        if number >= enough and (epoch + timedelta(days=day + 1)).day == 1
    )
    return Slots(
        len(days),
        tuple(week[day] for day in range(_WEEK)),
        tuple(clock[hour] for hour in range(_DAY)),
        ends,
    )
