"""Which fields the CRDs have at every depth, for finding those that are pruned.

The notation is that of the field table (`reading.kinds`).

Source: kubernetes-sigs/network-policy-api config/crd, v0.1.7 and v0.2.0.
"""

from functools import cache
from typing import Final

from cloison.dialects.adminpolicy.say import V1ALPHA1, V1ALPHA2
from cloison.dialects.reading.kinds import HEAD, Fields, types_of
from cloison.resources.check import Custom
from cloison.resources.documents import Node
from cloison.resources.options import Channel

VERSIONS: Final = {
    "AdminNetworkPolicy": "policy.networking.k8s.io/v1alpha1",
    "BaselineAdminNetworkPolicy": "policy.networking.k8s.io/v1alpha1",
    "ClusterNetworkPolicy": "policy.networking.k8s.io/v1alpha2",
}
"""The version of each kind that we read."""

_PODS: dict[str, str] = {"namespaceSelector": "LabelSelector", "podSelector": "LabelSelector"}
_SUBJECT: dict[str, str] = {"namespaces": "LabelSelector", "pods": "NamespacedPod"}
_TO: dict[str, str] = _SUBJECT | {"networks": "[s"}
_RULE: dict[str, str] = {"name": "s", "action": "s"}
_SPEC: dict[str, str] = {"subject": "Subject", "ingress": "[IngressRule", "egress": "[EgressRule"}
_OBJECT: Fields = {**HEAD, "spec": "Spec", "status": "*"}

_SHARED: dict[str, Fields] = {
    "NamespacedPod": _PODS,
    "Subject": _SUBJECT,
    "IngressPeer": _SUBJECT,
}
_V1ALPHA1: dict[str, Fields] = _SHARED | {
    "PortNumber": {"port": "i", "protocol": "s"},
    "PortRange": {"start": "i", "end": "i", "protocol": "s"},
    "Port": {"portNumber": "PortNumber", "portRange": "PortRange", "namedPort": "s"},
    "IngressRule": _RULE | {"from": "[IngressPeer", "ports": "[Port"},
    "EgressRule": _RULE | {"to": "[EgressPeer", "ports": "[Port"},
}
_V1ALPHA2: dict[str, Fields] = _SHARED | {
    "Range": {"start": "i", "end": "i"},
    "DestinationPort": {"number": "i", "range": "Range"},
    "ProtocolPorts": {"destinationPort": "DestinationPort"},
    "Protocol": {
        "tcp": "ProtocolPorts",
        "udp": "ProtocolPorts",
        "sctp": "ProtocolPorts",
        "destinationNamedPort": "s",
    },
    "EgressPeer": _TO | {"nodes": "LabelSelector", "domainNames": "[s"},
    "IngressRule": _RULE | {"from": "[IngressPeer", "protocols": "[Protocol"},
    "EgressRule": _RULE | {"to": "[EgressPeer", "protocols": "[Protocol"},
    "Spec": {"tier": "s", "priority": "i"} | _SPEC,
}
_TYPES: dict[str, dict[str, Fields]] = {
    "AdminNetworkPolicy": _V1ALPHA1
    | {
        "EgressPeer": _TO | {"nodes": "LabelSelector", "domainNames": "[s"},
        "Spec": {"priority": "i"} | _SPEC,
    },
    "BaselineAdminNetworkPolicy": _V1ALPHA1
    | {"EgressPeer": _TO | {"nodes": "LabelSelector"}, "Spec": _SPEC},
    "ClusterNetworkPolicy": _V1ALPHA2,
}
EXPERIMENTAL: Final = frozenset(
    {("EgressPeer", "nodes"), ("EgressPeer", "domainNames"), ("Port", "namedPort")}
)
"""Type and field of what only the experimental CRDs have."""

