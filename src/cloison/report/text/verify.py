"""`verify` for people: every row on a line, then those that need a look."""

from collections.abc import Iterator, Mapping

from cloison.analyses.matrix import Matrix, RowResult, Status
from cloison.report.about import About, Look
from cloison.report.text.closing import closing
from cloison.report.text.layout import wrapped
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
    Status.PASSED: "green",
    Status.FAILED: "red",
    Status.UNDETERMINED: "yellow",
    Status.ERROR: "red",
}


def lines(result: Matrix, about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of a matrix."""
    head = ("RESULT", "ROW", "VERDICT", "DECIDED BY")
    yield from row_lines(head, [_row(r) for r in result], _STYLE, look)
    quoted = Quotes()
    for diagnostic in result.diagnostics:
        yield from message(diagnostic, look, quoted)
        yield ""
    for known in result:
        if known.status is not Status.PASSED:
            yield from _closer(known, look)
            yield ""
    yield from _caveats(result, look)
    yield look.paint(summary(result), "bold")
    asked = next((r.row for r in result if r.status is Status.FAILED), None)
    if asked is not None:
        port = f":{asked.port}/{asked.protocol}" if asked.port else ""
        ends = f"{asked.source} {asked.destination}{port}"
        yield f"next: cloison why {ends}{asked.application.options}"
    yield from closing(about, look)


def summary(result: Matrix) -> str:
    """Return how many rows came to what, in a sentence."""
    known = result.summary
    bad = (
        (known.failed, "failed"),
        (known.undetermined, "undetermined"),
        (known.errors, "could not be asked"),
    )
    return tally(known.passed, known.total, bad)


def _row(known: RowResult) -> tuple[str, str, str, str]:
    if known.error is not None:
        return str(known.status), known.row.name, "", known.error
    verdict = str(known.verdict)
    return str(known.status), known.row.name, verdict, decided(known.decided_by)


def _closer(known: RowResult, look: Look) -> Iterator[str]:
    row = known.row
    yield title(row, str(known.status).upper(), _STYLE[known.status], look)
    if known.error is not None:
        yield from unasked(known.error, known.help, look)
        return
    yield f"  {row}"
    verb = "allowed" if opens(row) else "denied"
    yield f"  expected {verb}, found {known.verdict}"
    for decider in telling(known.decided_by)[:DECIDERS]:
        at = f"  {decider.span.place}" if decider.span else ""
        yield f"    {decider.text}{at}"
    for witness in known.witnesses:
        yield from wrapped(str(witness), look, f"    {witness.verdict}: ")
    for note in known.notes:
        yield from wrapped(note, look, "  note: ")
    if known.caveats:
        yield f"  caveats: {', '.join(c.id for c in known.caveats)}"
    yield from needed(row, look)


def _caveats(result: Matrix, look: Look) -> Iterator[str]:
    known = sorted({c for r in result if r.status is not Status.PASSED for c in r.caveats})
    for caveat in known:
        yield from wrapped(caveat.text, look, f"caveat {caveat.id}: ", "  ")
    if known:
        yield ""
