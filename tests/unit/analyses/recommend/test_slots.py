"""Which times of the day, the week and the month somebody watched."""

import pytest

from cloison.analyses.recommend.slots import Slots, slots
from tests.support.past import START


def hours(*spans: tuple[int, int]) -> set[int]:
    return {START + hour for first, last in spans for hour in range(first, last)}


@pytest.mark.parametrize("start", [0, 10, 23])
def test_two_weeks_are_two_cycles_whenever_they_begin(start: int) -> None:
    known = slots(hours((start, start + 24 * 14)))
    assert (known.days, known.cycles) == (14, 2)
    assert set(known.clock) == {14}
    assert known.held(2, 0) == (62, 62)


def test_a_day_counts_when_most_of_it_was_watched() -> None:
    assert slots(hours((0, 24), (24, 24 + 17), (48, 72))).days == 2
    assert slots(hours((0, 24), (24, 24 + 18), (48, 72))).days == 3
    assert slots(hours((0, 24), (24, 24 + 18), (48, 72)), share=0.9).days == 2


def test_a_day_of_the_week_that_was_never_watched_shows() -> None:
    weeks = [(24 * day, 24 * day + 24) for day in range(28) if day % 7 != 3]
    known = slots(hours(*weeks))
    assert known.days == 24
    assert known.week == (4, 4, 4, 0, 4, 4, 4)
    assert known.cycles == 0
    assert known.held(2, 1) == (7 * 2 - 2 + 48, 7 * 2 + 48 + 1)


def test_hours_of_the_day_are_told_apart() -> None:
    known = slots(hours(*((24 * day + 6, 24 * day + 24) for day in range(21))))
    assert known.clock[:6] == (0,) * 6
    assert set(known.clock[6:]) == {21}
    assert known.held(2, 0) == (7 * 2 + 18 * 2, 62)


def test_ends_of_months() -> None:
    assert slots(hours((0, 24 * 30))).ends == ()
    assert slots(hours((0, 24 * 31))).ends == ("2026-01-31",)
    assert slots(hours((0, 24 * 60))).ends == ("2026-01-31", "2026-02-28")
    assert slots(hours((0, 24 * 30 + 17), (24 * 31, 24 * 40))).ends == ()
    assert slots(hours((0, 24 * 31))).held(2, 2) == (63, 64)


def test_nothing_was_watched() -> None:
    assert slots(()) == Slots()
    assert Slots().held(2, 1) == (0, 63)
