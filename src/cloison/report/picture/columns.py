"""Which column everything stands in: traffic runs from left to right where it can.

Homes (frames, and nodes without one) stand in even columns, labels of bundles in odd ones.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import ceil

from cloison.report.picture.graph import Bundle

_ROUNDS = 200
"""Rounds after which levels inside a knot have settled well enough to be rounded."""


def home_columns(
    homes: Sequence[str], home_of: Mapping[str, str], bundles: Iterable[Bundle]
) -> dict[str, int]:
    """Return the column of each home: 0, 2, 4, ...

    Knots (homes that can all reach one another) are found first. What lies between knots is
    strict: a home stands right of everything that sends to it. Inside a knot homes stand where
    their traffic on the whole comes from the left, by their trophic level (MacKay, Johnson and
    Sansom, "How directed is a directed network?", 2020).
    """
    weight: dict[str, dict[str, float]] = {home: {} for home in homes}
    for bundle in bundles:
        sides = [
            list(dict.fromkeys(home_of[n] for n in s))
            for s in (bundle.sources, bundle.destinations)
        ]
        share = 1 / (len(sides[0]) * len(sides[1]))
        for a in sides[0]:
            for b in sides[1]:
                if a != b:
                    weight[a][b] = weight[a].get(b, 0) + max(share, 0.1)
    knots = _knots(homes, weight)
    inside = [_levels(knot, weight) for knot in knots]
    knot_of = {home: number for number, knot in enumerate(knots) for home in knot}
    start = [0] * len(knots)
    # `_knots` gives a knot after everything it can reach, so sources come last.
    for number in reversed(range(len(knots))):
        right = start[number] + max(inside[number].values()) + 1
        for home in knots[number]:
            for other in weight[home]:
                if knot_of[other] != number:
                    start[knot_of[other]] = max(start[knot_of[other]], right)
    _pull(knots, inside, start, knot_of, weight)
    return {
        home: 2 * (start[number] + inside[number][home])
        for number, knot in enumerate(knots)
        for home in knot
    }


def gathered(
    at: Mapping[str, int], size: Mapping[str, tuple[float, float]], few: int, shape: float
) -> dict[str, int]:
    """Return columns again, with neighbours put together while the picture is too wide.

    A long chain is a ribbon that fits no page: columns that together stay lowest become one.

    Args:
        at: The column of each home.
        size: Width and height of each home.
        few: Columns that are never too many.
        shape: Width by height that is wide enough.
        shape: Width by height, as of a slide.
    """
    columns = [[home for home in at if at[home] == c] for c in sorted(set(at.values()))]

    def high(homes: Iterable[str]) -> float:
        return sum(size[home][1] for home in homes)

    def wide(homes: Iterable[str]) -> float:
        return max(size[home][0] for home in homes) + _BETWEEN

    while len(columns) > few:
        across, down = sum(map(wide, columns)), max(map(high, columns))
        if across <= shape * down:
            break
        first = min(
            range(len(columns) - 1), key=lambda n: (high(columns[n]) + high(columns[n + 1]), n)
        )
        columns[first : first + 2] = [columns[first] + columns[first + 1]]
    return {home: 2 * number for number, homes in enumerate(columns) for home in homes}


_BETWEEN = 230.0
"""Room that the labels between two columns take, with the lines on both sides of them."""


def spread(at: Mapping[str, int], tall: Mapping[str, float], most: float) -> dict[str, int]:
    """Return columns again, with those that are too tall made two or more.

    Args:
        at: The column of each home.
        tall: The height of each home.
        most: How tall a column may be, if it has more than one home.
    """
    found: dict[str, int] = {}
    column = 0
    for number in sorted(set(at.values())):
        homes = [home for home in at if at[home] == number]
        whole = sum(tall[home] for home in homes)
        parts = min(len(homes), max(1, ceil(whole / most)))
        so_far = 0.0
        for home in homes:
            found[home] = column + 2 * min(parts - 1, int(so_far / whole * parts))
            so_far += tall[home]
        column += 2 * parts
    return found


def _pull(
    knots: Sequence[Sequence[str]],
    inside: Sequence[Mapping[str, int]],
    start: list[int],
    knot_of: Mapping[str, int],
    weight: Mapping[str, Mapping[str, float]],
) -> None:
    """Move knots that only send towards what they send to."""
    reached = {knot_of[b] for a in weight for b in weight[a] if knot_of[a] != knot_of[b]}
    for number, knot in enumerate(knots):
        to = [start[knot_of[b]] for home in knot for b in weight[home] if knot_of[b] != number]
        if number not in reached and to:
            start[number] = max(start[number], min(to) - 1 - max(inside[number].values()))


def _knots(homes: Sequence[str], weight: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    """Return strongly connected components, each after all that it reaches (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on: set[str] = set()
    found: list[list[str]] = []
    for root in homes:
        if root in index:
            continue
        work = [(root, iter(weight[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on.add(root)
        while work:
            home, rest = work[-1]
            for other in rest:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on.add(other)
                    work.append((other, iter(weight[other])))
                    break
                if other in on:
                    low[home] = min(low[home], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[home])
                if low[home] == index[home]:
                    knot: list[str] = []
                    while not knot or knot[-1] != home:
                        knot.append(stack.pop())
                        on.discard(knot[-1])
                    found.append(sorted(knot, key=homes.index))
    return found


def _levels(knot: Sequence[str], weight: Mapping[str, Mapping[str, float]]) -> dict[str, int]:
    """Return levels in a knot, from 0 without gaps: where a home's traffic comes from is left."""
    if len(knot) == 1:
        return {knot[0]: 0}
    own = set(knot)
    near: dict[str, list[tuple[str, float, float]]] = defaultdict(list)
    for a in knot:
        for b, w in weight[a].items():
            if b in own:
                near[a].append((b, w, -1.0))
                near[b].append((a, w, 1.0))
    level = dict.fromkeys(knot, 0.0)
    for _ in range(_ROUNDS):
        for home in knot:
            whole = sum(w for _, w, _ in near[home])
            wanted = sum(w * (level[other] + step) for other, w, step in near[home]) / whole
            # Half-way at a time: a ring of two would swing for ever.
            level[home] += (wanted - level[home]) / 2
    lowest = min(level.values())
    rounded = {home: round(value - lowest) for home, value in level.items()}
    compact = {value: place for place, value in enumerate(sorted(set(rounded.values())))}
    return {home: compact[value] for home, value in rounded.items()}


_BACK = 1.5
"""What it costs, in columns, to draw a line against the stream."""


def bundle_column(sources: Sequence[int], destinations: Sequence[int]) -> int:
    """Return the column of a bundle's label, given those of its nodes' homes.

    >>> bundle_column([0, 0, 2], [6])     # many to one: beside the one
    5
    >>> bundle_column([0], [2, 2, 4])     # one to many: likewise
    1
    >>> bundle_column([2], [2])           # inside a column: on its right
    3
    """
    ends = [*sources, *destinations]
    inward = len(sources) > len(destinations)
    ranked: list[tuple[float, int, int]] = []
    for column in range(min(ends) - 1, max(ends) + 2, 2):
        cost = 0.0
        for side, sign in ((sources, 1), (destinations, -1)):
            back = [abs(column - c) for c in side if (column - c) * sign < 0]
            forth = [abs(column - c) for c in side if (column - c) * sign > 0]
            cost += sum(max(each) for each in (back, forth) if each)
            cost += _BACK * len(back)
        later = inward or _one_column(sources, destinations)
        ranked.append((cost, -column if later else column, column))
    return min(ranked)[2]


def _one_column(sources: Sequence[int], destinations: Sequence[int]) -> bool:
    """Return whether everything stands in one column, so that only the side is left to choose."""
    return min(sources) == max(sources) == min(destinations) == max(destinations)
