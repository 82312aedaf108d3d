"""What has to change where no rule can be proposed, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloison.algebra import TrafficSet
from cloison.analyses.explain import PointAnswer, rule_text
from cloison.analyses.walk import TierWalk, Walk
from cloison.base import Span
from cloison.base.words import some
from cloison.engine import Engine, Point
from cloison.ir.policy import Action, Combine, Policy, PolicyId, Rule, TierSpec
from cloison.ir.ruleset import BoundRule
from cloison.resources.kinds import NETWORK_POLICY

if TYPE_CHECKING:
    from cloison.algebra import Request


@dataclass(frozen=True, slots=True)
class Advice:
    """What would have to change, in words.

    Args:
        text: In a sentence without its point.
        policy: The object to change; None where one is missing.
        span: Where to change it.
    """

    text: str
    policy: PolicyId | None = None
    span: Span | None = None


def guarded(
    engine: Engine, point: PointAnswer, tier: TierWalk, bound: BoundRule, walk: Walk
) -> Advice:
    """Say what has to change where a rule denies: nothing that is asked later can help."""
    text = rule_text(bound.policy, bound.rule)
    for conflict in tier.conflicts:
        pair = (conflict.one, conflict.other)
        if any(each.rule is bound.rule for each in pair):
            names = " and ".join(each.policy.id.said for each in pair)
            rules = " and ".join(str(each.rule.index) for each in pair)
            text = f"give {names} different priorities: their {point.direction} rules {rules}"
            return Advice(f"{text} disagree about it", bound.policy.id, bound.policy.span)
    places = [t.name for t in walk.layer.tiers]
    own = _teams_tier(engine, walk)
    after = [t for t in walk.tiers if t.came is None]
    text = f"change {text}, which denies it in tier {tier.spec.name}"
    if own is not None and places.index(own.name) < places.index(tier.spec.name):
        text += (
            f"; or let a {NETWORK_POLICY} that selects {point.endpoint} allow it, which is asked "
            f"first: it has to allow all else that is to pass, too"
        )
    else:
        text += ": only its owner can, and nothing that is asked later overrules it"
    if after:
        names = some([p.id.said for t in after for p in t.policies])
        text += f" (what it lets go on, {names} may still stop)"
    return Advice(text, bound.policy.id, bound.rule.span or bound.policy.span)


def asking_else(
    engine: Engine, policies: Iterable[Policy], point: Point, asked: TrafficSet
) -> tuple[Policy, Rule] | None:
    """Return the rule that lets the peer's traffic through, but with other requests.

    Args:
        engine: Who decides.
        policies: Whose rules.
        point: The enforcement point.
        asked: The traffic in question.
    """
    ports = engine.table.units[point.subject].ports
    for policy in policies:
        for bound in engine.binder.rules(policy, point.direction, ports):
            rule = bound.rule
            if rule.request is None or rule.action is not Action.ALLOW:
                continue
            traffic = bound.traffic if rule.unmet is None else rule.unmet.must
            if point.peer in bound.must and asked <= traffic:
                return policy, rule
    return None


def other_request(policy: Policy, rule: Rule, request: "Request | None") -> Advice:
    """Say that a rule has to let more requests through."""
    more = "more requests" if request is None else f"{request} too"
    text = f"let {rule_text(policy, rule)} allow {more}: it asks for {rule.conditions}"
    return Advice(text, policy.id, rule.span or policy.span)


def _teams_tier(engine: Engine, walk: Walk) -> TierSpec | None:
    """Return the tier that plain NetworkPolicies stand in, if they end what they isolate."""
    place = engine.profile.places.get(NETWORK_POLICY)
    for tier in walk.layer.tiers:
        here = tier.name == place.tier if place else set(tier.bands) == {Combine.UNION}
        if here and tier.end is Action.DENY:
            return tier
    return None
