"""How high everything stands in its column: as level with its neighbours as order allows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_SWEEPS = 16


@dataclass(frozen=True, slots=True)
class Piece:
    """A unit of a column with its measures.

    Args:
        id: Its name.
        height: Its height.
        gap: Least distance to the piece below.
        offsets: How far below its upper edge lines lead to each of its slots.
    """

    id: str
    height: float
    gap: float
    offsets: Mapping[str, float]


Near = Mapping[str, Sequence[tuple[str, float]]]


def heights(columns: Sequence[Sequence[Piece]], near: Near) -> dict[str, float]:
    """Return the upper edge of every piece; the uppermost is at 0.

    Args:
        columns: Pieces from top to bottom.
        near: For each slot the slots in columns beside it that it has lines to, with how much
            it matters that the line is level.
    """
    top: dict[str, float] = {}
    for column in columns:
        y = -(sum(p.height + p.gap for p in column) / 2)
        for piece in column:
            top[piece.id] = y
            y += piece.height + piece.gap
    at = {slot: (p.id, o) for column in columns for p in column for slot, o in p.offsets.items()}
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            wanted = [_wanted(piece, top, at, near) for piece in column]
            for piece, y in zip(column, _apart(column, wanted), strict=True):
                top[piece.id] = y
    lowest = min(top.values(), default=0.0)
    return {piece: round(y - lowest, 1) for piece, y in top.items()}


def _wanted(
    piece: Piece, top: Mapping[str, float], at: Mapping[str, tuple[str, float]], near: Near
) -> tuple[float, float]:
    """Return where a piece would stand best, and how much that matters."""
    total = weight = 0.0
    for slot, offset in piece.offsets.items():
        for other, matters in near.get(slot, ()):
            owner, down = at[other]
            total += matters * (top[owner] + down - offset)
            weight += matters
    return (total / weight, weight) if weight else (top[piece.id], 0.001)


def _apart(column: Sequence[Piece], wanted: Sequence[tuple[float, float]]) -> list[float]:
    """Return positions nearest to those wanted, in order and without overlap.

    Least squares under order is isotonic regression; neighbours that want to pass each other
    are pooled (Ayer and others, 1955).
    """
    shift = 0.0
    shifts: list[float] = []
    pools: list[list[float]] = []  # mean, weight, members
    for piece, (y, weight) in zip(column, wanted, strict=True):
        shifts.append(shift)
        pools.append([y - shift, weight, 1])
        shift += piece.height + piece.gap
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, heavy, many = pools.pop()
            last = pools[-1]
            last[0] = (last[0] * last[1] + mean * heavy) / (last[1] + heavy)
            last[1] += heavy
            last[2] += many
    flat = [mean for mean, _, many in pools for _ in range(int(many))]
    return [mean + down for mean, down in zip(flat, shifts, strict=True)]
