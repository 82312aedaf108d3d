"""From the names of counters back to rules as people know them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from cloison.analyses.explain import Decider, rule_text
from cloison.analyses.measured import Counted
from cloison.engine import Engine
from cloison.engine.resolve import builtin_key, end_key, rule_key
from cloison.ir.counters import counter_name
from cloison.ir.policy import Direction

DOUBT = ", in doubt"
RETURNED = ", returned"
HANDED = ", handed on"
"""What a key ends in: a rule that no filter can decide; at a tier's end what a Service led back; a
rule about requests that lets a connection through to the proxy."""


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
                        key = rule_key(policy.id, rule.listed or direction, rule.index)
                        yield key, decider
                        yield key + DOUBT, decider
                        if rule.request is not None:
                            yield key + HANDED, replace(decider, text=decider.text + HANDED)
                key = end_key(tier.name, direction)
                text = f"end of tier {tier.name} for {direction}"
                end = Decider(text, direction=direction, tier=tier.name, action=tier.end)
                yield key, end
                yield key + RETURNED, end
