"""Reading connectivity tests, and answering them with the engine."""

import json
from pathlib import Path
from typing import Any

import pytest

from cloison.analyses.matrix import Expect, Matrix, RowResult, Status
from cloison.analyses.testfile import read_tests
from cloison.app import Session, load, load_texts
from cloison.base import QuestionError, Severity, SourceError
from cloison.ir.caveats import REQUEST_WRITTEN_OTHERWISE
from cloison.ir.fidelity import Verdict
from tests.support.cli import ROOT
from tests.support.documents import document

WORLD = """
apiVersion: v1
kind: Namespace
metadata: {name: web}
---
apiVersion: v1
kind: Pod
metadata: {name: front, namespace: web, labels: {app: front}}
spec: {containers: [{name: c}]}
status: {podIP: 10.0.0.1, phase: Running}
---
apiVersion: v1
kind: Pod
metadata: {name: back, namespace: web, labels: {app: back}}
spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
status: {podIP: 10.0.0.2, phase: Running}
---
apiVersion: v1
kind: Service
metadata: {name: back, namespace: web}
spec: {selector: {app: back}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: back, namespace: web}
spec:
  podSelector: {matchLabels: {app: back}}
  ingress:
    - from: [{podSelector: {matchLabels: {app: front}}}]
      ports: [{port: 8080}]
"""


def verify(rows: str, world: str = WORLD, **said: Any) -> Matrix:
    head = "apiVersion: cloison.dev/v1alpha1\nkind: ConnectivityTests\n"
    return load_texts({"world.yaml": world, "tests.yaml": f"{head}tests:\n{rows}"}, **said).verify()


def one(row: str, **said: Any) -> RowResult:
    (result,) = verify(f"  - {row}\n", **said)
    return result


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ("{from: web/front, to: web/back, port: 8080, expect: allow}", "allowed"),
        ('{from: web/front, to: web/back, port: "8080", expect: allow}', "allowed"),
        ("{from: web/front, to: web/back, port: http, expect: allow}", "allowed"),
        ("{from: web/front, to: web/back, port: 8081, expect: deny}", "denied"),
        ("{from: web/front, to: web/back, port: 8080, protocol: UDP, expect: deny}", "denied"),
        ("{from: web/front, to: svc:web/back, port: 80, expect: allow}", "allowed"),
        ("{from: 192.0.2.1, to: web/back, port: 8080, expect: deny}", "denied"),
        ("{from: web/front, to: 192.0.2.0/24, port: 443, expect: allow}", "allowed"),
        ("{from: 10.0.0.1, to: 10.0.0.2, port: 8080, expect: allow}", "allowed"),
        ("{from: web/back, to: web/front, expect: allow}", "allowed"),
        ("{from: 192.0.2.1, to: web/back, expect: deny}", "denied"),
    ],
)
def test_a_row_passes_on_the_verdict_it_expects(row: str, verdict: str) -> None:
    result = one(row)
    assert (result.verdict, result.passed, result.status) == (verdict, True, Status.PASSED)
    assert result.decided_by
    other = row.replace("expect: allow", "expect: x").replace("expect: deny", "expect: allow")
    failed = one(other.replace("expect: x", "expect: deny"))
    assert (failed.verdict, failed.passed, failed.status) == (verdict, False, Status.FAILED)


@pytest.mark.parametrize("expect", list(Expect))
def test_mixed_passes_for_nobody_and_shows_a_flow_each_way(expect: Expect) -> None:
    result = one(f"{{from: web/front, to: web/back, expect: {expect}}}")
    assert (result.verdict, result.status) == (Verdict.MIXED, Status.FAILED)
    assert {w.verdict for w in result.witnesses} == {Verdict.ALLOWED, Verdict.DENIED}


@pytest.mark.parametrize("expect", list(Expect))
def test_undetermined_passes_for_nobody(expect: Expect) -> None:
    row = f"{{from: web/front, to: web/back, protocol: ICMP, expect: {expect}}}"
    result = one(row, profile="generic")
    assert (result.verdict, result.status) == (Verdict.UNDETERMINED, Status.UNDETERMINED)
    assert [c.id for c in result.caveats] == ["NON_L4"]


