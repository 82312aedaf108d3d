"""Connectivity tests answered by a kernel, beside what the engine predicts."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from cloison.analyses.applied import Deed, Held
from cloison.analyses.matrix import Expect, Row
from cloison.analyses.measured import Agreement, Arrival, MeasuredMatrix, RowStatus
from cloison.app import Session, load, load_texts
from cloison.app.lab import blueprint
from cloison.app.measure import measured
from cloison.app.running import Running
from cloison.base import QuestionError
from cloison.base.version import VERSION
from cloison.probe.lab.client import Lab
from cloison.report import About, Look, render
from cloison.report.schema import schemas
from tests.support.cli import run_process

EXAMPLE, BROKEN = "examples/case-management", "examples/case-management-broken"
GOLDEN = Path(__file__).parent / "golden"
UPDATE = os.environ.get("CLOISON_GOLDEN") == "update"

pytestmark = pytest.mark.usefixtures("machine")


def golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if UPDATE:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def broken() -> tuple[Session, MeasuredMatrix]:
    session = load(BROKEN)
    return session, session.measure()


def printed(kind: str, session: Session, result: object, output: str) -> str:
    about = About(VERSION, session.profile, session.settings.profile_chosen)
    return "".join(render(kind, result, about, output, Look(width=100)))


def test_the_example_is_as_its_tests_say() -> None:
    ran = run_process("verify", "--on", "lab", "-f", EXAMPLE)
    golden("passes.txt", ran.out)
    assert ran.exit == 0, ran.err


def test_rows_of_which_none_is_sent_are_not_taken_for_passed(tmp_path: Path) -> None:
    row = "{from: case-management/case-api, to: payments/payments-api, port: 8080"
    file = tmp_path / "requests.yaml"
    file.write_text(f"tests: [{row}, sni: cart.shop, expect: deny}}]\n")
    for sendable in (False, True):
        found = load(EXAMPLE).measure([str(file)], sendable=sendable)
        assert [r.status for r in found] == [RowStatus.INCONCLUSIVE]
        assert not found.complete


def test_rows_that_are_not_sent_are_seen_beside_those_that_are(tmp_path: Path) -> None:
    row = "{from: case-management/case-api, to: payments/payments-api, port: 8080"
    file = tmp_path / "requests.yaml"
    file.write_text(
        f"tests:\n- {row}, name: call, grpc: shop.v1.Cart/Add, expect: deny}}\n"
        f"- {row}, name: tls, sni: cart.shop, expect: deny}}\n"
    )
    ran = run_process("verify", "--on", "lab", "-f", EXAMPLE, "--tests", str(file))
    assert "1 of 2 rows measured and passed; 1 not measured: tls" in ran.out
    assert ran.exit == 2
    ran = run_process("verify", "--on", "lab", "-f", EXAMPLE, "--tests", str(file), "--sendable")
    assert "1 row was left out, as asked" in ran.out
    assert ran.exit == 0


def test_what_is_broken_fails_and_is_still_as_predicted(
    broken: tuple[Session, MeasuredMatrix],
) -> None:
    session, found = broken
    simulated = {r.row.name: r.verdict for r in session.verify()}
    assert found.complete
    assert not found.passed
    assert (found.rows.failed, found.counts.differs, found.counts.inconclusive) == (9, 0, 0)
    assert {r.row.name: r.measured for r in found} == simulated


@pytest.mark.parametrize("output", ["text", "json", "junit", "csv"])
def test_reports_are_as_somebody_read_them(
    broken: tuple[Session, MeasuredMatrix], output: str
) -> None:
    session, found = broken
    golden(f"broken.{output}", printed("measured", session, found, output))


def test_the_report_fits_its_schema(broken: tuple[Session, MeasuredMatrix]) -> None:
    document = json.loads(printed("measured", *broken, "json"))
    jsonschema.Draft202012Validator(schemas()["measured"]).validate(document)


def test_every_closed_path_has_a_control(broken: tuple[Session, MeasuredMatrix]) -> None:
    closed = [c for c in broken[1].cells if c.arrival is Arrival.DROPPED]
    assert len(closed) > 30
    for cell in closed:
        assert cell.control is not None
        control = cell.control.flow
        assert cell.flow.target == control.target or cell.flow.address == control.address
        assert (cell.flow.family, cell.flow.protocol) == (control.family, control.protocol)


def test_a_kernel_that_is_told_otherwise_differs() -> None:
    """Rows are judged by what is measured, and by no means by what is predicted."""
    right, wrong = load(EXAMPLE), load(BROKEN)
    rows = [r.row for r in right.verify()]
    made = blueprint(right, rows)
    other = blueprint(wrong, rows, like=made.plan)
    lied = replace(made, plan=other.plan)
    found = measured(lied, rows)
    differing = {r.row.name for r in found if r.differs}
    expected = {r.row.name for r in wrong.verify() if not r.passed}
    assert differing == expected
    counted = [c for c in found.cells if c.counted]
    assert len(counted) == 5
    assert all(c.agreement is Agreement.DIFFERS for c in counted)


def test_rows_without_a_port_and_through_a_service() -> None:
    session = load(EXAMPLE)
    rows = [
        Row("any port", "web/case-portal", "case-management/case-api", None),
        Row("a service", "web/case-portal", "svc:case-management/case-api", Expect.ALLOW, "80"),
        Row("a closed one", "web/case-portal", "svc:audit/audit-writer", Expect.DENY, "80"),
        Row("a node", "node:lab-node", "case-management/case-api", None, "8080"),
        Row("nobody", "web/nobody", "web/case-portal", None, "1"),
    ]
    ports = [s.ports[0].port for s in session.world.services.values() if s.name == "audit-writer"]
    rows[2] = replace(rows[2], port=str(ports[0]))
    front = [s.ports[0].port for s in session.world.services.values() if s.name == "case-api"]
    rows[1] = replace(rows[1], port=str(front[0]))
    found = measured(blueprint(session, rows), rows)
    statuses = [r.status for r in found]
    assert statuses[1:4] == [RowStatus.PASSED] * 3
    assert statuses[4] is RowStatus.ERROR
    assert found.results[0].status is RowStatus.PASSED
    assert {c.arrival for c in found.results[0].cells} == {Arrival.OPEN, Arrival.DROPPED}


def test_port_53_outside_where_the_lab_answers_for_names() -> None:
    """A world without DNS pods: the lab's own server has that port of the outside."""
    docs = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: x}\nspec: {containers: []}\n"
    session = load_texts({"a.yaml": docs})
    rows = [
        Row(f"{protocol} {port}", "x/a", "8.8.8.8", Expect.ALLOW, port, protocol)
        for protocol in ("UDP", "TCP", "SCTP")
        for port in ("53", "54")
    ]
    found = measured(blueprint(session, rows), rows)
    assert [r.status for r in found] == [RowStatus.PASSED] * 6
    assert {c.arrival for c in found.cells} == {Arrival.OPEN}


