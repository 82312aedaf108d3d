"""What Calico's policies say that others do not, or not so.

Source: Calico API reference, NetworkPolicy and GlobalNetworkPolicy; the other languages' own.
"""

from functools import partial

from cloison.dialects.writing.features import Feature, Test, everywhere, gone, says
from cloison.resources.documents import Node

_RULES = "spec.ingress[]|egress[]"
_ENDS = f"{_RULES}.source|destination"
_SOURCE = "Calico API reference, NetworkPolicy and GlobalNetworkPolicy"
_everywhere = partial(everywhere, but="calico")


def _has(*parts: str) -> Test:
    """Return whether a selector holds one of some words."""
    return lambda _key, node: isinstance(node.value, str) and any(p in node.value for p in parts)


def _true(_key: str, node: Node) -> bool:
    return node.value is True


def _other_tier(_key: str, node: Node) -> bool:
    return node.value not in ("default", "", None)


def _other_protocol(_key: str, node: Node) -> bool:
    return str(node.value).upper() not in ("TCP", "UDP", "SCTP", "6", "17", "132")


def _isolates_ingress(_key: str, node: Node) -> bool:
    types = node.get("types")
    if types is not None and isinstance(types.value, list) and types.value:
        return any(each.value == "Ingress" for each in types.value)
    return node.get("ingress") is not None or node.get("egress") is None


_SELECTORS = (
    "spec.selector|namespaceSelector|serviceAccountSelector",
    f"{_ENDS}.selector|notSelector|namespaceSelector",
)

