"""The tiers of an enforcement point for people, up to where the decision fell."""

from collections.abc import Iterator

from cloison.algebra import TrafficSet
from cloison.analyses.explain import FAR, Considered, PointAnswer
from cloison.analyses.miss import match_text, peer_text, said_traffic, verb
from cloison.analyses.walk import Came, TierWalk, Walk
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Action, Direction, Policy, Rule
from cloison.report.about import Look
from cloison.report.text.layout import count, listed, wrapped

SHOWN = 3
"""Policies that are told in full at an enforcement point, or in one of several tiers."""

_CAME = {
    Came.ALLOWED: "allows it",
    Came.DENIED: "denies it",
    Came.PASSED: "passes it on",
    Came.UNMATCHED: "no rule matches, on to what comes next",
    Came.UNDETERMINED: "nobody can say",
}
_BY_END = {
    Came.ALLOWED: "no rule matches, and at its end it lets pass",
    Came.DENIED: "no rule lets it through, and it ends there: denied",
    Came.PASSED: "no rule matches, and at its end it passes on",
}


def walked(point: PointAnswer, walk: Walk, look: Look) -> Iterator[str]:
    """Iterate over the tiers that traffic went through, and what the last one decided."""
    if walk.always:
        texts = [d.text for d in point.decided_by if d.policy is None and d.text != "default"]
        yield f"   a built-in rule decides: {', '.join(texts)}"
    for tier in walk.tiers:
        if tier.came is not None:
            yield from _tier(tier, tier.came, point, look)
    if walk.default:
        what = "it" if walk.default == _asked(walk) else str(walk.default)
        does = "passes" if walk.layer.default is Action.ALLOW else "is denied"
        yield f"   default: no tier decides on {what}, so it {does}"
    missed = [tier for tier in walk.tiers if tier.came is None]
    if missed:
        names = listed([p.id.said for tier in missed for p in tier.policies], SHOWN)
        word = "tier" if len(missed) == 1 else "tiers"
        text = f"{word} {listed([tier.spec.name for tier in missed])} ({names})"
        yield from wrapped(text, look, "   not asked any more: ", "     ")


def _asked(walk: Walk) -> TrafficSet:
    found = walk.default
    for tier in walk.tiers:
        found |= tier.traffic
    return found


def _tier(tier: TierWalk, came: Came, point: PointAnswer, look: Look) -> Iterator[str]:
    name = look.paint(f"tier {tier.spec.name}", "bold")
    yield from wrapped(_outcome(tier, came), look, f"   {name}: ", "     ")
    for conflict in tier.conflicts[:SHOWN]:
        pair = (conflict.one, conflict.other)
        names = " and ".join(f"{b.policy.id.said} rule {b.rule.index}" for b in pair)
        text = f"{names} stand equal and disagree; either may come first"
        yield from wrapped(text, look, "   ! ", "     ")
    ranked = [c for c in point.considered if c.policy.tier == tier.spec.name]
    matched = [c for c in ranked if c.decides]
    near = matched[:SHOWN]
    if tier.ended and not any(_decides(c) for c in matched):
        missing = [c for c in ranked if not c.decides and c.remoteness < FAR]
        near = [*near, *missing][:SHOWN]
    if not near:
        telling = point.verdict is not Verdict.ALLOWED and ranked[0].remoteness < FAR
        near = ranked[:1] if tier.ended or telling or ranked[0].matched else []
    for each in near:
        yield from told(each, look)
    rest = [c for c in ranked if c not in near and c.selects]
    if rest and tier.ordered:
        yield from _in_order(tier, [c.policy for c in rest], look)
    elif rest and near:
        said = listed([f"{c.policy.id.said} ({scope(c, point.direction)})" for c in rest])
        word = "besides" if matched else "farther off"
        yield from wrapped(said, look, f"   - {word}: ", "     ")
    elif rest:
        said = listed([c.policy.id.said for c in rest], SHOWN)
        yield from wrapped(said, look, "   - not about this: ", "     ")


