"""`shadow` of candidates as people write them: wrong ports, languages not judged, other windows."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Ran, run_cloison

EXAMPLE = Path(__file__).parents[3] / "examples" / "case-management"
NETWORKPOLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: case-api, namespace: case-management}
spec:
  podSelector: {matchLabels: {app: case-api}}
  policyTypes: [Ingress]
  ingress:
    - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: web}}}]
      ports: [{port: 80}]
"""
EGRESS = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: case-portal, namespace: web}
spec:
  podSelector: {matchLabels: {app: case-portal}}
  policyTypes: [Egress]
  egress:
    - to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: case-management}}}]
      ports: [{port: 80}]
"""
CILIUM = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: case-api, namespace: case-management}
spec:
  endpointSelector: {matchLabels: {app: case-api}}
  ingress:
    - fromEndpoints: [{matchLabels: {k8s:io.kubernetes.pod.namespace: web}}]
      toPorts: [{ports: [{port: "80", protocol: TCP}]}]
"""
CALICO = """
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: case-api, namespace: case-management}
spec:
  selector: app == "case-api"
  types: [Ingress]
  ingress:
    - action: Allow
      protocol: TCP
      source: {namespaceSelector: kubernetes.io/metadata.name == "web"}
      destination: {ports: [80]}
"""
ISTIO = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: case-api, namespace: case-management}
spec:
  selector: {matchLabels: {app: case-api}}
  action: ALLOW
  rules: [{to: [{operation: {ports: ["80"]}}]}]
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("candidates")
    ran = run_cloison("flows", "generate", "-f", str(EXAMPLE), "--days", "1")
    (home / "events.log").write_text(ran.out, encoding="utf-8")
    ran = run_cloison("flows", "ingest", str(home / "events.log"), "--store", str(home / "flows"))
    assert ran.exit == 0, ran.err
    return home / "flows"


def cast(store: Path, candidate: str, *words: str) -> Ran:
    file = store.parent / "candidate.yaml"
    file.write_text(candidate, encoding="utf-8")
    return run_cloison("shadow", str(file), "-f", str(EXAMPLE), "--store", str(store), *words)


def said(ran: Ran) -> str:
    return " ".join(ran.out.split())


def fronts(found: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return what is said of ports, by who is called."""
    told: dict[str, list[dict[str, Any]]] = {}
    for each in found["findings"]:
        told.setdefault(each["edges"][0]["dstName"], []).extend(each["fronts"])
    return told


@pytest.mark.parametrize(
    ("candidate", "words", "rule"),
    [
        (NETWORKPOLICY, (), "case-management/case-api ingress rule 1"),
        (EGRESS, (), "web/case-portal egress rule 1"),
        (CILIUM, (), "CiliumNetworkPolicy case-management/case-api ingress rule 1"),
        (CALICO, ("--cni", "calico@3.32"), "CalicoNetworkPolicy case-management/case-api ingress"),
    ],
)
def test_a_rule_for_the_port_of_a_service_is_told(
    store: Path, candidate: str, words: tuple[str, ...], rule: str
) -> None:
    ran = cast(store, candidate, "--replace", "-q", *words, "-o", "json")
    assert ran.exit == 1, ran.err
    told = fronts(json.loads(ran.out))["case-management/case-api"]
    (front,) = (each for each in told if each["rule"].startswith(rule))
    assert (front["service"], front["port"], front["target"]) == (
        "case-management/case-api",
        80,
        8080,
    )
    text = said(cast(store, candidate, "--replace", "-q", *words))
    assert "allows TCP/80, the port of Service case-management/case-api" in text
    assert "so write 8080" in text
    assert "so write 8080" in cast(store, candidate, "--replace", "-q", *words, "-o", "md").out
    assert "so write 8080" in cast(store, candidate, "--replace", "-q", *words, "-o", "html").out


def test_rules_for_other_ports_and_other_peers_are_not_taken_for_it(store: Path) -> None:
    for other in (
        NETWORKPOLICY.replace("port: 80", "port: 81"),
        NETWORKPOLICY.replace("name: web", "name: payments"),
        NETWORKPOLICY.replace("port: 80", "port: 80, protocol: UDP"),
    ):
        ran = cast(store, other, "--replace", "-q", "-o", "json")
        assert ran.exit == 1
        assert not any(fronts(json.loads(ran.out)).values()), other


def test_a_candidate_that_nobody_can_judge_has_not_passed(store: Path) -> None:
    ran = cast(store, ISTIO, "-q")
    assert ran.exit == 2
    head, _ = said(ran).split("flows of")
    assert "AuthorizationPolicy (security.istio.io) is not modelled" in head
    # What it changes is not known either.
    _, changes = ran.out.split("against today:")
    assert "may open: " in changes
    assert "may close: web/case-portal -> " in changes
    assert "  opens: " not in changes
    assert "  closes: " not in changes
    assert "| may close |" in cast(store, ISTIO, "-q", "-o", "md").out
    assert "may close" in cast(store, ISTIO, "-q", "-o", "html").out


def test_a_window_without_flows_says_which(store: Path) -> None:
    ran = cast(store, NETWORKPOLICY, "-q", "--since", "2026-02-01T00:00:00Z")
    assert ran.exit == 2
    there = "what it has is from 2026-01-01T00:00:00Z to 2026-01-0"
    assert f"has no flows since 2026-02-01T00:00:00Z: {there}" in said(ran)
    ran = cast(store, NETWORKPOLICY, "-q", "--until", "2025-02-01T00:00:00Z")
    assert f"has no flows until 2025-02-01T00:00:00Z: {there}" in said(ran)
