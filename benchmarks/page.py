"""Writes the tables of a run into `docs/performance.md`, between two marks."""

from pathlib import Path

from benchmarks.results import Results
from benchmarks.tables import Table, quantity, tables, targets, worlds

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN = "<!-- figures: written by `python -m benchmarks --write-docs`; do not edit below -->"
END = "<!-- figures: end -->"


def write(results: Results, page: Path = PAGE) -> None:
    """Replace what stands between the marks of a page.

    Raises:
        ValueError: The page lacks a mark.
    """
    before, found, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        msg = f"{page.name} lacks the lines between which figures are written"
        raise ValueError(msg)
    text = "\n\n".join((BEGIN, *_parts(results), END))
    page.write_text(before + text + after, encoding="utf-8")


def _parts(results: Results) -> list[str]:
    machine = results.machine
    said = (
        f"Measured on {results.day} with Cloison {results.version} on {machine.processors}"
        f" processors ({machine.processor}), {quantity(machine.memory, 'B')} of memory,"
        f" {machine.python}; at the start {machine.load:.1f} processes wanted a processor."
    )
    first = targets(results)
    rest = [table for table in tables(results) if table.title != first.title]
    return [said, *(_markdown(table) for table in (first, worlds(results), *rest))]


def _markdown(table: Table) -> str:
    rule = [" --- ", *(" --: " for _ in table.headings[1:])]
    lines = [_line(table.headings), f"|{'|'.join(rule)}|", *map(_line, table.rows)]
    return f"### {table.title}\n\n" + "\n".join(lines)


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
