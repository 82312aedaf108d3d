"""Connections hour by hour, as bars: one row for each thing that has them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cloison.analyses.past.course import HOUR, Course
from cloison.report.documents.reconciled import told_time
from cloison.report.html.frame import shown

_BARS: Final = 240
"""Bars of a row: where there are more hours, one bar is of several."""
_WIDTH, _HEIGHT = 720, 28
_STEPS: Final = (1, 2, 3, 4, 6, 8, 12, 24)

STYLE: Final = """
.bars { display: block; width: 720px; max-width: 100%; height: 28px; }
.bars rect { fill: var(--bad); } .bars .ground { fill: var(--ground); }
.bars .unwatched { fill: var(--unwatched); }
@media (max-width: 700px) {
  .times, .times tbody, .times caption { display: block; } .times thead { display: none; }
  .times tr { display: grid; grid-template-columns: 1fr auto; }
  .times tr > :last-child { grid-column: 1 / -1; padding-right: 0; }
  .times tr > :not(:last-child) { border-bottom: 0; overflow-wrap: anywhere; }
}
"""
"""How bars look; the page says the colours."""


@dataclass(frozen=True)
class Row:
    """One row of bars.

    Args:
        name: What it is of.
        course: Its connections.
        anchor: The id of what tells more of it; empty where nothing does.
    """

    name: str
    course: Course
    anchor: str = ""


@dataclass(frozen=True)
class Axis:
    """Hours from the first to the last, and how many of them a bar is of.

    Args:
        first: The first hour since 1970.
        last: The last.
    """

    first: int
    last: int

    @property
    def step(self) -> int:
        """How many hours a bar is of."""
        hours = self.last - self.first + 1
        fits = (step for step in _STEPS if hours <= step * _BARS)
        return next(fits, -(-hours // _BARS))

    @property
    def bars(self) -> int:
        """How many bars there are."""
        return -(-(self.last - self.first + 1) // self.step)

    def counts(self, course: Course) -> list[int]:
        """Return the connections of each bar; hours that are not on the axis are left out."""
        found = [0] * self.bars
        for hour, number in zip(course.hours, course.counts, strict=True):
            if self.first <= hour <= self.last:
                found[(hour - self.first) // self.step] += number
        return found

    def since(self, bar: int) -> str:
        """Return when a bar begins."""
        return told_time((self.first + bar * self.step) * HOUR) or ""


def timeline(rows: Sequence[Row], watched: Sequence[int]) -> Iterator[str]:
    """Yield a table of bars, and the same as numbers.

    Args:
        rows: What there are bars of.
        watched: The hours that were watched, ascending.
    """
    if not watched or not rows:
        return
    axis = Axis(watched[0], watched[-1])
    every = "hour" if axis.step == 1 else f"{axis.step} hours"
    seen = Course.of((hour, 1) for hour in watched)
    dark = [bar for bar, hours in enumerate(axis.counts(seen)) if not hours]
    ends = f"{axis.since(0)} to {told_time((axis.last + 1) * HOUR)}"
    yield (
        f'<div class="wide"><table class="times"><caption>Connections that would be denied, '
        f"each {every} of {ends}; the highest bar of a row is its busiest. Grey: nobody watched."
        "</caption>"
        '<thead><tr><th scope="col">what</th><th scope="col">connections</th>'
        '<th scope="col">when</th></tr></thead><tbody>\n'
    )
    for row in rows:
        yield _row(row, axis, dark, every)
    yield "</tbody></table></div>\n"
    yield from _numbers(rows, axis, dark)


def _row(row: Row, axis: Axis, dark: Iterable[int], every: str) -> str:
    counts = axis.counts(row.course)
    most = max(counts, default=0)
    name = shown(row.name)
    if row.anchor:
        name = f'<a href="#{row.anchor}">{name}</a>'
    busiest = f", {most} at most, at {axis.since(counts.index(most))}" if most else ""
    hours = sum(1 for number in counts if number)
    label = shown(f"{row.name}: in {hours} of {axis.bars} bars of {every}{busiest}")
    width = _WIDTH / axis.bars
    parts = [f'<rect class="ground" width="{_WIDTH}" height="{_HEIGHT}"/>']
    parts += [
        f'<rect class="unwatched" x="{bar * width:.2f}" width="{width:.2f}" height="{_HEIGHT}"/>'
        for bar in dark
    ]
    for bar, number in enumerate(counts):
        if number:
            tall = max(2.0, _HEIGHT * number / most)
            parts.append(
                f'<rect x="{bar * width:.2f}" y="{_HEIGHT - tall:.1f}" width="{width:.2f}" '
                f'height="{tall:.1f}"><title>{number:,} from {axis.since(bar)}</title></rect>'
            )
    return (
        f'<tr><th scope="row">{name}</th><td class="number">{row.course.total:,}</td><td>'
        f'<svg class="bars" role="img" aria-label="{label}" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'preserveAspectRatio="none">{"".join(parts)}</svg></td></tr>\n'
    )


def _numbers(rows: Sequence[Row], axis: Axis, dark: Sequence[int]) -> Iterator[str]:
    """Yield the bars as numbers, for whoever cannot see them."""
    counts = [axis.counts(row.course) for row in rows]
    heads = "".join(f'<th scope="col">{shown(row.name)}</th>' for row in rows)
    yield (
        '<details><summary>The same as numbers</summary><div class="wide"><table>'
        f'<thead><tr><th scope="col">from</th>{heads}</tr></thead><tbody>\n'
    )
    unseen = frozenset(dark)
    for bar in range(axis.bars):
        if bar in unseen:
            cells = f'<td colspan="{len(rows)}">nobody watched</td>'
        elif any(each[bar] for each in counts):
            cells = "".join(f'<td class="number">{each[bar]:,}</td>' for each in counts)
        else:
            continue
        yield f'<tr><th scope="row">{axis.since(bar)}</th>{cells}</tr>\n'
    yield "</tbody></table></div></details>\n"
