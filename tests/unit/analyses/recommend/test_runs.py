"""Whether CronJobs were seen to run."""

from collections.abc import Iterable

import pytest

from cloison.analyses.recommend.runs import Runs, runs
from cloison.resources.cron import Schedule
from tests.support.past import START, workload


def ran(
    text: str | None, seen: Iterable[int], watched: Iterable[int] = range(24 * 14), **said: str
) -> Runs:
    schedule = None if text is None else Schedule(text, said.get("zone"))
    job = workload("shop/job", "CronJob", schedule=schedule)
    return runs(job, {START + hour for hour in seen}, [START + hour for hour in watched])


@pytest.mark.parametrize(
    ("text", "seen", "number", "due"),
    [
        ("0 3 * * *", [3, 27, 51], 3, 14),
        # One that goes on for hours is one; so is one that began late.
        ("0 3 * * *", [3, 4, 5, 28], 2, 14),
        ("0 3 * * *", [3, 20], 1, 14),
        ("0 * * * *", [3, 4, 5], 3, 336),
        ("*/5 * * * *", [3], 1, 336),
        ("0 3 * * 1", [4 * 24 + 3, 11 * 24 + 3], 2, 2),
        ("0 3 31 * *", [], 0, 0),
        ("0 3 31 * *", [100, 300], 1, 0),
        # Nobody knows when it runs: hours next to each other are of one run.
        ("@every 6h", [3, 4, 10], 2, None),
        ("@every 1h", [3, 4, 10], 3, None),
        (None, [3, 4, 10], 2, None),
        ("soon", [3, 4, 10], 2, None),
    ],
)
def test_runs_are_told_apart_by_the_schedule(
    text: str | None, seen: list[int], number: int, due: int | None
) -> None:
    known = ran(text, seen)
    assert (known.seen, known.due) == (number, due)


def test_only_watched_hours_can_show_a_run() -> None:
    assert ran("0 3 * * *", [], [*range(3), *range(4, 30)]).due == 1
    assert ran("0 3 * * *", [], ()).due is None


def test_when_it_is_due_next() -> None:
    assert ran("0 3 * * *", []).upcoming == START + 24 * 14 + 3
    assert ran("0 3 1 6 *", []).upcoming is None
    assert ran("@every 6h", []).upcoming is None


def test_what_is_not_known_is_said() -> None:
    assert ran("0 3 * * *", []).assumed
    assert not ran("0 3 * * *", [], zone="Europe/Amsterdam").assumed
    assert ran(None, []).fault == "nothing says when it runs"
    assert "five fields" in ran("soon", []).fault
    assert not ran("0 3 * * *", []).fault


def test_years_between_two_sightings_are_two_runs() -> None:
    assert ran("0 0 30 2 *", [0, 24 * 365 * 5]).seen == 2
