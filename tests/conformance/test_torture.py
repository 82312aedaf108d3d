"""The selector torture set: our answers, the oracle's, and the set's own good order."""

from functools import cache
from typing import Any

import pytest
import yaml

from cloison import Session, load
from cloison.base import Severity
from tests.oracle.raw import RawOracle, policy_types
from tests.support.cli import ROOT
from tools import torture

CASES = torture.cases()
EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
BASES = {torture.DEFINED, "implementation-defined", "version-dependent"}
EXPECTED = {"allow": "allowed", "deny": "denied"}
# Python takes ::ffff:203.0.113.0/120 for IPv6, where Go reads the IPv4 block inside.
PYTHON_READS_OTHERWISE = "block-ipv4-in-ipv6"
ROWS = [
    pytest.param(case, row, id=row["name"])
    for case in CASES
    for row in case.questions
    if case.name != PYTHON_READS_OTHERWISE
]
VERSIONED = [
    pytest.param(case, row, id=row["name"])
    for case in CASES
    for row in case.questions
    if row["basis"] == "version-dependent"
]
ASKED_FOR = {
    "and-in-one-item",
    "or-in-two-items",
    "policy-of-another-namespace",
    "two-labels-subject",
    "not-in-missing-key-peer",
    "empty-subject-selector",
    "null-subject-selector",
    "absent-subject-selector",
    "egress-empty-without-types",
    "egress-rule-without-types",
    "ports-of-an-empty-entry",
    "canary-with-the-label",
    "canary-without-the-label",
    "named-port-of-one-version",
    "except-is-a-hole",
    "block-host-bits",
    "block-ipv4-in-ipv6",
}


@cache
def _session(name: str) -> Session:
    return load(str(torture.CORPUS / name))


@cache
def _oracle(name: str) -> RawOracle:
    (case,) = [case for case in CASES if case.name == name]
    stored = [case.directory / file for file in case.files if file != "refused.yaml"]
    return RawOracle(doc for path in stored for doc in yaml.safe_load_all(path.read_text("utf-8")))


def _end(oracle: RawOracle, text: str) -> tuple[str, ...]:
    namespace, slash, name = text.partition("/")
    if not slash:
        return ("ip", text)
    made = ("workload", namespace, "Deployment", name)
    return made if made[1:] in oracle.templates else ("pod", namespace, name)


@EACH
def test_every_row_is_found_and_passes(case: torture.Case) -> None:
    results = _session(case.name).verify().results
    assert [result.row.name for result in results] == [row["name"] for row in case.questions]
    assert [result.row.name for result in results if not result.passed] == []


@EACH
def test_cloison_sees_the_same_isolation(case: torture.Case) -> None:
    session = _session(case.name)
    for name, directions in case.isolated.items():
        (section,) = session.effective(name).sections
        isolated = {str(side.direction).title() for side in section.sides if side.isolated}
        assert isolated == set(directions)


@pytest.mark.parametrize(("case", "row"), ROWS)
def test_the_oracle_agrees(case: torture.Case, row: dict[str, Any]) -> None:
    oracle = _oracle(case.name)
    family = 6 if ":" in row["from"] + row["to"] else 4
    ends = _end(oracle, row["from"]), _end(oracle, row["to"])
    answer = oracle.verdict(*ends, row["protocol"], row["port"], family)
    assert answer == EXPECTED[row["expect"]], row["why"]


@pytest.mark.parametrize(("case", "row"), VERSIONED)
def test_the_next_version_refuses_the_object(case: torture.Case, row: dict[str, Any]) -> None:
    """What a row says of Kubernetes 1.36, where blocks are read strictly."""
    session = load(str(case.directory), kubernetes=(1, 36))
    answer = session.why(row["from"], row["to"], port=row["port"], protocol=row["protocol"])
    assert str(answer.verdict) == "allowed"
    assert "refuse" in row["specification"]


