"""What answers that rest on Cilium's objects may carry."""

from cloison.ir.fidelity import Caveat

_API = "cilium/cilium pkg/policy/api"
_LAYER3 = "Cilium documentation, Layer 3 policies"
_LAYER7 = "Cilium documentation, Layer 7 policies"

CILIUM_POLICY = Caveat(
    "CILIUM_POLICY",
    "A Cilium policy may apply here, and the profile does not say what its enforcer makes of it.",
    "Cloison interface, Verdicts",
)
API_SERVER_UNKNOWN = Caveat(
    "API_SERVER_UNKNOWN",
    "A rule is about the API server, and no EndpointSlice of Service `default/kubernetes` was "
    "read, which is what says its addresses.",
    f"{_API}/entity.go; {_LAYER3}",
)
AUDIT_MODE = Caveat(
    "AUDIT_MODE",
    "`policy-audit-mode` is on: what policies would drop passes, and is only reported.",
    "Cilium documentation, Creating policies from verdicts",
)
AUTHENTICATION = Caveat(
    "AUTHENTICATION",
    "A rule here asks that both ends authenticate each other; whether they do is not known, and "
    "may count for other rules about the same traffic, too.",
    "cilium/cilium pkg/policy/l4.go; Cilium documentation, Mutual authentication",
)
CIDR_PODS = Caveat(
    "cilium.U4",
    "`policy-cidr-match-mode: pods` is on, and which pods a block then matches is not confirmed.",
    "cilium/cilium pkg/option/config.go",
)
REQUIRES = Caveat(
    "REQUIRES",
    "`fromRequires` and `toRequires` of Cilium before 1.19 narrow what other rules allow, and are "
    "not worked out: what they concern is open.",
    "Cilium documentation, Layer 3 policies",
)
CLOUD_GROUPS = Caveat(
    "CLOUD_GROUPS",
    "A rule names groups of a cloud, and which addresses they hold is not known here.",
    f"{_API}/groups.go",
)
HEADER_SECRET = Caveat(
    "HEADER_SECRET",
    "A rule asks for the value of a header that a Secret holds, which is not read.",
    f"{_API}/http.go",
)
L3_RELAXES_DNS = Caveat(
    "cilium.U3",
    "A rule without ports also covers the resolver; whether it lets every name through, where "
    "another rule names those that may be asked for, is not confirmed.",
    "cilium/cilium pkg/fqdn/dnsproxy, pkg/policy/l4.go",
)
L7_NOT_MODELLED = Caveat(
    "L7_NOT_MODELLED",
    "A rule asks something of the application layer that is not modelled: Kafka, another parser "
    "or a listener of one's own; which requests it lets through is open.",
    f"{_API}/l7.go",
)
NAME_NOT_LEARNED = Caveat(
    "NAME_NOT_LEARNED",
    "A rule by DNS name only holds for answers that the DNS proxy of the node has seen; here no "
    "rule certainly lets the pod's own queries of the name through it, and other pods of the node "
    "may have asked, or a rule without names may let them through.",
    f"{_LAYER3}; {_LAYER7}",
)
NAMES_LEARNED = Caveat(
    "NAMES_LEARNED",
    "A rule by DNS name holds once the name has been looked up through the node's DNS proxy, and "
    "for as long as the answer lives.",
    _LAYER3,
)
PARSERS_DIFFER = Caveat(
    "PARSERS_DIFFER",
    "Rules here ask different parsers about the same port of the same peer; no policy comes of "
    "that, and the endpoint keeps the one it had before.",
    "cilium/cilium pkg/policy/l4.go",
)
PATTERN_UNDECIDED = Caveat(
    "PATTERN_UNDECIDED",
    "A pattern of a rule is too large, or uses what is not supported; which requests it lets "
    "through is left open.",
    "Cloison interface, Verdicts",
)
PORT_NAME_TABLE = Caveat(
    "PORT_NAME_TABLE",
    "A port name towards others is looked up among all pods at once; pods that are not in the "
    "input may give the name another number, and then it means none.",
    "cilium/cilium pkg/types/portmap.go",
)
PORT_RANGE = Caveat(
    "PORT_RANGE",
    "A range of ports begins at 0 or ends before it begins; what the enforcer makes of that is "
    "not documented.",
    f"{_API}/l4.go",
)
PROXY_REFUSES = Caveat(
    "PROXY_REFUSES",
    "A rule asks for what the proxy cannot compare, a `host` that is no regular expression or a "
    "header without a name. The agent does not look at either; the proxy refuses the policy, and "
    "what held for the endpoint before stays: which requests pass on these ports is open.",
    f"{_API}/http.go; cilium/cilium pkg/envoy",
)
SELECTOR_UNCLEAR = Caveat(
    "SELECTOR_UNCLEAR",
    "A selector asks for labels that ends outside the cluster, or nodes, may have; which of them "
    "have them is not known.",
    "cilium/cilium pkg/labels, pkg/policy/types",
)
SETTING_UNREAD = Caveat(
    "SETTING_UNREAD",
    "A setting in the ConfigMap of Cilium is not understood: agents may not start with it, and "
    "what they enforce then is not known. `--cilium` says what holds in the cluster.",
    "cilium/cilium pkg/option/config.go",
)
SERVICE_ENDPOINTS = Caveat(
    "SERVICE_ENDPOINTS",
    "A rule names a Service without a selector whose endpoints are not in the input.",
    "cilium/cilium pkg/policy/k8s/service.go",
)
SERVICE_UNRESOLVED = Caveat(
    "cilium.U2",
    "A rule with ports names Services of which none is in the input. What that selects is not "
    "confirmed: nobody, or every destination on these ports.",
    "cilium/cilium pkg/policy/k8s/service.go; cilium/cilium issue 20067",
)
ENTITY_UNKNOWN = Caveat(
    "cilium.U5",
    "A rule names an entity that came with 1.20; who belongs to it is not confirmed.",
    f"{_API}/entity.go",
)

EVERY = (
    CILIUM_POLICY,
    API_SERVER_UNKNOWN,
    AUDIT_MODE,
    AUTHENTICATION,
    CIDR_PODS,
    CLOUD_GROUPS,
    REQUIRES,
    HEADER_SECRET,
    L3_RELAXES_DNS,
    L7_NOT_MODELLED,
    NAME_NOT_LEARNED,
    NAMES_LEARNED,
    PARSERS_DIFFER,
    PATTERN_UNDECIDED,
    PORT_NAME_TABLE,
    PORT_RANGE,
    PROXY_REFUSES,
    SELECTOR_UNCLEAR,
    SETTING_UNREAD,
    SERVICE_ENDPOINTS,
    SERVICE_UNRESOLVED,
    ENTITY_UNKNOWN,
)
"""Every caveat above."""
