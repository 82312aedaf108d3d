"""Results as tables for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from cloison.report import documents
from cloison.report.about import About, Look

_CHUNK = 1024


def render(kind: str, result: object, _about: About, _look: Look) -> Iterator[str]:
    """Return a header and rows, comma-separated, as RFC 4180 says but with bare newlines."""
    module = documents.of(kind)
    yield _lines([module.HEADER])
    rows = iter(module.rows(result))
    while some := list(islice(rows, _CHUNK)):
        yield _lines(some)


def _lines(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_inert(cell) for cell in row] for row in rows)
    return text.getvalue()


def _inert(cell: object) -> object:
    """Keep a spreadsheet from taking text for a formula: names come from anybody's files."""
    if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + cell
    return cell
