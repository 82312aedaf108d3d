"""Flows summed up: expressions against the oracle, and against themselves in another order."""

import random
from pathlib import Path

import msgspec
import pytest

from cloison.flows.edges import edges
from cloison.flows.engines.choose import choose
from cloison.flows.engines.columns import plain
from cloison.flows.engines.digest import digest
from cloison.flows.engines.duck import Duck
from cloison.flows.engines.engine import Engine
from cloison.flows.schema import Flow
from cloison.flows.store.ingest import Wanted, ingest
from cloison.flows.store.rolling import refresh
from cloison.flows.store.writer import writer
from tests.oracle import flows as oracle
from tests.support.flows import LISTENING, START, Case, case
from tests.support.hubble import lines
from tests.unit.flows.run import computed, expression, held, stored

CASES = 3_000


@pytest.fixture
def engine(tmp_path: Path) -> Duck:
    return Duck(tmp_path / "scratch", threads=1)


def test_edges_are_what_the_oracle_says(engine: Duck) -> None:
    cases = [case(seed) for seed in range(CASES)]
    found = computed(engine, cases)
    verdicts, initiators, seen = set(), set(), 0
    for each in cases:
        wanted = oracle.edges(each.flows, each.identities, LISTENING)
        assert found[each.seed] == wanted, each.seed
        verdicts |= {key[-2] for key in wanted}
        initiators |= {key[-1] for key in wanted}
        seen += sum(row[3] > 0 for row in wanted.values())
    # It would be no test if nothing of this came about.
    assert verdicts == {"allowed", "denied", "audited", "error", "unknown"}
    assert initiators == {"known", "inferred", "unknown"}
    assert seen > 50


@pytest.mark.parametrize(("later", "left"), [(0, 1), (9, 1), (11, 2)])
def test_a_connection_to_a_service_is_the_one_that_its_pod_sees(
    engine: Duck, later: int, left: int
) -> None:
    def flow(ip: str, port: int, **given: object) -> Flow:
        said = {"src_ip": "10.0.0.1", "src_port": 40_000, "proto": "TCP", "initiator": "known"}
        return msgspec.convert(
            {"time": START, "dst_ip": ip, "dst_port": port, **said, **given}, Flow
        )

    asked = flow(
        "10.96.0.9", 80, verdict="allowed", observer="src", dst_entity="world", svc_name="web"
    )
    time = START + later * 1_000_000
    met = flow("10.0.0.2", 8080, time=time, verdict="denied", observer="dst", dst_entity="pod")
    one = Case(0, [asked, met], [])
    found = computed(engine, [one])[0]
    assert found == oracle.edges(one.flows, [], LISTENING)
    assert {key[-2] for key in found} == ({"denied"} if left == 1 else {"denied", "unknown"})


def test_the_order_of_flows_changes_nothing(engine: Duck) -> None:
    cases = [case(seed) for seed in range(200)]
    found = computed(engine, cases)
    mixed = []
    for each in cases:
        flows, identities = list(each.flows), list(each.identities)
        random.Random(each.seed).shuffle(flows)
        random.Random(each.seed).shuffle(identities)
        mixed.append(Case(each.seed, flows, identities))
    assert computed(engine, mixed) == found


def test_order_and_size_of_reads_change_nothing(tmp_path: Path) -> None:
    """Also not what is read twice, nor what is rolled up before the rest arrives."""
    files = []
    for number in range(4):
        path = tmp_path / f"log-{number}"
        path.write_bytes(lines(number * 100, (number + 1) * 100))
        files.append(path)
    found = set()
    for seed in range(3):
        chance = random.Random(seed)
        store = tmp_path / f"store-{seed}"
        order = [*files, *chance.sample(files, 2)]
        chance.shuffle(order)
        engine = Duck(store / "scratch", threads=1)
        with writer(store) as writes:
            for path in order:
                ingest(writes, path, Wanted(at_once=chance.choice((1, 70, 1000))))
                if chance.random() < 0.4:
                    refresh(writes, engine)
        seen = edges(store, engine=engine)
        engine.close()
        found.add((sum(plain(seen["count"])), digest(seen)))
    assert len(found) == 1
    assert next(iter(found))[0] == 400


def test_another_connection_of_ibis_comes_to_the_same(tmp_path: Path, engine: Duck) -> None:
    """Every engine is held to what DuckDB comes to, by a digest of all rows in any order."""
    cases = [case(seed) for seed in range(100)]
    server = choose("duckdb://", tmp_path)
    assert _digest(server, cases) == _digest(engine, cases)
    server.close()


@pytest.mark.nightly
# Its words on pandas, of which it is asked nothing.
@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
@pytest.mark.parametrize(("name", "needs"), [("clickhouse", "chdb"), ("spark", "pyspark")])
def test_other_engines_come_to_the_same(
    name: str, needs: str, tmp_path: Path, engine: Duck
) -> None:
    pytest.importorskip(needs)
    cases = [case(seed) for seed in range(500)]
    other = choose(name, tmp_path)
    assert _digest(other, cases) == _digest(engine, cases)
    other.close()


def _digest(engine: Engine, cases: list[Case]) -> str:
    flows = engine.table(stored(cases))
    return digest(engine.run(expression(flows, engine.table(held(cases).combine_chunks()))))
