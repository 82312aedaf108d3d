"""Nodes as peers and as subjects: their labels, and rules about a pod's own node and others."""

import pytest

from cloison.ir.fidelity import Verdict
from tests.unit.dialects.cilium_world import loaded, open_to, policy

YES, NO, OPEN = Verdict.ALLOWED, Verdict.DENIED, Verdict.UNDETERMINED
BY_LABEL = {"enable-node-selector-labels": "true"}
HOSTS = {"enable-host-firewall": "true"}
CLOSED = """
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: hosts}
spec: {nodeSelector: {matchLabels: {%s}}, ingressDeny: [{fromEntities: [all]}]}
"""
OTHERS = "{fromEntities: [remote-node], toPorts: [{ports: [{port: '9090', protocol: TCP}]}]}"
TEMPLATE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: front, namespace: shop}
spec:
  selector: {matchLabels: {app: front}}
  template:
    metadata: {labels: {app: front}}
    spec: {containers: [{name: c, image: example/x:1}]}
"""


@pytest.mark.parametrize(
    ("label", "said", "expected"),
    [
        ("kubernetes.io/hostname: n2", {}, YES),
        ("node:zone: two", {}, YES),
        ("k8s:zone: two", {}, NO),
        ("zone: two", {}, YES),
        ("zone: two", {"labels": "k8s:app"}, YES),
        ("zone: two", {"node-labels": "!zone"}, NO),
        ("zone: two", {"node-labels": "node:kubernetes.io"}, NO),
        ("zone: two", {"node-labels": "node:zone"}, YES),
        ("k8s:io.cilium.k8s.policy.cluster: default", {}, YES),
        ("k8s:io.cilium.k8s.policy.cluster: west", {}, NO),
    ],
)
def test_labels_of_nodes_as_peers_have_a_filter_of_their_own(
    label: str, said: dict[str, str], expected: Verdict
) -> None:
    key, _, value = label.rpartition(": ")
    mine = policy(f'egress: [{{toNodes: [{{matchLabels: {{"{key}": {value}}}}}]}}]', "app: web")
    assert open_to(loaded(mine, said={**BY_LABEL, **said}), "shop/web", "node:n2") is expected


@pytest.mark.parametrize(
    ("label", "said", "expected"),
    [
        ("zone: two", {}, NO),
        ("k8s:zone: two", {}, NO),
        ("node:zone: two", {}, YES),
        ("kubernetes.io/hostname: n2", {}, YES),
        ("zone: two", {"labels": "k8s:app"}, YES),
        ("zone: two", {"node-labels": "!zone"}, NO),
    ],
)
def test_labels_of_nodes_as_subjects_are_filtered_as_those_of_pods(
    label: str, said: dict[str, str], expected: Verdict
) -> None:
    key, _, value = label.rpartition(": ")
    closed = CLOSED % f'"{key}": {value}'
    assert open_to(loaded(closed, said={**HOSTS, **said}), "shop/web", "node:n2") is expected


@pytest.mark.parametrize(
    ("rules", "said", "expected"),
    [
        ("ingress: [{fromEntities: [remote-node]}]", {}, YES),
        ("ingress: [{fromEntities: [remote-node]}]", {"allow-localhost": "policy"}, OPEN),
        ("ingress: [{fromEntities: [host]}]", {"allow-localhost": "policy"}, OPEN),
        (
            "ingress: [{fromEntities: [host]}, {fromEntities: [remote-node]}]",
            {"allow-localhost": "policy"},
            YES,
        ),
        (f"ingress: [{{fromEntities: [host]}}, {OTHERS}]", {"allow-localhost": "policy"}, OPEN),
        ("ingress: [{}]\ningressDeny: [{fromEntities: [remote-node]}]", {}, OPEN),
        (
            "ingress: [{fromEntities: [remote-node]}]\ningressDeny: [{fromEntities: [world]}]",
            {},
            YES,
        ),
        (
            "ingressDeny: [{fromEntities: [host]}, {fromEntities: [remote-node]}]",
            {"cilium.U1": "deny-wins"},
            NO,
        ),
        ("ingressDeny: [{fromEntities: [host]}, {fromEntities: [remote-node]}]", {}, OPEN),
        (
            "ingress: [{fromNodes: [{matchLabels: {zone: one}}]}]",
            {"enable-node-selector-labels": "true"},
            YES,
        ),
        (
            "ingress: [{fromNodes: [{matchLabels: {zone: two}}]}]",
            {"enable-node-selector-labels": "true"},
            OPEN,
        ),
    ],
)
def test_a_node_is_the_own_one_or_another(
    rules: str, said: dict[str, str], expected: Verdict
) -> None:
    session = loaded(policy(rules, "app: front"), more=f"---{TEMPLATE}", said=said)
    assert open_to(session, "node:n1", "shop/front") is expected
    answer = session.why("node:n1", "shop/front:8080")
    told = {caveat.id for caveat in answer.caveats}
    assert ("OWN_NODE_UNKNOWN" in told) == (expected is OPEN)


def test_what_both_kinds_of_node_may_ask_for_is_certain() -> None:
    http = "toPorts: [{ports: [{port: '8080', protocol: TCP}], rules: {http: [{path: /a}]}}]"
    rules = f"ingress: [{{fromEntities: [host]}}, {{fromEntities: [remote-node], {http}}}]"
    said = {"allow-localhost": "policy"}
    session = loaded(policy(rules, "app: front"), more=f"---{TEMPLATE}", said=said)
    assert session.why("node:n1", "shop/front:8080", http="GET /a").verdict is YES
    assert session.why("node:n1", "shop/front:8080", http="GET /b").verdict is OPEN
