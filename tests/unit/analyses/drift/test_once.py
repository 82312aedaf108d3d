"""One flow is one finding: of the check that says most, with the others mentioned in it."""

from cloison.analyses.drift.model import Accepted, Drift, State
from tests.support.drifting import BASE, DAY, WEEK, contract, flow, keys, look, past, texts

NOW = range(14 * DAY - 12, 14 * DAY)
EDGE = "shop/Deployment/web|data/StatefulSet/db|TCP|5432"
USED = flow("shop/web", "shop/api", range(14 * DAY))
PASSED = flow("shop/web", "data/StatefulSet/db", NOW, 5432)
DENIED = flow("shop/web", "data/StatefulSet/db", NOW, 5432, "denied")
CLUSTER = (*BASE, contract())


def _told(found: Drift) -> list[str]:
    return keys((*found.findings, *found.suspects))


def test_what_policy_denies_and_gets_through_says_most() -> None:
    """That it is new and has no record is mentioned in it."""
    found = look(CLUSTER, past(USED, PASSED), "D3", "D8", before=CLUSTER)
    assert _told(found) == [f"D8|{EDGE}"]
    assert "as D3, too: new flow without a record" in texts(found.findings)


def test_what_is_only_suspected_is_mentioned_in_what_is_sure() -> None:
    """Nobody says since when policies are what they are, and the flow is new all the same."""
    found = look(CLUSTER, past(USED, PASSED), "D3", "D8")
    assert _told(found) == [f"D3|{EDGE}"]
    assert [each.state for each in found.findings] == [State.CONFIRMED]
    assert "as D8, too: enforcement not in force, which is only suspected: nobody says" in texts(
        found.findings
    )


def test_one_check_alone_tells_what_it_sees() -> None:
    """Nothing is lost where the other check is not made."""
    assert _told(look(CLUSTER, past(USED, PASSED), "D8")) == [f"D8|{EDGE}"]
    assert _told(look(CLUSTER, past(USED, PASSED), "D3")) == [f"D3|{EDGE}"]


def test_denied_here_and_let_through_there_is_one_finding() -> None:
    """As where one node's agent does not enforce."""
    found = look(CLUSTER, past(USED, PASSED, DENIED), "D2", "D3", "D8", before=CLUSTER)
    assert _told(found) == [f"D8|{EDGE}"]
    assert "as D2, too: denied again and again" in texts(found.findings)
    assert "as D3, too" in texts(found.findings)


def test_denials_are_told_when_enforcement_is_mended() -> None:
    """What is over, or accepted, hides nothing that is so now."""
    early = flow("shop/web", "data/StatefulSet/db", range(WEEK + 10, WEEK + 20), 5432)
    found = look(CLUSTER, past(USED, early, DENIED), "D2", "D8", before=CLUSTER)
    assert {str(e.key.code): e.state for e in found.findings} == {
        "D2": State.CONFIRMED,
        "D8": State.RESOLVED,
    }
    row = Accepted("D8|*", "team", "2027-01-01")
    known = past(USED, PASSED, DENIED)
    found = look(CLUSTER, known, "D2", "D8", before=CLUSTER, accepted=(row,))
    assert sorted(_told(found)) == [f"D2|{EDGE}", f"D8|{EDGE}"]
