"""Traffic that hangs on something no question tells, as several enforcement points join."""

import pytest

from cloison import algebra
from cloison.algebra import TrafficSet
from cloison.ir.when import When, split

WEB = TrafficSet.ports("TCP", 8080)
TEXT = "both ends authenticate each other"
EVERY, NONE = algebra.EVERY_REQUEST, algebra.NO_REQUESTS
GIVEN = When(WEB, NONE, EVERY, EVERY, given=TEXT)


@pytest.mark.parametrize(
    ("other", "met", "joined"),
    [
        (When.always(WEB), TEXT, ""),
        (When.never(WEB), "", TEXT),
        (When.open(WEB), "", ""),
        (GIVEN, TEXT, TEXT),
    ],
)
def test_what_it_hangs_on_is_kept_where_nothing_else_decides(
    other: When, met: str, joined: str
) -> None:
    for one, two in ((GIVEN, other), (other, GIVEN)):
        assert one.meet(two).given == met
        assert one.join(two).given == joined


def test_where_nobody_knows_which_of_two_holds_only_what_both_say_is_kept() -> None:
    assert GIVEN.either(GIVEN).given == TEXT
    assert not GIVEN.either(When.always(WEB)).given
    assert not GIVEN.either(When.never(WEB)).given


def test_it_is_known_what_decides_and_no_request_passes_for_certain() -> None:
    assert GIVEN.mixed
    assert split(WEB - WEB, WEB, [GIVEN]) == (WEB - WEB, WEB, (GIVEN,))
