"""What NetworkPolicies say that not every enforcer reads alike, and other languages do not say.

Source: kubernetes.io concept page Network Policies; documentation and code of the enforcers.
"""

from collections.abc import Callable

from cloison.dialects.writing.features import Feature, Reading, gone
from cloison.ir.profile import NamedPorts, Profile
from cloison.resources.documents import Node

_PEER = "spec.ingress[].from[]"
_PEERS = (_PEER, "spec.egress[].to[]")
_PORTS = "spec.ingress[]|egress[].ports[]"
_SOURCE = "kubernetes.io concept page Network Policies"

_FILTERED = (
    "annotation",
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-completion-index",
    "controller-revision-hash",
    "controller-uid",
    "etcd_node",
    "io.kubernetes",
    "k8s.io",
    "kubernetes.io",
    "pod-template-generation",
    "pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
    "topology.kubernetes.io",
)
"""What keys of labels begin with that controllers and Kubernetes itself put on pods."""


def _carries(*ids: str) -> Callable[[Profile], bool]:
    """Return whether a profile says something that it has no setting for."""
    return lambda profile: any(
        caveat.id in ids for caveat in (*profile.known, *profile.reading.caveats)
    )


def _text(_key: str, node: Node) -> bool:
    return isinstance(node.value, str) and not node.value.isdecimal()


def _filtered(key: str, node: Node) -> bool:
    said = node.value if key == "key" else key
    return isinstance(said, str) and said.startswith(_FILTERED)


def _hides(profile: Profile) -> bool:
    """Return whether labels of the kind are left out."""
    seen = profile.visible
    return seen is not None and not seen.keeps("pod-template-hash")


def _other_way(_key: str, node: Node) -> bool:
    """Return whether a policy has rules of a direction that it does not name among its types."""
    types = node.get("policyTypes")
    if types is None or not isinstance(types.value, list):
        return False
    named = {str(each.value).lower() for each in types.value}
    return any(
        way not in named and (held := node.get(way)) is not None and bool(held.value)
        for way in ("ingress", "egress")
    )


def _excluding(_key: str, node: Node) -> bool:
    """Return whether a selector of namespaces only says what they must not have."""
    said = node.value if isinstance(node.value, dict) else {}
    if not said or said.keys() - {"matchExpressions"}:
        return False
    terms = said["matchExpressions"].value
    operators = [each.get("operator") for each in terms] if isinstance(terms, list) else []
    return bool(operators) and all(
        each is not None and each.value in ("NotIn", "DoesNotExist") for each in operators
    )


def _blocks_only(_key: str, node: Node) -> bool:
    """Return whether a rule's peers are blocks and nothing else."""
    held = node.value if isinstance(node.value, list) else []
    return bool(held) and all(peer.get("ipBlock") is not None for peer in held)


def _everything(_key: str, node: Node) -> bool:
    return node.value in ("0.0.0.0/0", "::/0")


def _namespaces_alone(_key: str, node: Node) -> bool:
    return node.get("namespaceSelector") is not None and node.get("podSelector") is None


def _sctp(_key: str, node: Node) -> bool:
    return node.value == "SCTP"


def _isolates_ingress(_key: str, node: Node) -> bool:
    types = node.get("policyTypes")
    if types is None or not isinstance(types.value, list) or not types.value:
        return True
    return any(each.value == "Ingress" for each in types.value)


_LABELS = tuple(
    f"{place}.{rest}"
    for place in ("spec.podSelector", *(f"{peer}.podSelector" for peer in _PEERS))
    for rest in ("matchLabels.*", "matchExpressions[].key")
)

