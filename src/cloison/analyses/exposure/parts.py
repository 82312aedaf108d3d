"""Parts: what passes for the pods of a region."""

from dataclasses import dataclass

from cloison.algebra import ANY, NO_TRAFFIC
from cloison.analyses.exposure.faces import NO_CAVEATS, Caveats
from cloison.analyses.exposure.regions import EVERY_POD, Region
from cloison.ir import caveats as known
from cloison.ir.ruleset import Outcome

__all__ = ["EVERY_POD", "Part", "left_open"]


@dataclass(frozen=True, slots=True)
class Part:
    """What passes for the pods of a region, at least.

    Args:
        region: Which pods.
        outcome: What passes; what is undetermined only where policy speaks.
        caveats: What this stands on.
        doubts: Why some of it is undetermined, besides.
    """

    region: Region
    outcome: Outcome
    caveats: Caveats = NO_CAVEATS
    doubts: Caveats = NO_CAVEATS


def left_open(region: Region) -> Part:
    """Return the part to answer with where pods cannot all be told apart."""
    return Part(region, Outcome(NO_TRAFFIC, ANY), doubts=frozenset({known.PODS_NOT_TOLD_APART}))
