"""`cloison flows`, as it is typed."""

import csv
import io
import json
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pyarrow.parquet as pq
import pytest

from cloison.cli.commands.flows_top import BY, VERDICTS
from cloison.flows.schema import Verdict
from cloison.flows.top import BY as KNOWN
from tests.support.cli import ROOT, plain_environment, run_here
from tests.support.hubble import lines

SCHEMAS = ROOT / "src" / "cloison" / "report" / "schemas"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.log").write_bytes(lines(0, 40))
    (tmp_path / "logs" / "b.log").write_bytes(lines(40, 60))
    (tmp_path / "logs" / ".hidden").write_bytes(lines(60, 80))
    return tmp_path


def _run(here: Path, line: str, code: int = 0) -> str:
    ran = run_here(("flows", *line.split()), here, plain_environment())
    assert ran.exit == code, ran.err
    return ran.out if code < 2 else ran.err


def _json(here: Path, line: str, kind: str, code: int = 0) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_run(here, f"{line} -o json", code))
    jsonschema.validate(document, json.loads((SCHEMAS / f"{kind}.json").read_text()))
    return document


def test_choices_are_what_there_is() -> None:
    assert set(BY) == set(KNOWN)
    assert set(VERDICTS) == set(get_args(Verdict))


def test_from_logs_to_answers(here: Path) -> None:
    assert "60 new flows in .cloison/flows" in _run(here, "ingest logs")
    again = _json(here, "ingest logs", "ingested")
    assert [each["before"]["flows"] for each in again["files"]] == [40, 20]
    found = _json(here, "top -n 3 --verdict allowed", "ranked")
    assert len(found["lines"]) == 3
    assert {each["verdict"] for each in found["lines"]} == {"allowed"}
    assert _json(here, "top --by port", "ranked")["lines"][0]["count"] == 60
    assert _json(here, "top --since 2100-01-01", "ranked")["lines"] == []
    assert _json(here, "status", "observed")["sources"][0]["read"]["flows"] == 60
    flows = _json(here, "query --to shop -n 5", "recorded")
    assert (len(flows["flows"]), flows["more"]) == (5, True)
    rows = list(csv.reader(io.StringIO(_run(here, "query -n 0 -o csv"))))
    assert len(rows) == 61
    told = [json.loads(line) for line in _run(here, "query -n 0 -o jsonl").splitlines()]
    assert [each["time"] for each in told] == sorted(each["time"] for each in told)
    assert _run(here, "query --from nowhere/x", 1) == "no flows\n"
    assert "parts are" in _run(here, "compact")
    assert _json(here, "top --by port", "ranked")["lines"][0]["count"] == 60


def test_lines_that_tell_of_nothing_are_counted_in_the_status(here: Path) -> None:
    _run(here, "ingest logs/a.log")
    assert "skipped" not in _run(here, "status")
    own = b'{"agent_event":{"type":"AGENT_STARTED"},"time":"2026-01-01T00:00:00Z"}\n'
    (here / "mixed.log").write_bytes(lines(60, 70) + own * 2)
    _run(here, "ingest mixed.log")
    assert "2 lines skipped: readable, with nothing to keep" in _run(here, "status")


def test_a_store_may_be_elsewhere(here: Path) -> None:
    (here / "cloison.yaml").write_text("flows: {store: seen}\n")
    _run(here, "ingest logs/a.log")
    assert (here / "seen" / "manifest.json").exists()
    _run(here, "ingest logs/b.log --store other")
    assert "20 connections" in _run(here, "status --store other")
    (here / "cloison.yaml").write_text("flows: {store: ../outside}\n")
    assert "leads out of the directory" in _run(here, "status", 2)


def test_what_cannot_be_read_makes_one(here: Path) -> None:
    (here / "noise").write_bytes(bytes(range(200)))
    assert "no reader suits it" in _run(here, "ingest noise logs/a.log", 1)
    (here / "logs" / "a.log").write_bytes(lines(0, 40) + b'{"flow": 7}\n')
    assert "1 bad line" in _run(here, "ingest logs/a.log", 1)
    assert "a.log:41:" in _run(here, "status --bad")


def test_who_held_addresses_is_taken_from_objects(here: Path) -> None:
    (here / "pod.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop}\n"
        "spec: {containers: [{name: c, ports: [{containerPort: 80}]}]}\n"
        "status: {podIP: 10.9.0.1, phase: Running}\n"
    )
    document = _json(here, "ingest -f pod.yaml --at 2023-01-01", "ingested")
    assert document["identities"] == 1
    (path,) = (here / ".cloison" / "flows" / "identity").iterdir()
    (row,) = pq.read_table(path, partitioning=None).to_pylist()
    assert (row["ip"], row["ns"], row["workload"], row["kind"]) == ("10.9.0.1", "shop", "a", "Pod")
    assert f"{row['since']:%Y-%m-%d}" == "2023-01-01"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ingest", "nothing to read"),
        ("ingest nowhere", "is no file and no directory"),
        ("ingest logs --reader none", "'none' is no reader"),
        ("ingest logs --map nonsense", "--map takes COLUMN=KEY"),
        ("status", "there is no store of flows"),
        ("top --since yesterday", "is no time"),
        ("ingest logs --engine polars://", "are not known to run on polars"),
        ("ingest logs --engine abacus", "there is no engine 'abacus'"),
    ],
)
def test_what_cannot_be_asked_makes_two(here: Path, line: str, said: str) -> None:
    assert said in _run(here, line, 2)


def test_ends_must_be_well_formed(here: Path) -> None:
    _run(here, "ingest logs")
    assert "names no end of a flow" in _run(here, "query --to a/b/c", 2)
    assert _run(here, "query --to 10.0.1.1 -n 1 -o jsonl").count("\n") == 1
