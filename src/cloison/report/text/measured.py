"""`verify --on lab` for people: every row on a line, then those that need a look."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cloison.analyses.measured import (
    Agreement,
    Cell,
    Counted,
    Flow,
    MeasuredMatrix,
    MeasuredRow,
    RowStatus,
    wrong,
)
from cloison.ir.fidelity import Verdict
from cloison.report.about import About, Look
from cloison.report.text.closing import closing
from cloison.report.text.layout import count, table, wrapped
from cloison.report.text.rows import (
    DECIDERS,
    decided,
    needed,
    opens,
    row_lines,
    tally,
    telling,
    title,
    unasked,
)
from cloison.report.text.validate import Quotes, message

_STYLE: Mapping[str, str] = {
    RowStatus.PASSED: "green",
    RowStatus.FAILED: "red",
    RowStatus.INCONCLUSIVE: "yellow",
    RowStatus.ERROR: "red",
}
_CELLS = 8
"""Cells of one row that are shown."""


def lines(result: MeasuredMatrix, about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of a measured matrix."""
    told = [r for r in result if not _uneventful(r)]
    head = ("RESULT", "ROW", "MEASURED", "PREDICTED", "BY")
    yield from row_lines(head, [_row(r) for r in told], _STYLE, look)
    quoted = Quotes()
    for diagnostic in result.diagnostics:
        yield from message(diagnostic, look, quoted)
        yield ""
    for known in result:
        if known.status is not RowStatus.PASSED or known.differs:
            yield from _closer(known, look)
            yield ""
    for note in result.notes:
        yield from wrapped(note, look, "note: ")
    yield look.paint(summary(result), "bold")
    yield from wrapped(cells_summary(result), look)
    if result.counts.differs:
        said = (
            "what differs is a fault in Cloison: in its engine, in what it makes of policies for "
            "the packet filter, or in the lab; please report it"
        )
        yield from wrapped(said, look)
    yield from closing(about, look)


def _uneventful(known: MeasuredRow) -> bool:
    """Whether a row that expects nothing came out as predicted: there may be thousands."""
    return known.row.expect is None and known.status is RowStatus.PASSED


def summary(result: MeasuredMatrix) -> str:
    """Return how many rows came to what, in a sentence."""
    known = result.rows
    bad = (
        (known.failed, "failed"),
        (known.inconclusive, "inconclusive"),
        (known.errors, "could not be asked"),
    )
    unsent = [r.row.name for r in result if r.cells and all(c.arrival is None for c in r.cells)]
    if not unsent:
        return tally(known.passed, known.total, bad)
    names = ", ".join(unsent[:_NAMED]) + (", ..." if len(unsent) > _NAMED else "")
    if known.passed + len(unsent) == known.total:
        said = f"{known.passed} of {count(known.total, 'row')} measured and passed"
        return f"{said}; {len(unsent)} not measured: {names}"
    return f"{tally(known.passed, known.total, bad)}; not measured: {names}"


_NAMED = 8
"""Rows that are named in a sentence."""


def cells_summary(result: MeasuredMatrix) -> str:
    """Return how what was measured compares with what was predicted, in a sentence."""
    known = result.counts
    controls = f"; {count(known.controls, 'flow')} sent besides as controls"
    controls = controls if known.controls else ""
    if known.agrees == known.total:
        return f"{count(known.total, 'flow')} measured, all as predicted{controls}"
    parts = [f"{known.agrees} measured as predicted"]
    parts += [f"{known.differs} otherwise"] if known.differs else []
    parts += [f"{known.inconclusive} inconclusive"] if known.inconclusive else []
    parts += [f"{known.not_measurable} not measurable"] if known.not_measurable else []
    return f"of {count(known.total, 'flow')}, {', '.join(parts)}{controls}"


def _row(known: MeasuredRow) -> tuple[str, str, str, str, str]:
    if known.error is not None:
        return str(known.status), known.row.name, "", "", known.error
    return (
        str(known.status),
        known.row.name,
        outcomes(known.cells),
        str(known.predicted or ""),
        decided(known.decided_by),
    )


