"""A drafted contract in short, for people."""

from collections.abc import Iterator

from cloison.analyses.draft.model import Draft, Drafted
from cloison.report.about import About, Look
from cloison.report.text.layout import table, wrapped

_STYLE = {"high": "green", "medium": "yellow", "low": "dim"}


def lines(result: Draft, _about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines."""
    every = (*result.accepted, *result.suggested)
    if every:
        head = ("FROM", "TO", "PORTS", "CONFIDENCE", "")
        cells = [
            _row(each, counts=number < len(result.accepted)) for number, each in enumerate(every)
        ]
        for number, line in enumerate(table([head, *cells])):
            style = _STYLE.get(str(every[number - 1].sure)) if number else None
            yield look.paint(line, style) if style else line
    else:
        yield "no dependencies"
    if result.unclassified:
        names = ", ".join(map(str, result.unclassified))
        yield from wrapped(f"without a zone: {names}", look)
    for each in result.doubts:
        yield from wrapped(f"question: {each.said}", look)


def _row(each: Drafted, *, counts: bool) -> tuple[str, ...]:
    entry = each.entry
    ports = ", ".join(port.text for port in entry.ports) or "?"
    ends = (entry.source.text, entry.destination.text)
    return (*ends, ports, str(each.sure), "" if counts else "to confirm")
