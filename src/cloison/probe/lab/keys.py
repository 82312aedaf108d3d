"""From the names of counters back to rules as people know them, and to those that should count."""

from collections.abc import Iterator, Mapping

from cloison.analyses.explain import CaseAnswer, Decider, PointAnswer, rule_text
from cloison.analyses.measured import Counted
from cloison.dialects.nftables import counter_name
from cloison.engine import Engine
from cloison.engine.resolve import builtin_key, end_key, rule_key
from cloison.engine.steps import Cause, Step
from cloison.ir.policy import Action, Direction

DOUBT = ", in doubt"
RETURNED = ", returned"
"""What a key ends in: a rule that no filter can decide; at a tier's end what a Service led back."""


class Keys:
    """Knows every counter that the packet filters of a world can have.

    Args:
        engine: Policies bound to the world as built.
    """

    def __init__(self, engine: Engine) -> None:
        self._deciders = dict(_deciders(engine))
        self._keys = {counter_name(key): key for key in self._deciders}

    def key(self, name: str) -> str:
        """Return the key behind a counter's name; a key is its own."""
        return self._keys.get(name, name)

    def counted(
        self,
        before: Mapping[str, Mapping[str, int]],
        after: Mapping[str, Mapping[str, int]],
    ) -> tuple[Counted, ...]:
        """Return what counted packets between two readings, leaving before entering.

        Args:
            before: Packets by counter by node.
            after: The same, later.
        """
        more: dict[str, int] = {}
        for node, counters in after.items():
            for name, packets in counters.items():
                grown = packets - before.get(node, {}).get(name, 0)
                if grown > 0:
                    key = self.key(name)
                    more[key] = more.get(key, 0) + grown
        found = [Counted(key, number, self.decider(key)) for key, number in more.items()]
        order = {key: place for place, key in enumerate(self._deciders)}
        return tuple(sorted(found, key=lambda each: (order.get(each.key, len(order)), each.key)))

    def decider(self, key: str) -> Decider:
        """Return what people call a counter, and where it is written."""
        return self._deciders.get(key, Decider(key))


def _deciders(engine: Engine) -> Iterator[tuple[str, Decider]]:
    """Yield every key with what it stands for, in the order packets come to them."""
    for direction in (Direction.EGRESS, Direction.INGRESS):
        for layer in engine.policies.layers:
            for rule in layer.builtin:
                if rule.direction is direction:
                    key = builtin_key(layer.name, direction, rule.index)
                    text = f"built-in {direction} rule {rule.index} of {layer.name}"
                    yield key, Decider(text, direction=direction, action=rule.action)
            for tier in layer.tiers:
                for policy in (p for p in engine.ordered if p.tier == tier.name):
                    for rule in policy.rules_for(direction):
                        decider = Decider(
                            rule_text(policy, rule),
                            policy.id,
                            direction,
                            rule.index,
                            rule.span,
                            tier.name,
                            rule.action,
                        )
                        key = rule_key(policy.id, direction, rule.index)
                        yield key, decider
                        yield key + DOUBT, decider
                key = end_key(tier.name, direction)
                text = f"end of tier {tier.name} for {direction}"
                end = Decider(text, direction=direction, tier=tier.name, action=tier.end)
                yield key, end
                yield key + RETURNED, end


def expected(answer: CaseAnswer) -> dict[Direction, tuple[tuple[str, ...], ...]]:
    """Return which counters should move, by direction: one of each group.

    Where several rules of a tier let the same traffic through, whichever is asked first counts.

    Args:
        answer: The answer about traffic of one port.
    """
    found: dict[Direction, list[tuple[str, ...]]] = {}
    stopped: set[Direction] = set()
    for point in answer.points:
        if Direction.EGRESS in stopped and point.direction is Direction.INGRESS:
            continue
        if point.direction not in stopped:
            found.setdefault(point.direction, []).extend(_groups(point))
        if not answer.case.traffic <= point.allowed:
            stopped.add(point.direction)
    return {direction: tuple(groups) for direction, groups in found.items()}


def _groups(point: PointAnswer) -> Iterator[tuple[str, ...]]:
    """Yield the counters of one layer that should move, tier by tier."""
    walk = point.walk
    if walk is None:
        return
    groups: dict[str, list[str]] = {}
    for step in walk.steps:
        key = _key(step, walk.layer.name, point.direction)
        if key is not None:
            # Whatever hands on to the next tier counts besides what decides there.
            groups.setdefault(step.tier or "", []).append(key)
    yield from map(tuple, groups.values())


def _key(step: Step, layer: str, direction: Direction) -> str | None:
    if step.builtin is not None:
        return builtin_key(layer, direction, step.builtin.index)
    if step.rule is not None and step.action is not Action.LOG:
        rule = step.rule
        return rule_key(rule.policy.id, direction, rule.rule.index)
    if step.cause is Cause.END and step.tier is not None:
        return end_key(step.tier, direction)
    if step.cause is Cause.BUILTIN and step.tier is not None:
        return end_key(step.tier, direction) + RETURNED
    return None
