"""Columns, wrapped sentences and verdicts, as every text output writes them."""

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap

from cloison.base import Span
from cloison.ir.fidelity import Verdict
from cloison.report.about import About, Look, unpainted

STYLE = {
    Verdict.ALLOWED: "green",
    Verdict.DENIED: "red",
    Verdict.UNDETERMINED: "yellow",
    Verdict.MIXED: "yellow",
}


def verdict(known: Verdict, look: Look) -> str:
    """Return a verdict in capitals and, where there are colours, in its own."""
    return look.paint(str(known).upper(), "bold", STYLE[known])


def wrapped(text: str, look: Look, first: str = "", then: str | None = None) -> Iterator[str]:
    """Iterate over the lines of a sentence.

    Args:
        text: The sentence.
        look: How wide lines may be.
        first: What the first line begins with.
        then: What the others begin with; as many spaces when not said.
    """
    shown = len(unpainted(first))
    following = " " * shown if then is None else then
    width = max(40, min(look.width, 110))
    found = wrap(
        text,
        width,
        initial_indent="_" * shown,
        subsequent_indent=following,
        break_long_words=False,
        break_on_hyphens=False,
    )
    if not found:
        yield first.rstrip()
        return
    yield first + found[0][shown:]
    yield from found[1:]


def table(rows: Iterable[Sequence[str]], gap: int = 2, indent: str = "") -> Iterator[str]:
    """Iterate over rows in columns as wide as they need; the last is as long as it is."""
    known = [list(row) for row in rows]
    if not known:
        return
    widths = [max(len(row[i]) for row in known) for i in range(len(known[0]) - 1)]
    for row in known:
        cells = [cell.ljust(width + gap) for cell, width in zip(row, widths, strict=False)]
        yield (indent + "".join(cells) + row[-1]).rstrip()


def folded(
    rows: Sequence[Sequence[str]], below: Sequence[int], look: Look
) -> Iterator[tuple[str, ...]]:
    """Iterate over rows in columns; where lines get too long, some cells stand below the others.

    Args:
        rows: The rows, the head first.
        below: Which cells those are.
        look: How wide lines may be.
    """
    wide = list(table(rows))
    if max(map(len, wide)) <= look.width:
        yield from ((line,) for line in wide)
        return
    left = [[cell for i, cell in enumerate(row) if i not in below] for row in rows]
    for line, row in zip(table(left), rows, strict=True):
        yield line, f"    {' -> '.join(row[i] for i in below)}"


def at(span: Span | None) -> str:
    """Return a place in parentheses with a space before it, or nothing."""
    return f" ({span.place})" if span else ""


def listed(items: Sequence[str], limit: int = 8) -> str:
    """Return items as a list in a sentence, cut where it gets long."""
    if len(items) > limit:
        return f"{', '.join(items[: limit - 1])} and {len(items) - limit + 1} more"
    return ", ".join(items)


def count(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> count(1, "policy"), count(2, "policy"), count(3, "address")
    ('1 policy', '2 policies', '3 addresses')
    """
    if number == 1:
        return f"1 {noun}"
    if noun.endswith("y"):
        return f"{number} {noun[:-1]}ies"
    return f"{number} {noun}{'es' if noun.endswith('s') else 's'}"


def profile_line(about: About) -> str:
    """Return who is taken to enforce, how that was chosen, and what holds of all it says."""
    chosen = "by default; name yours with --cni" if about.chosen == "default" else about.chosen
    known = ", ".join(c.id for c in sorted(about.profile.known))
    carried = f"; all it says carries {known}" if known else ""
    return f"profile {about.profile.name} ({chosen}){carried}"
