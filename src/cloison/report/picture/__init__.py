"""Pictures of what may flow: a graph, its layout, its drawing.

Data goes one way: a map or a difference becomes a `Picture` (`of_map`, `of_diff`), which says what
is shown and in which words; `place` gives everything in it coordinates; `draw` writes them down as
SVG. The formats `dot` and `mermaid` stop after the first step, since their readers lay out by
themselves.

    draw(place(of_map(result)))

Everything is deterministic: the same map gives the same bytes.
"""

from cloison.report.picture.depict import of, of_diff, of_map
from cloison.report.picture.graph import Bundle, Group, Node, Picture
from cloison.report.picture.layout import place
from cloison.report.picture.placed import Placed
from cloison.report.picture.svg import draw, key, sample, style

__all__ = [
    "Bundle",
    "Group",
    "Node",
    "Picture",
    "Placed",
    "draw",
    "key",
    "of",
    "of_diff",
    "of_map",
    "place",
    "sample",
    "style",
]
