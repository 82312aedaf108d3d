"""Nodes as peers and as subjects: their labels, and rules about a pod's own node and others."""

import pytest

from cloison.app import load_texts
from cloison.ir.fidelity import Verdict
from tests.unit.dialects.cilium_world import (
    NAMESPACES,
    PODS,
    loaded,
    open_to,
    pod,
    policy,
    slice_of,
)

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


@pytest.mark.parametrize("node", ["node:n1", "node:n2"])
def test_what_comes_of_either_kind_of_node_is_certain(node: str) -> None:
    rules = """
    ingress: [{fromNodes: [{matchLabels: {zone: one}}, {matchLabels: {zone: two}}]}]
    ingressDeny: [{fromEntities: [remote-node]}]
    """
    said = {**BY_LABEL, "allow-localhost": "policy"}
    session = loaded(policy(rules, "app: front"), more=f"---{TEMPLATE}", said=said)
    answer = session.why(node, "shop/front:8080")
    assert (answer.verdict, answer.caveats) == (NO, ())


@pytest.mark.parametrize(
    ("key", "said", "expected"),
    [("zone", BY_LABEL, YES), ("zone", {}, NO), ("k8s:zone", BY_LABEL, NO), ("none", BY_LABEL, NO)],
)
def test_a_bare_key_finds_labels_of_nodes(
    key: str, said: dict[str, str], expected: Verdict
) -> None:
    rules = f"""
    ingress:
    - fromEndpoints:
      - matchExpressions:
        - {{key: '{key}', operator: Exists}}
        - {{key: 'k8s:io.cilium.k8s.namespace.labels.env', operator: DoesNotExist}}
    """
    session = loaded(policy(rules), version="1.18", said=said)
    assert open_to(session, "node:n1", "shop/api") is expected


@pytest.mark.parametrize(("server", "expected"), [("192.0.2.11", YES), ("192.0.2.12", NO)])
def test_an_api_server_may_be_on_a_node_that_is_known_by_name_only(
    server: str, expected: Verdict
) -> None:
    texts = (*PODS, pod("shop/other", "n2", "192.0.2.12", "app: x", "hostNetwork: true, "))
    rules = policy("egress: [{toEntities: [kube-apiserver]}]")
    serving = slice_of("default/kubernetes", server, 443)
    every = "---\n".join((NAMESPACES, *texts, rules, serving))
    session = load_texts({"world.yaml": every}, profile="cilium@1.19")
    assert open_to(session, "shop/api", "shop/agent") is expected
