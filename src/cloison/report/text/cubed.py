"""`reconcile --matrix`: the worst kind of cell of each pair, one letter a pair.

Rows call columns. Letters differ by kind; colours only help.
"""

from collections.abc import Iterator, Sequence

from cloison.analyses.reconcile.kinds import Kind
from cloison.analyses.reconcile.reconciled import Reconciled
from cloison.report.about import About, Look
from cloison.report.text.closing import closing
from cloison.report.text.layout import wrapped
from cloison.report.text.reconciled import STYLES, head

LETTERS = {
    Kind.CONTRADICTED: "C",
    Kind.BROKEN: "B",
    Kind.ATTEMPTED: "A",
    Kind.UNDOCUMENTED: "D",
    Kind.UNDETERMINED: "?",
    Kind.UNUSED: "u",
    Kind.UNOBSERVED: "o",
    Kind.HEALTHY: "h",
}
_LABEL = 40
_LEAST = 10


def worst(result: Reconciled) -> dict[tuple[str, str], Kind]:
    """Return the worst kind of each pair of ends that has a cell that is told."""
    found: dict[tuple[str, str], Kind] = {}
    for cell, _ in result.told():  # the worst first
        found.setdefault(cell.names, cell.kind)
    return found


def axis(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Return the ends of some pairs, sorted: workloads before what is outside."""
    ends = {end for pair in pairs for end in pair}
    return sorted(ends, key=lambda end: ("/" not in end or end[0].isdigit(), ":" in end, end))


def lines(result: Reconciled, about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of the matrix."""
    yield from head(result, look)
    found = worst(result)
    room = max(_LEAST, (look.width - min(_LABEL, look.width // 3) - 6) // 2)
    ends = axis(list(found))
    kept = ends
    if len(ends) > room:
        # What is as it should be is left out first.
        wrong = [pair for pair, kind in found.items() if kind is not Kind.HEALTHY]
        kept = axis(wrong)[:room]
    yield ""
    yield from _grid(found, kept, look)
    yield ""
    yield "rows call columns; a column has the number of its row"
    for kind in Kind:
        if kind in found.values():
            yield f"{look.paint(LETTERS[kind], *STYLES[kind])} {kind}"
    if len(kept) < len(ends):
        left = f"{len(ends) - len(kept)} of {len(ends)} ends are not shown; -o html has all"
        yield from wrapped(left, look)
    yield from closing(about, look)


def _grid(found: dict[tuple[str, str], Kind], ends: Sequence[str], look: Look) -> Iterator[str]:
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
