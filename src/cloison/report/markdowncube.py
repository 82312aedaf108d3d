"""`reconcile` as Markdown: a table of each kind of cell, the worst first."""

from collections.abc import Iterator, Sequence

from cloison.analyses.connectivity import EndRef
from cloison.analyses.reconcile.asked import Asked
from cloison.analyses.reconcile.kinds import Cell, Kind, State
from cloison.analyses.reconcile.marks import Status
from cloison.analyses.reconcile.reconciled import Reconciled
from cloison.report.documents.reconciled import decides, why
from cloison.report.marked import caveats, code, folded, text
from cloison.report.text.layout import count
from cloison.report.text.reconciled import numbers, observed, reasons, refuted, statuses, summary

_PLAIN = (Kind.UNUSED, Kind.UNOBSERVED, Kind.HEALTHY)
"""Kinds of which there is nothing to look into."""
_MOST = 12
"""Names in a cell; of more the rest is counted."""


def lines(result: Reconciled) -> Iterator[str]:
    """Iterate over the lines of what was reconciled, the heading first."""
    yield "### What is meant, permitted and seen"
    yield ""
    for sentence in summary(result):
        yield f"{text(sentence[:1].upper() + sentence[1:])}."
        yield ""
    told = result.told()
    for kind in Kind:
        found = [each for each in told if each[0].kind is kind]
        if found:
            yield from _kind(kind, found, result)
    yield from _excess(result)
    yield from _sources(result)
    yield from _left_over(result)
    for word, sentence in numbers(result):
        yield f"- **{word.capitalize()}**: {text(sentence)}"
    yield ""
    both = sorted({caveat for _, asked in told for caveat in asked.caveats})
    yield from caveats(f"**{c.id}**: {text(c.text)}" for c in both)


def _kind(kind: Kind, found: Sequence[tuple[Cell, Asked]], result: Reconciled) -> Iterator[str]:
    title = f"{str(kind).capitalize()}: {count(len(found), 'cell')}"
    head = ["From", "To", "Traffic", "Meant by"]
    rows = [_row(cell) for cell, _ in found]
    if kind is not Kind.HEALTHY:
        yield f"#### {title}"
        yield ""
    if kind not in _PLAIN:
        head += ["Seen"]
        rows = [
            (*row, text(observed(cell, result))) for row, (cell, _) in zip(rows, found, strict=True)
        ]
    head += ["Because of", "Ask"]
    rows = [(*row, *_decided(asked, result)) for row, (_, asked) in zip(rows, found, strict=True)]
    # What is well is there for whoever wants it.
    yield from folded(title, head, rows, shown=0 if kind is Kind.HEALTHY else 40)


def _row(cell: Cell) -> tuple[str, ...]:
    some = ", for some of them" if cell.state is State.PARTLY else ""
    asks = ", with some requests" if cell.conditional else ""
    owned = (
        text(f"{each.name} ({each.owner})" if each.owner else each.name) for each in cell.intended
    )
    ends = (code(name) for name in cell.names)
    return (*ends, f"{code(str(cell.traffic))}{some}{asks}", "<br>".join(owned))


def _decided(asked: Asked, result: Reconciled) -> tuple[str, str]:
    return (
        "<br>".join(map(text, decides(asked))),
        code(why(asked, result)) if asked.words else "",
    )


def _excess(result: Reconciled) -> Iterator[str]:
    found = [line for line in result.told_excess() if line.permitted]
    if not found:
        return
    yield f"#### Excess: {count(len(found), 'line')}"
    yield ""
    rows = [
        (
            _names(line.sources),
            "itself" if line.itself else _names(line.destinations),
            code(str(line.traffic)),
            "not known" if line.unobserved else "not seen",
            *_decided(line.asked, result),
        )
        for line in found
    ]
    head = ("From", "To", "Traffic", "Use", "Because of", "Ask")
    yield from folded("Permitted, and nobody means it", head, rows)


def _names(ends: Sequence[EndRef]) -> str:
    more = [f"and {len(ends) - _MOST} more"] if len(ends) > _MOST else []
    return "<br>".join([*(code(str(end)) for end in ends[:_MOST]), *more])


def _sources(result: Reconciled) -> Iterator[str]:
    if not result.marks:
        return
    yield f"Sources that the path model assumes: {text(statuses(result.marks))}."
    yield ""
    wrong = [mark for mark in result.marks if mark.status is Status.REFUTED]
    yield from (f"- **refuted**: {text(refuted(mark))}" for mark in wrong)
    if wrong:
        yield ""


def _left_over(result: Reconciled) -> Iterator[str]:
    unmet = result.cube.unmet
    yield from (f"- **unmet**: {text(f'{e.entry.name}: {e.message}')}" for e in unmet)
    if unmet:
        yield ""
    if not result.cube.unplaced:
        return
    yield f"In no cell: {count(len(result.cube.unplaced), 'observed edge')}."
    yield ""
    rows = [(f"{number:,}", text(reason)) for reason, number in reasons(result)]
    yield from folded("Why edges are in no cell", ("Connections", "Why"), rows, shown=12)
