"""Whether CronJobs were seen to run, as often as their schedules say."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from cloison.resources.cron import Cron, Schedule, cron
from cloison.resources.world import Workload, WorkloadId

_AHEAD: Final = 35 * 24
"""Hours to look ahead for the next run: a month and some."""
_APART: Final = 400 * 24
"""Hours after which traffic is another run, whatever the schedule says."""


@dataclass(frozen=True, slots=True)
class Runs:
    """How often a CronJob ran.

    Args:
        workload: The CronJob.
        schedule: When it is to run; None where nothing says it.
        seen: Runs of which anything was seen.
        due: In how many watched hours it was due; None where nobody can tell.
        upcoming: The hour since 1970 in which it is due next, if within 35 days.
        assumed: Whether UTC is taken for its time zone, which nothing says.
        fault: Why its schedule is not understood, as part of a sentence; empty where it is.
    """

    workload: WorkloadId
    schedule: Schedule | None = None
    seen: int = 0
    due: int | None = None
    upcoming: int | None = None
    assumed: bool = False
    fault: str = ""

    @property
    def suspended(self) -> bool:
        """Whether it does not run at present."""
        return self.schedule is not None and self.schedule.suspended


def runs(workload: Workload, seen: Collection[int], watched: Sequence[int]) -> Runs:
    """Return how often a CronJob ran.

    Args:
        workload: The CronJob.
        seen: Hours since 1970 in which anything was seen of its pods.
        watched: Hours in which anybody watched, ascending.
    """
    known, fault = _known(workload.schedule)
    number = _number(sorted(seen), known)
    if known is None or known.every is not None or not watched:
        return Runs(workload.id, workload.schedule, number, fault=fault)
    ahead = range(watched[-1] + 1, watched[-1] + 1 + _AHEAD)
    return Runs(
        workload.id,
        workload.schedule,
        number,
        sum(map(known.due, watched)),
        next((hour for hour in ahead if known.due(hour)), None),
        known.assumed,
    )


def _known(schedule: Schedule | None) -> tuple[Cron | None, str]:
    if schedule is None:
        return None, "nothing says when it runs"
    try:
        return cron(schedule), ""
    except ValueError as error:
        return None, str(error)


def _number(hours: Sequence[int], known: Cron | None) -> int:
    """Return of how many runs some hours are.

    What was seen before the next run is due is of the same run. Where nobody knows when one is
    due, hours next to each other are of the same.
    """
    found, before = 0, None
    for hour in hours:
        if before is None or _another(before, hour, known):
            found += 1
        before = hour
    return found


def _another(before: int, hour: int, known: Cron | None) -> bool:
    if known is None or hour - before > _APART:
        return hour - before > 1
    if known.every is not None:
        return (hour - before) * 3600 >= known.every or hour - before > 1
    return any(known.due(each) for each in range(before + 1, hour + 1))
