"""Differences between enforcers, each with what every profile says of it."""

from dataclasses import dataclass, field

from cloison.platform import profile, profile_names

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
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  nodeName: n1
  containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]
status: {phase: Running, podIP: 10.0.1.10}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec:
  nodeName: n2
  containers: [{name: c, ports: [{name: http, containerPort: 8081}]}]
  initContainers:
  - {name: s, restartPolicy: Always, ports: [{name: side, containerPort: 9100}]}
status: {phase: Running, podIP: 10.0.2.20}
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

EVERY = profile_names()
CALICO = ("calico@3.31", "calico@3.32")
CILIUM = ("cilium@1.18", "cilium@1.19", "cilium@1.20")
LIKE_CILIUM = (*CILIUM, "gke-dataplane-v2")
NONE = tuple(name for name in EVERY if not profile(name).enforces)


UNSAID = ("azure-npm", "gke-dataplane-v2")
"""Of whom nobody says whether they enforce the policies of administrators."""


def but(*names: str) -> tuple[str, ...]:
    """Return every profile except some."""
    return tuple(name for name in EVERY if name not in names)


@dataclass(frozen=True)
class Case:
    """A difference: one manifest, one question, and what every profile says.

    Args:
        rows: The rows of the sheet that tell of it, as `E1 endPort` or `E3 4`.
        name: What it is.
        spec: A NetworkPolicy's spec, or whole objects that begin with `apiVersion`.
        asked: The question: source, destination, protocol, port.
        verdicts: Each verdict, and whose it is.
        settings: Settings besides.
        only: The product whose own objects these are; two others know nothing of them.
    """

    rows: tuple[str, ...]
    name: str
    spec: str
    asked: tuple[str, str, str, int]
    verdicts: dict[str, tuple[str, ...]]
    settings: dict[str, object] = field(default_factory=dict)
    only: str = ""


WEB = "podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]"
IN_WEB = "podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]"
API = "podSelector: {matchLabels: {app: api}}, policyTypes: [Ingress]"
PORT = "ports: [{port: 8080}]"

ADMIN = """
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: p}
spec:
  priority: PRIORITY
  subject: {namespaces: {}}
  ingress: [{action: Deny, from: [{namespaces: {matchLabels: {team: b}}}]}]
"""
CLUSTER = """
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: p}
spec: {tier: Admin, priority: 1, subject: {namespaces: {}}, RULES}
"""
BASELINE = """
apiVersion: policy.networking.k8s.io/v1alpha1
kind: BaselineAdminNetworkPolicy
metadata: {name: default}
spec:
  subject: {namespaces: {}}
  ingress: [{action: Deny, from: [{namespaces: {matchLabels: {team: b}}}]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{}]}
"""
REQUESTS = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: p, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: api}}
  ingress:
    - fromEndpoints: [{matchLabels: {app: web}}]
      toPorts: [{ports: [{port: "8080", protocol: TCP}], rules: {http: [{method: GET}]}}]
