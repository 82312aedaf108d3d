"""Parts of a store that are not what was written: which one it is, and what to do about it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cloison.base import SourceError
from cloison.flows.edges import edges
from cloison.flows.engines.duck import Duck
from cloison.flows.query import Filters, query
from cloison.flows.status import status
from cloison.flows.store.ingest import Wanted, ingest
from cloison.flows.store.manifest import Part, load
from cloison.flows.store.place import check, writing
from cloison.flows.store.rolling import refresh
from cloison.flows.store.writer import writer
from tests.support.cli import plain_environment, run_here
from tests.support.hubble import lines


@pytest.fixture
def store(tmp_path: Path) -> Path:
    (tmp_path / "log").write_bytes(lines(0, 100))
    with writer(tmp_path / "store") as held:
        ingest(held, tmp_path / "log", Wanted())
        engine = Duck(held.store / "scratch", threads=1)
        refresh(held, engine)
        engine.close()
    return tmp_path / "store"


def _flow_part(store: Path) -> Part:
    return load(store).of("flows")[0]


def _cut(path: Path) -> str:
    path.write_bytes(path.read_bytes()[:200])
    return r"has 200 bytes of [\d,]+"


def _gone(path: Path) -> str:
    path.unlink()
    return "is missing"


def _scribbled(path: Path) -> str:
    size = path.stat().st_size
    path.write_bytes(b"x" * size)
    return "cannot be read"


@pytest.mark.parametrize("damage", [_cut, _gone, _scribbled])
def test_a_part_that_is_damaged_is_named(store: Path, damage: Callable[[Path], str]) -> None:
    part = _flow_part(store)
    wrong = damage(store / part.path)
    with pytest.raises(SourceError, match=f"{part.path}, a part of the store, {wrong}") as raised:
        query(store, Filters())
    assert raised.value.help
    assert "ingest again" in raised.value.help
    with pytest.raises(SourceError, match=part.path):
        status(store)


def test_a_roll_up_that_is_damaged_is_named(store: Path) -> None:
    part = load(store).of("rollups")[0]
    _cut(store / part.path)
    with pytest.raises(SourceError, match=part.path):
        edges(store)


@pytest.mark.parametrize("damage", [_cut, _gone])
def test_nothing_is_compacted_over_damage(store: Path, damage: Callable[[Path], str]) -> None:
    part = _flow_part(store)
    damage(store / part.path)
    ran = run_here(("flows", "compact", "--store", str(store)), store.parent, plain_environment())
    assert ran.exit == 2
    assert part.path in ran.err
    assert "internal error" not in ran.err


def test_other_errors_stay_what_they_are(store: Path) -> None:
    check(store, load(store), whole=True)
    with pytest.raises(ZeroDivisionError), writing(store):
        raise ZeroDivisionError
