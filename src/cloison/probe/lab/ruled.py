"""What a ruleset comes to for the proxy of a node: rules in the order in which they decide.

Apart from what a proxy is told: a lab's process reads that, and starts quicker without the IR.
"""

import msgspec

from cloison.algebra import EVERY_ADDRESS, PROTOCOLS, TrafficSet, address_text
from cloison.dialects.nftables import NodeView, in_order
from cloison.ir.enforcement import EnforcedLayer, EnforcedRule, EnforcedTier, Enforcement, Ruleset
from cloison.ir.policy import Action, Direction
from cloison.ir.requests import RequestCondition, of_http
from cloison.probe.lab.rulings import Condition, Judgement, NodeProxy, Ruling, Spans

_TCP = TrafficSet.protocol("TCP")
_BASE = PROTOCOLS["TCP"] << 16


def node_proxy(ruleset: Ruleset, node: NodeView, *, normalises: bool) -> NodeProxy | None:
    """Return what a node's proxy is told; None where no rule asks for a request there.

    Args:
        ruleset: What is enforced in the whole world.
        node: The node.
        normalises: Whether paths are brought to one form before they are compared.
    """
    made = _Maker(node)
    found = [
        Judgement(each.direction.value, subjects, made.rulings(layer, each.direction))
        for each in ruleset.enforcements
        if (subjects := _here(each, node))
        for layer in each.layers
        if _asks(layer)
    ]
    if not found:
        return None
    return NodeProxy(tuple(found), tuple(made.conditions.values()), normalises)


def _here(each: Enforcement, node: NodeView) -> tuple[str, ...]:
    if each.on_host:
        return ()
    spans = each.subjects & node.pods
    return tuple(address_text(point) for low, high in spans for point in range(low, high + 1))


def _asks(layer: EnforcedLayer) -> bool:
    rules = (r for tier in layer.tiers for band in tier.bands for r in in_order(band))
    return any(rule.request is not None for rule in rules)


class _Maker:
    """Writes rulings; lives for one node."""

    def __init__(self, node: NodeView) -> None:
        self.node = node
        self.conditions: dict[RequestCondition, Condition] = {}
        self._numbers: dict[RequestCondition, int] = {}

    def rulings(self, layer: EnforcedLayer, direction: Direction) -> tuple[Ruling, ...]:
        """Return the rulings of a layer, as some subjects meet it."""
        found = [made for rule in layer.builtin for made in self._of_rule(rule)]
        for tier in layer.tiers:
            found += self._of_tier(tier, len(found))
        found.append(Ruling(f"layer {layer.name} {direction} default", layer.default.value))
        return tuple(found)

    def _of_tier(self, tier: EnforcedTier, start: int) -> list[Ruling]:
        rules = [rule for band in tier.bands for rule in in_order(band)]
        made = [each for rule in rules for each in self._of_rule(rule)]
        if tier.end is not None:
            ports = None if tier.scope >= _TCP else _ports(tier.scope)
            made.append(Ruling(tier.key, tier.end.value, None, ports))
        # Who leaves a tier goes on behind its end.
        onward = start + len(made)
        return [msgspec.structs.replace(each, onward=onward) for each in made]

    def _of_rule(self, rule: EnforcedRule) -> list[Ruling]:
        if rule.doubt is not None or rule.action not in _DECIDING:
            return []
        ports = None if rule.traffic >= _TCP else _ports(rule.traffic)
        peers = None if (meant := self.node.peers(rule)) == EVERY_ADDRESS else tuple(meant.ranges())
        if ports == () or peers == ():
            return []
        number = -1 if rule.request is None else self._number(rule.request)
        sources = None if rule.sources is None else _ports(rule.sources)
        return [Ruling(rule.key, rule.action.value, peers, ports, sources, number)]

    def _number(self, request: RequestCondition) -> int:
        if request not in self._numbers:
            sets = of_http(request)
            if sets is None:
                return -1
            may = None if sets.may is None else sets.may.packed()
            self.conditions[request] = Condition(sets.must.packed(), may)
            self._numbers[request] = len(self._numbers)
        return self._numbers[request]


_DECIDING = (Action.ALLOW, Action.DENY, Action.PASS)


def _ports(traffic: TrafficSet) -> Spans:
    return tuple((low - _BASE, high - _BASE) for low, high in traffic & _TCP)
