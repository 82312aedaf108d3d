"""`reconcile --matrix`: the worst kind of cell of each pair, one letter a pair.

Rows call columns. Letters differ by kind; colours only help.
"""

from collections.abc import Container, Iterator, Mapping, Sequence

from cloison.analyses.connectivity import EndRef
from cloison.analyses.reconcile.kinds import Kind
from cloison.analyses.reconcile.reconciled import EXCESS, Reconciled
from cloison.analyses.reconcile.surplus import Surplus
from cloison.report.about import About, Look
from cloison.report.text.closing import closing
from cloison.report.text.layout import wrapped
from cloison.report.text.reconciled import STYLES, head

LETTERS: Mapping[str, str] = {
    Kind.CONTRADICTED: "C",
    Kind.BROKEN: "B",
    Kind.ATTEMPTED: "A",
    Kind.UNDOCUMENTED: "D",
    Kind.UNDETERMINED: "?",
    EXCESS: "x",
    Kind.UNUSED: "u",
    Kind.UNOBSERVED: "o",
    Kind.HEALTHY: "h",
}
"""The letter of each kind of cell, the worst first."""
OUTSIDE = "outside"
"""What is called so in excess: all addresses, as their blocks are those of no cell."""
_LABEL = 40
_LEAST = 10


def axis(result: Reconciled, most: int) -> tuple[list[str], int]:
    """Return the ends of a matrix, sorted, and how many are left out.

    Workloads stand before what is outside. First those are left out of which all is well, then
    those that have excess only.

    Args:
        result: What was reconciled.
        most: How many there is room for.
    """
    told = result.told()
    wrong = {end for cell, _ in told for end in cell.names if cell.kind is not Kind.HEALTHY}
    well = {end for cell, _ in told for end in cell.names} - wrong
    open_ = {_label(end) for line in _excess(result) for end in line.ends} - wrong - well
    ends: list[str] = []
    for some in (wrong, open_, well):
        ends += sorted(some, key=_order)[: most - len(ends)]
    return sorted(ends, key=_order), len(wrong) + len(open_) + len(well) - len(ends)


def _order(end: str) -> tuple[bool, bool, str]:
    return "/" not in end or end[0].isdigit(), ":" in end, end


def _excess(result: Reconciled) -> Iterator[Surplus]:
    return (line for line in result.told_excess() if line.permitted)


def _label(end: EndRef) -> str:
    return str(end) if end.addresses is None else OUTSIDE


def worst(result: Reconciled, ends: Sequence[str]) -> dict[tuple[str, str], str]:
    """Return the worst kind of each pair of some ends that is told.

    Args:
        result: What was reconciled.
        ends: The ends.
    """
    kept = frozenset(ends)
    found: dict[tuple[str, str], str] = {}
    for cell, _ in result.told():  # the worst first
        if kept.issuperset(cell.names):
            found.setdefault(cell.names, cell.kind)
    rank = {kind: place for place, kind in enumerate(LETTERS)}
    for pair in opened(result, kept):
        if rank[found.get(pair, Kind.HEALTHY)] > rank[EXCESS]:
            found[pair] = EXCESS
    return found


def opened(result: Reconciled, kept: Container[str]) -> dict[tuple[str, str], int]:
    """Return the pairs of some ends that have excess, with the first line that says so."""
    found: dict[tuple[str, str], int] = {}
    for number, line in enumerate(_excess(result)):
        sources, destinations = (
            [name for name in map(_label, side) if name in kept]
            for side in (line.sources, line.destinations)
        )
        for source in sources:
            for destination in [source] if line.itself else destinations:
                if line.itself or source != destination:
                    found.setdefault((source, destination), number)
    return found


def lines(result: Reconciled, about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of the matrix."""
    yield from head(result, look)
    room = max(_LEAST, (look.width - min(_LABEL, look.width // 3) - 6) // 2)
    kept, left = axis(result, room)
    found = worst(result, kept)
    yield ""
    yield from _grid(found, kept, look)
    yield ""
    yield "rows call columns; a column has the number of its row"
    for kind in LETTERS:
        if kind in found.values():
            yield f"{look.paint(LETTERS[kind], *STYLES[kind])} {kind}"
    if left:
        said = f"{left} of {left + len(kept)} ends are not shown; -o html has more"
        yield from wrapped(said, look)
    yield from closing(about, look)


def _grid(found: Mapping[tuple[str, str], str], ends: Sequence[str], look: Look) -> Iterator[str]:
    label = max((min(len(end), _LABEL) for end in ends), default=0)
    digits = len(str(len(ends)))
    margin = " " * (label + digits + 3)
    for place in range(digits):
        numbers = (str(n).rjust(digits)[place] for n in range(1, len(ends) + 1))
        yield look.paint((margin + " ".join(numbers)).rstrip(), "dim")
    for number, source in enumerate(ends, 1):
        signs = []
        for destination in ends:
            kind = found.get((source, destination))
            signs.append("." if kind is None else look.paint(LETTERS[kind], *STYLES[kind]))
        yield f"{source[:label]:<{label}}  {number:>{digits}} {' '.join(signs)}".rstrip()
