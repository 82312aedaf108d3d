"""When CronJobs run: the five fields of a schedule, and the hours in which it is due.

As kubernetes/kubernetes reads them (vendor/github.com/robfig/cron/v3 parser.go and spec.go): `?` is
`*`, `5/10` is `5-max/10`, Sunday is 0 and never 7, months and days have names; where neither of
the two fields of days is a `*`, either is enough. Local times that a clock skips are left out, and
those that it shows twice are due twice.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

_HOUR: Final = 3600
_QUARTER: Final = 900
"""Zones differ from each other by quarters of hours."""
_FIELDS: Final = 5
_LONGEST: Final = 1000
"""Characters of a schedule; none that makes sense has as many."""
_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMED: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY: Final = "@every "
_ZONED: Final = re.compile(r"(?:CRON_)?TZ=(\S+)\s+(.*)")
_DURATION: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|us|µs|ns|h|m|s)")
_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0}
"""Seconds of those units that make a difference of a second."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a CronJob is to run, as written.

    Args:
        text: `spec.schedule`.
        zone: `spec.timeZone`; None where it says nothing. Then the zone of the controller manager
            counts, which no manifest shows.
        suspended: `spec.suspend`.
    """

    text: str
    zone: str | None = None
    suspended: bool = False


@dataclass(frozen=True)
class Cron:
    """A schedule that was understood.

    Args:
        minutes: Minutes of the hour.
        hours: Hours of the day.
        days: Days of the month.
        months: Months.
        weekdays: Days of the week; Sunday is 0.
        either: Whether either of a day of the month and one of the week is enough.
        zone: In whose time.
        assumed: Whether nothing says the zone: UTC is taken for it.
        every: Seconds between runs, where the schedule says only that; it says nothing of when.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool = False
    zone: tzinfo = UTC
    assumed: bool = False
    every: int | None = None

    def due(self, hour: int) -> bool:
        """Return whether it is to run within an hour; never where only `every` is known.

        Args:
            hour: Hours since 1970, UTC.
        """
        if self.every is not None:
            return False
        start = hour * _HOUR
        return any(
            self._due(datetime.fromtimestamp(start + quarter, self.zone))
            for quarter in range(0, _HOUR, _QUARTER)
        )

    def _due(self, local: datetime) -> bool:
        """Return whether it is to run within the quarter of an hour that begins then."""
        if local.hour not in self.hours or local.month not in self.months:
            return False
        if local.minute // 15 not in self._quarters:
            return False
        day = local.day in self.days
        weekday = local.isoweekday() % 7 in self.weekdays
        return (day or weekday) if self.either else (day and weekday)

    @cached_property
    def _quarters(self) -> frozenset[int]:
        return frozenset(minute // 15 for minute in self.minutes)


def cron(schedule: Schedule) -> Cron:
    """Return what a schedule says.

    Raises:
        ValueError: It is no schedule, or nobody knows its time zone.
    """
    text, zone = schedule.text.strip(), schedule.zone
    if len(text) > _LONGEST:
        msg = "the schedule is too long"
        raise ValueError(msg)
    within = _ZONED.fullmatch(text)
    if within is not None:
        zone, text = zone or within[1], within[2].strip()
    place = UTC if zone is None else _zone(zone)
    if text.startswith(_EVERY):
        none = frozenset[int]()
        return Cron(none, none, none, none, none, every=_seconds(text.removeprefix(_EVERY)))
    fields = _NAMED.get(text, text).split()
    if len(fields) != _FIELDS:
        msg = f"a schedule has five fields, and this one {len(fields)}"
        raise ValueError(msg)
    minutes, _ = _field(fields[0], 0, 59)
    hours, _ = _field(fields[1], 0, 23)
    days, any_day = _field(fields[2], 1, 31)
    months, _ = _field(fields[3], 1, 12, _MONTHS)
    weekdays, any_weekday = _field(fields[4], 0, 6, _DAYS)
    either = not (any_day or any_weekday)
    return Cron(minutes, hours, days, months, weekdays, either, place, assumed=zone is None)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        msg = "nobody here knows its time zone"
        raise ValueError(msg) from error


def _field(
    text: str, low: int, high: int, names: tuple[str, ...] = ()
) -> tuple[frozenset[int], bool]:
    """Return the numbers that a field stands for, and whether it says `*`."""
    found: set[int] = set()
    every = False
    for part in filter(None, text.split(",")):
        span, slash, steps = part.partition("/")
        first, dash, last = span.partition("-")
        step = _number(steps, ()) if slash else 1
        if first in ("*", "?"):
            start, end = low, high
            every = every or step == 1
        else:
            start = _number(first, names, low)
            end = _number(last, names, low) if dash else high if slash else start
        if not (low <= start <= end <= high and step > 0):
            msg = f"its numbers go from {low} to {high}, and steps are above 0"
            raise ValueError(msg)
        found.update(range(start, end + 1, step))
    return frozenset(found), every


def _number(text: str, names: tuple[str, ...], low: int = 0) -> int:
    lowered = text.lower()
    if lowered in names:
        return names.index(lowered) + low
    if not re.fullmatch(r"[0-9]{1,9}", text):
        msg = "a field of it is no number, range or name"
        raise ValueError(msg)
    return int(text)


def _seconds(text: str) -> int:
    """Return a duration as `1h30m` in seconds; below one it is one."""
    if not text or _DURATION.sub("", text):
        msg = "nobody understands its duration"
        raise ValueError(msg)
    total = sum(float(n) * _UNITS.get(unit, 0.0) for n, unit in _DURATION.findall(text))
    return max(1, int(total))
