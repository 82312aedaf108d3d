"""Several sets of policies over one world, bound so that their units are the same.

Units are what policies can tell apart, so each engine is also given the other sets' policies,
in a form that selects nothing: they add their words and mean nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cloison.engine import Engine, Networks
from cloison.ir.peers import BlockMatch, PodsMatch
from cloison.ir.policy import (
    EVERY_TRAFFIC,
    Action,
    Direction,
    Mode,
    Peer,
    Policy,
    PolicyId,
    PolicySet,
    Rule,
)
from cloison.ir.profile import Profile
from cloison.resources.world import World

_NOWHERE = "\0"
"""A namespace that no object can be in."""


def aligned(
    world: World, sets: Sequence[PolicySet], profile: Profile, networks: Networks
) -> tuple[Engine, ...]:
    """Return an engine for each set of policies, all with the same units.

    Args:
        world: The inventory they share.
        sets: The sets.
        profile: Who enforces.
        networks: The cluster's address ranges.
    """
    words = tuple(_words(sets))
    engines = []
    for each in sets:
        own = {id(policy) for policy in each.policies}
        foreign = (word for source, word in words if id(source) not in own)
        policies = replace(each, policies=(*each.policies, *foreign))
        engines.append(Engine(world, policies, profile, networks))
    return tuple(engines)


def _words(sets: Sequence[PolicySet]) -> Iterator[tuple[Policy | None, Policy]]:
    """Iterate over policies without a meaning, each with the one whose words it has."""
    seen: set[int] = set()
    for each in sets:
        for policy in each.policies:
            if policy.mode is Mode.ENFORCED and id(policy) not in seen:
                seen.add(id(policy))
                yield policy, _muted(policy, len(seen))
        blocks = tuple(Peer(BlockMatch(group.addresses, str(group.id))) for group in each.groups)
        if blocks:
            rule = Rule(Direction.INGRESS, Action.ALLOW, blocks, EVERY_TRAFFIC, 1)
            id_ = PolicyId("", _NOWHERE, f"groups-{len(seen)}")
            nobody = (PodsMatch(_NOWHERE),)
            yield None, Policy(id_, nobody, frozenset(), (rule,), _NOWHERE)


def _muted(policy: Policy, number: int) -> Policy:
    return replace(
        policy,
        id=PolicyId(policy.id.kind, _NOWHERE, str(number)),
        subjects=tuple(replace(each, namespace=_NOWHERE) for each in policy.subjects),
        isolates=frozenset(),
        tier=_NOWHERE,
        band=0,
        order=(),
        opaque=None,
        nodes=frozenset(),
    )
