"""Whenever a run is killed, the next one reads the rest: nothing is lost, nothing counts twice."""

import subprocess
import sys

import pytest

from tests.support.cli import ROOT
from tests.unit.flows.killed import LINES


def _rounds(number: int, seed: int) -> list[list[str]]:
    command = [sys.executable, "-m", "tests.unit.flows.killed", str(number), str(seed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [line.split() for line in done.stdout.splitlines()]


def _hold(rounds: list[list[str]]) -> int:
    """Assert that every store holds everything, once; return how many runs were killed."""
    found = {tuple(row[1:]) for row in rounds}
    assert len(found) == 1, found
    ((lines, flows, bad, rows, kept, orphans, _digest),) = found
    assert (lines, flows, bad) == (str(3 * LINES + 3), str(3 * LINES), "3")
    assert (rows, kept, orphans) == (flows, bad, "0")
    return sum(int(row[0]) for row in rounds)


def test_runs_that_are_killed_now_and_then() -> None:
    assert _hold(_rounds(4, 1)) >= 4


@pytest.mark.nightly
def test_a_hundred_runs_that_are_killed() -> None:
    assert _hold(_rounds(60, 2)) >= 100