"""
ADMIN_KNOWN = ("generic", "antrea", "calico@3.31", "kube-network-policies", "ovn-kubernetes")
CLUSTER_KNOWN = ("generic", "antrea", "calico@3.32", "cilium@1.20", "kube-network-policies")
EXCEPT = (
    f"{{{WEB}, egress: [{{to: [{{ipBlock: {{cidr: 0.0.0.0/0, except: [198.51.100.0/24]}}}}]}},"
    f" {{to: [{{ipBlock: {{cidr: 198.51.0.0/16}}}}], {PORT}}}]}}"
)
NOT_A = "{matchExpressions: [{key: team, operator: NotIn, values: [a]}]}"

CASES = (
    Case(
        ("E1 NP ingress / egress", "E2 NP ingress / egress"),
        "a NetworkPolicy",
        f"{{{API}}}",
        ("shop/web", "shop/api", "TCP", 8080),
        {"denied": but(*NONE), "allowed": NONE},
    ),
    Case(
        ("E1 Named ports",),
        "a port name of a sidecar",
        f"{{{API}, ingress: [{{ports: [{{port: side}}]}}]}}",
        ("ops/probe", "shop/api", "TCP", 9100),
        {
            "denied": but(*NONE, *CALICO, "ovn-kubernetes"),
            "allowed": (*NONE, *CALICO, "ovn-kubernetes"),
        },
    ),
    Case(
        ("E1 Named ports", "E3 2"),
        "a port name that opens the whole protocol",
        f"{{{API}, ingress: [{{ports: [{{port: http}}]}}]}}",
        ("ops/probe", "shop/api", "TCP", 22),
        {"denied": but(*NONE, "ovn-kubernetes"), "allowed": (*NONE, "ovn-kubernetes")},
    ),
    Case(
        ("E1 Named ports",),
        "a port name with two numbers, outwards",
        f"{{{WEB}, egress: [{{to: [{{podSelector: {{}}}}], ports: [{{port: http}}]}}]}}",
        ("shop/web", "shop/api", "TCP", 8081),
        {"allowed": but("cilium@1.18", "cilium@1.19"), "denied": ("cilium@1.18", "cilium@1.19")},
    ),
    Case(
        ("E2 Named ports", "E3 3"),
        "a port name that other subjects give another number",
        "{podSelector: {}, policyTypes: [Ingress], ingress: [{ports: [{port: http}]}]}",
        ("ops/probe", "shop/api", "TCP", 8080),
        {
            "denied": but(*NONE, "aws-vpc-cni", "ovn-kubernetes"),
            "allowed": (*NONE, "aws-vpc-cni", "ovn-kubernetes"),
        },
    ),
    Case(
        ("E2 Named ports",),
        "a port name towards everybody",
        f"{{{WEB}, egress: [{{ports: [{{port: http}}]}}]}}",
        ("shop/web", "shop/api", "TCP", 8081),
        {
            "allowed": but("cilium@1.18", "cilium@1.19", "aws-vpc-cni"),
            "denied": ("cilium@1.18", "cilium@1.19", "aws-vpc-cni"),
        },
    ),
    Case(
        ("E1 ANP/BANP", "E2 ANP/BANP / CNP"),
        "an AdminNetworkPolicy",
        ADMIN.replace("PRIORITY", "5"),
        ("ops/probe", "shop/api", "TCP", 80),
        {
            "denied": ADMIN_KNOWN,
            "undetermined": UNSAID,
            "allowed": but(*ADMIN_KNOWN, *UNSAID),
        },
    ),
    Case(
        ("E1 ANP/BANP", "E3 9"),
        "an AdminNetworkPolicy of a late priority",
        ADMIN.replace("PRIORITY", "100"),
        ("ops/probe", "shop/api", "TCP", 80),
        {
            "denied": ("generic", "antrea", "calico@3.31", "kube-network-policies"),
            "undetermined": UNSAID,
            "allowed": (
                *but(*ADMIN_KNOWN, *UNSAID),
                "ovn-kubernetes",
            ),
        },
    ),
    Case(
        ("E1 CNP v1alpha2", "E2 ANP/BANP / CNP"),
        "a ClusterNetworkPolicy",
        CLUSTER.replace(
            "RULES", "ingress: [{action: Deny, from: [{namespaces: {matchLabels: {team: b}}}]}]"
        ),
        ("ops/probe", "shop/api", "TCP", 80),
        {
            "denied": CLUSTER_KNOWN,
            "undetermined": UNSAID,
            "allowed": but(*CLUSTER_KNOWN, *UNSAID),
        },
    ),
    Case(
        ("E1 CNP v1alpha2", "E3 8"),
        "a ClusterNetworkPolicy about nodes, which fails closed",
        CLUSTER.replace(
            "RULES", "egress: [{action: Deny, to: [{nodes: {matchLabels: {disk: fast}}}]}]"
        ),
        ("shop/web", "shop/api", "TCP", 80),
        {
            "allowed": but("calico@3.32", *UNSAID),
            "undetermined": UNSAID,
            "denied": ("calico@3.32",),
        },
    ),
    Case(
        ("E1 NP final per direction (C17)", "E2 NP final per direction", "E3 4"),
        "a baseline, for a direction that no NetworkPolicy isolates",
        BASELINE,
        ("ops/probe", "shop/api", "TCP", 80),
        {
            "denied": ("generic", "antrea", "calico@3.31", "ovn-kubernetes"),
            "undetermined": UNSAID,
            "allowed": but("generic", "antrea", "calico@3.31", "ovn-kubernetes", *UNSAID),
        },
    ),
    Case(
        ("E1 ICMP with NP", "E3 7"),
        "an echo request to an isolated pod",
        f"{{{API}}}",
        ("ops/probe", "shop/api", "ICMP", 8),
        {
            "denied": (*CALICO, *CILIUM, "kube-network-policies", "ovn-kubernetes"),
            "undetermined": ("generic", "antrea", "aws-vpc-cni", "azure-npm", "gke-dataplane-v2"),
            "allowed": (*NONE, "kube-router"),
        },
    ),
    Case(
        ("E1 ipBlock ↔ pod IPs", "E2 ipBlock ↔ pod / node IPs", "E3 1"),
        "a block with pods in it",
        f"{{{API}, ingress: [{{from: [{{ipBlock: {{cidr: 0.0.0.0/0}}}}], {PORT}}}]}}",
        ("ops/probe", "shop/api", "TCP", 8080),
        {
            "allowed": but(*LIKE_CILIUM),
            "denied": LIKE_CILIUM,
        },
    ),
    Case(
        ("E1 ipBlock ↔ node IPs", "E2 ipBlock ↔ pod / node IPs", "E3 1"),
        "a block with nodes in it",
        f"{{{WEB}, egress: [{{to: [{{ipBlock: {{cidr: 192.0.2.0/24}}}}], {PORT}}}]}}",
        ("shop/web", "node:n2", "TCP", 8080),
        {"allowed": but(*LIKE_CILIUM), "denied": LIKE_CILIUM},
    ),
    Case(
        ("E1 hostNetwork pods", "E2 hostNetwork pods"),
        "a pod on the network of its node, as a peer by labels",
        f"{{{IN_WEB}, ingress: [{{from: [{{namespaceSelector: {{}}, podSelector: "
        f"{{matchLabels: {{app: agent}}}}}}], {PORT}}}]}}",
        ("ops/agent", "shop/web", "TCP", 8080),
        {"denied": but(*NONE, "aws-vpc-cni"), "allowed": (*NONE, "aws-vpc-cni")},
    ),
    Case(
        ("E1 pod → own node", "E2 own node → pod / pod → own node", "E3 3", "E3 6"),
        "an isolated pod, and its own node",
        f"{{{WEB}}}",
        ("shop/web", "node:n1", "TCP", 8080),
        {
            "denied": but(*NONE, "aws-vpc-cni", "azure-npm"),
            "allowed": (*NONE, "aws-vpc-cni", "azure-npm"),
        },
    ),
    Case(
        ("E1 pod → own node",),
        "a pod that may reach its own node, where the agent drops that",
        f"""
