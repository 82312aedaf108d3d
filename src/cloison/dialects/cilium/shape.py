"""Which fields Cilium's kinds have at every depth, for finding those that are dropped.

The notation is that of the field table (`reading.kinds`). Every version from 1.18 to 1.20 is in
it: what only some of them know is no unknown field.

Source: cilium/cilium pkg/k8s/apis/cilium.io/client/crds/v2.
"""

from functools import cache

from cloison.dialects.cilium.say import CRD
from cloison.dialects.reading.kinds import HEAD, NEWER, Fields, types_of
from cloison.resources.check import Custom
from cloison.resources.documents import Node

_SIDES = {"Ingress": "from", "Egress": "to"}
_COMMON: dict[str, str] = {"icmps": "[ICMPs"}
_ALLOW: dict[str, str] = {"authentication": "Authentication", "toPorts": "[PortRule"}
_DENY: dict[str, str] = {"toPorts": "[PortDenyRule"}


def _element(side: str, *, deny: bool) -> dict[str, str]:
    peer = _SIDES[side]
    fields = _COMMON | (_DENY if deny else _ALLOW)
    fields |= {
        f"{peer}Endpoints": "[Selector",
        f"{peer}CIDR": "[s",
        f"{peer}CIDRSet": "[CIDRRule",
        f"{peer}Entities": "[s",
        f"{peer}Nodes": "[Selector",
        f"{peer}Groups": "[*",
        f"{peer}Requires": "[*",
    }
    if side == "Egress":
        fields["toServices"] = "[Service"
        if not deny:
            fields["toFQDNs"] = "[FQDN"
    return fields


