"""Which counters the packets of a flow should move, going by what its prediction says."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from cloison.analyses.explain import CaseAnswer
from cloison.analyses.walk import Walk
from cloison.engine.resolve import builtin_key, end_key, rule_key
from cloison.engine.steps import Cause, Step
from cloison.ir.policy import Action, Combine, Direction
from cloison.ir.ruleset import BoundRule
from cloison.probe.lab.keys import DOUBT, RETURNED


@dataclass(frozen=True, slots=True)
class Stage:
    """A place on the way where packets are counted.

    Args:
        direction: Seen from the end whose policies are asked.
        one_of: One of these counts: whichever is asked first. Empty where nothing has to.
        besides: Any of these may count as well.
    """

    direction: Direction
    one_of: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()


def expected(answer: CaseAnswer) -> tuple[Stage, ...]:
    """Return which counters should move, in the order packets come to them.

    Args:
        answer: The answer about traffic of one port.
    """
    found: list[Stage] = []
    for point in answer.points:
        if point.walk is not None:
            found += _of_layer(point.walk, point.direction)
        if not answer.case.traffic <= point.allowed:
            break
    return tuple(each for each in found if each.one_of or each.besides)


def _of_layer(walk: Walk, direction: Direction) -> Iterator[Stage]:
    tiers = {tier.name: tier for tier in walk.layer.tiers}
    closes = any(
        tier.spec.end is Action.DENY and any(direction in p.isolates for p in tier.policies)
        for tier in walk.tiers
    )
    for (cause, name), group in groupby(walk.steps, key=lambda step: (step.cause, step.tier)):
        steps = list(group)
        if cause is Cause.BUILTIN and name is None:
            keys = [
                builtin_key(walk.layer.name, direction, step.builtin.index)
                for step in steps
                if step.builtin is not None
            ]
            stage = _stage(direction, steps, keys)
            # Where nothing is stopped in any case, there is no need for a filter to look.
            yield stage if closes else Stage(direction, (), (*stage.one_of, *stage.besides))
        elif cause is Cause.BUILTIN and name is not None:
            yield Stage(direction, (end_key(name, direction) + RETURNED,))
        elif cause is Cause.END and name is not None:
            yield _stage(direction, steps, [end_key(name, direction)] * len(steps))
        elif cause is Cause.RULE and name is not None:
            acting = [(step, step.rule) for step in steps if step.rule is not None]
            bands = groupby(acting, key=lambda item: item[1].policy.band)
            for band, members in bands:
                yield from _of_band(direction, tiers[name].bands[band], list(members))


def _of_band(
    direction: Direction, combine: Combine, members: Sequence[tuple[Step, BoundRule]]
) -> Iterator[Stage]:
    """Yield what rules of a tier's band move: one by one where they have an order."""
    if combine is not Combine.FIRST_MATCH:
        for _, group in groupby(members, key=lambda item: item[0].action):
            yield _any_of(direction, list(group))
        return
    for _, group in groupby(members, key=lambda item: item[1].policy.order):
        same = list(group)
        if len({rule.policy.id for _, rule in same}) == 1:
            for item in same:
                yield _any_of(direction, [item])
            continue
        # Of policies that nothing puts in order any may come first, and then the rest are silent.
        stage = _any_of(direction, [m for m in same if m[0].action is not Action.LOG])
        noted = _any_of(direction, [m for m in same if m[0].action is Action.LOG])
        yield Stage(direction, stage.one_of, (*stage.besides, *noted.one_of, *noted.besides))


def _any_of(direction: Direction, members: Sequence[tuple[Step, BoundRule]]) -> Stage:
    rules = ((bound.policy.id, bound.rule) for _, bound in members)
    keys = (rule_key(policy, rule.listed or direction, rule.index) for policy, rule in rules)
    return _stage(direction, [step for step, _ in members], keys)


def _stage(direction: Direction, steps: Iterable[Step], keys: Iterable[str]) -> Stage:
    """Return what steps count. One that is not sure decides nothing, and counts by itself."""
    keyed = list(zip(steps, keys, strict=True))
    sure = dict.fromkeys(key for step, key in keyed if step.sure)
    doubtful = dict.fromkeys(key + DOUBT for step, key in keyed if not step.sure)
    return Stage(direction, tuple(sure), tuple(doubtful))
