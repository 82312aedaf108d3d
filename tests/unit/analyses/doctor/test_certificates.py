"""D-CERT: the controller of certificates reaches ACME servers."""

from typing import Any

import pytest

from tests.support.smallworlds import Manifest, block, found, policy, rule, thing, workload

LABELS = {
    "app.kubernetes.io/name": "cert-manager",
    "app.kubernetes.io/component": "controller",
}
CONTROLLER = workload("cert-manager", "cert-manager", pod={"labels": LABELS})
BROAD = block("0.0.0.0/0", "10.0.0.0/8")


def issuer(**solver: Any) -> Manifest:
    """Return an issuer at an ACME server, proven in some way."""
    acme = {"server": "https://acme.example.org/directory", "solvers": [solver]}
    return thing("ClusterIssuer", "acme", api="cert-manager.io/v1", spec={"acme": acme})


def told(issuer: Manifest, *rules: Manifest) -> list[str]:
    """Return messages about a controller that may send so much."""
    shut = policy("cert-manager", egress=list(rules))
    return [each.message for each in found("D-CERT", CONTROLLER, issuer, shut)]


def test_the_server_is_needed() -> None:
    (said,) = told(issuer(dns01={}))
    assert said == (
        "cert-manager/cert-manager cannot get certificates of ClusterIssuer acme: "
        "acme.example.org on TCP/443 is not let through"
    )
    assert told(issuer(dns01={}), rule("to", BROAD, ports=(443,))) == []


def test_names_proven_over_http_are_called_first() -> None:
    (said,) = told(issuer(http01={"ingress": {}}), rule("to", BROAD, ports=(443,)))
    assert "the names to be proven on TCP/80" in said
    assert told(issuer(http01={"ingress": {}}), rule("to", BROAD, ports=(443, 80))) == []


@pytest.mark.parametrize("server", ["", "https://[", "https://host:99999", "no url"])
def test_a_server_that_is_none_is_left_alone(server: str) -> None:
    odd = issuer(dns01={})
    odd["spec"]["acme"]["server"] = server
    assert told(odd) == []


def test_who_is_not_restricted_gets_certificates() -> None:
    assert found("D-CERT", CONTROLLER, issuer(dns01={})) == ()
