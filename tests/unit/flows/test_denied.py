"""What was denied: of a connection or only of its answer, and what came of it later."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cloison.flows.edges import edges
from cloison.flows.engines.duck import Duck
from cloison.flows.schema import Flow
from cloison.flows.store.ingest import Wanted, ingest
from cloison.flows.store.writer import writer
from tests.oracle import flows as oracle
from tests.support.flows import LISTENING, START, Case
from tests.unit.flows.run import computed

CLIENT, SERVER = ("10.1.0.5", 40_000), ("10.1.0.9", 9443)
SECOND = 1_000_000
End = tuple[str, int]
Told = tuple[int, str, End, End]


def _line(told: Told) -> bytes:
    second, verdict, (src, sport), (dst, dport) = told
    line: dict[str, Any] = {"level": "info", "ts": f"2026-01-02T03:04:{second:02}Z"}
    if verdict == "FORGOTTEN":
        key = f"Source IP - {src} Source port - {sport} Dest IP - {dst} Dest port - {dport}"
        line |= {
            "logger": "ebpf-client",
            "msg": "Conntrack cleanup",
            "Delete - ": f"Conntrack Key : {key} Protocol - 6 Owner IP - {src}",
        }
    else:
        ends = f"Src IP: {src} Src Port: {sport} Dest IP: {dst} Dest Port: {dport}"
        line["msg"] = f"Flow Info: {ends} Proto TCP Verdict {verdict} Direction egress"
    return json.dumps(line).encode() + b"\n"


def _read(tmp_path: Path, data: bytes) -> list[dict[str, Any]]:
    path, store = tmp_path / "agent.log", tmp_path / "store"
    path.write_bytes(data)
    with writer(store) as writes:
        assert not ingest(writes, path, Wanted(reader="aws-agent")).new.bad
    rows: list[dict[str, Any]] = edges(store).to_pylist()
    return rows


@pytest.mark.parametrize("known", ["ACCEPT", "EXPIRED/DELETED", "FORGOTTEN"])
@pytest.mark.parametrize("seconds", [(1, 2), (5, 4)])
def test_a_denied_reply_denies_nothing(
    known: str, seconds: tuple[int, int], tmp_path: Path
) -> None:
    """aws/aws-network-policy-agent#246, #462: it forgets connections, and asks about replies."""
    before, after = seconds
    told: list[Told] = [(before, known, CLIENT, SERVER), (after, "DENY", SERVER, CLIENT)]
    (row,) = _read(tmp_path, b"".join(map(_line, told)))
    assert row["verdict"] != "denied"
    assert {row["src_ip"], row["dst_ip"]} == {CLIENT[0], SERVER[0]}
    assert row["initiator"] == "unknown"
    assert row["port"] is None


@pytest.mark.parametrize(
    "told",
    [
        # Nothing was let through the other way.
        [(1, "DENY", SERVER, CLIENT)],
        # Only long after.
        [(1, "DENY", SERVER, CLIENT), (30, "ACCEPT", CLIENT, SERVER)],
        # The same way: the one end lets go what the other denies.
        [(1, "ACCEPT", CLIENT, SERVER), (2, "DENY", CLIENT, SERVER)],
        # Either of two peers may have asked.
        [(1, "ACCEPT", ("10.1.0.5", 7946), ("10.1.0.9", 7946)),
         (2, "DENY", ("10.1.0.9", 7946), ("10.1.0.5", 7946))],
    ],
)  # fmt: skip
def test_what_may_be_a_connection_of_its_own_stays_denied(told: list[Told], tmp_path: Path) -> None:
    rows = _read(tmp_path, b"".join(map(_line, told)))
    assert "denied" in {row["verdict"] for row in rows}


def _flow(second: float, verdict: str, observer: str = "dst", **more: Any) -> Flow:
    said = {
        "time": START + round(second * SECOND),
        "verdict": verdict,
        "observer": observer,
        "initiator": "known",
        "proto": "TCP",
        "src_ip": CLIENT[0],
        "src_port": CLIENT[1],
        "dst_ip": SERVER[0],
        "dst_port": SERVER[1],
        "bytes": 100,
        **more,
    }
    return msgspec.convert(said, Flow)


def _edges(tmp_path: Path, flows: list[Flow]) -> dict[str, tuple[int, int, float, float]]:
    """Return count, bytes, and the first and last second of each verdict."""
    case = Case(0, flows, [])
    engine = Duck(tmp_path / "scratch", threads=1)
    found = computed(engine, [case])[0]
    engine.close()
    assert found == oracle.edges(flows, [], LISTENING)
    return {
        key[-2]: (row[0], row[4], (row[-2] - START) / SECOND, (row[-1] - START) / SECOND)
        for key, row in found.items()
    }


def test_what_was_denied_and_is_allowed_now_says_both(tmp_path: Path) -> None:
    """A client asks again from the same port until somebody mends the policy."""
    tries = [_flow(at, "denied") for at in (0, 1, 3, 7)]
    passed = [_flow(15, "allowed"), _flow(20, "allowed")]
    assert _edges(tmp_path, [*tries, *passed]) == {
        "denied": (1, 0, 0, 7),
        "allowed": (1, 600, 15, 20),
    }


def test_what_was_allowed_and_is_denied_now_says_both(tmp_path: Path) -> None:
    flows = [_flow(0, "allowed"), _flow(2, "allowed"), _flow(600, "denied"), _flow(601, "denied")]
    assert _edges(tmp_path, flows) == {
        "allowed": (1, 400, 0, 2),
        "denied": (1, 0, 600, 601),
    }


def test_what_one_end_let_go_and_the_other_denied_is_denied_only(tmp_path: Path) -> None:
    flows = [
        *(_flow(at, "allowed", "src") for at in (0, 1, 3)),
        *(_flow(at + 0.01, "denied") for at in (0, 1, 3)),
    ]
    assert _edges(tmp_path, flows) == {"denied": (1, 300, 0, 3.01)}


def test_clocks_that_differ_make_no_change(tmp_path: Path) -> None:
    """A source that tells no direction has two nodes decide, the latter by a clock behind."""
    flows = [_flow(1, "allowed", "node"), _flow(0.7, "denied", "node")]
    assert _edges(tmp_path, flows).keys() == {"denied"}


def test_summed_records_tell_the_times_of_each_verdict(tmp_path: Path) -> None:
    gone: dict[str, Any] = {"src_ip": None, "src_port": None, "src_workload": "portal"}
    flows = [_flow(at, "denied", **gone) for at in (0, 3)]
    flows += [_flow(at, "allowed", **gone) for at in (20, 40)]
    assert {verdict: row[2:] for verdict, row in _edges(tmp_path, flows).items()} == {
        "denied": (0, 3),
        "allowed": (20, 40),
    }
