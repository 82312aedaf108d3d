"""What each enforcement point is told: policies of one world, resolved to addresses, in order.

This is what a packet filter needs to know and no more. Nothing here is decided: which rule comes
to bear on a packet is left to whoever enforces.
"""

from dataclasses import dataclass

from cloison.algebra import ANY, NO_ADDRESSES, AddressSet, TrafficSet
from cloison.ir.peers import Relative
from cloison.ir.policy import Action, Combine, Direction, PolicyId
from cloison.ir.requests import RequestCondition


@dataclass(frozen=True, slots=True)
class EnforcedRule:
    """A rule, resolved.

    Args:
        key: Names the declared rule, the same wherever it is enforced: one counter for each.
        action: What a match does.
        peers: Addresses of the other end that match.
        relations: Peers that match by how they stand to the subject, whatever their address.
        traffic: Protocols and destination ports that match.
        sources: Source ports that match; None when the rule does not ask.
        tracked: Whether replies to what it lets through need no rule.
        doubt: Why no packet filter can tell whether it matches; None for most.
        others: Addresses that match where they are those of another node than the subject's.
        request: What it asks of HTTP requests, for a proxy to tell; None where it asks nothing.
    """

    key: str
    action: Action
    peers: AddressSet
    traffic: TrafficSet
    relations: frozenset[Relative] = frozenset()
    sources: TrafficSet | None = None
    tracked: bool = True
    doubt: str | None = None
    others: AddressSet = NO_ADDRESSES
    request: RequestCondition | None = None


@dataclass(frozen=True, slots=True)
class EnforcedPolicy:
    """A policy with a say in one direction of some subjects.

    Args:
        id: The object.
        order: Its place in the band; equal means that nothing tells which comes first.
        rules: Its rules of that direction, in order.
    """

    id: PolicyId
    order: tuple[float | str, ...]
    rules: tuple[EnforcedRule, ...]


@dataclass(frozen=True, slots=True)
class EnforcedBand:
    """Policies evaluated at one precedence.

    Args:
        combine: How their rules are reconciled.
        policies: The policies, in the order they are evaluated.
    """

    combine: Combine
    policies: tuple[EnforcedPolicy, ...]


@dataclass(frozen=True, slots=True)
class EnforcedTier:
    """A tier as some subjects meet it.

    Args:
        name: What policies call it.
        key: Names its end, as `EnforcedRule.key` names a rule.
        bands: In the order they are evaluated.
        end: What becomes of traffic within `scope` that no rule decided; None passes on.
        scope: Traffic for which `end` is defined.
        isolating: The policies because of which the end is met.
        returned: What becomes, instead of `end`, of what a Service leads back to the pod it
            comes from.
        before_nat: Whether it sees destinations as they are before Services lead elsewhere.
    """

    name: str
    key: str
    bands: tuple[EnforcedBand, ...]
    end: Action | None = None
    scope: TrafficSet = ANY
    isolating: tuple[PolicyId, ...] = ()
    returned: Action | None = None
    before_nat: bool = False


@dataclass(frozen=True, slots=True)
class EnforcedLayer:
    """One layer of enforcement; traffic must pass every one.

    Args:
        name: For people.
        builtin: Rules before every tier.
        tiers: In the order they are evaluated; those that have nothing to say left out.
        default: What holds when no tier decided.
    """

    name: str
    builtin: tuple[EnforcedRule, ...]
    tiers: tuple[EnforcedTier, ...]
    default: Action


@dataclass(frozen=True, slots=True)
class Enforcement:
    """What is asked of all traffic of some subjects in one direction.

    Args:
        direction: Seen from the subjects.
        subjects: Addresses of pods, or of the nodes whose own traffic it is.
        on_host: Whether the subjects are nodes (and what is on their network).
        layers: Every layer has to let a packet through.
    """

    direction: Direction
    subjects: AddressSet
    on_host: bool
    layers: tuple[EnforcedLayer, ...]


@dataclass(frozen=True, slots=True)
class Ruleset:
    """Everything that is enforced in a world.

    Args:
        enforcements: Disjoint in (direction, subjects); ends that none is about are open.
        unclear: Addresses of ends about which the policies leave something open that no filter
            can settle, each with the reason: measuring there says nothing about the policies.
        layers: Names of the layers, in the order a packet meets them.
        keeps_connections: Whether what is open stays open whatever the policies say by then.
    """

    enforcements: tuple[Enforcement, ...]
    unclear: tuple[tuple[AddressSet, str], ...] = ()
    layers: tuple[str, ...] = ()
    keeps_connections: bool = True
