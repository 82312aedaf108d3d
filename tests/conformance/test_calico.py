"""Cloison's answers against the cases about Calico's own policies.

A row may say `at`, the side that denies; `staged` asks about the cluster as Calico's own preview
shows it, with staged policies added to the enforced ones.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from cloison.analyses.ask import Explanation
from cloison.analyses.staged import added
from cloison.app import Session, load_texts
from cloison.base import Severity
from cloison.ir.fidelity import Verdict
from tests.conformance.cases import Case, Row, cases

CASES = (*cases("calico"), *cases("calico-fields"))
ROWS = [
    pytest.param(
        case,
        row,
        profile,
        id=f"{case.ids[0]}-{number}-{profile}",
    )
    for case in CASES
    for number, row in enumerate(case.rows, start=1)
    for profile in case.under
    if row.profile in ("generic", profile)
]


@cache
def _session(name: str, step: str, profile: str) -> Session:
    (case,) = [case for case in CASES if case.id == name]
    return load_texts(case.texts(step), profile=profile)


def traffic(on: str) -> Mapping[str, Any]:
    """Return `TCP/80` or `ICMP/8/0` as a question's port and protocol."""
    protocol, _, rest = on.partition("/")
    if protocol == "ICMP":
        return {"port": on.lower()}
    return {"protocol": protocol, "port": int(rest)}


def denies(answer: Explanation) -> set[str]:
    """Return the directions of the points that deny."""
    points = answer.shown.points if answer.shown else ()
    return {str(each.direction) for each in points if each.verdict is Verdict.DENIED}


@pytest.mark.parametrize(("case", "row", "profile"), ROWS)
def test_row(case: Case, row: Row, profile: str) -> None:
    session = _session(case.id, row.step, profile)
    if row.staged:
        session = replace(session, policies=added(session.policies))
    answer = session.why(row.src, row.dst, **traffic(row.on), state=row.state, http=row.http)
    assert str(answer.verdict) == row.verdict, case.why
    if row.at is not None:
        assert row.at in denies(answer)
    if row.caveats is not None:
        assert {caveat.id for caveat in answer.caveats} == set(row.caveats)
    assert set(row.by) <= set(answer.decided_by)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.ids[0])
def test_the_documents_of_a_case_are_taken_as_they_are(case: Case) -> None:
    for step in ("", *case.steps):
        for profile in case.under:
            said = _session(case.id, step, profile).diagnostics
            assert {d.code for d in said if d.severity is not Severity.INFO} == set(case.codes)
