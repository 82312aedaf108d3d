"""Which rules find network sets as well as pods, were there any."""

from collections.abc import Iterator

from cloison.base import Span
from cloison.dialects.calico import labels
from cloison.dialects.calico.entities import Scope, positive
from cloison.dialects.calico.model import CalicoObject, Policy
from cloison.dialects.networkpolicy.model import PolicyType


def besides(each: CalicoObject) -> Iterator[Span]:
    """Yield the places of rules of a policy whose peer may be a network set as well as a pod.

    A selector asks for labels only, so it finds whatever is given them, unless it asks for the
    orchestrator or a service account besides.
    Source: projectcalico/calico felix/labelindex; Calico API reference, NetworkSet.
    """
    if not isinstance(each, Policy):
        return
    scope = Scope(each.namespace, None)
    for type_ in sorted(each.effective_types):
        for rule in each.rules(type_):
            peer = rule.source if type_ is PolicyType.INGRESS else rule.destination
            asked = positive(peer, scope)
            if rule.span is not None and asked is not None and labels.sets(asked):
                yield rule.span