def test_what_decided_is_what_why_says() -> None:
    said = {"port": 8080}
    session = load_texts({"world.yaml": WORLD})
    allowed = one("{from: web/front, to: web/back, port: 8080, expect: allow}")
    assert [d.text for d in allowed.decided_by] == ["default", "web/back ingress rule 1"]
    for source in ("web/front", "192.0.2.1"):
        answer = session.why(source, "web/back", **said)
        result = one(f"{{from: {source}, to: web/back, port: 8080, expect: allow}}")
        assert [d.text for d in result.decided_by] == list(answer.decided_by)
        assert result.caveats == answer.caveats


def test_an_application_part_is_carried_and_judged_by_its_port() -> None:
    http = "http: {method: GET, path: /}"
    open_ = one(f"{{from: web/front, to: web/back, port: 8080, {http}, expect: allow}}")
    assert (open_.verdict, open_.passed) == (Verdict.ALLOWED, True)
    assert open_.notes[-1].startswith("no policy here looks at http")
    assert open_.row.application.http is not None
    assert json.loads(open_.row.application.http) == {"method": "GET", "path": "/"}
    shut = one(f"{{from: 192.0.2.1, to: web/back, port: 8080, {http}, expect: deny}}")
    assert shut.passed


def test_a_policy_that_looks_at_http_is_not_said_to_be_blind_to_it() -> None:
    policy = (
        "apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\n"
        "metadata: {name: a, namespace: web}\n"
        "spec: {order: 1, ingress: [{action: Allow, http: {methods: [GET]}}]}\n"
    )
    http = "http: {method: GET, path: /}"
    tests = f"tests: [{{from: web/front, to: web/back, port: 8080, {http}, expect: allow}}]"
    head = "apiVersion: cloison.dev/v1alpha1\nkind: ConnectivityTests\n"
    session = load_texts({"world.yaml": WORLD, "calico.yaml": policy, "t.yaml": head + tests})
    (result,) = session.verify()
    assert [c.id for c in result.caveats] == ["HTTP_RULE"]
    assert result.notes[-1].startswith("a policy here looks at http")


def test_an_application_part_that_nobody_can_judge_is_undetermined() -> None:
    mesh = (
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
        "metadata: {name: a, namespace: web}\nspec: {}\n"
    )
    tests = "tests: [{from: web/front, to: web/back, port: 8080, http: {path: /}, expect: allow}]"
    head = "apiVersion: cloison.dev/v1alpha1\nkind: ConnectivityTests\n"
    session = load_texts({"world.yaml": WORLD, "mesh.yaml": mesh, "t.yaml": head + tests})
    (result,) = session.verify()
    assert (result.verdict, result.passed) == (Verdict.UNDETERMINED, False)
    assert "not modelled looks at http is not known" in result.notes[-1]


@pytest.mark.parametrize(
    ("row", "code", "message", "help_"),
    [
        ("{from: web/front, expect: deny}", "TST004", "`to`", "to: api/server"),
        ("{to: web/front, expect: deny}", "TST004", "`from`", "from: web/portal"),
        ("{from: web/front, to: web/back}", "TST004", "`expect`", "allow"),
        ("{from: a, to: b, expect: allowed}", "TST005", "'allowed'", "write allow"),
        ("{from: a, to: b, expect: maybe}", "TST005", "'maybe'", "allow or deny"),
        ("{from: a, to: b, expect: true}", "TST003", "true or false", "quotes"),
        ("{from: a, to: b, expects: deny, expect: deny}", "TST002", "`expects`", "`expect`"),
        ("{from: a, to: [b], expect: deny}", "TST003", "a list", ""),
        ("{from: a, to: b, port: [1], expect: deny}", "TST003", "`port`", ""),
        ("{from: a, to: b, port: true, expect: deny}", "TST003", "`port`", ""),
        ("{from: a, to: b, port: 53/UDP, expect: deny}", "TST006", "53/UDP", "protocol: UDP"),
        ("{from: a, to: b, port: icmp, expect: deny}", "TST006", "icmp", "protocol: icmp"),
        (
            "{from: a, to: 'x/b:8080', expect: deny}",
            "TST006",
            "x/b:8080",
            "to: x/b with port: 8080",
        ),
        ("{from: a, to: '[2001:db8::1]:80', expect: deny}", "TST006", "carries a port", "port: 80"),
        ("{from: 'x/a:80', to: b, expect: deny}", "TST006", "`from` carries", "from: x/a"),
        ("just text", "TST003", "a row is text", ""),
    ],
)
def test_a_row_that_cannot_be_read_costs_itself_alone(
    row: str, code: str, message: str, help_: str
) -> None:
    good = "{name: good, from: web/front, to: web/back, port: 8080, expect: allow}"
    matrix = verify(f"  - {row}\n  - {good}\n")
    bad, fine = matrix.results
    assert fine.passed
    assert bad.status is Status.ERROR
    assert bad.verdict is None
    (diagnostic,) = matrix.diagnostics
    assert (diagnostic.code, diagnostic.severity) == (code, Severity.ERROR)
    assert message in diagnostic.message
    assert help_ in (diagnostic.help or "")
    assert diagnostic.span is not None
    assert (diagnostic.span.file, diagnostic.span.line) == ("tests.yaml", 4)
    assert bad.error == diagnostic.message
    assert not matrix.complete
    assert not matrix.passed
    assert (matrix.summary.errors, matrix.summary.passed) == (1, 1)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("{from: web/frnt, to: web/back, port: 1, expect: deny}", "web/frnt"),
        ("{from: web/front, to: web/back, port: 99999, expect: deny}", "99999"),
        ("{from: web/front, to: web/back, port: nope, expect: deny}", "'nope'"),
        ("{from: web/front, to: web/back, port: 1, protocol: QUIC, expect: deny}", "'QUIC'"),
        ("{from: web/front, to: 10.0.0.300, port: 1, expect: deny}", "10.0.0.300"),
    ],
)
def test_a_row_that_cannot_be_asked_is_an_error_of_its_own(row: str, words: str) -> None:
    good = "{from: web/front, to: web/back, port: 8080, expect: allow}"
    bad, fine = verify(f"  - {row}\n  - {good}\n")
    assert fine.passed
    assert bad.status is Status.ERROR
    assert bad.error is not None
    assert words in bad.error
    assert bad.help


