"""`verify --on lab` as one self-contained page: rows, the flows they mean, and what came of each.

It has no script: every row opens and closes by itself.
"""

from collections.abc import Iterator
from html import escape

from cloison.analyses.explain import Decider
from cloison.analyses.measured import (
    Agreement,
    Cell,
    MeasuredMatrix,
    MeasuredRow,
    RowStatus,
    wrong,
)
from cloison.report.about import About
from cloison.report.html.frame import opening
from cloison.report.lacking import previews, sentences
from cloison.report.text.layout import profile_line
from cloison.report.text.measured import cells_summary, named, outcomes, summary
from cloison.report.text.rows import telling
from cloison.report.xml import legal

_STYLE = """
:root {
  color-scheme: light dark;
  --line: #8885; --good: #00664e; --bad: #a8300a; --doubt: #8a5a00;
}
@media (prefers-color-scheme: dark) {
  :root { --good: #3fcf9f; --bad: #ff8a66; --doubt: #f0b429; }
}
body {
  font: 14px/1.45 system-ui, "DejaVu Sans", sans-serif;
  margin: 0 auto; max-width: 1200px; padding: 16px 20px;
}
h1 { font-size: 20px; margin: 0 0 8px; }
p { margin: 4px 0; }
table { border-collapse: collapse; width: 100%; }
th, td {
  text-align: left; vertical-align: top;
  padding: 3px 12px 3px 0; border-bottom: 1px solid var(--line);
}
details { border-bottom: 1px solid var(--line); padding: 4px 0; }
details > table { margin: 6px 0 10px 20px; width: calc(100% - 20px); font-size: 13px; }
details > p { margin-left: 20px; }
summary { cursor: pointer; }
.word { display: inline-block; min-width: 8em; font-weight: 600; }
.good { color: var(--good); } .bad { color: var(--bad); } .doubt { color: var(--doubt); }
.soft { opacity: 0.75; }
code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 12px; }
"""

_CLASS = {
    RowStatus.PASSED: "good",
    RowStatus.FAILED: "bad",
    RowStatus.INCONCLUSIVE: "doubt",
    RowStatus.ERROR: "bad",
}
_CELL_CLASS = {
    Agreement.AGREES: "good",
    Agreement.DIFFERS: "bad",
    Agreement.INCONCLUSIVE: "doubt",
    Agreement.NOT_MEASURABLE: "doubt",
}


def pieces(result: MeasuredMatrix, about: About) -> Iterator[str]:
    """Return the page, in pieces.

    Args:
        result: What was measured.
        about: What surrounds it.
    """
    yield opening("cloison verify", summary(result), _STYLE)
    yield f"<p>{_text(cells_summary(result))}</p>\n"
    for note in (*result.notes, *previews(about), *sentences(about)):
        yield f"<p>{_text(note)}</p>\n"
    for diagnostic in result.diagnostics:
        place = f" {diagnostic.span.place}" if diagnostic.span else ""
        yield f'<p class="bad">{_text(diagnostic.message)}<code>{_text(place)}</code></p>\n'
    yield "<main>\n"
    for row in result:
        yield from _row(row)
    yield f'</main>\n<p class="soft">{_text(profile_line(about))}</p>\n</body>\n</html>\n'


def _row(known: MeasuredRow) -> Iterator[str]:
    row = known.row
    look = known.status is not RowStatus.PASSED or known.differs
    word = "differs" if known.differs else str(known.status)
    style = "bad" if known.differs else _CLASS[known.status]
    yield (
        f'<details{" open" if look else ""}><summary><span class="word {style}">{word}</span>'
        f'{_text(row.name)} <span class="soft">{_text(outcomes(known.cells))}</span></summary>\n'
    )
    expected = f", expected {row.expect.verdict}" if row.expect else ""
    yield f"<p>{_text(str(row) + expected)}</p>\n"
    place = row.span.place if row.span else None
    for text in (known.error, known.help, row.why, *known.notes, place):
        if text:
            yield f'<p class="soft">{_text(text)}</p>\n'
    if known.cells:
        yield (
            "<table><thead><tr><th>flow</th><th>measured</th><th>predicted</th><th>by</th>"
            "<th>control</th></tr></thead><tbody>\n"
        )
        for cell in known.cells:
            yield _cell(cell, known)
        yield "</tbody></table>\n"
    yield "</details>\n"


def _cell(cell: Cell, known: MeasuredRow) -> str:
    came = "not sent" if cell.arrival is None else str(cell.arrival)
    style = "bad" if wrong(cell, known.row.expect) else _CELL_CLASS[cell.agreement]
    said = [f'<span class="{style}">{came}</span>']
    said += [f"<br>{_text(cell.reason)}"] if cell.reason else []
    said += [f"<br>counted {c.packets}: {_text(c.decider.text)}" for c in cell.counted]
    by = "<br>".join(map(_decider, telling(cell.decided_by)))
    control = f"{_text(named(cell.control.flow))}" if cell.control else ""
    flow = (f"{cell.leg}: " if cell.leg is not None else "") + named(cell.flow)
    return (
        f"<tr><td>{_text(flow)}</td><td>{''.join(said)}</td><td>{cell.predicted}</td>"
        f"<td>{by}</td><td>{control}</td></tr>\n"
    )


def _decider(decider: Decider) -> str:
    place = f" <code>{_text(decider.span.place)}</code>" if decider.span else ""
    return _text(decider.text) + place


def _text(text: str) -> str:
    return escape(legal(text))
