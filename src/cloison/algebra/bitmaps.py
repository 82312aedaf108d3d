"""Sets of small integers as compressed bitmaps: who is meant, never pair by pair."""

from collections.abc import Iterable

from pyroaring import BitMap, FrozenBitMap

__all__ = ["BitMap", "FrozenBitMap", "union"]


def union(bitmaps: Iterable[BitMap]) -> BitMap:
    """Return the union of many bitmaps.

    Cost: one pass over the containers of all of them.
    """
    found = list(bitmaps)
    if not found:
        return BitMap()
    return found[0].copy() if len(found) == 1 else BitMap.union(*found)
