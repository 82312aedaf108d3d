"""Maps and differences as Markdown: what one pastes into a pull request.

Tables as GitHub and GitLab render them. Names come from files anybody may have written, so what
Markdown or HTML might read in them is written as character references.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from cloison.analyses.connectivity import EndRef, Map
from cloison.analyses.diff import ChangeLine, Diff, Kind
from cloison.report.about import About, Look
from cloison.report.lacking import previews, sentences
from cloison.report.text.diff import moves, told
from cloison.report.text.layout import count, profile_line
from cloison.report.text.map import Words, edge_count, passing, rest

_ROWS = 12
"""Rows of a table that are shown at once; a longer one opens with a click."""
_NAMES = 12
"""Names in a cell; of more the rest is counted."""
_SAFE = re.compile(r"[A-Za-z0-9 ./,:_()+*-]*\Z")


def render(kind: str, result: object, about: About, _look: Look) -> Iterator[str]:
    """Return Markdown."""
    lines = _map(cast("Map", result)) if kind == "map" else _diff(cast("Diff", result))
    yield f"{next(lines)}\n"
    # Before anything that might be taken for the whole answer.
    yield from (f"\n> **Preview**: {_text(line)}.\n" for line in previews(about))
    yield from (f"\n> **Incomplete**: {_text(line)}.\n" for line in sentences(about))
    yield from (line + "\n" for line in lines)
    yield f"\n<sub>{_text(profile_line(about))}</sub>\n"


def _map(known: Map) -> Iterator[str]:
    words = Words(known.ends)
    rows = [
        (_names(line.sources, words), _names(line.destinations, words), _code(traffic))
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
    yield from _folded(f"All {len(rows)} lines", ("From", "To", "Traffic"), rows)
    yield from _caveats(f"**{c.id}**: {_text(c.text)}" for c in known.caveats)


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
            yield from _folded(title, head, rows, shown=50 if kind is Kind.OPENED else _ROWS)
    both = sorted({*known.caveats_before, *known.caveats_after})
    yield from _caveats(f"**{c.id}**: {_text(c.text)}" for c in both)


def _change(line: ChangeLine, words: Words) -> tuple[str, str, str, str]:
    sides = (("before", line.reasons.before), ("after", line.reasons.after))
    why = [
        f"{side}: {_text('; '.join(told(deciders, joint=line.joint)))}"
        for side, deciders in sides
        if deciders
    ]
    return (
        _names(line.sources, words),
        _names(line.destinations, words),
        "<br>".join(_code(f"{sign} {traffic}") for sign, traffic in moves(line.shift)),
        "<br>".join(why),
    )


def _folded(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]], shown: int = 40
) -> Iterator[str]:
    """Iterate over a table; one of many rows opens with a click."""
    long = len(rows) > shown
    if long:
        yield f"<details><summary>{title}</summary>"
        yield ""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""
    if long:
        yield "</details>"
        yield ""


def _caveats(said: Iterable[str]) -> Iterator[str]:
    found = list(said)
    if found:
        yield f"<details><summary>{count(len(found), 'caveat')}</summary>"
        yield ""
        yield from (f"- {each}" for each in found)
        yield ""
        yield "</details>"


def _names(ends: Sequence[EndRef], words: Words) -> str:
    return "<br>".join(_listed(ends, words))


def _listed(ends: Sequence[EndRef], words: Words) -> list[str]:
    said = words.of(ends)
    more = [f"and {len(said) - _NAMES} more"] if len(said) > _NAMES else []
    return [*(_code(name) for name in said[:_NAMES]), *more]


def _code(text: str) -> str:
    """Return text as code, whatever is in it.

    >>> _code("web/api"), _code("a|b")
    ('`web/api`', '<code>a&#124;b</code>')
    """
    return f"`{text}`" if text and _SAFE.match(text) else f"<code>{_text(text)}</code>"


def _text(text: str) -> str:
    """Return text as it is, with nothing in it that Markdown or HTML would read."""
    return re.sub(r"[^A-Za-z0-9 .,;:/()'?-]", _reference, text)


def _reference(match: re.Match[str]) -> str:
    return f"&#{ord(match[0]) if match[0].isprintable() else 0xFFFD};"
