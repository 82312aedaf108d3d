"""D-DEAD: rules and blocks that stand for nobody, and what looks like that and is not."""

import pytest

from cloison.base import Severity
from tests.support.doctoring import codes, examined

BASE = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: pay, labels: {team: payments}}
---
"""
NODE = """
apiVersion: v1
kind: Node
metadata: {name: n1}
spec: {podCIDRs: [10.42.0.0/24]}
status: {addresses: [{type: InternalIP, address: 192.168.1.1}]}
---
"""
INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i, namespace: shop}
spec:
  ingressClassName: traefik
  defaultBackend: {service: {name: web, port: {number: 8080}}}
---
"""


def workload(name: str, namespace: str = "shop") -> str:
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: c, image: i, ports: [{{containerPort: 8080}}]}}]}}
---
"""


def rule(direction: str, peer: str, ports: str = "{port: 8080}") -> str:
    word = "from" if direction == "ingress" else "to"
    return f"""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: p, namespace: shop}}
spec:
  podSelector: {{matchLabels: {{app: web}}}}
  policyTypes: [{direction.capitalize()}]
  {direction}: [{{{word}: [{peer}], ports: [{ports}]}}]
---
"""


WEB = workload("web")
PAY = workload("ledger", "pay")
NOWHERE = "{namespaceSelector: {matchLabels: {team: nobody}}}"
NO_POD = (
    "{namespaceSelector: {matchLabels: {team: payments}}, podSelector: {matchLabels: {app: zebra}}}"
)
NEVER = (
    "{podSelector: {matchExpressions: [{key: a, operator: In, values: [b]}, "
    "{key: a, operator: DoesNotExist}]}}"
)
CACHE = "{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: node-local-dns}}}"


@pytest.mark.parametrize(
    ("more", "peer", "expected"),
    [
        (NODE, NOWHERE, [("DEA001", Severity.INFO)]),
        ("", NOWHERE, []),  # manifests of one application: the rest is elsewhere
        (NODE + PAY, NO_POD, [("DEA001", Severity.WARNING)]),
        (PAY, NO_POD, [("DEA001", Severity.INFO)]),
        (NODE, NO_POD, [("DEA001", Severity.INFO)]),  # nothing of that namespace is here
        (NODE + PAY, f"{NO_POD}, {{namespaceSelector: {{}}}}", []),  # somebody else gets in
        (NODE + PAY, f"{NO_POD}, {{ipBlock: {{cidr: 10.0.0.0/8}}}}", []),
        (NODE + PAY, NEVER, []),  # of nobody, and on purpose
    ],
)
@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_rules_of_peers_that_are_nobody(
    direction: str, more: str, peer: str, expected: list[tuple[str, Severity]]
) -> None:
    found = examined(BASE + WEB + more + rule(direction, peer), "D-DEAD")
    assert [(each.code, each.severity) for each in found] == expected
    assert all(each.span is not None for each in found)


def test_a_rule_for_a_resolver_that_may_come_is_no_dead_one() -> None:
    text = BASE + NODE + WEB + PAY + rule("egress", CACHE, "{port: 53, protocol: UDP}")
    assert codes(text, "D-DEAD") == []


def test_a_peer_beside_one_that_matches_does_no_harm() -> None:
    both = f"{NOWHERE}, {{namespaceSelector: {{matchLabels: {{team: payments}}}}}}"
    assert codes(BASE + NODE + WEB + PAY + rule("ingress", both), "D-DEAD") == []


API = (
    workload("api")
    + """
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {clusterIP: 10.96.3.4, selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}
---
"""
)
VIP = "{ipBlock: {cidr: 10.96.3.4/32}}"
TO_API = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: q, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Egress]
  egress: [{to: [{podSelector: {matchLabels: {app: api}}}], ports: [{port: 8080}]}]
---
"""


