"""`contract check`: findings at their place, and none that another command would belie."""

import pytest

from tests.unit.analyses.contract.test_check import WORLD, checked, codes

SERVER = """\
---
apiVersion: v1
kind: Service
metadata: {name: kubernetes, namespace: default}
spec: {clusterIP: 10.96.0.1, ports: [{name: https, port: 443, targetPort: 6443}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: kubernetes, namespace: default}
subsets: [{addresses: [{ip: 192.0.2.9}], ports: [{name: https, port: 6443}]}]
"""


def test_requests_over_anything_but_tcp_make_no_sense() -> None:
    found = checked(
        "  dependencies:\n"
        "    - from: web/portal\n"
        "      to: db/postgres\n"
        "      http: {method: GET}\n"
        "      ports:\n"
        "        - 8080\n"
        "        - 53/UDP\n"
    )
    (finding,) = (each for each in found.findings if each.code == "CON116")
    assert str(finding.span) == "contract.yaml:11:11"
    assert "over 53/UDP" in finding.message
    assert str(finding.severity) == "error"


@pytest.mark.parametrize(("more", "known"), [("", False), (SERVER, True)])
def test_an_api_server_whose_endpoints_are_read_is_in_the_input(more: str, *, known: bool) -> None:
    found = checked("  platform: [apiserver]\n", WORLD + more)
    assert ("CON151" not in codes(found)) is known


@pytest.mark.parametrize("role", ["metadata", "node", "lb-health"])
def test_what_is_no_pods_is_missed_by_nobody(role: str) -> None:
    assert "CON151" not in codes(checked(f"  platform: [{role}]\n"))


def test_a_name_calls_nobody() -> None:
    guardrail = "  guardrails: [{name: g, deny: {from: 'zone:world', to: web/portal}}]\n"
    (proof,) = checked(guardrail).proofs
    callers = {each.source.text for each in proof.breaches}
    assert callers
    assert not any(each.startswith("dns:") for each in callers)
