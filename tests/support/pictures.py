"""What pictures are made of, for tests: maps without a cluster, and where lines run."""

import random
from collections.abc import Iterator

from cloison.algebra import L4, AddressSet, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.connectivity import EndRef, Map, Passage
from cloison.report.picture.placed import Box, Line, Placed, Point

TRAFFIC = (
    Passage(TrafficSet.ports("TCP", 8080)),
    Passage(TrafficSet.ports("UDP", 53) | TrafficSet.ports("TCP", 53)),
    Passage(TrafficSet(), TrafficSet.icmp()),
    Passage(L4),
)
OUTSIDE = AddressSet.block("192.0.2.0/24")


def workload(namespace: str, name: str, kind: str = "Deployment") -> EndRef:
    """An end."""
    return EndRef("workload", namespace, name, kind)


def made(ends: list[EndRef], edges: dict[tuple[int, int], Passage], *, outside: int = 0) -> Map:
    """A map with these edges between places of ends; the first few also send outside."""
    rows: dict[int, dict[Passage, BitMap]] = {}
    for (src, dst), passage in edges.items():
        if src != dst:
            rows.setdefault(src, {}).setdefault(passage, BitMap()).add(dst)
    itself = {src: passage for (src, dst), passage in edges.items() if src == dst}
    outward = {place: {TRAFFIC[0]: OUTSIDE} for place in range(outside)}
    return Map(tuple(ends), rows, outward, {}, itself)


def random_map(seed: int, workloads: int, namespaces: int, edges: int) -> Map:
    """A map that chance made, always the same for a seed."""
    rng = random.Random(seed)
    ends = sorted(
        (workload(f"ns{rng.randrange(namespaces)}", f"w{n}") for n in range(workloads)),
        key=lambda end: end.sort_key,
    )
    pairs = ((rng.randrange(workloads), rng.randrange(workloads)) for _ in range(edges))
    return made(ends, {pair: rng.choice(TRAFFIC) for pair in pairs}, outside=rng.randrange(3))


def way(line: Line) -> Iterator[Point]:
    """Points close together along a line."""
    steps = 12
    for four in range(0, len(line.points), 4):
        a, b, c, d = line.points[four : four + 4]
        yield from (_between(a, b, n / steps) for n in range(steps + 1))
        half = (b[0] + c[0]) / 2
        for n in range(steps + 1):
            t = n / steps
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            x = sum(w * p for w, p in zip(weights, (b[0], half, half, c[0]), strict=True))
            y = sum(w * p for w, p in zip(weights, (b[1], b[1], c[1], c[1]), strict=True))
            yield x, y
        yield from (_between(c, d, n / steps) for n in range(steps + 1))


def _between(a: Point, b: Point, share: float) -> Point:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


_ROUNDED = 0.2
"""Coordinates are rounded to tenths."""


def apart(one: Box, two: Box) -> bool:
    """Whether boxes do not overlap."""
    return one.right <= two.x or two.right <= one.x or one.bottom <= two.y or two.bottom <= one.y


def inside(point: Point, box: Box, slack: float = _ROUNDED) -> bool:
    """Whether a point is within a box, its rim left out."""
    x, y = point
    return box.x + slack < x < box.right - slack and box.y + slack < y < box.bottom - slack


def assert_clean(placed: Placed) -> None:
    """Hold a placed picture to what `Placed` promises."""
    boxes = {n.node.id: n.box for n in placed.nodes} | {b.bundle.id: b.box for b in placed.bundles}
    frames = {g.group.id: g.box for g in placed.groups}
    home = {n.node.id: n.node.group for n in placed.nodes}
    known = [*boxes.items()]
    for number, (one, box) in enumerate(known):
        assert box.x >= 0
        assert box.y >= 0
        assert box.right <= placed.width
        assert box.bottom <= placed.height
        for two, other in known[number + 1 :]:
            assert apart(box, other), (one, two)
        for frame, other in frames.items():
            if home.get(one) == frame:
                assert other.x <= box.x + _ROUNDED
                assert box.right <= other.right + _ROUNDED
                assert other.y <= box.y + _ROUNDED
                assert box.bottom <= other.bottom + _ROUNDED
            else:
                assert apart(box, other), (one, frame)
    for number, one_frame in enumerate(frames.values()):
        assert all(apart(one_frame, other) for other in list(frames.values())[number + 1 :])
    for line in placed.lines:
        own = {line.src, line.dst, line.bundle}
        lefts = {home.get(line.src), home.get(line.dst)}
        for point in way(line):
            hit = [name for name, box in boxes.items() if name not in own and inside(point, box)]
            hit += [f for f, box in frames.items() if f not in lefts and inside(point, box)]
            assert not hit, (line, point, hit)
