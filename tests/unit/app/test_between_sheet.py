"""Every difference that is known between Cilium and Calico over Kubernetes' own policies, found.

Each row is one manifest for one difference, in our own words. What differs and shows on no edge, or
needs a fact that nobody gives, is at the end, with the reason.
Source: documentation and code of both projects, as `cloison.platform` cites them.
"""

from dataclasses import dataclass, field

import pytest

from cloison.analyses.between import Between, Difference
from cloison.app import load_texts
from cloison.app.between import compare, pair_of, sides
from cloison.ir.fidelity import Verdict

ALLOWED, DENIED, UNDETERMINED = Verdict.ALLOWED, Verdict.DENIED, Verdict.UNDETERMINED

WORLD = """
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: a}}
---
apiVersion: v1
kind: Namespace
metadata: {name: ops, labels: {team: b}}
---
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {disk: fast}}
status: {addresses: [{type: InternalIP, address: 192.0.2.11}]}
---
apiVersion: v1
kind: Node
metadata: {name: n2}
status: {addresses: [{type: InternalIP, address: 192.0.2.12}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web, pod-template-hash: x1}}
spec:
  nodeName: n1
  containers: [{name: c}]
status: {phase: Running, podIP: 10.0.1.10}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec:
  nodeName: n2
  containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]
  initContainers:
  - {name: s, restartPolicy: Always, ports: [{name: side, containerPort: 9100}]}
status: {phase: Running, podIP: 10.0.2.20}
---
apiVersion: v1
kind: Pod
metadata: {name: old, namespace: ops, labels: {app: old}}
spec:
  nodeName: n2
  containers: [{name: c, ports: [{name: http, containerPort: 8081}]}]
status: {phase: Running, podIP: 10.0.2.30}
---
apiVersion: v1
kind: Pod
metadata: {name: probe, namespace: ops, labels: {app: probe}}
spec: {nodeName: n1, containers: [{name: c}]}
status: {phase: Running, podIP: 10.0.3.30}
---
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: ops, labels: {app: agent}}
spec: {nodeName: n2, hostNetwork: true, containers: [{name: c}]}
status: {phase: Running, podIP: 192.0.2.12, hostIP: 192.0.2.12}
"""


@dataclass(frozen=True)
class Row:
    """One difference.

    Args:
        name: What it is.
        spec: The policy: a NetworkPolicy's spec, or a whole object that begins with `apiVersion`.
        edge: Who connects to whom, `source destination traffic`.
        verdicts: What each of the two makes of that.
        facts: What it is owed to.
        pair: The two enforcers.
        settings: Settings besides.
    """

    name: str
    spec: str
    edge: tuple[str, str, str]
    verdicts: tuple[Verdict, Verdict]
    facts: tuple[str, ...]
    pair: str = "cilium@1.19,calico@3.32"
    settings: dict[str, object] = field(default_factory=dict)


def _policy(spec: str) -> str:
    if spec.lstrip().startswith("apiVersion"):
        return spec
    head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
    return f"{head}metadata: {{name: p, namespace: shop}}\nspec: {spec}\n"


def _compared(spec: str, pair: str, **settings: object) -> Between:
    session = load_texts({"world.yaml": WORLD, "policy.yaml": _policy(spec)}, **settings)
    return compare(*sides(session, *pair_of(pair)))


def _edge(found: Between, src: str, dst: str, traffic: str) -> list[Difference]:
    return [
        each
        for each in found.differences
        if src in map(str, each.sources)
        and dst in map(str, each.destinations)
        and traffic in str(each.traffic)
    ]


WEB = "podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]"
API = "podSelector: {matchLabels: {app: api}}, policyTypes: [Ingress]"
PORT = "ports: [{port: 8080}]"

