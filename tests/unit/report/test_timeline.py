"""Bars of hours: every connection is in one, and what nobody watched is not a zero."""

import re

from cloison.analyses.past.course import Course
from cloison.report.html.timeline import Axis, Row, timeline

FIRST = 490_000


def test_every_connection_is_in_one_bar() -> None:
    for hours in (1, 24, 168, 240, 241, 24 * 35, 24 * 400):
        axis = Axis(FIRST, FIRST + hours - 1)
        course = Course.of((FIRST + at, at % 7 + 1) for at in range(0, hours, 3))
        counts = axis.counts(course)
        assert sum(counts) == course.total
        assert len(counts) == axis.bars <= 240
        assert axis.step * axis.bars >= hours


def test_one_bar_is_one_hour_of_a_week() -> None:
    assert Axis(FIRST, FIRST + 167).step == 1


def test_hours_that_nobody_watched_are_said() -> None:
    watched = [FIRST, FIRST + 1, FIRST + 5]
    rows = [Row("a <b>", Course((FIRST, FIRST + 5), (3, 4)), "f0")]
    page = "".join(timeline(rows, watched))
    assert page.count("unwatched") == 3
    assert page.count("nobody watched") == 4  # in the caption, and of each hour
    assert "a &lt;b&gt;" in page
    assert "<b>" not in page
    assert re.findall(r"<title>(\d+) from", page) == ["3", "4"]
    assert 'aria-label="a &lt;b&gt;: in 2 of 6 bars of hour, 4 at most' in page


def test_nothing_to_draw() -> None:
    assert "".join(timeline([], [FIRST])) == ""
    assert "".join(timeline([Row("a", Course())], [])) == ""
