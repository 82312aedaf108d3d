"""What a watch tells of a round: what has changed since the one before, and nothing else."""

from dataclasses import replace

from cloison.analyses.drift.model import Drift, Finding, State
from cloison.analyses.drift.rounds import Moved, moved, states
from cloison.report.about import Look
from cloison.report.text.driftedrounds import lines
from tests.support.drifting import BASE, look, past, space, workload


def _bare(*names: str) -> Drift:
    """Return what is found where some workloads have no policy."""
    more = (space("new"), *(workload("new", name) for name in names)) if names else ()
    return look((*BASE, *more), past(days=0), "D4")


def _text(changed: Moved) -> str:
    return "\n".join(lines(changed, "now", Look(width=200)))


def test_nothing_has_changed() -> None:
    """What stood stands."""
    found = _bare("one")
    assert not moved(found, states(found))
    assert _text(moved(found, states(found))).startswith("now: nothing has changed; 2 findings")


def test_something_new_is_told_in_full() -> None:
    """What stood before is not told again."""
    text = _text(moved(_bare("one", "two"), states(_bare("one"))))
    assert text.startswith("now: 2 new; 4 findings stand")
    assert "new/one" not in text
    assert text.count("warning[D4]") == 2
    assert text.count("remove:") == 2


def test_what_is_put_together_is_known_one_by_one() -> None:
    """A third workload makes one finding of three: the other two are not gone."""
    changed = moved(_bare("one", "two", "three"), states(_bare("one", "two")))
    assert [str(each.key) for each in changed.began] == ["D4|new/*|egress", "D4|new/*|ingress"]
    assert not changed.gone
    back = moved(_bare("one", "two"), states(_bare("one", "two", "three")))
    assert back.gone == ("D4|new/Deployment/three|egress", "D4|new/Deployment/three|ingress")
    assert not back.began


def test_what_is_over_is_told_in_a_line() -> None:
    """Resolved, accepted and gone are apart."""
    found = _bare("one")
    was = states(found)

    def become(state: State) -> Drift:
        every = tuple(replace(each, state=state, new=False) for each in found.findings)
        return replace(found, findings=every)

    text = _text(moved(become(State.RESOLVED), was))
    assert text.startswith("now: 2 resolved; no finding stands")
    assert "resolved[D4]: no policy restricts" in text
    assert "2 accepted" in _text(moved(become(State.ACKNOWLEDGED), was))
    gone = _text(moved(_bare(), was))
    assert "2 gone" in gone
    assert "gone: D4|new/Deployment/one|egress: it is so no more" in gone


def test_a_suspect_is_told_once_and_not_when_it_goes() -> None:
    """It was never more than that."""
    found = _bare("one")

    def suspected(each: Finding) -> Finding:
        return replace(each, state=State.SUSPECT, new=False)

    some = replace(found, findings=(), suspects=tuple(map(suspected, found.findings)))
    assert "2 suspected; no finding stands" in _text(moved(some, {}))
    newer = replace(some, suspects=tuple(replace(e, state=State.NEW) for e in some.suspects))
    assert not moved(newer, states(some))
    assert not moved(_bare(), states(some))
