"""The table: every application, every recommender, every cut-off."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
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
from benchmarks.recommend.worlds import START, World, worlds

BESIDE: Final = Path(__file__).resolve().parents[2].parent / "shared" / "data"
PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "recommend-benchmark.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
CUT_OFFS: Final = (1, 3, 7, 14)
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
    """Print the table; 2 where the applications are not there."""
    parser = ArgumentParser(prog="python -m benchmarks.recommend", description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=BESIDE)
    parser.add_argument("--only", help="One application.")
    parser.add_argument("--write-docs", action="store_true", help="Put the table into the docs.")
    said = parser.parse_args()
    if not (said.data / "apps").is_dir():
        sys.stderr.write(f"error: no applications below {said.data}\n")
        return 2
    found: list[tuple[str, ...]] = []
    console = Console(width=190)
    with TemporaryDirectory() as place:
        for world in worlds(said.data):
            if said.only in (None, world.name):
                found += _rows(world, Path(place))
                console.print(_table(found[-2 * len(CUT_OFFS) - 1 :]))
    if said.write_docs:
        _write(found)
    return 0


def _table(rows: Sequence[tuple[str, ...]]) -> Table:
    table = Table(*HEADINGS)
    for row in rows:
        table.add_row(*row)
    return table


def _rows(world: World, place: Path) -> Iterator[tuple[str, ...]]:
    past = lived(world, place)
    for name, recommender in (("naive", _naive), ("cloison", ours)):
        for days in CUT_OFFS:
            until = START + days * DAY
            said = recommender(world, past.store, until)
            steady = _steady(past, recommender, said, until)
            yield _row(world.name, name, f"{days} d", scored(past, said, until), steady)
    short, until = cut(past, place)
    said = ours(world, short.store, until)
    minutes = (until - START) // 60_000_000
    rule = "cloison, stopped after 10 min without anything new"
    yield _row(world.name, rule, f"{minutes} min", scored(past, said, until), None)


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


def _row(app: str, name: str, watched: str, score: Score, steady: float | None) -> tuple[str, ...]:
    return (
        app,
        name,
        watched,
        f"{score.recall:.3f}",
        f"{score.named:.3f}",
        f"{score.truth:.3f}",
        f"{score.precision:.3f}",
        str(score.excess),
        f"{score.broken:.4f}",
        str(score.silent),
        "" if score.unseen is None else f"{score.unseen:.3%}",
        f"{score.new:.3%}",
        "" if steady is None else f"{steady:.2f}",
    )


def _write(rows: Sequence[tuple[str, ...]]) -> None:
    lines = [" | ".join(HEADINGS), " | ".join("---" for _ in HEADINGS)]
    lines += [" | ".join(row) for row in rows]
    table = "\n".join(f"| {line} |" for line in lines)
    text = PAGE.read_text("utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", "utf-8")
