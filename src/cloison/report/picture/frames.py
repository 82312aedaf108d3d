"""Nodes and the frames around them, with their measures."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cloison.report.picture.graph import Node, Picture
from cloison.report.picture.letters import fitted, width
from cloison.report.picture.placed import Box

NAME_SIZE, NOTE_SIZE = 12.0, 10.0
"""Font sizes: of names, and of what is said below them."""
_LABEL, _NOTE = 32, 42
"""Columns of text in a node at most."""
_HEIGHT, _GAP, _PAD, _HEAD, _SAID = 38.0, 8.0, 10.0, 24.0, 14.0


@dataclass(frozen=True, slots=True)
class Frame:
    """A namespace's frame with its nodes, or a node that stands alone.

    Args:
        id: Of the group or the node.
        nodes: In the picture's order.
        width: Of the frame.
        height: Of the frame.
        text: What is written on it; a lone node has none.
        notes: What is said below that.
    """

    id: str
    nodes: tuple[Node, ...]
    width: float
    height: float
    text: str = ""
    notes: tuple[str, ...] = ()

    @property
    def _first(self) -> float:
        return _HEAD + _SAID * len(self.notes) if self.text else 0.0

    @property
    def _pad(self) -> float:
        return _PAD if self.text else 0.0

    def offsets(self, slots: Sequence[str]) -> dict[str, float]:
        """Return how far below the frame's upper edge the middle of each node is."""
        first = self._first + _HEIGHT / 2
        return {slot: first + (_HEIGHT + _GAP) * number for number, slot in enumerate(slots)}

    def boxes(self, box: Box, slots: Sequence[str]) -> dict[str, Box]:
        """Return where nodes stand in the frame that stands at `box`."""
        x, wide = round(box.x + self._pad, 1), round(box.width - 2 * self._pad, 1)
        return {
            slot: Box(x, round(box.y + middle - _HEIGHT / 2, 1), wide, _HEIGHT)
            for slot, middle in self.offsets(slots).items()
        }


def label(node: Node) -> str:
    """Return a node's name, short enough."""
    return fitted(node.label, _LABEL)


def note(node: Node) -> str:
    """Return what is said below it, short enough."""
    return fitted(node.note, _NOTE)


def of(picture: Picture) -> Mapping[str, Frame]:
    """Return every frame, and every node that stands alone, in the picture's order."""
    members: dict[str, list[Node]] = defaultdict(list)
    groups = {group.id: group for group in picture.groups}
    for node in picture.nodes:
        members[node.group or node.id].append(node)
    found: dict[str, Frame] = {}
    for home, nodes in members.items():
        wide = max(max(width(label(n), NAME_SIZE), width(note(n), NOTE_SIZE)) for n in nodes) + 24
        if home not in groups:
            found[home] = Frame(home, tuple(nodes), round(wide, 1), _HEIGHT)
            continue
        text = fitted(groups[home].label, _LABEL)
        notes = tuple(fitted(n, _NOTE + 6) for n in groups[home].notes)
        inner = max([wide, width(text, NAME_SIZE) + 4, *(width(n, NOTE_SIZE) + 4 for n in notes)])
        head = _HEAD + _SAID * len(notes)
        high = head + len(nodes) * (_HEIGHT + _GAP) - _GAP + _PAD
        found[home] = Frame(home, tuple(nodes), round(inner + 2 * _PAD, 1), high, text, notes)
    return found
