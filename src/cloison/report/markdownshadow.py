"""`shadow` as Markdown: what one pastes into a pull request that proposes policies."""

from collections.abc import Iterator

from cloison.analyses.shadow.model import Edge, Fate, Finding, Shadow
from cloison.report.marked import caveats, code, folded, text
from cloison.report.text.layout import count
from cloison.report.text.shadowed import (
    FATES,
    effect,
    headline,
    missing,
    moved,
    ports,
    reason,
    summary,
    tried,
    when,
)

_ROWS = 12
"""Rows of a table that are shown at once; a longer one opens with a click."""
_MOST = 200
"""Rows of a table at most: what one reads in a pull request."""
_MENDS = 4
"""Changes of a finding that are shown."""


def lines(result: Shadow) -> Iterator[str]:
    """Iterate over the lines of what a candidate would have done, the heading first."""
    yield "### What the candidate would have denied"
    yield ""
    for sentence in summary(result):
        yield f"{text(sentence[:1].upper() + sentence[1:])}."
        yield ""
    if result.findings:
        rows = [_row(each, result) for each in result.findings[:_MOST]]
        head = ("Would be denied", "Connections", "Seen", "Missing")
        title = f"Denied: {count(len(result.findings), 'finding')}"
        yield f"#### {title}"
        yield ""
        yield from folded(title, head, rows, shown=_ROWS)
        yield from _mends(result)
    for fate in FATES:
        yield from _others(fate, result)
    yield from _changes(result)
    found = sorted({caveat for each in result.edges for caveat in each.caveats})
    yield from caveats(f"**{c.id}**: {text(c.text)}" for c in found)


def _row(finding: Finding, result: Shadow) -> tuple[str, ...]:
    title = code(headline(finding).rpartition(": ")[0])
    odd = () if finding.sort is None else (effect(finding),)
    told = (*odd, *missing(finding, result), *ports(finding))
    lacking = "<br>".join(text(each) for each in told)
    return title, f"{finding.connections:,}", text(when(finding, result)), lacking


def _mends(result: Shadow) -> Iterator[str]:
    for finding in result.findings[:_ROWS]:
        for mend in (finding.mends or ())[:_MENDS]:
            written = (mend.lines or mend.manifest).rstrip("\n")
            if not written:
                yield f"- {text(mend.text)}"
                continue
            fence = "`" * max(3, _longest(written) + 1)
            yield f"<details><summary>{text(mend.text)}</summary>"
            yield ""
            yield f"{fence}yaml"
            yield written
            yield fence
            yield ""
            yield "</details>"
            yield ""


def _longest(written: str) -> int:
    """Return how many backticks stand beside each other at most."""
    found = most = 0
    for letter in written:
        found = found + 1 if letter == "`" else 0
        most = max(most, found)
    return most


def _others(fate: Fate, result: Shadow) -> Iterator[str]:
    found = result.of(fate)
    if not found:
        return
    head = ("From", "To", "Traffic", "Connections", "Why")
    title = f"{FATES[fate].capitalize()}: {count(len(found), 'edge')}"
    yield from folded(title, head, [_edge(each) for each in found[:_MOST]], shown=0)


def _edge(edge: Edge) -> tuple[str, ...]:
    names = (code(name) for name in edge.link.names)
    why = text(reason(edge).removeprefix(": "))
    return (*names, code(str(edge.link.traffic)), f"{edge.connections:,}", why)


def _changes(result: Shadow) -> Iterator[str]:
    rows = []
    for used in result.changes:
        shift, ends = used.line.shift, (used.line.sources, used.line.destinations)
        names = ["<br>".join(code(str(end)) for end in side[:_ROWS]) for side in ends]
        for word, traffic, seen in (
            ("opens", shift.gained, used.gained),
            ("closes", shift.lost, used.lost),
        ):
            if traffic:
                said = tried(seen, word, known=used.known)
                rows.append((moved(word, shift, traffic), *names, code(str(traffic)), said))
    if rows:
        title = f"Against today: {count(len(rows), 'line')}"
        yield from folded(title, ("What", "From", "To", "Traffic", "Seen"), rows, shown=_ROWS)
