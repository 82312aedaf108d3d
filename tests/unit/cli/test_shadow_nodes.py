"""`shadow` and `recommend` where nodes call and are called, and candidates that do not hold."""

import json
from pathlib import Path
from typing import Any

import pytest

import cloison
from cloison.analyses.past.course import Course
from cloison.analyses.reconcile.seen import Seen, SeenEnd
from cloison.app.shadow import Recorded, shadowed
from tests.support.cli import Ran, run_cloison

NODES = "".join(
    f"""
---
apiVersion: v1
kind: Node
metadata: {{name: node-{number}}}
status: {{addresses: [{{type: InternalIP, address: 192.0.2.1{number}}}]}}
"""
    for number in (1, 2)
)
APPS = "".join(
    f"""
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: {name}, image: example.org/{name}}}]}}
"""
    for name in ("api", "prom")
)
POLICIES = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: prom, namespace: shop}
spec:
  podSelector: {matchLabels: {app: prom}}
  policyTypes: [Egress]
  egress: [{to: [{ipBlock: {cidr: BLOCK}}], ports: [{port: 9100}]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {matchLabels: {app: api}}
  policyTypes: [Ingress]
  ingress: [{from: [{ipBlock: {cidr: BLOCK}}], ports: [{port: 8080}]}]
"""
CALICO = """
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: both, namespace: shop}
spec:
  selector: all()
  types: [Ingress, Egress]
  ingress: [{action: Allow, protocol: TCP, source: {nets: [BLOCK]}}]
  egress: [{action: Allow, protocol: TCP, destination: {nets: [BLOCK]}}]
"""
FINE = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: fine, namespace: shop}
spec: {podSelector: {matchLabels: {app: api}}, policyTypes: [Egress]}
"""
MISSPELT = FINE.replace("NetworkPolicy", "NetworkPolcy").replace("fine", "misspelt")
REFUSED = FINE.replace("[Egress]", "[Egres]").replace("fine", "refused")
OTHER = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {a: b}
"""


def record(number: int, source: dict[str, Any], destination: dict[str, Any], port: int) -> str:
    """Return a flow of Hubble, of an hour of its own for every two."""
    time = f"2026-03-02T{number // 2:02}:07:00Z"
    way = "EGRESS" if port == 9100 else "INGRESS"
    flow = {
        "time": time,
        "verdict": "FORWARDED",
        "IP": {"source": source["ip"], "destination": destination["ip"], "ipVersion": "IPv4"},
        "l4": {"TCP": {"source_port": 40_000 + number, "destination_port": port}},
        "source": source["end"],
        "destination": destination["end"],
        "Type": "L3_L4",
        "event_type": {"type": 5},
        "traffic_direction": way,
        "is_reply": False,
    }
    return json.dumps({"flow": flow, "node_name": "node-1", "time": time})


def pod(name: str, ip: str) -> dict[str, Any]:
    end = {
        "namespace": "shop",
        "labels": [f"k8s:app={name}"],
        "pod_name": f"{name}-1",
        "workloads": [{"name": name, "kind": "Deployment"}],
    }
    return {"end": end, "ip": ip}


def node(number: int) -> dict[str, Any]:
    end = {"identity": 6, "labels": ["reserved:remote-node"]}
    return {"end": end, "ip": f"192.0.2.1{1 + number // 2 % 2}"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day in which a pod called two nodes every other hour each, and they another pod."""
    found = tmp_path_factory.mktemp("nodes")
    lines = [
        line
        for number in range(0, 48, 2)
        for line in (
            record(number, pod("prom", "10.0.0.6"), node(number), 9100),
            record(number + 1, node(number), pod("api", "10.0.0.5"), 8080),
        )
    ]
    (found / "flows.log").write_text("\n".join(lines) + "\n", encoding="utf-8")
    ran = run_cloison("flows", "ingest", str(found / "flows.log"), "--store", str(found / "st"))
    assert ran.exit == 0, ran.err
    (found / "known.yaml").write_text(APPS + NODES, encoding="utf-8")
    (found / "unknown.yaml").write_text(APPS, encoding="utf-8")
    return found


def cast(home: Path, candidate: str, *words: str, world: str = "known") -> Ran:
    (home / "candidate.yaml").write_text(candidate, encoding="utf-8")
    asked = (str(home / "candidate.yaml"), "-f", str(home / f"{world}.yaml"))
    return run_cloison("shadow", *asked, "--store", str(home / "st"), *words)


def said(ran: Ran) -> str:
    """Return what was printed as one line: where it is broken hangs on the length of paths."""
    return " ".join(ran.out.split())


def counts(ran: Ran) -> dict[str, int]:
    """Return how many connections there are of each fate that there are any of."""
    told = json.loads(ran.out)["counts"]
    return {fate: each["connections"] for fate, each in told.items() if each["connections"]}


@pytest.mark.parametrize("to", ["networkpolicy", "calico"])
def test_policies_for_nodes_are_proved_by_the_addresses_of_these(home: Path, to: str) -> None:
    source = ("-f", str(home / "known.yaml"), "--store", str(home / "st"))
    ran = run_cloison("recommend", "--to", to, *source)
    assert "proved: 2 of 2 observed edges that are meant pass, 2 of 2 calls" in said(ran)
    assert "CON213" not in ran.err


@pytest.mark.parametrize(
    ("block", "found", "code"),
    [
        ("192.0.2.0/24", {"passing": 48}, 0),
        # One node of the two: records say which of them it was. The other may be api's own.
        ("192.0.2.11/32", {"denied": 12, "passing": 24, "undetermined": 12}, 1),
        ("203.0.113.0/24", {"denied": 24, "undetermined": 24}, 1),
    ],
)
@pytest.mark.parametrize("form", [POLICIES, CALICO])
def test_nodes_are_asked_about_one_by_one(
    home: Path, form: str, block: str, found: dict[str, int], code: int
) -> None:
    words = ("--replace", "-o", "json", "--cni", "calico@3.32")
    ran = cast(home, form.replace("BLOCK", block), *words)
    assert ran.exit == code, ran.err
    assert counts(ran) == found


def test_which_node_would_be_denied_is_told(home: Path) -> None:
    ran = cast(home, POLICIES.replace("BLOCK", "192.0.2.11/32"), "--cni", "calico@3.32")
    assert "denied: shop/prom -> a node on TCP/9100: 12 connections" in said(ran)
    assert "12 of 24 watched hours" in said(ran)
    assert "from prom-1; node node-2 missing: egress of shop/prom" in said(ran)
    ran = cast(home, POLICIES.replace("BLOCK", "192.0.2.11/32"), "-o", "json", "--cni", "calico")
    told = json.loads(ran.out)
    edges = [*told["undetermined"], *(e for f in told["findings"] for e in f["edges"])]
    assert [each["nodes"] for each in edges] == [["node-2"], ["node-2"]]


def test_a_node_that_records_call_by_its_name_is_that_node(home: Path) -> None:
    told = Seen(
        SeenEnd("pod", "shop", "prom", "Deployment"),
        SeenEnd("host", workload="node-2", kind="Node"),
        "TCP",
        9100,
        "allowed",
        3,
        course=Course((5,), (3,)),
    )
    for block, fates in (("192.0.2.11/32", {"denied": 3}), ("192.0.2.12/32", {"passing": 3})):
        texts = {"world": APPS + NODES, "candidate": POLICIES.replace("BLOCK", block)}
        before = cloison.load_texts({"world": texts["world"]}, runtime=True, profile="calico")
        after = cloison.load_texts(texts, runtime=True, profile="calico")
        found = shadowed(before, after, Recorded((told,)))
        assert not found.unplaced
        assert {str(each.fate): each.connections for each in found.edges} == fates
        assert found.edges[0].nodes == ("node-2",)


def test_nodes_of_unknown_address_are_undetermined_and_it_is_said_what_helps(home: Path) -> None:
    candidate = POLICIES.replace("BLOCK", "192.0.2.0/24")
    ran = cast(home, candidate, "--replace", world="unknown")
    assert "nothing that got through would be denied; 48 undetermined" in said(ran)
    assert "--node-cidr" in said(ran)
    ran = cast(home, candidate, "--replace", "--node-cidr", "192.0.2.0/24", world="unknown")
    assert "48 get through as before" in said(ran)
    # Blocks that let nothing of it through leave no doubt.
    closed = candidate.replace("9100", "9200")
    assert "would be denied: 24 connections" in said(cast(home, closed, world="unknown"))


@pytest.mark.parametrize("words", [(), ("-q",)])
@pytest.mark.parametrize(
    ("candidate", "why"),
    [
        (MISSPELT, "there is no kind NetworkPolcy"),
        (REFUSED, "`Egres` is not a policy type"),
        (OTHER, "it holds none"),
    ],
)
def test_a_candidate_without_a_policy_is_no_answer(
    home: Path, candidate: str, why: str, words: tuple[str, ...]
) -> None:
    ran = cast(home, candidate, *words)
    assert ran.exit == 2
    assert "no policy could be read from" in ran.err
    assert why in ran.err
    assert not ran.out


@pytest.mark.parametrize("words", [(), ("-q",)])
@pytest.mark.parametrize("refused", [MISSPELT, REFUSED])
def test_a_candidate_of_which_a_part_is_refused_has_not_passed(
    home: Path, refused: str, words: tuple[str, ...]
) -> None:
    ran = cast(home, f"{FINE}---{refused}", *words, "--fail-on", "never")
    assert ran.exit == 2
    head, _ = said(ran).split("flows of")
    assert "policies of today NOT THE WHOLE CANDIDATE: NetworkPol" in head
    assert cast(home, FINE, *words).exit == 0


def test_a_candidate_that_the_profile_does_not_judge_has_not_passed(home: Path) -> None:
    candidate = CALICO.replace("BLOCK", "192.0.2.0/24")
    ran = cast(home, candidate, "--cni", "cilium@1.20")
    assert ran.exit == 2
    head, _ = said(ran).split("flows of")
    assert "not judged under the profile cilium@1.20" in head
    assert "--cni calico@" in head
    (remark,) = json.loads(cast(home, candidate, "--cni", "cilium@1.20", "-o", "json").out)[
        "remarks"
    ]
    assert "calico" in remark
    assert cast(home, candidate, "--cni", "calico@3.32").exit == 0


def test_what_two_candidates_hold_is_said_to_be_the_last_one_s(home: Path) -> None:
    (home / "first.yaml").write_text(FINE, encoding="utf-8")
    ran = cast(home, FINE, str(home / "first.yaml"))
    assert ran.exit == 0
    assert "the candidate holds NetworkPolicy shop/fine more than once" in said(ran)
    assert "more than once" not in said(cast(home, FINE))
