"""Policies that are asked after Cilium's own, beside rules that ask about requests.

What such a rule refuses is refused, and no later tier is asked. Here a later tier only sees that
no rule matched, so what it allows there is left open. Where nothing closes the direction, such a
rule only looks at requests and lets all of them through, and again no later tier is asked; so what
one denies there is left open, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.dialects.cilium import caveats
from cloison.ir.policy import Action, Direction, Policy, Rule
from cloison.ir.profile import Profile

_FIRST = "no rule about requests comes first"


@dataclass(frozen=True, slots=True)
class Asked:
    """Traffic of rules that ask about requests.

    Args:
        every: Of all of them, by direction.
        loose: Of those in policies that do not close the direction.
    """

    every: Mapping[Direction, TrafficSet]
    loose: Mapping[Direction, TrafficSet]

    def before(self, rule: Rule) -> TrafficSet:
        """Return the traffic in which it is not known whether a rule of a later tier is asked."""
        found = {Action.ALLOW: self.every, Action.DENY: self.loose}.get(rule.action)
        return NO_TRAFFIC if found is None else found[rule.direction]


def asked(own: Sequence[Policy]) -> Asked:
    """Return the traffic of rules that ask about requests."""
    every = dict.fromkeys(Direction, NO_TRAFFIC)
    loose = dict.fromkeys(Direction, NO_TRAFFIC)
    for policy in own:
        for rule in policy.rules:
            if rule.request is not None and rule.action is Action.ALLOW:
                every[rule.direction] |= rule.traffic.must
                if rule.direction not in policy.isolates:
                    loose[rule.direction] |= rule.traffic.must
    return Asked(every, loose)


def after(policy: Policy, tier: str, profile: Profile) -> bool:
    """Return whether a policy is asked after those of a tier."""
    order = [each.name for layer in profile.layers[:1] for each in layer.tiers]
    known = policy.tier in order and tier in order
    return known and order.index(policy.tier) > order.index(tier)


def left_open(policy: Policy, first: Asked) -> Policy:
    """Return a policy whose rules leave open what a rule about requests may decide before."""
    rules = tuple(each for rule in policy.rules for each in _split(rule, first.before(rule)))
    return policy if rules == policy.rules else replace(policy, rules=rules)


def _split(rule: Rule, first: TrafficSet) -> tuple[Rule, ...]:
    both, named = rule.traffic.must & first, rule.traffic.named if first else ()
    if not both and not named:
        return (rule,)
    rest = replace(rule.traffic, must=rule.traffic.must - both)
    if named:
        rest = replace(rest, named=())
    unsure = replace(rule.traffic, must=both, may=NO_TRAFFIC, named=named)
    words = " and ".join(each for each in (rule.condition, _FIRST) if each)
    said = (*rule.caveats, caveats.REQUESTS_FIRST)
    return (
        replace(rule, traffic=rest),
        replace(rule, traffic=unsure, condition=words, caveats=said),
    )
