"""The store: files known again whatever became of them, one writer, nothing else removed."""

import bz2
import errno
import gzip
import json
import os
from pathlib import Path
from threading import Barrier

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cloison.base import QuestionError, SourceError
from cloison.flows.edges import edges
from cloison.flows.engines.columns import plain
from cloison.flows.engines.duck import Duck
from cloison.flows.reader import Options
from cloison.flows.schema import Identity
from cloison.flows.status import rejected, status
from cloison.flows.store.ingest import Wanted, ingest
from cloison.flows.store.keep import expire, merge
from cloison.flows.store.manifest import load
from cloison.flows.store.parts import HOUR, Kind, Rows, stage_all
from cloison.flows.store.place import reading, writing
from cloison.flows.store.rolling import hours, refresh
from cloison.flows.store.writer import writer
from tests.support.hubble import line, lines


def _read(store: Path, *paths: Path, at_once: int = 50) -> list[tuple[int, int, str]]:
    """Read files; return what was new in each, what had been read, and what was wrong."""
    with writer(store) as held:
        found = [ingest(held, path, Wanted(at_once=at_once)) for path in paths]
    return [(each.new.flows, each.before.flows, each.problem) for each in found]


def _total(store: Path) -> int:
    return sum(part.rows for part in load(store).of("flows"))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "events.log"
    path.write_bytes(lines(0, 200))
    return path


def test_a_file_is_read_once(store: Path, log: Path) -> None:
    assert _read(store, log, log) == [(200, 0, ""), (0, 200, "")]
    assert _read(store, log) == [(0, 200, "")]
    assert _total(store) == 200


def test_a_file_that_grows_is_read_on(store: Path, log: Path) -> None:
    for end in (201, 350, 351):
        _read(store, log)
        log.write_bytes(lines(0, end))
    _read(store, log)
    assert _total(store) == 351


def test_a_log_that_is_rotated_and_compressed(store: Path, log: Path, tmp_path: Path) -> None:
    _read(store, log)
    log.rename(tmp_path / "events.log.1")
    with (tmp_path / "events.log.1").open("ab") as handle:
        handle.write(lines(200, 230))  # written after we had read, before it was rotated
    log.write_bytes(lines(230, 300))
    assert _read(store, log, tmp_path / "events.log.1") == [(70, 0, ""), (30, 200, "")]
    packed = tmp_path / "events.log.1.gz"
    packed.write_bytes(gzip.compress((tmp_path / "events.log.1").read_bytes()))
    other = tmp_path / "events.log.1.bz2"
    other.write_bytes(bz2.compress((tmp_path / "events.log.1").read_bytes()))
    zstd = tmp_path / "events.log.1.zst"
    with pa.CompressedOutputStream(str(zstd), "zstd") as stream:
        stream.write((tmp_path / "events.log.1").read_bytes())
    assert _read(store, packed, other, zstd) == [(0, 230, "")] * 3
    assert _read(store, packed) == [(0, 230, "")]
    assert _total(store) == 300


def test_a_log_that_is_cut_off_in_place(store: Path, log: Path, tmp_path: Path) -> None:
    """Copied, then truncated: what comes next is a new log under the old name."""
    _read(store, log)
    copy = tmp_path / "copy"
    copy.write_bytes(log.read_bytes())
    log.write_bytes(lines(200, 210))
    assert _read(store, log, copy) == [(10, 0, ""), (0, 200, "")]
    log.write_bytes(lines(200, 500))  # grown past where the old one had been read to
    assert _read(store, log) == [(290, 10, "")]
    assert _total(store) == 500


def test_a_shorter_copy_counts_nothing_twice(store: Path, log: Path, tmp_path: Path) -> None:
    _read(store, log)
    copy = tmp_path / "copy"
    copy.write_bytes(lines(0, 100))
    assert _read(store, copy)[0][0] == 0
    assert _total(store) == 200


def test_a_last_line_without_an_end_counts_once(store: Path, log: Path) -> None:
    whole = lines(0, 12)
    log.write_bytes(whole[:-1])
    assert _read(store, log) == [(12, 0, "")]
    assert _read(store, log) == [(0, 12, "")]
    log.write_bytes(whole)
    assert _read(store, log) == [(0, 12, "")]
    log.write_bytes(whole + line(12)[:100])
    assert _read(store, log) == [(0, 12, "")]
    log.write_bytes(lines(0, 13))
    assert _read(store, log) == [(1, 12, "")]
    assert _total(store) == 13
    assert not load(store).inputs[0].counts.bad


def test_bad_lines_are_counted_and_kept_aside(store: Path, log: Path) -> None:
    log.write_bytes(lines(0, 3) + b"\n" + b'{"flow": \x1b[2J}\n' * 150 + lines(3, 5))
    with writer(store) as held:
        found = ingest(held, log, Wanted())
    assert (found.new.flows, found.new.bad) == (5, 150)
    kept = load(store).of("bad")
    rows = [row for part in kept for row in pq.read_table(store / part.path).to_pylist()]
    assert [row["line"] for row in rows] == list(range(5, 105))
    assert rows[0]["data"] == b'{"flow": \x1b[2J}\n'
    text = "".join(rejected(store))
    assert f"{log}:5: " in text
    assert "\x1b" not in text


