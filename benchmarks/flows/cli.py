"""Flows to edges, beside SQL by hand, each run in a process of its own."""

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import psutil
import pyarrow as pa

from benchmarks.flows import byhand, world
from cloison.flows.edges import edges
from cloison.flows.engines.choose import choose
from cloison.flows.engines.digest import digest
from cloison.flows.engines.duck import MEMORY
from cloison.flows.store.manifest import load

RATIO: Final = 1.5
"""How many times the time of SQL by hand the expressions may take."""
PEAK: Final = 1_000_000_000
"""Bytes that they may hold at most."""
_COMPARED: Final = (
    "adapter", "src_ns", "src_workload", "dst_ns", "dst_workload",
    "proto", "port", "verdict", "initiator", "count", "halfway", "refused", "bytes", "windows",
    "hours", "first", "last",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Taken:
    """What a run took.

    Args:
        seconds: How long it took.
        cpu: Seconds of processors.
        peak: Bytes held at most.
        rows: Edges.
        digest: Of what is compared.
    """

    seconds: float
    cpu: float
    peak: int
    rows: int
    digest: str


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and return 1 where a target was missed or results differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flows", description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--hours", type=int, default=48)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--smoke", action="store_true", help="few rows; only results are compared")
    parser.add_argument("--store", type=Path, help="where to put it, and leave it")
    parser.add_argument("--engine", help="another one, which must come to the same: spark")
    asked = parser.parse_args(arguments)
    rows, hours = (200_000, 4) if asked.smoke else (asked.rows, asked.hours)
    with tempfile.TemporaryDirectory() as directory:
        store = asked.store or Path(directory) / "store"
        if not (store / "manifest.json").exists():
            begun = time.perf_counter()
            size = world.build(store, rows, hours)
            _say(f"{rows:,} flows of {hours} hours, {size / 1e6:,.0f} MB, written in "
                 f"{time.perf_counter() - begun:.0f} s")  # fmt: skip
        ours, hand = _alternating(store, 1 if asked.smoke else asked.runs)
        if asked.engine and _measured(asked.engine, store).digest != ours.digest:
            _say(f"{asked.engine} comes to something else")
            return 1
    return _judge(ours, hand, smoke=asked.smoke)


def _alternating(store: Path, runs: int) -> tuple[Taken, Taken]:
    """Return the best run of either, taken in turns: a busy machine hits both."""
    best: dict[str, Taken] = {}
    for _ in range(runs):
        for name in ("by hand", "expressions"):
            taken = _measured(name, store)
            if name not in best or taken.seconds < best[name].seconds:
                best[name] = taken
    return best["expressions"], best["by hand"]


def _measured(name: str, store: Path) -> Taken:
    taken = _apart(name, store)
    _say(f"{name:12}{taken.seconds:8.1f} s{taken.cpu:8.1f} CPU s"
         f"{taken.peak / 1e6:8,.0f} MB  {taken.rows:,} edges  {taken.digest}")  # fmt: skip
    return taken


def _judge(ours: Taken, hand: Taken, *, smoke: bool) -> int:
    if ours.digest != hand.digest:
        _say("the results differ")
        return 1
    ratio, cpu = ours.seconds / hand.seconds, ours.cpu / hand.cpu
    _say(f"ratio {ratio:.2f} of {RATIO} (CPU {cpu:.2f}); peak {ours.peak / 1e6:,.0f} MB of "
         f"{PEAK / 1e6:,.0f}")  # fmt: skip
    return 0 if smoke or (ratio <= RATIO and ours.peak < PEAK) else 1


def _apart(name: str, store: Path) -> Taken:
    """Return what a run takes in a process of its own."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(name, store, send))
    process.start()
    send.close()
    watched = psutil.Process(process.pid)
    peak = 0
    while not receive.poll(0.02):
        peak = max(peak, _held(watched))
    seconds, cpu, held, rows, found = receive.recv()
    process.join()
    return Taken(seconds, cpu, max(peak, held), rows, found)


def _run(name: str, store: Path, answer: "multiprocessing.connection.Connection") -> None:
    begun = time.perf_counter()
    before = time.process_time()
    found = _by_hand(store) if name == "by hand" else _ours(store, name)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - before
    itself = psutil.Process(os.getpid())
    # Spark works in a process of its own, which still is there.
    cpu += sum(sum(child.cpu_times()[:2]) for child in itself.children(recursive=True))
    held = _held(itself)
    rows = found.select(list(_COMPARED))
    answer.send((seconds, cpu, held, found.num_rows, digest(rows)))


def _held(process: psutil.Process) -> int:
    """Return the bytes that a process and those it began hold."""
    held: int = process.memory_info().rss
    for child in process.children(recursive=True):
        # It may be gone by now.
        with suppress(psutil.NoSuchProcess):
            held += child.memory_info().rss
    return held


def _ours(store: Path, name: str) -> pa.Table:
    if name == "expressions":
        return edges(store)
    engine = choose(name, store)
    try:
        return edges(store, engine=engine)
    finally:
        engine.close()


def _by_hand(store: Path) -> pa.Table:
    files = [str(store / part.path) for part in load(store).of("flows")]
    scratch = str(store / "scratch")
    with duckdb.connect() as connection:
        connection.execute(f"SET memory_limit = '{MEMORY}'")
        connection.execute("SET temp_directory = $place", {"place": scratch})
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("SET enable_progress_bar = false")
        found: pa.Table = connection.sql(byhand.EDGES, params={"files": files}).to_arrow_table()
        return found


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