def test_a_name_that_is_nearly_right_is_offered() -> None:
    assert "web/front" in (one("{from: web/frnt, to: web/back, expect: deny}").help or "")


def test_rows_are_called_by_their_ends_when_they_have_no_name() -> None:
    result = one("{from: web/front, to: web/back, port: 8080, expect: allow}")
    assert result.row.name == "web/front -> web/back on TCP/8080"
    assert str(result.row.span) == "tests.yaml:4:5"


def test_two_rows_of_one_name_are_a_warning() -> None:
    row = "  - {name: x, from: web/front, to: web/back, port: 8080, expect: allow}\n"
    matrix = verify(row * 2)
    assert [(d.code, d.severity) for d in matrix.diagnostics] == [("TST007", Severity.WARNING)]
    assert matrix.passed


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("kind: ConnectivityTests\nrows: []\n", "TST001"),
        ("apiVersion: cloison.dev/v9\nkind: ConnectivityTests\ntests: []\n", "TST001"),
        ("kind: Deployment\ntests: []\n", "TST001"),
        ("tests: {from: a}\n", "TST003"),
        ("tests: []\n", "TST008"),
        ("tests: []\nmore: 1\n", "TST002"),
    ],
)
def test_a_document_that_holds_no_rows_is_reported(text: str, code: str) -> None:
    found = read_tests([document(text)])
    assert not found.rows
    assert code in [d.code for d in found.diagnostics]


def test_documents_without_a_kind_are_read_when_they_are_named(tmp_path: Path) -> None:
    row = {"from": "web/front", "to": "web/back", "port": 8080, "expect": "allow"}
    (tmp_path / "a.json").write_text(json.dumps({"tests": [row]}), encoding="utf-8")
    (tmp_path / "b.yaml").write_text("tests: [{from: x}]\n", encoding="utf-8")
    session = load_texts({"world.yaml": WORLD})
    matrix = session.verify([str(tmp_path / "a.json")])
    assert matrix.passed
    both = session.verify([str(tmp_path / "a.json"), str(tmp_path / "b.yaml")])
    assert (both.summary.total, both.summary.passed, both.summary.errors) == (2, 1, 1)


def test_named_files_take_the_place_of_those_found(tmp_path: Path) -> None:
    session = load(str(ROOT / "examples" / "case-management"))
    (tmp_path / "t.yaml").write_text(
        "tests: [{from: web/case-portal, to: evidence/evidence-api, port: 8080, expect: deny}]",
        encoding="utf-8",
    )
    assert session.verify([str(tmp_path / "t.yaml")]).summary.total == 1


