"""The catalogue of caveats: the general ones, and what single products do differently.

A product's own caveats are facts its profile does not model. They are carried by every
answer given under that profile, so each sentence says where it bites.
"""

from collections.abc import Mapping
from types import MappingProxyType

from cloison.dialects.calico.caveats import EVERY as CALICO
from cloison.dialects.cilium.caveats import EVERY as CILIUM
from cloison.ir import caveats as general
from cloison.ir.fidelity import Caveat

NAMED_PORT_EGRESS_DROPPED = Caveat(
    "NAMED_PORT_EGRESS_DROPPED",
    "Named ports: in egress rules without peers, this CNI drops the name instead of looking it up "
    "on each destination.",
    "aws/amazon-network-policy-controller-k8s pkg/resolvers/endpoints.go",
)
IPBLOCK_ONLY_PEER_DEFECT = Caveat(
    "IPBLOCK_ONLY_PEER_DEFECT",
    "In Cilium 1.19.0 to 1.19.4 an ingress peer that is an ipBlock also admits every pod of the "
    "policy's namespace, where `policy-default-local-cluster` is on, as it is by default. Which "
    "patch release runs is the setting `cilium.patch`.",
    "GHSA-fm8w-2m5w-9j7r (CVE-2026-56743); cilium pull requests 46305 and 46456",
)
NEGATIVE_NAMESPACE_DEFECT = Caveat(
    "NEGATIVE_NAMESPACE_DEFECT",
    "A peer that only excludes namespaces (NotIn, DoesNotExist) also selects nodes and addresses "
    "outside the cluster where `policy-default-local-cluster` is off, or where the peer itself "
    "only excludes clusters; with `enable-node-selector-labels` it selects other nodes in any "
    "case. That holds up to Cilium 1.19.4 (`cilium.patch` says which patch release runs); which "
    "other releases do so is not settled.",
    "cilium issue 46949 and pull request 46996; cilium/cilium pkg/k8s/network_policy.go, "
    "pkg/node/manager/manager.go",
)
LOCALHOST_OR_DENY = Caveat(
    "cilium.U1",
    "A pod's own node is let in whatever policies leave out, and a policy here denies it: which "
    "of the two wins is not confirmed.",
    "cilium/cilium pkg/policy/mapstate.go; Cilium documentation, Layer 3 policies",
)
EXCEPT_IS_DENY = Caveat(
    "EXCEPT_IS_DENY",
    "`except` acts as a deny against every other rule, unless another rule allows the identical "
    "block.",
    "aws/aws-network-policy-agent fw_rule_processor.go",
)
PRE_NAT_EGRESS = Caveat(
    "PRE_NAT_EGRESS",
    "Egress through a Service is judged before translation: the Service's own port must equal "
    "the container's, and blocks match the Service's address.",
    "Amazon EKS User Guide, Limit Pod traffic with Kubernetes network policies; "
    "aws/amazon-network-policy-controller-k8s pkg/resolvers/endpoints.go",
)
START_WINDOW = Caveat(
    "START_WINDOW",
    "A new pod, or a restarted agent, may run unprotected until policies are programmed.",
    "kubernetes.io concept page Network Policies; documentation of the CNI",
)
SNAT_BYPASS = Caveat(
    "SNAT_BYPASS",
    "NodePort and LoadBalancer traffic of Services with externalTrafficPolicy Cluster is not "
    "subject to ingress policies.",
    "MicrosoftDocs/azure-aks-docs articles/aks/use-network-policies.md",
)
IPV4_ONLY = Caveat(
    "IPV4_ONLY",
    "Only IPv4 traffic is filtered.",
    "MicrosoftDocs/azure-aks-docs articles/aks/use-network-policies.md",
)
ONE_FAMILY = Caveat(
    "ONE_FAMILY",
    "A cluster has one address family; the IPv4 egress interface of IPv6 pods is not protected.",
    "aws/aws-network-policy-agent README",
)
IPV6_WHOLE_FAMILY = Caveat(
    "IPV6_WHOLE_FAMILY",
    "`::/0` is programmed as 2000::/3 and fd00::/8 only.",
    "cloudnativelabs/kube-router pkg/controllers/netpol",
)
SERVICE_RANGE_BYPASS = Caveat(
    "SERVICE_RANGE_BYPASS",
    "Service address ranges given to the agent bypass its checks of traffic to the node itself.",
    "cloudnativelabs/kube-router pkg/controllers/netpol",
)
NODE_PORT_EGRESS = Caveat(
    "NODE_PORT_EGRESS",
    "Traffic of a pod to node ports of its own node is not policed.",
    "cloudnativelabs/kube-router pkg/controllers/netpol",
)
HOST_NETWORK_NAMESPACE = Caveat(
    "HOST_NETWORK_NAMESPACE",
    "Nodes, and pods on their network, count as a namespace of their own here: a peer that selects "
    "whole namespaces, without a `podSelector`, may let them in where its labels fit that one.",
    "Red Hat OpenShift documentation, Network policy; ovn-kubernetes/ovn-kubernetes pkg/ovn",
)
LOCAL_NODE_PORT = Caveat(
    "LOCAL_NODE_PORT",
    "NodePort traffic may look local, and so pass ingress policies, on Windows or userspace "
    "datapaths without proxyAll.",
    "antrea-io/antrea issue 280",
)
FAIL_OPEN = Caveat(
    "FAIL_OPEN",
    "While the agent is down, traffic passes unfiltered in its default configuration.",
    "kubernetes-sigs/kube-network-policies README",
)
UPSTREAM_VERSION = Caveat(
    "UPSTREAM_VERSION",
    "A managed service: details follow the version it bundles, and several are not documented.",
    "Google Cloud documentation, GKE Dataplane V2",
)

