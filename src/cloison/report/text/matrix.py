"""`map --matrix`: who may send to whom, one sign a pair, as wide as the terminal.

Rows send to columns. Signs differ by shape; colours only help.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cloison.algebra import L4
from cloison.analyses.connectivity import Map
from cloison.report.about import About, Look
from cloison.report.picture.bundles import Tally, pairs_of
from cloison.report.picture.depict import counted
from cloison.report.picture.graph import Node
from cloison.report.picture.letters import cells, fitted
from cloison.report.text.closing import closing
from cloison.report.text.layout import count, wrapped
from cloison.report.text.map import edge_count

_LABEL = 40
"""Columns of a row's name at most."""
_LEAST = 4
"""Nodes there are room for however narrow the terminal is."""


@dataclass(frozen=True, slots=True)
class Sign:
    """How a cell is drawn, and what that means."""

    drawn: str
    simple: str
    style: tuple[str, ...]
    meaning: str


SIGNS = {
    "all": Sign("\u2588", "#", ("bold",), "any TCP, UDP or SCTP, for every pair"),
    "some": Sign("\u2592", "+", ("cyan",), "some of it"),
    "undetermined": Sign("?", "?", ("yellow",), "nobody can say"),
    "none": Sign("\u00b7", ".", ("dim",), "nothing"),
    "itself": Sign("\u2572", "\\", ("dim",), "itself"),
}


def lines(result: Map, about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of a matrix."""
    if not result.ends:
        yield "no workload was read, so there is nothing to map"
        yield from closing(about, look)
        return
    width = max(look.width, 40)
    label = min(_LABEL, width // 3)
    folded, tally = counted(result, max(_LEAST, width - label - 6))
    nodes = folded.nodes
    names = [fitted(_name(node), label) for node in nodes]
    if look.simple:
        names = [name.replace("\u2026", "~") for name in names]
    label = max((cells(name) for name in names), default=0)
    digits = len(str(len(nodes)))
    gap = " " if label + digits + 3 + 2 * len(nodes) <= width else ""
    margin = " " * (label + digits + 3)
    yield from (look.paint(line, "dim") for line in _header(len(nodes), margin, gap))
    for number, name in enumerate(names):
        signs = [_sign(tally, nodes, number, column) for column in range(len(nodes))]
        head = f"{name}{' ' * (label - cells(name))}  {number + 1:>{digits}} "
        yield head + gap.join(_drawn(sign, look) for sign in signs)
    yield ""
    yield "rows send to columns; a column has the number of its row"
    for sign in SIGNS.values():
        part = ", or not asked about" if sign is SIGNS["none"] and result.partial else ""
        yield f"{_drawn(sign, look)} {sign.meaning}{part}"
    for note in folded.notes():
        yield from wrapped(note.replace(" drawn", " shown").replace("the picture", "this"), look)
    yield f"{count(edge_count(result), 'edge')}; say cloison map without --matrix for each"
    yield from closing(about, look)


def _name(node: Node) -> str:
    if node.kind == "namespace":
        return f"{node.label}/*"
    return node.names[0] if node.size == 1 and node.kind != "ip" else node.label


def _header(number: int, margin: str, gap: str) -> Iterator[str]:
    """Iterate over lines with the numbers of columns, written downwards."""
    digits = len(str(number))
    numbers = [str(n).rjust(digits) for n in range(1, number + 1)]
    for place in range(digits):
        yield (margin + gap.join(n[place] for n in numbers)).rstrip()


def _drawn(sign: Sign, look: Look) -> str:
    return look.paint(sign.simple if look.simple else sign.drawn, *sign.style)


def _sign(tally: Tally, nodes: Sequence[Node], src: int, dst: int) -> Sign:
    cell = tally.cells.get(("allowed", src, dst))
    if cell is not None:
        whole = not cell.mixed and cell.pairs == pairs_of(nodes, src, dst)
        return SIGNS["all" if whole and cell.told.traffic >= L4 else "some"]
    if ("undetermined", src, dst) in tally.cells:
        return SIGNS["undetermined"]
    return SIGNS["itself" if src == dst and nodes[src].size == 1 else "none"]
