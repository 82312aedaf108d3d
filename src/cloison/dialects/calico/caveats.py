"""What answers that rest on Calico's objects may carry."""

from cloison.ir.fidelity import Caveat

_CHECKER = "projectcalico/calico app-policy/checker"
_RULES = "projectcalico/calico felix/rules"

HTTP_RULE = Caveat(
    "HTTP_RULE",
    "The rule also asks for HTTP methods or paths. The dataplane ignores that and allows the "
    "connection; only where application-layer policy is active for the pod, which takes a "
    "`policySyncPathPrefix`, do no other requests pass.",
    f"{_CHECKER}; {_RULES}/policy.go",
)
HTTP_PATHS = Caveat(
    "HTTP_PATHS",
    "Whether the rule matches the request's path depends on the release: from 3.31.6 and 3.32.0 on "
    "paths are normalised, and a prefix ends where a segment does; before that they are text.",
    f"{_CHECKER}/match.go",
)
HOST_RULES = Caveat(
    "HOST_RULES",
    "Calico hands the packet back to the host's own firewall rules, which are not known here.",
    f"{_RULES}/endpoints.go; Calico documentation, Felix configuration",
)
ENDPOINT_TO_HOST = Caveat(
    "ENDPOINT_TO_HOST",
    "What becomes of a pod's traffic to its own node is a setting of calico-node, and its "
    "environment, which is not read, has the last word; the answer follows "
    "FelixConfiguration, or else Accept, as the manifests and the operator set it.",
    "projectcalico/calico manifests/calico.yaml; Calico documentation, Felix configuration",
)
HOST_INTERFACE = Caveat(
    "HOST_INTERFACE",
    "The host endpoint names an interface, and it is not known which addresses and routes go "
    "through it; all traffic of the node with others is taken to.",
    "Calico documentation, Host endpoints",
)
HOST_SEVERAL = Caveat(
    "HOST_SEVERAL",
    "The node has several host endpoints that differ, and it is not known which traffic goes "
    "through which.",
    "projectcalico/calico felix/dataplane/linux/endpoint_mgr.go",
)
HOST_LOOPBACK = Caveat(
    "HOST_LOOPBACK",
    "Whether a host endpoint that is every interface sees what a host exchanges with itself, "
    "Calico's documentation does not say.",
    "Calico documentation, Host endpoints",
)
PROFILE_PASS = Caveat(
    "PROFILE_PASS",
    "A rule of the host endpoint's profile passes on: what comes after that, dataplanes do not "
    "agree on.",
    "projectcalico/calico felix/rules/endpoints.go, felix/bpf/polprog",
)
UNTRACKED = Caveat(
    "UNTRACKED",
    "The policy is applied before connections are tracked: replies must be let through by rules "
    "of their own. Whether there are any is asked with the state `reply`.",
    "Calico documentation, Defend against DoS attacks",
)
SERVICE_BACKENDS = Caveat(
    "SERVICE_BACKENDS",
    "The endpoints of the Service are not in the input; they are taken to be the pods that its "
    "selector finds.",
    "projectcalico/calico felix/serviceindex",
)
SERVICE_UNKNOWN = Caveat(
    "SERVICE_UNKNOWN",
    "The endpoints of a Service that a rule names are not in the input.",
    "projectcalico/calico felix/serviceindex",
)
SELECTOR_TOO_LARGE = Caveat(
    "SELECTOR_TOO_LARGE",
    "A selector has more alternatives than are followed; whom it matches is left open.",
    "Cloison interface, Verdicts",
)
STAGED_TWIN = Caveat(
    "STAGED_TWIN",
    "Calico's own preview adds a staged policy to the enforced one of its name, which comes first "
    "where their orders are equal; here it takes that one's place.",
    "projectcalico/calico felix/collector, app-policy/checker",
)
STAGED_DELETE = Caveat(
    "STAGED_DELETE",
    "Calico itself previews nothing of a staged deletion; here the policy is taken away.",
    "projectcalico/calico libcalico-go/lib/backend/syncersv1/updateprocessors",
)
CALICO_POLICY = Caveat(
    "CALICO_POLICY",
    "A Calico policy may apply here, and the profile does not say what its enforcer makes of it.",
    "Cloison interface, Verdicts",
)

EVERY = (
    HTTP_RULE,
    HTTP_PATHS,
    HOST_RULES,
    ENDPOINT_TO_HOST,
    HOST_INTERFACE,
    HOST_SEVERAL,
    HOST_LOOPBACK,
    PROFILE_PASS,
    UNTRACKED,
    SERVICE_BACKENDS,
    SERVICE_UNKNOWN,
    SELECTOR_TOO_LARGE,
    STAGED_TWIN,
    STAGED_DELETE,
    CALICO_POLICY,
)
"""Every caveat above."""
