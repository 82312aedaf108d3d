"""What an enforcer makes of policies that the API leaves to it: labels, and equal priorities."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cloison.ir.peers import (
    AllOf,
    BlockMatch,
    NodesMatch,
    NoneOf,
    PeerMatch,
    PodsMatch,
    UnknownMatch,
)
from cloison.ir.policy import Action, Peer, Policy, Rule
from cloison.ir.profile import LabelFilter, Profile

_RANK = {Action.DENY: 0, Action.ALLOW: 1, Action.PASS: 2}


def as_seen(policy: Policy, profile: Profile) -> Policy:
    """Return what a policy means to its enforcer, which may only see some labels."""
    reading = profile.reading
    if profile.visible is None and not reading.whole_outside and reading.block_of_pods is None:
        return policy
    seen = profile.visible or LabelFilter()
    return replace(
        policy,
        subjects=tuple(_pods(each, seen) for each in policy.subjects),
        rules=tuple(_rule(each, seen, profile) for each in policy.rules),
    )


def _rule(rule: Rule, seen: LabelFilter, profile: Profile) -> Rule:
    peers = tuple(
        replace(peer, match=match) for peer in rule.peers for match in _seen(peer, seen, profile)
    )
    return replace(rule, peers=peers)


def _seen(peer: Peer, seen: LabelFilter, profile: Profile) -> Iterator[PeerMatch]:
    match = peer.match
    if isinstance(match, BlockMatch):
        yield _outside(match, profile)
        pods = profile.reading.block_of_pods
        if pods is not None and not match.whole:
            unknown = UnknownMatch(pods.reason or str(match), pods.caveat)
            yield AllOf((PodsMatch(), unknown)) if pods.reason else PodsMatch()
    else:
        yield _pods(match, seen) if isinstance(match, PodsMatch) else match


def _outside(block: BlockMatch, profile: Profile) -> PeerMatch:
    """Return a block that, where it is a whole family, means what is outside the cluster."""
    inside: list[PeerMatch] = []
    if block.whole and profile.reading.whole_outside:
        inside += [NodesMatch()] if profile.block_matches_nodes else []
        inside += [PodsMatch()] if profile.block_matches_pods else []
    return AllOf((block, NoneOf(tuple(inside)))) if inside else block


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
