"""Schedules of CronJobs: what their fields mean, in whose time, and what is no schedule."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cloison.app import load_objects
from cloison.resources.cron import Schedule, cron
from cloison.resources.world import WorkloadId


def due(text: str, first: str, hours: int, zone: str | None = None) -> list[str]:
    """Return when a schedule is due in some hours from one on, UTC."""
    start = datetime.fromisoformat(first).replace(tzinfo=UTC)
    known = cron(Schedule(text, zone))
    at = round(start.timestamp()) // 3600
    return [
        f"{start + timedelta(hours=each):%a %d %b %H}"
        for each in range(hours)
        if known.due(at + each)
    ]


@pytest.mark.parametrize(
    ("text", "first", "hours", "found"),
    [
        ("0 3 * * *", "2026-01-01", 48, ["Thu 01 Jan 03", "Fri 02 Jan 03"]),
        ("30 2 * * 1", "2026-01-01", 24 * 14, ["Mon 05 Jan 02", "Mon 12 Jan 02"]),
        ("30 2 * * MON", "2026-01-01", 24 * 7, ["Mon 05 Jan 02"]),
        ("0 0 31 * *", "2026-01-01", 24 * 90, ["Sat 31 Jan 00", "Tue 31 Mar 00"]),
        ("0 */8 * * ?", "2026-01-01", 24, ["Thu 01 Jan 00", "Thu 01 Jan 08", "Thu 01 Jan 16"]),
        ("0 20/2 * * *", "2026-01-01", 24, ["Thu 01 Jan 20", "Thu 01 Jan 22"]),
        ("0 1-5/2,9 * jan-feb *", "2026-01-01", 10, [f"Thu 01 Jan 0{n}" for n in (1, 3, 5, 9)]),
        # Where both fields of days say something, either is enough.
        ("0 0 3 * 0", "2026-01-01", 24 * 5, ["Sat 03 Jan 00", "Sun 04 Jan 00"]),
        # A step makes a star say something; a step of one does not.
        ("0 0 */2 * 0", "2026-01-01", 24 * 4, ["Thu 01 Jan 00", "Sat 03 Jan 00", "Sun 04 Jan 00"]),
        ("0 0 */1 * 0", "2026-01-01", 24 * 4, ["Sun 04 Jan 00"]),
        ("@monthly", "2026-01-15", 24 * 20, ["Sun 01 Feb 00"]),
        ("@hourly", "2026-01-01", 2, ["Thu 01 Jan 00", "Thu 01 Jan 01"]),
        ("0 0 30 2 *", "2026-01-01", 24 * 90, []),
        ("@every 2h", "2026-01-01", 24, []),
    ],
)  # fmt: skip
def test_fields_mean_what_they_do_in_a_cluster(
    text: str, first: str, hours: int, found: list[str]
) -> None:
    assert due(text, first, hours) == found


def test_a_time_zone_moves_with_its_clock() -> None:
    assert due("0 3 * * *", "2026-01-01", 24, "Europe/Amsterdam") == ["Thu 01 Jan 02"]
    assert due("0 3 * * *", "2026-07-01", 24, "Europe/Amsterdam") == ["Wed 01 Jul 01"]
    assert due("15 9 * * *", "2026-01-01", 24, "Asia/Kolkata") == ["Thu 01 Jan 03"]
    assert due("45 9 * * *", "2026-01-01", 24, "Asia/Kolkata") == ["Thu 01 Jan 04"]
    assert due("CRON_TZ=Asia/Kolkata 45 9 * * *", "2026-01-01", 24) == ["Thu 01 Jan 04"]


def test_what_a_clock_skips_is_not_due_and_what_it_shows_twice_is_due_twice() -> None:
    zone = "Europe/Amsterdam"  # forward on 29 March at 01 UTC, back on 25 October at 01 UTC
    assert due("30 2 * * *", "2026-03-28", 72, zone) == ["Sat 28 Mar 01", "Mon 30 Mar 00"]
    assert due("30 2 * * *", "2026-10-25", 24, zone) == ["Sun 25 Oct 00", "Sun 25 Oct 01"]


def test_whose_time_it_is_taken_for() -> None:
    assert cron(Schedule("0 0 * * *")).assumed
    assert not cron(Schedule("0 0 * * *", "Etc/UTC")).assumed
    assert cron(Schedule("@every 1h30m")).every == 5400
    assert cron(Schedule("@every 1ms")).every == 1


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("", None),
        ("* * * *", None),
        ("* * * * * *", None),
        ("60 * * * *", None),
        ("* * 0 * *", None),
        ("* * * * 7", None),
        ("5-1 * * * *", None),
        ("*/0 * * * *", None),
        ("1-2-3 * * * *", None),
        ("1/2/3 * * * *", None),
        ("-1 * * * *", None),
        ("٣ * * * *", None),
        ("99999999999999999999 * * * *", None),
        ("* * * foo *", None),
        ("@sometimes", None),
        ("@every ", None),
        ("@every never", None),
        ("0 " * 1000, None),
        ("0 0 * * *", "Europe/Atlantis"),
        ("0 0 * * *", "Europe"),
        ("0 0 * * *", "../../etc/passwd"),
        ("0 0 * * *", ""),
    ],
)
def test_what_is_no_schedule(text: str, zone: str | None) -> None:
    with pytest.raises(ValueError, match=r"."):
        cron(Schedule(text, zone))


def test_a_world_tells_when_its_cron_jobs_run() -> None:
    pods = {"spec": {"containers": [{"name": "c", "image": "i"}]}}

    def job(name: str, **said: object) -> dict[str, Any]:
        return {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {**said, "jobTemplate": {"spec": {"template": pods}}},
        }

    objects = [
        job("one", schedule="0 3 * * *"),
        job("two", schedule="@daily", timeZone="Europe/Paris", suspend=True),
        job("three"),
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "api", "namespace": "shop"},
            "spec": {"selector": {"matchLabels": {"a": "b"}}, "schedule": "x", "template": {
                "metadata": {"labels": {"a": "b"}}, **pods}},
        },
    ]  # fmt: skip
    known = load_objects(objects).engine.world.workloads
    assert known[WorkloadId("shop", "one", "CronJob")].schedule == Schedule("0 3 * * *")
    assert known[WorkloadId("shop", "two", "CronJob")].schedule == Schedule(
        "@daily", "Europe/Paris", suspended=True
    )
    assert known[WorkloadId("shop", "three", "CronJob")].schedule is None
    assert known[WorkloadId("shop", "api", "Deployment")].schedule is None
