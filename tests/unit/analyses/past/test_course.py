"""Connections hour by hour."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloison.analyses.past.course import NEVER, Course

ROWS = st.lists(st.tuples(st.none() | st.integers(-5, 50), st.integers(0, 9)), max_size=30)


def test_hours_are_in_order_and_each_there_once() -> None:
    known = Course.of([(7, 2), (3, 1), (None, 4), (7, 5), (None, 1)])
    assert known == Course((3, 7), (1, 7), 5)
    assert known.total == 13
    assert list(known.rows()) == [(3, 1), (7, 7), (None, 5)]


def test_what_has_no_hour_is_still_something() -> None:
    assert Course.of([(None, 1)])
    assert not Course.of([])
    assert not NEVER
    assert NEVER.total == 0


@pytest.mark.parametrize(
    ("first", "last", "hours"), [(3, 7, (3, 7)), (4, 6, ()), (7, 99, (7,)), (9, 2, ())]
)
def test_a_part_has_both_its_ends(first: int, last: int, hours: tuple[int, ...]) -> None:
    assert Course((3, 7), (1, 2), 5).within(first, last).hours == hours
    assert Course((3, 7), (1, 2), 5).within(first, last).undated == 0


@given(ROWS, ROWS)
def test_sums_lose_nothing_and_order_changes_nothing(
    one: list[tuple[int | None, int]], other: list[tuple[int | None, int]]
) -> None:
    whole = Course.of([*one, *other])
    assert whole.total == sum(count for _, count in [*one, *other])
    assert list(whole.hours) == sorted({hour for hour, _ in [*one, *other] if hour is not None})
    assert Course.together([Course.of(one), Course.of(other)]) == whole
    assert Course.of(reversed([*one, *other])) == whole
    assert Course.of(whole.rows()) == whole


@given(ROWS, st.integers(-5, 50))
def test_a_course_cut_in_two_is_all_that_has_an_hour(
    rows: list[tuple[int | None, int]], at: int
) -> None:
    whole = Course.of(rows)
    parts = whole.within(-99, at), whole.within(at + 1, 99)
    dated = Course(whole.hours, whole.counts)
    assert Course.together(parts) == dated
