"""`cloison portability`: what it takes, what it exits with, what it says on the way."""

import json
from pathlib import Path

import pytest

from tests.support.cli import run_cloison

BOUND = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  endpointSelector: {}
  egress: [{toFQDNs: [{matchName: a.example.com}]}]
"""
READ = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {}
  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]
"""
PODS = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: i}]}
status: {phase: Running, podIP: 10.0.0.1}
---
apiVersion: v1
kind: Pod
metadata: {name: other, namespace: ops}
spec: {containers: [{name: c, image: i}]}
status: {phase: Running, podIP: 10.0.0.2}
"""
PAIR = ("--between", "cilium@1.19,calico@3.32")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    for name, text in (("bound", BOUND), ("read", READ), ("pods", PODS)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("-f", "bound.yaml"), 1),
        (("-f", "bound.yaml", "--fail-on", "never"), 0),
        (("-f", "bound.yaml", "-n", "ops"), 0),
        (("-f", "bound.yaml", "-n", "ops", "-A"), 1),
        (("-f", "read.yaml"), 0),
        (("-f", "read.yaml", "--fail-on", "any"), 1),
        (("-f", ".", *PAIR), 1),
        (("-f", ".", *PAIR, "--fail-on", "never"), 0),
        (("-f", "pods.yaml", *PAIR), 0),
        (("-f", "read.yaml", *PAIR), 2),
        (("-f", ".", "--between", "cilium"), 2),
        (("-f", ".", "--between", "cilium@1.19,cilium@1.19"), 2),
        (("-f", ".", "--between", "cilium,nobody"), 2),
        (("-f", ".", *PAIR, "--from", "shop/nobody"), 2),
        (("-f", ".", "--port", "80"), 2),
    ],
    ids=str,
)
def test_exits_with(here: Path, arguments: tuple[str, ...], code: int) -> None:
    ran = run_cloison("portability", *arguments, cwd=here)
    assert ran.exit == code, ran.err
    assert (code == 2) <= ("error:" in ran.err or "nothing to compare" in ran.out)


def test_an_edge_in_json(here: Path) -> None:
    ran = run_cloison(
        "portability", "-f", ".", *PAIR, "--from", "ops/other", "-o", "json", cwd=here
    )
    document = json.loads(ran.out)
    verdicts = [(each["first"], each["second"]) for each in document["differences"]]
    assert ("denied", "allowed") in verdicts
    ids = {fact["id"] for fact in document["facts"]}
    assert {"blocks-match-pods", "enforces-cilium.io-CiliumNetworkPolicy"} & ids
    assert [document[side]["name"] for side in ("first", "second")] == [
        "cilium@1.19",
        "calico@3.32",
    ]


def test_findings_stand_beside_their_lines(here: Path) -> None:
    ran = run_cloison("portability", "-f", "bound.yaml", "-f", "read.yaml", "-o", "sarif", cwd=here)
    (run,) = json.loads(ran.out)["runs"]
    places = [
        (
            each["ruleId"],
            each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            each["locations"][0]["physicalLocation"]["region"]["startLine"],
        )
        for each in run["results"]
    ]
    assert ("POR001", "bound.yaml", 7) in places
    assert ("POR002", "read.yaml", 7) in places