apiVersion: crd.projectcalico.org/v1
kind: FelixConfiguration
metadata: {{name: default}}
spec: {{defaultEndpointToHostAction: Drop}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: p, namespace: shop}}
spec: {{{WEB}, egress: [{{{PORT}}}]}}
""",
        ("shop/web", "node:n1", "TCP", 8080),
        {"allowed": but(*CALICO), "denied": CALICO},
        only="calico",
    ),
    Case(
        ("E1 FQDN / L7", "E2 FQDN"),
        "a policy that asks about requests",
        REQUESTS,
        ("ops/probe", "shop/api", "TCP", 8080),
        {
            "denied": CILIUM,
            "undetermined": ("generic", "gke-dataplane-v2"),
            "allowed": but("generic", "gke-dataplane-v2", *CILIUM),
        },
        only="cilium",
    ),
    Case(
        ("E1 IPv6", "E3 7"),
        "all of IPv6 as a block",
        f"{{{WEB}, egress: [{{to: [{{ipBlock: {{cidr: '::/0'}}}}], {PORT}}}]}}",
        ("shop/web", "4001:db8::1", "TCP", 8080),
        {"allowed": but("kube-router"), "denied": ("kube-router",)},
    ),
    Case(
        ("E2 `except`", "E3 3"),
        "what one block leaves out and another holds",
        EXCEPT,
        ("shop/web", "198.51.100.7", "TCP", 8080),
        {"allowed": but("aws-vpc-cni"), "undetermined": ("aws-vpc-cni",)},
    ),
    Case(
        ("E3 11",),
        "a defect: a block that lets in the policy's own namespace",
        f"{{{API}, ingress: [{{from: [{{ipBlock: {{cidr: 203.0.113.0/24}}}}], {PORT}}}]}}",
        ("shop/web", "shop/api", "TCP", 8080),
        {
            "denied": but(*NONE, "cilium@1.19"),
            "undetermined": ("cilium@1.19",),
            "allowed": NONE,
        },
    ),
    Case(
        ("E3 11",),
        "a defect: namespaces by what they are not, whatever cluster",
        f"{{{API}, ingress: [{{from: [{{namespaceSelector: {NOT_A}}}], {PORT}}}]}}",
        ("node:n1", "shop/api", "TCP", 8080),
        {
            "denied": but(*NONE, *CILIUM, "ovn-kubernetes"),
            "undetermined": (*CILIUM, "ovn-kubernetes"),
            "allowed": NONE,
        },
        {"cilium": {"policy-default-local-cluster": "false"}},
    ),
    Case(
        ("E3 11",),
        "a defect: namespaces by what they are not, with nodes by label",
        f"{{{API}, ingress: [{{from: [{{namespaceSelector: {NOT_A}}}], {PORT}}}]}}",
        ("node:n1", "shop/api", "TCP", 8080),
        {
            "denied": but(*NONE, *CILIUM, "ovn-kubernetes"),
            "undetermined": (*CILIUM, "ovn-kubernetes"),
            "allowed": NONE,
        },
        {"cilium": {"enable-node-selector-labels": "true"}},
    ),
    Case(
        ("E1 hostNetwork pods", "E3 12"),
        "every namespace as a peer, and nodes",
        f"{{{API}, ingress: [{{from: [{{namespaceSelector: {{}}}}], {PORT}}}]}}",
        ("node:n1", "shop/api", "TCP", 8080),
        {
            "denied": but(*NONE, "ovn-kubernetes"),
            "undetermined": ("ovn-kubernetes",),
            "allowed": NONE,
        },
    ),
)