@contextmanager
def lab(name: str) -> Iterator[str]:
    """A lab of the example that stays, under a profile that says nothing of open connections."""
    ran = run_process("lab", "up", "-f", EXAMPLE, "--name", name, "--cni", "generic")
    assert ran.exit == 0, ran.err
    try:
        yield name
    finally:
        Lab.find(name).down()


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """A lab that nobody changes."""
    with lab(f"verify-{os.getpid()}") as name:
        yield Running.find(name)


@pytest.mark.parametrize(
    ("name", "source", "destination"),
    [
        ("open", "web/case-portal", "case-management/case-api:8080"),
        ("closed", "web/case-portal", "evidence/evidence-api:8080"),
        ("service", "case-management/case-api", "svc:kube-system/kube-dns:53/UDP"),
        ("replicas", "evidence/evidence-store", "evidence/evidence-store:7000"),
    ],
)
def test_a_trace_shows_the_rules_that_were_predicted(
    running: Running, name: str, source: str, destination: str
) -> None:
    found = running.trace(source, destination)
    assert found.agrees
    text = printed("trace", running.session, found, "text")
    # How often what is not answered is sent again depends on how long things take.
    counted = re.compile(r"^(leaving|entering)( +)\d+ ", re.MULTILINE)
    golden(f"trace-{name}.txt", counted.sub(r"\1\2n ", text))


