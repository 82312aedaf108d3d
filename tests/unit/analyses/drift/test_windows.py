"""When something seen in hours is confirmed, and when it is over."""

from hypothesis import given
from hypothesis import strategies as st

from cloison.analyses.drift.windows import AGAIN, DAY, FAST, SLOW, WEEK, Pace, Windows, poorly

ALWAYS = Windows(tuple(range(WEEK * 4)))


def test_three_of_six_hours_confirm() -> None:
    """Two do not, nor do three that lie further apart."""
    assert ALWAYS.follow([0, 2, 5], FAST).confirmed == 5
    assert ALWAYS.follow([0, 5], FAST).confirmed is None
    assert ALWAYS.follow([0, 3, 6], FAST).confirmed is None


def test_slow_things_have_a_week() -> None:
    """A daily edge is there to stay; two times in a month may be anything."""
    assert ALWAYS.follow([2, 26, 50], SLOW).confirmed == 50
    assert ALWAYS.follow([2, 400], SLOW).confirmed is None


NIGHTLY = [3 + DAY * day for day in range(14)]


def test_what_comes_back_every_night_is_confirmed() -> None:
    """One hour of each day is never three of six, and three days of a week are enough."""
    assert ALWAYS.follow(NIGHTLY, FAST).confirmed is None
    assert ALWAYS.follow(NIGHTLY, AGAIN).news == (3 + 2 * DAY,)
    assert ALWAYS.follow(range(0, 3 * WEEK, 5), AGAIN).news == (2 * DAY + 2,)
    assert ALWAYS.follow([3, 3 + DAY], AGAIN).confirmed is None
    assert ALWAYS.follow([3, 5, 8, 3 + DAY], AGAIN).confirmed == 8
    assert ALWAYS.follow([3, 3 + 4 * DAY, 3 + 8 * DAY], AGAIN).confirmed is None


def test_what_comes_back_on_working_days_goes_on_over_a_weekend() -> None:
    """It is one finding, and over after a week without it."""
    working = [hour for hour in range(3, WEEK * 3, DAY) if hour // DAY % 7 < 5]
    assert ALWAYS.follow(working, AGAIN).news == (3 + 2 * DAY,)
    assert ALWAYS.follow(working, AGAIN).resolved == working[-1] + WEEK
    assert ALWAYS.follow([10, 11, 12], AGAIN).resolved == 12 + DAY


def test_over_after_a_day_of_covered_hours() -> None:
    """Hours in which nobody watched do not end anything."""
    found = ALWAYS.follow([10, 11, 12], FAST)
    assert found.resolved == 12 + DAY
    gap = Windows(tuple(hour for hour in range(60) if not 13 <= hour < 40))
    assert gap.follow([10, 11, 12], FAST).resolved is None
    assert gap.follow([10, 11, 12], FAST).stands


def test_it_may_come_back() -> None:
    """What was over is confirmed anew, and both times are told."""
    found = ALWAYS.follow([10, 11, 12, 200, 201, 202], FAST)
    assert found.news == (12, 202)
    assert found.confirmed == 202


def test_hours_that_do_not_count_are_told() -> None:
    """Nothing is confirmed by hours of changes, and they are counted."""
    found = ALWAYS.without({0, 1}).follow([0, 1, 2], FAST)
    assert (found.confirmed, found.muted, found.first) == (None, 2, 0)


def test_what_is_remembered_stands_until_it_is_over() -> None:
    """A store that keeps a week only does not bring a finding back to suspicion."""
    recent = Windows(tuple(range(100, 110)))
    assert recent.follow([103], FAST, held=95).stands
    assert recent.follow([103], FAST).confirmed is None


def test_losses_beyond_chance() -> None:
    """A tenth lost on average is covered, in every hour of it."""
    assert not poorly(18, 2, 0.9)
    assert not poorly(15, 4, 0.9)
    assert not poorly(0, 0, 0.9)
    assert poorly(40, 40, 0.9)
    assert poorly(0, 20, 0.9)


HOURS = st.lists(st.integers(0, 400), unique=True, max_size=60).map(sorted)
PACES = st.builds(
    Pace,
    span=st.integers(1, 48),
    enter=st.integers(1, 5),
    leave=st.integers(1, 48),
    hold=st.integers(0, 48),
    days=st.integers(0, 4),
)


@given(HOURS, HOURS, PACES)
def test_follow_agrees_with_hour_by_hour(seen: list[int], gaps: list[int], pace: Pace) -> None:
    """What is worked out from one sighting to the next is what an hourly look comes to."""
    windows = Windows(tuple(hour for hour in range(401) if hour not in set(gaps)))
    found = windows.follow(seen, pace)
    assert (found.confirmed, found.resolved, list(found.news)) == _hourly(windows, seen, pace)


def _hourly(
    windows: Windows, seen: list[int], pace: Pace
) -> tuple[int | None, int | None, list[int]]:
    """Look at every covered hour by itself, as a watch that never sleeps would."""
    confirmed = resolved = last = None
    leave = pace.leave
    news: list[int] = []
    for place, hour in enumerate(windows.covered):
        if hour in seen:
            near = windows.covered[max(0, place - pace.span + 1) : place + 1]
            often = sum(each in seen for each in near) >= pace.enter
            week = windows.covered[max(0, place - WEEK + 1) : place + 1]
            days = {each // DAY for each in week if each in seen}
            daily = not often and 0 < pace.days <= len(days)
            leave = WEEK if daily else pace.leave
            if (often or daily) and (confirmed is None or resolved is not None):
                confirmed, resolved = hour, None
                news.append(hour)
            last = hour
        elif confirmed is not None and resolved is None and last is not None:
            quiet = windows.between(last + 1, hour)
            if quiet >= leave and windows.between(confirmed + 1, hour) >= pace.hold:
                resolved = hour
    return confirmed, resolved, news
