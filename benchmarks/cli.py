"""The command: which scenarios, how large, and where the figures go."""

import os
import platform
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click
import psutil
from rich.console import Console
from rich.table import Table as Grid

import cloison
from benchmarks import page
from benchmarks.limits import checked
from benchmarks.processes import measured
from benchmarks.results import Entry, Machine, Results, decoded, python_version
from benchmarks.scenarios import SCENARIOS, Plan
from benchmarks.tables import Table, tables
from benchmarks.targets import judged, kept

_CPU = Path("/proc/cpuinfo")


@click.command(help=f"Measure Cloison. Scenarios: {', '.join(SCENARIOS)}; all when none is named.")
@click.argument("scenarios", nargs=-1, type=click.Choice(list(SCENARIOS)), metavar="[SCENARIO]...")
@click.option("--smoke", is_flag=True, help="Small worlds; fail where ratios are grossly wrong.")
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Tables, or all."
)
@click.option("--write-docs", is_flag=True, help="Write the tables into docs/performance.md.")
@click.option(
    "--from",
    "saved",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take the figures from what -o json printed, and measure nothing.",
)
@click.option("--folder", type=click.Path(file_okay=False), help="Where to put files of some 1 GB.")
def main(
    scenarios: tuple[str, ...],
    *,
    smoke: bool,
    output: str,
    write_docs: bool,
    saved: Path | None,
    folder: str | None,
) -> None:
    """Measure, print, and end with 1 where what must hold does not."""
    results = decoded(saved.read_bytes()) if saved else _run(scenarios, folder, smoke=smoke)
    if output == "json":
        sys.stdout.buffer.write(results.encoded() + b"\n")
    else:
        _print(tables(results))
    if write_docs:
        page.write(results)
    wrong = [f"{each.step}: {each.found.failed}" for each in results.failures]
    if results.smoke:
        wrong += [
            f"{c.what}: {c.value:.2f}, limit {c.most:g}" for c in checked(results) if not c.passed
        ]
    elif not kept(judged(results), whole=set(SCENARIOS) <= results.scenarios):
        wrong.append("more targets are missed than may be, or by more")
    for each in wrong:
        click.echo(f"error: {each}", err=True)
    sys.exit(bool(wrong))


def _run(scenarios: Iterable[str], folder: str | None, *, smoke: bool) -> Results:
    """Take every measurement, one after the other."""
    chosen = set(scenarios) or set(SCENARIOS)
    machine = _machine()
    entries = []
    with tempfile.TemporaryDirectory(dir=folder) as place:
        plan = Plan(smoke, Path(place))
        for name, steps in SCENARIOS.items():
            if name not in chosen:
                continue
            for step in steps(plan):
                click.echo(str(step), err=True)
                found = measured(step.measure, step.arguments, step.limit)
                entries.append(Entry(step, found))
                if found.failed:
                    click.echo(f"  FAILED: {found.failed}", err=True)
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    return Results(machine, tuple(entries), smoke, day, cloison.__version__)


def _machine() -> Machine:
    lines = _CPU.read_text().splitlines() if _CPU.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return Machine(
        processors=os.cpu_count() or 1,
        processor=next(names, platform.machine()),
        memory=psutil.virtual_memory().total,
        python=python_version(),
        load=os.getloadavg()[0],
    )


def _print(made: Iterable[Table]) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = 200
    for table in made:
        grid = Grid(title=table.title, title_justify="left")
        for place, heading in enumerate(table.headings):
            grid.add_column(heading, justify="right" if place else "left")
        for row in table.rows:
            grid.add_row(*row)
        console.print(grid)
