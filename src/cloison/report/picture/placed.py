"""A picture with coordinates: what the layout gives and the drawing takes.

Lengths are in pixels at the picture's natural size; y grows downwards.
"""

from dataclasses import dataclass

from cloison.report.picture.graph import Bundle, Group, Node, Picture

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle by its left upper corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.height

    @property
    def middle(self) -> float:
        """Half its height."""
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class PlacedNode:
    """A node, where it stands, and what is written in it, shortened to fit."""

    node: Node
    box: Box
    text: str
    note: str


@dataclass(frozen=True, slots=True)
class PlacedGroup:
    """A namespace's frame, with what is written on it."""

    group: Group
    box: Box
    text: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlacedBundle:
    """The label in which the edges of a bundle meet."""

    bundle: Bundle
    box: Box
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One stretch of the drawing of a bundle.

    Args:
        bundle: Id of the bundle.
        src: Id of the node it comes from; empty inside the bundle.
        dst: Id of the node it leads to; empty inside the bundle.
        points: Where it goes, in fours: straight from the first to the second, in a curve that
            begins and ends level to the third, straight to the fourth and on to the next four.
        head: It ends in an arrow head at a node.
        tail: It begins with an arrow head at a node: traffic flows both ways.
    """

    bundle: str
    src: str
    dst: str
    points: tuple[Point, ...]
    head: bool = False
    tail: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture with coordinates.

    Args:
        picture: What is shown.
        width: Of the drawing.
        height: Of the drawing.
        groups: Frames; none overlaps another, or a node that is not its own.
        nodes: None overlaps another.
        bundles: Labels; none overlaps a node or another label.
        lines: They run beside frames and labels, through none that is not theirs.
    """

    picture: Picture
    width: float
    height: float
    groups: tuple[PlacedGroup, ...]
    nodes: tuple[PlacedNode, ...]
    bundles: tuple[PlacedBundle, ...]
    lines: tuple[Line, ...]
