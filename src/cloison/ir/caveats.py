"""Caveats any enforcer's answers may carry: their ids are part of the interface.

What only one product does differently is in `platform`. A caveat says that the answer
stands on something the specification leaves open, or on a fact that was not given.
"""

from cloison.ir.fidelity import Caveat

_CONCEPT = "kubernetes.io concept page Network Policies"
_E2E = "kubernetes/kubernetes test/e2e/network/netpol/network_policy.go"
_TYPES = "kubernetes/api networking/v1/types.go"

CNI_IPBLOCK_POD = Caveat(
    "CNI_IPBLOCK_POD",
    "Whether an ipBlock also matches pod addresses depends on the CNI: most match them, some "
    "match only addresses outside the cluster.",
    f"{_CONCEPT}; {_E2E}",
)
CNI_IPBLOCK_NODE = Caveat(
    "CNI_IPBLOCK_NODE",
    "Whether an ipBlock also matches node addresses depends on the CNI.",
    f"{_CONCEPT}; {_E2E}",
)
OWN_NODE_EGRESS = Caveat(
    "OWN_NODE_EGRESS",
    "The official texts disagree on whether a pod isolated for egress may still reach its own "
    "node; the answer applies its egress rules unless the CNI is known to exempt the node.",
    f"{_CONCEPT}; {_TYPES}; kubernetes-sigs/kube-network-policies issue 283",
)
OWN_NODE_UNKNOWN = Caveat(
    "OWN_NODE_UNKNOWN",
    "It is not known which node the pod runs on, and traffic with its own node is treated "
    "differently from traffic with other nodes.",
    f"{_CONCEPT}; {_TYPES}",
)
HOSTNETWORK = Caveat(
    "HOSTNETWORK",
    "NetworkPolicy leaves host-network pods undefined; the answer follows the common model, in "
    "which selectors skip them and their traffic counts as their node's.",
    _CONCEPT,
)
NON_L4 = Caveat(
    "NON_L4",
    "NetworkPolicy defines TCP, UDP and SCTP only; what isolation does to other protocols, such "
    "as ICMP, is left to the CNI.",
    _CONCEPT,
)
SERVICE_NAT = Caveat(
    "SERVICE_NAT",
    "The question went through a Service: it was answered for the backend pod and its target "
    "port, as most CNIs see the connection; a CNI that looks before translation may differ.",
    f"{_CONCEPT}; {_TYPES}",
)
NAME_LOOKUP = Caveat(
    "NAME_LOOKUP",
    "The verdict is about the call itself. Looking the name up is a connection of its own, which "
    "is not let through for certain: a client without the address at hand gets no further.",
    "Kubernetes documentation, DNS for Services and Pods",
)
HOST_PORT = Caveat(
    "HOST_PORT",
    "A pod takes this port of the node as its hostPort, or may do so: the connection then ends in "
    "that pod, whose policies are asked; the answer is about the node itself.",
    "kubernetes/api core/v1/types.go, ContainerPort.hostPort; containernetworking/plugins portmap",
)
SNAT = Caveat(
    "SNAT",
    "Traffic that enters through a load balancer or node port may arrive with another source "
    "address; the client's own is seen only where nothing rewrites it.",
    f"{_CONCEPT}; kubernetes.io tutorial Using Source IP",
)
OVERLAY_SOURCE = Caveat(
    "OVERLAY_SOURCE",
    "What a node sends on to a pod of another node may carry the address of its tunnel, such as "
    "the first of its range of pods, and not the address that the node is known by.",
    "rancher/rke2 pkg/controllers/cisnetworkpolicy/controller.go; tigera/docs "
    "calico/networking/configuring/node-local-dns-cache.mdx",
)
BALANCER_SOURCE = Caveat(
    "BALANCER_SOURCE",
    "The client's address is seen behind a load balancer that only forwards packets; one that "
    "ends connections, or replaces addresses, shows its own.",
    "kubernetes.io tutorial Using Source IP",
)
SHORT_CIRCUIT = Caveat(
    "SHORT_CIRCUIT",
    "A pod that calls an outside address of a Service is led to its pods without leaving the "
    "cluster; what does that may put its node's address in place of its own.",
    "kubernetes/api core/v1/types.go ServiceExternalTrafficPolicy; kubernetes/kubernetes "
    "pkg/proxy/iptables/proxier.go",
)
GATEWAY_ADDRESS_UNKNOWN = Caveat(
    "GATEWAY_ADDRESS_UNKNOWN",
    "Who serves the gateway opens the connection to its backends from addresses that nothing in "
    "the input says, such as those of a load balancer's subnets; ask about these as a block.",
    "Cloison interface, Verdicts",
)
GATEWAY_NAMESPACE_UNKNOWN = Caveat(
    "GATEWAY_NAMESPACE_UNKNOWN",
    "Who serves the gateway is not in the input. Its pods are assumed with the labels that its "
    "product gives them; where they live is for whoever installs it to say, and `components` in "
    "cloison.yaml can say it.",
    "Cloison interface, Verdicts",
)
GATEWAY_CONTROLLER_UNKNOWN = Caveat(
    "GATEWAY_CONTROLLER_UNKNOWN",
    "Nothing in the input serves the gateway, and no known product has its class. Whoever does may "
    "be installed all the same: denied is only what policies stop whoever that is.",
    "kubernetes/api networking/v1/types.go IngressClassSpec; kubernetes-sigs/gateway-api "
    "apis/v1/gatewayclass_types.go",
)
ENDPOINTS_NOT_READ = Caveat(
    "ENDPOINTS_NOT_READ",
    "The Service has no selector, and nothing in the input says what is behind it: others write "
    "its EndpointSlices, which may only not have been read. The API server's own always has some.",
    "kubernetes/api core/v1/types.go ServiceSpec; kubernetes/website "
    "content/en/docs/concepts/services-networking/service.md",
)
PASSTHROUGH_SOURCE = Caveat(
    "PASSTHROUGH_SOURCE",
    "TLS passes the gateway unopened; what the backend sees as the source may then be the "
    "gateway's node, and not the gateway.",
    "cilium/cilium Documentation/network/servicemesh/ingress-reference.rst",
)
NODE_PORT_ORDER = Caveat(
    "NODE_PORT_ORDER",
    "On the node whose port is dialled, who enforces may look before or after the node puts its "
    "own address in the place of the caller's; pods of that node may be judged by either.",
    f"{_CONCEPT}; kubernetes/kubernetes pkg/proxy/iptables/proxier.go",
)
NODE_PORT_LOCAL = Caveat(
    "NODE_PORT_LOCAL",
    "A call from within to a node's port, of a Service that keeps calls on the node they arrive at "
    "(externalTrafficPolicy: Local), may get to that node's pods only, or to all of them.",
    "kubernetes/api core/v1/types.go ServiceExternalTrafficPolicy; kubernetes/kubernetes "
    "pkg/proxy/iptables/proxier.go",
)
ROUTE_ORDER = Caveat(
    "ROUTE_ORDER",
    "Several rules may be for the request, and which of them gets it is left to whoever serves the "
    "gateway, or hangs on what is not known here: patterns, or which route is older.",
    "kubernetes-sigs/gateway-api apis/v1/httproute_types.go HTTPRouteRule; kubernetes/website "
    "concepts/services-networking/ingress.md",
)
LOCAL_ENDPOINTS = Caveat(
    "LOCAL_ENDPOINTS",
    "The Service keeps calls on the node they come from or arrive at (a traffic policy of Local), "
    "and which nodes callers or pods are on is not known: where no pod of it is, nothing answers.",
    "kubernetes/api core/v1/types.go ServiceInternalTrafficPolicy",
)
ESTABLISHED = Caveat(
    "ESTABLISHED",
    "What a policy or label change does to connections that are already open is left to the CNI.",
    f"{_CONCEPT}; kubernetes-sigs/network-policy-api issue 305",
)
NAMED_PORT_CONTAINER = Caveat(
    "NAMED_PORT_CONTAINER",
    "The port name is declared only by an init or sidecar container; whether such declarations "
    "count depends on the CNI.",
    "kubernetes-sigs/kube-network-policies pkg/api/helper.go; projectcalico/calico "
    "libcalico-go/lib/backend/k8s/conversion/workload_endpoint_default.go",
)
NAMED_PORT_AMBIGUOUS = Caveat(
    "NAMED_PORT_AMBIGUOUS",
    "Containers of the pod give one port name to different numbers; the answer takes all of "
    "them, while some CNIs take the first.",
    "kubernetes/kubernetes pkg/apis/core/validation/validation.go; "
    "kubernetes-sigs/kube-network-policies pkg/api/helper.go; "
    "aws/amazon-network-policy-controller-k8s pkg/k8s/pod_utils.go",
)
NAMED_PORT_UNKNOWN = Caveat(
    "NAMED_PORT_UNKNOWN",
    "A rule goes by port name, and a pod that is not in the input may give that name to any "
    "number.",
    "kubernetes.io API reference, NetworkPolicyPort.port",
)
CIDR_STRICT = Caveat(
    "CIDR_STRICT",
    "A block is not written canonically; it is read as the network it masks to, and API servers "
    "from 1.36 on refuse it in a new object.",
    "kubernetes/enhancements KEP-4858; apimachinery pkg/util/validation/ip.go",
)
POD_ADDRESS_UNKNOWN = Caveat(
    "POD_ADDRESS_UNKNOWN",
    "The pod's address is not known; it is taken to lie outside every block except a whole "
    "address family.",
    "Cloison interface, Verdicts",
)
POD_RANGE_LIKELY = Caveat(
    "POD_RANGE_LIKELY",
    "The input says where pod addresses come from of some nodes only, or of a plugin that may take "
    "them elsewhere; where that would change the answer, it is not known. `podCidrs` in "
    "cloison.yaml, or --pod-cidr, says it.",
    "kubernetes/kubernetes pkg/controller/nodeipam; Cloison interface, Verdicts",
)
EVERY_PLACEMENT = Caveat(
    "EVERY_PLACEMENT",
    "The addresses of some pods or nodes are not known; the relation was judged for every address "
    "that each of them may have.",
    "Cloison interface, Relations",
)
NODE_ADDRESS_UNKNOWN = Caveat(
    "NODE_ADDRESS_UNKNOWN",
    "The node's addresses are not known, so rules that go by address cannot be applied to it.",
    "Cloison interface, Verdicts",
)
POD_PENDING = Caveat(
    "POD_PENDING",
    "The pod has no address yet: it can neither send nor receive, and nothing is decided.",
    _CONCEPT,
)
POD_FINISHED = Caveat(
    "POD_FINISHED",
    "The pod has run to its end; its address may belong to another pod by now, so it takes part "
    "in nothing.",
    "projectcalico/calico libcalico-go/lib/backend/k8s/conversion/conversion.go; "
    "ovn-kubernetes/ovn-kubernetes pkg/util/kube.go",
)
HAIRPIN = Caveat(
    "HAIRPIN",
    "CNIs disagree on traffic of a pod that comes back to itself through a Service; the answer "
    "treats it as traffic to itself.",
    "kubernetes/kubernetes issue 95879",
)
SCTP_SUPPORT = Caveat(
    "SCTP_SUPPORT",
    "SCTP is optional for a CNI; whether rules for it take effect depends on the installation.",
    _CONCEPT,
)
END_PORT_SUPPORT = Caveat(
    "END_PORT_SUPPORT",
    "A CNI that does not support `endPort` applies only the first port of the range.",
    f"{_CONCEPT}; kubernetes/enhancements KEP-2079",
)
BASELINE_DIRECTION = Caveat(
    "BASELINE_DIRECTION",
    "Whether a NetworkPolicy of one direction also ends the evaluation of the other is not "
    "settled; the answer treats each direction on its own.",
    "kubernetes-sigs/network-policy-api apis/v1alpha2/clusternetworkpolicy_types.go",
)
PRIORITY_TIE = Caveat(
    "PRIORITY_TIE",
    "Policies of equal priority disagree about this traffic, and an implementation may follow "
    "either.",
    "kubernetes-sigs/network-policy-api apis/v1alpha1",
)
CNI_NOT_ENFORCING = Caveat(
    "CNI_NOT_ENFORCING",
    "This CNI does not enforce NetworkPolicy; policies are accepted and have no effect.",
    _CONCEPT,
)
NAMESPACE_LABELS_UNKNOWN = Caveat(
    "NAMESPACE_LABELS_UNKNOWN",
    "The input holds no Namespace object of that name, so its labels are not known; it is taken "
    "to have none but its name, and a rule here selects namespaces by another label.",
    "kubernetes.io documentation, Namespaces",
)
ACCOUNT_LABELS_UNKNOWN = Caveat(
    "ACCOUNT_LABELS_UNKNOWN",
    "The input does not hold the pod's ServiceAccount, so its labels are not known; it is taken to "
    "have none but its name, and a policy here selects by the labels of accounts.",
    "kubernetes.io documentation, Service Accounts",
)
POD_NODE_UNKNOWN = Caveat(
    "POD_NODE_UNKNOWN",
    "It is not known which node the pod runs on, and a policy here is for pods of certain nodes.",
    "Cloison interface, Verdicts",
)
NODES_UNKNOWN = Caveat(
    "NODES_UNKNOWN",
    "The input holds no Node with an address, and a rule here is about nodes: whether this "
    "address is one of theirs is not known; it is taken not to be.",
    "Cloison interface, Verdicts",
)
NODE_LABELS_UNKNOWN = Caveat(
    "NODE_LABELS_UNKNOWN",
    "The input does not hold the Node, so its labels are not known, and a rule here selects nodes "
    "by label.",
    "Cloison interface, Verdicts",
)
NAME_NOT_RESOLVED = Caveat(
    "NAME_NOT_RESOLVED",
    "A rule goes by DNS name, and which addresses the name stands for is not known here; an "
    "address outside the cluster may be one of them.",
    "kubernetes-sigs/network-policy-api npeps/npep-133-fqdn-egress-selector.md",
)
NAME_WITHOUT_ADDRESS = Caveat(
    "NAME_WITHOUT_ADDRESS",
    "A rule goes by a DNS name that the settings give no address; what a pod may reach before "
    "it has resolved the name is up to the implementation, and taken to be nothing.",
    "kubernetes-sigs/network-policy-api npeps/npep-133-fqdn-egress-selector.md",
)
NAME_ADDRESS_UNKNOWN = Caveat(
    "NAME_ADDRESS_UNKNOWN",
    "Which addresses the name asked about stands for is not known here. It is taken to be "
    "outside the cluster, at no address of another name; a rule for an address block may be "
    "about it or not.",
    "Cloison interface, Naming ends",
)
NAMES_COMPLETE = Caveat(
    "NAMES_COMPLETE",
    "A rule goes by DNS name, and this address is none that the DNS table lists: it has none of "
    "these names if the table is complete, as it is said to be.",
    "Cloison interface, Settings",
)
SOURCE_PORTS = Caveat(
    "SOURCE_PORTS",
    "A rule asks about the port that the client sends from, which a question does not say; "
    "clients usually take any free one.",
    "Cloison interface, Verdicts",
)
PODS_NOT_TOLD_APART = Caveat(
    "PODS_NOT_TOLD_APART",
    "Policies could tell apart more kinds of pods than were tried; what some of them may do is "
    "left open.",
    "Cloison interface, Exposure",
)
LABEL_VALUE_UNKNOWN = Caveat(
    "LABEL_VALUE_UNKNOWN",
    "A policy looks into the value of a label, and a pod that is not in the input may have any; "
    "what such a policy does to it is left open.",
    "Cloison interface, Exposure",
)
POLICY_NOT_MODELLED = Caveat(
    "POLICY_NOT_MODELLED",
    "A policy that may apply here is of a kind, or says something, that Cloison does not "
    "understand; whether it changes the answer is open.",
    "Cloison interface, Verdicts",
)

