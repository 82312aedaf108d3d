"""When a policy is asked: its tier among the others, its place in the tier."""

from collections.abc import Iterator, Sequence

from cloison.analyses.limits import Facts
from cloison.base.words import some
from cloison.ir.policy import Action, Combine, Direction, LayerSpec, Policy


def places(facts: Facts) -> Iterator[str]:
    """Yield when a policy is asked, in sentences; nothing where it stands in a list of its like.

    Only policies that take part and select some of the same pods count.
    """
    policy, tier = facts.policy, facts.tier
    layer = _layer(facts)
    if tier is None or layer is None or policy.opaque is not None:
        return
    names = [t.name for t in layer.tiers]
    mine = names.index(tier.name)
    near = [p for p in facts.companions if p.tier in names and _meets(p, policy)]
    before = [p for p in near if names.index(p.tier) < mine]
    after = [p for p in near if names.index(p.tier) > mine]
    if facts.adds_up and not before and not after:
        return
    text = f"stands in tier {tier.name}"
    if before:
        text += f", asked after {_by_tier(before, names)} and only about what is left then"
    yield text
    if not facts.adds_up:
        yield from _in_tier(facts, [p for p in near if p.tier == tier.name])
    passing = any(rule.action is Action.PASS for rule in policy.rules)
    ends = tier.end is Action.DENY and bool(policy.isolates)
    if after and ends and not passing:
        yield f"{_by_tier(after, names)} is never asked where it isolates"
    elif after:
        yield f"what tier {tier.name} does not decide is left to {_by_tier(after, names)}"
    elif not ends:
        default = "passes" if layer.default is Action.ALLOW else "is denied"
        yield f"nobody is asked after that: what is left then {default}"


def equals(facts: Facts) -> Iterator[Policy]:
    """Yield policies of which nobody says whether they come before or after."""
    policy, tier = facts.policy, facts.tier
    if tier is None or tier.bands[policy.band] is not Combine.FIRST_MATCH:
        return
    for other in facts.companions:
        same = (other.tier, other.band, other.order) == (policy.tier, policy.band, policy.order)
        if same and _meets(other, policy):
            yield other


def _in_tier(facts: Facts, near: Sequence[Policy]) -> Iterator[str]:
    policy = facts.policy
    tied = list(equals(facts))
    ranked = [p for p in near if p not in tied]
    key = (policy.band, policy.order)
    before = [p.id.said for p in ranked if (p.band, p.order) < key]
    after = [p.id.said for p in ranked if (p.band, p.order) > key]
    if before:
        yield f"in its tier it comes after {some(before)}"
    if after:
        yield f"in its tier it comes before {some(after)}"
    if tied:
        names = some([p.id.said for p in tied])
        yield f"{names} and it have equal priority: nobody says which of them comes first"


def _meets(one: Policy, other: Policy) -> bool:
    """Whether two policies govern a direction in common."""
    return any(_governs(one, d) and _governs(other, d) for d in Direction)


def _governs(policy: Policy, direction: Direction) -> bool:
    return direction in policy.isolates or bool(policy.rules_for(direction))


def _by_tier(policies: Sequence[Policy], names: Sequence[str]) -> str:
    """Name tiers with their policies."""
    said = []
    for name in names:
        here = [p.id.said for p in policies if p.tier == name]
        if here:
            said.append(f"tier {name} ({some(here)})")
    return " and ".join(said)


def _layer(facts: Facts) -> LayerSpec | None:
    for layer in facts.engine.policies.layers:
        if any(tier.name == facts.policy.tier for tier in layer.tiers):
            return layer
    return None
