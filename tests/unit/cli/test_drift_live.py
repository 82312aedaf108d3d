"""`cloison drift --watch --relay`: a relay followed and judged in one process, against a server."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from cloison.flows.health import gaps
from cloison.flows.store.manifest import load
from tests.support.cli import plain_environment, run_cloison
from tests.support.drifting import BASE
from tests.support.relay import Ring, flow, kill, serving

pytest.importorskip("grpc")

START = 1_767_312_000
"""2026-01-02."""
ENTRY = "import sys; sys.argv[0] = 'cloison'; from cloison.cli import main; sys.exit(main())"
KEY = "D2|shop/Deployment/web|shop/Deployment/api|TCP|8080"
PATIENCE = 120
"""Seconds after which a test gives up: far more than anything here takes."""


def _denied(*hours: int, many: int = 3) -> list[Any]:
    """Return flows of `web` to a port of `api` that policy closes, some in each hour."""
    return [
        flow(
            "east/node-1",
            START + hour * 3600 + number,
            f"flow-{hour}-{number}",
            verdict=2,
            event_type={"type": 1},
            drop_reason_desc=133,
            l4={"TCP": {"source_port": 40_000 + number, "destination_port": 8080}},
        )
        for hour in hours
        for number in range(many)
    ]


def _line(port: int, *more: str) -> tuple[str, ...]:
    return (
        *("drift", "-f", "src", "-q", "--today", "2026-01-02", "--check", "D2,D7"),
        *("--watch", "--relay", f"127.0.0.1:{port}", "--store", "store"),
        *("--interval", "0.5", "--state", "state.json", *more),
    )


@contextmanager
def _running(place: Path, *line: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command in a process of its own, which is over when this is."""
    command = [sys.executable, "-c", ENTRY, *line]
    with subprocess.Popen(
        command,
        cwd=place,
        env=plain_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _until(place: Path, state: str) -> None:
    """Wait until the state file says how far the finding has come."""
    end = time.monotonic() + PATIENCE
    while _state(place) != state:
        assert time.monotonic() < end, _state(place)
        time.sleep(0.05)


def _state(place: Path) -> str | None:
    try:
        held = json.loads((place / "state.json").read_text("utf-8"))
    except FileNotFoundError:
        return None
    found: str | None = held["findings"].get(KEY, {}).get("state")
    return found


def _says(stream: IO[str] | None, word: str) -> str:
    """Return the line of a stream that has a word in it."""
    assert stream is not None
    for line in stream:
        if word in line:
            return line
    pytest.fail(f"nothing says {word!r}")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "all.yaml").write_text("---\n".join(BASE), "utf-8")
    return tmp_path


def _flows(place: Path) -> int:
    return sum(part.rows for part in load(place / "store").of("flows"))


def test_what_is_killed_while_it_follows_goes_on_where_it_was(place: Path) -> None:
    """The state file is whole, no flow is lost or counts twice, and what was known is known."""
    with (
        serving(Ring(_denied(0, 1), busy=True)) as (port, _),
        _running(place, *_line(port)) as process,
    ):
        _until(place, "new")
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert _flows(place) == 6
    ring = Ring(_denied(0, 1, 2, 3), busy=True)
    with serving(ring, port=port):
        confirmed = run_cloison(*_line(port, "--rounds", "1"), cwd=place)
    assert ring.asked[0].since.seconds == START + 3600 + 2 - 10
    assert (confirmed.exit, confirmed.err) == (1, "")
    assert "web -> shop/api on 8080/TCP is denied again and again" in confirmed.out
    assert "12 connections denied in 4 hours" in confirmed.out
    assert _flows(place) == 12
    assert _state(place) == "confirmed"
    with serving(Ring(_denied(0, 1, 2, 3), busy=True), port=port):
        known = run_cloison(*_line(port, "--rounds", "2"), cwd=place)
    assert (known.exit, known.err) == (0, "")
    assert known.out.count("nothing new") == 1
    assert _flows(place) == 12


def test_what_nodes_forgot_while_nobody_followed_is_told(place: Path) -> None:
    """The ring of a node was overrun: the hours in between do not count as watched."""
    with serving(Ring(_denied(0, many=5), busy=True)) as (port, _):
        assert run_cloison(*_line(port, "--rounds", "1"), cwd=place).exit == 0
    with serving(Ring(_denied(2, many=5), busy=True), port=port):
        assert run_cloison(*_line(port, "--rounds", "1"), cwd=place).exit == 0
    (gap,) = gaps(place / "store")
    assert gap.node == "node-1"
    assert gap.since == (START + 4) * 1_000_000
    assert gap.until == (START + 7200) * 1_000_000


def test_a_relay_that_goes_away_and_comes_back(place: Path) -> None:
    """Both are said, what came meanwhile is judged, and SIGTERM ends it in order."""
    ring = Ring(_denied(0, 1), busy=True)
    with serving(ring) as (port, server), _running(place, *_line(port)) as process:
        _until(place, "new")
        kill(server, ring)
        away = _says(process.stderr, "does not answer")
        assert f"relay://127.0.0.1:{port}" in away
        assert "hubble-relay" in away
        later = Ring(_denied(0, 1, 2, 3), busy=True)
        with serving(later, port=port):
            _says(process.stderr, "answers again")
            _until(place, "confirmed")
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate()
    assert process.returncode == 1
    assert "1 new; 1 finding stands" in out
    assert out.count("error[D2]") + out.count("warning[D2]") == 1
    assert _flows(place) == 12


def test_a_relay_that_was_never_there(place: Path) -> None:
    """It is said before anything is judged, and nothing is left that is in the way."""
    with serving(Ring()) as (port, _):
        pass
    ran = run_cloison(*_line(port, "--rounds", "1"), cwd=place)
    assert ran.exit == 2
    assert "cannot be reached" in ran.err
    assert "port-forward" in ran.err
    with serving(Ring(_denied(0), busy=True), port=port):
        assert run_cloison(*_line(port, "--rounds", "1"), cwd=place).exit == 0


def test_a_store_that_another_run_writes_to(place: Path) -> None:
    """Two that follow would count everything twice."""
    with serving(Ring(_denied(0, 1), busy=True)) as (port, _), _running(place, *_line(port)):
        _until(place, "new")
        ran = run_cloison(*_line(port, "--rounds", "1"), cwd=place)
    assert ran.exit == 2
    assert "another run is writing to the store" in ran.err


@pytest.mark.parametrize(
    "more",
    [
        ("--relay", "localhost:4245"),
        ("--tls",),
        ("--watch", "--rounds", "1", "--tls"),
        ("--watch", "--rounds", "1", "--keep-raw", "7"),
    ],
)
def test_what_is_for_a_relay_that_is_watched(place: Path, more: tuple[str, ...]) -> None:
    """Without one it would do nothing, and is refused."""
    ran = run_cloison("drift", "-f", "src", *more, cwd=place)
    assert ran.exit == 2
    assert "--relay" in ran.err
