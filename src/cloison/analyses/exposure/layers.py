"""Layers that have to agree: each is asked by itself, and what passes all of them passes."""

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce

from cloison.analyses.exposure.parts import EVERY_POD, Part, left_open
from cloison.analyses.exposure.regions import Homes, Region
from cloison.engine import Engine
from cloison.ir.policy import Action, Policy

MOST_PARTS = 2048
"""Parts that several answers may meet in before what passes is left open."""


def entangled(engine: Engine) -> bool:
    """Return whether layers cannot be asked by themselves."""
    layers = engine.policies.layers
    return len(layers) > 1 and any(layer.default is not Action.ALLOW for layer in layers)


def by_layer(engine: Engine, policies: Sequence[Policy]) -> list[tuple[Policy, ...]]:
    """Sort policies by their layer, if layers can be asked by themselves; else all are one group.

    They can where each lets through what its policies leave undecided: then one without
    policies need not be asked, and what comes of the others is what passes all of them.
    """
    layers = engine.policies.layers
    if entangled(engine):
        return [tuple(policies)]
    places = {tier.name: number for number, layer in enumerate(layers) for tier in layer.tiers}
    found: dict[int, list[Policy]] = {}
    for policy in policies:
        found.setdefault(places.get(policy.tier, 0), []).append(policy)
    return [tuple(found[number]) for number in sorted(found)] or [()]


def all_of(homes: Homes, answers: Iterable[tuple[Part, ...]]) -> tuple[Part, ...]:
    """Return what passes every one of some answers; there is at least one."""

    def meet(some: tuple[Part, ...], others: tuple[Part, ...]) -> tuple[Part, ...]:
        met = tuple(part for one in some for part in both(homes, one, others))
        return met if len(met) <= MOST_PARTS else (left_open(EVERY_POD),)

    return reduce(meet, answers)


def both(homes: Homes, one: Part, others: Iterable[Part]) -> Iterator[Part]:
    """Iterate over what passes by one part and any of others."""
    for other in others:
        outcome = one.outcome.meet(other.outcome)
        if not outcome.passing:
            continue
        region: Region | None = one.region
        if other.region not in (EVERY_POD, one.region):
            region = homes.settle(one.region & other.region)
        if region is not None:
            caveats, doubts = one.caveats | other.caveats, one.doubts | other.doubts
            yield Part(region, outcome, caveats, doubts)
