"""What an enforcer makes of policies that the API leaves to it: labels, and equal priorities."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cloison.ir.policy import Action, Peer, PodsMatch, Policy, Rule
from cloison.ir.profile import LabelFilter, Profile

_RANK = {Action.DENY: 0, Action.ALLOW: 1, Action.PASS: 2}


def as_seen(policy: Policy, seen: LabelFilter | None) -> Policy:
    """Return what a policy means to an enforcer that only sees some labels."""
    if seen is None:
        return policy
    return replace(
        policy,
        subjects=tuple(_pods(each, seen) for each in policy.subjects),
        rules=tuple(_rule(each, seen) for each in policy.rules),
    )


def _rule(rule: Rule, seen: LabelFilter) -> Rule:
    peers = tuple(
        Peer(_pods(each.match, seen), each.span) if isinstance(each.match, PodsMatch) else each
        for each in rule.peers
    )
    return replace(rule, peers=peers)


def _pods(match: PodsMatch, seen: LabelFilter) -> PodsMatch:
    return replace(
        match,
        namespaces=seen.seen(match.namespaces, namespaces=True),
        pods=seen.seen(match.pods),
    )


def side_by_side(
    policies: Sequence[Policy], origins: Sequence[int], profile: Profile
) -> Iterator[tuple[Policy, int]]:
    """Yield policies with their origins, those of equal order rule by rule where that is so.

    Args:
        policies: The policies.
        origins: For each, the place of the object it came from.
        profile: Who enforces.
    """
    tiers = {place.tier for place in profile.places.values() if place and place.by_rule}
    alike = Counter((policy.tier, policy.order) for policy in policies)
    for policy, origin in zip(policies, origins, strict=True):
        alone = policy.tier not in tiers or alike[policy.tier, policy.order] == 1
        if alone or policy.opaque is not None or not policy.rules:
            yield policy, origin
            continue
        for rule in policy.rules:
            order = (*policy.order, rule.index, _RANK[rule.action])
            yield replace(policy, rules=(rule,), order=order), origin
