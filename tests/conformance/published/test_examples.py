"""Policies that Cilium publishes, in worlds that its pages describe: answered as the pages say."""

import json

import pytest

from cloison.analyses.testfile import API_VERSION, KIND
from cloison.app import load_texts
from cloison.base import Severity
from tests.conformance.published.examples import PROFILE, SOURCE, Entry, entries, session

pytestmark = pytest.mark.skipif(
    not SOURCE.is_dir(), reason="needs a checkout of cilium/cilium; CILIUM_SOURCE names it"
)
_VERDICTS = {"allow": "allowed", "deny": "denied"}
_ENTRIES = [pytest.param(each, id=f"{each.number}-{each.file}") for each in entries()]


@pytest.mark.parametrize("entry", _ENTRIES)
def test_example_is_read(entry: Entry) -> None:
    found = [d.code for d in session(entry.number).diagnostics if d.severity is Severity.ERROR]
    assert sorted(found) == sorted((*entry.refused, *entry.says))


@pytest.mark.parametrize("entry", _ENTRIES)
def test_example_answers(entry: Entry) -> None:
    asked = session(entry.number)
    for row in entry.rows:
        answer = asked.why(row.src, row.dst, **row.said)
        assert str(answer.verdict) == _VERDICTS.get(row.expect, row.expect), row


def test_examples_are_verified() -> None:
    """The same rows as a file of tests, which names ends and ports apart."""
    for entry in entries():
        rows = [row for row in entry.rows if row.expect in _VERDICTS]
        tests = [row.test(f"{number}") for number, row in enumerate(rows)]
        document = {"apiVersion": API_VERSION, "kind": KIND, "tests": tests}
        texts = {**entry.case.texts(), "tests.json": json.dumps(document)}
        matrix = load_texts(texts, profile=PROFILE, **entry.case.told()).verify()
        assert [each.passed for each in matrix.results] == [True] * len(rows), entry.file
