"""Run after run: what is new once is not new again, and what comes back is."""

from cloison.analyses.drift.model import Accepted, State
from tests.support.drifting import (
    BASE,
    DAY,
    allow,
    contract,
    flow,
    keys,
    past,
    pods,
    remembering,
    space,
    workload,
)

CLUSTER = (
    *BASE,
    space("new"),
    workload("new", "app"),
    allow("shop", "typo", "nobody", "from", pods("web")),
    contract(),
)
USED = flow("shop/web", "shop/api", range(40 * DAY))


def test_the_same_again_is_nothing_new() -> None:
    """Whatever the findings are: flows, rules or workloads, standing or over."""
    known = past(
        USED,
        flow("shop/web", "data/StatefulSet/db", range(200, 230), 5432, "denied"),
        flow("shop/api", "data/StatefulSet/db", range(320, 336), 5432, "denied"),
        flow("shop/api", "203.0.113.9", range(300, 336), 443),
    )
    first, memory = remembering(CLUSTER, known, before=CLUSTER)
    assert first.new
    again, after = remembering(CLUSTER, known, before=CLUSTER, memory=memory)
    assert not again.new
    assert sorted(keys(again.findings)) == sorted(keys(first.findings))
    assert after == remembering(CLUSTER, known, before=CLUSTER, memory=after)[1]


def test_what_comes_back_is_new() -> None:
    """Confirmed, over, and confirmed again: three runs, of which the second has nothing new."""
    early = range(300, 336)
    _, memory = remembering(
        CLUSTER, past(flow("shop/web", "data/StatefulSet/db", early, 5432, "denied")), "D2"
    )
    known = past(flow("shop/web", "data/StatefulSet/db", early, 5432, "denied"), days=18)
    over, memory = remembering(CLUSTER, known, "D2", memory=memory)
    assert [(each.state, each.counts) for each in over.findings] == [(State.RESOLVED, False)]
    late = (*early, *range(500, 510))
    known = past(flow("shop/web", "data/StatefulSet/db", late, 5432, "denied"), days=22)
    back, memory = remembering(CLUSTER, known, "D2", memory=memory)
    assert [(each.state, each.counts) for each in back.findings] == [(State.CONFIRMED, True)]
    again, _ = remembering(CLUSTER, known, "D2", memory=memory)
    assert not again.new


def test_over_and_back_between_two_runs_is_new() -> None:
    """Whoever looks seldom hears of it all the same."""
    early = range(300, 336)
    _, memory = remembering(
        CLUSTER, past(flow("shop/web", "data/StatefulSet/db", early, 5432, "denied")), "D2"
    )
    both = flow("shop/web", "data/StatefulSet/db", (*early, *range(500, 510)), 5432, "denied")
    back, _ = remembering(CLUSTER, past(both, days=22), "D2", memory=memory)
    assert [(each.state, each.counts) for each in back.findings] == [(State.CONFIRMED, True)]


def test_what_nobody_accepts_any_more_counts_again() -> None:
    """A row that expired leaves a finding that is new."""
    row = (Accepted("D4|new/*", "team-a"),)
    _, memory = remembering(CLUSTER, past(), "D4", accepted=row)
    same, _ = remembering(CLUSTER, past(), "D4", memory=memory, accepted=row)
    assert {each.state for each in same.findings} == {State.ACKNOWLEDGED}
    bare, _ = remembering(CLUSTER, past(), "D4", memory=memory)
    assert len(bare.new) == 2


def test_checks_that_were_not_made_are_remembered() -> None:
    """A run of one check forgets nothing of the others."""
    _, memory = remembering(CLUSTER, past(), "D4", "D5")
    _, memory = remembering(CLUSTER, past(), "D5", memory=memory)
    found, _ = remembering(CLUSTER, past(), "D4", memory=memory)
    assert found.findings
    assert not found.new


def test_stores_keep_so_much_and_states_remember() -> None:
    """What was learned stays learned when the store has forgotten the first week."""
    edge = flow("shop/api", "203.0.113.9", range(100, 336), 443)
    _, memory = remembering(CLUSTER, past(edge, days=14), "D3")
    later = past(flow("shop/api", "203.0.113.9", range(300, 400), 443), gaps=range(280), days=17)
    found, _ = remembering(CLUSTER, later, "D3", memory=memory)
    assert not found.findings
