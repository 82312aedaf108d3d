"""Cloison's answers against the cases about Cilium.

Rows say more than a verdict. What nothing allows is told from what a rule denies by what decided;
a request that is refused is one without which some requests pass.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from cloison.algebra import host_names
from cloison.analyses.ask import Explanation
from cloison.app import Session, load_texts
from cloison.base import Diagnostic, Severity
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Action
from tests.conformance.cases import Case, Row, cases
from tests.conformance.test_cilium_oracle import CASES


def _rows(asks: str) -> list[Any]:
    """Return the rows of a kind, once for each profile they are asked under."""
    return [
        pytest.param(case, row, profile, id=f"{case.ids[0]}-{number}-{profile}")
        for case in CASES
        for number, row in enumerate(case.rows, start=1)
        for profile in case.under
        if row.profile in ("generic", profile) and row.asks == asks
    ]


@cache
def _session(name: str, step: str, profile: str, validation: str = "warn") -> Session:
    (case,) = [case for case in CASES if case.id == name]
    return load_texts(
        case.texts(step), profile=profile, field_validation=validation, **case.told(step)
    )


def _traffic(on: str) -> dict[str, Any]:
    protocol, _, rest = on.partition("/")
    if protocol.startswith("ICMP"):
        return {"port": on.lower()}
    return {"protocol": protocol, "port": int(rest)}


def _request(row: Row) -> dict[str, str]:
    if row.dns is not None:
        return {"dns": row.dns}
    method, _, path = (row.http or "").partition(" ")
    headers = dict(text.split(": ") for text in row.headers)
    said = {"method": method, "path": path, "host": row.host, "headers": headers}
    told = {key: value for key, value in said.items() if value}
    return {"http": json.dumps(told)} if told else {}


def _ask(session: Session, row: Row, **said: str) -> Explanation:
    told = {**_traffic(row.on), **said}
    return session.why(row.src, row.dst, state=row.state, family=row.family, **told)


def _denials(answer: Explanation) -> Iterator[str]:
    """Yield how each point that denies does so."""
    for point in answer.shown.points if answer.shown else ():
        if point.verdict is Verdict.DENIED:
            rules = [each for each in point.decided_by if each.rule is not None]
            yield "DENY_RULE" if any(e.action is Action.DENY for e in rules) else "DENY"


@pytest.mark.parametrize(("case", "row", "profile"), _rows("traffic"))
def test_row(case: Case, row: Row, profile: str) -> None:
    session = _session(case.id, row.step, profile)
    request = _request(row)
    answer = _ask(session, row, **request)
    assert str(answer.verdict) == row.verdict, case.why
    if row.caveats is not None:
        assert {caveat.id for caveat in answer.caveats} >= set(row.caveats)
    elif row.verdict != "undetermined" and row.answer != "AUDIT":
        assert answer.verdict is not Verdict.UNDETERMINED
    if row.answer in ("DENY", "DENY_RULE"):
        assert set(_denials(answer)) == {row.answer}
    if row.answer == "L7_DENY":
        # No request has a header with a colon in its name: where that is asked for, none passes.
        never = row.step == "together"
        assert _ask(session, row).verdict is (Verdict.DENIED if never else Verdict.MIXED)
    if row.answer == "AUDIT":
        assert "AUDIT_MODE" in {caveat.id for caveat in answer.caveats}
    if row.answer == "DENY" and request:
        assert _ask(session, row).verdict is Verdict.DENIED


def _about(session: Session, name: str) -> list[Diagnostic]:
    return [each for each in session.diagnostics if each.object == name]


@pytest.mark.parametrize(("case", "row", "profile"), _rows("object"))
def test_object(case: Case, row: Row, profile: str) -> None:
    said = _about(_session(case.id, row.step, profile), row.src)
    errors = [each for each in said if each.severity is Severity.ERROR]
    absent = [each for each in errors if "absent" in (each.effect or "")]
    assert bool(absent) == (row.answer == "INVALID"), case.why
    assert bool(errors) == (row.answer != "VALID")
    strict = _about(_session(case.id, row.step, profile, "strict"), row.src)
    refused = any(each.severity is Severity.ERROR for each in strict)
    assert refused == (row.answer != "VALID")


@pytest.mark.parametrize(("case", "row", "profile"), _rows("subject"))
def test_subject(case: Case, row: Row, profile: str) -> None:
    answer = _session(case.id, row.step, profile).why("192.0.2.200", row.src, port=80)
    points = [point for each in answer.cases for point in each.points]
    chosen = any(each.selects for point in points for each in point.considered)
    assert chosen == (row.answer == "SELECTED"), case.why


@pytest.mark.parametrize(("case", "row", "profile"), _rows("pattern"))
def test_pattern(case: Case, row: Row, profile: str) -> None:
    del profile
    assert (row.dst in host_names(row.src)) == (row.answer == "MATCH"), case.why


@pytest.mark.parametrize(("case", "row", "profile"), _rows("endpoint"))
def test_endpoint(case: Case, row: Row, profile: str) -> None:
    """What an endpoint's previous policy was is not in the input."""
    session = _session(case.id, row.step, profile)
    assert row.answer == "CONFLICT"
    answer = session.why("shop/web", row.src, port=8080, http="GET /v1/a")
    assert answer.verdict is Verdict.UNDETERMINED


def test_what_is_open_is_undetermined_until_somebody_says() -> None:
    """Each setting has a case, with a row that nobody has settled and one that somebody has."""
    for case in cases("cilium-open"):
        (setting,) = case.ids
        first, *rest = case.rows
        assert (first.verdict, first.caveats) == ("undetermined", (f"cilium.{setting}",))
        assert any(f"cilium.{setting}" in case.told(r.step).get("cilium", {}) for r in rest)