_NESTED: dict[str, Fields] = {
    "Rule": {
        "description": "s",
        "endpointSelector": "Selector",
        "nodeSelector": "Selector",
        "ingress": "[IngressRule",
        "ingressDeny": "[IngressDenyRule",
        "egress": "[EgressRule",
        "egressDeny": "[EgressDenyRule",
        "enableDefaultDeny": "DefaultDeny",
        "labels": "[*",
        "log": "Log",
    },
    "DefaultDeny": {"ingress": "b", "egress": "b"},
    "Log": {"value": "s"},
    "IngressRule": _element("Ingress", deny=False),
    "IngressDenyRule": _element("Ingress", deny=True),
    "EgressRule": _element("Egress", deny=False),
    "EgressDenyRule": _element("Egress", deny=True),
    "Selector": {"matchLabels": "{s", "matchExpressions": "[Requirement"},
    "Requirement": {"key": "s", "operator": "s", "values": "[s"},
    "CIDRRule": {
        "cidr": "s",
        "cidrGroupRef": "s",
        "cidrGroupSelector": "Selector",
        "except": "[s",
    },
    "Service": {"k8sService": "K8sService", "k8sServiceSelector": "K8sServiceSelector"},
    "K8sService": {"serviceName": "s", "namespace": "s"},
    "K8sServiceSelector": {"selector": "Selector", "namespace": "s"},
    "FQDN": {"matchName": "s", "matchPattern": "s"},
    "Authentication": {"mode": "s"},
    "ICMPs": {"fields": "[ICMP"},
    "ICMP": {"family": "s", "type": "x"},
    "PortRule": {
        "ports": "[Port",
        "rules": "L7Rules",
        "serverNames": "[s",
        "terminatingTLS": "TLS",
        "originatingTLS": "TLS",
        "listener": "Listener",
    },
    "PortDenyRule": {"ports": "[Port"},
    "Port": {"port": "s", "endPort": "i", "protocol": "s"},
    "TLS": {"certificate": "s", "privateKey": "s", "trustedCA": "s", "secret": "Secret"},
    "Secret": {"name": "s", "namespace": "s"},
    "Listener": {"envoyConfig": "EnvoyConfig", "name": "s", "priority": "i"},
    "EnvoyConfig": {"kind": "s", "name": "s"},
    "L7Rules": {"http": "[HTTP", "dns": "[FQDN", "kafka": "[*", "l7proto": "s", "l7": "[*"},
    "HTTP": {
        "path": "s",
        "method": "s",
        "host": "s",
        "headers": "[s",
        "headerMatches": "[HeaderMatch",
    },
    "HeaderMatch": {"name": "s", "value": "s", "secret": "Secret", "mismatch": "s"},
    "Frontend": {"addressMatcher": "AddressMatcher", "serviceMatcher": "ServiceMatcher"},
    "AddressMatcher": {"ip": "s", "toPorts": "[PortInfo"},
    "ServiceMatcher": {"serviceName": "s", "namespace": "s", "toPorts": "[PortInfo"},
    "Backend": {"localEndpointSelector": "Selector", "toPorts": "[PortInfo"},
    "PortInfo": {"port": "s", "protocol": "s", "name": "s"},
    "EgressSubject": {
        "namespaceSelector": "Selector",
        "podSelector": "Selector",
        "nodeSelector": "Selector",
    },
    "Addressing": {"ipv4": "s", "ipv6": "s"},
    "Networking": {"addressing": "[Addressing", "node": "s"},
    "NamedPort": {"name": "s", "port": "i", "protocol": "s"},
    "EndpointIdentity": {"id": "i", "labels": "[s"},
    "EndpointStatus": {
        "identity": "EndpointIdentity",
        "networking": "Networking",
        "named-ports": "[NamedPort",
        "state": "s",
        "encryption": "*",
        "external-identifiers": "*",
        "health": "*",
        "id": "*",
        "log": "*",
        "policy": "*",
        "service-account": "*",
    },
}
_POLICY: dict[str, str] = {"spec": "Rule", "specs": "[Rule", "status": "*"}
_KINDS: dict[str, Fields] = {
    "CiliumNetworkPolicy": _POLICY,
    "CiliumClusterwideNetworkPolicy": _POLICY,
    "CiliumCIDRGroup": {"spec": "Spec", "status": "*"},
    "CiliumEndpoint": {"status": "EndpointStatus"},
    "CiliumIdentity": {"security-labels": "{s"},
    "CiliumLocalRedirectPolicy": {"spec": "Spec", "status": "*"},
    "CiliumEgressGatewayPolicy": {"spec": "Spec", "status": "*"},
}
_SPECS: dict[str, Fields] = {
    "CiliumCIDRGroup": {"externalCIDRs": "[s"},
    "CiliumLocalRedirectPolicy": {
        "redirectFrontend": "Frontend",
        "redirectBackend": "Backend",
        "skipRedirectFromBackend": "b",
        "description": "s",
    },
    "CiliumEgressGatewayPolicy": {
        "selectors": "[EgressSubject",
        "destinationCIDRs": "[s",
        "excludedCIDRs": "[s",
        "egressGateway": "*",
        "egressGateways": "*",
    },
}
_ELEMENTS = {name for name in _NESTED if name.startswith(("Ingress", "Egress"))} - {"EgressSubject"}
_MEANT = {
    ("Rule", "podSelector"): "write `endpointSelector`",
    ("Rule", "policyTypes"): "remove it: the lists of rules say which directions are meant",
    ("Rule", "order"): "remove it: Cilium asks all policies at once, and a deny wins",
    ("Rule", "priority"): "remove it: Cilium asks all policies at once, and a deny wins",
    ("IngressRule", "from"): "write `fromEndpoints`, `fromEntities` or `fromCIDR`",
    ("EgressRule", "to"): "write `toEndpoints`, `toEntities` or `toCIDR`",
    ("IngressRule", "ports"): "write `toPorts: [{ports: [...]}]`",
    ("EgressRule", "ports"): "write `toPorts: [{ports: [...]}]`",
    ("IngressRule", "fromPorts"): "write `toPorts`: ports are those of the destination",
    ("IngressRule", "rules"): "write it inside an element of `toPorts`",
    ("EgressRule", "rules"): "write it inside an element of `toPorts`",
    ("EgressDenyRule", "toFQDNs"): "name the addresses with `toCIDR`: a name cannot be denied",
    ("EgressDenyRule", "authentication"): "remove it: a deny has no such condition",
    ("IngressDenyRule", "authentication"): "remove it: a deny has no such condition",
    ("PortDenyRule", "rules"): (
        "allow what is wanted with `rules` in an element that allows: a deny ends at ports"
    ),
    ("PortRule", "port"): "write `ports: [{port: ...}]`",
    ("PortRule", "protocol"): "write it in an element of `ports`",
    ("PortRule", "http"): "write `rules: {http: [...]}`",
    ("PortRule", "dns"): "write `rules: {dns: [...]}`",
    ("ICMP", "code"): "remove it: codes cannot be told apart",
}
"""What somebody probably meant by a field that a type does not have."""


@cache
def custom(kind: str, *, namespaced: bool) -> Custom:
    """Return how objects of a kind are to be checked.

    Args:
        kind: One of ours.
        namespaced: Whether its objects live in a namespace.
    """
    described = _NESTED | {"Spec": _SPECS.get(kind, {}), kind: {**HEAD, **_KINDS[kind]}}
    types = types_of(described)
    return Custom(
        types[kind],
        namespaced=namespaced,
        source=CRD,
        dropped=_dropped,
        newer=_newer,
        meant=lambda name, field: _MEANT.get((name, field)),
    )


def _dropped(name: str, node: Node) -> str | None:
    del node
    if name in _ELEMENTS or name in ("PortDenyRule", "PortRule", "CIDRRule", "HTTP", "Port"):
        return (
            "the API server drops this field, and what is left of the element counts, possibly "
            "for more than was meant"
        )
    if name == "Rule":
        return "the API server drops this field; what it was to narrow or to govern stays as it is"
    return None


def _newer(name: str, node: Node) -> str | None:
    del node
    if name in _NESTED:
        return NEWER
    return None
