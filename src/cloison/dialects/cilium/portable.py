"""What Cilium's policies say that others do not, or not so.

Source: Cilium documentation, Layer 3, Layer 4 and Layer 7 policies; the other languages' API
references.
"""

from functools import partial

from cloison.dialects.writing.features import Feature, Test, everywhere, gone, says
from cloison.resources.documents import Node

_RULE = "spec|specs[]"
_ALLOW = f"{_RULE}.ingress[]|egress[]"
_EVERY = f"{_RULE}.ingress[]|egress[]|ingressDeny[]|egressDeny[]"
_SELECTORS = (
    f"{_RULE}.endpointSelector",
    f"{_EVERY}.fromEndpoints[]|toEndpoints[]",
)
_NODES = frozenset(("host", "remote-node"))
_OWN = frozenset(("health", "init", "ingress", "unmanaged"))
_SOURCE = "Cilium documentation, Layer 3, 4 and 7 policies"
_everywhere = partial(everywhere, but="cilium")


def _false(_key: str, node: Node) -> bool:
    return node.value is False


def _protocol(*names: str) -> Test:
    return lambda _key, node: isinstance(node.value, str) and node.value.upper() in names


def _keys(*parts: str) -> Test:
    """Return whether a selector's key has one of some parts, wherever labels may be asked for."""

    def test(key: str, node: Node) -> bool:
        said = node.value if key == "key" else key
        return isinstance(said, str) and any(part in said for part in parts)

    return test


def _labels() -> tuple[str, ...]:
    return tuple(
        f"{selector}.{rest}"
        for selector in _SELECTORS
        for rest in ("matchLabels.*", "matchExpressions[].key")
    )


def _filled(_key: str, node: Node) -> bool:
    return bool(node.value)


