"""Every field of the three kinds and what we make of it.

A field may be called modelled only while a conformance case names its path. List items
are `[]`; label keys are `*`. Paths that only some of the kinds have say so.
"""

from collections.abc import Mapping
from types import MappingProxyType

from cloison.ir.fidelity import Fidelity, FieldFact

_OLD = "AdminNetworkPolicy and BaselineAdminNetworkPolicy: "
_NEW = "ClusterNetworkPolicy: "


def _modelled(note: str) -> FieldFact:
    return FieldFact(Fidelity.MODELLED, note)


def _harmless(note: str) -> FieldFact:
    return FieldFact(Fidelity.HARMLESS, note)


def _selector(path: str, what: str) -> dict[str, FieldFact]:
    return {
        path: _modelled(what),
        f"{path}.matchLabels.*": _modelled("The label must be there with exactly this value."),
        f"{path}.matchExpressions[].key": _modelled("The label asked about."),
        f"{path}.matchExpressions[].operator": _modelled(
            "`In`, `NotIn`, `Exists`, `DoesNotExist`; the CRD stores any other word, and then "
            "what the selector matches is undetermined."
        ),
        f"{path}.matchExpressions[].values[]": _modelled("For `In` and `NotIn`."),
    }


def _selected(path: str, whose: str) -> dict[str, FieldFact]:
    return {
        **_selector(f"{path}.namespaces", f"{whose} of the namespaces with these labels."),
        **_selector(
            f"{path}.pods.namespaceSelector",
            "Namespaces with these labels; every namespace where ClusterNetworkPolicy leaves it "
            "out.",
        ),
        **_selector(f"{path}.pods.podSelector", f"{whose} with these labels, in such namespaces."),
    }


def _egress(peer: str) -> dict[str, FieldFact]:
    return {
        f"{peer}.networks[]": _modelled(
            "Addresses of one family; pods and nodes with such an address match too."
        ),
        **_selector(
            f"{peer}.nodes", "Addresses of the nodes with these labels; experimental CRDs only."
        ),
        f"{peer}.domainNames[]": _modelled(
            "Addresses that the name stands for; `*.` is one or more labels. Experimental CRDs "
            "only, not in BaselineAdminNetworkPolicy."
        ),
    }


def _traffic(rule: str) -> dict[str, FieldFact]:
    port, protocol = f"{rule}.ports[]", f"{rule}.protocols[]"
    found = {
        port: _modelled(_OLD + "any entry may match; without the list, all traffic does."),
        f"{port}.portNumber.protocol": _modelled("TCP when absent."),
        f"{port}.portNumber.port": _modelled("A destination port."),
        f"{port}.portRange.protocol": _modelled("TCP when absent."),
        f"{port}.portRange.start": _modelled("First port; after `end` it matches nothing."),
        f"{port}.portRange.end": _modelled("Last port."),
        f"{port}.namedPort": _modelled(
            "The port that the destination pod calls so, whatever its protocol; experimental "
            "CRDs only."
        ),
        protocol: _modelled(_NEW + "any entry may match; without the list, all traffic does."),
    }
    for name in ("tcp", "udp", "sctp"):
        at = f"{protocol}.{name}.destinationPort"
        found |= {
            f"{at}.number": _modelled("A destination port."),
            f"{at}.range.start": _modelled("First port, before `end`."),
            f"{at}.range.end": _modelled("Last port."),
        }
    found[f"{protocol}.destinationNamedPort"] = _modelled(
        "The port that the destination pod calls so, whatever its protocol."
    )
    return found


def _direction(field: str, peers: str) -> dict[str, FieldFact]:
    rule = f"spec.{field}[]"
    peer = f"{rule}.{peers}[]"
    return {
        rule: _modelled("Tried from the top; the first that matches decides."),
        f"{rule}.name": _harmless("A name for people."),
        f"{rule}.action": _modelled(
            "`Allow`, or `Accept` in ClusterNetworkPolicy, and `Deny` end evaluation for this "
            "direction; `Pass` leaves the tier (not in BaselineAdminNetworkPolicy)."
        ),
        peer: _modelled(
            "Any item may match. A stored item without any field that we know fails closed."
        ),
        **_selected(peer, "Pods"),
        **(_egress(peer) if field == "egress" else {}),
        **_traffic(rule),
    }


FIELDS: Mapping[str, FieldFact] = MappingProxyType(
    {
        "apiVersion": _harmless("Other versions are noticed, and undetermined."),
        "kind": _harmless("Says which of the three it is."),
        "metadata.name": _modelled("Names the policy in every answer."),
        "metadata.generateName": _harmless("The server completes it; we show it with a `*`."),
        "metadata.*": _harmless("Labels, annotations and the rest mean nothing to enforcement."),
        "spec.tier": _modelled(_NEW + "`Admin` before NetworkPolicy, `Baseline` after it."),
        "spec.priority": _modelled(
            "Lower is tried earlier; equal ones that disagree are undetermined. Not in "
            "BaselineAdminNetworkPolicy."
        ),
        **_selected("spec.subject", "The pods it applies to: those"),
        **_direction("ingress", "from"),
        **_direction("egress", "to"),
        "status": _harmless("What the enforcer says about it."),
    }
)
"""By path, in the order of the API reference."""