RULE_UNUSABLE = Caveat(
    "RULE_UNUSABLE",
    "A rule holds something that the API server stores and no enforcer can use, such as a selector "
    "with an operator that does not exist; what the rule then matches is open.",
    "kubernetes-sigs/network-policy-api config/crd; kubernetes/apimachinery "
    "pkg/apis/meta/v1/helpers.go",
)
RULE_FAILS_CLOSED = Caveat(
    "RULE_FAILS_CLOSED",
    "The enforcer does not know a field of a rule here: as an allow the rule matches nothing, "
    "and otherwise it denies everything.",
    "kubernetes-sigs/network-policy-api apis/v1alpha2/clusternetworkpolicy_types.go",
)
REQUESTS_TOO_LARGE = Caveat(
    "REQUESTS_TOO_LARGE",
    "What rules ask of requests here takes more work to put together than Cloison puts up with; "
    "with which requests the traffic passes is open.",
    "Cloison, docs/design/application-layer.md, Bounds",
)
REQUEST_WRITTEN_OTHERWISE = Caveat(
    "REQUEST_WRITTEN_OTHERWISE",
    "The same path, written in another way, meets another verdict: the enforcer compares it as it "
    "is sent, and a server may take both for one.",
    "Cloison, docs/design/application-layer.md, What is left to others",
)
NAMES_NOT_ACCEPTED = Caveat(
    "NAMES_NOT_ACCEPTED",
    "A rule that does not accept names domains, which the API documents for accepting rules only; "
    "the answer applies it to the addresses of those names, an enforcer may refuse it.",
    "kubernetes-sigs/network-policy-api npeps/npep-133-fqdn-egress-selector.md",
)
COLLECTOR_UNKNOWN = Caveat(
    "COLLECTOR_UNKNOWN",
    "Who collects metrics is not in the input: its pods are assumed, with the labels and the "
    "namespace that are most usual. `components` in cloison.yaml can say them.",
    "prometheus-operator/prometheus-operator pkg/prometheus/server/operator.go",
)
OPERATOR_PODS = Caveat(
    "OPERATOR_PODS",
    "Pods that an operator makes of a resource are not in the input: they are assumed, with the "
    "labels and ports that it is documented to give them. Its settings may give them others.",
    "documentation and code of the operator",
)
BASELINE_KINDS = Caveat(
    "BASELINE_KINDS",
    "Baseline rules of two kinds are in force, and nothing says which come first; the answer takes "
    "the BaselineAdminNetworkPolicy last.",
    "kubernetes-sigs/network-policy-api npeps/npep-285-cluster-network-policy.md",
)

