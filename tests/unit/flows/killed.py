"""Runs that are killed: `python -m tests.unit.flows.killed ROUNDS SEED`.

Each round reads the same logs into a new store, in processes that are killed with signal 9, some
at a random step of what they do to files and some at a random moment; then once more to the end.
Prints what each store holds in the end. A process of its own, as it forks.
"""

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from cloison.flows.edges import edges
from cloison.flows.engines.digest import digest
from cloison.flows.engines.duck import Duck
from cloison.flows.store.ingest import Wanted, ingest
from cloison.flows.store.manifest import load
from cloison.flows.store.rolling import refresh
from cloison.flows.store.writer import writer
from tests.support.hubble import lines

LINES = 600


def main(rounds: int, seed: int) -> None:
    """Print a line for each round: how often it was killed, and what the store holds."""
    with tempfile.TemporaryDirectory() as directory:
        top = Path(directory)
        logs = _logs(top)
        for number in range(rounds):
            chance = random.Random(seed * 10_007 + number)
            store = top / f"store-{number}"
            killed = sum(_killed(store, logs, chance) for _ in range(chance.randint(1, 3)))
            if not killed:
                shutil.rmtree(store)
            _wait(_fork(store, logs, None))
            sys.stdout.write(f"{killed} {_holds(store)}\n")
            sys.stdout.flush()


def _logs(top: Path) -> list[Path]:
    logs = []
    for number in range(3):
        path = top / f"log-{number}"
        path.write_bytes(lines(number * LINES, (number + 1) * LINES) + b"no record\n")
        logs.append(path)
    return logs


def _killed(store: Path, logs: list[Path], chance: random.Random) -> bool:
    """Return whether a run was killed: it may have ended before."""
    if chance.random() < 0.6:
        return _wait(_fork(store, logs, chance.randint(0, 120)))
    child = _fork(store, logs, None)
    time.sleep(chance.random() * 0.4)
    os.kill(child, signal.SIGKILL)
    return _wait(child)


def _wait(child: int) -> bool:
    _pid, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        sys.exit(f"a run failed with {os.WEXITSTATUS(status)}")
    return os.WIFSIGNALED(status)


def _fork(store: Path, logs: list[Path], steps: int | None) -> int:
    child = os.fork()
    if child:
        return child
    try:
        if steps is not None:
            _mortal(steps)
        with writer(store) as held:
            for path in logs:
                ingest(held, path, Wanted(at_once=100))
        os._exit(0)
    except BaseException as error:  # noqa: BLE001
        sys.stderr.write(f"{error!r}\n")
        os._exit(1)


def _mortal(steps: int) -> None:
    """Kill this process at so many steps from now that change files."""
    left = [steps]

    def watch(event: str, _arguments: tuple[object, ...]) -> None:
        if event in {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir"}:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def _holds(store: Path) -> str:
    """Return what a store holds. A child works it out: what forks must not have run threads."""
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        with os.fdopen(read) as told:
            found = told.read()
        _wait(child)
        return found
    with writer(store) as held:
        engine = Duck(store / "scratch")
        refresh(held, engine)
        engine.close()
    manifest = load(store)
    lines_, flows, bad = 0, 0, 0
    for each in manifest.inputs:
        lines_, flows = lines_ + each.counts.lines, flows + each.counts.flows
        bad += each.counts.bad
    rows = sum(part.rows for part in manifest.of("flows"))
    kept = sum(part.rows for part in manifest.of("bad"))
    files = sum(1 for _ in store.rglob("part-*.parquet")) - len(manifest.parts)
    text = f"{lines_} {flows} {bad} {rows} {kept} {files} {digest(edges(store))}"
    os.write(write, text.encode())
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