CLUSTER_POLICY_GATE = Caveat(
    "CLUSTER_POLICY_GATE",
    "This CNI enforces cluster-wide policy of the Network Policy API only where a feature gate or "
    "flag that is off by default is on; the answer takes it to be on.",
    "antrea-io/antrea docs/admin-network-policy.md; Cilium documentation, Cluster Network Policy",
)
ADMIN_POLICY_IMAGE = Caveat(
    "ADMIN_POLICY_IMAGE",
    "The image that reads these kinds takes a port name for any port once a pod declares the name, "
    "takes `nodes` for the pods that run on them, and matches nothing where it knows no peer.",
    "kubernetes-sigs/kube-network-policies plugins/npa-v1alpha1/adminnetworkpolicy.go",
)
PORT_NAME_PROTOCOL = Caveat(
    "PORT_NAME_PROTOCOL",
    "Where a rule of a ClusterNetworkPolicy goes by port name, this CNI does not look at the "
    "protocol that the name is declared with.",
    "antrea-io/antrea pkg/controller/networkpolicy/clusternetworkpolicy.go",
)
NAMES_OPEN_DNS = Caveat(
    "NAMES_OPEN_DNS",
    "Rules with `nodes` or `domainNames` need further flags, and those with `domainNames` also "
    "open DNS to the cluster's name server.",
    "cilium/cilium pkg/k8s ClusterNetworkPolicy translation",
)

