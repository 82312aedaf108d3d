"""What build servers and code hosts read: JUnit and SARIF."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from junitparser import JUnitXml

import cloison
from cloison.analyses.matrix import Expect, Matrix, Row, RowResult
from cloison.base import Diagnostic, Severity, Span
from cloison.ir.fidelity import Verdict
from cloison.report import Accepted, Findings, render
from tests.support.xml import read_xml
from tests.unit.report.results import about, corners, example, findings
from tests.unit.report.test_pictures import HOSTILE

SCHEMA = json.loads(
    (Path(__file__).parent / "schemas" / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8")
)
ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testcase": {"name", "classname"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
}
"""All of them in the schema of Jenkins' xUnit plugin, `junit-10.xsd`."""


def junit(matrix: Matrix) -> str:
    return "".join(render("verify", matrix, about(corners()), "junit"))


def sarif(found: Findings) -> dict[str, Any]:
    document = json.loads("".join(render("validate", found, about(corners()), "sarif")))
    checker = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    checker.validate(document)
    (run,) = document["runs"]
    assert isinstance(run, dict)
    return run


# ------------------------------------------------------------------ JUnit


def test_junit_counts_and_explains() -> None:
    known = example().verify()
    text = junit(known)
    root = read_xml(text)
    for element in root.iter():
        assert set(element.attrib) <= ATTRIBUTES[element.tag]
    summary = known.summary
    assert root.get("tests") == str(summary.total)
    assert root.get("failures") == str(summary.failed + summary.undetermined)
    assert root.get("errors") == "0"
    (suite,) = root
    assert suite.get("name") == "examples/case-management-broken/tests.yaml" or (
        (suite.get("name") or "").endswith("case-management-broken/tests.yaml")
    )
    case = next(c for c in suite if c.get("name") == "namespace-neighbour-to-evidence")
    (failure,) = case
    assert failure.attrib == {"message": "expected denied, found allowed", "type": "allowed"}
    said = failure.text or ""
    assert "decided by: evidence/evidence-api ingress rule 1 (" in said
    assert "40-evidence.yaml:292)" in said
    assert "tests.yaml:230" in said
    assert len(JUnitXml.fromstring(text.encode())) == 1


def test_undetermined_is_a_failure_and_what_cannot_be_asked_an_error() -> None:
    row = Row("r", "a/x", "b/y", Expect.ALLOW, "80", span=Span("t/x.yaml", 3))
    fault = Diagnostic("TST001", Severity.ERROR, "no tests", Span("t/bad.yaml", 1), help="write")
    known = Matrix.of(
        (
            RowResult(row, Verdict.UNDETERMINED, passed=False),
            RowResult(row, None, passed=False, error="no such end", help="look again"),
            RowResult(row, Verdict.ALLOWED, passed=True),
        ),
        (fault,),
    )
    root = read_xml(junit(known))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("4", "1", "2")
    asked, broken = root
    assert [[result.tag for result in case] for case in asked] == [["failure"], ["error"], []]
    assert asked[0].get("classname") == "t.x"
    assert asked[0][0].get("message") == "expected allowed, found undetermined"
    assert asked[1][0].text == "a/x -> b/y on TCP/80\nrow: t/x.yaml:3\nhelp: look again"
    assert broken[0].get("name") == "TST001"


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_junit_holds_any_name(name: str) -> None:
    row = Row(name, name, name, Expect.DENY, None, why=name, span=Span(name, 1))
    text = junit(Matrix.of((RowResult(row, Verdict.ALLOWED, passed=False, notes=(name,)),)))
    text.encode()
    root = read_xml(text)
    assert [e.tag for e in root.iter()] == ["testsuites", "testsuite", "testcase", "failure"]
    if name.isprintable():
        assert root[0][0].get("name") == name


# ------------------------------------------------------------------ SARIF


def test_sarif_says_what_validate_says() -> None:
    found = findings(example())
    run = sarif(found)
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted({d.code for d in found.diagnostics})
    assert all(rule["help"]["text"] and rule["shortDescription"]["text"] for rule in rules)
    for known, result in zip(found.diagnostics, run["results"], strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == known.code
        assert result["message"]["text"].startswith(known.message)
        assert (
            result["level"]
            == {"error": "error", "warning": "warning", "info": "note"}[known.severity]
        )
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert known.span is not None
        assert place["region"] == {"startLine": known.span.line, "startColumn": known.span.column}
        assert "\\" not in place["artifactLocation"]["uri"]


def test_what_is_accepted_is_in_sarif_as_suppressed() -> None:
    kept, known = (
        Diagnostic(code, Severity.WARNING, "m", Span("a.yaml", 1)) for code in ("NPS002", "NPS001")
    )
    run = sarif(Findings((kept,), 1, (Accepted(known, "on its way out"),)))
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["NPS001", "NPS002"]
    assert [(r["ruleId"], r.get("suppressions")) for r in run["results"]] == [
        ("NPS002", None),
        (
            "NPS001",
            [{"kind": "external", "status": "accepted", "justification": "on its way out"}],
        ),
    ]


def test_fingerprints_stay_when_lines_move() -> None:
    def prints(shift: int) -> list[str]:
        spans = [Span("a.yaml", line + shift) for line in (1, 5, 9)]
        said = [
            Diagnostic("NPS001", Severity.WARNING, "same", spans[0], "Pod a/b"),
            Diagnostic("NPS001", Severity.WARNING, "same", spans[1], "Pod a/b"),
            Diagnostic("NPS001", Severity.WARNING, "other", spans[2], "Pod a/b"),
        ]
        run = sarif(Findings(tuple(said), 1))
        return [r["partialFingerprints"]["cloison/v1"] for r in run["results"]]

    assert prints(0) == prints(40)
    assert len(set(prints(0))) == 3


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("policies/a b#c%.yaml", "policies/a%20b%23c%25.yaml"),
        ("/srv/a.yaml", "file:///srv/a.yaml"),
        ("<stdin>", "%3Cstdin%3E"),
        ("git:HEAD~1:a.yaml", "git%3AHEAD~1%3Aa.yaml"),
        ("../up/\u00e9.yaml", "../up/%C3%A9.yaml"),
    ],
)
def test_files_are_uri_references(file: str, uri: str) -> None:
    said = Diagnostic("SRC001", Severity.ERROR, "m", Span(file, 1))
    (result,) = sarif(Findings((said,), 1))["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == uri


def test_sarif_of_nothing_and_of_no_place() -> None:
    assert sarif(Findings((), 0))["results"] == []
    (result,) = sarif(Findings((Diagnostic("SRC001", Severity.INFO, "m"),), 0))["results"]
    assert result["locations"] == []


def test_a_broken_object_is_reported_where_it_is() -> None:
    session = cloison.load_texts({"x.yaml": "kind: NetworkPolicy\nmetadata: {}\n"})
    run = sarif(findings(session))
    assert {
        r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in run["results"]
    } == {"x.yaml"}
