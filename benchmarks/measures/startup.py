"""What a command takes that has little to do."""

import statistics
import sys
from pathlib import Path

from benchmarks.commands import Ran, run
from benchmarks.measured import Measured, Phase

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "case-management"


def startup(runs: int) -> Measured:
    """Measure commands, in turns, so that what else the machine does falls on all alike.

    Args:
        runs: How often each is run.
    """
    cloison = [str(Path(sys.executable).with_name("cloison"))]
    if not Path(cloison[0]).exists():
        cloison = [sys.executable, "-m", "cloison"]
    commands = {
        "python": [sys.executable, "-c", "pass"],
        "click": [sys.executable, "-c", "import click"],
        "help": [*cloison, "--help"],
        "why": [
            *cloison,
            "why",
            "web/case-portal",
            "evidence/evidence-api:8080",
            "-f",
            str(EXAMPLE),
        ],
    }
    taken: dict[str, list[Ran]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            found = run(command)
            if found.code not in {0, 1}:
                return Measured(failed=f"{name} ended with code {found.code}")
            # The first turn fills caches, of files and of bytecode.
            if turn:
                taken[name].append(found)
    return Measured({name: _median(found) for name, found in taken.items()})


def _median(found: list[Ran]) -> Phase:
    walls = [each.wall for each in found]
    cpu = statistics.median(each.cpu for each in found)
    return Phase(cpu, statistics.median(walls), len(walls), max(walls))