@pytest.mark.parametrize(
    ("cni", "more", "expected"),
    [
        ("generic", "", ["DEA002"]),
        ("calico@3.32", "", ["DEA002"]),
        ("cilium@1.19", "", ["DEA002"]),
        ("aws-vpc-cni", "", []),  # it judges calls by the Service's own address
        ("calico@3.32", TO_API, []),  # what the rule is for gets through
    ],
)
def test_the_address_of_a_service_is_put_away_before_policies_look(
    cni: str, more: str, expected: list[str]
) -> None:
    text = BASE + WEB + API + rule("egress", VIP, "{port: 80}") + more
    found = examined(text, "D-DEAD", profile=cni)
    assert [each.code for each in found] == expected
    for each in found:
        assert "shop/api" in each.message
        assert "port: 8080" in each.mend[0].manifest or 'port: "8080"' in each.mend[0].manifest


def test_addresses_of_others_are_no_services() -> None:
    wide = "{ipBlock: {cidr: 10.96.3.4/31}}"
    assert codes(BASE + WEB + API + rule("egress", wide, "{port: 80}"), "D-DEAD") == []


NODES = "{ipBlock: {cidr: 192.168.1.1/32}}"


@pytest.mark.parametrize(
    ("cni", "more", "expected"),
    [
        ("cilium@1.19", "", ["DEA003"]),
        ("gke-dataplane-v2", "", ["DEA003"]),
        ("calico@3.32", "", []),
        (
            "cilium@1.19",
            """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: c, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress: [{fromEntities: [host, remote-node], toPorts: [{ports: [{port: "8080"}]}]}]
""",
            [],
        ),
    ],
)
def test_nodes_are_no_addresses_to_some(cni: str, more: str, expected: list[str]) -> None:
    text = BASE + NODE + WEB + rule("ingress", NODES) + more
    assert codes(text, "D-DEAD", profile=cni) == expected


@pytest.mark.parametrize("cni", ["cilium@1.19", "calico@3.32"])
def test_addresses_of_pods_match_no_block_where_labels_tell_them(cni: str) -> None:
    pod = """
apiVersion: v1
kind: Pod
metadata: {name: far, namespace: pay}
spec: {containers: [{name: c, image: i}]}
status: {phase: Running, podIP: 10.9.8.7, podIPs: [{ip: 10.9.8.7}]}
---
"""
    text = BASE + WEB + pod + rule("egress", "{ipBlock: {cidr: 10.9.8.7/32}}")
    found = examined(text, "D-IPBLOCK-DEAD", profile=cni)
    assert [each.code for each in found] == (["IPB002"] if cni.startswith("cilium") else [])
    assert all("pay/far has 10.9.8.7" in each.evidence[0].text for each in found)


KUBE_DNS = "{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}"
BOTH = "{port: 53, protocol: UDP}, {port: 53, protocol: TCP}"


def test_where_nobody_says_who_resolves_names_that_is_told_once() -> None:
    policy = rule("egress", KUBE_DNS, BOTH).replace("{matchLabels: {app: web}}", "{}")
    (found,) = examined(BASE + WEB + workload("api") + policy, "D-DNS")
    assert (found.code, found.severity) == ("DNS008", Severity.INFO)
    assert "2 workloads of shop" in found.message
    assert "OpenShift" in found.effect
    assert [each.id for each in found.caveats] == ["DNS_ASSUMED"]
    assert codes(BASE + WEB + policy, "D-DNS", platform="kubeadm") == []
    assert codes(BASE + WEB, "D-DNS") == []  # nothing restricts whom it asks


def test_who_serves_an_entry_may_be_missing_from_the_input() -> None:
    labels = "{app.kubernetes.io/name: traefik}"
    peer = f"{{namespaceSelector: {{}}, podSelector: {{matchLabels: {labels}}}}}"
    here = BASE + NODE + workload("web") + rule("ingress", peer)
    assert codes(here, "D-DEAD") == ["DEA001"]
    assert codes(here + INGRESS, "D-DEAD") == []