def _in_order(tier: TierWalk, rest: list[Policy], look: Look) -> Iterator[str]:
    """Tell policies that did nothing by whether they came before what did something."""
    acting = {id(s.rule.policy) for s in tier.steps if s.rule is not None}
    last = max((i for i, p in enumerate(tier.policies) if id(p) in acting), default=-1)
    places = {id(p): i for i, p in enumerate(tier.policies)}
    rest = sorted(rest, key=lambda p: places[id(p)])
    before = [p.id.said for p in rest if last < 0 or places[id(p)] < last]
    after = [p.id.said for p in rest if 0 <= last < places[id(p)]]
    for names, lead in ((before, "no rule of it matches"), (after, "comes after it")):
        if names:
            yield from wrapped(listed(names, SHOWN), look, f"   - {lead}: ", "     ")


def _decides(each: Considered) -> bool:
    return any(rule.action in (Action.ALLOW, Action.DENY) for rule in each.matched)


def _outcome(tier: TierWalk, came: Came) -> str:
    """Say what came of the traffic in a tier."""
    if came is not Came.MIXED:
        by_rule = any(s.rule is not None and s.action is tier.spec.end for s in tier.steps)
        return _BY_END.get(came, _CAME[came]) if tier.ended and not by_rule else _CAME[came]
    parts = []
    rest = tier.traffic
    for action, word in (
        (Action.ALLOW, "allows"),
        (Action.DENY, "denies"),
        (Action.PASS, "passes on"),
    ):
        traffic = TrafficSet()
        for step in tier.steps:
            if step.action is action:
                traffic |= step.traffic
        if traffic:
            parts.append(f"{word} {traffic}")
            rest -= traffic
    if rest:
        parts.append(f"says nothing of {rest}")
    return "; ".join(parts)


def told(each: Considered, look: Look) -> Iterator[str]:
    """Iterate over what one policy has to say, rule by rule."""
    span = each.matched[0].span if each.decides else each.miss_span or each.policy.span
    place = f"  {span.place}" if span else ""
    word = "" if each.selects else ", which does not select it"
    yield f"   - {look.paint(each.policy.id.said, 'bold')}{word}{look.paint(place, 'cyan')}"
    for rule in each.matched[:SHOWN]:
        here = f" (line {rule.span.line})" if rule.span and rule.span != span else ""
        text = f"{rule.label} {rule_words(each.policy, rule)}{here}"
        yield from wrapped(text, look, "       ")
    if len(each.matched) > SHOWN:
        yield f"       and {count(len(each.matched) - SHOWN, 'more rule')} of it"
    if each.nearest_miss is not None:
        lead = f"rule {each.miss_rule} " if each.miss_rule else ""
        yield from wrapped(f"{lead}{each.nearest_miss}", look, "       ")


def rule_words(policy: Policy, rule: Rule) -> str:
    """Return what a rule does: `allows app=api in namespace web on TCP/8080`."""
    peers = listed([peer_text(p, policy) for p in rule.peers], 3) or "nobody"
    whom = f"{peers} on {said_traffic(rule.traffic)}"
    if rule.subjects is not None:
        about = listed([match_text(m, policy) for m in rule.subjects], 3) or "nobody"
        whom += f", for {about} only"
    if rule.sources is not None:
        whom += f" from source ports {rule.sources}"
    if rule.conditions is not None:
        whom += f" where {rule.conditions}"
    return f"{verb(rule.action)} {whom}" + (" to the next tier" if _passes(rule) else "")


def _passes(rule: Rule) -> bool:
    return rule.action is Action.PASS


def scope(each: Considered, direction: Direction) -> str:
    """Say in a few words what a policy is about."""
    rules = each.policy.rules_for(direction)
    if not rules:
        return "no rule"
    ports = TrafficSet()
    names: list[str] = []
    for rule in rules:
        ports |= rule.traffic.must
        names += [n.name for n in rule.traffic.named]
    said = [str(ports)] if ports or not names else []
    return "only " + ", ".join([*said, *dict.fromkeys(names)])
