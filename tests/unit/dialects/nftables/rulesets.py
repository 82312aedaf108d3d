"""Small rulesets to write, and what their counters are called."""

from dataclasses import replace

from cloison.algebra import ANY, EVERY_ADDRESS, NO_ADDRESSES, AddressSet, TrafficSet
from cloison.dialects.nftables import NodeView, counter_name
from cloison.ir.enforcement import (
    EnforcedBand,
    EnforcedLayer,
    EnforcedPolicy,
    EnforcedRule,
    EnforcedTier,
    Enforcement,
    Ruleset,
)
from cloison.ir.peers import Relative
from cloison.ir.policy import Action, Combine, Direction, PolicyId
from tests.support.filtering import Packet, Seen

A, B, C, D = "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"
"""Pods of one node."""
A6, B6 = "fd01::1", "fd01::2"
OWN, OTHER = "192.168.0.1", "192.168.0.2"
FAR = "198.51.100.7"
HTTP, DNS = TrafficSet.ports("TCP", 80), TrafficSet.ports("UDP", 53)


def addresses(*texts: str) -> AddressSet:
    """Return addresses, blocks among them."""
    found = NO_ADDRESSES
    for text in texts:
        found |= AddressSet.block(text)
    return found


NODE = NodeView("n1", addresses(A, B, C, D, A6, B6), addresses(OWN), addresses(OTHER))


def rule(
    key: str,
    action: Action = Action.ALLOW,
    peers: AddressSet = EVERY_ADDRESS,
    traffic: TrafficSet = ANY,
    sources: TrafficSet | None = None,
    **said: Relative,
) -> EnforcedRule:
    """Return a rule; `relation` says one that a peer may have."""
    relations = frozenset(said.values())
    return EnforcedRule(key, action, peers, traffic, relations, sources)


def untracked(key: str, peers: AddressSet) -> EnforcedRule:
    """Return a rule that lets through what nobody tracks."""
    return replace(rule(key, peers=peers), tracked=False)


def policy(name: str, *rules: EnforcedRule, order: float = 0) -> EnforcedPolicy:
    """Return a policy."""
    return EnforcedPolicy(PolicyId("NetworkPolicy", "web", name), (order,), rules)


def tier(
    *policies: EnforcedPolicy,
    combine: Combine = Combine.UNION,
    end: Action | None = Action.DENY,
    scope: TrafficSet = ANY,
    name: str = "policies",
    returned: Action | None = None,
) -> EnforcedTier:
    """Return a tier of one band."""
    bands = (EnforcedBand(combine, policies),) if policies else ()
    return EnforcedTier(name, f"end of {name}", bands, end, scope, returned=returned)


def layer(
    *tiers: EnforcedTier,
    name: str = "cni",
    builtin: tuple[EnforcedRule, ...] = (),
    default: Action = Action.ALLOW,
) -> EnforcedLayer:
    """Return a layer."""
    return EnforcedLayer(name, builtin, tiers, default)


def ruleset(
    *layers: EnforcedLayer,
    direction: Direction = Direction.INGRESS,
    subject: str = A,
    on_host: bool = False,
) -> Ruleset:
    """Return what is told to one end."""
    return Ruleset((Enforcement(direction, addresses(subject), on_host, layers),))


def also(one: Ruleset, other: Ruleset) -> Ruleset:
    """Return both."""
    return replace(one, enforcements=(*one.enforcements, *other.enforcements))


def to(source: str, protocol: str = "TCP", port: int = 80, sport: int = 0) -> Packet:
    """Return a packet to `A`, or to its IPv6 address."""
    return Packet(source, A6 if ":" in source else A, protocol, port, sport)


def arrived(*keys: str) -> Seen:
    """Return that a packet came through, and what counted it."""
    return Seen(arrived=True, counters=frozenset(map(counter_name, keys)))


def dropped(*keys: str) -> Seen:
    """Return that a packet did not come through, and what counted it."""
    return Seen(arrived=False, counters=frozenset(map(counter_name, keys)))
