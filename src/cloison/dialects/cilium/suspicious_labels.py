"""Doubts about selectors: labels that policies do not see, and namespaces that are not meant."""

from collections.abc import Iterator

from cloison.base import Diagnostic
from cloison.dialects.cilium.identities import (
    ACCOUNT,
    ANY,
    CLUSTER,
    K8S,
    NAMESPACE,
)
from cloison.dialects.cilium.item import Item, Known
from cloison.dialects.cilium.model_rules import Requirement, Selector
from cloison.dialects.cilium.say import TRANSLATION
from cloison.dialects.cilium.selected import absent

_FILTER = "Cilium documentation, Limiting Identity-Relevant Labels; pkg/labelsfilter/filter.go"
_MADE = (NAMESPACE, ACCOUNT, CLUSTER)
"""Labels that Cilium gives to every pod itself."""


def _hidden(item: Item, selector: Selector, where: str, known: Known) -> Iterator[Diagnostic]:
    if known.around.profile.visible is None:
        return
    for each in selector.requirements:
        if not _is_hidden(each, known):
            continue
        effect = (
            "it holds of every pod, because none has the label for policies"
            if absent(each)
            else "it matches no pod, because none has the label for policies"
        )
        yield item.doubt(
            "CIL210",
            each.span,
            f"`{each.key}` in {where} is a label that policies do not see",
            effect=effect,
            help_="use a label that says what the pod is, such as `app`; the setting `labels` says "
            "which are seen",
            source=_FILTER,
        )


def _is_hidden(each: Requirement, known: Known) -> bool:
    visible = known.cluster.visible
    if each.source not in (K8S, ANY) or each.key in _MADE:
        return False
    return not visible.keeps(each.key)


def _subject_labels(item: Item, known: Known) -> Iterator[Diagnostic]:
    if item.rule.endpoints is not None:
        yield from _hidden(item, item.rule.endpoints, "`endpointSelector`", known)


def _peer_labels(item: Item, known: Known) -> Iterator[Diagnostic]:
    where = f"`{item.side}Endpoints` of {item.label}"
    for selector in item.element.endpoints or ():
        yield from _hidden(item, selector, where, known)


def _namespace_of_subject(item: Item, known: Known) -> Iterator[Diagnostic]:
    """The subject is always of the policy's own namespace, whatever its selector says."""
    del known
    own, chosen = item.policy.namespace, item.rule.endpoints
    if own is None or chosen is None:
        return
    for each in chosen.requirements:
        if each.key != NAMESPACE or each.source not in (K8S, ANY):
            continue
        if each.operator != "In" or own in each.values:
            continue
        there = ", ".join(each.values)
        gone = each.pair and each.source == K8S
        yield item.doubt(
            "CIL211",
            each.span,
            f"`endpointSelector` asks for the namespace {there}, and the policy is in {own}",
            effect=f"Cilium puts {own} in its place: the policy is about pods of {own}"
            if gone
            else "it selects nobody: the policy's own namespace is demanded, too",
            help_=f"write the policy in the namespace {there}, or remove the label",
            source=TRANSLATION,
        )


def _selects_nobody(item: Item, known: Known) -> Iterator[Diagnostic]:
    """A subject that no pod fits, in a namespace that has pods."""
    namespace, chosen = item.policy.namespace, item.rule.endpoints
    if namespace is None or chosen is None or known.subjects(item):
        return
    if not known.identities.every.get(namespace) or _said(chosen, known, namespace):
        return
    yield item.doubt(
        "CIL212",
        item.rule.endpoints_span,
        f"`endpointSelector` matches no pod of the namespace {namespace}",
        effect="the rule does nothing to the pods that are known",
        help_="compare it with the labels of the pods; pods on the network of their node are "
        "never selected",
        source="Cilium documentation, Layer 3 policies",
    )


def _said(selector: Selector, known: Known, namespace: str) -> bool:
    """Return whether another doubt says why, or it is about no pod at all."""
    return any(
        _is_hidden(each, known)
        or each.source not in (K8S, ANY)
        or (each.key == NAMESPACE and each.operator == "In" and namespace not in each.values)
        for each in selector.requirements
    )


LABEL_RULE_CHECKS = (_subject_labels, _namespace_of_subject, _selects_nobody)
LABEL_CHECKS = (_peer_labels,)
