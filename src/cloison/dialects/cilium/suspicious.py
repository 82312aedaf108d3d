"""What is accepted and probably not meant (codes `CIL2`)."""

from collections.abc import Callable, Iterator, Sequence

from cloison.base import Diagnostic
from cloison.dialects.cilium import model
from cloison.dialects.cilium.item import Item, Known, elements_of
from cloison.dialects.cilium.suspicious_blocks import BLOCK_CHECKS
from cloison.dialects.cilium.suspicious_labels import LABEL_CHECKS, LABEL_RULE_CHECKS
from cloison.dialects.cilium.suspicious_names import NAME_CHECKS
from cloison.dialects.cilium.suspicious_ports import PORT_CHECKS
from cloison.dialects.cilium.suspicious_requests import REQUEST_CHECKS
from cloison.dialects.cilium.suspicious_rules import ELEMENT_CHECKS, POLICY_CHECKS, RULE_CHECKS
from cloison.dialects.dialect import Surroundings

Check = Callable[[Item, Known], Iterator[Diagnostic]]

_OF_RULES: tuple[Check, ...] = (*RULE_CHECKS, *LABEL_RULE_CHECKS)
_OF_ELEMENTS: tuple[Check, ...] = (
    *ELEMENT_CHECKS,
    *LABEL_CHECKS,
    *BLOCK_CHECKS,
    *PORT_CHECKS,
    *NAME_CHECKS,
    *REQUEST_CHECKS,
)


def suspicious(objects: Sequence[model.CiliumObject], around: Surroundings) -> list[Diagnostic]:
    """Return what is probably not meant about some objects.

    Policies that the cluster's settings refuse are left out: of them that alone is said.
    """
    known = Known(objects, around)
    found: list[Diagnostic] = []
    for policy in known.policies:
        for whole in POLICY_CHECKS:
            found += whole(policy)
        for rule in policy.rules:
            for check in _OF_RULES:
                found += check(Item(policy, rule), known)
            for item in elements_of(policy, rule):
                for check in _OF_ELEMENTS:
                    found += check(item, known)
    return found