ROWS = [
    Row(
        "a block with pods in it, outwards",
        f"{{{WEB}, egress: [{{to: [{{ipBlock: {{cidr: 10.0.2.0/24}}}}], {PORT}}}]}}",
        ("shop/web", "shop/api", "TCP/8080"),
        (DENIED, ALLOWED),
        ("blocks-match-pods",),
    ),
    Row(
        "a block with pods in it, inwards",
        f"{{{API}, ingress: [{{from: [{{ipBlock: {{cidr: 10.0.3.0/24}}}}], {PORT}}}]}}",
        ("ops/probe", "shop/api", "TCP/8080"),
        (DENIED, ALLOWED),
        ("blocks-match-pods",),
    ),
    Row(
        "a block with nodes in it, outwards",
        f"{{{WEB}, egress: [{{to: [{{ipBlock: {{cidr: 192.0.2.0/24}}}}], {PORT}}}]}}",
        ("shop/web", "node:n2", "TCP/8080"),
        (DENIED, ALLOWED),
        ("blocks-match-nodes",),
    ),
    Row(
        "a block with nodes in it, inwards",
        f"{{{API}, ingress: [{{from: [{{ipBlock: {{cidr: 192.0.2.0/24}}}}], {PORT}}}]}}",
        ("node:n1", "shop/api", "TCP/8080"),
        (DENIED, ALLOWED),
        ("blocks-match-nodes",),
    ),
    Row(
        "a pod on the network of a node in a block",
        f"{{{WEB}, egress: [{{to: [{{ipBlock: {{cidr: 192.0.2.0/24}}}}], {PORT}}}]}}",
        ("shop/web", "ops/agent", "TCP/8080"),
        (DENIED, ALLOWED),
        ("blocks-match-nodes",),
    ),
    Row(
        "everything as a block means the world only: pods",
        f"{{{API}, ingress: [{{from: [{{ipBlock: {{cidr: 0.0.0.0/0}}}}], {PORT}}}]}}",
        ("ops/probe", "shop/api", "TCP/8080"),
        (DENIED, ALLOWED),
        ("blocks-match-pods",),
    ),
    Row(
        "everything as a block means the world only: nodes",
        f"{{{API}, ingress: [{{from: [{{ipBlock: {{cidr: 0.0.0.0/0}}}}], {PORT}}}]}}",
        ("node:n1", "shop/api", "TCP/8080"),
        (DENIED, ALLOWED),
        ("blocks-match-nodes",),
    ),
    Row(
        "a port name that pods give different numbers, outwards",
        f"{{{WEB}, egress: [{{ports: [{{port: http}}]}}]}}",
        ("shop/web", "shop/api", "TCP/8080"),
        (DENIED, ALLOWED),
        ("cluster-names",),
    ),
    Row(
        "a port name of a sidecar",
        f"{{{API}, ingress: [{{ports: [{{port: side}}]}}]}}",
        ("shop/web", "shop/api", "TCP/9100"),
        (DENIED, ALLOWED),
        ("init-container-ports",),
    ),
    Row(
        "rules of a direction that policyTypes leaves out",
        "{podSelector: {matchLabels: {app: api}}, policyTypes: [Egress], egress: [{}], "
        "ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}",
        ("ops/probe", "shop/api", ""),
        (DENIED, ALLOWED),
        ("every-list",),
    ),
    Row(
        "a label that is filtered, demanded",
        f"{{{API}, ingress: [{{from: [{{podSelector: {{matchLabels: {{pod-template-hash: x1}}}}}}],"
        f" {PORT}}}]}}",
        ("shop/web", "shop/api", "TCP/8080"),
        (DENIED, ALLOWED),
        ("labels-seen",),
    ),
    Row(
        "a label that is filtered, ruled out",
        f"{{{API}, ingress: [{{from: [{{podSelector: {{matchExpressions: "
        f"[{{key: pod-template-hash, operator: DoesNotExist}}]}}}}], {PORT}}}]}}",
        ("shop/web", "shop/api", "TCP/8080"),
        (ALLOWED, DENIED),
        ("labels-seen",),
    ),
    Row(
        "a policy of pods by a label that is filtered",
        "{podSelector: {matchLabels: {pod-template-hash: x1}}, policyTypes: [Ingress]}",
        ("ops/probe", "shop/web", ""),
        (ALLOWED, DENIED),
        ("labels-seen",),
    ),
    Row(
        "a defect: a block that lets in the policy's own namespace",
        f"{{{API}, ingress: [{{from: [{{ipBlock: {{cidr: 203.0.113.0/24}}}}], {PORT}}}]}}",
        ("shop/web", "shop/api", "TCP/8080"),
        (UNDETERMINED, DENIED),
        ("block-and-own",),
    ),
    Row(
        "a defect: namespaces by what they are not, and nodes",
        f"{{{API}, ingress: [{{from: [{{namespaceSelector: {{matchExpressions: [{{key: team, "
        f"operator: NotIn, values: [a]}}]}}}}], {PORT}}}]}}",
        ("node:n1", "shop/api", "TCP/8080"),
        (UNDETERMINED, DENIED),
        ("beyond-pods",),
        settings={"cilium": {"policy-default-local-cluster": "false"}},
    ),
    Row(
        "a ClusterNetworkPolicy that only one enforces",
        """
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: p}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {}}
  ingress: [{action: Deny, from: [{namespaces: {matchLabels: {team: b}}}]}]
""",
        ("ops/probe", "shop/api", ""),
        (ALLOWED, DENIED),
        ("enforces-ClusterNetworkPolicy-Admin",),
    ),
    Row(
        "an AdminNetworkPolicy that only one enforces",
        """
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: p}
spec:
  priority: 1
  subject: {namespaces: {}}
  ingress: [{action: Deny, from: [{namespaces: {matchLabels: {team: b}}}]}]
""",
        ("ops/probe", "shop/api", ""),
        (ALLOWED, DENIED),
        ("enforces-AdminNetworkPolicy",),
        "cilium@1.19,calico@3.31",
    ),
    Row(
        "a policy with requests, of a kind that only one has",
        """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: p, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: api}}
  ingress:
    - fromEndpoints: [{matchLabels: {app: web}}]
      toPorts: [{ports: [{port: "8080", protocol: TCP}], rules: {http: [{method: GET}]}}]
""",
        ("ops/probe", "shop/api", ""),
        (DENIED, ALLOWED),
        ("enforces-cilium.io-CiliumNetworkPolicy",),
    ),
    Row(
        "a rule about nodes by label that fails closed",
        """
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: p}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {}}
  egress: [{action: Deny, to: [{nodes: {matchLabels: {disk: fast}}}]}]
""",
        ("shop/web", "shop/api", ""),
        (ALLOWED, DENIED),
        ("unknown-ClusterNetworkPolicy-Admin",),
        "cilium@1.20,calico@3.32",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_finds_the_difference_and_its_reason(row: Row) -> None:
    found = _compared(row.spec, row.pair, **row.settings)
    edges = _edge(found, *row.edge)
    assert [(each.first, each.second) for each in edges] == [row.verdicts]
    (edge,) = edges
    assert set(row.facts) <= {fact.id for fact in edge.facts}
    assert edge.reasons.before or edge.reasons.after


SAME = [
    ("a range of ports", f"{{{API}, ingress: [{{ports: [{{port: 8000, endPort: 8100}}]}}]}}"),
    ("a port name of a container", f"{{{API}, ingress: [{{ports: [{{port: http}}]}}]}}"),
    ("isolation alone, and the own node", f"{{{API}}}"),
    (
        "pods and namespaces by label",
        f"{{{API}, ingress: [{{from: [{{namespaceSelector: {{matchLabels: {{team: b}}}}}}]}}]}}",
    ),
    (
        "ICMP beside a rule without ports",
        f"{{{API}, ingress: [{{from: [{{podSelector: {{}}}}]}}]}}",
    ),
    ("ICMP beside a rule with ports", f"{{{API}, ingress: [{{ports: [{{port: 8080}}]}}]}}"),
]


@pytest.mark.parametrize("spec", [spec for _, spec in SAME], ids=[name for name, _ in SAME])
def test_where_both_say_the_same_nothing_is_found(spec: str) -> None:
    assert not _compared(spec, "cilium@1.19,calico@3.32")


def test_open_connections_are_told_beside_the_edges() -> None:
    found = _compared(f"{{{API}}}", "cilium@1.19,calico@3.32")
    told = {fact.id: (fact.first, fact.second) for fact in found.aside}
    assert sorted(told) == ["keeps-connections", "own-node-then"]
    assert told["keeps-connections"] == ("no", "yes")
    assert told["own-node-then"][0] == "reached"
