"""What the layers of most profiles have in common."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from cloison.algebra import ANY, L4, TrafficSet
from cloison.ir import caveats as general
from cloison.ir.peers import AnyMatch, Relative, RelativeMatch
from cloison.ir.policy import (
    EVERY_TRAFFIC,
    Action,
    Combine,
    Direction,
    LayerSpec,
    Peer,
    Rule,
    TierSpec,
    TrafficMatch,
)
from cloison.ir.profile import OtherProtocols, Place

TIER = "networkpolicy"
"""Name of the tier that holds NetworkPolicy objects."""

ADMIN = "admin"
"""Name of the tier before it, of cluster-wide policies."""

BASELINE = "baseline"
"""Name of the tier after it, of cluster-wide policies."""

_INGRESS, _EGRESS = Direction.INGRESS, Direction.EGRESS
_AFTER_PRIORITIES = 1001
"""Where a BaselineAdminNetworkPolicy, which has no priority, stands among those that have one."""

_ADMIN_KINDS = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy")
_CLUSTER_KINDS = ("ClusterNetworkPolicy/Admin", "ClusterNetworkPolicy/Baseline")


def builtin(
    direction: Direction, relations: tuple[Relative, ...], always: TrafficSet | None = None
) -> tuple[Rule, ...]:
    """Return allow rules for the relations, then for traffic that always passes."""
    pieces = [(Peer(RelativeMatch(relation)), EVERY_TRAFFIC) for relation in relations]
    if always:
        pieces.append((Peer(AnyMatch()), TrafficMatch(always)))
    return tuple(
        Rule(direction, Action.ALLOW, (peer,), traffic, index)
        for index, (peer, traffic) in enumerate(pieces, start=1)
    )


def layers(
    other: OtherProtocols = OtherProtocols.UNDEFINED,
    *,
    own_node_egress: bool | None = None,
    always: TrafficSet | None = None,
    cluster: bool = False,
    ends_both: bool = False,
    denies: bool = False,
) -> tuple[LayerSpec, ...]:
    """Return the CNI layer: own node and self before one tier of NetworkPolicies.

    Args:
        other: Fate of protocols beyond TCP, UDP and SCTP.
        own_node_egress: Only True adds the rule; None is left to the caveat.
        always: Traffic let through whatever policies say, in both directions.
        cluster: Whether cluster-wide policies have tiers before and after that one.
        ends_both: Whether a NetworkPolicy of one direction keeps the later tier out of both.
        denies: Whether something in a NetworkPolicy may deny what others allow.
    """
    if other is OtherProtocols.ALWAYS_ALLOWED:
        always = (always or TrafficSet()) | (ANY - L4)
    rules = (
        *builtin(_INGRESS, (Relative.OWN_NODE, Relative.SELF), always),
        *builtin(
            _EGRESS,
            (Relative.SELF, Relative.OWN_NODE) if own_node_egress else (Relative.SELF,),
            always,
        ),
    )
    undefined = other is OtherProtocols.UNDEFINED
    tier = TierSpec(
        TIER,
        (Combine.DENY_OVERRIDES if denies else Combine.UNION,),
        end=Action.DENY,
        end_scope=L4 if undefined else ANY,
        end_caveat=general.NON_L4 if undefined else None,
        order=(2,),
        ends_both=ends_both,
        returned=Action.ALLOW,
    )
    return (LayerSpec("cni", among(tier, cluster=cluster), Action.ALLOW, rules),)


def among(tier: TierSpec, *, cluster: bool) -> tuple[TierSpec, ...]:
    """Return a tier, with those of cluster-wide policies around it where there are any."""
    if not cluster:
        return (tier,)
    first = TierSpec(ADMIN, (Combine.FIRST_MATCH,), order=(1,))
    return (first, tier, TierSpec(BASELINE, (Combine.FIRST_MATCH,), order=(3,)))


def places(
    old: Place | None, new: Place | None, tie: str | None = None
) -> Mapping[str, Place | None]:
    """Return the places of the kinds of the Network Policy API.

    Args:
        old: What is particular about the kinds of v1alpha1; None where they are not enforced.
        new: What is particular about ClusterNetworkPolicy; None where it is not enforced.
        tie: How policies of equal priority are told apart.
    """
    found: dict[str, Place | None] = {}
    for particular, (first, last) in ((old, _ADMIN_KINDS), (new, _CLUSTER_KINDS)):
        for kind, tier in ((first, ADMIN), (last, BASELINE)):
            order = _AFTER_PRIORITIES if kind == _ADMIN_KINDS[1] else None
            found[kind] = particular and replace(particular, tier=tier, order=order, tie=tie)
    return MappingProxyType(found)
