"""What was measured, for people and for build servers."""

import re
from dataclasses import replace

from cloison.analyses.measured import Agreement
from cloison.base.version import VERSION
from cloison.probe.lab.trace import trace
from cloison.report import About, Look, render
from tests.support.lab import (
    CLUSTER,
    DROPPED,
    Told,
    applied,
    matrix,
    node,
    odd_matrix,
    plan,
    pod,
    policy,
    row,
    session,
    traced,
)
from tests.support.xml import read_xml
from tests.unit.report.test_reports import ATTRIBUTES

ABOUT = About(VERSION, CLUSTER.profile, "default")


def said(kind: str, result: object, output: str = "text") -> str:
    return "".join(render(kind, result, ABOUT, output, Look(width=100)))


def test_all_that_passed_is_said_in_a_line() -> None:
    text = said("measured", matrix())
    assert "all 3 rows passed\n" in text
    assert re.search(r"^\d+ flows measured, all as predicted$", text, re.MULTILINE)
    assert "web/other to web/api  dropped" in text
    assert text.count("\npassed") + text.startswith("passed") == 2, (
        "a row that expects nothing is told only when there is something to tell"
    )


def test_what_needs_a_look_is_told_with_its_reason() -> None:
    text = said("measured", odd_matrix())
    assert "DIFFERS  web/front to web/api  in/tests.yaml:7" in text
    assert "control: web/other -> web/api on TCP/8080 arrived (same target)" in text
    assert "counted 1  web/front egress rule 1" in text
    assert "there was no route, so no policy was asked: no route to host" in text
    assert "loopback traffic never leaves the pod" in text
    assert "of 7 rows, 3 failed, 2 inconclusive, 1 could not be asked and 1 passed" in text
    assert (
        "of 6 flows, 2 measured as predicted, 2 otherwise, 1 inconclusive, 1 not measurable" in text
    )
    assert "please report it" in text


def test_outcomes_are_told_apart() -> None:
    words = {line.split("  ")[0] for line in said("measured", odd_matrix()).splitlines()}
    assert {"failed", "inconclusive", "error"} <= {w.strip() for w in words}
    text = said("measured", odd_matrix())
    for word in ("open", "refused", "dropped", "no-route", "not sent"):
        assert re.search(rf"  {word}  ", text), word


def test_build_servers_see_failures_and_errors() -> None:
    report = read_xml(said("measured", odd_matrix(), "junit"))
    assert (report.get("tests"), report.get("failures"), report.get("errors")) == ("7", "3", "3")
    for element in report.iter():
        assert set(element.attrib) <= ATTRIBUTES.get(element.tag, set())
    kinds = [each.get("type") for each in report.iter("failure")]
    assert kinds == ["differs", "differs", "failed"]
    kinds = [each.get("type") for each in report.iter("error")]
    assert kinds == ["inconclusive", "inconclusive", "error"]
    passed = read_xml(said("measured", matrix(), "junit"))
    assert (passed.get("failures"), passed.get("errors")) == ("0", "0")


def test_the_page_is_whole_and_takes_nothing_for_markup() -> None:
    page = said("measured", odd_matrix(), "html")
    assert page.startswith("<!doctype html>")
    assert page.endswith("</html>\n")
    assert "it shows &lt;what&gt; the api gives it" in page
    assert "<what>" not in page
    assert "<script" not in page
    assert page.count("<details") == page.count("</details>") == 7
    assert page.count("<details open>") == 6


def test_a_trace_says_where_the_two_part() -> None:
    text = said("trace", traced())
    assert "leaving   1        web/front egress rule 1  the same" in text
    assert "entering  0        nothing                  web/api ingress rule 1  <- DIFFERS" in text
    assert "nothing is proven either way" in text


def test_a_trace_counts_the_isolating_policies_that_it_does_not_list() -> None:
    peers = [policy(f"p{n}", "api", policyTypes=["Ingress"], ingress=[]) for n in range(5)]
    made = session(node("n1", "10.9.0.1"), pod("a", "10.1.0.1"), pod("api", "10.1.0.2"), *peers)
    found = trace(Told(lambda _: DROPPED), made.engine, plan(made), row("web/a", "web/api", None))
    text = said("trace", found)
    assert text.count("isolates ingress") == 3
    assert "\n  and 2 policies more\n" in text


def test_a_change_says_what_became_of_traffic() -> None:
    text = said("applied", applied())
    assert text.startswith(
        "replaced NetworkPolicy web/api\napplied Tier first\n1 object as it was\n"
    )
    assert "and 3 more that were not tried" in text
    assert re.search(r"^closed .* open \(differs\) +lives on$", text, re.MULTILINE)
    assert "note: a note" in text
    assert "a connection lives on, against what the profile says: please report it" in text


def test_rows_of_which_nothing_was_sent_are_named_in_the_sum() -> None:
    known = matrix()
    first = known.results[0]
    cells = tuple(replace(each, arrival=None, control=None) for each in first.cells)
    none = tuple(replace(each, agreement=Agreement.NOT_MEASURABLE) for each in cells)
    unsent = replace(known, results=(replace(first, cells=none), *known.results[1:]))
    text = said("measured", unsent)
    assert f"2 of 3 rows measured and passed; 1 not measured: {first.row.name}\n" in text
