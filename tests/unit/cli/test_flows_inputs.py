"""What `cloison flows` takes in, and what it prints of it, as it is typed."""

import json
import os
import threading
from pathlib import Path

import pytest

from cloison.base import SourceError
from cloison.cli.commands import flows_ingest
from cloison.flows.answers import Ingested
from cloison.flows.engines.server import Server
from cloison.flows.store.ingest import GONE, Wanted, ingest
from cloison.flows.store.writer import writer
from tests.support.cli import plain_environment, run_here
from tests.support.hubble import line, lines


def _run(here: Path, said: str, code: int = 0, **more: str) -> str:
    ran = run_here(("flows", *said.split()), here, {**plain_environment(), **more})
    assert ran.exit == code, ran.err
    return ran.out if code < 2 else ran.err


def test_a_log_with_another_ones_beginning_says_so(tmp_path: Path) -> None:
    log = tmp_path / "events.log"
    log.write_bytes(lines(0, 1000))
    _run(tmp_path, "ingest events.log")
    log.write_bytes(lines(0, 800) + lines(5000, 5500))
    said = _run(tmp_path, "ingest events.log")
    assert "500 new flows" in said
    assert "800 lines at its beginning had been read in events.log, and counted there" in said
    (tmp_path / "other.log").write_bytes(lines(0, 1) + lines(6000, 6001))
    found = json.loads(_run(tmp_path, "ingest other.log -o json"))["files"][0]
    assert found["shared"] == {"path": "events.log", "lines": 1, "unsure": 0}


def test_one_deep_line_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(lines(0, 3) + b'{"flow":' * 4000 + b"\n" + lines(3, 5))
    (tmp_path / "b.log").write_bytes(lines(10, 20))
    assert "15 new flows" in _run(tmp_path, "ingest a.log b.log", 1)
    assert "a.log:4: it nests too deeply" in _run(tmp_path, "status --bad")


def test_standard_input_is_read_to_its_end(tmp_path: Path) -> None:
    """And what was piped before is left out, as it is of files."""
    for end, new in ((40, 40), (45, 5), (45, 0)):
        ran = run_here(
            ("flows", "ingest", "-", "-o", "json"),
            tmp_path,
            plain_environment(),
            lines(0, end).decode(),
        )
        (found,) = json.loads(ran.out)["files"]
        assert (ran.exit, found["path"], found["new"]["flows"]) == (0, "-", new)
    assert not list((tmp_path / ".cloison").rglob("*.spool"))


def test_named_pipes_are_read_to_their_end(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writing = threading.Thread(target=lambda: pipe.write_bytes(lines(0, 30)))
    writing.start()
    assert "30 new flows" in _run(tmp_path, "ingest pipe")
    writing.join()


def _rotate(logs: Path) -> None:
    for number in (2, 1):
        older = logs / f"events.log.{number}"
        if older.exists():
            older.rename(logs / f"events.log.{number + 1}")
    (logs / "events.log").rename(logs / "events.log.1")


def test_a_directory_that_is_rotated_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that was listed and is not there any more is found under its new name."""
    logs = tmp_path / "logs"
    logs.mkdir()
    for number, name in enumerate(("events.log", "events.log.1", "events.log.2")):
        (logs / name).write_bytes(lines(number * 100, number * 100 + 100))
    listed = flows_ingest._files
    calls: list[int] = []

    def rotating(paths: tuple[str, ...]) -> list[Path]:
        found = listed(paths)
        calls.append(1)
        if len(calls) == 1:
            _rotate(logs)
        return found

    monkeypatch.setattr(flows_ingest, "_files", rotating)
    found = json.loads(_run(tmp_path, "ingest logs -o json"))["files"]
    assert sum(each["new"]["flows"] for each in found) == 300
    assert [each["problem"] for each in found] == [None] * 3
    assert len(calls) == 2


def test_a_file_that_is_gone_for_good(tmp_path: Path) -> None:
    with writer(tmp_path / "store") as held:
        found = ingest(held, tmp_path / "nothing", Wanted())
    assert found == Ingested(str(tmp_path / "nothing"), None, problem=GONE)


def test_bad_lines_are_told_as_text_only(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(lines(0, 3) + b"{\n")
    _run(tmp_path, "ingest a.log", 1)
    assert "--bad prints text" in _run(tmp_path, "status --bad -o json", 2)


@pytest.mark.parametrize("command", ["query", "top"])
def test_names_make_no_lines_of_their_own(tmp_path: Path, command: str) -> None:
    record = json.loads(line(1))
    forged = "p:1  x\n2026-11-23 10:00:00.000000  allowed  kube-system/forged:1  secret/db:5432"
    record["flow"]["source"] = {
        "namespace": "a", "pod_name": forged,
        "workloads": [{"name": forged, "kind": "Deployment"}],
    }  # fmt: skip
    (tmp_path / "e\nforged.log").write_bytes(json.dumps(record).encode() + b"\n")
    ran = run_here(("flows", "ingest", "e\nforged.log", "no\nsuch"), tmp_path, plain_environment())
    assert ran.err.splitlines()[0] == r"error: no\nsuch is no file and no directory"
    ran = run_here(("flows", "ingest", "e\nforged.log"), tmp_path, plain_environment())
    assert not [text for text in ran.out.splitlines() if text.startswith("forged")]
    said = _run(tmp_path, command)
    assert r"x\n2026-11-23" in said
    assert not [text for text in said.splitlines() if text.startswith("2026-11-23")]


@pytest.mark.parametrize("command", ["query", "top"])
def test_lines_fold_where_they_get_too_long(tmp_path: Path, command: str) -> None:
    record = json.loads(line(1))
    name = "a-workload-with-a-rather-long-name-of-its-own"
    for side in ("source", "destination"):
        record["flow"][side] = {
            "namespace": "shop", "pod_name": f"{name}-{side}",
            "workloads": [{"name": f"{name}-{side}", "kind": "Job"}],
        }  # fmt: skip
    (tmp_path / "a.log").write_bytes(json.dumps(record).encode() + b"\n")
    _run(tmp_path, "ingest a.log")
    wide = _run(tmp_path, command, COLUMNS="250").splitlines()
    folded = _run(tmp_path, command, COLUMNS="140").splitlines()
    assert len(folded) == len(wide) * 2 == 4
    assert folded[1] == "    SOURCE -> DESTINATION"
    assert folded[3].startswith(f"    shop/{name}-source")
    assert max(map(len, folded)) <= 140 < max(map(len, wide))


def test_a_server_whose_client_is_missing_names_our_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_address: str) -> None:
        msg = "You can pip or conda install the backend as follows:"
        raise ImportError(msg)

    monkeypatch.setattr("cloison.flows.engines.server.ibis.connect", missing)
    with pytest.raises(SourceError) as raised:
        Server("clickhouse://here")
    assert raised.value.message == "clickhouse needs a client that is not installed"
    assert raised.value.help == "pip install 'cloison[clickhouse]'"


def test_a_store_among_logs_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "events.log").write_bytes(lines(0, 3))
    for expected in ("3 new flows", "0 new flows"):
        assert expected in _run(tmp_path, "ingest . --store seen")