FEATURES: tuple[Feature, ...] = (
    Feature(
        "isolates-ingress",
        "isolation for ingress",
        ("spec",),
        gone(cnp="no rule can deny what comes from outside or from nodes"),
        test=_isolates_ingress,
        source=_SOURCE,
    ),
    Feature(
        "blocks",
        "`ipBlock`",
        tuple(f"{peer}.ipBlock" for peer in _PEERS),
        readings=(
            Reading(
                "it matches neither pods nor nodes, whatever their addresses",
                lambda p: not p.block_matches_pods and not p.block_matches_nodes,
            ),
            Reading(
                "it matches nodes, and no pods, whatever their addresses",
                lambda p: not p.block_matches_pods and p.block_matches_nodes,
            ),
        ),
        source=_SOURCE,
    ),
    Feature(
        "whole-family",
        "`0.0.0.0/0` or `::/0`",
        tuple(f"{peer}.ipBlock.cidr" for peer in _PEERS),
        readings=(
            Reading(
                "it means everybody outside, and nobody else", lambda p: not p.block_matches_pods
            ),
            Reading("`::/0` is 2000::/3 and fd00::/8", _carries("IPV6_WHOLE_FAMILY")),
        ),
        test=_everything,
        source=_SOURCE,
    ),
    Feature(
        "except",
        "`except`",
        tuple(f"{peer}.ipBlock.except" for peer in _PEERS),
        readings=(
            Reading(
                "it is a denial, unless another rule allows the same block",
                _carries("EXCEPT_IS_DENY"),
            ),
        ),
        source=_SOURCE,
    ),
    Feature(
        "only-blocks",
        "ingress from blocks only",
        ("spec.ingress[].from",),
        readings=(
            Reading(
                "releases without the fix also let in every pod of the policy's namespace",
                _carries("IPBLOCK_ONLY_PEER_DEFECT"),
            ),
        ),
        test=_blocks_only,
        source="GHSA-fm8w-2m5w-9j7r",
    ),
    Feature(
        "excluding-namespaces",
        "namespaces by what they are not",
        tuple(f"{peer}.namespaceSelector" for peer in _PEERS),
        readings=(
            Reading(
                "nodes and addresses outside may match, too", _carries("NEGATIVE_NAMESPACE_DEFECT")
            ),
        ),
        test=_excluding,
        source="cilium issue 46949",
    ),
    Feature(
        "namespaces-alone",
        "`namespaceSelector` without `podSelector`",
        _PEERS,
        readings=(
            Reading(
                "pods on the network of nodes may match, too", _carries("HOST_NETWORK_NAMESPACE")
            ),
        ),
        test=_namespaces_alone,
        source="Red Hat OpenShift documentation, Network policy",
    ),
    Feature(
        "named-ports",
        "ports by name",
        (f"{_PORTS}.port",),
        readings=(
            Reading(
                "every port of the protocol is open",
                lambda p: p.named_ports is NamedPorts.WHOLE_PROTOCOL,
            ),
            Reading(
                "every number that any selected pod gives the name is open on all of them",
                lambda p: p.named_ports is NamedPorts.UNION,
            ),
            Reading(
                "where pods give the name different numbers, others are open than each pod's own, "
                "or none",
                _carries("PORT_NAME_TABLE", "NAMED_PORT_EGRESS_DROPPED"),
            ),
            Reading(
                "names that init and sidecar containers declare count, too",
                lambda p: p.init_container_ports,
            ),
        ),
        test=_text,
        source=_SOURCE,
    ),
    Feature(
        "end-port",
        "`endPort`",
        (f"{_PORTS}.endPort",),
        readings=(Reading("it is not read: one port is open", lambda p: not p.end_port),),
        source=_SOURCE,
    ),
    Feature(
        "sctp",
        "SCTP",
        (f"{_PORTS}.protocol",),
        readings=(
            Reading("it is not carried", lambda p: p.sctp is False),
            Reading(
                "whether it is carried depends on the installation",
                lambda p: p.sctp is None and p.name != "generic",
            ),
        ),
        test=_sctp,
        source=_SOURCE,
    ),
    Feature(
        "types-left-out",
        "rules of a direction that `policyTypes` leaves out",
        ("spec",),
        readings=(Reading("they count all the same", lambda p: p.reading.every_list),),
        test=_other_way,
        source="cilium/cilium pkg/k8s/network_policy.go",
    ),
    Feature(
        "filtered-labels",
        "labels that controllers put on pods",
        _LABELS,
        readings=(Reading("policies do not see them: who asks for one finds nobody", _hides),),
        test=_filtered,
        source="Cilium documentation, Limiting Identity-Relevant Labels",
    ),
)
"""By id."""


def features(_kind: str) -> tuple[Feature, ...]:
    """Return what a NetworkPolicy may say that is not the same everywhere."""
    return FEATURES