_POLICY: tuple[Feature, ...] = (
    Feature(
        "isolates-ingress",
        "isolation for ingress",
        ("spec",),
        gone(cnp="no rule can deny what comes from outside or from nodes"),
        test=_isolates_ingress,
        source=_SOURCE,
    ),
    Feature(
        "order",
        "`order` among policies",
        ("spec.order",),
        gone(
            np="~taken out of what later policies say",
            cnp="~whole numbers from 0 to 1000",
            cilium="~denials come first, whatever their order",
        ),
        source=_SOURCE,
    ),
    Feature(
        "tiers",
        "tiers",
        ("spec.tier",),
        gone(
            np="~what earlier tiers decide is taken out of later ones",
            cnp="~two, before and after NetworkPolicy",
            cilium="there are none",
        ),
        test=_other_tier,
        source=_SOURCE,
    ),
    Feature(
        "deny",
        "`Deny`",
        (f"{_RULES}.action",),
        gone(
            np="~taken out of what is allowed, where labels and blocks can say the rest",
            cilium="~where no earlier rule allows what it denies",
        ),
        test=says("Deny"),
        source=_SOURCE,
    ),
    Feature(
        "pass",
        "`Pass`",
        (f"{_RULES}.action",),
        gone(
            np="~taken out of what later rules say",
            cnp="~where two tiers will do",
            cilium="there is nothing that leaves the decision to later policies",
        ),
        test=says("Pass"),
        source=_SOURCE,
    ),
    Feature(
        "log",
        "`Log`",
        (f"{_RULES}.action",),
        _everywhere("~left out: verdicts are the same"),
        test=says("Log"),
        source=_SOURCE,
    ),
    Feature(
        "selector-text",
        "selectors that look into values",
        _SELECTORS,
        _everywhere("=the values of today"),
        test=_has(" contains ", " starts with ", " ends with "),
        source=_SOURCE,
    ),
    Feature(
        "selector-or",
        "alternatives in selectors",
        _SELECTORS,
        _everywhere("~several peers or policies"),
        test=_has("||", "!("),
        source=_SOURCE,
    ),
    Feature(
        "not-selector",
        "everybody but some",
        (f"{_ENDS}.notSelector",),
        _everywhere("~where other pods of a namespace are meant"),
        source=_SOURCE,
    ),
    Feature(
        "not-nets",
        "`notNets`",
        (f"{_ENDS}.notNets",),
        _everywhere("~the other blocks"),
        source=_SOURCE,
    ),
    Feature(
        "not-ports",
        "`notPorts`",
        (f"{_ENDS}.notPorts",),
        _everywhere("~the other ranges"),
        source=_SOURCE,
    ),
    Feature(
        "source-ports",
        "source ports",
        (f"{_RULES}.source.ports|notPorts",),
        _everywhere("there are no source ports"),
        source=_SOURCE,
    ),
    Feature(
        "protocols",
        "other protocols",
        (f"{_RULES}.protocol",),
        gone(
            np="rules are about TCP, UDP and SCTP",
            cnp="rules are about TCP, UDP and SCTP",
            cilium="~ICMP by type, VRRP and IGMP",
        ),
        test=_other_protocol,
        source=_SOURCE,
    ),
    Feature(
        "not-protocol",
        "every protocol but one",
        (f"{_RULES}.notProtocol", f"{_RULES}.notICMP"),
        _everywhere("protocols can be named only, not left out"),
        source=_SOURCE,
    ),
    Feature(
        "icmp",
        "types of ICMP",
        (f"{_RULES}.icmp",),
        gone(
            np="what becomes of ICMP is left to the CNI",
            cnp="rules with protocols are about TCP, UDP and SCTP",
            cilium="~types, without codes",
        ),
        source=_SOURCE,
    ),
    Feature(
        "ip-version",
        "one address family",
        (f"{_RULES}.ipVersion",),
        _everywhere("~where everybody or a block is meant"),
        source=_SOURCE,
    ),
    Feature(
        "accounts",
        "service accounts",
        (f"{_ENDS}.serviceAccounts", "spec.serviceAccountSelector"),
        gone(
            np="pods cannot be told by service account",
            cnp="pods cannot be told by service account",
            cilium="~by name, not by label",
        ),
        source=_SOURCE,
    ),
    Feature(
        "services",
        "Services as destinations",
        (f"{_ENDS}.services",),
        _everywhere("=what stands behind the Service today"),
        source=_SOURCE,
    ),
    Feature(
        "http",
        "HTTP requests",
        (f"{_RULES}.http",),
        gone(
            np="the port is open for every request, or closed",
            cnp="the port is open for every request, or closed",
            cilium="~for ingress, on named TCP ports",
        ),
        source=_SOURCE,
    ),
    Feature(
        "domains",
        "names outside the cluster",
        (f"{_ENDS}.domains",),
        gone(
            np="only the addresses of one day, copied",
            cnp="domainNames, which few CNIs know",
            cilium="~toFQDNs",
        ),
        source=_SOURCE,
    ),
    Feature(
        "hosts",
        "what is asked of hosts",
        ("spec.applyOnForward|preDNAT|doNotTrack",),
        _everywhere("policies are about pods"),
        test=_true,
        source=_SOURCE,
    ),
    Feature(
        "blocks",
        "blocks of addresses",
        (f"{_ENDS}.nets",),
        gone(cilium="~they match neither pods nor nodes there"),
        source=_SOURCE,
    ),
)
_GLOBAL = Feature(
    "global",
    "a policy for all namespaces",
    ("spec",),
    gone(np="=a copy in each namespace of today; those that come later are left out"),
    source=_SOURCE,
)
_STAGED = Feature(
    "staged",
    "a policy that is not enforced yet",
    ("kind",),
    _everywhere("there are no staged policies"),
    source=_SOURCE,
)

FEATURES = (*_POLICY, _GLOBAL, _STAGED)
"""By id."""


def features(kind: str) -> tuple[Feature, ...]:
    """Return what objects of a kind may say that others do not."""
    found = list(_POLICY)
    if kind.endswith("GlobalNetworkPolicy"):
        found.append(_GLOBAL)
    if kind.startswith("Staged"):
        found.append(_STAGED)
    return tuple(found)
