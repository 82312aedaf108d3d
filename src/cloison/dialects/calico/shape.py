"""Which fields Calico's kinds have at every depth, for finding those that are dropped.

The notation is that of the field table (`reading.kinds`).

Source: projectcalico/calico api/pkg/apis/projectcalico/v3.
"""

from functools import cache

from cloison.dialects.calico.say import TYPES
from cloison.dialects.reading.kinds import HEAD, NEWER, Fields, types_of
from cloison.resources.check import Custom
from cloison.resources.documents import Node
from cloison.resources.schema import schema

_POLICY: dict[str, str] = {
    "tier": "s",
    "order": "f",
    "ingress": "[Rule",
    "egress": "[Rule",
    "selector": "s",
    "types": "[s",
    "serviceAccountSelector": "s",
    "performanceHints": "[s",
}
_GLOBAL: dict[str, str] = _POLICY | {
    "doNotTrack": "b",
    "preDNAT": "b",
    "applyOnForward": "b",
    "namespaceSelector": "s",
}
_STAGED: dict[str, str] = {"stagedAction": "s"}
_SET: dict[str, str] = {"nets": "[s", "allowedEgressDomains": "[s"}

_NESTED: dict[str, Fields] = {
    "Rule": {
        "action": "s",
        "ipVersion": "i",
        "protocol": "x",
        "icmp": "ICMP",
        "notProtocol": "x",
        "notICMP": "ICMP",
        "source": "EntityRule",
        "destination": "EntityRule",
        "http": "HTTP",
        "metadata": "RuleMetadata",
    },
    "EntityRule": {
        "nets": "[s",
        "selector": "s",
        "namespaceSelector": "s",
        "services": "Services",
        "ports": "[x",
        "domains": "[s",
        "notNets": "[s",
        "notSelector": "s",
        "notPorts": "[x",
        "serviceAccounts": "ServiceAccounts",
    },
    "ICMP": {"type": "i", "code": "i"},
    "HTTP": {"methods": "[s", "paths": "[HTTPPath"},
    "HTTPPath": {"exact": "s", "prefix": "s"},
    "RuleMetadata": {"annotations": "{s"},
    "Services": {"name": "s", "namespace": "s"},
    "ServiceAccounts": {"names": "[s", "selector": "s"},
    "EndpointPort": {"name": "s", "protocol": "x", "port": "i"},
}
_SPECS: dict[str, Fields] = {
    "NetworkPolicy": _POLICY,
    "GlobalNetworkPolicy": _GLOBAL,
    "StagedNetworkPolicy": _POLICY | _STAGED,
    "StagedGlobalNetworkPolicy": _GLOBAL | _STAGED,
    "StagedKubernetesNetworkPolicy": _STAGED,
    "Tier": {"order": "f", "defaultAction": "s"},
    "NetworkSet": _SET,
    "GlobalNetworkSet": _SET,
    "HostEndpoint": {
        "node": "s",
        "interfaceName": "s",
        "expectedIPs": "[s",
        "profiles": "[s",
        "ports": "[EndpointPort",
    },
    "Profile": {"ingress": "[Rule", "egress": "[Rule", "labelsToApply": "{s"},
}
_MEANT = {
    ("Spec", "policyTypes"): "write `types`",
    ("Spec", "podSelector"): "write `selector: app == 'web'`; this API has no matchLabels",
    ("Spec", "preDNat"): "write `preDNAT`",
    ("Spec", "namespaceSelector"): "only global policies choose namespaces",
    ("Spec", "applyOnForward"): "only GlobalNetworkPolicy is about hosts",
    ("Spec", "doNotTrack"): "only GlobalNetworkPolicy is about hosts",
    ("Spec", "preDNAT"): "only GlobalNetworkPolicy is about hosts",
    ("Spec", "stagedAction"): "only staged kinds propose something",
    ("Rule", "from"): "write `source`",
    ("Rule", "to"): "write `destination`",
    ("Rule", "ports"): "write `destination: {ports: [...]}`",
    ("Rule", "nets"): "write it inside `source` or `destination`",
    ("Rule", "selector"): "write it inside `source` or `destination`",
    ("EntityRule", "ipBlock"): "write `nets: [10.0.0.0/8]`",
    ("EntityRule", "net"): "write `nets: [10.0.0.0/8]`",
    ("EntityRule", "podSelector"): "write `selector: app == 'web'`",
    ("EntityRule", "serviceAccountSelector"): "write `serviceAccounts: {selector: ...}`",
    ("EntityRule", "protocol"): "write it in the rule, beside `source` and `destination`",
    ("Services", "ports"): "a Service brings its own ports",
}
"""What somebody probably meant by a field that a type does not have."""


@cache
def custom(kind: str, *, namespaced: bool) -> Custom:
    """Return how objects of a kind are to be checked.

    Args:
        kind: One of ours.
        namespaced: Whether its objects live in a namespace.
    """
    spec = _SPECS.get(kind)
    head = {"spec": "*" if spec is None else "Spec", "status": "*"}
    types = types_of(_NESTED | {"Spec": spec or {}, kind: {**HEAD, **head}})
    if kind == "StagedKubernetesNetworkPolicy":
        types["Spec"].fields.update(schema().types["NetworkPolicySpec"].fields)
    return Custom(
        types[kind],
        namespaced=namespaced,
        source=TYPES,
        dropped=_dropped,
        newer=_newer,
        meant=lambda name, field: _MEANT.get((name, field)),
    )


def _dropped(name: str, node: Node) -> str | None:
    del node
    if name in ("EntityRule", "Rule", "ServiceAccounts", "Services", "ICMP", "HTTP"):
        return (
            "the API server drops this field, and the rule matches as if it were not there, "
            "possibly more than was meant"
        )
    if name == "Spec":
        return "the API server drops this field; what it was to narrow or to govern stays as it is"
    return None


def _newer(name: str, node: Node) -> str | None:
    del node
    if name == "Spec" or name in _NESTED:
        return NEWER
    return None
