"""What an enforcer puts around policies, which no object states."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from cloison.ir.peers import PodsMatch
from cloison.ir.policy import (
    Action,
    Combine,
    Direction,
    LayerSpec,
    Policy,
    PolicyId,
    Rule,
    TierSpec,
)
from cloison.ir.profile import Against, Exemption, Profile

BEFORE: Final = "exemptions"
"""Name of the tier before all others of exemptions that may come before every denial."""

_DOUBT = "what is exempt comes before what a policy denies"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around policies.

    Args:
        layer: Their layer.
        policies: Policies that no object states.
    """

    layer: LayerSpec
    policies: tuple[Policy, ...] = ()


def surrounded(profile: Profile, layer: LayerSpec, policies: Iterable[Policy]) -> Surroundings:
    """Return what an enforcer puts around policies.

    Args:
        profile: Who enforces.
        layer: The profile's first layer, with all tiers that policies stand in.
        policies: The policies.
    """
    denied = _denied(policies) if profile.exemptions else frozenset()
    contested = [
        each
        for each in profile.exemptions
        if each.against is not Against.FIRST and any(r.direction in denied for r in each.rules)
    ]
    if not contested:
        return Surroundings(layer, profile.around)
    moved = {_sense(rule) for each in contested for rule in each.rules}
    tiers = layer.tiers
    if any(each.against is Against.UNKNOWN for each in contested):
        tiers = (TierSpec(BEFORE, (Combine.FIRST_MATCH,), order=(0,)), *tiers)
    return Surroundings(
        replace(
            layer,
            builtin=tuple(rule for rule in layer.builtin if _sense(rule) not in moved),
            tiers=tiers,
        ),
        (*profile.around, *(policy for each in contested for policy in _policies(each))),
    )


def _denied(policies: Iterable[Policy]) -> frozenset[Direction]:
    """Return the directions in which some policy denies something."""
    return frozenset(
        rule.direction for each in policies for rule in each.rules if rule.action is Action.DENY
    )


def _sense(rule: Rule) -> tuple[object, ...]:
    """Return what a rule says, wherever it stands."""
    return rule.direction, rule.action, rule.peers, rule.traffic


def _policies(exemption: Exemption) -> Iterator[Policy]:
    """Yield the policies that an exemption is, where some policy denies something."""
    everyone = (PodsMatch(),)
    nothing: frozenset[Direction] = frozenset()
    rules = tuple(
        replace(rule, index=number) for number, rule in enumerate(exemption.rules, start=1)
    )
    if exemption.against is Against.UNKNOWN:
        caveats = (exemption.caveat,) if exemption.caveat else ()
        unsure = tuple(replace(rule, condition=_DOUBT, caveats=caveats) for rule in rules)
        name = PolicyId(exemption.id.kind, None, f"{exemption.id.name} (against denials)")
        yield Policy(name, everyone, nothing, unsure, BEFORE, (0,), stated=False)
    yield Policy(
        exemption.id,
        everyone,
        nothing,
        rules,
        exemption.tier,
        band=exemption.band,
        stated=False,
    )
