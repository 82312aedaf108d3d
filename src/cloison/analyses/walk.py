"""The way of some traffic through the tiers of one enforcement point, up to the decision."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.engine import Engine, Point
from cloison.engine.decide import Decision
from cloison.engine.steps import Cause, Step
from cloison.ir.policy import Action, Combine, Direction, LayerSpec, Policy, Rule, TierSpec
from cloison.ir.ruleset import BoundRule, Outcome


class Came(StrEnum):
    """What came of traffic in one tier."""

    ALLOWED = "allowed"
    DENIED = "denied"
    PASSED = "passed"
    """A rule, or the tier's end, handed it on to the next tier."""
    UNMATCHED = "unmatched"
    """No rule matched, and the tier's end does not apply: it goes on."""
    UNDETERMINED = "undetermined"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two rules of which nobody says which comes first, and that disagree.

    Args:
        one: One of them.
        other: The other.
        traffic: What they disagree about.
    """

    one: BoundRule
    other: BoundRule
    traffic: TrafficSet


@dataclass(frozen=True, slots=True)
class TierWalk:
    """What one tier did.

    Args:
        spec: The tier.
        policies: Its policies that select the subject and govern the direction, in order.
        came: What came of the traffic in question; None where an earlier tier had decided it.
        traffic: How much of the traffic in question came to it.
        steps: What happened to that, in order.
        ordered: Whether the order of its rules matters: not all of them just allow.
        adds_up: Whether it is a list of what is allowed, and all of its policies isolate.
        conflicts: Rules of which nobody says which comes first, and that disagree.
    """

    spec: TierSpec
    policies: tuple[Policy, ...]
    came: Came | None
    traffic: TrafficSet
    steps: tuple[Step, ...]
    ordered: bool = False
    adds_up: bool = True
    conflicts: tuple[Conflict, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether some of the traffic met the tier's end."""
        return any(step.cause is Cause.END for step in self.steps)


@dataclass(frozen=True, slots=True)
class Walk:
    """The way through one layer.

    Args:
        layer: The layer.
        outcome: What becomes of all traffic in it.
        tiers: Tiers that have a policy for this end and direction, in order.
        steps: Everything that happened to the traffic in question, in order.
        default: Traffic in question that no tier decided.
        stray: Policies that nobody understood, of a tier that no layer has.
    """

    layer: LayerSpec
    outcome: Outcome
    tiers: tuple[TierWalk, ...]
    steps: tuple[Step, ...]
    default: TrafficSet
    stray: tuple[Policy, ...] = ()

    @property
    def silent(self) -> bool:
        """Whether nothing in this layer has anything to say."""
        quiet = (Cause.ENTRY, Cause.DEFAULT)
        return (
            not self.tiers
            and not self.stray
            and self.layer.default is Action.ALLOW
            and all(step.cause in quiet for step in self.steps)
        )

    @property
    def always(self) -> tuple[Rule, ...]:
        """Built-in rules that certainly decide on some of the traffic in question."""
        return tuple(s.builtin for s in self.steps if s.builtin is not None and s.sure)

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Every policy that governs this end and direction, in order."""
        return (*(p for tier in self.tiers for p in tier.policies), *self.stray)

    @property
    def plain(self) -> bool:
        """Whether all there is to say is what one tier adds up to, which ends what it isolates."""
        return not self.tiers or (len(self.tiers) == 1 and self.tiers[0].adds_up)

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """Conflicts of every tier."""
        return tuple(pair for tier in self.tiers for pair in tier.conflicts)


def walks(engine: Engine, point: Point, asked: TrafficSet) -> tuple[Walk, ...]:
    """Return the way of `asked` through each layer; empty where no policy applies to such an end.

    Args:
        engine: Who decided.
        point: The enforcement point.
        asked: The traffic in question.
    """
    decision = point.decision
    if decision is None:
        return ()
    layers = engine.policies.layers
    placed = {tier.name for layer in layers for tier in layer.tiers}
    stray = tuple(p for p in decision.policies if p.opaque and p.tier not in placed)
    found = []
    for number, (outcome, steps) in enumerate(engine.steps(point)):
        layer = layers[number]
        near = tuple(_within(steps, asked))
        default = _union(s.traffic for s in near if s.cause is Cause.DEFAULT)
        tiers = tuple(_tiers(layer, point.direction, decision.policies, near))
        found.append(Walk(layer, outcome, tiers, near, default, () if number else stray))
    return tuple(found)


def _within(steps: Iterable[Step], asked: TrafficSet) -> Iterator[Step]:
    for step in steps:
        traffic = step.traffic & asked
        if traffic:
            yield replace(step, traffic=traffic)


def _tiers(
    layer: LayerSpec, direction: Direction, policies: Sequence[Policy], steps: Sequence[Step]
) -> Iterator[TierWalk]:
    entries = {s.tier: s.traffic for s in steps if s.cause is Cause.ENTRY}
    default = _union(s.traffic for s in steps if s.cause is Cause.DEFAULT)
    coming = [entries.get(tier.name, NO_TRAFFIC) for tier in layer.tiers]
    for number, tier in enumerate(layer.tiers):
        mine = tuple(p for p in policies if p.tier == tier.name)
        if not mine:
            continue
        here = tuple(s for s in steps if s.tier == tier.name and s.cause is not Cause.ENTRY)
        after = coming[number + 1] if number + 1 < len(coming) else default
        came = _came(here, coming[number], after) if coming[number] else None
        yield TierWalk(
            tier,
            mine,
            came,
            coming[number],
            here,
            is_ordered(tier, mine, direction),
            adds_up(tier, mine, direction),
            tuple(_conflicts(tier, here)),
        )


def is_ordered(tier: TierSpec, policies: Sequence[Policy], direction: Direction) -> bool:
    """Return whether the order of the policies' rules in a tier matters."""
    return any(c is not Combine.UNION for c in tier.bands) and any(
        rule.action not in (Action.ALLOW, Action.LOG)
        for policy in policies
        for rule in policy.rules_for(direction)
    )


