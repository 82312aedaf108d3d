"""`recommend` from end to end: flows are made up, policies are proved, written and read."""

import json
from pathlib import Path

import pytest

from tests.support.cli import ROOT, run_cloison

EXAMPLE = ("-f", "examples/case-management")
DAY = ("--today", "2026-01-20")
ASKED = ("sandbox/case-api", "evidence/evidence-store")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store of two days of the example, and of a call that was tried and denied."""
    home = tmp_path_factory.mktemp("recommend")
    log = home / "events.log"
    also = ("--also", f"{ASKED[0]} {ASKED[1]}:9000")
    made = run_cloison("flows", "generate", *EXAMPLE, "--days", "2", *also)
    assert made.exit == 0, made.err
    log.write_text(made.out, encoding="utf-8")
    done = run_cloison("flows", "ingest", "--store", str(home / "store"), str(log))
    assert done.exit == 0, done.err
    return home / "store"


def asked(store: Path, *more: str) -> tuple[str, ...]:
    return ("recommend", *EXAMPLE, "--store", str(store), *DAY, *more)


def test_the_first_lines_say_what_is_proved_asked_and_not_ready(store: Path) -> None:
    ran = run_cloison(*asked(store))
    assert ran.exit == 0, ran.err
    head = ran.out.partition("\n\n")[0]
    assert head.startswith("recommended: 27 policies for 16 workloads in 12 namespaces, as cilium")
    assert "\nproved: 110 of 110 observed edges that are meant pass" in head
    assert "\nasked: 1 question: 1 denied by policy" in head
    assert "\nready: 0 of 16 workloads; missing: 2 days of 14 were watched" in head
    assert f"denied by policy: {' -> '.join(ASKED)} on 9000/TCP: policy denied" in ran.out
    assert "write: - {name: sandbox-case-api-to-evidence-evidence-store," in ran.out


@pytest.mark.parametrize("target", ["networkpolicy", "cilium"])
def test_the_example_is_proved_in_every_language(store: Path, target: str) -> None:
    ran = run_cloison(*asked(store, "--to", target, "-o", "json"))
    told = json.loads(ran.out)
    proof = told["proof"]
    assert (proof["lost"], proof["unsure"], proof["leaks"]) == ([], [], [])
    assert (proof["expected"], proof["refused"]) == (110, 1)
    assert proof["policies"]["guardrails"] == proof["policies"]["holding"] == 7
    # Only one of them has words for the requests that the contract lets through.
    assert [each["code"] for each in told["findings"]] == ["CON205"] * (target != "cilium")
    assert ran.exit == (target != "cilium")
    assert [(q["from"], q["to"]) for q in told["questions"]] == [ASKED]


def test_each_port_of_a_call_carries_its_own_evidence(store: Path) -> None:
    calls = json.loads(run_cloison(*asked(store, "-o", "json")).out)["calls"]
    for call in calls:
        ports, told = call["evidence"]["ports"], call["evidence"]
        assert sum(each["connections"] for each in ports) == told["connections"]
        assert max((each["last"] for each in ports if each["last"]), default=None) == told["last"]
    (seen,) = next(each["evidence"]["ports"] for each in calls if each["name"] == "public-door")
    assert (seen["port"], seen["sources"], seen["confidence"]) == ("8443/TCP", ["hubble"], "high")
    assert seen["first"] < seen["last"]
    assert seen["why"] == "the contract says it, seen on 2 of 2 watched days"
    unseen = "case-management-path-prober-to-telemetry-otel-collector"
    (hinted,) = next(each["evidence"]["ports"] for each in calls if each["name"] == unseen)
    assert hinted == {
        "port": "4317/TCP",
        "connections": 0,
        "first": None,
        "last": None,
        "sources": [],
        "confidence": "medium",
        "why": "manifests say it, and it was not seen",
    }


def test_the_same_input_gives_the_same_bytes(store: Path) -> None:
    first, second = (run_cloison(*asked(store, "--policies", "-q")) for _ in range(2))
    assert first.out == second.out
    assert first.out.startswith(
        "# Written by cloison recommend. Flows: 2026-01-01 to 2026-01-02, 48 of"
    )


def test_questions_fail_the_run_where_that_is_asked(store: Path) -> None:
    assert run_cloison(*asked(store, "--fail-on", "questions")).exit == 1


def test_files_are_written_and_left_alone_when_others_wrote_them(
    store: Path, tmp_path: Path
) -> None:
    ran = run_cloison(*asked(store, "-n", "evidence", "--write", str(tmp_path)))
    assert ran.exit == 0, ran.err
    written = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.yaml"))
    assert written == [
        "evidence/_default-deny.yaml",
        "evidence/evidence-api.yaml",
        "evidence/evidence-store.yaml",
    ]
    again = run_cloison(*asked(store, "-n", "evidence", "--write", str(tmp_path)))
    assert "evidence/evidence-api.yaml    same" in again.out
    (tmp_path / "evidence/evidence-api.yaml").write_text("# mine\n", encoding="utf-8")
    third = run_cloison(*asked(store, "-n", "evidence", "--write", str(tmp_path)))
    assert third.exit == 2
    assert "was not written by cloison recommend" in third.err


def unproved(store: Path, *more: str) -> tuple[str, ...]:
    """Return a question whose answer is not proved: the language has no words for requests."""
    return asked(store, "--to", "networkpolicy", *more)


def test_what_is_not_proved_is_not_written_unless_that_is_said(store: Path, tmp_path: Path) -> None:
    ran = run_cloison(*unproved(store, "--write", str(tmp_path), "--fail-on", "never"))
    assert ran.exit == 1
    assert not list(tmp_path.iterdir())
    assert "error[REC004]: nothing was written to" in ran.out
    assert "say --unproved" in " ".join(ran.out.split())
    ran = run_cloison(*unproved(store, "--write", str(tmp_path), "--unproved"))
    assert ran.exit == 1
    pages = sorted(tmp_path.rglob("*.yaml"))
    assert pages
    for page in pages:
        first = page.read_text(encoding="utf-8").partition("\n")[0]
        assert first.startswith("# Written by cloison recommend. NOT PROVED: "), page
    # What was written so is ours all the same, and is written again.
    ran = run_cloison(*asked(store, "--to", "cilium", "--write", str(tmp_path)))
    assert ran.exit == 0, ran.err
    assert "NOT PROVED" not in pages[0].read_text(encoding="utf-8")


def test_what_the_settings_accept_does_not_keep_policies_from_being_written(
    store: Path, tmp_path: Path
) -> None:
    settings, home = tmp_path / "cloison.yaml", tmp_path / "policies"
    accepted = "suppressions:\n  - code: CON205\n    reason: the door reads requests\n"
    settings.write_text(accepted, encoding="utf-8")
    ran = run_cloison(*unproved(store, "--write", str(home), "--config", str(settings)))
    assert ran.exit == 0, ran.err
    pages = sorted(home.rglob("*.yaml"))
    assert pages
    assert not any("NOT PROVED" in page.read_text(encoding="utf-8") for page in pages)


def test_the_first_lines_say_why_policies_are_not_proved(store: Path) -> None:
    ran = run_cloison(*asked(store, "--to", "clusternetworkpolicy"))
    head = " ".join(ran.out.partition("\n\n")[0].split())
    assert "NOT PROVED: " in head
    assert "CON211: clusternetworkpolicy knows no peers outside the cluster on the way in" in head


def test_without_a_contract_flows_and_manifests_are_enough(store: Path, tmp_path: Path) -> None:
    for path in (ROOT / "examples/case-management").glob("*.yaml"):
        if path.name not in {"contract.yaml", "tests.yaml"}:
            (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    ran = run_cloison(
        *("recommend", "-f", str(tmp_path), "--store", str(store), *DAY, "-o", "json")
    )
    assert ran.exit == 0, ran.err
    told = json.loads(ran.out)
    assert told["proof"]["proved"]
    assert {g for each in told["calls"] for g in each["evidence"]["grounds"]} == {
        "manifest",
        "observed",
    }


def test_markdown_is_for_a_pull_request(store: Path) -> None:
    ran = run_cloison(*asked(store, "-o", "md"))
    assert ran.out.startswith("### Policies that are recommended\n\n- **Recommended**: 27 policies")
    assert "#### 1 question" in ran.out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--force",), "--force is about files, and none is written"),
        (("--unproved",), "--unproved is about files, and none is written"),
        (("--policies", "-o", "json"), "--policies has no json output"),
        (("--store", "nowhere"), "there is no store of flows at nowhere"),
        (("-n", "nowhere"), "there are no pods in nowhere"),
    ],
)
def test_what_cannot_be_asked_is_said(store: Path, more: tuple[str, ...], said: str) -> None:
    ran = run_cloison(*asked(store, *more))
    assert ran.exit == 2
    assert said in ran.err


CLUSTER = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}},
  spec: {containers: [{name: c, image: i}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec: {selector: {matchLabels: {app: api}}, template: {metadata: {labels: {app: api}},
  spec: {containers: [{name: c, image: i, ports: [{containerPort: 8080}]}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {clusterIP: 10.96.0.20, selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""


def test_a_call_to_a_service_is_recommended_by_its_pods_port_and_named_where_policy_stops_it(
    tmp_path: Path,
) -> None:
    cluster, log, kept = tmp_path / "cluster.yaml", tmp_path / "flows.csv", tmp_path / "store"
    cluster.write_text(CLUSTER, encoding="utf-8")
    head = "time,src_ns,src_pod,src_workload,src_kind,src_ip,src_port,dst_ip,dst_port,proto,verdict"
    rows = [
        f"2026-01-{day:02}T{hour:02}:10:00Z,shop,web-1,web,Deployment,10.1.1.1,{40000 + hour},"
        "10.96.0.20,80,TCP,allowed"
        for day in range(1, 5)
        for hour in range(24)
    ]
    log.write_text("\n".join([head, *rows]), encoding="utf-8")
    of = ("-f", str(cluster), "--store", str(kept), "--config", "none")
    done = run_cloison("flows", "ingest", str(log), *of, "--at", "2026-01-01T00:00Z")
    assert done.exit == 0, done.err
    ran = run_cloison("recommend", *of, *DAY)
    assert ran.exit == 0, ran.err + ran.out
    assert "shop-web-to-shop-api: shop/web -> shop/api on 8080\n" in ran.out
    assert (
        "opened, though policy stops it today:\n"
        "  shop/web -> shop/api on TCP/8080: shop/deny isolates ingress\n"
    ) in ran.out
    told = json.loads(run_cloison("recommend", *of, *DAY, "-o", "json").out)
    assert told["proof"]["proved"]
    assert told["proof"]["openings"] == [
        {
            "from": "shop/web",
            "to": "shop/api",
            "traffic": "TCP/8080",
            "shut": ["shop/deny isolates ingress"],
        }
    ]
