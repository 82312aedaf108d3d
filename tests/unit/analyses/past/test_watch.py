"""When anybody watched."""

from hypothesis import given
from hypothesis import strategies as st

from cloison.analyses.past.course import HOUR
from cloison.analyses.past.watch import UNWATCHED, Watch
from cloison.analyses.reconcile.seen import Loss


def test_an_hour_is_watched_when_any_source_tells_of_it() -> None:
    known = Watch({"hubble": (1, 2, 9), "calico": (2, 3)})
    assert known.hours == (1, 2, 3, 9)
    assert known.watched(2, 8) == 2
    assert known.watched(9, 9) == 1
    assert known.watched(4, 8) == 0
    assert known.gaps == ((4, 8),)
    assert known


def test_nobody_watched() -> None:
    assert not UNWATCHED
    assert UNWATCHED.hours == ()
    assert UNWATCHED.gaps == ()
    assert UNWATCHED.watched(0, 10**9) == 0
    assert UNWATCHED.losses(5) == ()


def test_a_loss_is_of_the_hours_it_touches_and_of_its_node() -> None:
    middle = Loss(5, "ring buffer", "one", since=3 * HOUR + 1, until=5 * HOUR)
    anywhere = Loss(7, "queue", since=4 * HOUR, until=4 * HOUR)
    always = Loss(1, "sampled", "two", sampled=10)
    known = Watch({}, (middle, anywhere, always))
    assert known.losses(2) == (always,)
    assert known.losses(3) == (middle, always)
    assert known.losses(4) == (middle, anywhere, always)
    assert known.losses(5) == (middle, always)
    assert known.losses(6) == (always,)
    assert known.losses(4, "one") == (middle, anywhere)
    assert known.losses(4, "three") == (anywhere,)


@given(st.sets(st.integers(0, 40), max_size=30), st.integers(0, 40), st.integers(0, 40))
def test_hours_and_gaps_are_all_there_is(hours: set[int], first: int, last: int) -> None:
    known = Watch({"a": tuple(sorted(hours)), "b": ()})
    assert known.watched(first, last) == len([h for h in hours if first <= h <= last])
    silent = {hour for one, other in known.gaps for hour in range(one, other + 1)}
    span = set(range(min(hours, default=0), max(hours, default=-1) + 1))
    assert silent == span - hours
