"""Suspicions about how the enforcer reads a policy, where that is not what the API says."""

from collections.abc import Iterator, Sequence

from cloison.base import Diagnostic, Span
from cloison.dialects.networkpolicy.case import Case
from cloison.dialects.networkpolicy.model import LabelSelector, NetworkPolicy, PolicyType
from cloison.dialects.reading.say import suspect
from cloison.ir.profile import LabelFilter, Profile

_SHOWN = 3


def read_otherwise(cases: Sequence[Case], profile: Profile) -> Iterator[Diagnostic]:
    """Say what the enforcer of the profile reads otherwise, once per selector and list."""
    for case in cases:
        if profile.visible is not None:
            yield from _left_out(case.policy, profile, profile.visible)
        if profile.reading.every_list:
            yield from _counted(case.policy, profile)


def _left_out(policy: NetworkPolicy, profile: Profile, seen: LabelFilter) -> Iterator[Diagnostic]:
    """Labels that policies do not see."""
    for place, selector, span, of_namespace in _selectors(policy):
        keeps = seen.keeps_of_namespace if of_namespace else seen.keeps
        keys = {*selector.match_labels, *(each.key for each in selector.match_expressions)}
        hidden = sorted(key for key in keys if not keeps(key))
        if not hidden:
            continue
        asked = {*selector.match_labels} | {
            each.key for each in selector.match_expressions if each.operator in ("In", "Exists")
        }
        named = ", ".join(f"`{key}`" for key in hidden[:_SHOWN])
        nobody = bool(asked & {*hidden})
        yield suspect(
            "NPS022",
            policy,
            span,
            f"{profile.title} leaves {named} out of what policies see, and {place} asks for it",
            effect="it selects nobody" if nobody else "it is as if that were not asked",
            help_="select by another label, or have the enforcer see this one",
            source=profile.source,
        )


def _selectors(
    policy: NetworkPolicy,
) -> Iterator[tuple[str, LabelSelector, Span | None, bool]]:
    """Yield every selector with its place, and whether it is on labels of namespaces."""
    if policy.pod_selector is not None:
        yield "the policy's `podSelector`", policy.pod_selector, policy.pod_selector.span, False
    for type_ in PolicyType:
        for number, rule in enumerate(policy.rules(type_), 1):
            for peer in rule.peers or ():
                where = f"a peer of {type_.value.lower()} rule {number}"
                if peer.pod_selector is not None:
                    span = peer.pod_selector.span or peer.span
                    yield f"`podSelector` of {where}", peer.pod_selector, span, False
                if peer.namespace_selector is not None:
                    span = peer.namespace_selector.span or peer.span
                    yield f"`namespaceSelector` of {where}", peer.namespace_selector, span, True


def _counted(policy: NetworkPolicy, profile: Profile) -> Iterator[Diagnostic]:
    """Rules of a direction that `policyTypes` leaves out."""
    for type_, span in (
        (PolicyType.INGRESS, policy.ingress_span),
        (PolicyType.EGRESS, policy.egress_span),
    ):
        if not policy.rules(type_) or type_ in policy.effective_types:
            continue
        field = type_.value.lower()
        yield suspect(
            "NPS023",
            policy,
            span,
            f"`policyTypes` leaves out {type_.value}, and {profile.title} enforces the {field} "
            "rules all the same",
            effect=f"here {field} of the selected pods is isolated; by the API it is not",
            help_=f"add `{type_.value}` to `policyTypes`, or remove `{field}`",
            source=profile.source,
        )
