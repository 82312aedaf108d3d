"""Files that begin alike: what they have in common counts once, and all the rest counts."""

import gzip
import json
import random
from pathlib import Path

import pytest

from cloison.flows.answers import Ingested
from cloison.flows.edges import edges
from cloison.flows.engines.columns import plain
from cloison.flows.reader import Options
from cloison.flows.store import lines as checksums
from cloison.flows.store.ingest import Wanted, ingest
from cloison.flows.store.keep import expire
from cloison.flows.store.manifest import load
from cloison.flows.store.writer import writer
from tests.support.hubble import line, lines


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def _read(store: Path, path: Path, data: bytes | None = None, **wanted: object) -> Ingested:
    if data is not None:
        path.write_bytes(data)
    options = Options(cluster=str(wanted["cluster"])) if "cluster" in wanted else Options()
    with writer(store) as held:
        return ingest(held, path, Wanted(options=options, at_once=50))


def _rows(store: Path) -> int:
    return sum(part.rows for part in load(store).of("flows"))


@pytest.mark.parametrize("common", [1, 2, 3, 30, 63, 64, 65, 800, 999])
def test_a_file_that_goes_on_differently_is_read_from_there(
    store: Path, tmp_path: Path, common: int
) -> None:
    log = tmp_path / "events.log"
    _read(store, log, lines(0, 1000))
    found = _read(store, log, lines(0, common) + lines(5000, 5500))
    assert (found.new.flows, found.shared and found.shared.lines) == (500, common)
    assert found.shared
    assert (found.shared.path, found.shared.unsure) == (str(log), 0)
    assert _rows(store) == 1500
    assert sum(plain(edges(store)["count"])) == 1500
    # From then on it is an input like any other.
    grown = _read(store, log, lines(0, common) + lines(5000, 5510))
    assert (grown.new.flows, grown.before.flows, grown.shared) == (10, 500, None)
    copied = _read(store, tmp_path / "copy", lines(0, common) + lines(5000, 5200))
    assert copied.new.flows == 0
    assert _read(store, tmp_path / "old", lines(0, 1000)).new.flows == 0
    assert _rows(store) == 1510


