"""Two weeks of a small shop, read back: what each edge is, and who is ready to be restricted."""

import time
from pathlib import Path

import pytest

from cloison.analyses.past.link import Link, links
from cloison.analyses.past.sorts import Sort, judged
from cloison.analyses.past.watch import Watch
from cloison.analyses.recommend.ready import Lack, Thresholds, readiness
from cloison.analyses.reconcile.pairs import placed
from cloison.analyses.reconcile.seen import Finder
from cloison.app import load_objects
from cloison.app.past import past
from cloison.app.session import Session
from cloison.base import SourceError
from cloison.flows.engines.choose import choose
from cloison.flows.generator.export import exporter
from cloison.flows.generator.make import connections
from cloison.flows.schema import Coverage, Flow, Record
from cloison.flows.store.ingest import Wanted, ingest
from cloison.flows.store.keep import expire
from cloison.flows.store.rolling import refresh
from cloison.flows.store.writer import writer
from tests.support.smallworlds import workload
from tests.support.traffic import API, DATABASE, HOUR, JOB, PORTAL, SCRAPER, START, short

HOURS = 24 * 14 + 12
NO_MONTH = Thresholds(ends=0)
PLAN = short(hours=HOURS)


def _session() -> Session:
    made = (API, DATABASE, JOB, PORTAL, SCRAPER)
    return load_objects([workload(each.name, each.namespace, each.kind) for each in made])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Session, tuple[Link, ...], Watch]:
    place = tmp_path_factory.mktemp("past")
    log, store = place / "events.log", place / "store"
    lines = exporter("hubble")(PLAN, connections(PLAN))
    log.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    with writer(store) as held:
        assert not ingest(held, log, Wanted()).problem
    seen, watch = past(store)
    session = _session()
    here, _ = placed(seen, Finder(session.names, session.engine.world))
    return session, links(here), watch


def _judged(shop: tuple[Session, tuple[Link, ...], Watch]) -> dict[Sort, set[str]]:
    _, found, watch = shop
    by_sort: dict[Sort, set[str]] = {}
    for each in judged(found, watch, lambda _: False):
        by_sort.setdefault(each.sort, set()).add(str(each.link.key))
    return by_sort


def test_each_edge_is_what_was_planned(shop: tuple[Session, tuple[Link, ...], Watch]) -> None:
    found = _judged(shop)
    assert found.pop(Sort.DENIED) == {"web/portal to shop/db on 5432/TCP"}
    assert found.pop(Sort.PERSON) == {"shop/db to web/portal on 8443/TCP"}
    assert found == {
        Sort.LEGITIMATE: {
            "a node to web/portal on 8443/TCP",
            "monitoring/prometheus to shop/api on 9090/TCP",
            "shop/api to 192.0.2.1 on 6443/TCP",
            "shop/api to dns:pay.example.com on 443/TCP",
            "shop/api to shop/db on 5432/TCP",
            "shop/api to shop/db on 9187/UDP",
            "shop/report to shop/db on 5432/TCP",
            "web/portal to shop/api on 8080/TCP",
        }
    }


def test_hours_are_those_of_the_plan(shop: tuple[Session, tuple[Link, ...], Watch]) -> None:
    _, found, watch = shop
    first = START // HOUR
    assert watch.hours[0] == first
    assert watch.hours[-1] < first + HOURS
    by_key = {str(each.key): each for each in found}
    person = by_key["shop/db to web/portal on 8443/TCP"]
    assert person.allowed.hours == (first + 310,)
    assert by_key["web/portal to shop/db on 5432/TCP"].denied.hours == (first + 300,)
    weekly = by_key["shop/report to shop/db on 5432/TCP"].allowed
    assert weekly.hours == (first + 4 * 24 + 3, first + 11 * 24 + 3)
    # A rolling update makes no new edge.
    assert by_key["web/portal to shop/api on 8080/TCP"].allowed.hours[0] < first + 200
    assert by_key["web/portal to shop/api on 8080/TCP"].allowed.hours[-1] > first + 300


def test_who_is_ready(shop: tuple[Session, tuple[Link, ...], Watch]) -> None:
    session, found, watch = shop
    kept = [e.link for e in judged(found, watch, lambda _: False) if e.sort is Sort.LEGITIMATE]
    assert all(each.ready for each in readiness(kept, watch, session.engine.world, NO_MONTH))
    # What a person did is of those edges that show that others were not seen.
    every = readiness(found, watch, session.engine.world, NO_MONTH)
    assert {(str(each.workload), str(each.direction)) for each in every if not each.ready} == {
        ("shop/db", "egress"),
        ("web/portal", "ingress"),
    }
    asked = readiness(kept, watch, session.engine.world)
    assert all(Lack.MONTH in {m.lack for m in each.missing} for each in asked)


def test_a_loss_is_a_share_of_what_its_node_told(tmp_path: Path) -> None:
    flows: list[Record] = [
        Flow(time=START + number, node=f"node-{number % 2}", verdict="allowed", observer="node")
        for number in range(20)
    ]
    with writer(tmp_path / "store") as held:
        held.add(flows, "hubble")
        held.commit()
    assert past(tmp_path / "store")[1].recorded == {}
    with writer(tmp_path / "store") as held:
        held.add([Coverage(since=START, node="node-1", lost=5, reason="ring buffer")], "hubble")
        held.commit()
    watch = past(tmp_path / "store")[1]
    assert watch.recorded == {"node-0": 10, "node-1": 10}
    assert [(each.node, each.events) for each in watch.lost] == [("node-1", 5)]


def test_a_share_is_of_the_hours_that_are_not_summed_up(tmp_path: Path) -> None:
    days = 60 * 60 * 24 * 1_000_000
    store = tmp_path / "store"
    flows: list[Record] = [
        Flow(
            time=START + number % 2 * 9 * days,
            node="node-7",
            verdict="allowed",
            observer="src",
            src_ip=f"10.0.0.{number}",
            dst_ip="10.0.1.1",
            proto="TCP",
            dst_port=80,
        )
        for number in range(20)
    ]
    told = [
        Coverage(since=START + when * days, node="node-7", lost=lost, reason=f"ring buffer {when}")
        for when, lost in ((0, 90), (9, 30))
    ]
    with writer(store) as held:
        held.add([*flows, *told], "hubble")
        held.commit()
    whole = past(store)[1]
    assert (whole.recorded, whole.counted) == ({"node-7": 20}, None)
    worker = choose("duckdb", store)
    with writer(store) as held:
        refresh(held, worker)
        assert expire(held, 5, None, START + 10 * days) == 10
    worker.close()
    (raw, summed) = past(store)[1], START // HOUR
    assert raw.hours == (summed, summed + 9 * 24)
    assert raw.counted == frozenset({summed + 9 * 24})
    assert (raw.recorded, raw.dropped) == ({"node-7": 10}, {"node-7": 30})


def test_a_store_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no store of flows"):
        past(tmp_path)


def test_times_are_in_utc_wherever_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Flow(
        time=START,
        verdict="allowed",
        observer="dst",
        src_ip="10.0.0.1",
        dst_ip="10.0.0.2",
        proto="TCP",
    )
    with writer(tmp_path) as held:
        held.add([first], "mine")
        held.commit()
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        ((found,), _) = past(tmp_path)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert (found.first, found.last) == (START, START)
