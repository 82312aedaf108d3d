"""The table: every application, every recommender, every cut-off."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.recommend.naive import naive
from benchmarks.recommend.ours import ours
from benchmarks.recommend.score import DAY, Past, Recommended, Recommender, Score, lived, scored
from benchmarks.recommend.stopping import cut
from benchmarks.recommend.worlds import START, World, example, worlds

BESIDE: Final = Path(__file__).resolve().parents[2].parent / "shared" / "data"
PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "recommend-benchmark.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
CUT_OFFS: Final = (1, 3, 7, 14)
OURS: Final = "cloison"
PRECISION: Final = 0.98
TIMES: Final = 10
"""The naive recommender breaks so many times as much, at least."""
SETTLED: Final = 3
"""Days from which on that is asked: after one, callers from outside are single addresses yet."""
HEADINGS: Final = (
    "application",
    "recommender",
    "watched",
    "recall, seen",
    "or asked",
    "recall, all",
    "precision",
    "excess",
    "breaks per workload-day",
    "shady let",
    "unseen, said",
    "unseen, then",
    "steady",
)


def main() -> int:
    """Print the table; 1 where a limit is missed, 2 where the applications are not there."""
    parser = ArgumentParser(prog="python -m benchmarks.recommend", description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=BESIDE)
    parser.add_argument("--only", help="One application.")
    parser.add_argument(
        "--smoke", action="store_true", help="The example alone, watched for a day."
    )
    parser.add_argument("--write-docs", action="store_true", help="Put the table into the docs.")
    said = parser.parse_args()
    if not said.smoke and not (said.data / "apps").is_dir():
        sys.stderr.write(f"error: no applications below {said.data}\n")
        return 2
    found: list[Row] = []
    console = Console(width=190)
    with TemporaryDirectory() as place:
        for world in (example(),) if said.smoke else worlds(said.data):
            if said.only in (None, world.name):
                rows = list(_rows(world, Path(place), CUT_OFFS[:1] if said.smoke else CUT_OFFS))
                console.print(_table(rows))
                found += rows
    if said.write_docs:
        _write(found)
    missed = [text for each in found for text in _missed(each, found)]
    for text in missed:
        console.print(f"missed: {text}")
    return 1 if missed else 0


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table.

    Args:
        app: The application.
        name: The recommender.
        watched: How much it was shown.
        days: The same as whole days.
        score: How good its policies are.
        steady: How much of them is the same as a day earlier; None where there is no day earlier.
    """

    app: str
    name: str
    watched: str
    days: int
    score: Score
    steady: float | None

    @property
    def cells(self) -> tuple[str, ...]:
        """Its texts."""
        score = self.score
        return (
            self.app,
            self.name,
            self.watched,
            f"{score.recall:.3f}",
            f"{score.named:.3f}",
            f"{score.truth:.3f}",
            f"{score.precision:.3f}",
            str(score.excess),
            f"{score.broken:.4f}",
            str(score.silent),
            "" if score.unseen is None else f"{score.unseen:.3%}",
            f"{score.new:.3%}",
            "" if self.steady is None else f"{self.steady:.2f}",
        )


def _missed(row: Row, rows: Sequence[Row]) -> Iterator[str]:
    """Yield the limits that a row of ours misses."""
    if row.name != OURS:
        return
    score, where = row.score, f"{row.app} after {row.watched}"
    beside = next(e for e in rows if (e.app, e.name, e.watched) == (row.app, "naive", row.watched))
    if score.named < 1:
        yield f"{where}: {score.named:.3f} of the edges seen are let through or asked about"
    if score.precision < PRECISION:
        yield f"{where}: precision {score.precision:.3f}"
    if score.silent:
        yield f"{where}: {score.silent} edges of the attacker or the person are let through"
    naive_ = beside.score.broken
    if row.days >= SETTLED and score.broken * TIMES > naive_:
        yield f"{where}: {score.broken:.4f} breaks per workload-day, naive {naive_:.4f}"


def _table(rows: Iterable[Row]) -> Table:
    table = Table(*HEADINGS)
    for row in rows:
        table.add_row(*row.cells)
    return table


def _rows(world: World, place: Path, cut_offs: Sequence[int]) -> Iterator[Row]:
    past = lived(world, place)
    for name, recommender in (("naive", _naive), (OURS, ours)):
        for days in cut_offs:
            until = START + days * DAY
            said = recommender(world, past.store, until)
            steady = _steady(past, recommender, said, until)
            yield Row(world.name, name, f"{days} d", days, scored(past, said, until), steady)
    short, until = cut(past, place)
    said = ours(world, short.store, until)
    minutes = (until - START) // 60_000_000
    rule = f"{OURS}, stopped after 10 min without anything new"
    yield Row(world.name, rule, f"{minutes} min", 0, scored(past, said, until), None)


def _naive(world: World, store: Path, until: int) -> Recommended:
    return Recommended(naive(store, until, world.namespaces))


def _steady(past: Past, recommender: Recommender, said: Recommended, until: int) -> float | None:
    """Return how much of policies is the same as a day earlier: shared ones of all."""
    before = until - DAY
    if before <= START:
        return None
    one = {_bare(text) for text in said.texts}
    other = {_bare(text) for text in recommender(past.world, past.store, before).texts}
    return len(one & other) / len(one | other) if one | other else 1.0


def _bare(text: str) -> str:
    """Return a policy without what says when it was seen: comments and annotations."""
    found = []
    for each in yaml.safe_load_all(text):
        if each:
            each["metadata"].pop("annotations", None)
            found.append(yaml.safe_dump(each))
    return "---\n".join(found)


def _write(rows: Iterable[Row]) -> None:
    lines = [" | ".join(HEADINGS), " | ".join("---" for _ in HEADINGS)]
    lines += [" | ".join(row.cells) for row in rows]
    table = "\n".join(f"| {line} |" for line in lines)
    text = PAGE.read_text("utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", "utf-8")
