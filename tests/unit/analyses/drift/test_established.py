"""D8 and connections that are older than a policy: only new ones are held against it."""

from collections.abc import Iterable
from dataclasses import replace

from cloison.analyses.drift.model import Change, Drift, State
from cloison.analyses.past.course import HOUR
from cloison.analyses.reconcile.seen import Seen
from tests.support.drifting import BASE, DAY, START, allow, contract, flow, look, past, pods

EVERY = range(14 * DAY)
USED = flow("shop/web", "shop/api", EVERY)
TO_DB = (
    allow("shop", "api-db", "api", "to", pods("db", zone="data"), 5432),
    allow("data", "db-api", "db", "from", pods("api", zone="app"), 5432),
)
CHANGED = 200
"""The hour in which the rule is taken away that let `api` call `db`."""
CHANGE = Change("delete", (START + CHANGED) * HOUR, "u", "shop", "networkpolicies", "api-db")


def _db(hours: Iterable[int]) -> Seen:
    return flow("shop/api", "data/StatefulSet/db", hours, 5432)


def _looked(seen: Seen, opened: tuple[Seen, ...] = (), going_on: tuple[Seen, ...] = ()) -> Drift:
    known = past(USED, seen, changes=(CHANGE,), opened=opened, going_on=going_on)
    return look((*BASE, contract()), known, "D8", before=(*BASE, *TO_DB, contract()))


def _unjudged(found: Drift) -> list[str]:
    return [each.reason for each in found.unjudged]


def test_established_connections_outlive_a_policy() -> None:
    """Records show that all since the change are of connections opened before it."""
    found = _looked(_db(range(100, 330)), (_db([100]),), (_db(range(101, 330)),))
    assert not (*found.findings, *found.suspects)
    assert any("go on from before" in each for each in _unjudged(found))


def test_new_connections_among_old_ones_count() -> None:
    """What is opened after the change contradicts it, whatever else goes on."""
    new = (210, 211, 212)
    found = _looked(_db(range(100, 330)), (_db([100, *new]),), (_db(range(101, 330)),))
    (one,) = found.findings
    assert (one.state, one.first, one.last) == (State.RESOLVED, START + new[0], START + new[-1])
    assert "3 connections got through" in one.sign.evidence[0].text


def test_connections_opened_before_the_change_do_not_count() -> None:
    """They were allowed then."""
    found = _looked(_db(range(100, 330)), (_db(range(100, 190)),), (_db(range(190, 330)),))
    assert not (*found.findings, *found.suspects)


def test_a_source_that_does_not_say_which_are_new_makes_a_suspicion() -> None:
    """Edges that never fell silent may be one connection that began long before."""
    found = _looked(_db(range(100, 330)))
    assert not found.findings
    (one,) = found.suspects
    assert one.state is State.SUSPECT
    assert one.sign.doubt is not None
    assert "fell silent" in one.sign.doubt


def test_after_a_silence_everything_is_new() -> None:
    """No connection of before the change is alive after hours without a packet."""
    found = _looked(_db([*range(100, 205), *range(320, 330)]))
    (one,) = found.findings
    assert one.first == START + 320
    short = _looked(_db([*range(100, 205), *range(207, 330)]))
    assert not short.findings


def test_hours_in_which_nobody_watched_are_no_silence() -> None:
    """Who did not watch cannot tell that there was nothing."""
    seen = _db([*range(100, 205), *range(220, 330)])
    known = past(USED, seen, changes=(CHANGE,), gaps=range(205, 220), opened=())
    found = look((*BASE, contract()), known, "D8", before=(*BASE, *TO_DB, contract()))
    assert not found.findings
    assert [each.state for each in found.suspects] == [State.SUSPECT]


def test_what_goes_on_after_a_silence_is_still_old() -> None:
    """Records that show no opening never make a finding by themselves."""
    seen = _db(range(320, 330))
    assert not (*(found := _looked(seen, (), (seen,))).findings, *found.suspects)


def test_what_there_was_in_the_first_hour_may_be_older() -> None:
    """Also where policy denied it before and does now: nobody saw it begin."""
    known = past(USED, flow("shop/web", "data/StatefulSet/db", EVERY, 5432), opened=())
    found = look((*BASE, contract()), known, "D8", before=(*BASE, contract()))
    assert not found.findings
    assert [each.state for each in found.suspects] == [State.SUSPECT]
    known = past(USED, flow("shop/web", "data/StatefulSet/db", EVERY, 5432))
    found = look((*BASE, contract()), known, "D8", before=(*BASE, contract()))
    assert [each.state for each in found.findings] == [State.CONFIRMED]


def test_flows_are_not_read_for_what_is_suspected_in_any_case() -> None:
    """Nobody says since when policies are what they are: no record would tell more."""
    seen = flow("shop/web", "data/StatefulSet/db", range(300, 330), 5432)
    asked: list[object] = []

    def openings(*said: object) -> tuple[tuple[Seen, ...], tuple[Seen, ...]]:
        asked.append(said)
        return (seen,), ()

    known = replace(past(USED, seen), openings=openings)
    found = look((*BASE, contract()), known, "D8")
    assert [each.state for each in found.suspects] == [State.SUSPECT]
    assert not asked
    found = look((*BASE, contract()), known, "D8", before=(*BASE, contract()))
    assert [each.counts for each in found.findings] == [True]
    assert asked == [(frozenset({("TCP", 5432)}), (START + 300) * HOUR)]
