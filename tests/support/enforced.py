"""A packet filter in slow motion: what a ruleset does to one packet, rule by rule."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cloison.algebra import PROTOCOLS, AddressSet, TrafficSet
from cloison.dialects.nftables import NodeView
from cloison.ir.enforcement import (
    EnforcedBand,
    EnforcedLayer,
    EnforcedRule,
    EnforcedTier,
    Enforcement,
    Ruleset,
)
from cloison.ir.peers import Relative
from cloison.ir.policy import Action, Combine, Direction
from cloison.resources.world import World

_PRECEDENCE = {
    Combine.UNION: (Action.ALLOW, Action.DENY, Action.PASS),
    Combine.DENY_OVERRIDES: (Action.DENY, Action.ALLOW, Action.PASS),
}


@dataclass(frozen=True)
class Packet:
    """The first packet of a connection.

    Args:
        source: Address it comes from.
        target: Address it goes to.
        protocol: By number.
        port: Its port, or ICMP type * 256 + code.
    """

    source: int
    target: int
    protocol: int
    port: int = 0

    @property
    def traffic(self) -> TrafficSet:
        """What it is among all traffic."""
        point = self.protocol * 65536 + self.port
        if self.protocol in PROTOCOLS.values():
            return TrafficSet([(point, point)])
        return TrafficSet.protocol(self.protocol)


def views(world: World) -> list[NodeView]:
    """Return the nodes of a world in which everybody has addresses."""
    found = []
    for node in world.nodes.values():
        pods = [
            point
            for workload in world.workloads.values()
            for endpoint in workload.endpoints
            if not endpoint.shape.host_network and endpoint.shape.node == node.name
            for point in endpoint.addresses
        ]
        others = [p for each in world.nodes.values() if each is not node for p in each.addresses]
        found.append(
            NodeView(
                node.name,
                AddressSet.points(tuple(pods)),
                AddressSet.points(node.addresses),
                AddressSet.points(tuple(others)),
            )
        )
    return found


def passes(ruleset: Ruleset, nodes: list[NodeView], packet: Packet) -> frozenset[bool]:
    """Return whether every enforcement point lets a packet pass: both, where that is not settled.

    A rule in doubt may match or not. Both ends' policies may leave things open besides.
    """
    found: frozenset[bool] = frozenset({True})
    for direction in Direction:
        subject = packet.source if direction is Direction.EGRESS else packet.target
        for said in _layers(ruleset, nodes, packet, direction, subject):
            found = frozenset(one and other for one in found for other in said)
        if any(subject in addresses for addresses, _ in ruleset.unclear):
            found |= {True, False}
    return found


def _layers(
    ruleset: Ruleset, nodes: list[NodeView], packet: Packet, direction: Direction, subject: int
) -> Iterator[frozenset[bool]]:
    for each in ruleset.enforcements:
        if each.direction is direction and subject in each.subjects:
            relations = _relations(each, nodes, packet, subject)
            for layer in each.layers:
                yield _layer(layer, packet, direction, relations)


def _relations(
    each: Enforcement, nodes: list[NodeView], packet: Packet, subject: int
) -> frozenset[Relative]:
    peer = packet.target if each.direction is Direction.EGRESS else packet.source
    home = next((n for n in nodes if subject in (n.own if each.on_host else n.pods)), None)
    found: set[Relative] = set()
    if packet.source == packet.target:
        found.add(Relative.RETURNED)
    if home is not None and peer in home.own:
        found.add(Relative.LOOPBACK if each.on_host else Relative.OWN_NODE)
    if home is not None and peer in home.others:
        found.add(Relative.OTHER_NODE)
    if each.on_host and home is not None and peer in home.pods:
        found.add(Relative.OWN_POD)
    return frozenset(found)


def _layer(
    layer: EnforcedLayer, packet: Packet, direction: Direction, relations: frozenset[Relative]
) -> frozenset[bool]:
    def decide(rules: Iterable[EnforcedRule]) -> tuple[set[Action], bool]:
        """Return what the rules may do, and whether they may leave it undone."""
        found: set[Action] = set()
        for rule in rules:
            if _matches(rule, packet, direction, relations):
                found.add(rule.action)
                if rule.doubt is None and rule.sources is None:
                    return found, False
        return found, True

    found, going = decide(layer.builtin)
    for tier in layer.tiers:
        if not going:
            break
        ordered = (rule for band in tier.bands for rule in _in_order(band))
        said, going = decide(ordered)
        if going and tier.end is not None:
            said |= _end(tier, tier.end, packet, relations)
            going = False
        going |= Action.PASS in said
        found |= said - {Action.PASS}
    if going:
        found.add(layer.default)
    return frozenset(action is Action.ALLOW for action in found)


def _end(
    tier: EnforcedTier, end: Action, packet: Packet, relations: frozenset[Relative]
) -> set[Action]:
    if tier.returned is not None and Relative.RETURNED in relations:
        return {tier.returned}
    return {Action.ALLOW, Action.DENY} if packet.traffic.isdisjoint(tier.scope) else {end}


def _in_order(band: EnforcedBand) -> Iterator[EnforcedRule]:
    rules = [rule for policy in band.policies for rule in policy.rules]
    if band.combine is Combine.FIRST_MATCH:
        yield from (rule for rule in rules if rule.action is not Action.LOG)
        return
    for action in _PRECEDENCE[band.combine]:
        yield from (rule for rule in rules if rule.action is action)


def _matches(
    rule: EnforcedRule, packet: Packet, direction: Direction, relations: frozenset[Relative]
) -> bool:
    peer = packet.target if direction is Direction.EGRESS else packet.source
    if peer not in rule.peers and not rule.relations & relations:
        return False
    return not packet.traffic.isdisjoint(rule.traffic)
