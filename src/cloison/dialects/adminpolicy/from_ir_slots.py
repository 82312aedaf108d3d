"""Priorities for what is written, in order, around those of what stays in the tier.

What stays cuts the priorities into gaps. What is written belongs into one gap, or shares the
priority of what stays; in its gap it keeps the priority it has, or moves as far as others need.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

LAST: Final = 1000
STRIDE: Final = 100
"""Between the priorities that are chosen here, so that others find room."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What a step asks for.

    Args:
        wanted: The priority it has in the source, if any.
        low: The first it may have.
        high: The last it may have.
        tied: Whether what stays has that priority, too.
    """

    wanted: float | None
    low: int = 0
    high: int = LAST
    tied: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """Priorities that several steps share.

    Args:
        slot: What each of them asks for.
        steps: How many they are.
    """

    slot: Slot
    steps: int

    @property
    def room(self) -> int:
        """How many priorities there are."""
        return max(self.slot.high - self.slot.low + 1, 0)


def gaps(slots: Sequence[Slot]) -> Iterator[Gap]:
    """Yield the gaps that steps go to, in order."""
    for _, found in groupby(slots, key=lambda slot: (slot.low, slot.high)):
        together = tuple(found)
        yield Gap(together[0], len(together))


def kept(slots: Sequence[Slot]) -> list[int] | None:
    """Return the priorities of the source, those moved that must make room for others.

    Every gap must have room.

    Returns:
        A priority for each step; None where the source has none that fit a tier.

    >>> kept([Slot(10, 6, 11), Slot(10, 6, 11), Slot(11, 6, 11)])
    [9, 10, 11]
    >>> kept([Slot(0.5)]) is None
    True
    """
    found: list[int] = []
    for slot in slots:
        last = found[-1] if found else None
        wanted = slot.wanted
        if wanted is None:
            if last is None:
                return None
            wanted = min(last + STRIDE, LAST)
        if wanted != int(wanted) or not 0 <= wanted <= LAST:
            return None
        found.append(max(int(wanted), slot.low, -1 if last is None else last + 1))
    limit = LAST
    for number in reversed(range(len(found))):
        found[number] = min(found[number], slots[number].high, limit)
        limit = found[number] - 1
    return found


def spread(slots: Sequence[Slot]) -> list[int]:
    """Return new priorities, those of each gap apart where there is room.

    Every gap must have room.

    >>> spread([Slot(None), Slot(None)])
    [100, 200]
    >>> spread([Slot(None, 6, 7), Slot(None, 6, 7)])
    [6, 7]
    """
    found: list[int] = []
    for gap in gaps(slots):
        low, high = gap.slot.low, gap.slot.high
        stride = min(STRIDE, gap.room // (gap.steps + 1) or 1)
        start = low + (stride if low + stride * gap.steps <= high else 0)
        found += range(start, start + stride * gap.steps, stride)
    return found
