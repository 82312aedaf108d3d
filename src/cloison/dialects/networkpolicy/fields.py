"""Every field of a NetworkPolicy and what we make of it.

A field may be called modelled only while a conformance case names its path. List items
are `[]`; label keys are `*`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from cloison.ir.fidelity import Fidelity, FieldFact


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
            "`In`, `NotIn`, `Exists`, `DoesNotExist`; `NotIn` matches a missing label."
        ),
        f"{path}.matchExpressions[].values[]": _modelled("For `In` and `NotIn`."),
    }


def _direction(field: str, peers: str) -> dict[str, FieldFact]:
    rule = f"spec.{field}[]"
    peer = f"{rule}.{peers}[]"
    port = f"{rule}.ports[]"
    return {
        rule: _modelled("Allow rules; they count only when `policyTypes` has the direction."),
        peer: _modelled("Any item may match; without items, every peer does."),
        **_selector(
            f"{peer}.podSelector",
            "Pods with these labels, in the policy's namespace unless `namespaceSelector` "
            "is in the same item.",
        ),
        **_selector(
            f"{peer}.namespaceSelector",
            "Namespaces with these labels; together with `podSelector`, both must match.",
        ),
        f"{peer}.ipBlock.cidr": _modelled(
            "Addresses of one family. Whether pods and nodes in it match, the CNI profile says."
        ),
        f"{peer}.ipBlock.except[]": _modelled("Taken out of this block only; not a deny."),
        port: _modelled("Any entry may match; without entries, all traffic does."),
        f"{port}.protocol": _modelled("TCP when absent."),
        f"{port}.port": _modelled(
            "A pod's port, by number or by the name its containers give it; all when absent."
        ),
        f"{port}.endPort": _modelled("Last port of a range; ignored by CNIs without it."),
    }


FIELDS: Mapping[str, FieldFact] = MappingProxyType(
    {
        "apiVersion": _harmless("`extensions/v1beta1` is read as `networking.k8s.io/v1`."),
        "kind": _harmless("Says which table this is."),
        "metadata.name": _modelled("Names the policy in every answer."),
        "metadata.generateName": _harmless("The server completes it; we show it with a `*`."),
        "metadata.namespace": _modelled("The only namespace whose pods it can select."),
        "metadata.*": _harmless("Labels, annotations and the rest mean nothing to enforcement."),
        **_selector("spec.podSelector", "The pods it applies to; every pod when empty or absent."),
        "spec.policyTypes[]": _modelled(
            "The directions it isolates; when absent, ingress, and egress where it has rules."
        ),
        **_direction("ingress", "from"),
        **_direction("egress", "to"),
        "status": _harmless("Was removed from the API; nothing reads it."),
    }
)
"""By path, in the order of the API reference."""
