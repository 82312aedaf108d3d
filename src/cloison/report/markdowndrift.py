"""`drift` as Markdown: what one pastes into an issue or a weekly report."""

from collections.abc import Iterator, Sequence

from cloison.analyses.drift.model import TITLES, Drift, Finding, Row, State
from cloison.report.marked import code, folded, text
from cloison.report.text.drifted import hour, preceded, summary
from cloison.report.text.layout import at, count

_ROWS = 40


def lines(result: Drift) -> Iterator[str]:
    """Iterate over the lines of what has drifted, the heading first."""
    yield "### What has drifted"
    yield ""
    for sentence in summary(result):
        yield f"{text(sentence[:1].upper() + sentence[1:])}."
        yield ""
    new = [each for each in result.findings if each.counts]
    known = [each for each in result.findings if not each.counts]
    for title, some in (("New", new), ("Not new", known), ("Suspects", result.suspects)):
        yield from _table(title, some)
    if result.rows:
        title = f"By workload: {count(len(result.rows), 'workload')}"
        head = ("Workload", "Expected", "Observed, new", "Observed, denied", "Unused", "Do")
        yield f"#### {title}"
        yield ""
        yield from folded(title, head, [_row(each) for each in result.rows], shown=_ROWS)


def _table(title: str, found: Sequence[Finding]) -> Iterator[str]:
    if not found:
        return
    whole = f"{title}: {count(len(found), 'finding')}"
    yield f"#### {whole}"
    yield ""
    head = ("Check", "What", "State", "Seen", "Policy", "Before it", "Settled by", "Key")
    yield from folded(whole, head, [_finding(each) for each in found], shown=_ROWS)


def _finding(each: Finding) -> tuple[str, ...]:
    sign = each.sign
    when = f", since {hour(each.first)}" if each.first is not None else ""
    atom = "" if sign.atom is None else f"{sign.atom.text}{at(sign.atom.span)}"
    steps = [f"{w}: {s.text}" for w, s in (("allow", sign.allow), ("remove", sign.remove)) if s]
    by = f" by {each.accepted.owner}" if each.accepted is not None else ""
    return (
        text(f"{each.key.code}: {TITLES[each.key.code]}"),
        text(sign.message),
        text(f"{each.state}{by}{when}"),
        "<br>".join(text(f"{proof.text}{at(proof.span)}") for proof in sign.evidence),
        text(atom),
        text(preceded(each)) if each.preceded is not None else "",
        "<br>".join(map(text, steps)) if each.state is not State.RESOLVED else "",
        code(str(each.key)),
    )


def _row(row: Row) -> tuple[str, ...]:
    return (
        code(str(row.workload)),
        *("<br>".join(map(text, some)) for some in (row.expected, row.new, row.denied, row.unused)),
        "<br>".join(map(text, row.actions)),
    )
