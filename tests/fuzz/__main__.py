"""Fuzzing from the command line: `python -m tests.fuzz [TARGET ...]`.

Each target runs in a process of its own, below `build/fuzz/`, and starts from what is kept under
`tests/fuzz/corpus` and `tests/fuzz/found`.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.mutate import FIELDS
from tests.fuzz.target import LONGEST
from tests.fuzz.targets import TABLE, target

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "fuzz"
_STAT = re.compile(r"^stat::(\w+):\s+(\d+)", re.MULTILINE)
_STATUS = re.compile(r"cov: (\d+) ft: \d+ corp: (\d+)/")
SLOWEST = 30
"""Seconds an input may take. A bound on the search, with room for a busy machine; no measure."""
LARGEST = 2048
"""Mebibytes a search may take, the fuzzer's own included."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search came to.

    Args:
        target: Its target.
        executions: Inputs tried.
        coverage: Branches reached.
        corpus: Inputs that each reach something of their own.
        memory: Mebibytes at the peak.
        slowest: Seconds of the slowest input.
        findings: Names of the faults found.
        place: Where they are.
    """

    target: str
    executions: int
    coverage: int
    corpus: int
    memory: int
    slowest: int
    findings: tuple[str, ...]
    place: Path


def kept(name: str) -> list[Path]:
    """Return the directories of inputs that the repository keeps for a target."""
    return [HERE / kind / name for kind in ("corpus", "found") if (HERE / kind / name).is_dir()]


def _words(name: str) -> str:
    """Return libFuzzer's dictionary."""
    words = dict.fromkeys([*target(name).words, *FIELDS])
    lines = []
    for word in words:
        escaped = "".join(
            chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in word.encode()
        )
        if 0 < len(word.encode()) <= 64:
            lines.append(f'"{escaped}"\n')
    return "".join(lines)


def run(name: str, *, seconds: int, runs: int) -> Outcome:
    """Search one target, and return what came of it.

    Args:
        name: The target.
        seconds: How long; 0 for no limit.
        runs: How many inputs, the same ones each time; 0 for no limit.
    """
    place = BUILD / ("smoke" if runs else "") / name
    # A long search goes on where the last one ended; a short one owes nothing to others.
    for part in ("seeds", "findings", *(("corpus",) if runs else ())):
        shutil.rmtree(place / part, ignore_errors=True)
    for part in ("corpus", "seeds", "findings"):
        (place / part).mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target(name).seeds()):
        (place / "seeds" / f"{number:03}").write_bytes(seed[:LONGEST])
    (place / "words").write_text(_words(name), encoding="ascii")
    arguments = [
        f"-artifact_prefix={place / 'findings'}/",
        f"-dict={place / 'words'}",
        f"-max_len={LONGEST}",
        "-len_control=100",  # short inputs first: they are quick, and say more
        f"-timeout={SLOWEST}",
        f"-rss_limit_mb={LARGEST}",
        "-print_final_stats=1",
        "-report_slow_units=10",
    ]
    arguments += [f"-max_total_time={seconds}"] if seconds else []
    arguments += [f"-runs={runs}", "-seed=1"] if runs else []
    arguments += [str(place / "corpus"), str(place / "seeds"), *map(str, kept(name))]
    with (place / "log").open("wb") as log:
        ended = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.worker", name, str(place / "findings"), *arguments],
            cwd=HERE.parents[1],
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
            env={**os.environ, "PYTHONHASHSEED": "0"} if runs else None,
        )
    return outcome(name, place, ended.returncode)


def outcome(name: str, place: Path, code: int) -> Outcome:
    """Return what a search that ended with an exit code left behind at a place."""
    text = (place / "log").read_text(encoding="utf-8", errors="replace")
    stats = {key: int(value) for key, value in _STAT.findall(text)}
    *_, (coverage, corpus) = [("0", "0"), *_STATUS.findall(text)]
    found = sorted(
        path.name
        for path in (place / "findings").iterdir()
        if path.suffix != ".txt" and not path.name.startswith("slow-unit-")
    )
    if code and not found:
        found = [f"the search ended with {code}"]
    return Outcome(
        name,
        stats.get("number_of_executed_units", 0),
        int(coverage),
        int(corpus),
        stats.get("peak_rss_mb", 0),
        stats.get("slowest_unit_time_sec", 0),
        tuple(found),
        place / "findings",
    )


_HEAD = (
    f"{'target':14}{'executions':>12}{'coverage':>10}{'corpus':>8}{'MiB':>7}{'slowest':>9}"
    f"{'findings':>10}"
)


def _row(one: Outcome) -> str:
    """Return the summary of one search."""
    return (
        f"{one.target:14}{one.executions:>12}{one.coverage:>10}{one.corpus:>8}{one.memory:>7}"
        f"{one.slowest:>8}s{len(one.findings):>10}"
    )


def main() -> int:
    """Search, and say what came of it; 1 when something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TABLE)}")
    parser.add_argument("--seconds", type=int, default=0, help="how long each")
    parser.add_argument("--runs", type=int, default=0, help="how many inputs each")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time")
    said = parser.parse_args()
    unknown = sorted(set(said.targets) - TABLE.keys())
    if unknown:
        parser.error(f"there is no target {unknown[0]}; there are {', '.join(TABLE)}")
    if find_spec("atheris") is None:
        print("atheris is not installed: it has no wheel for this Python or machine")
        return 0 if said.runs else 2
    search = partial(run, seconds=said.seconds, runs=said.runs)
    print(_HEAD)
    outcomes = []
    with ThreadPoolExecutor(said.jobs) as pool:
        for one in pool.map(search, said.targets or TABLE):
            outcomes.append(one)
            print(_row(one), flush=True)
    for one in outcomes:
        for found in one.findings:
            print(f"\n{one.target}: {found}, in {one.place}")
            said_of_it = one.place / Path(found).with_suffix(".txt").name
            if said_of_it.is_file():
                text = said_of_it.read_text(encoding="utf-8").rstrip()
                print("\n".join(text.splitlines()[-8:]))
    return 1 if any(one.findings for one in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
