"""Made-up traffic in each source's form: read back without a fault, in real records' fields."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cloison.flows import files
from cloison.flows.generator.export import EXPORTERS, exporter
from cloison.flows.generator.make import connections
from cloison.flows.generator.model import Connection
from cloison.flows.reader import Options
from cloison.flows.readers import detect
from cloison.flows.schema import Coverage, Flow
from tests.support.traffic import SHOP, short

PUBLISHED = Path(__file__).parents[5] / "shared/data/flows"
SAMPLES = {
    "hubble": "hubble",
    "aws-agent": "aws-network-policy-agent",
    "calico-enterprise": "calico-enterprise",
    "netobserv": "netobserv",
}
# Fields of today's releases that the published records, which are older, do not have.
NEWER = {
    "hubble": {
        "flow.uuid",
        "flow.source.cluster_name",
        "flow.destination.cluster_name",
        "flow.drop_reason",
        "flow.l4.TCP.flags.SYN",
        "flow.ingress_denied_by",
        "flow.egress_denied_by",
        "flow.source.workloads",
        "flow.destination.workloads",
        "flow.source_names",
        "flow.destination_names",
        "flow.destination_service",
        "flow.destination_service.name",
        "flow.destination_service.namespace",
        "lost_events",
        "lost_events.source",
        "lost_events.num_events_lost",
    },
}


@pytest.fixture(scope="module")
def happened() -> list[Connection]:
    return list(connections(replace(SHOP, swapped=0.1)))


def _read(name: str, lines: list[str], path: Path) -> list[files.Chunk]:
    path.write_text("\n".join(lines) + "\n")
    start = files.head(path)
    chosen = detect(start)[0][1]
    assert chosen.name == name
    return list(files.cut(path, chosen, start, Options(), None))


@pytest.mark.parametrize("name", EXPORTERS)
def test_every_line_is_read_back(name: str, happened: list[Connection], tmp_path: Path) -> None:
    lines = list(exporter(name)(SHOP, happened))
    assert lines == list(exporter(name)(SHOP, happened))
    chunks = _read(name, lines, tmp_path / "file")
    assert [bad for chunk in chunks for bad in chunk.bad] == []
    flows = [one for chunk in chunks for one in chunk.records if isinstance(one, Flow)]
    # A header is no record.
    assert len(lines) - len(flows) in {0, 1}
    assert {one.dst_port for one in flows} >= {8080, 5432, 443}


@pytest.mark.parametrize("name", EXPORTERS)
def test_one_tenth_is_lost(name: str, happened: list[Connection]) -> None:
    whole = len(list(exporter(name)(SHOP, happened)))
    rest = len(list(exporter(name)(replace(SHOP, loss=0.1), happened)))
    if name == "hubble":
        # It tells of each hour in which something was lost.
        told = sum(
            "lost_events" in line for line in exporter(name)(replace(SHOP, loss=0.1), happened)
        )
        rest -= told
        assert told > 100
    assert 0.88 < rest / whole < 0.92


def test_losses_that_are_told_add_up(happened: list[Connection], tmp_path: Path) -> None:
    lossy = list(exporter("hubble")(replace(SHOP, loss=0.1), happened))
    whole = list(exporter("hubble")(SHOP, happened))
    chunks = _read("hubble", lossy, tmp_path / "file")
    told = [one for chunk in chunks for one in chunk.records if isinstance(one, Coverage)]
    assert sum(one.lost for one in told) == len(whole) - (len(lossy) - len(told))


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="published flow records are not beside this")
@pytest.mark.parametrize("name", SAMPLES)
def test_fields_are_those_of_real_records(name: str, happened: list[Connection]) -> None:
    real: set[str] = set()
    for path in sorted((PUBLISHED / SAMPLES[name]).glob("*.jsonl")):
        for line in path.read_text().splitlines():
            record = json.loads(line)
            if "stream" in record:
                record = {**record["stream"], **record["line"]}
            real |= set(_paths(record))
    made: set[str] = set()
    for line in exporter(name)(replace(SHOP, loss=0.1), happened):
        made |= set(_paths(json.loads(line)))
    assert made - real <= NEWER.get(name, set())


def _paths(record: object, above: str = "") -> Iterator[str]:
    if not isinstance(record, dict):
        return
    for key, value in record.items():
        yield f"{above}{key}"
        yield from _paths(value, f"{above}{key}.")


def test_short_plan_is_the_beginning_of_the_long_one() -> None:
    part = list(connections(short()))
    assert part == list(connections(SHOP))[: len(part)]
