"""Pods that are not in the input, told apart by what holds for them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cloison.analyses.exposure.regions import Homes, Region

MOST = 512
"""Regions that one enforcement point may be split into before its answer is left open."""

Held = tuple[tuple[int, bool], ...]
"""What holds in a cell, by number, each with whether it certainly does."""


class TooManyError(Exception):
    """There are more regions than anybody wants to tell apart; it never leaves the analyses."""


@dataclass(frozen=True, slots=True)
class Splitter:
    """Something that holds for the pods of some regions, and possibly for those of others.

    Args:
        number: What it is, to the caller.
        sure: Where it holds.
        perhaps: Where it may hold, besides.
    """

    number: int
    sure: Sequence[Region]
    perhaps: Sequence[Region] = ()


def cells(homes: Homes, whole: Region, splitters: Iterable[Splitter]) -> list[tuple[Region, Held]]:
    """Split a region by what holds for its pods. Cells of the same pods hold the same.

    Raises:
        TooManyError: There would be more than `MOST`.
    """
    found: list[tuple[Region, Held]] = [(whole, ())]
    for splitter in splitters:
        split: list[tuple[Region, Held]] = []
        for cell, held in found:
            surely = homes.widest(homes.settle(cell & r) for r in splitter.sure)
            left = without(homes, [cell], splitter.sure)
            perhaps = homes.widest(homes.settle(p & r) for p in left for r in splitter.perhaps)
            neither = without(homes, left, splitter.perhaps)
            split += [(r, (*held, (splitter.number, True))) for r in surely]
            split += [(r, (*held, (splitter.number, False))) for r in perhaps]
            split += [(r, held) for r in neither]
            if len(split) > MOST:
                raise TooManyError
        found = split
    return found


def without(homes: Homes, regions: list[Region], taken: Iterable[Region]) -> list[Region]:
    """Return what is in some regions and in none of others.

    Raises:
        TooManyError: That takes more than `MOST` regions to say.
    """
    for each in taken:
        regions = homes.minus(regions, each)
        if len(regions) > MOST:
            raise TooManyError
    return regions
