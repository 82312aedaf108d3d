"""Comments of a source given to the parts of what is written from it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cloison.base import Span
from cloison.dialects.writing import Comments
from cloison.dialects.writing.places import Path, walk
from cloison.resources.documents import Document, Node
from cloison.sources.comments import Line


def attached(document: Document, lines: Sequence[Line], anchors: Collection[Span]) -> Comments:
    """Return the comments of a document, each at the part written for what it was about.

    That is what starts on the comment's line, or on the next one that says something; where that
    is not written, what it is a part of, and in the end the whole document.

    Args:
        document: The document.
        lines: The lines of its file.
        anchors: Places of the source that something is written for.
    """
    collected = _Collected(document, frozenset(anchors))
    collected.read(lines)
    return Comments(
        {span: tuple(said) for span, said in collected.above.items()},
        collected.beside,
        tuple(collected.below),
    )


@dataclass
class _Collected:
    """Comments as they are sorted; lives for one document."""

    document: Document
    anchors: frozenset[Span]
    above: dict[Span, list[str]] = field(default_factory=dict)
    beside: dict[Span, str] = field(default_factory=dict)
    below: list[str] = field(default_factory=list)

    def read(self, lines: Sequence[Line]) -> None:
        starts = _starts(self.document.root)
        first, last = min(starts), max(starts)
        waiting: list[str] = []
        mine = False
        for number, line in enumerate(lines, 1):
            if line.marker:
                self._end(waiting, mine=mine)
                waiting, mine = [], False
            elif line.content:
                mine = first <= number <= last
                if mine:
                    place = starts.get(number, [])
                    self._above(place, waiting)
                    self._beside(place, line.comment)
                waiting = []
            elif line.comment is not None:
                waiting.append(line.comment)
        self._end(waiting, mine=mine)

    def _end(self, waiting: Sequence[str], *, mine: bool) -> None:
        if mine:
            self.below += waiting

    def _above(self, place: Sequence[tuple[Path, Node]], said: Sequence[str]) -> None:
        if said:
            self.above.setdefault(self._anchor(place)[0], []).extend(said)

    def _beside(self, place: Sequence[tuple[Path, Node]], said: str | None) -> None:
        if said is None:
            return
        span, here = self._anchor(place)
        if here and span not in self.beside:
            self.beside[span] = said
        else:
            self.above.setdefault(span, []).append(said)

    def _anchor(self, place: Sequence[tuple[Path, Node]]) -> tuple[Span, bool]:
        """Return the part that gets a comment, and whether it starts on the comment's line."""
        for _, node in place:
            for span in self._spans(node):
                if span in self.anchors and node is not self.document.root:
                    return span, True
        if place:
            path, _ = place[0]
            for node in _ancestors(self.document.root, path):
                for span in self._spans(node):
                    if span in self.anchors:
                        return span, False
        return self.document.root.span(self.document.file), False

    def _spans(self, node: Node) -> tuple[Span, Span]:
        return node.span(self.document.file), node.key_span(self.document.file)


def _starts(root: Node) -> Mapping[int, list[tuple[Path, Node]]]:
    """Return what starts on each line, outer before inner."""
    found: dict[int, list[tuple[Path, Node]]] = {}
    for path, node in walk(root):
        for line in {node.line, node.key_line}:
            found.setdefault(line, []).append((path, node))
    return found


def _ancestors(root: Node, path: Path) -> Iterator[Node]:
    """Iterate over what a path leads through, the innermost first."""
    for length in range(len(path) - 1, -1, -1):
        node = root.get(*path[:length])
        if node is not None:
            yield node
