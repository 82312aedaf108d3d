"""Whether enough was seen of a workload, and what is missing where it was not."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from cloison.analyses.past.course import HOUR
from cloison.analyses.past.watch import UNWATCHED, Watch
from cloison.analyses.recommend.ready import (
    DEFAULT,
    Lack,
    Readiness,
    Thresholds,
    Told,
    edge_of,
    moment,
    readiness,
)
from cloison.analyses.reconcile.pairs import Placed
from cloison.analyses.reconcile.seen import Loss
from cloison.ir.policy import Direction
from cloison.resources.cron import Schedule
from cloison.resources.world import WorkloadId, World
from tests.support.past import START, linked, outside, pods, seen, watch, workload, world

MONTH = 24 * 31
WHOLE = watch(MONTH)
API = workload("shop/api", nodes=["one", "two"], replicas=2)
DB = workload("shop/db", "StatefulSet", nodes=["seven"])
SHOP = world(API, DB)
OFTEN = range(0, MONTH, 2)
USUAL = [seen(pods(API), pods(DB), OFTEN, port=5432), seen("web/portal", pods(API), OFTEN)]


def asked(
    *rows: Placed,
    name: str = "shop/api",
    direction: Direction = Direction.EGRESS,
    known: Watch = WHOLE,
    held: World = SHOP,
    thresholds: Thresholds = DEFAULT,
    told: Told | None = None,
) -> Readiness:
    """Return how far one workload may be restricted."""
    links = linked(*USUAL, *rows)
    every = readiness(links, known, held, thresholds, told=told or Told())
    (found,) = [e for e in every if (str(e.workload), e.direction) == (name, direction)]
    return found


def lacks(found: Readiness) -> list[tuple[Lack, str]]:
    return [(each.lack, each.text) for each in found.missing]


def test_all_was_watched_and_nothing_is_missing() -> None:
    found = asked()
    assert found.ready
    assert lacks(found) == []
    assert found.estimate.unseen == 0
    assert found.estimate.windows == MONTH
    assert found.calendar() == 1.0
    assert found.since == START


def test_each_workload_is_there_once_in_each_direction() -> None:
    gone = workload("shop/gone", nodes=())
    every = readiness(linked(*USUAL), WHOLE, world(API, DB, gone))
    assert [(str(each.workload), each.direction) for each in every] == [
        (name, direction) for name in ("shop/api", "shop/db") for direction in Direction
    ]


# What was not seen yet


def test_edges_seen_in_one_hour_only_show_that_others_were_not_seen() -> None:
    found = asked(seen(pods(API), "shop/mail", [99]))
    ((lack, text),) = lacks(found)
    assert lack is Lack.UNSEEN
    assert text == (
        "about 0.27 % of what happens is of edges not seen yet: "
        "1 of 2 edges was seen in one hour only"
    )
    assert found.estimate.unseen == pytest.approx(1 / (len(OFTEN) + 1))
    assert asked(seen(pods(API), "shop/mail", [99]), direction=Direction.INGRESS).ready
    assert asked(seen(pods(API), "shop/mail", [99]), thresholds=Thresholds(unseen=0.01)).ready
    strict = Thresholds(unseen=1.0, coverage=0.999)
    assert not asked(seen(pods(API), "shop/mail", [99]), thresholds=strict).ready


def test_addresses_that_one_rule_lets_through_are_one_edge() -> None:
    visitors = [
        seen(outside(f"198.51.100.{n}"), pods(API), [n * 7], port=8443) for n in range(1, 60)
    ]
    found = asked(*visitors, direction=Direction.INGRESS)
    assert found.estimate.edges == 2
    assert found.ready
    service = [seen(pods(API), outside(f"203.0.113.{n}"), [n * 9], port=443) for n in (1, 2, 3)]
    assert asked(*service).estimate.edges == 2
    others = [seen(pods(API), outside(f"203.0.{n}.1"), [n * 9], port=443) for n in (1, 2, 3)]
    assert asked(*others).estimate.edges == 4
    named = [seen(pods(API), outside(f"203.0.{n}.1", "pay.example.com"), [n]) for n in (1, 2, 3)]
    assert asked(*named).estimate.edges == 2


def test_what_an_edge_is_may_be_said() -> None:
    (link,) = linked(seen(pods(API), outside("203.0.113.9"), [1], port=443))
    (other,) = linked(seen(pods(API), outside("203.0.113.8"), [1], port=443))
    assert edge_of(link, Direction.EGRESS) == edge_of(other, Direction.EGRESS)
    every = readiness((link, other), WHOLE, SHOP, edge=lambda each, _: each.key)
    assert max(each.estimate.edges for each in every) == 2


def test_what_policy_denied_counts_for_nothing() -> None:
    found = asked(seen(pods(API), "shop/mail", [99], became="denied"))
    assert found.ready
    assert found.estimate.edges == 1


def test_nothing_was_seen_in_one_direction() -> None:
    found = asked(name="shop/db")
    assert found.ready
    assert found.estimate.unseen is None
    assert found.notes == ("no connection was ever seen in this direction (egress)",)


def test_what_is_asked_about_was_seen_all_the_same() -> None:
    idle = workload("shop/idle")
    found = asked(name="shop/idle", held=world(API, DB, idle), told=Told(asked={idle.id}))
    assert lacks(found) == [(Lack.SIGHT, "only flows that are asked about were seen of it")]


def test_nothing_was_seen_of_it_at_all() -> None:
    held = world(API, DB, workload("shop/idle"))
    found = asked(name="shop/idle", held=held)
    assert lacks(found) == [(Lack.SIGHT, "nothing was ever seen of it")]
    agent = workload("shop/agent", "DaemonSet", host_network=True)
    (missing,) = asked(name="shop/agent", held=world(API, agent)).missing
    assert missing.lack is Lack.SIGHT
    assert "node's address" in missing.text


def test_nobody_watched() -> None:
    found = asked(known=UNWATCHED)
    assert found.missing[0].text == "nobody watched"
    assert {Lack.DAYS, Lack.MONTH} <= {each.lack for each in found.missing}
    assert found.calendar() == 0


# The calendar


@pytest.mark.parametrize(
    ("hours", "missing"),
    [
        (range(24 * 13), ["13 days of 14 were watched", "no end of a month was watched"]),
        (range(24 * 14), ["no end of a month was watched"]),
        (range(24 * 17, MONTH), []),
        (
            [h for h in range(MONTH) if h // 24 % 7 != 3],
            ["some day of the week was watched 0 times, not 2 times"],
        ),
        (
            [h for h in range(MONTH) if h % 24 not in (1, 2, 5)],
            ["nobody watched from 01:00 to 03:00, from 05:00 to 06:00 UTC on 2 days"],
        ),
    ],
)
def test_the_calendar_is_a_floor(hours: Iterable[int], missing: list[str]) -> None:
    known = watch(hours)
    usual = [each for each in asked(known=known).missing if each.lack is not Lack.UNSEEN]
    assert [each.text for each in usual] == missing
    assert (asked(known=known).calendar() == 1.0) is not any(missing) or missing == [
        "13 days of 14 were watched",
        "no end of a month was watched",
    ]


def test_the_end_of_a_month_may_be_waived() -> None:
    assert not asked(known=watch(24 * 14)).ready
    assert asked(known=watch(24 * 14), thresholds=Thresholds(ends=0)).ready
    twice = asked(thresholds=Thresholds(ends=2))
    assert lacks(twice) == [(Lack.MONTH, "1 end of months of 2 were watched")]


def test_a_workload_that_came_later_was_watched_for_less() -> None:
    new = workload("shop/new")
    came = 24 * 25
    rows = [seen(pods(new), pods(DB), range(came, MONTH, 2), port=5432)]
    found = asked(*rows, name="shop/new", held=world(API, DB, new))
    assert found.since == START + came
    assert found.estimate.windows == MONTH - came
    ((lack, text),) = lacks(found)
    assert lack is Lack.DAYS
    assert text == ("6 days of 14 were watched, for it was first seen on 2026-01-26 00:00 UTC")
    # One that is seldom seen may have been there all along; so may a Job.
    rare = [seen(pods(new), pods(DB), [came, came + 90], port=5432)]
    assert asked(*rare, name="shop/new", held=world(API, DB, new)).since == START
    job = workload("shop/job", "Job")
    busy = [seen(pods(job), pods(DB), range(came, MONTH, 2), port=5432)]
    assert asked(*busy, name="shop/job", held=world(API, DB, job)).since == START


# CronJobs


JOB = "CronJob shop/month-end"


def cron_job(schedule: Schedule | None) -> World:
    return world(API, DB, workload("shop/month-end", "CronJob", schedule=schedule))


@pytest.mark.parametrize(
    ("schedule", "hours", "texts"),
    [
        (
            Schedule("0 2 1 2 *", "Etc/UTC"),
            [],
            [f"{JOB} has not run while anybody watched; it is due next on 2026-02-01 02:00 UTC"],
        ),
        (
            Schedule("0 2 31 * *", "Etc/UTC"),
            [],
            [f"nothing was seen of {JOB}, which was due in 1 watched hour"],
        ),
        (
            Schedule("0 2 31 * *", "Etc/UTC"),
            [30 * 24 + 2],
            [f"{JOB} has run 1 time, and 2 are asked"],
        ),
        (Schedule("0 2 * * 0", "Etc/UTC"), [3 * 24 + 2, 10 * 24 + 2], []),
        (Schedule("0 2 31 * *", "Etc/UTC", suspended=True), [], []),
    ],
)  # fmt: skip
def test_every_cron_job_has_to_run_twice(
    schedule: Schedule, hours: list[int], texts: list[str]
) -> None:
    held = cron_job(schedule)
    job = held.workloads[WorkloadId("shop", "month-end", "CronJob")]
    rows = [seen(pods(job), pods(DB), hours, port=5432)] if hours else []
    found = asked(*rows, name="shop/month-end", held=held)
    assert [each.text for each in found.missing if each.lack is Lack.RUNS] == texts
    assert [each.lack for each in found.missing if each.lack is Lack.SIGHT] == []
    # Whom it calls is not closed before, either.
    called = asked(*rows, name="shop/db", direction=Direction.INGRESS, held=held)
    assert [each.text for each in called.missing if each.lack is Lack.RUNS] == texts
    # And whom it calls itself is nothing to those who are not called, or only call.
    other = asked(*rows, direction=Direction.EGRESS, held=held)
    assert Lack.RUNS not in {each.lack for each in other.missing}


def test_whom_a_cron_job_calls_may_be_known() -> None:
    held = cron_job(Schedule("@monthly", "Etc/UTC"))
    job = WorkloadId("shop", "month-end", "CronJob")
    told = Told(called={job: [DB.id]})
    assert not asked(name="shop/db", direction=Direction.INGRESS, held=held, told=told).ready
    assert asked(direction=Direction.INGRESS, held=held, told=told).ready
    assert not asked(direction=Direction.INGRESS, held=held).ready


@pytest.mark.parametrize(
    ("schedule", "note"),
    [
        (Schedule("@daily", suspended=True), "is suspended: whom it calls may not be known"),
        (Schedule("never"), "runs is not known: a schedule has five fields, and this one 1"),
        (None, "runs is not known: nothing says when it runs"),
        (Schedule("@daily"), "nothing says the time zone of CronJob shop/month-end: UTC is"),
    ],
)
def test_what_is_not_known_of_a_cron_job_is_said(schedule: Schedule | None, note: str) -> None:
    found = asked(name="shop/month-end", held=cron_job(schedule))
    assert any(note in each for each in found.notes)


# Losses


def lost(*losses: Loss, **recorded: int) -> Watch:
    """Return a watch of a month with losses, and how much each node told."""
    return replace(watch(MONTH, *losses), recorded=recorded)


def test_a_node_that_lost_much_is_named_with_its_share() -> None:
    loss = Loss(12, "ring buffer", "seven")
    (missing,) = asked(name="shop/db", known=lost(loss, seven=88)).missing
    assert (missing.lack, missing.text) == (Lack.LOSS, "seven lost 12 % of its events")
    assert asked(known=lost(loss, seven=88)).ready
    assert asked(name="shop/db", known=lost(loss, seven=100_000)).ready
    (missing,) = asked(name="shop/db", known=lost(loss)).missing
    assert missing.text == "seven lost 12 events"


def test_several_losses_of_a_node_add_up() -> None:
    known = lost(Loss(6, "ring buffer", "seven"), Loss(6, "queue", "seven"), seven=88)
    (missing,) = asked(name="shop/db", known=known).missing
    assert missing.text == "seven lost 12 % of its events"


@pytest.mark.parametrize(
    ("dropped", "text"),
    [
        (12, "seven lost 12 % of its events in {}"),
        (6, "seven lost 12 events, and 6.38 % of its events in {}"),
        (0, "seven lost 12 events"),
    ],
)
def test_a_share_is_told_of_the_hours_that_are_counted(dropped: int, text: str) -> None:
    known = lost(Loss(12, "ring buffer", "seven"), seven=88)
    known = replace(known, counted=frozenset({START}), dropped={"seven": dropped})
    (missing,) = asked(name="shop/db", known=known).missing
    hours = f"1 hour of {len(known.hours)}: of the others only sums are left"
    assert missing.text == text.format(hours)


def test_what_nobody_says_the_node_of_is_everybodys() -> None:
    (missing,) = asked(known=lost(Loss(20, "queue"), one=50, two=30)).missing
    assert missing.text == "a source of flows lost 20 % of its events"


def test_where_pods_run_may_not_be_known() -> None:
    held = world(workload("shop/api"), DB)
    rows = [seen("shop/api", pods(DB), OFTEN, port=5432)]
    found = asked(*rows, known=lost(Loss(12, "ring buffer", "nine")), held=held)
    assert [each.text for each in found.missing] == ["nine lost 12 events"]
    assert found.notes == ("on which nodes its pods run is not known: what was lost on any counts",)


def test_hours_of_which_a_node_told_nothing_are_not_watched() -> None:
    gap = Loss(0, "hubble", "seven", since=(START + 10) * HOUR, until=(START + 34) * HOUR, gap=True)
    found = asked(name="shop/db", known=lost(gap))
    assert found.estimate.windows == MONTH - 24
    assert [each.text for each in found.missing] == [
        "seven told nothing of 24 hours of 744 that were watched"
    ]
    short = Loss(0, "hubble", "seven", since=START * HOUR, until=(START + 3) * HOUR, gap=True)
    assert asked(name="shop/db", known=lost(short)).ready
    # Pods on the other node were watched.
    one = Loss(0, "hubble", "one", since=(START + 10) * HOUR, until=(START + 34) * HOUR, gap=True)
    assert asked(known=lost(one)).estimate.windows == MONTH


def test_samples_are_not_all() -> None:
    (missing,) = asked(name="shop/db", known=lost(Loss(0, "sampled", "seven", 100))).missing
    assert missing.text == "seven recorded one of 100 connections only"


def test_losses_of_other_times_do_not_count() -> None:
    early = Loss(99, "queue", since=1, until=2)
    assert asked(known=lost(early)).ready


# The rest


def test_order_changes_nothing() -> None:
    rows = [*USUAL, seen(pods(API), "shop/mail", [99]), seen(pods(DB), pods(API), [5, 9])]
    found = readiness(linked(*rows), WHOLE, SHOP)
    assert readiness(linked(*reversed(rows)), WHOLE, world(DB, API)) == found


def test_hours_for_people() -> None:
    assert moment(START + 26) == "2026-01-02 02:00 UTC"
