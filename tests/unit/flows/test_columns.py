"""Records become columns: what is the same everywhere becomes what it becomes record by record."""

from typing import Any

import pyarrow as pa
import pytest

from cloison.flows.columns import gather
from cloison.flows.readers.times import microseconds
from cloison.flows.schema import FLOWS, Decision, Flow, Record
from cloison.flows.store.parts import HOUR, by_hour
from tests.support.flows import case

DECIDED = (Decision("NetworkPolicy", "shop", "web-out", "egress", "allow"),)


def _one_by_one(records: list[Record]) -> pa.Table:
    return pa.Table.from_batches([gather([each])["flows"] for each in records], FLOWS)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"names": ("a.example.com", "b.example.com"), "decided_by": DECIDED},
        {"is_reply": False, "src_labels": ("app=web",), "dst_labels": (), "bytes": 7},
    ],
)
def test_records_that_are_all_alike(said: dict[str, Any]) -> None:
    records: list[Record] = [Flow(time=5, verdict="allowed", observer="src", **said)] * 3
    batch = gather(records)["flows"]
    batch.validate(full=True)
    assert pa.Table.from_batches([batch]) == _one_by_one(records)


def test_records_of_which_some_are_alike() -> None:
    for seed in range(50):
        flows: list[Record] = [*case(seed).flows]
        assert pa.Table.from_batches([gather(flows)["flows"]]) == _one_by_one(flows)


@pytest.mark.parametrize("hours", [[1], [1, 1], [1, 2], [2, 1, 2], [None, 1], [None]])
def test_flows_by_hour(hours: list[int | None]) -> None:
    records: list[Record] = [
        Flow(time=None if hour is None else hour * HOUR, verdict="allowed", observer="src")
        for hour in hours
    ]
    flows = pa.Table.from_batches([gather(records)["flows"]])
    found = [(hour, rows.num_rows) for hour, rows in by_hour(flows, "x")]
    known = sorted({hour for hour in hours if hour is not None})
    places = [*known, None] if None in hours else known
    assert found == [(hour, hours.count(hour)) for hour in places]


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01T00:00:01.5Z", 1_500_000),
        ("1970-01-01T00:00:01.123456789Z", 1_123_456),
        ("1970-01-01T00:00:01.000001+00:00", 1_000_001),
        ("1970-01-01T01:00:01.25+01:00", 1_250_000),
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1970-01-01T00:00:01.Z", 1_000_000),
    ],
)
def test_times(text: str, micros: int) -> None:
    assert microseconds(text) == micros
