"""Drift over four weeks of the example: each planted event is found, and nothing else is."""

import json
from dataclasses import dataclass

import pytest

from tests.support.cli import run_cloison
from tests.support.weeks import Event, planted

TWO_WEEKS = "2026-01-19T00:00:00Z"
FOUR_WEEKS = "2026-02-02"
Findings = list[dict[str, object]]


@dataclass(frozen=True)
class Drifted:
    """What was planted, and what is found after four weeks, and after two."""

    events: tuple[Event, ...]
    late: tuple[int, Findings]
    early: tuple[int, Findings]


@pytest.fixture(scope="module", params=[0.0, 0.1], ids=["nothing lost", "a tenth lost"])
def drifted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Drifted:
    place = tmp_path_factory.mktemp("weeks")
    weeks, store = planted(place, loss=request.param), str(place / "store")
    ran = run_cloison("flows", "ingest", "--store", store, str(weeks.log), str(weeks.audit))
    assert ran.exit == 0, ran.err
    late = _drift(
        store, "-f", str(weeks.after), "--against", str(weeks.before), "--today", FOUR_WEEKS
    )
    early = _drift(store, "-f", str(weeks.before), "--until", TWO_WEEKS)
    return Drifted(weeks.events, late, early)


def _drift(store: str, *more: str) -> tuple[int, Findings]:
    ran = run_cloison("drift", "--store", store, "-o", "json", *more)
    found: Findings = json.loads(ran.out)["findings"]
    return ran.exit, found


def test_what_was_planted_in_the_last_two_weeks_is_found_and_no_more(drifted: Drifted) -> None:
    code, left = drifted.late
    assert code == 1
    assert {str(each["state"]) for each in left} == {"confirmed"}
    for event in drifted.events:
        mine = [
            each
            for each in left
            if each["code"] == event.code and all(word in json.dumps(each) for word in event.about)
        ]
        assert mine, event
        left = [each for each in left if each not in mine]
    assert left == []


def test_the_label_that_changed_is_told_with_who_changed_it(drifted: Drifted) -> None:
    (label,) = (each for each in drifted.late[1] if each["code"] == "D6")
    assert "temp-admin" in json.dumps(label)


def test_nothing_is_found_in_the_first_two_weeks(drifted: Drifted) -> None:
    assert drifted.early == (0, [])
