"""What was seen most, for people."""

from collections.abc import Iterator

from cloison.flows.answers import Counted, Top
from cloison.report.about import About, Look
from cloison.report.text.layout import folded, wrapped

_COLUMNS = ("src", "dst", "port", "verdict")
_STYLE = {"allowed": "green", "denied": "red"}


def lines(result: Top, _about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines."""
    if not result.rows:
        yield "no flows"
        return
    shown = [
        name for name in _COLUMNS if any(getattr(each, name) is not None for each in result.rows)
    ]
    names = {"src": "SOURCE", "dst": "DESTINATION", "port": "PORT", "verdict": "VERDICT"}
    head = ("COUNT", *(names[name] for name in shown), "LAST")
    rows = [head, *(_row(each, shown) for each in result.rows)]
    ends = [1 + shown.index(name) for name in ("src", "dst") if name in shown]
    for number, some in enumerate(folded(rows, ends, look)):
        verdict = result.rows[number - 1].verdict if number else None
        style = _STYLE.get(verdict or "")
        yield from (look.paint(line, style) if style else line for line in some)
    if result.total > len(result.rows):
        yield f"and {result.total - len(result.rows):,} more; -n 0 shows all"
    yield from _lacking(result, look)


def _row(line: Counted, shown: list[str]) -> tuple[str, ...]:
    cells = []
    for name in shown:
        value = getattr(line, name)
        cells.append("?" if value is None else str(value))
    if not line.oriented:
        # Either may have opened it.
        cells = [
            f"{cell} ?" if name == "src" else cell for name, cell in zip(shown, cells, strict=True)
        ]
    last = "" if line.last is None else f"{line.last:%Y-%m-%d %H:%M}"
    return (f"{line.count:,}", *cells, last)


def _lacking(result: Top, look: Look) -> Iterator[str]:
    if result.unoriented:
        said = f"{result.unoriented:,} of {result.count:,}: nobody knows who opened them (?)"
        yield from wrapped(said, look)
    if result.halfway:
        said = (
            f"{result.halfway:,} of {result.count:,} are unknown because only the source's side "
            "let them go; the destination's said nothing within the same hour (five minutes for "
            "summed records)"
        )
        yield from wrapped(said, look)
    if result.ambiguous:
        said = f"{result.ambiguous:,} of {result.count:,}: several held an address of theirs then"
        yield from wrapped(said, look)
