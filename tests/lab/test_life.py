"""How labs begin and end."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cloison.base import QuestionError, SourceError
from cloison.probe.lab import client, start, state
from cloison.probe.lab.client import Lab
from cloison.probe.lab.plan import Listen, Plan, Probe, Station
from tests.lab.leftovers import seen, until
from tests.support.machine import need_users

PLAN = Plan(
    (Station("node:n", "n", ("192.168.0.1",)),),
    (Station("web/a", "n", ("10.0.0.1",), (Listen("TCP", 80),)),),
)
PROBE = Probe("node:n", "192.168.0.1", "10.0.0.1", "TCP", 80)

pytestmark = pytest.mark.usefixtures("machine")


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def test_it_ends_with_the_block_and_leaves_nothing() -> None:
    before = seen()
    with Lab.up(PLAN) as lab:
        pid = lab.pid
        assert lab.probe([PROBE])[0].outcome == "open"
        assert seen() == before, "nothing of it is to be seen from outside"
    assert state.Owner.of(pid) is None
    assert not lab.place.path.exists()
    assert seen() == before
    with pytest.raises(SourceError, match="does not answer"):
        lab.status()
    lab.down()


def test_one_that_stays_is_found_by_name_until_it_is_ended() -> None:
    with Lab.up(PLAN, "mine") as lab:
        lab.stay()
    found = Lab.find("mine")
    assert found.plan == PLAN
    assert [each.name for each in Lab.all()] == ["mine"]
    with pytest.raises(QuestionError, match="there is a lab called 'mine' already"):
        Lab.up(PLAN, "mine")
    with Lab.up(PLAN, "other") as other:
        assert other.probe([PROBE])[0].outcome == "open"
        assert [each.name for each in Lab.all()] == ["mine"], "others are their commands' own"
    found.down()
    assert Lab.all() == ()
    with pytest.raises(QuestionError, match="there is no lab called 'mine'"):
        Lab.find("mine")


def test_who_asks_when_it_has_been_killed_is_told() -> None:
    with Lab.up(PLAN, "mine") as lab:
        os.kill(lab.pid, 9)
        with pytest.raises(SourceError):
            lab.probe([PROBE])
        assert until(lambda: state.places() == ())
        with pytest.raises(QuestionError, match="no lab called"):
            Lab.find("mine")


def test_what_cannot_be_built_is_said_and_leaves_nothing() -> None:
    broken = Plan(PLAN.nodes, (Station("web/a", "n", ("10.0.0.999",)),))
    with pytest.raises(SourceError, match="could not be set up: ip says"):
        Lab.up(broken, "mine")
    assert list(state.home().iterdir()) == []


def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(SourceError, match="not built in time"):
        Lab.up(PLAN, "mine", timeout=0)
    assert list(state.home().iterdir()) == []


def test_a_process_that_fails_has_its_last_words_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(SourceError, match="ended while it was building"):
        Lab.up(PLAN, "mine")
    assert list(state.home().iterdir()) == []


def test_it_needs_no_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """As root, too, a lab can be built the way that others must."""
    line = ["unshare", "--user", "--map-root-user", *start.PRIVATE]
    need_users(line)
    monkeypatch.setattr(client, "command", lambda: line)
    with Lab.up(PLAN) as lab:
        assert lab.probe([PROBE])[0].outcome == "open"
        inside = lab.inside("web/a", ["ip", "-brief", "address"])
        done = subprocess.run(inside, capture_output=True, text=True, check=True)
        assert "10.0.0.1" in done.stdout


def _nowhere(_name: str, path: str) -> None:
    """Find nothing, wherever one looks."""
    assert path.endswith("/sbin")


def test_what_a_machine_lacks_is_said_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", _nowhere)
    with pytest.raises(SourceError, match="needs ip, nft, unshare, nsenter") as caught:
        start.command()
    assert caught.value.help is not None
    assert "apt install iproute2 nftables util-linux" in caught.value.help


def test_where_namespaces_are_forbidden_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = start.Ran(1, "", "unshare: unshare failed: Operation not permitted\n")
    monkeypatch.setattr(start, "run", lambda _line: refused)
    with pytest.raises(SourceError, match="Operation not permitted") as caught:
        start.command()
    assert caught.value.help is not None
    assert "kernel.unprivileged_userns_clone" in caught.value.help


def test_a_world_that_is_too_large_is_said() -> None:
    many = tuple(Station(f"web/p{n}", "n", ()) for n in range(client.MOST))
    with pytest.raises(QuestionError, match="more than a lab has room for"):
        Lab.up(Plan(PLAN.nodes, many))
