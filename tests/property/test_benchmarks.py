"""The worlds of the benchmarks: always the same, and answered alike by all who answer them.

Nothing is timed here.
"""

import doctest
import json
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks import page, tables
from benchmarks.baselines.bitmatrix import BitMatrix
from benchmarks.baselines.pairs import PairLoop
from benchmarks.faults import NotSupportedError
from benchmarks.limits import Checked
from benchmarks.measured import Measured, Phase
from benchmarks.results import Entry, Machine, Results, Step, decoded
from benchmarks.samples import Lot, agreed
from benchmarks.targets import judged, kept
from benchmarks.worlds import WORLDS, disk
from cloison.app.load import load, load_objects
from cloison.app.session import Session
from cloison.ir.fidelity import Verdict
from cloison.resources.world import PodEndpoint
from tests.oracle.ir import IROracle
from tests.oracle.ir_ways import traffic_point

SIZES = {"indexed": 12, "dense": 30, "crowded": 12, "adversarial": 30}
COMPANY = 30
QUESTIONS = 60


def session_of(world: str) -> Session:
    found = WORLDS[world]
    return load_objects(list(found.make(SIZES.get(world, COMPANY))), profile=found.profile)


@pytest.mark.parametrize("world", WORLDS)
def test_a_world_is_always_the_same(world: str) -> None:
    once, again = (list(WORLDS[world].make(SIZES.get(world, COMPANY))) for _ in range(2))
    assert json.dumps(once) == json.dumps(again)
    names = [(o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]) for o in once]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("world", WORLDS)
def test_a_world_is_read_without_complaint_and_answered_as_the_oracle_does(world: str) -> None:
    session = session_of(world)
    assert not session.diagnostics
    found = agreed(session, list(Lot(session).questions(QUESTIONS)))
    assert found["sampled pairs"] == QUESTIONS
    assert found["allowed"] > 0
    assert found.get("denied", 0) > 0 or world == "crowded"


@pytest.mark.parametrize("world", WORLDS)
def test_the_baselines_answer_as_the_oracle_does(world: str) -> None:
    session = session_of(world)
    oracle = IROracle(session.world, session.policies, session.profile)
    loop = PairLoop(session)
    plain = not world.startswith("company-")
    matrix = BitMatrix(session, "TCP", 8080) if plain else None
    if not plain:
        with pytest.raises(NotSupportedError):
            BitMatrix(session, "TCP", 8080)
    places = {id(pod): place for place, pod in enumerate(matrix.pods)} if matrix else {}
    for question in Lot(session, only_pods=True).questions(QUESTIONS):
        one, other = question.source, question.destination
        assert isinstance(one, PodEndpoint)
        assert isinstance(other, PodEndpoint)
        expected = oracle.verdict(one, other, "TCP", 8080, 4) is Verdict.ALLOWED
        assert (traffic_point("TCP", 8080) in loop.passing(one, other)) is expected, question
        if matrix:
            assert matrix.reaches(places[id(one)], places[id(other)]) is expected, question


def test_worlds_on_disk_are_as_large_as_was_asked_for(tmp_path: Path) -> None:
    pods = disk.write_pods(tmp_path / "pods.json", 0.1)
    printed = disk.write_pods(tmp_path / "printed.json", 0.1, indent=4)
    objects = disk.write_manifests(tmp_path / "manifests", 0.1)
    for name in ("pods.json", "printed.json"):
        assert 0.08e6 < (tmp_path / name).stat().st_size < 0.11e6
    text = b"".join(each.read_bytes() for each in sorted((tmp_path / "manifests").iterdir()))
    assert 0.04e6 < len(text) < 0.11e6
    assert len(json.loads((tmp_path / "pods.json").read_bytes())["items"]) == pods > printed
    assert len(load(tmp_path / "printed.json").world.workloads) == printed
    session = load(tmp_path / "manifests", profile="generic")
    assert sum(session.world.kinds.values()) == objects
    assert not session.diagnostics


MACHINE = Machine(2, "a processor", 8 * 10**9, "CPython 3.11", 0.1)
STEP = Step("ready", "ready", {"world": "indexed", "size": 25_000})


def _ready(seconds: float) -> Entry:
    phases = {name: Phase(seconds / 2, seconds) for name in ("load", "bind", "first why", "why")}
    facts = {"pods": 100_000.0, "policies": 75_000.0}
    return Entry(STEP, Measured({**phases, "compile": Phase(0.1, 0.1)}, facts, 10, 1_000_000_000))


def test_a_target_is_held_against_what_was_measured() -> None:
    results = Results(MACHINE, (_ready(3),), day="2026-01-01", version="1")
    found = {each.target.what: each for each in judged(results)}
    cpu, memory, *rest = found.values()
    assert (cpu.value, cpu.met, str(cpu)) == (3, True, "met")
    assert memory.met
    assert str(rest[0]) == "missed by a factor of 3000.00"
    assert str(rest[-1]) == "not measured"
    assert not kept(list(found.values()))
    assert kept(judged(Results(MACHINE, ())))
    assert not kept(judged(Results(MACHINE, ())), whole=True)


def test_figures_survive_being_saved_and_written_into_the_page(tmp_path: Path) -> None:
    failed = Entry(STEP, Measured(failed="it burst"))
    results = Results(MACHINE, (_ready(3), failed), day="2026-01-01", version="1")
    assert decoded(results.encoded()) == results
    copy = tmp_path / "performance.md"
    copy.write_text(page.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    page.write(results, copy)
    text = copy.read_text(encoding="utf-8")
    assert "| indexed | 100,000 | 75,000 |" in text
    assert "it burst" in text
    page.write(results, copy)
    assert copy.read_text(encoding="utf-8") == text


def test_a_short_run_is_judged_by_its_limits() -> None:
    assert Checked("a ratio", 2.0, 3).passed
    assert not Checked("a ratio", 3.1, 3).passed
    assert [t.title for t in tables.tables(Results(MACHINE, (_ready(1),), smoke=True))] == [
        "From decoded objects to answers",
        "Ratios",
    ]


@pytest.mark.parametrize("module", ["baselines.peers", "results", "tables"])
def test_the_examples_in_docstrings_hold(module: str) -> None:
    failed, tried = doctest.testmod(import_module(f"benchmarks.{module}"))
    assert tried
    assert not failed