def outcomes(cells: Sequence[Cell]) -> str:
    """Return what came of flows, in a few words: `open`, or `2 open, 10 dropped`."""
    found = Counter("not sent" if c.arrival is None else str(c.arrival) for c in cells)
    if len(found) == 1:
        return next(iter(found))
    return ", ".join(f"{number} {word}" for word, number in sorted(found.items()))


def _closer(known: MeasuredRow, look: Look) -> Iterator[str]:
    row = known.row
    word = "DIFFERS" if known.differs else str(known.status).upper()
    yield title(row, word, "red" if known.differs else _STYLE[known.status], look)
    if known.error is not None:
        yield from unasked(known.error, known.help, look)
        return
    yield f"  {row}"
    if row.expect is not None:
        verb = "allowed" if opens(row) else "denied"
        yield f"  expected {verb}, measured {_verdict(known.measured)}"
    shown = [c for c in known.cells if _odd(c, known)]
    groups = alike(shown)
    for group in groups[:_CELLS]:
        yield from cell_lines(group, look)
    if len(groups) > _CELLS:
        yield f"    and {len(groups) - _CELLS} more"
    if not known.cells:
        yield "  nobody has such a flow"
    for note in known.notes:
        yield from wrapped(note, look, "  note: ")
    yield from needed(row, look)


def _odd(cell: Cell, known: MeasuredRow) -> bool:
    """Whether a flow is to be shown: of a call that failed, also the hops it failed at."""
    expect = known.row.expect
    if wrong(cell, expect) or cell.agreement is not Agreement.AGREES:
        return True
    if expect is None or known.status is not RowStatus.FAILED:
        return False
    return cell.leg is not None and not cell.leg.beside and cell.measured is not expect.verdict


def _verdict(known: Verdict | None) -> str:
    return "nothing that counts" if known is None else str(known)


def alike(cells: Iterable[Cell]) -> list[list[Cell]]:
    """Return cells in groups of which the same is to be said, but for the address family."""
    groups: dict[object, list[Cell]] = {}
    for cell in cells:
        same = cell.control.same if cell.control else None
        what = (cell.leg, cell.arrival, cell.predicted, cell.reason)
        key = (str(cell.flow), *what, cell.decided_by, same)
        groups.setdefault((*key, cell.counted), []).append(cell)
    return list(groups.values())


def cell_lines(cells: Sequence[Cell], look: Look) -> Iterator[str]:
    """Iterate over what there is to say about cells that are alike."""
    cell = cells[0]
    outcome = "not sent" if cell.arrival is None else str(cell.arrival)
    flows = named(*(each.flow for each in cells))
    leg = f"{cell.leg}: " if cell.leg is not None else ""
    yield f"    {leg}{flows}: {outcome}, predicted {cell.predicted}"
    if cell.reason:
        yield from wrapped(cell.reason, look, "      ")
    places = {d.text: d.span for d in telling(cell.decided_by)}
    for text, span in list(places.items())[:DECIDERS]:
        yield f"      {text}" + (f"  {span.place}" if span else "")
    if cell.control is not None:
        yield f"      control: {cell.control.flow} arrived (same {cell.control.same})"
    yield from counted_lines(cell.counted, "      ")


def counted_lines(found: Sequence[Counted], indent: str) -> Iterator[str]:
    """Iterate over the rules that counted packets."""
    rows = [
        (
            f"counted {each.packets}",
            each.decider.text,
            each.decider.span.place if each.decider.span else "",
        )
        for each in found
    ]
    yield from table(rows, indent=indent)


def named(*flows: Flow) -> str:
    """Return a flow as people name it, with the families it was sent over where that is known."""
    families = ", ".join(f"IPv{flow.family}" for flow in flows if flow.family)
    return f"{flows[0]} ({families})" if families else str(flows[0])
