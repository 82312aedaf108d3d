"""Two Services that look like the cluster's resolver: what is certain of either, and of both."""

import pytest

from cloison.app import load_texts
from cloison.base import Severity

WORLD = """
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: x, labels: {app: a}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: one, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec: {containers: [{name: c, image: registry.k8s.io/coredns/coredns:v1.11.1}]}
---
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec: {selector: {k8s-app: kube-dns}, ports: PORTS}
---
apiVersion: v1
kind: Pod
metadata:
  name: two
  namespace: openshift-dns
  labels: {dns.operator.openshift.io/daemonset-dns: default}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Service
metadata: {name: dns-default, namespace: openshift-dns}
spec: {selector: {dns.operator.openshift.io/daemonset-dns: default}, ports: PORTS}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a, namespace: x}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress: RULES
""".replace("PORTS", "[{name: u, port: 53, protocol: UDP}, {name: t, port: 53, protocol: TCP}]")
UDP = """
  - to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: openshift-dns}}}]
    ports: [{port: 53, protocol: UDP}]
"""


@pytest.mark.parametrize(
    ("rules", "codes", "worst"),
    [
        ("[]", ["DNS001", "DNS005"], Severity.ERROR),
        (UDP, ["DNS005", "DNS005"], Severity.WARNING),
    ],
)
def test_names_fail_for_certain_only_where_all_are_shut(
    rules: str, codes: list[str], worst: Severity
) -> None:
    told = load_texts({"a.yaml": WORLD.replace("RULES", rules)}).doctor(checks=("D-DNS",))
    assert [each.code for each in told] == codes
    assert told[0].severity is worst
    if rules == UDP:
        effects = {each.effect for each in told}
        assert effects == {
            "where it is, every call by name fails",
            "where it is, answers that do not fit a datagram, and caches that ask over TCP, fail",
        }