def test_files_of_any_kind_count_what_they_have_in_common_once(store: Path, tmp_path: Path) -> None:
    """Of any files there are as many flows as there are different beginnings of them."""
    chance = random.Random(8)
    files: list[list[int]] = [list(range(150))]
    seen: set[tuple[int, ...]] = set()
    for number in range(60):
        known = chance.choice(files)
        kept = known[: chance.choice([0, 1, 2, len(known) // 2, len(known), len(known) - 1])]
        more = [chance.randrange(10_000) for _ in range(chance.choice([0, 1, 3, 70, 130]))]
        content = kept + more
        if not content:
            continue
        files.append(content)
        data = b"".join(map(line, content))
        path = tmp_path / f"log-{number % 7}"
        _read(store, path, gzip.compress(data) if chance.random() < 0.3 else data)
        seen |= {tuple(content[: size + 1]) for size in range(len(content))}
        assert _rows(store) == len(seen)
    counts = [each.counts.flows for each in load(store).inputs]
    assert sum(counts) == len(seen)


def test_an_edit_that_keeps_a_file_as_long_is_seen(store: Path, tmp_path: Path) -> None:
    """Where its beginning and its end are the same as before, too."""
    before = [line(number) for number in range(1000)]
    after = list(before)
    after[600] = before[600].replace(b"app-", b"own-")
    _read(store, tmp_path / "map", b"".join(before))
    found = _read(store, tmp_path / "map", b"".join(after))
    assert found.new.flows == 400
    assert found.shared
    assert found.shared.lines == 600


@pytest.mark.parametrize("cut", [1, 40, 300])
def test_a_copy_that_is_cut_off_within_a_line_adds_nothing(
    store: Path, tmp_path: Path, cut: int
) -> None:
    _read(store, tmp_path / "log", lines(0, 300))
    found = _read(store, tmp_path / "copy", lines(0, 200) + line(200)[:cut])
    assert (found.new.flows, found.new.bad, found.problem) == (0, 0, "")
    assert _rows(store) == 300


def test_a_log_that_goes_on_after_a_loss_of_power(store: Path, tmp_path: Path) -> None:
    """Its tail is zeros then, as long as what was written and never reached the disk."""
    log = tmp_path / "log"
    _read(store, log, lines(0, 1000))
    whole, torn = lines(0, 469), line(469)[:100]
    zeros = bytes(len(lines(0, 1000)) - len(whole) - len(torn))
    found = _read(store, log, whole + torn + zeros + lines(2000, 4000))
    assert (found.new.flows, found.new.bad, found.new.lines) == (2000, 1, 2001)
    assert _rows(store) == 3000
    found = _read(store, log, whole + zeros + lines(6000, 6010))
    assert (found.new.flows, found.new.bad) == (10, 0)


def test_a_last_line_without_an_end_stays_where_another_file_goes_on_otherwise(
    store: Path, tmp_path: Path
) -> None:
    first = lines(0, 11)[:-1]
    assert _read(store, tmp_path / "a", first).new.flows == 11
    assert _read(store, tmp_path / "b", lines(0, 10)).new.flows == 0
    assert _rows(store) == 11
    assert _read(store, tmp_path / "b", lines(0, 10) + line(77)).new.flows == 1
    assert _rows(store) == 12
    assert _read(store, tmp_path / "a", first).new.flows == 0
    assert _read(store, tmp_path / "a", first + b"\n" + line(12)).new.flows == 1
    assert _rows(store) == 13


def test_what_is_read_otherwise_is_something_else(store: Path, tmp_path: Path) -> None:
    """The same lines of two clusters tell of two clusters."""
    _read(store, tmp_path / "east", lines(0, 100) + lines(200, 210), cluster="east")
    found = _read(store, tmp_path / "west", lines(0, 100) + lines(300, 310), cluster="west")
    assert (found.new.flows, found.shared) == (110, None)


def test_a_document_that_differs_in_the_middle_is_another_one(store: Path, tmp_path: Path) -> None:
    ports = [{"port": number, "protocol": "TCP"} for number in range(10_000, 15_000)]
    peer = {"type": "external", "ipAddress": "203.0.113.9", "ports": ports}
    document = {
        "kind": "NetworkNeighborhood",
        "apiVersion": "spdx.softwarecomposition.kubescape.io/v1beta1",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"egress": [peer]},
    }
    path = tmp_path / "learned.json"
    said = json.dumps(document).encode()
    assert len(said) > 2 * 65_536
    assert _read(store, path, said).new.flows == 5000
    assert _read(store, path, said).new.flows == 0
    assert _read(store, path, said.replace(b"12500", b"22500")).new.flows == 5000


def _aged(store: Path) -> None:
    """Make a store what an earlier version of this program would have left."""
    path = store / "manifest.json"
    manifest = json.loads(path.read_bytes())
    for each in manifest["inputs"]:
        for name in ("steps", "rest", "newest"):
            each.pop(name, None)
        for mark in each["marks"]:
            mark.pop("sum", None)
    path.write_text(json.dumps(manifest))
    checksums.expire(store, 2**40)


def test_a_store_of_an_earlier_version_is_gone_on_with(store: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    _read(store, log, lines(0, 1000))
    _aged(store)
    marks = [mark.line - 1 for mark in load(store).inputs[0].marks]
    assert _read(store, tmp_path / "copy", lines(0, marks[1])).new.flows == 0
    # Where the two part is not known better than the marks say it; nothing is lost.
    found = _read(store, tmp_path / "other", lines(0, 500) + lines(5000, 5010))
    last = max(at for at in marks if at <= 500)
    assert found.shared
    assert found.shared.lines == last
    assert found.new.flows == 510 - last
    assert found.shared.unsure == min(at for at in marks if at > 500) - last
    # What has grown is read on, and is known line by line from then on.
    assert _read(store, log, lines(0, 1001)).new.flows == 1
    exact = _read(store, tmp_path / "third", lines(0, 900) + lines(7000, 7010))
    assert exact.shared
    assert (exact.new.flows, exact.shared.lines, exact.shared.unsure) == (10, 900, 0)


def test_checksums_are_removed_with_flows_and_nothing_is_lost(store: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    _read(store, log, lines(0, 1000))
    assert checksums.held(store, 1) == 1000
    with writer(store) as held:
        expire(held, 1, None, 2**53)
    assert checksums.held(store, 1) == 0
    before = sum(each.counts.flows for each in load(store).inputs)
    found = _read(store, tmp_path / "other", lines(0, 600) + lines(5000, 5010))
    assert found.shared
    assert 512 <= found.shared.lines <= 600
    assert found.new.flows == 610 - found.shared.lines
    assert found.shared.lines + found.shared.unsure >= 600
    assert _read(store, log, lines(0, 1001)).new.flows == 1
    assert checksums.held(store, 1) == 1001
    assert sum(each.counts.flows for each in load(store).inputs) == before + found.new.flows + 1


def test_checksums_of_a_run_that_never_committed_are_overwritten(
    store: Path, tmp_path: Path
) -> None:
    with writer(store) as held:
        held.commit()
    checksums.write(store, 1, 0, [checksums.summed(_file(tmp_path, lines(0, 500)), 500)])
    _read(store, tmp_path / "log", lines(1000, 1010))
    assert checksums.held(store, 1) == 10
    assert _read(store, tmp_path / "log", lines(1000, 1010)).new.flows == 0
    assert _read(store, tmp_path / "log", lines(1000, 1005) + lines(0, 5)).new.flows == 5


def _file(directory: Path, data: bytes) -> Path:
    path = directory / "never"
    path.write_bytes(data)
    return path