def test_without_tests_the_error_shows_a_file_of_them() -> None:
    session = load_texts({"world.yaml": WORLD})
    with pytest.raises(QuestionError) as raised:
        session.verify()
    assert "kind: ConnectivityTests" in (raised.value.help or "")
    with pytest.raises(QuestionError):
        session.verify(on="moon")
    with pytest.raises(SourceError):
        session.verify(["no/such/file.yaml"])


BROKEN = {
    "namespace-neighbour-to-evidence",
    "case-api-to-enforcement",
    "canary-to-enforcement",
    "payments-to-dns",
    "portal-to-case-api-canary",
    "canary-to-evidence",
    "canary-to-postgres",
    "enforcement-to-audit",
    "prometheus-to-audit-metrics",
}


@pytest.mark.parametrize(
    ("name", "failing"), [("case-management", set()), ("case-management-broken", BROKEN)]
)
def test_the_examples_fail_exactly_where_they_are_broken(name: str, failing: set[str]) -> None:
    session: Session = load(str(ROOT / "examples" / name))
    matrix = session.verify()
    assert {r.row.name for r in matrix if not r.passed} == failing
    assert {r.row.name for r in matrix if r.status is Status.FAILED} == failing
    assert matrix.summary.total == 55
    assert matrix.complete
    for result in matrix:
        answer = session.why(
            result.row.source,
            result.row.destination,
            port=result.row.port,
            protocol=result.row.protocol,
            **result.row.application.said,
        )
        # What else a server may take for the path is for who asks, not for a table.
        caveats = tuple(c for c in answer.caveats if c != REQUEST_WRITTEN_OTHERWISE)
        assert (result.verdict, result.caveats) == (answer.verdict, caveats)
        assert [d.text for d in result.decided_by] == list(answer.decided_by)
        if not result.passed:
            assert result.decided_by == answer.deciders


def test_the_order_of_reading_does_not_choose_between_rows_of_one_name() -> None:
    rows = {
        f"{name}.yaml": json.dumps(
            {
                "apiVersion": "cloison.dev/v1alpha1",
                "kind": "ConnectivityTests",
                "tests": [{"from": "web/front", "to": "192.0.2.7", "expect": expect}],
            }
        )
        for name, expect in (("one", "allow"), ("two", "deny"))
    }
    for order in (("one.yaml", "two.yaml"), ("two.yaml", "one.yaml")):
        matrix = load_texts({"w.yaml": WORLD, **{name: rows[name] for name in order}}).verify()
        assert next((r.row.expect, r.passed) for r in matrix) == (Expect.ALLOW, True)
        (said,) = matrix.diagnostics
        assert said.span is not None
        assert said.span.file == "two.yaml"


CILIUM = """
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: back, namespace: web, labels: {app: back}}
spec: {nodeName: n1, containers: [{name: c}]}
status: {podIP: 10.0.0.2, phase: Running}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: back, namespace: web}
spec:
  endpointSelector: {matchLabels: {app: back}}
  ingress: [{icmps: [{fields: [{type: 8}]}]}, {fromEntities: [ingress]}]
"""


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ("{from: 203.0.113.9, to: web/back, protocol: ICMP/8, expect: allow}", Verdict.ALLOWED),
        ("{from: 203.0.113.9, to: web/back, protocol: icmp/8/0, expect: allow}", Verdict.ALLOWED),
        ("{from: 203.0.113.9, to: web/back, protocol: ICMP/0, expect: allow}", Verdict.DENIED),
        ("{from: 203.0.113.9, to: web/back, protocol: ICMP, expect: allow}", Verdict.MIXED),
        ("{from: 'reserved:ingress', to: web/back, port: 80, expect: allow}", Verdict.ALLOWED),
        ("{from: 'reserved:health@n1', to: web/back, port: 80, expect: allow}", Verdict.DENIED),
        ("{from: web/back, to: 'reserved:health@n1', port: 4240, expect: allow}", Verdict.ALLOWED),
    ],
)
def test_types_of_messages_and_ends_of_the_enforcer(row: str, verdict: Verdict) -> None:
    assert one(row, world=CILIUM, profile="cilium@1.19").verdict is verdict


def test_a_type_in_the_place_of_a_port_is_told_where_it_belongs() -> None:
    result = one("{from: web/front, to: web/back, port: icmp/8, expect: allow}")
    (fault,) = result.row.faults
    assert fault.help == "write protocol: icmp/8"
