"""Whatever is killed, and whenever: nothing stays, and the next command sweeps the directory."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil
import pytest

from cloison.probe.lab.client import Lab
from tests.lab.leftovers import MARK, marked, seen, until

_UP = """
import sys
from cloison.probe.lab.client import Lab
from cloison.probe.lab.plan import Listen, Plan, Station

pods = tuple(
    Station(f"web/p{i}", "n", (f"10.0.0.{i}", f"fd00::{i:x}"), (Listen("TCP", 80),))
    for i in range(1, 9)
)
node = Station("node:n", "n", ("192.168.0.1", "fd01::1"))
rules = {"n": "table inet t { chain c { type filter hook forward priority 0; } }"}
with Lab.up(Plan((node,), pods, ("203.0.113.1",), rulesets=rules), "victim") as lab:
    if sys.argv[1] == "stay":
        lab.stay()
    else:
        sys.stdin.read()
"""
_KINDS = ("client", "unshare", "first", "host", "all")


def _start(mark: str, directory: Path, how: str) -> "subprocess.Popen[bytes]":
    surroundings = {**os.environ, MARK: mark, "XDG_RUNTIME_DIR": str(directory)}
    return subprocess.Popen(
        [sys.executable, "-c", _UP, how],
        env=surroundings,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _victims(mark: str, client: int, kind: str) -> list[psutil.Process]:
    """Return the processes to kill; the client where there is none of the kind yet."""
    there = marked(mark)
    if kind == "all":
        return there
    lab = [p for p in there if p.pid != client and _is_lab(p)]
    wanted = {
        "unshare": [p for p in there if p.pid != client and not _is_lab(p)][:1],
        "first": lab[:1],
        "host": lab[1:2],
    }
    return wanted.get(kind) or [p for p in there if p.pid == client] or there


def _is_lab(process: psutil.Process) -> bool:
    try:
        return "cloison.probe.lab.host" in process.cmdline() and process.name() != "unshare"
    except psutil.Error:
        return False


def _kills(numbers: range, directory: Path) -> None:
    before = seen()
    # How long building takes here and now, so that kills fall into all of it.
    began = time.monotonic()
    _start("whole", directory, "stay").communicate()
    lasts = time.monotonic() - began
    _down(Lab.all())
    for number in numbers:
        chance, kind = random.Random(number), _KINDS[number % len(_KINDS)]
        how = chance.choice(("stay", "wait"))
        mark = f"{os.getpid()}-{number}"
        client = _start(mark, directory, how)
        time.sleep(chance.uniform(0, 1.3 * lasts))
        for victim in _victims(mark, client.pid, kind):
            with suppress(psutil.NoSuchProcess):
                victim.kill()
        client.communicate()
        if how == "stay":
            _down(Lab.all())
        assert until(partial(_gone, mark)), (number, kind, how, marked(mark))
        # A process that ends has no environment any more, and is there for a moment yet.
        assert until(partial(_swept, directory)), (number, kind, how)
    assert seen() == before


def _gone(mark: str) -> bool:
    return not marked(mark)


def _swept(directory: Path) -> bool:
    return Lab.all() == () and not list((directory / "cloison" / "labs").iterdir())


def _down(labs: Iterable[Lab]) -> None:
    for lab in labs:
        lab.down()


@pytest.mark.usefixtures("machine")
def test_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    _kills(range(10), tmp_path)


@pytest.mark.nightly
@pytest.mark.usefixtures("machine")
def test_nothing_stays_of_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    _kills(range(10, 60), tmp_path)
