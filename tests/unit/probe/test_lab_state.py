"""Directories of labs: who owns them, and when they are swept away."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from cloison.base import QuestionError, SourceError
from cloison.probe.lab import state
from cloison.probe.lab.client import Lab
from cloison.probe.lab.state import Owner, Record


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def gone() -> Owner:
    """Return a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        owner = Owner.of(process.pid)
    assert owner is not None
    return owner


def test_a_lab_is_claimed_by_one() -> None:
    place = state.claim("mine")
    assert [each.name for each in state.places()] == ["mine"]
    assert place.path.stat().st_mode & 0o077 == 0
    with pytest.raises(QuestionError, match="already") as caught:
        state.claim("mine")
    assert caught.value.help is not None
    assert "lab down mine" in caught.value.help
    assert list(state.home().iterdir()) == [place.path], "nothing half made stays"


def test_one_whose_process_has_ended_is_swept_away() -> None:
    place = state.claim("mine")
    place.write(Record(gone(), ready=True))
    assert state.find("mine") is None
    assert not place.path.exists()
    state.claim("mine")


def test_a_number_that_came_round_again_is_another_process() -> None:
    owner = Owner.of(os.getpid())
    assert owner is not None
    place = state.claim("mine")
    place.write(Record(Owner(owner.pid, owner.started - 1, owner.boot)))
    assert state.places() == ()
    place = state.claim("mine")
    place.write(Record(Owner(owner.pid, owner.started, "another")))
    assert state.places() == (), "the machine was started anew since"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"owner": {"pid": "x"}}', "\x00"])
def test_what_cannot_be_read_is_swept_away(text: str) -> None:
    place = state.claim("mine")
    (place.path / "owner.json").write_text(text, encoding="utf-8")
    assert state.places() == ()
    assert not place.path.exists()


def test_what_was_half_made_by_somebody_who_is_gone_is_swept_away() -> None:
    owner = gone()
    left = state.home() / f".new-{owner.pid}-{owner.started}-0123abcd"
    left.mkdir()
    mine = Owner.of(os.getpid())
    assert mine is not None
    kept = state.home() / f".new-{mine.pid}-{mine.started}-0123abcd"
    kept.mkdir()
    assert state.places() == ()
    assert list(state.home().iterdir()) == [kept]


@pytest.mark.parametrize("name", ["", "../x", "a/b", "A", "-a", "a-", "a" * 41, ".new-1-1-0"])
def test_names_that_no_lab_can_have(name: str) -> None:
    with pytest.raises(QuestionError, match="cannot be the name"):
        state.claim(name)


def test_a_directory_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cloison").mkdir()
    (tmp_path / "cloison").chmod(0o777)
    with pytest.raises(SourceError, match="yours alone"):
        state.home()


def test_a_directory_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "cloison").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SourceError, match="yours alone"):
        state.home()


def test_without_a_directory_of_the_session_there_is_one_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert state.home() == tmp_path / f"cloison-{os.getuid()}" / "labs"
    assert state.home().stat().st_mode & 0o077 == 0


def test_a_socket_is_reachable_however_deep_it_lies(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d" * 50] * 4)
    deep.mkdir(parents=True)
    with state.reachable(deep / "control") as path:
        assert len(path) < 100
        Path(path).touch()
    assert (deep / "control").exists()


def test_commands_that_need_a_lab_to_themselves_take_turns(tmp_path: Path) -> None:
    lab, told = Lab(state.Place(tmp_path)), Event()
    done: list[str] = []

    def second() -> None:
        with Lab(state.Place(tmp_path)).turn(lambda _: told.set()):
            done.append("second")

    with ThreadPoolExecutor(1) as pool:
        with lab.turn(done.append):
            waits = pool.submit(second)
            assert told.wait(60), "who comes second is told so"
            assert done == []
            done.append("first")
        waits.result(60)
    assert done == ["first", "second"], "who comes first is told nothing"


def test_of_a_lab_that_has_ended_nobody_has_a_turn(tmp_path: Path) -> None:
    with (
        pytest.raises(SourceError, match="has ended"),
        Lab(state.Place(tmp_path / "gone")).turn(lambda _: None),
    ):
        pass
