"""Policies of one dialect, arranged with what objects of others declare."""

import pytest

from cloison.app import load_texts
from cloison.app.session import Session
from tests.support.texts import convert_texts

WORLD = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: c, image: i, ports: [{name: http, containerPort: 80}]}]}
status: {phase: Running, podIP: 10.2.0.1, podIPs: [{ip: 10.2.0.1}]}
"""
HOST = """\
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: far}
spec:
  node: n2
  interfaceName: eth0
  expectedIPs: [192.0.2.7]
  ports: [{name: metrics, protocol: TCP, port: 9100}]
"""
POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress: [{to: [{ipBlock: {cidr: 192.0.2.0/24}}], ports: [{port: metrics}]}]
"""
ADMIN = """\
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: out}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {}}
  egress:
    - action: Deny
      to: [{networks: [10.2.0.0/16, 192.0.2.0/24]}]
      protocols: [{destinationNamedPort: metrics}]
"""


def loaded(*texts: str, profile: str = "calico@3.32") -> Session:
    return load_texts({"here.yaml": "---\n".join((WORLD, *texts))}, profile=profile)


@pytest.mark.parametrize(
    ("profile", "verdict"),
    [("calico@3.32", "allowed"), ("calico@3.31", "allowed"), ("generic", "denied")],
)
def test_a_port_name_of_another_dialect_is_known_to_the_enforcer_of_both(
    profile: str, verdict: str
) -> None:
    session = loaded(HOST, POLICY, profile=profile)
    assert str(session.verdict("shop/web", "192.0.2.7", "TCP", 9100)) == verdict
    assert str(session.verdict("shop/web", "192.0.2.8", "TCP", 9100)) == "denied"


@pytest.mark.parametrize("policy", [POLICY, ADMIN])
def test_a_name_that_a_host_declares_is_not_suspected(policy: str) -> None:
    codes = {"NPS013", "ADS010"}
    assert codes & {each.code for each in loaded(policy).suspicions}
    assert not codes & {each.code for each in loaded(policy, HOST).suspicions}
    other = HOST.replace("metrics", "other")
    assert codes & {each.code for each in loaded(policy, other).suspicions}


def test_what_other_objects_add_to_a_policy_is_not_written() -> None:
    text = f"{WORLD}---\n{HOST}---\n{POLICY}"
    found = convert_texts({"here.yaml": text}, to="calico", profile="calico@3.32")
    assert len(found.texts) == 1
    assert "metrics" in found.texts[0]
    assert "9100" not in found.texts[0]
