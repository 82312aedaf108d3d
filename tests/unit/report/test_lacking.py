"""What an answer lacks is said in every form that people or build servers read."""

import json
from pathlib import Path

import pytest

import cloison
from cloison.app import Session
from cloison.base import Diagnostic, Severity, Span
from cloison.platform import profile
from cloison.report import About, formats, render
from cloison.report.lacking import lacking, sentences
from tests.support.xml import read_xml
from tests.unit.report.results import CORNERS, about, corners
from tests.unit.report.test_pictures import HOSTILE

GENERIC = profile("generic")
BROKEN = """\
---
apiVersion: v1
kind: [
---
apiVersion: v1
kind: Pod
metadata: {name: three, namespace: a, labels: {app: "no label", tier: "nor this"}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: guard, namespace: a}
spec: {podSelector: {}, ingres: []}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: odd, namespace: a}
spec: {podSelector: {matchExpressions: [{key: a, operator: Inn}]}}
"""
TESTS = """\
tests:
  - {name: open, from: a/two, to: a/one, port: web, expect: allow}
"""


def broken() -> Session:
    return cloison.load_texts({"a.yaml": CORNERS, "b.yaml": BROKEN})


def fault(code: str, line: int, file: str = "f.yaml", effect: str = "") -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, "m", Span(file, line), effect=effect)


def told(*found: Diagnostic) -> tuple[str, ...]:
    return sentences(About("0", GENERIC, "default", found))


def test_what_was_not_read_and_what_does_not_count_are_told_apart() -> None:
    session = broken()
    unread, left_out = sentences(about(session))
    assert unread == "1 document could not be read: b.yaml:4; the answer lacks it"
    # Two things are wrong with the pod. Of the policy with an unknown field the rest counts, but
    # there are two of that name, and the last one is used.
    assert left_out.startswith("3 objects are left out: ")
    for name in ("NetworkPolicy a/guard (a.yaml:", "Pod a/three (b.yaml:", "NetworkPolicy a/odd ("):
        assert name in left_out
    assert {d.code for d in session.diagnostics} > {d.code for d in lacking(about(session))}
    assert sentences(about(corners())) == ()


def test_many_places_are_counted() -> None:
    (said,) = told(*(fault("SRC001", n) for n in range(1, 7)))
    places, rest = said.split("; ")
    assert places == "6 documents could not be read: f.yaml:1, f.yaml:2, f.yaml:3 and 3 more"
    assert rest == "the answer lacks them"
    assert told(fault("SRC001", 1), fault("SRC010", 2)) == (
        "2 parts of the input were not read: f.yaml:1, f.yaml:2; the answer lacks them",
    )
    assert told(fault("OBJ002", 1, effect="the API server drops this field")) == ()


def test_sides_are_named_where_they_differ() -> None:
    both, was, now = (fault("SRC001", n) for n in (1, 2, 3))
    sides = frozenset({both, was}), frozenset({both, now})
    known = About("0", GENERIC, "default", (both, was, now), sides)
    assert [line.split(";")[0] for line in sentences(known)] == [
        "1 document could not be read: f.yaml:1",
        "1 document could not be read (before): f.yaml:2",
        "1 document could not be read (after): f.yaml:3",
    ]


@pytest.mark.parametrize("output", sorted(set(formats("map")) - {"csv", "html"}))
def test_every_form_says_it(output: str) -> None:
    session = broken()
    results = {"map": session.map(), "diff": session.diff(session)}
    for kind, result in results.items():
        text = "".join(render(kind, result, about(session), output))
        if output in ("json", "yaml", "jsonl"):
            assert "SRC001" in text
        else:
            assert "1 document could not be read" in text
            assert "3 objects are left out" in text
        whole = "".join(render(kind, result, about(corners()), output))
        assert "could not be read" not in whole
        assert "left out" not in whole


def test_text_of_every_kind_says_it() -> None:
    session = broken()
    results: dict[str, object] = {
        "why": session.why("a/two", "a/one:web"),
        "map": session.map(),
        "matrix": session.map(),
        "exposure": session.exposure(),
        "relate": session.relate("redundant"),
        "effective": session.effective("a/one"),
        "policy": session.describe_policy("a/guard"),
    }
    for kind, result in results.items():
        *_, unread, left_out, more, profile = "".join(
            render(kind, result, about(session))
        ).splitlines()
        assert unread.startswith("1 document could not be read: "), kind
        assert left_out.startswith("3 objects are left out: ")
        assert more.startswith("  ")
        assert profile.startswith("profile ")


def test_lines_of_json_are_edges_and_then_what_is_lacking() -> None:
    session = broken()
    lines = "".join(render("map", session.map(), about(session), "jsonl")).splitlines()
    whole = "".join(render("map", session.map(), about(corners()), "jsonl")).splitlines()
    assert lines[:-1] == whole
    (said,) = [json.loads(lines[-1])]
    assert list(said) == ["diagnostics"]
    document = json.loads("".join(render("map", session.map(), about(session), "json")))
    assert all(each in document["diagnostics"] for each in said["diagnostics"])
    assert len(said["diagnostics"]) == len(lacking(about(session)))


def test_junit_says_it_and_fails_nothing(tmp_path: Path) -> None:
    file = tmp_path / "tests.yaml"
    file.write_text(TESTS, encoding="utf-8")
    session = broken()
    matrix = session.verify([str(file)])
    (suite,) = read_xml("".join(render("verify", matrix, about(session), "junit")))
    assert [each.tag for each in suite] == ["testcase", "system-err"]
    assert (suite[1].text or "").splitlines() == list(sentences(about(session)))
    assert (suite.get("tests"), suite.get("errors")) == ("1", "0")
    (suite,) = read_xml("".join(render("verify", matrix, about(corners()), "junit")))
    assert [each.tag for each in suite] == ["testcase"]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_names_of_files_break_no_form(name: str) -> None:
    session = corners()
    known = About("0", session.profile, "default", (fault("SRC001", 1, f"{name}\n{name}"),))
    for output in set(formats("map")) - {"csv", "html", "json", "jsonl", "yaml"}:
        text = "".join(render("map", session.map(), known, output))
        assert output in ("text", "dot") or "<script" not in text, output
        assert "\x1b" not in text
        assert "\u202e" not in text
        if output == "svg":
            read_xml(text)
        if output == "mermaid":
            (comment,) = (x for x in text.splitlines() if x.lstrip().startswith("%%"))
            assert "{" not in comment
        if output == "dot":
            assert text.splitlines()[1].startswith("digraph ")
        if output == "md":
            assert sum(line.startswith("> **") for line in text.splitlines()) == 1
