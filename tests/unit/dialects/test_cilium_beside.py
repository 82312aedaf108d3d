"""What Cilium's policies mean beside other policies, tiers and nodes that nobody knows."""

import pytest

from cloison.ir.fidelity import Verdict
from tests.unit.dialects.cilium_world import loaded, open_to, pod, policy, slice_of
from tests.unit.dialects.test_cilium_inventory import HOME, endpoint

YES, NO, OPEN = Verdict.ALLOWED, Verdict.DENIED, Verdict.UNDETERMINED
HOSTS = {"enable-host-firewall": "true"}
TIERS = {"enable-k8s-cluster-network-policy": "true"}
CLOSED = """
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: hosts}
spec: {nodeSelector: {}, egressDeny: [{toEntities: [all]}], ingressDeny: [{fromEntities: [all]}]}
"""


def tier(name: str, rule: str) -> str:
    """Return a ClusterNetworkPolicy about what everybody sends."""
    return (
        "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"
        f"metadata: {{name: p}}\nspec: {{tier: {name}, priority: 1, "
        f"subject: {{namespaces: {{}}}}, egress: [{rule}]}}\n"
    )


def test_a_host_firewall_does_not_see_what_stays_on_its_node() -> None:
    session = loaded(CLOSED, said=HOSTS)
    assert open_to(session, "node:n1", "shop/agent") is YES
    assert open_to(session, "shop/agent", "node:n1") is YES
    assert open_to(session, "node:n2", "shop/agent") is NO


def test_a_whole_family_of_a_cluster_network_policy_is_outside() -> None:
    said = {
        **TIERS,
        "policy-cidr-match-mode": "nodes,pods",
        "cilium.U4": "matches-like-nodes",
    }
    whole = tier("Admin", "{action: Deny, to: [{networks: [0.0.0.0/0]}]}")
    session = loaded(whole, version="1.20", said=said)
    assert open_to(session, "shop/web", "shop/api") is YES
    assert open_to(session, "shop/web", "node:n2") is YES
    assert open_to(session, "shop/web", "203.0.113.9") is NO
    part = tier("Admin", "{action: Deny, to: [{networks: [10.0.2.0/24]}]}")
    assert open_to(loaded(part, version="1.20", said=said), "shop/web", "shop/api") is NO
    del said["cilium.U4"]
    assert open_to(loaded(part, version="1.20", said=said), "shop/web", "shop/api") is OPEN


@pytest.mark.parametrize(("closes", "expected"), [("true", NO), ("false", YES)])
def test_a_denial_of_a_later_tier_after_rules_about_requests(
    closes: str, expected: Verdict
) -> None:
    http = """
    enableDefaultDeny: {egress: %s}
    egress:
    - toEntities: [all]
      toPorts: [{ports: [{port: "8080", protocol: TCP}], rules: {http: [{path: /a}]}}]
    """
    later = tier("Baseline", "{action: Deny, to: [{namespaces: {}}]}")
    mine = policy(http % closes, "app: web")
    session = loaded(mine, later, version="1.20", said=TIERS)
    assert session.why("shop/web", "shop/api:8080", http="GET /a").verdict is YES
    assert session.why("shop/web", "shop/api:8080", http="GET /b").verdict is expected


def test_a_pod_on_a_node_that_nobody_knows_may_not_be_an_api_server() -> None:
    known = slice_of("default/kubernetes", "192.0.2.11, 192.0.2.12", 6443)
    lost = pod("shop/lost", "n1", "192.0.2.13", "app: lost", "hostNetwork: true, ")
    lost = lost.replace("nodeName: n1, ", "").replace("192.0.2.13", '""')
    spec = "ingress: [{fromEntities: [kube-apiserver]}]"
    session = loaded(policy(spec), known, more=f"---{lost}", said={"allow-localhost": "policy"})
    assert open_to(session, "node:n1", "shop/api") is YES
    assert open_to(session, "shop/lost", "shop/api") is OPEN


@pytest.mark.parametrize(("said", "expected"), [("true", YES), ("false", NO)])
def test_paths_are_brought_to_one_form(said: str, expected: Verdict) -> None:
    http = """
    ingress:
    - toPorts: [{ports: [{port: "8080", protocol: TCP}], rules: {http: [{path: /a/b}]}}]
    """
    session = loaded(policy(http), said={"http-normalize-path": said})
    answer = session.why("shop/web", "shop/api:8080", http="GET /a//b")
    assert answer.verdict is expected
    plain = session.why("shop/web", "shop/api:8080", http="GET /a/b")
    told = any("//a/b" in note for note in plain.notes)
    assert told is (said == "false")


AUDITED = {"policy-audit-mode": "true"}


def test_audit_mode_lets_pass_what_a_cluster_network_policy_denies() -> None:
    denying = tier("Admin", "{action: Deny, to: [{namespaces: {}}]}")
    for texts in ((denying,), (denying, policy("ingress: [{}]"))):
        session = loaded(*texts, version="1.20", said={**TIERS, **AUDITED})
        assert open_to(session, "shop/web", "shop/api") is YES
        assert open_to(loaded(*texts, version="1.20", said=TIERS), "shop/web", "shop/api") is NO