def test_every_line_is_counted_once(store: Path, tmp_path: Path) -> None:
    log = tmp_path / "objects.json"
    log.write_text('{"apiVersion":"x.kubescape.io/v1","kind":"GeneratedNetworkPolicy"}\n')
    with writer(store) as held:
        new = ingest(held, log, Wanted("kubescape")).new
    assert (new.lines, new.flows, new.others, new.bad, new.skipped) == (1, 0, 0, 0, 1)
    assert new + new - new == new


def test_what_gave_nothing_is_read_anew(store: Path, tmp_path: Path) -> None:
    log = tmp_path / "own.csv"
    log.write_text("when,from\n2026-01-05T10:00:00Z,10.0.0.1\nx,1\n")
    right = Wanted("csv", Options(mapping={"time": "when", "src_ip": "from"}))
    with writer(store) as held:
        wrong = ingest(held, log, Wanted("hubble"))
        found = ingest(held, log, right)
        again = ingest(held, log, right)
        with pytest.raises(QuestionError, match="with other options before"):
            ingest(held, log, Wanted("csv"))
    assert (wrong.new.flows, wrong.new.bad) == (0, 3)
    assert (found.new.flows, found.new.bad, found.before.lines) == (1, 1, 0)
    assert (again.new.lines, again.before.flows) == (0, 1)
    with reading(store) as manifest:
        assert len(manifest.inputs) == 1
        parts = manifest.of("bad")
        rows = [row for part in parts for row in pq.read_table(store / part.path).to_pylist()]
    assert [row["reader"] for row in rows] == ["csv"]


def test_a_full_disk_is_no_defect(store: Path) -> None:
    with (
        pytest.raises(SourceError, match="cannot be written: No space left"),
        writing(store),
    ):
        raise OSError(errno.ENOSPC, "full")


