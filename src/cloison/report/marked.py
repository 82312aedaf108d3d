"""Markdown: text in which nothing is read but what is meant, and tables that open with a click."""

import re
from collections.abc import Iterable, Iterator, Sequence

from cloison.report.text.layout import count

_SAFE = re.compile(r"[A-Za-z0-9 ./,:_()+*-]*\Z")


def folded(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]], shown: int = 40
) -> Iterator[str]:
    """Iterate over a table; one of many rows opens with a click.

    Args:
        title: What to call it where it is shut.
        head: Its columns.
        rows: Its rows, as Markdown.
        shown: How many rows are shown at once.
    """
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


def caveats(said: Iterable[str]) -> Iterator[str]:
    """Iterate over caveats, as Markdown, that open with a click."""
    found = list(said)
    if found:
        yield f"<details><summary>{count(len(found), 'caveat')}</summary>"
        yield ""
        yield from (f"- {each}" for each in found)
        yield ""
        yield "</details>"


def code(said: str) -> str:
    """Return text as code, whatever is in it.

    >>> code("web/api"), code("a|b")
    ('`web/api`', '<code>a&#124;b</code>')
    """
    return f"`{said}`" if said and _SAFE.match(said) else f"<code>{text(said)}</code>"


def text(said: str) -> str:
    """Return text as it is, with nothing in it that Markdown or HTML would read."""
    return re.sub(r"[^A-Za-z0-9 .,;:/()'?-]", _reference, said)


def _reference(match: re.Match[str]) -> str:
    return f"&#{ord(match[0]) if match[0].isprintable() else 0xFFFD};"
