"""In which order things stand in their columns, so that few lines cross.

Sugiyama's method: columns are swept from left to right and back, and everything in a column moves
to where its neighbours in the column before are, on average. What stands in one frame moves
together. The best order seen is kept.
"""

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_SWEEPS = 12


@dataclass(slots=True)
class Unit:
    """What moves as one in a column: a frame with its nodes, a node, a label, a bend.

    Args:
        id: Its name.
        slots: What lines lead to: the nodes of a frame from top to bottom, or itself.
    """

    id: str
    slots: list[str]


Columns = list[list[Unit]]
Near = Mapping[str, Sequence[str]]


def ordered(columns: Columns, left: Near, right: Near) -> None:
    """Put units, and the slots inside them, in order.

    Args:
        columns: Units by column, in an order that names decide; changed in place.
        left: For each slot the slots in the column before that it has lines to.
        right: Likewise in the column after.
    """
    best = _kept(columns)
    fewest = crossings(columns, right)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        forth = sweep % 2 == 0
        numbers = range(len(columns)) if forth else reversed(range(len(columns)))
        for number in numbers:
            _sort(columns, number, left if forth else right)
        now = crossings(columns, right)
        if now < fewest:
            fewest, best = now, _kept(columns)
    for column, kept in zip(columns, best, strict=True):
        column[:] = [Unit(each.id, list(each.slots)) for each in kept]


def _kept(columns: Columns) -> Columns:
    return [[Unit(u.id, list(u.slots)) for u in column] for column in columns]


def _sort(columns: Columns, number: int, near: Near) -> None:
    """Sort one column by where the neighbours on one side stand."""
    place: dict[str, int] = {}
    for other in (number - 1, number + 1):
        if 0 <= other < len(columns):
            slots = (slot for unit in columns[other] for slot in unit.slots)
            place.update((slot, at) for at, slot in enumerate(slots))
    height = sum(len(unit.slots) for unit in columns[number]) or 1
    scale = max(len(place), 1) / height
    keys: list[tuple[float, int, Unit]] = []
    at = 0
    for rank, unit in enumerate(columns[number]):
        ranked: list[tuple[float, int, str]] = []
        every: list[int] = []
        for i, slot in enumerate(unit.slots):
            found = [place[n] for n in near.get(slot, ()) if n in place]
            own = sum(found) / len(found) if found else (at + i) * scale
            every += found
            ranked.append((own, i, slot))
        ranked.sort()
        unit.slots[:] = [slot for _, _, slot in ranked]
        mean = sum(every) / len(every) if every else at * scale
        keys.append((mean, rank, unit))
        at += len(unit.slots)
    keys.sort(key=lambda key: key[:2])
    columns[number][:] = [unit for _, _, unit in keys]


def crossings(columns: Columns, right: Near) -> int:
    """Return how many pairs of lines cross."""
    total = 0
    for number in range(len(columns) - 1):
        after = {
            slot: at
            for at, slot in enumerate(s for unit in columns[number + 1] for s in unit.slots)
        }
        seen: list[int] = []
        for slot in (s for unit in columns[number] for s in unit.slots):
            ends = sorted(after[n] for n in right.get(slot, ()) if n in after)
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total