def test_a_later_tier_does_not_decide_of_what_a_rule_about_requests_refuses() -> None:
    http = "egress: [{toEntities: [all], toPorts: [{ports: [{port: '8080', protocol: TCP}], %s}]}]"
    later = tier("Baseline", "{action: Accept, to: [{namespaces: {}}]}")
    listener = "listener: {name: x, envoyConfig: {kind: CiliumEnvoyConfig, name: mesh}}"
    for asked, expected in (("rules: {http: [{path: /a}]}", NO), (listener, OPEN)):
        mine = policy(http % asked, "app: web")
        session = loaded(mine, later, version="1.20", said=TIERS)
        answer = session.why("shop/web", "shop/api:8080", http="GET /b")
        assert answer.verdict is expected
        assert open_to(session, "shop/web", "shop/api", 9090) is YES


def test_always_closes_nodes_where_no_policy_is_written() -> None:
    said = {**HOSTS, "enable-policy": "always"}
    session = loaded(said=said)
    assert open_to(session, "node:n1", "node:n2") is NO
    assert open_to(session, "node:n1", "shop/agent") is YES


def test_a_policy_may_be_for_a_node_whose_labels_nobody_knows() -> None:
    spec = "nodeSelector: {matchLabels: {zone: one}}, ingressDeny: [{fromEntities: [all]}]"
    closed = (
        "apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\n"
        f"metadata: {{name: hosts}}\nspec: {{{spec}}}\n"
    )
    more = pod("shop/far", "n9", "10.0.9.1", "app: far").replace(
        "podIP: 10.0.9.1", "podIP: 10.0.9.1, hostIP: 192.0.2.19"
    )
    session = loaded(closed, more=f"---{more}", said=HOSTS)
    assert open_to(session, "shop/web", "node:n1") is NO
    assert open_to(session, "shop/web", "node:n2") is YES
    assert open_to(session, "shop/web", "node:n9") is OPEN


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("namespaces: {matchLabels: {team: a}}", YES),
        ("namespaces: {matchLabels: {team: b}}", NO),
        ("pods: {namespaceSelector: {matchLabels: {team: a}}, podSelector: {}}", NO),
    ],
)
def test_a_cluster_is_demanded_of_pods_only(peer: str, expected: Verdict) -> None:
    """Source: cilium/cilium pkg/k8s/cluster_network_policy.go."""
    west = endpoint("db-0", "k8s:app=db", HOME, "k8s:io.cilium.k8s.policy.cluster=west")
    closed = policy("egress: [{}]", "app: web")
    session = loaded(
        west,
        closed,
        tier("Admin", f"{{action: Accept, to: [{{{peer}}}]}}"),
        version="1.20",
        said=TIERS,
    )
    assert open_to(session, "shop/web", "shop/db-0") is expected


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("namespaces: {matchExpressions: [{key: env, operator: DoesNotExist}]}", OPEN),
        ("namespaces: {}", NO),
        ("namespaces: {matchLabels: {team: a}}", NO),
    ],
)
def test_a_subject_that_only_excludes_may_be_a_pod_without_labels(
    subject: str, expected: Verdict
) -> None:
    """Source: cilium issue 46949; cilium/cilium pkg/k8s/cluster_network_policy.go."""
    rule = "{action: Accept, to: [{namespaces: {}}]}"
    written = tier("Admin", rule).replace("namespaces: {}}, egress", f"{subject}}}, egress")
    assert subject in written
    session = loaded(endpoint("web", "reserved:init"), written, version="1.20", said=TIERS)
    assert open_to(session, "shop/web", "shop/api") is expected
    assert open_to(session, "shop/db-0", "shop/api") is YES


def test_a_rule_without_ports_beside_limits_of_different_pods() -> None:
    """Only its own limits keep a pod from asking a resolver for any name."""
    dns = "toPorts: [{ports: [{port: '53', protocol: UDP}], rules: {dns: [{matchName: a.test}]}}]"
    session = loaded(
        policy("egress: [{toEntities: [all]}]", "app: web", "wide"),
        policy(f"egress: [{{toEntities: [world], {dns}}}]", "app: web", "mine"),
        policy(f"egress: [{{toEntities: [cluster], {dns}}}]", "app: api", "theirs"),
        said={"cilium.U3": "keeps"},
    )
    asked = {"port": 53, "protocol": "UDP", "dns": "b.test"}
    assert session.why("shop/web", "kube-system/dns", **asked).verdict is YES
    assert session.why("shop/web", "203.0.113.9", **asked).verdict is NO


@pytest.mark.parametrize(
    ("said", "labels", "expected"),
    [
        ({}, "", (YES, YES)),
        ({"enable-node-selector-labels": "true"}, "", (YES, NO)),
        ({"enable-node-selector-labels": "true"}, "matchLabels: {zone: two}", (YES, NO)),
        ({"enable-node-selector-labels": "true"}, "matchLabels: {zone: one}", (YES, YES)),
        (
            {"enable-node-selector-labels": "true", "node-labels": "!zone"},
            "matchLabels: {zone: two}",
            (YES, YES),
        ),
    ],
)
def test_nodes_of_a_cluster_network_policy_are_others_by_their_labels(
    said: dict[str, str], labels: str, expected: tuple[Verdict, Verdict]
) -> None:
    """Source: cilium/cilium pkg/k8s/cluster_network_policy.go."""
    rule = f"{{action: Deny, to: [{{nodes: {{{labels}}}}}]}}"
    session = loaded(tier("Admin", rule), version="1.20", said={**TIERS, **said})
    found = tuple(open_to(session, "shop/web", f"node:{name}") for name in ("n1", "n2"))
    assert found == expected
    refused = [each for each in session.diagnostics if each.code == "CIL120"]
    assert bool(refused) == ("enable-node-selector-labels" not in said)
