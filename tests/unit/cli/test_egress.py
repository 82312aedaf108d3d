"""`cloison cni` and `cloison egress`: what they take, and what they exit with."""

import json
from pathlib import Path

import pytest

from tests.support.cli import run_cloison

EXAMPLE = "examples/case-management"
WIDE = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}
"""
ACCEPTED = """
suppressions:
- {code: CNI001, reason: no cluster yet}
"""


@pytest.mark.parametrize(
    ("command", "fail_on", "code"),
    [
        ("cni", "error", 1),
        ("cni", "never", 0),
        ("egress", "error", 0),
        ("egress", "warning", 1),
    ],
)
def test_findings_decide_the_exit_code(command: str, fail_on: str, code: int) -> None:
    ran = run_cloison(command, "-f", "-", "--fail-on", fail_on, stdin=WIDE)
    assert ran.exit == code


def test_nobody_enforcing_is_the_first_line() -> None:
    first, *_ = run_cloison("cni", "-f", "-", stdin=WIDE).out.splitlines()
    assert first.startswith("NO ENFORCING CNI FOUND: ")


def test_what_is_accepted_counts_no_more(tmp_path: Path) -> None:
    config = tmp_path / "cloison.yaml"
    config.write_text(ACCEPTED, encoding="utf-8")
    ran = run_cloison("cni", "-f", "-", "--config", str(config), stdin=WIDE)
    assert ran.exit == 0
    assert ran.out.startswith("NO ENFORCING CNI FOUND: ")
    assert "1 suppressed" in ran.out


def test_namespaces_and_names_choose_workloads() -> None:
    def told(*arguments: str) -> list[str]:
        ran = run_cloison("egress", *arguments, "-f", EXAMPLE, "-o", "json")
        assert ran.exit == 0
        found = json.loads(ran.out)["workloads"]
        return [f"{w['workload']['namespace']}/{w['workload']['name']}" for w in found]

    assert told("-n", "payments") == ["payments/payments-api"]
    assert told("web/case-portal", "audit/audit-writer") == [
        "audit/audit-writer",
        "web/case-portal",
    ]
    assert len(told("-n", "payments", "-A")) == 16


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("egress", "web/nobody"), "nobody"),
        (("egress", "-n", "nowhere"), "nowhere"),
        (("egress", EXAMPLE), "-f"),
        (("cni", "web/case-portal"), "unexpected extra argument"),
    ],
)
def test_what_is_not_there_is_refused(arguments: tuple[str, ...], said: str) -> None:
    ran = run_cloison(*arguments, "-f", EXAMPLE)
    assert ran.exit == 2
    assert said in ran.err
