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


def test_a_name_that_another_guardrail_is_about_casts_no_doubt() -> None:
    alone = "{name: mine, deny: {from: web/portal, to: db/postgres, ports: [81]}}"
    named = "{name: named, deny: {from: db/postgres, to: 'dns:evil.example.com'}}"
    world = WORLD + (
        "---\n"
        "apiVersion: networking.k8s.io/v1\n"
        "kind: NetworkPolicy\n"
        "metadata: {name: shut, namespace: db}\n"
        "spec: {podSelector: {}, policyTypes: [Ingress, Egress]}\n"
    )
    only = alone.replace("deny: {from: web/portal", "only: {from: web/portal")
    for one in (alone, only):
        found = checked(f"  guardrails:\n    - {one}\n    - {named}\n", world).proofs
        caveats = {proof.guardrail.name: {c.id for c in proof.caveats} for proof in found}
        assert "NAME_ADDRESS_UNKNOWN" not in caveats["mine"]
        assert "NAME_ADDRESS_UNKNOWN" in caveats["named"]


@pytest.mark.parametrize("port", ["1.5", "99999999999999999999"])
def test_a_number_that_can_be_no_port_is_said_to_be_none(port: str) -> None:
    found = checked(
        f"  dependencies:\n    - {{from: web/portal, to: db/postgres, ports: [{port}]}}\n"
    )
    (finding,) = (each for each in found.findings if each.code == "CON006")
    assert finding.message.endswith("is no port: one is a whole number from 1 to 65535")