EVERY = (
    REQUESTS_TOO_LARGE,
    REQUEST_WRITTEN_OTHERWISE,
    CNI_IPBLOCK_POD,
    CNI_IPBLOCK_NODE,
    OWN_NODE_EGRESS,
    OWN_NODE_UNKNOWN,
    HOSTNETWORK,
    NON_L4,
    SERVICE_NAT,
    NAME_LOOKUP,
    HOST_PORT,
    SNAT,
    OVERLAY_SOURCE,
    BALANCER_SOURCE,
    SHORT_CIRCUIT,
    NODE_PORT_ORDER,
    NODE_PORT_LOCAL,
    ROUTE_ORDER,
    LOCAL_ENDPOINTS,
    PASSTHROUGH_SOURCE,
    GATEWAY_ADDRESS_UNKNOWN,
    GATEWAY_NAMESPACE_UNKNOWN,
    GATEWAY_CONTROLLER_UNKNOWN,
    ENDPOINTS_NOT_READ,
    ESTABLISHED,
    NAMED_PORT_CONTAINER,
    NAMED_PORT_AMBIGUOUS,
    NAMED_PORT_UNKNOWN,
    CIDR_STRICT,
    POD_ADDRESS_UNKNOWN,
    POD_RANGE_LIKELY,
    EVERY_PLACEMENT,
    NODE_ADDRESS_UNKNOWN,
    POD_PENDING,
    POD_FINISHED,
    HAIRPIN,
    SCTP_SUPPORT,
    END_PORT_SUPPORT,
    BASELINE_DIRECTION,
    PRIORITY_TIE,
    CNI_NOT_ENFORCING,
    NAMESPACE_LABELS_UNKNOWN,
    ACCOUNT_LABELS_UNKNOWN,
    POD_NODE_UNKNOWN,
    NODE_LABELS_UNKNOWN,
    NODES_UNKNOWN,
    NAME_NOT_RESOLVED,
    NAME_WITHOUT_ADDRESS,
    NAME_ADDRESS_UNKNOWN,
    NAMES_COMPLETE,
    SOURCE_PORTS,
    PODS_NOT_TOLD_APART,
    LABEL_VALUE_UNKNOWN,
    POLICY_NOT_MODELLED,
    RULE_UNUSABLE,
    RULE_FAILS_CLOSED,
    NAMES_NOT_ACCEPTED,
    BASELINE_KINDS,
    OPERATOR_PODS,
    COLLECTOR_UNKNOWN,
)
"""Every caveat above."""
