"""What the policies of administrators say that others do not, or not so.

Source: kubernetes-sigs/network-policy-api apis; documentation of the enforcers.
"""

from collections.abc import Callable

from cloison.dialects.writing.features import Feature, Reading, gone, says
from cloison.ir.profile import Profile
from cloison.resources.documents import Node

_RULES = "spec.ingress[]|egress[]"
_SOURCE = "kubernetes-sigs/network-policy-api apis/v1alpha1, apis/v1alpha2"


def _lacks(field: str) -> Callable[[Profile], bool]:
    """Return whether a profile enforces such policies and does not know a field of theirs."""
    return lambda p: any(place is not None and field in place.lacks for place in p.places.values())


def _carries(name: str) -> Callable[[Profile], bool]:
    return lambda p: any(
        caveat.id == name
        for place in p.places.values()
        if place is not None
        for caveat in place.caveats
    )


def _late(_key: str, node: Node) -> bool:
    return isinstance(node.value, int) and node.value > _LAST


_LAST = 99
"""The last priority that every enforcer accepts."""

FEATURES: tuple[Feature, ...] = (
    Feature(
        "tiers",
        "a place before or after the policies of teams",
        ("spec.priority", "spec.tier"),
        gone(
            np="there is no order among NetworkPolicies",
            cilium="~denials come first; a tier after the others there is none",
        ),
        source=_SOURCE,
    ),
    Feature(
        "subject",
        "a policy for namespaces by label",
        ("spec.subject.namespaces", "spec.subject.pods"),
        gone(np="=a copy in each namespace of today; those that come later are left out"),
        source=_SOURCE,
    ),
    Feature(
        "pass",
        "`Pass`",
        (f"{_RULES}.action",),
        gone(
            np="~taken out of what later rules say",
            cilium="there is nothing that leaves the decision to later policies",
        ),
        test=says("Pass"),
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
        "no-isolation",
        "allowing without isolating",
        (f"{_RULES}.action",),
        gone(np="~a NetworkPolicy isolates the pods it selects"),
        test=says("Allow", "Accept"),
        source=_SOURCE,
    ),
    Feature(
        "domain-names",
        "names outside the cluster",
        ("spec.egress[].to[].domainNames",),
        gone(
            np="only the addresses of one day, copied",
            calico="domain names are known to Calico Enterprise and Calico Cloud only",
        ),
        (
            Reading("rules with it fail closed", _lacks("domainNames")),
            Reading(
                "it needs a further flag, and also opens DNS to the cluster's name server",
                _carries("NAMES_OPEN_DNS"),
            ),
        ),
        source=_SOURCE,
    ),
    Feature(
        "nodes",
        "nodes by label",
        ("spec.egress[].to[].nodes",),
        gone(
            np="=the addresses of nodes today",
            calico="=the addresses of nodes today, or host endpoints",
            cilium="~`toNodes`, which needs a switch and never finds a pod's own node",
        ),
        (
            Reading("rules with it fail closed", _lacks("nodes")),
            Reading("it is taken for the pods that run on them", _carries("ADMIN_POLICY_IMAGE")),
        ),
        source=_SOURCE,
    ),
    Feature(
        "named-ports",
        "ports by name",
        (
            "spec.ingress[]|egress[].ports[].namedPort",
            "spec.ingress[]|egress[].protocols[].destinationNamedPort",
        ),
        readings=(
            Reading("rules with it fail closed", _lacks("namedPort")),
            Reading(
                "a name stands for any port once a pod declares it", _carries("ADMIN_POLICY_IMAGE")
            ),
            Reading(
                "the protocol that a name is declared with is not looked at",
                _carries("PORT_NAME_PROTOCOL"),
            ),
        ),
        source=_SOURCE,
    ),
    Feature(
        "networks",
        "blocks of addresses",
        ("spec.egress[].to[].networks",),
        gone(cilium="~they match neither pods nor nodes there"),
        (
            Reading(
                "they match neither pods nor nodes, whatever their addresses",
                lambda p: not p.block_matches_pods,
            ),
        ),
        source=_SOURCE,
    ),
    Feature(
        "late-priority",
        "a priority after 99",
        ("spec.priority",),
        readings=(
            Reading(
                "it is not enforced",
                lambda p: any(
                    place is not None and place.last is not None for place in p.places.values()
                ),
            ),
        ),
        test=_late,
        source="ovn-kubernetes/ovn-kubernetes pkg/ovn",
    ),
)
"""By id."""


def features(_kind: str) -> tuple[Feature, ...]:
    """Return what objects of a kind may say that others do not."""
    return FEATURES
