"""Policies that are asked after Cilium's own, beside rules that ask about requests.

What such a rule refuses is refused, and no later tier is asked. Here a later tier only sees that
no rule matched, so what it allows there is left open.
"""

from collections.abc import Sequence
from dataclasses import replace

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.dialects.cilium import caveats
from cloison.ir.policy import Action, Direction, Policy, Rule
from cloison.ir.profile import Profile

_FIRST = "no rule about requests comes first"


def refused(own: Sequence[Policy]) -> dict[Direction, TrafficSet]:
    """Return the traffic of rules that ask about requests, by direction."""
    found = dict.fromkeys(Direction, NO_TRAFFIC)
    for policy in own:
        for rule in policy.rules:
            if rule.request is not None and rule.action is Action.ALLOW:
                found[rule.direction] |= rule.traffic.must
    return found


def after(policy: Policy, tier: str, profile: Profile) -> bool:
    """Return whether a policy is asked after those of a tier."""
    order = [each.name for layer in profile.layers[:1] for each in layer.tiers]
    known = policy.tier in order and tier in order
    return known and order.index(policy.tier) > order.index(tier)


def left_open(policy: Policy, asked: dict[Direction, TrafficSet]) -> Policy:
    """Return a policy whose rules leave open what a rule about requests may refuse."""
    rules = tuple(each for rule in policy.rules for each in _split(rule, asked[rule.direction]))
    return policy if rules == policy.rules else replace(policy, rules=rules)


def _split(rule: Rule, asked: TrafficSet) -> tuple[Rule, ...]:
    both = rule.traffic.must & asked
    if rule.action is not Action.ALLOW or not both:
        return (rule,)
    rest = replace(rule.traffic, must=rule.traffic.must - both)
    unsure = replace(rule.traffic, must=both, may=NO_TRAFFIC, named=())
    words = " and ".join(each for each in (rule.condition, _FIRST) if each)
    said = (*rule.caveats, caveats.REQUESTS_FIRST)
    return (
        replace(rule, traffic=rest),
        replace(rule, traffic=unsure, condition=words, caveats=said),
    )