_MEANT = {
    ("IngressRule", "ports"): "ClusterNetworkPolicy says `protocols: [{tcp: {destinationPort: "
    "{number: 80}}}]`",
    (
        "IngressRule",
        "protocols",
    ): "v1alpha1 says `ports: [{portNumber: {protocol: TCP, port: 80}}]`",
    ("Protocol", "namedPort"): "write `destinationNamedPort`",
    ("Protocol", "portNumber"): "write `tcp: {destinationPort: {number: 80}}`",
    ("Protocol", "portRange"): "write `tcp: {destinationPort: {range: {start: 80, end: 90}}}`",
    ("ProtocolPorts", "port"): "write `destinationPort: {number: 80}`",
    ("DestinationPort", "port"): "write `number`",
    ("Port", "port"): "write `portNumber: {protocol: TCP, port: 80}`",
    ("Port", "protocol"): "write it inside `portNumber` or `portRange`",
    ("PortNumber", "number"): "write `port`",
    ("LabelSelector", "namespaceSelector"): "write its contents directly under `namespaces`",
    ("LabelSelector", "podSelector"): "write `pods: {namespaceSelector: ..., podSelector: ...}`",
    ("LabelSelector", "sameLabels"): "it was taken out of the API; name the values one by one",
    ("LabelSelector", "notSameLabels"): "it was taken out of the API; name the values one by one",
    ("Spec", "tier"): "only ClusterNetworkPolicy chooses a tier",
    ("Spec", "podSelector"): "write `subject: {pods: {namespaceSelector: ..., podSelector: ...}}`",
    ("Spec", "policyTypes"): "remove it: rules alone decide which directions are concerned",
    ("EgressPeer", "ipBlock"): "write `networks: [10.0.0.0/8]`",
    ("EgressPeer", "domainNames"): "BaselineAdminNetworkPolicy has no `domainNames`",
    ("IngressPeer", "networks"): "no ingress rule of this API can name addresses",
    ("IngressPeer", "nodes"): "no ingress rule of this API can name nodes",
    ("IngressPeer", "ipBlock"): "no ingress rule of this API can name addresses",
}
"""What somebody probably meant by a field that a type does not have."""
_ALIKE = {"EgressRule": "IngressRule"}


@cache
def custom(kind: str, channel: Channel | None) -> Custom:
    """Return how objects of a kind are to be checked.

    Args:
        kind: One of `VERSIONS`.
        channel: Which CRDs; None for what any of them has.
    """
    standard = channel is Channel.STANDARD
    known = types_of(
        {
            name: {
                field: code
                for field, code in fields.items()
                if not (standard and (name, field) in EXPERIMENTAL)
            }
            for name, fields in (*_TYPES[kind].items(), (kind, _OBJECT))
        },
        "LabelSelector",
    )

    def bare(name: str, node: Node) -> bool:
        left = node.value if isinstance(node.value, dict) else {}
        fields = known[name].fields if name in known else left
        return not any(key in fields and value.value is not None for key, value in left.items())

    return Custom(
        known[kind],
        namespaced=False,
        source=V1ALPHA2 if kind == "ClusterNetworkPolicy" else V1ALPHA1,
        dropped=lambda name, node: _dropped(name, bare=bare(name, node)),
        newer=lambda name, node: _newer(name, bare=bare(name, node)),
        meant=_meant,
    )


def _meant(name: str, field: str) -> str | None:
    if (name, field) in EXPERIMENTAL and (name, field) != ("EgressPeer", "domainNames"):
        return "install the experimental CRDs, or say it in another way"
    return _MEANT.get((name, field)) or _MEANT.get((_ALIKE.get(name, name), field))


def _newer(name: str, *, bare: bool) -> str:
    """Say what becomes of a part of a stored object with a field that we do not know."""
    if name in ("IngressPeer", "EgressPeer") and bare:
        return (
            "a peer without any known field fails closed, as the API demands: the rule matches "
            "nothing if it allows, and denies everything in its direction otherwise"
        )
    return "a server printed this field, but we do not know it: what it belongs to is undetermined"


def _dropped(name: str, *, bare: bool) -> str | None:
    """Say what dropping a field leaves, where that is more than nothing."""
    drops = "the API server drops this field, "
    if name == "LabelSelector":
        if bare:
            return drops + "which leaves an empty selector: it matches everything"
        return drops + "and the selector matches whatever its other conditions let through"
    if name in ("IngressRule", "EgressRule"):
        return drops + "and the rule matches as if it were not there, possibly more than was meant"
    if bare and name in ("IngressPeer", "EgressPeer", "Port", "Protocol", "ProtocolPorts"):
        return drops + "which leaves an empty item, and the API server refuses that"
    return None
