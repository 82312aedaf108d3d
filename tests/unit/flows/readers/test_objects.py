"""Objects in files: however they are written, and what would take up too much to read."""

import gzip
import json
from pathlib import Path

import pytest

from cloison.flows.files import DOCUMENT
from cloison.flows.reader import BadRecordError, Head, Options
from cloison.flows.readers import READERS, detect, reader
from cloison.flows.readers.objects import MAX_ALIAS_WEIGHT, MAX_DEPTH, YAML, objects
from cloison.flows.status import rejected
from cloison.flows.store.ingest import Wanted, ingest
from cloison.flows.store.writer import writer
from tests.support.hubble import line, lines

KIND = "apiVersion: spdx.softwarecomposition.kubescape.io/v1beta1\nkind: NetworkNeighborhood\n"
DEEP = b'{"a":' * 5000 + b"1" + b"}" * 5000


def _bomb(levels: int) -> bytes:
    rows = [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join([f"{KIND}a0: &a0 [{','.join('x' * 9)}]", *rows]).encode()


def test_objects_as_json_over_one_line_or_many_and_as_yaml() -> None:
    one, other = {"kind": "A", "n": [1, 2]}, {"kind": "B"}
    rows = json.dumps(one).encode() + b"\n\n" + json.dumps(other).encode()
    for data, expected in (
        (rows, [one, other]),
        (json.dumps(one, indent=2).encode(), [one]),
        (b"kind: A\nn: [1, 2]\n---\nkind: B\n", [one, other]),
        (b"{kind: A, n: [1,\n 2]}\n", [one]),
        (b"kind: A\nn: &n [1, 2]\n---\nx: &n 1\ny: *n\n", [one, {"x": 1, "y": 1}]),
    ):
        assert [json.loads(found) for found in objects(data)] == expected


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (_bomb(12), "its aliases expand too far"),
        (_bomb(7), "its aliases expand too far"),
        (b"a: &a [x]\nb: &b [*a, *b]\n", "stands inside its own"),
        (b"a: *b\n", "no anchor before it"),
        (b"a: " + b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nests too deeply"),
        (b"a: " + b"[" * 200_000, "nests too deeply"),
        (b"a: b\n" * (YAML // 5 + 1), "YAML of more than 4 MiB"),
        (b"a: [\n", "neither JSON nor YAML"),
    ],
)
def test_yaml_that_would_take_up_too_much(data: bytes, why: str) -> None:
    with pytest.raises(BadRecordError, match=why):
        list(objects(data))


def test_yaml_within_its_limits() -> None:
    (found,) = objects(_bomb(5))
    assert json.loads(found)["a4"][8][8][8][8][8] == "x"
    text = "x" * (64 * (MAX_ALIAS_WEIGHT // 10))
    assert len(list(objects(f"a: &a {text}\nb: [{', '.join(['*a'] * 9)}]\n".encode()))) == 1
    with pytest.raises(BadRecordError, match="expand too far"):
        list(objects(f"a: &a {text}\nb: [{', '.join(['*a'] * 11)}]\n".encode()))


def test_a_document_that_is_too_long_when_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "learned.json.gz"
    said = b'{"kind":"NetworkNeighborhood","apiVersion":"kubescape","a":"'
    path.write_bytes(gzip.compress(said + b"x" * DOCUMENT + b'"}', 1))
    with writer(tmp_path / "store") as held:
        found = ingest(held, path, Wanted())
    assert (found.new.bad, found.new.flows) == (1, 0)
    assert "more than 32 MiB" in "".join(rejected(tmp_path / "store"))


def test_a_document_of_many_flows_counts_whole(tmp_path: Path) -> None:
    """They are not held all at once, and the last of them decides whether they count."""
    ports = ",".join(['{"port":80}'] * 120_000)
    start = '{"kind":"NetworkNeighborhood","apiVersion":"kubescape","spec":{"egress":[{"ports":['
    (tmp_path / "a").write_text(f"{start}{ports}]}}]}}}}")
    (tmp_path / "b").write_text(f'{start}{ports},{{"port":99999}}]}}]}}}}')
    with writer(tmp_path / "store") as held:
        found = [ingest(held, tmp_path / name, Wanted(), name=name) for name in "ab"]
        rows = sum(part.rows for part in held.manifest.of("flows"))
    assert [(each.new.flows, each.new.bad) for each in found] == [(120_000, 0), (0, 1)]
    assert rows == 120_000


@pytest.mark.parametrize("name", READERS)
def test_a_line_that_nests_too_deeply_is_a_bad_line(name: str, tmp_path: Path) -> None:
    """Whatever reads it, and wherever it stands: the others are read."""
    known = reader(name)
    head = Head("log", DEEP, (DEEP, DEEP))
    assert known.suits(head) <= 1
    if known.framing == "parquet":
        return
    path = tmp_path / "log"
    path.write_bytes(DEEP + b"\n")
    with writer(tmp_path / "store") as held:
        found = ingest(held, path, Wanted(name, Options(mapping={"time": "a"})))
    assert found.problem == ""
    assert found.new.flows == 0
    assert found.new.bad + found.new.skipped == found.new.lines == 1


def test_a_deep_line_among_others(tmp_path: Path) -> None:
    deep = line(5).replace(b'"is_reply"', b'"extensions": ' + DEEP + b', "is_reply"')
    path = tmp_path / "log"
    path.write_bytes(deep + lines(0, 5) + deep + lines(6, 100))
    assert detect(Head("log", path.read_bytes(), tuple(path.read_bytes().splitlines())))
    with writer(tmp_path / "store") as held:
        found = ingest(held, path, Wanted())
    assert (found.reader, found.new.flows, found.new.bad) == ("hubble", 99, 2)
    assert "nests too deeply" in "".join(rejected(tmp_path / "store"))