def test_a_trace_on_the_command_line(running: Running) -> None:
    words = ("web/case-portal", "case-management/case-api:8080", "-o", "json", "--family", "6")
    ran = run_process("lab", "trace", *words, "--name", running.lab.name)
    assert ran.exit == 0, ran.err
    document = json.loads(ran.out)
    jsonschema.Draft202012Validator(schemas()["trace"]).validate(document)
    assert document["flow"]["family"] == 6
    assert [met["agrees"] for met in document["path"]] == [True, True]


def test_a_lab_that_runs_changes_policies_only(running: Running) -> None:
    with pytest.raises(QuestionError, match="is no policy"):
        running.apply(["examples/guardrails/00-shop.yaml"])
    with pytest.raises(QuestionError, match="nothing to apply"):
        running.apply([])


def policy(cidr: str, name: str = "new", more: str = "") -> str:
    return (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        f"metadata: {{name: {name}, namespace: web}}\n"
        f"spec: {{podSelector: {{}}, {more}ingress: [{{from: [{{ipBlock: {{cidr: {cidr}}}}}]}}]}}\n"
    )


def test_what_is_wrong_with_a_change_is_said(running: Running, tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"
    file.write_text(policy("300.0.0.0/8"), encoding="utf-8")
    with pytest.raises(QuestionError, match=r"nothing of it can be applied: `300\.0") as said:
        running.apply([str(file)])
    assert "new.yaml:4" in said.value.message
    assert "write a block" in (said.value.help or "")


def test_policies_change_while_connections_live(tmp_path: Path) -> None:
    with lab(f"apply-{os.getpid()}") as name:
        after, found = Running.find(name).apply([f"{BROKEN}/30-case-management.yaml"])
        golden("apply.txt", printed("applied", after.session, found, "text"))
        document = json.loads(printed("applied", after.session, found, "json"))
        jsonschema.Draft202012Validator(schemas()["applied"]).validate(document)
        deeds = {done.name: done.deed for done in found.done}
        assert deeds["case-management/allow-dns"] is Deed.UNCHANGED
        assert deeds["case-management/case-api"] is Deed.REPLACED
        assert found.agrees
        closed = [each for each in found.flows if not each.opened]
        assert "web/case-portal -> case-management/case-api-canary on TCP/8080" in {
            str(each.cell.flow) for each in closed
        }
        assert {each.held for each in closed} == {Held.LIVED}, "an open connection needs no rule"

        assert found.notes == ()

        # What was changed is remembered, and can be taken back.
        ran = run_process("lab", "apply", "--delete", "netpol/audit/audit-writer", "--name", name)
        assert ran.out.startswith("deleted NetworkPolicy audit/audit-writer\n")
        assert ran.exit == 0, ran.err
        again = Running.find(name)
        trace = again.trace("case-management/case-api-canary", "case-management/path-prober:1")
        assert trace.agrees
        trace = again.trace("case-management/case-api", "audit/audit-writer:8080")
        assert trace.agrees
        assert trace.cell.arrival is Arrival.DROPPED
        files = (f"{EXAMPLE}/50-audit.yaml", f"{EXAMPLE}/30-case-management.yaml")
        _, opened = again.apply(files)
        deeds = {done.name: done.deed for done in opened.done}
        assert deeds["audit/audit-writer"] is Deed.ADDED
        assert opened.agrees
        assert opened.flows
        assert all(each.opened for each in opened.flows)

        # Of what is partly wrong the rest is applied, and what is wrong is told.
        texts = [policy("300.0.0.0/8"), policy("10.0.0.0/8", "good", "engress: 5, ")]
        (tmp_path / "odd.yaml").write_text("---\n".join(texts), encoding="utf-8")
        _, odd = again.apply([str(tmp_path / "odd.yaml")])
        assert [(done.name, done.deed) for done in odd.done] == [("web/good", Deed.ADDED)]
        assert len(odd.notes) == 2
        assert all(note.startswith("error: ") and "odd.yaml:" in note for note in odd.notes)