@EACH
def test_the_oracle_sees_the_same_isolation(case: torture.Case) -> None:
    oracle = _oracle(case.name)
    for name, directions in case.isolated.items():
        policies = oracle.selecting(oracle.party(_end(oracle, name)))
        assert {d for p in policies for d in policy_types(p["spec"])} == set(directions)


@EACH
def test_only_what_is_to_be_refused_is_refused(case: torture.Case) -> None:
    errors = {
        (diagnostic.span.file.rpartition("/")[2], diagnostic.object)
        for diagnostic in _session(case.name).diagnostics
        if diagnostic.severity is Severity.ERROR and diagnostic.span
    }
    refused = case.directory / "refused.yaml"
    held = yaml.safe_load_all(refused.read_text("utf-8")) if refused.exists() else ()
    meta = [document["metadata"] for document in held]
    assert errors == {
        ("refused.yaml", f"NetworkPolicy {each['namespace']}/{each['name']}") for each in meta
    }


@EACH
def test_a_case_is_in_good_order(case: torture.Case) -> None:
    assert case.trap.endswith(".")
    assert case.sources
    assert {row["basis"] for row in case.questions} <= BASES
    assert all(row["why"] and row["expect"] in EXPECTED for row in case.questions)
    assert all(type(row["port"]) is int for row in case.questions)
    assert {path.name for path in case.directory.iterdir()} == {*case.files, "tests.yaml"}
    documents = case.documents()
    spaces = {d["metadata"]["name"] for d in documents if d["kind"] == "Namespace"}
    keys = [(d["kind"], d["metadata"].get("namespace"), d["metadata"]["name"]) for d in documents]
    assert len(keys) == len(set(keys))
    assert {space for _, space, _ in keys if space} <= spaces
    ends = {end for row in case.questions for end in (row["from"], row["to"]) if "/" in end}
    pods = {f"{space}/{name}" for kind, space, name in keys if kind in {"Pod", "Deployment"}}
    assert ends <= pods
    # A host-network pod is its node to some and a pod to others: nobody is asked.
    assert ends - set(case.isolated) <= {"red/host"}


def test_the_set_has_what_was_promised() -> None:
    assert {case.name for case in CASES} >= ASKED_FOR
    names = [row["name"] for case in CASES for row in case.questions]
    assert len(names) == len(set(names))


def test_the_table_is_up_to_date() -> None:
    """Where this fails, run tools/torture.py."""
    assert torture.TABLE.read_text("utf-8") == torture.table(CASES)


def test_the_page_is_up_to_date() -> None:
    """Where this fails, run tools/torture.py, and tools/torture_peers.py for a changed case."""
    text = torture.PAGE.read_text("utf-8")
    assert torture.page(text, CASES, torture.results()) == text


def test_the_readme_names_every_key() -> None:
    text = (ROOT / "conformance/torture/README.md").read_text("utf-8")
    keys = {key for case in CASES for row in case.questions for key in row}
    assert [key for key in sorted(keys) if f"`{key}`" not in text] == []


def test_recorded_answers_of_ours_are_right() -> None:
    (ours,) = [tool for tool in torture.results() if tool["tool"] == "Cloison"]
    assert all(torture.score(case, ours).clean for case in CASES)
    assert not any(torture.score(case, ours).differs for case in CASES)


def test_scores_tell_wrong_open_and_unanswered_apart() -> None:
    (case,) = [case for case in CASES if case.name == "block-and-pods"]
    right = torture.expected(case, "reach")
    first, _, pod = right
    other = {**right, first: "deny", pod: "deny"}
    tool = {"tool": "t", "asks": "reach", "silent": {}, "answers": {case.name: other}}
    scored = torture.score(case, tool)
    assert (scored.right, scored.wrong, scored.differs) == (1, (first,), (pod,))
    tool["answers"] = {case.name: {**right, first: None}}
    scored = torture.score(case, tool)
    assert (scored.right, scored.unanswered, scored.clean) == (2, 1, False)
    tool["answers"] = {case.name: {first: "allow"}}
    with pytest.raises(ValueError, match="record it anew"):
        torture.score(case, tool)
