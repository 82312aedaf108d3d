"""Maps, differences and cubes as Markdown: what one pastes into a pull request.

Tables as GitHub and GitLab render them. Names come from files anybody may have written, so what
Markdown or HTML might read in them is written as character references.
"""

from collections.abc import Iterator, Sequence
from typing import cast

from cloison.analyses.connectivity import EndRef, Map
from cloison.analyses.diff import ChangeLine, Diff, Kind
from cloison.analyses.drift.model import Drift
from cloison.analyses.recommend.model import Recommended
from cloison.analyses.reconcile.reconciled import Reconciled
from cloison.analyses.shadow.model import Shadow
from cloison.report import markdowncube, markdowndrift, markdownrecommend, markdownshadow
from cloison.report.about import About, Judged, Look
from cloison.report.lacking import previews, sentences
from cloison.report.marked import caveats, code, folded, text
from cloison.report.text.diff import moves, told
from cloison.report.text.layout import count, profile_line
from cloison.report.text.map import Words, edge_count, passing, rest

_ROWS = 12
"""Rows of a table that are shown at once; a longer one opens with a click."""
_NAMES = 12
"""Names in a cell; of more the rest is counted."""


def render(kind: str, result: object, about: About, _look: Look) -> Iterator[str]:
    """Return Markdown."""
    lines = _lines(kind, result)
    yield f"{next(lines)}\n"
    # Before anything that might be taken for the whole answer.
    yield from (f"\n> **Preview**: {text(line)}.\n" for line in previews(about))
    yield from (f"\n> **Incomplete**: {text(line)}.\n" for line in sentences(about))
    yield from (line + "\n" for line in lines)
    yield f"\n<sub>{text(profile_line(about))}</sub>\n"


def _lines(kind: str, result: object) -> Iterator[str]:
    match kind:
        case "map":
            return _map(cast("Map", result))
        case "diff":
            return _diff(cast("Diff", result))
        case "recommended":
            return markdownrecommend.lines(cast("Judged[Recommended]", result))
        case "shadowed":
            return markdownshadow.lines(cast("Shadow", result))
        case "drifted":
            return markdowndrift.lines(cast("Drift", result))
        case _:
            return markdowncube.lines(cast("Reconciled", result))


def _map(known: Map) -> Iterator[str]:
    words = Words(known.ends)
    rows = [
        (_names(line.sources, words), _names(line.destinations, words), code(traffic))
        for line in known.lines
        for traffic in passing(line.passage)
    ]
    yield "### Who may call whom" if known.logical else "### Who may talk to whom"
    yield ""
    if not rows:
        yield "Nothing is permitted." if known.ends else "No workload was read."
        return
    more = "" if known.partial else " What is not listed is denied."
    if known.logical and not known.partial:
        more = f" {rest(known).capitalize()}."
    yield f"{count(edge_count(known), 'edge')} in {count(len(rows), 'line')}.{more}"
    yield ""
    yield from folded(f"All {len(rows)} lines", ("From", "To", "Traffic"), rows)
    yield from caveats(f"**{c.id}**: {text(c.text)}" for c in known.caveats)


def _diff(known: Diff) -> Iterator[str]:
    words = Words(known.ends)
    yield "### What changes about who may talk to whom"
    yield ""
    if not known:
        yield "Nothing: every path is as open, or as closed, as before."
        return
    counts = known.counts
    said = [
        f"**{count(counts[Kind.OPENED], 'edge')} opened**",
        f"{counts[Kind.CHANGED]} changed",
        f"{counts[Kind.CLOSED]} closed",
    ]
    yield f"{', '.join(said)}."
    yield ""
    for word, ends in (("New", known.new_ends), ("Gone", known.removed_ends)):
        if ends:
            yield f"{word}: {', '.join(_listed(ends, words))}."
            yield ""
    for kind in (Kind.OPENED, Kind.CHANGED, Kind.CLOSED):
        lines = [line for line in known.lines if line.kind is kind]
        if lines:
            rows = [_change(line, words) for line in lines]
            head = ("From", "To", "Traffic", "Because of")
            title = f"{str(kind).capitalize()}: {count(counts[kind], 'edge')}"
            if len(rows) <= _ROWS or kind is Kind.OPENED:
                yield f"#### {title}"
                yield ""
            yield from folded(title, head, rows, shown=50 if kind is Kind.OPENED else _ROWS)
    both = sorted({*known.caveats_before, *known.caveats_after})
    yield from caveats(f"**{c.id}**: {text(c.text)}" for c in both)


def _change(line: ChangeLine, words: Words) -> tuple[str, str, str, str]:
    sides = (("before", line.reasons.before), ("after", line.reasons.after))
    why = [
        f"{side}: {text('; '.join(told(deciders, joint=line.joint)))}"
        for side, deciders in sides
        if deciders
    ]
    return (
        _names(line.sources, words),
        _names(line.destinations, words),
        "<br>".join(code(f"{sign} {traffic}") for sign, traffic in moves(line.shift)),
        "<br>".join(why),
    )


def _names(ends: Sequence[EndRef], words: Words) -> str:
    return "<br>".join(_listed(ends, words))


def _listed(ends: Sequence[EndRef], words: Words) -> list[str]:
    said = words.of(ends)
    more = [f"and {len(said) - _NAMES} more"] if len(said) > _NAMES else []
    return [*(code(name) for name in said[:_NAMES]), *more]
