"""What the forms of a matrix say alike: its rows, who decided on one, how many came to what."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from cloison.analyses.explain import Decider
from cloison.analyses.matrix import Row
from cloison.ir.fidelity import Verdict
from cloison.report.about import Look
from cloison.report.text.layout import count, table, wrapped

DECIDERS = 3
"""So many deciders of one row are named."""


def row_lines(
    head: Sequence[str], rows: Sequence[Sequence[str]], style: Mapping[str, str], look: Look
) -> Iterator[str]:
    """Iterate over the lines of a table whose rows start with what came of them, in its colour.

    Args:
        head: What the columns are called.
        rows: The rows. Without any there is no table.
        style: The colour of each outcome.
        look: How lines are laid out.
    """
    if not rows:
        return
    first, *rest = table([head, *rows])
    yield first
    for (word, *_), line in zip(rows, rest, strict=True):
        yield look.paint(word, style[word]) + line.removeprefix(word)
    yield ""


def title(row: Row, word: str, colour: str, look: Look) -> str:
    """Return the line that a closer look at a row begins with.

    Args:
        row: The row.
        word: What came of it.
        colour: Of that word.
        look: How lines are laid out.
    """
    place = f"  {row.span.place}" if row.span else ""
    return f"{look.paint(word, 'bold', colour)}  {row.name}{place}"


def unasked(error: str, help_: str | None, look: Look) -> Iterator[str]:
    """Iterate over the lines about a row that could not be asked."""
    yield from wrapped(error, look, "  ")
    if help_:
        yield from wrapped(help_, look, "  help: ")


def needed(row: Row, look: Look) -> Iterator[str]:
    """Iterate over the lines about why a row is there, if it says so."""
    if row.why:
        yield from wrapped(row.why, look, "  needed: " if opens(row) else "  closed: ")


def opens(row: Row) -> bool:
    """Return whether a row expects its path to be open."""
    return row.expect is not None and row.expect.verdict is Verdict.ALLOWED


def tally(passed: int, total: int, others: Iterable[tuple[int, str]]) -> str:
    """Return how many rows came to what, in a sentence.

    Args:
        passed: How many passed.
        total: How many there are.
        others: How many did not, each number with what came of those.
    """
    if not total:
        return "no rows"
    if passed == total:
        return f"all {count(total, 'row')} passed" if total > 1 else "1 row passed"
    said = [f"{number} {word}" for number, word in others if number]
    return f"of {count(total, 'row')}, {', '.join(said)} and {passed} passed"


def telling(said: Sequence[Decider]) -> tuple[Decider, ...]:
    """Return the deciders worth naming: policies if there are any, else all.

    Of policies that isolate one each way is enough.
    """
    rules = tuple(d for d in said if d.rule is not None)
    first: dict[object, Decider] = {}
    for decider in said:
        if decider.policy is not None and decider.rule is None:
            first.setdefault(decider.direction, decider)
    return (*rules, *first.values()) or tuple(said)


def decided(said: Sequence[Decider]) -> str:
    """Name what decided: for a closed path what closes it, for an open one what opens it."""
    texts = list(dict.fromkeys(d.text for d in telling(said)))
    more = f" and {len(texts) - 2} more" if len(texts) > DECIDERS else ""
    return ", ".join(texts[: 2 if more else DECIDERS]) + more
