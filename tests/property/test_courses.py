"""Edges hour by hour: as edges are where both say something, and each hour as if it were alone."""

import random
from pathlib import Path
from shutil import copytree
from typing import Any

import pyarrow as pa
import pytest
from msgspec.structs import replace

from cloison.flows.edges import courses, edges
from cloison.flows.engines.duck import Duck
from cloison.flows.schema import Flow, Record, Verdict
from cloison.flows.status import watched
from cloison.flows.store.parts import HOUR
from cloison.flows.store.rolling import refresh
from cloison.flows.store.writer import Writer, writer
from tests.support.flows import MINUTE, START, case

CASES = 24
OUTCOMES: tuple[Verdict, ...] = ("allowed", "allowed", "denied", "audited", "error", "unknown")
Span = tuple[int | None, int | None]
FIRST = START // HOUR
PART: Span = (START + 30 * MINUTE, START + 70 * MINUTE)
Row = dict[str, Any]


def _told() -> list[tuple[str, list[Record]]]:
    """Return random flows, each with its source: all sorts of them, and many of a few edges."""
    found: list[tuple[str, list[Record]]] = []
    for seed in range(CASES):
        each = case(seed)
        records: list[Record] = [*each.flows, *each.identities]
        chance = random.Random(-seed)
        records += [_often(chance, number * CASES + seed) for number in range(9)]
        chance.shuffle(records)
        found.append((f"source-{seed % 3}", records))
    return found


def _often(chance: random.Random, number: int) -> Flow:
    """Return one connection of a few edges; no two numbers are of the same."""
    source, destination = chance.choice("ab"), chance.choice("cd")
    time = START + chance.randrange(240) * MINUTE
    flow = Flow(
        time=time,
        verdict=chance.choice(OUTCOMES),
        observer="dst",
        proto="TCP",
        src_entity="pod",
        src_ns="shop",
        src_workload=source,
        src_kind="Deployment",
        src_pod=f"{source}-{chance.randrange(3)}",
        src_ip=f"10.9.0.{ord(source)}",
        src_port=1024 + number,
        dst_entity="pod",
        dst_ns="shop",
        dst_workload=destination,
        dst_kind="Deployment",
        dst_ip=f"10.9.1.{ord(destination)}",
        dst_port=80,
        initiator="known",
        opens=True,
    )
    return replace(flow, time=None) if chance.random() < 0.1 else flow


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store in which nothing was rolled up yet."""
    place = tmp_path_factory.mktemp("courses") / "fresh"
    with writer(place) as held:
        for source, records in _told():
            held.add(records, source)
        held.commit()
    return place


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store in which hours were rolled up before the rest of their flows arrived."""
    place = tmp_path_factory.mktemp("courses") / "half"
    told = _told()[::-1]
    with writer(place) as held:
        for source, records in told[: CASES // 2]:
            held.add(records, source)
        held.commit()
        _refresh(place, held)
        for source, records in told[CASES // 2 :]:
            held.add(records, source)
        held.commit()
    return place


@pytest.fixture(scope="module")
def rolled(half: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store in which all hours are rolled up."""
    place = tmp_path_factory.mktemp("courses") / "rolled"
    copytree(half, place)
    with writer(place) as held:
        _refresh(place, held)
    return place


def _refresh(place: Path, held: Writer) -> None:
    engine = Duck(place / "scratch", threads=1)
    try:
        assert refresh(held, engine)
    finally:
        engine.close()


def _rows(table: pa.Table) -> list[Row]:
    """Return rows in an order that does not depend on how they came about."""
    return sorted(table.to_pylist(), key=repr)


def _same(by_hour: pa.Table, whole: pa.Table) -> None:
    assert sorted(by_hour.column_names) == sorted([*whole.column_names, "at", "each"])
    same = by_hour.select(whole.column_names)
    assert _rows(same) == _rows(whole)
    assert same.schema.types == whole.schema.types


def test_what_both_say_is_the_same(fresh: Path) -> None:
    _same(courses(fresh, *PART), edges(fresh, *PART))


def test_what_was_rolled_up_before_changes_nothing(fresh: Path, half: Path) -> None:
    found = courses(half)
    assert found.equals(courses(fresh))
    _same(found, edges(half))


def test_hours_add_up_and_each_is_as_if_it_were_alone(rolled: Path) -> None:
    rows = courses(rolled).to_pylist()
    by_hour: dict[int | None, dict[str, int]] = {}
    several = 0
    for row in rows:
        assert len(row["at"]) == len(row["each"]) > 0
        assert sum(row["each"]) == row["count"]
        dated = [hour for hour in row["at"] if hour is not None]
        assert dated == sorted(set(dated))
        assert len(dated) == row["hours"]
        several += len(dated) > 1
        for hour, number in zip(row["at"], row["each"], strict=True):
            assert number > 0
            by_hour.setdefault(hour, {})[_key(row)] = number
    # It would be no test if nothing of this came about.
    assert several > 20
    assert by_hour.pop(None)
    assert len(by_hour) > 3
    for hour, wanted in by_hour.items():
        assert hour is not None
        alone = edges(rolled, hour * HOUR, (hour + 1) * HOUR).to_pylist()
        assert {_key(row): row["count"] for row in alone} == wanted


def _key(row: Row) -> str:
    """Return what an edge is known by; labels too."""
    sums = ("count", "halfway", "refused", "ambiguous", "bytes", "windows", "hours", "first")
    examples = ("svc_ns", "svc_name", "svc_port", "sample", "src_pod", "dst_pod", "sample_rate")
    left = {*sums, *examples, "last", "at", "each"}
    return repr(sorted((name, value) for name, value in row.items() if name not in left))


@pytest.mark.parametrize("span", [(None, None), (START, None), (None, START), PART, (0, HOUR)])
def test_watched_are_the_hours_of_a_sources_flows(fresh: Path, half: Path, span: Span) -> None:
    since, until = span
    wanted: dict[str, set[int]] = {}
    for source, records in _told():
        for each in records:
            if isinstance(each, Flow) and each.time is not None:
                start = each.time // HOUR * HOUR
                early = since is not None and start + HOUR <= since
                late = until is not None and start >= until
                if not (early or late):
                    wanted.setdefault(source, set()).add(each.time // HOUR)
    found = watched(fresh, *span)
    assert found == {name: tuple(sorted(wanted[name])) for name in sorted(wanted)}
    assert list(found) == sorted(found)
    assert watched(half, *span) == found
