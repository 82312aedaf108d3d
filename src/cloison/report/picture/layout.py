"""Where everything in a picture stands.

A layered layout of our own, in Sugiyama's steps: columns, order, heights, lines. Libraries were
weighed in docs/design/dependencies.md: those that can be installed as a wheel know no frames
around nodes, and draw edges through them.

What does not hang on chance hangs on names: the same picture is placed in the same way whatever
was read first, and a workload more moves what it must.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from cloison.report.picture import frames
from cloison.report.picture.columns import bundle_column, gathered, home_columns, spread
from cloison.report.picture.graph import Bundle, Picture
from cloison.report.picture.heights import Piece, heights
from cloison.report.picture.letters import fitted, width
from cloison.report.picture.order import Columns, Unit, ordered
from cloison.report.picture.placed import (
    Box,
    Line,
    Placed,
    PlacedBundle,
    PlacedGroup,
    PlacedNode,
    Point,
)

LABEL_SIZE = 11.0
"""Font size of labels on lines."""
_LABEL = 34
_LABEL_HEIGHT = 20.0
_BEND = 2.0
_GAP = 22.0
"""Between frames."""
_TALL = 1400.0
"""Columns that are taller are made two: a screen or two of scrolling."""
_SHAPE = 1.6
"""Width by height of a slide, which pictures try to fit."""
_FEW = 4
"""Columns of homes that fit a screen side by side."""
_NARROW, _WIDE = 34.0, 84.0
"""Between columns, and at most where many lines run."""


@dataclass(slots=True)
class Web:
    """What is connected with what, hop by hop from one column to the next.

    Args:
        column: Of every slot: nodes, labels of bundles, bends of lines.
        left: For each slot those in the column before it.
        right: For each slot those in the column after it.
        matters: How level the hop between two slots should be.
    """

    column: dict[str, int]
    left: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    right: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    matters: dict[tuple[str, str], float] = field(default_factory=dict)

    def hop(self, a: str, b: str, matters: float) -> None:
        """Connect two slots in columns side by side."""
        one, two = (a, b) if self.column[a] < self.column[b] else (b, a)
        if (one, two) not in self.matters:
            self.right[one].append(two)
            self.left[two].append(one)
        self.matters[one, two] = max(matters, self.matters.get((one, two), 0))

    def near(self) -> dict[str, list[tuple[str, float]]]:
        """Return the neighbours of every slot, with how much level lines matter."""
        found: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for (one, two), matters in self.matters.items():
            found[one].append((two, matters))
            found[two].append((one, matters))
        return found


@dataclass(frozen=True, slots=True)
class Trunk:
    """Lines of one bundle on one side of its label: they join as they come near it.

    Args:
        bundle: The bundle.
        role: `in`, `out` or `both` ways.
        nodes: What is joined.
        bends: By column, where lines pass it; the label's own column has the label.
        step: 1 where the label is to the right of the nodes, else -1.
    """

    bundle: Bundle
    role: str
    nodes: tuple[str, ...]
    bends: Mapping[int, str]
    step: int


def place(picture: Picture) -> Placed:
    """Return a picture with coordinates.

    Cost: about a second for the largest picture there may be.
    """
    home_of = {node.id: node.group or node.id for node in picture.nodes}
    busy = {home_of[n] for b in picture.bundles for n in (*b.sources, *b.destinations)}
    homes = [h for h in dict.fromkeys(home_of.values()) if h in busy]
    frame_of = frames.of(picture)
    tall = {home: frame_of[home].height + _GAP for home in homes}
    at = home_columns(homes, home_of, picture.bundles)
    at = gathered(at, {h: (frame_of[h].width, tall[h]) for h in homes}, _FEW, _SHAPE)
    # What is wide already may be taller, too.
    wide = len(set(at.values())) / _FEW
    at = spread(at, tall, _TALL * max(1.0, wide))
    columns, web, trunks = _woven(picture, homes, home_of, at, frame_of)
    ordered(columns, web.left, web.right)
    drawing = _Drawing(picture, columns, web, frame_of)
    return drawing.placed(trunks, [f for h, f in frame_of.items() if h not in busy])


def _woven(
    picture: Picture,
    homes: Sequence[str],
    home_of: Mapping[str, str],
    at: Mapping[str, int],
    frame_of: Mapping[str, frames.Frame],
) -> tuple[Columns, Web, list[Trunk]]:
    """Put homes, labels and bends into columns, and connect them."""
    web = Web({node.id: at[home_of[node.id]] for node in picture.nodes if home_of[node.id] in at})
    middle: dict[str, int] = {}
    for bundle in picture.bundles:
        sides = ([web.column[n] for n in side] for side in (bundle.sources, bundle.destinations))
        middle[bundle.id] = web.column[bundle.id] = bundle_column(*sides)
    units: dict[int, list[Unit]] = defaultdict(list)
    for home in homes:
        units[at[home]].append(Unit(home, [n.id for n in frame_of[home].nodes]))
    trunks: list[Trunk] = []
    for bundle in picture.bundles:
        column = middle[bundle.id]
        units[column].append(Unit(bundle.id, [bundle.id]))
        for trunk in _trunks(bundle, web, column):
            trunks.append(trunk)
            for number, bend in trunk.bends.items():
                if bend != bundle.id:
                    web.column[bend] = number
                    units[number].append(Unit(bend, [bend]))
            for node in trunk.nodes:
                web.hop(node, trunk.bends[web.column[node] + trunk.step], 1)
            for number, bend in trunk.bends.items():
                if bend != bundle.id:
                    web.hop(bend, trunk.bends[number + trunk.step], 4)
    first, last = min(units, default=0), max(units, default=-1)
    return [units.get(number, []) for number in range(first, last + 1)], web, trunks


def _trunks(bundle: Bundle, web: Web, column: int) -> Iterator[Trunk]:
    sides: Iterable[tuple[str, Sequence[str]]]
    sides = [("in", bundle.sources), ("out", bundle.destinations)]
    if bundle.mutual:
        sides = [("both", bundle.sources)]
    for role, nodes in sides:
        for step in (1, -1):
            here = tuple(n for n in nodes if (column - web.column[n]) * step > 0)
            if here:
                far = (min if step == 1 else max)(web.column[n] for n in here)
                between = range(far + step, column, step)
                bends = {number: f"{bundle.id}/{role}/{number}" for number in between}
                yield Trunk(bundle, role, here, bends | {column: bundle.id}, step)


class _Drawing:
    """Turns columns in order into coordinates."""

    def __init__(
        self, picture: Picture, columns: Columns, web: Web, frame_of: Mapping[str, frames.Frame]
    ) -> None:
        self.picture, self.columns, self.web, self.frame_of = picture, columns, web, frame_of
        self.labels = {b.id: fitted(b.label, _LABEL) for b in picture.bundles}
        pieces = [[self._piece(u, below) for u, below in _with_next(c)] for c in columns]
        self.top = heights(pieces, web.near())
        self.pieces = {piece.id: piece for column in pieces for piece in column}
        self.level = {
            slot: self.top[piece.id] + down
            for piece in self.pieces.values()
            for slot, down in piece.offsets.items()
        }
        self.span = self._spans()
        self.number = {
            slot: n for n, column in enumerate(columns) for unit in column for slot in unit.slots
        }
        self.boxes = self._boxes()

    def _piece(self, unit: Unit, below: Unit | None) -> Piece:
        kinds = {self._kind(unit), self._kind(below) if below else "bend"}
        gap = _GAP if kinds == {"frame"} else 8.0 if "frame" not in kinds else 14.0
        if unit.id in self.frame_of:
            frame = self.frame_of[unit.id]
            return Piece(unit.id, frame.height, gap, frame.offsets(unit.slots))
        height = _LABEL_HEIGHT if unit.id in self.labels else _BEND
        return Piece(unit.id, height, gap, {unit.id: height / 2})

    def _kind(self, unit: Unit) -> str:
        return "frame" if unit.id in self.frame_of else "other"

    def _width(self, unit: Unit) -> float:
        if unit.id in self.frame_of:
            return self.frame_of[unit.id].width
        return width(self.labels[unit.id], LABEL_SIZE) + 16 if unit.id in self.labels else 0

    def _spans(self) -> list[tuple[float, float]]:
        """Return the left and right edge of every column."""
        spans: list[tuple[float, float]] = []
        x = 0.0
        for column in self.columns:
            wide = max((self._width(unit) for unit in column), default=0)
            spans.append((x, x + wide))
            lines = sum(len(self.web.right.get(s, ())) for unit in column for s in unit.slots)
            x += wide + min(_WIDE, _NARROW + 2.0 * lines)
        return spans

    def _boxes(self) -> dict[str, Box]:
        """Return where frames, nodes and labels stand, centred in their columns."""
        found: dict[str, Box] = {}
        for (left, right), column in zip(self.span, self.columns, strict=True):
            for unit in column:
                wide = self._width(unit)
                x = round(left + (right - left - wide) / 2, 1)
                box = Box(x, self.top[unit.id], round(wide, 1), self.pieces[unit.id].height)
                found[unit.id] = box
                if unit.id in self.frame_of:
                    found.update(self.frame_of[unit.id].boxes(box, unit.slots))
        return found

    def placed(self, trunks: Sequence[Trunk], idle: Sequence[frames.Frame]) -> Placed:
        """Return the picture; what has no line stands below the rest."""
        ports = self._ports(trunks)
        lines = tuple(line for trunk in trunks for line in self._lines(trunk, ports))
        right = max((r for _, r in self.span), default=0.0)
        bottom = max((self.boxes[u.id].bottom for c in self.columns for u in c), default=0.0)
        boxes = dict(self.boxes)
        right = max(right, *(f.width for f in idle), 560.0) if idle else right
        x, y, row = 0.0, bottom + (28.0 if bottom else 0.0), 0.0
        for frame in idle:
            if x and x + frame.width > right:
                x, y, row = 0.0, y + row + 14, 0.0
            box = Box(round(x, 1), round(y, 1), frame.width, frame.height)
            boxes[frame.id] = box
            boxes.update(frame.boxes(box, [n.id for n in frame.nodes]))
            x, row = x + frame.width + 14, max(row, frame.height)
            bottom = max(bottom, box.bottom)
        return Placed(
            self.picture,
            float(ceil(right)),
            float(ceil(bottom)),
            tuple(
                PlacedGroup(g, boxes[g.id], self.frame_of[g.id].text, self.frame_of[g.id].notes)
                for g in self.picture.groups
            ),
            tuple(
                PlacedNode(n, boxes[n.id], frames.label(n), frames.note(n))
                for n in self.picture.nodes
            ),
            tuple(PlacedBundle(b, boxes[b.id], self.labels[b.id]) for b in self.picture.bundles),
            lines,
        )

    def _ports(self, trunks: Sequence[Trunk]) -> dict[tuple[str, str, int], float]:
        """Return at which height a line meets a node: spread, in the order of their far ends."""
        meets: dict[tuple[str, int], list[tuple[float, str]]] = defaultdict(list)
        for trunk in trunks:
            for node in trunk.nodes:
                to = trunk.bends[self.web.column[node] + trunk.step]
                meets[node, trunk.step].append((self.level[to], f"{trunk.bundle.id}/{trunk.role}"))
        found: dict[tuple[str, str, int], float] = {}
        for (node, step), ends in meets.items():
            box = self.boxes[node]
            room = min(box.height - 8, 9.0 * (len(ends) - 1))
            for number, (_, key) in enumerate(sorted(ends)):
                share = number / (len(ends) - 1) if len(ends) > 1 else 0.5
                found[node, key, step] = box.middle - room / 2 + room * share
        return found

    def _lines(self, trunk: Trunk, ports: Mapping[tuple[str, str, int], float]) -> Iterator[Line]:
        key = f"{trunk.bundle.id}/{trunk.role}"
        for node in trunk.nodes:
            to = trunk.bends[self.web.column[node] + trunk.step]
            points = self._hop(node, to, trunk.step, ports[node, key, trunk.step])
            if trunk.role == "in":
                yield Line(trunk.bundle.id, node, "", points)
            elif trunk.role == "both":
                yield Line(trunk.bundle.id, node, node, points, tail=True)
            else:
                yield Line(trunk.bundle.id, "", node, tuple(reversed(points)), head=True)
        inner = [bend for bend in trunk.bends.values() if bend != trunk.bundle.id]
        points = ()
        for number, bend in trunk.bends.items():
            if bend in inner:
                points += self._hop(bend, trunk.bends[number + trunk.step], trunk.step)
        if points:
            flows = points if trunk.role != "out" else tuple(reversed(points))
            yield Line(trunk.bundle.id, "", "", flows)

    def _hop(self, a: str, b: str, step: int, leave: float | None = None) -> tuple[Point, ...]:
        """Return the way from one slot to another in the next column."""
        side = 1 if step == 1 else 0
        y1 = self.level[a] if leave is None else leave
        y2 = self.level[b]
        x1 = self.span[self.number[a]][side]
        x2 = self.span[self.number[b]][1 - side]
        start = x1 if a not in self.boxes or leave is None else self._edge(a, side)
        # A bend is passed at once: its trunk goes on from its far side.
        end = self._edge(b, 1 - side) if b in self.labels else self.span[self.number[b]][side]
        return tuple(
            (round(x, 1), round(y, 1)) for x, y in ((start, y1), (x1, y1), (x2, y2), (end, y2))
        )

    def _edge(self, slot: str, side: int) -> float:
        box = self.boxes[slot]
        return box.right if side else box.x


def _with_next(column: Sequence[Unit]) -> Iterator[tuple[Unit, Unit | None]]:
    return zip(column, [*column[1:], None], strict=True)