def adds_up(tier: TierSpec, policies: Sequence[Policy], direction: Direction) -> bool:
    """Return whether policies of a tier are one list of what is allowed, the rest being denied."""
    return not is_ordered(tier, policies, direction) and all(
        p.opaque is not None or (direction in p.isolates and tier.end is Action.DENY)
        for p in policies
    )


def one_list(layers: Sequence[LayerSpec], decision: Decision) -> bool:
    """Return whether all policies of a decision are one list of what is let through."""
    spoken = {policy.tier for policy in decision.policies}
    tiers = [tier for layer in layers for tier in layer.tiers if tier.name in spoken]
    if not tiers:
        return True
    mine = [p for p in decision.policies if p.tier == tiers[0].name]
    return len(tiers) == 1 and adds_up(tiers[0], mine, decision.direction)


def _came(steps: Sequence[Step], entering: TrafficSet, leaving: TrafficSet) -> Came:
    """Return what came of traffic that entered a tier, of which some left it undecided."""
    by = {
        action: _union(s.traffic for s in steps if s.action is action)
        for action in (Action.ALLOW, Action.DENY, Action.PASS)
    }
    parts = {
        Came.ALLOWED: by[Action.ALLOW],
        Came.DENIED: by[Action.DENY],
        Came.PASSED: by[Action.PASS],
        Came.UNMATCHED: leaving & entering - by[Action.PASS],
    }
    open_ = _union(s.traffic for s in steps if s.cause is Cause.END and s.action is None)
    for one, other in combinations(parts.values(), 2):
        open_ |= one & other
    if entering <= open_:
        return Came.UNDETERMINED
    said = [came for came, traffic in parts.items() if traffic]
    return said[0] if len(said) == 1 and not open_ else Came.MIXED


def _conflicts(tier: TierSpec, steps: Sequence[Step]) -> Iterator[Conflict]:
    """Yield rules of equal order that do different things to the same traffic."""
    acting = [
        (step, step.rule)
        for step in steps
        if step.rule is not None
        and step.action is not Action.LOG
        and tier.bands[step.rule.policy.band] is Combine.FIRST_MATCH
    ]
    for (one, first), (other, second) in combinations(acting, 2):
        if (
            (first.policy.band, first.policy.order) == (second.policy.band, second.policy.order)
            and first.policy.id != second.policy.id
            and one.action is not other.action
            and one.traffic & other.traffic
        ):
            yield Conflict(first, second, one.traffic & other.traffic)


def _union(parts: Iterable[TrafficSet]) -> TrafficSet:
    found = NO_TRAFFIC
    for part in parts:
        found |= part
    return found