FEATURES: tuple[Feature, ...] = (
    Feature(
        "http",
        "HTTP requests",
        (f"{_ALLOW}.toPorts[].rules.http",),
        _everywhere("the port is open for every request, or closed"),
        test=_filled,
        source=_SOURCE,
    ),
    Feature(
        "dns",
        "names that may be looked up",
        (f"{_ALLOW}.toPorts[].rules.dns",),
        _everywhere("every name may be looked up, or none"),
        test=_filled,
        source=_SOURCE,
    ),
    Feature(
        "l7-other",
        "Kafka and other parsers",
        (f"{_ALLOW}.toPorts[].rules.kafka", f"{_ALLOW}.toPorts[].rules.l7proto"),
        _everywhere("the port is open for every message, or closed"),
        source=_SOURCE,
    ),
    Feature(
        "sni",
        "names that TLS is opened with",
        (f"{_ALLOW}.toPorts[].serverNames",),
        _everywhere("TLS may be opened with every name, or none"),
        test=_filled,
        source=_SOURCE,
    ),
    Feature(
        "tls",
        "TLS that the enforcer ends or begins",
        (f"{_ALLOW}.toPorts[].terminatingTLS", f"{_ALLOW}.toPorts[].originatingTLS"),
        _everywhere("TLS goes through as it is"),
        source=_SOURCE,
    ),
    Feature(
        "listener",
        "a proxy that traffic is sent to",
        (f"{_ALLOW}.toPorts[].listener",),
        _everywhere("traffic goes where it was going"),
        source=_SOURCE,
    ),
    Feature(
        "authentication",
        "mutual authentication",
        (f"{_ALLOW}.authentication.mode",),
        _everywhere("nobody has to prove who they are"),
        test=lambda _key, node: node.value != "disabled",
        source=_SOURCE,
    ),
    Feature(
        "fqdns",
        "names outside the cluster",
        (f"{_ALLOW}.toFQDNs",),
        gone(
            "only the addresses of one day, copied",
            "domainNames, which few CNIs know, and whose `*.` is any number of labels",
            "domain names are known to Calico Enterprise and Calico Cloud only",
        ),
        source=_SOURCE,
    ),
    Feature(
        "services",
        "Services as destinations",
        (f"{_EVERY}.toServices",),
        _everywhere("=what stands behind the Service today"),
        source=_SOURCE,
    ),
    Feature(
        "nodes",
        "nodes by label",
        (f"{_EVERY}.fromNodes|toNodes",),
        gone(
            "the addresses of nodes today",
            "`nodes` for egress, without the pod's own node left out",
            "the addresses of nodes today, or host endpoints",
        ),
        source=_SOURCE,
    ),
    Feature(
        "groups",
        "groups that a cloud knows",
        (f"{_EVERY}.fromGroups|toGroups",),
        _everywhere("the addresses of one day"),
        source=_SOURCE,
    ),
    Feature(
        "entity-world",
        "`world`: everybody outside",
        (f"{_EVERY}.fromEntities[]|toEntities[]",),
        gone(
            "~0.0.0.0/0 and ::/0, which with other CNIs hold pods and nodes, too",
            "~for egress: 0.0.0.0/0 and ::/0, which with other CNIs hold pods and nodes, too",
            "0.0.0.0/0 and ::/0, which hold pods and nodes, too",
        ),
        test=says("world"),
        source=_SOURCE,
    ),
    Feature(
        "entity-cluster",
        "`cluster`: everybody inside",
        (f"{_EVERY}.fromEntities[]|toEntities[]",),
        _everywhere("every pod, without nodes and the API server"),
        test=says("cluster"),
        source=_SOURCE,
    ),
    Feature(
        "entity-nodes",
        "`host`, `remote-node`: nodes",
        (f"{_EVERY}.fromEntities[]|toEntities[]",),
        _everywhere("the addresses of nodes today; a pod's own node is not told apart"),
        test=lambda _key, node: node.value in _NODES,
        source=_SOURCE,
    ),
    Feature(
        "entity-apiserver",
        "`kube-apiserver`",
        (f"{_EVERY}.fromEntities[]|toEntities[]",),
        _everywhere("the addresses of the API server today"),
        test=says("kube-apiserver"),
        source=_SOURCE,
    ),
    Feature(
        "entity-own",
        "endpoints of Cilium's own",
        (f"{_EVERY}.fromEntities[]|toEntities[]",),
        _everywhere("elsewhere there are none such"),
        test=lambda _key, node: node.value in _OWN,
        source=_SOURCE,
    ),
    Feature(
        "reserved-labels",
        "reserved labels in a selector",
        _labels(),
        _everywhere("elsewhere nobody has such labels"),
        test=_keys("reserved:", "reserved."),
        source=_SOURCE,
    ),
    Feature(
        "deny",
        "denials, which come before all that is allowed",
        (f"{_RULE}.ingressDeny", f"{_RULE}.egressDeny"),
        gone(
            np="~taken out of what is allowed, where labels and blocks can say the rest",
            cnp="~an earlier priority",
            calico="~an earlier order",
        ),
        test=_filled,
        source=_SOURCE,
    ),
    Feature(
        "no-default-deny",
        "allowing without isolating",
        (f"{_RULE}.enableDefaultDeny.ingress", f"{_RULE}.enableDefaultDeny.egress"),
        gone(
            np="a NetworkPolicy isolates the pods it selects",
            calico="a policy isolates the pods it selects, but in a tier that passes on",
        ),
        test=_false,
        source=_SOURCE,
    ),
    Feature(
        "isolates-ingress",
        "isolation for ingress",
        (f"{_RULE}.ingress", f"{_RULE}.ingressDeny"),
        gone(cnp="no rule can deny what comes from outside or from nodes"),
        test=_filled,
        source=_SOURCE,
    ),
    Feature(
        "icmp",
        "types of ICMP",
        (f"{_EVERY}.icmps",),
        gone(
            np="what becomes of ICMP is left to the CNI",
            cnp="rules with protocols are about TCP, UDP and SCTP",
        ),
        test=_filled,
        source=_SOURCE,
    ),
    Feature(
        "protocols",
        "VRRP and IGMP",
        (f"{_EVERY}.toPorts[].ports[].protocol",),
        gone(
            np="rules are about TCP, UDP and SCTP",
            cnp="rules are about TCP, UDP and SCTP",
        ),
        test=_protocol("VRRP", "IGMP"),
        source=_SOURCE,
    ),
    Feature(
        "accounts",
        "pods by service account",
        _labels(),
        gone(
            np="pods cannot be told by service account",
            cnp="pods cannot be told by service account",
        ),
        test=_keys("io.cilium.k8s.policy.serviceaccount"),
        source=_SOURCE,
    ),
    Feature(
        "clusters",
        "pods by cluster",
        _labels(),
        _everywhere("other clusters are addresses"),
        test=_keys("io.cilium.k8s.policy.cluster"),
        source=_SOURCE,
    ),
    Feature(
        "cidr-groups",
        "groups of blocks",
        (f"{_EVERY}.fromCIDRSet[]|toCIDRSet[].cidrGroupRef|cidrGroupSelector",),
        gone(
            np="=the blocks of today",
            cnp="=the blocks of today",
            calico="~a network set with the same blocks, which pods are found in, too",
        ),
        source=_SOURCE,
    ),
    Feature(
        "blocks",
        "blocks of addresses",
        (f"{_EVERY}.fromCIDR|toCIDR", f"{_EVERY}.fromCIDRSet|toCIDRSet"),
        gone(
            np="~with other CNIs a block also matches pods and nodes with such an address",
            cnp="~for egress; with other CNIs a block also matches pods and nodes in it",
            calico="~a block also matches pods and nodes with such an address",
        ),
        test=_filled,
        source=_SOURCE,
    ),
    Feature(
        "clusterwide",
        "a policy for all namespaces",
        (f"{_RULE}.endpointSelector",),
        gone(np="=a copy in each namespace of today; those that come later are left out"),
        source=_SOURCE,
    ),
    Feature(
        "host-policy",
        "a policy about nodes",
        (f"{_RULE}.nodeSelector",),
        gone(
            np="nodes are never its subjects",
            cnp="nodes are never its subjects",
            calico="policies of host endpoints, which have to be there",
        ),
        source=_SOURCE,
    ),
)
"""By id, what nobody else has first."""

CLUSTERWIDE_ONLY = frozenset(("clusterwide",))
"""Features of the kind that lives in no namespace only."""


def features(kind: str) -> tuple[Feature, ...]:
    """Return what objects of a kind may say that others do not."""
    if kind == "CiliumClusterwideNetworkPolicy":
        return FEATURES
    return tuple(each for each in FEATURES if each.id not in CLUSTERWIDE_ONLY)
