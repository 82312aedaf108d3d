"""What takes no part, and why, once every value by itself is right.

The schema's judge is the API server; what it lets through, each agent judges again, and leaves
out as a whole. We judge as both do. What hangs on a setting or a version is not judged here:
`withheld.py` does that, where both are known.

Source: cilium/cilium pkg/policy/api/rule_validation.go and
pkg/k8s/apis/cilium.io/client/crds/v2.
"""

from collections.abc import Mapping

from cloison.dialects.cilium import model
from cloison.dialects.cilium.reader import Reader
from cloison.dialects.cilium.say import CRD, VALIDATION
from cloison.dialects.cilium.validate_others import validate_other
from cloison.dialects.cilium.validate_rules import validate_element
from cloison.resources.documents import Node

_TYPES = "cilium/cilium pkg/k8s/apis/cilium.io/v2/cnp_types.go"

Spec = Mapping[str, Node]


def validate(found: model.CiliumObject, reader: Reader) -> None:
    """Note in the reader every reason for which an object takes no part.

    Args:
        found: The object, every value of which is one.
        reader: What read it.
    """
    if not isinstance(found, model.Policy):
        validate_other(found, reader)
        return
    root = reader.document.root
    specs = root.get("specs")
    if not found.rules and (specs is None or specs.value is None):
        help_ = "add `spec`, with `endpointSelector` and `ingress` or `egress`"
        message = "the policy has neither `spec` nor `specs`"
        reader.refuse("CIL101", root, message, help_, source=_TYPES)
    for rule in found.rules:
        _rule(reader, rule, rule_path(root, rule), wide=not found.namespaced)


def rule_path(root: Node, rule: model.Rule) -> str:
    """Return where a rule stands in its object."""
    spec = root.get("spec")
    single = spec is not None and spec.value is not None
    if single and rule.index == 1:
        return "spec"
    return f"specs[{rule.index - 1 - single}]"


def _rule(reader: Reader, rule: model.Rule, path: str, *, wide: bool) -> None:
    lists = (
        ("ingress", rule.ingress),
        ("egress", rule.egress),
        ("ingressDeny", rule.ingress_deny),
        ("egressDeny", rule.egress_deny),
    )
    if not any(elements for _, elements in lists):
        empty = next((name for name, elements in lists if elements is not None), None)
        said = f"`{path}.{empty}` is empty, and" if empty else f"`{path}` has no rules:"
        reader.refuse(
            "CIL102",
            rule.span,
            f"{said} one of `ingress`, `egress`, `ingressDeny` and `egressDeny` must have an item",
            f"to deny everything by default write `{empty or 'ingress'}: [{{}}]`",
            source=VALIDATION if empty else CRD,
        )
    if (rule.endpoints is None) == (rule.nodes is None):
        said = "both" if rule.nodes is not None else "neither"
        joint = "and" if rule.nodes is not None else "nor"
        message = f"`{path}` has {said} `endpointSelector` {joint} `nodeSelector`"
        help_ = "write one of them; `endpointSelector: {}` is every pod in scope"
        reader.refuse("CIL103", rule.span, message, help_)
    if rule.nodes is not None and not wide:
        message = f"`{path}.nodeSelector` is not accepted in a CiliumNetworkPolicy"
        help_ = "write a CiliumClusterwideNetworkPolicy"
        reader.refuse("CIL104", rule.endpoints_span, message, help_, source=_TYPES)
    for name, elements in lists:
        for element in elements or ():
            where = f"{path}.{name}[{element.index - 1}]"
            validate_element(reader, element, where, name, host=rule.nodes is not None)