def test_parts_wait_for_the_disk_together(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that waited alone would wait for ever."""
    together = Barrier(2, timeout=60)
    settle = os.fsync

    def slow(handle: int) -> None:
        together.wait()
        settle(handle)

    rows = pa.table({"time": pa.array([1, 2, 3], pa.timestamp("us", "UTC"))})
    wanted = [Rows("flows", rows.slice(n), Kind(1, "hubble"), hour=n) for n in (0, 1)]
    (store / "scratch").mkdir(parents=True)
    monkeypatch.setattr(os, "fsync", slow)
    parts = stage_all(store, wanted)
    assert [(part.hour, part.rows) for part in parts] == [(0, 3), (1, 2)]
    assert [pq.read_table(store / part.path).num_rows for part in parts] == [3, 2]


@pytest.mark.parametrize(("rows", "packed"), [(200, "SNAPPY"), (201, "ZSTD")])
def test_parts_of_few_rows_are_packed_the_quicker_way(store: Path, rows: int, packed: str) -> None:
    times = pa.table({"time": pa.array(range(rows), pa.timestamp("us", "UTC"))})
    (store / "scratch").mkdir(parents=True)
    (part,) = stage_all(store, [Rows("flows", times, Kind(1, "hubble"), hour=0)])
    columns = pq.ParquetFile(store / part.path).metadata.row_group(0)
    assert columns.column(0).compression == packed
    assert pq.read_table(store / part.path, partitioning=None) == times


def test_a_part_that_cannot_be_written_stops_the_run(
    store: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it belongs to the store then, and the next run removes what was left behind."""

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(SourceError, match="No space left"):
            _read(store, log)
    assert load(store).parts == ()
    assert _read(store, log) == [(200, 0, "")]
    kept = {part.path for part in load(store).parts}
    assert {str(p.relative_to(store)) for p in store.rglob("part-*.parquet")} == kept


def test_a_damaged_archive_says_so(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(lines(0, 3000))[:-2000])
    (flows, _before, problem) = _read(store, path)[0]
    assert problem.startswith("is damaged")
    assert 0 < flows < 3000
    path.write_bytes(gzip.compress(lines(0, 3000)))
    assert _read(store, path) == [(3000 - flows, flows, "")]


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_bytes_left_over_in_a_finished_archive_are_a_bad_line(
    suffix: str, store: Path, tmp_path: Path
) -> None:
    path = tmp_path / f"events.log.{suffix}"
    data = lines(0, 12) + line(12)[:100]
    if suffix == "gz":
        path.write_bytes(gzip.compress(data))
    else:
        with pa.CompressedOutputStream(str(path), "zstd") as stream:
            stream.write(data)
    with writer(store) as held:
        found, again = (ingest(held, path, Wanted()) for _ in range(2))
    assert (found.new.flows, found.new.bad, found.new.lines) == (12, 1, 13)
    assert (again.new.lines, again.before.bad) == (0, 1)
    assert "".join(rejected(store)).count("events.log") == 1


def test_a_damaged_zstd_archive_says_so(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.zst"
    with pa.CompressedOutputStream(str(path), "zstd") as stream:
        stream.write(lines(0, 3000))
    path.write_bytes(path.read_bytes()[:-200])
    assert _read(store, path)[0][2].startswith(("is damaged", "cannot be read"))


def test_what_no_reader_suits(store: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "noise").write_bytes(bytes(range(256)))
    said = _read(store, tmp_path / "empty", tmp_path / "noise")
    assert [each[2] for each in said] == [
        "is empty",
        "no reader suits it; name one with --reader",
    ]
    with writer(store) as held, pytest.raises(QuestionError, match="is no reader"):
        ingest(held, tmp_path / "noise", Wanted(reader="none"))


def test_one_writer_at_a_time(store: Path, log: Path) -> None:
    _read(store, log)
    with (
        writing(store),
        pytest.raises(SourceError, match=r"another run is writing .* \(process \d+\)"),
        writing(store),
    ):
        pass
    with writing(store), reading(store) as manifest:
        assert manifest.inputs


def test_only_parts_are_ever_removed(store: Path, log: Path, tmp_path: Path) -> None:
    _read(store, log)
    place = (store / load(store).of("flows")[0].path).parent
    orphan, own = place / "part-00000009-0123456789ab.parquet", place / "notes.txt"
    for path in (orphan, own, store / "mine"):
        path.touch()
    with reading(store), writing(store):
        assert orphan.exists(), "somebody may be reading it"
    with writing(store):
        assert not orphan.exists()
    assert own.exists()
    assert (store / "mine").exists()
    with pytest.raises(SourceError, match="holds other things"), writing(tmp_path):
        pass
    with pytest.raises(SourceError, match="no store of flows"), reading(tmp_path):
        pass


def test_a_store_of_another_version_is_refused(store: Path, log: Path) -> None:
    _read(store, log)
    document = json.loads((store / "manifest.json").read_text())
    (store / "manifest.json").write_text(json.dumps({**document, "version": 99}))
    with pytest.raises(SourceError, match="of version 99"), reading(store):
        pass


def test_roll_ups_and_retention_change_no_edges(store: Path, log: Path) -> None:
    _read(store, log)
    fresh = edges(store)
    engine = Duck(store / "scratch", threads=1)
    with writer(store) as held:
        assert refresh(held, engine) == 3
        assert refresh(held, engine) == 0
        assert edges(store).equals(fresh)
        assert merge(held) > 0
        assert edges(store).equals(fresh)
        last = max(part.hour or 0 for part in held.manifest.of("flows"))
        now = (last + 24) * HOUR
        assert expire(held, 30, None, now) == 0
        assert expire(held, 1, None, now) > 0
        assert {part.hour for part in held.manifest.of("flows")} == {last}
    assert edges(store).equals(fresh)
    # What comes late for an hour whose flows are gone is added to what is known of it.
    log.write_bytes(lines(0, 260))
    assert _read(store, log)[0][0] == 60
    with writer(store) as held:
        refresh(held, engine)
    assert sum(plain(edges(store)["count"])) == 260
    with writer(store) as held:
        expire(held, None, 1, now + 30 * 24 * HOUR)
        assert not held.manifest.of("rollups")
        assert not held.manifest.of("flows")
    engine.close()
    assert edges(store).num_rows == 0


def test_who_held_an_address_is_known_later(store: Path, log: Path) -> None:
    """Hours are rolled up again where it makes a difference, and nowhere else."""
    record = json.loads(line(1))
    for side in ("source", "destination"):
        record["flow"][side] = {}
    log.write_bytes(json.dumps(record).encode() + b"\n")
    engine = Duck(store / "scratch", threads=1)
    with writer(store) as held:
        ingest(held, log, Wanted())
        refresh(held, engine)
        when = (held.manifest.of("flows")[0].hour or 0) * HOUR
        ip = record["flow"]["IP"]["destination"]
        after = Identity(ip=ip, since=when + 2 * HOUR, ns="shop", workload="later", kind="Job")
        held.add([after], "")
        held.commit()
        assert not hours(held.manifest).stale
        then = Identity(ip=ip, since=when - HOUR, until=when + HOUR, ns="shop", workload="api")
        held.add([then], "")
        held.commit()
        assert len(hours(held.manifest).stale) == 1
        refresh(held, engine)
    engine.close()
    assert plain(edges(store)["dst_workload"]) == ["api"]


def test_status_says_what_was_seen(store: Path, log: Path) -> None:
    _read(store, log)
    known = status(store)
    (source,) = known.sources
    assert (source.name, source.counts.flows, source.hours, source.gaps) == ("hubble", 200, 3, ())
    assert {node.name for node in known.nodes} == {"node-0", "node-1"}
    assert sum(known.connections.values()) == 200
    assert set(known.connections) == {"allowed", "denied"}
    assert known.workloads == 6