UNPROFILED_CNI = Caveat(
    "UNPROFILED_CNI",
    "The CNI that this cluster runs has no profile here: the answer is that of any conformant CNI, "
    "and what this one does differently is not in it.",
    "kubernetes.io concept page Network Policies, prerequisites",
)
CNI_OF_PLATFORM = Caveat(
    "CNI_OF_PLATFORM",
    "No object of a policy agent was read: the platform is known to bring one, and may have been "
    "set up without.",
    "documentation of the platform",
)
MAY_NOT_ENFORCE = Caveat(
    "MAY_NOT_ENFORCE",
    "Whether this CNI enforces policies as it is installed here is not known: where it does not, "
    "everything is allowed.",
    "documentation of the CNI",
)
_DNS = "kubernetes/website content/en/docs/concepts/services-networking/dns-pod-service.md"
DNS_ASSUMED = Caveat(
    "DNS_ASSUMED",
    "No resolver was read: the answer takes what the platform ships, and where the platform is "
    "not known any of those that are common. `platform` and `components` in cloison.yaml say "
    "which it is.",
    _DNS,
)
DNS_PODS_UNSEEN = Caveat(
    "DNS_PODS_UNSEEN",
    "The Service of the resolver was read, and none of its pods: their labels are taken from its "
    "selector, and their port from its own.",
    _DNS,
)
DNS_SEVERAL = Caveat(
    "DNS_SEVERAL",
    "More than one Service looks like the cluster's resolver; the address that kubelets hand out "
    "says which it is, and was not read.",
    _DNS,
)
DNS_OF_NODE = Caveat(
    "DNS_OF_NODE",
    "The pod asks what its node asks (`dnsPolicy: Default`), and no manifest says what that is.",
    _DNS,
)
DNS_CACHE_UNCLEAR = Caveat(
    "DNS_CACHE_UNCLEAR",
    "A cache for names runs on the nodes. Pods may be told its own address or that of the DNS "
    "Service, and policies may see an address or a pod: what was read does not settle it.",
    "kubernetes/website content/en/docs/tasks/administer-cluster/nodelocaldns.md",
)
DNS_ON_NODE = Caveat(
    "DNS_ON_NODE",
    "Nodes of EKS Auto Mode cache names themselves. At which address policies see that is not "
    "documented; the answer takes the address of the DNS Service.",
    "Amazon EKS User Guide, Learn about VPC networking and load balancing in EKS Auto Mode",
)
DNS_OF_PROVIDER = Caveat(
    "DNS_OF_PROVIDER",
    "On this platform a cache on the node or a resolver of the provider may answer instead of the "
    "pods that were read; the address that kubelets hand out says which, and was not read.",
    "MicrosoftDocs/azure-aks-docs articles/aks/localdns-custom.md; Google Cloud documentation, "
    "Using Cloud DNS for GKE, Setting up NodeLocal DNSCache",
)

CATALOGUE: Mapping[str, Caveat] = MappingProxyType(
    {
        each.id: each
        for each in sorted(
            (
                *general.EVERY,
                *CALICO,
                *CILIUM,
                NAMED_PORT_EGRESS_DROPPED,
                IPBLOCK_ONLY_PEER_DEFECT,
                NEGATIVE_NAMESPACE_DEFECT,
                LOCALHOST_OR_DENY,
                EXCEPT_IS_DENY,
                PRE_NAT_EGRESS,
                START_WINDOW,
                SNAT_BYPASS,
                IPV4_ONLY,
                ONE_FAMILY,
                IPV6_WHOLE_FAMILY,
                SERVICE_RANGE_BYPASS,
                NODE_PORT_EGRESS,
                HOST_NETWORK_NAMESPACE,
                LOCAL_NODE_PORT,
                FAIL_OPEN,
                UPSTREAM_VERSION,
                CLUSTER_POLICY_GATE,
                ADMIN_POLICY_IMAGE,
                PORT_NAME_PROTOCOL,
                NAMES_OPEN_DNS,
                UNPROFILED_CNI,
                CNI_OF_PLATFORM,
                MAY_NOT_ENFORCE,
                DNS_ASSUMED,
                DNS_PODS_UNSEEN,
                DNS_SEVERAL,
                DNS_OF_NODE,
                DNS_CACHE_UNCLEAR,
                DNS_ON_NODE,
                DNS_OF_PROVIDER,
            )
        )
    }
)
"""Every caveat an answer can carry, by id."""


def caveat(name: str) -> Caveat:
    """Return the caveat with the id `name`.

    Raises:
        KeyError: there is none.
    """
    return CATALOGUE[name]
