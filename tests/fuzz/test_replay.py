"""What searches kept is read again on every change, with or without the fuzzer at hand."""

import random
import socket
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tests.fuzz.__main__ import outcome
from tests.fuzz.mutate import Lines, Trees
from tests.fuzz.target import LONGEST, Escape, Guard, sampled
from tests.fuzz.targets import TABLE, target
from tests.fuzz.worker import signature, watched

HERE = Path(__file__).parent
FOUND = sorted((HERE / "found").glob("*/*"))
_LARGEST_KEPT = 1 << 14


@cache
def guard() -> Guard:
    """Return the guard of this process: a second would only listen twice."""
    return Guard().install()


def kept(name: str) -> list[Path]:
    return sorted((HERE / "corpus" / name).glob("*"))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_once_broke_a_reader_breaks_it_no_more(path: Path) -> None:
    with guard().watch():
        target(path.parent.name).check(path.read_bytes())


@pytest.mark.parametrize("name", TABLE)
def test_what_searches_kept_is_read(name: str) -> None:
    chosen = target(name)
    for path in kept(name):
        data = path.read_bytes()
        with guard().watch():
            try:
                chosen.check(data)
            except Exception as error:
                error.add_note(f"the input is {path.relative_to(HERE)}")
                raise


@pytest.mark.parametrize("name", TABLE)
def test_what_the_mutators_make_of_the_seeds_is_read(name: str) -> None:
    chosen = target(name)
    rng = random.Random(name)
    seeds = sorted((s for s in chosen.seeds() if len(s) < _LARGEST_KEPT), key=len)
    mutate = Lines(_bytes, chosen.words) if chosen.lines else Trees(_bytes)
    for _ in range(12):
        data = rng.choice(seeds)
        for _ in range(rng.choice((1, 2, 5))):
            data = mutate(data, LONGEST, rng.getrandbits(32))
        with guard().watch():
            try:
                chosen.check(data)
            except Exception as error:
                error.add_note(f"the input is {data!r}")
                raise


def _bytes(data: bytes, longest: int) -> bytes:
    """Stand in for the fuzzer's own mutation: a piece of the input is left out or doubled."""
    rng = random.Random(data)
    start, end = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    middle = data[start:end] * rng.choice((0, 2))
    return (data[:start] + middle + data[end:])[:longest]


def test_everything_kept_belongs_to_a_target_and_is_small() -> None:
    for kind in ("corpus", "found"):
        names = {path.name for path in (HERE / kind).iterdir()}
        assert names <= TABLE.keys(), "a directory of no target"
    assert {name for name in TABLE if not kept(name)} == set(), "a target without kept inputs"
    files = [*FOUND, *(path for name in TABLE for path in kept(name))]
    assert max(path.stat().st_size for path in files) <= _LARGEST_KEPT


def test_the_guard_refuses_the_world_outside(tmp_path: Path) -> None:
    inside = tmp_path / "x"
    with guard().watch(), pytest.raises(Escape):
        inside.write_bytes(b"")
    with guard().watch(), pytest.raises(Escape):
        inside.mkdir()
    with guard().watch(), pytest.raises(Escape):
        socket.socket()
    assert not inside.exists()
    inside.write_bytes(b"x")
    with guard().watch():
        assert inside.read_bytes() == b"x"


def test_a_share_of_inputs_is_a_share() -> None:
    inputs = [str(number).encode() for number in range(1000)]
    assert 150 < sum(sampled(one, 5) for one in inputs) < 250


def test_mutated_manifests_are_mostly_manifests() -> None:
    """Otherwise the search would only ever see syntax errors."""
    chosen = target("networkpolicy")
    (seed, *_) = chosen.seeds()
    mutate = Trees(lambda data, _: data)
    made = {mutate(seed, LONGEST, number) for number in range(40)}
    assert len(made) > 25
    assert sum(b"NetworkPolicy" in one for one in made) > 20


def test_a_fault_is_told_from_another_by_its_place() -> None:
    def broken(data: bytes) -> None:
        if data == b"a":
            raise KeyError("a")
        if data == b"b":
            raise KeyError("b")
        if data == b"c":
            raise Escape("c")

    chosen = replace(target("cidr"), check=broken)
    errors = {data: watched(chosen, guard(), data) for data in (b"a", b"b", b"c", b"d")}
    assert errors[b"d"] is None
    names = {signature(error) for error in errors.values() if error is not None}
    assert len(names) == 3
    assert {name.partition("-")[0] for name in names} == {"KeyError", "Escape"}


def test_a_search_that_found_something_says_so(tmp_path: Path) -> None:
    (tmp_path / "findings").mkdir()
    log = "#9 NEW cov: 41 ft: 90 corp: 7/80b\nstat::number_of_executed_units: 812\n"
    (tmp_path / "log").write_text(log, encoding="utf-8")
    clean = outcome("yaml", tmp_path, 0)
    assert (clean.executions, clean.coverage, clean.corpus, clean.findings) == (812, 41, 7, ())
    assert outcome("yaml", tmp_path, 77).findings == ("the search ended with 77",)
    for name in ("slow-unit-1", "KeyError-2.input", "KeyError-2.txt", "timeout-3"):
        (tmp_path / "findings" / name).write_bytes(b"")
    assert outcome("yaml", tmp_path, 77).findings == ("KeyError-2.input", "timeout-3")
