"""Records of packets on their way: allowed only where an answer came, or somebody decided so."""

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

TIME = 1_777_629_600_000
ASKS, ANSWERS = ("10.1.0.4", 41_000), ("10.1.0.9", 5432)
EVENT = {"Feature": "acl", "Type": "NetworkPolicy", "Namespace": "web", "Name": "in"}


def _record(*, back: bool = False, **more: Any) -> str:
    src, dst = (ANSWERS, ASKS) if back else (ASKS, ANSWERS)
    ends = {"SrcAddr": src[0], "SrcPort": src[1], "DstAddr": dst[0], "DstPort": dst[1]}
    times = {"TimeFlowStartMs": TIME, "TimeFlowEndMs": TIME + 20}
    return json.dumps({**ends, **times, "Etype": 2048, "Proto": 6, "Packets": 1, **more})


def _udp(*, back: bool = False) -> str:
    return _record(back=back, Proto=17, Flags=0)


def _echo(*, back: bool = False) -> str:
    return _record(back=back, Proto=1, IcmpType=0 if back else 8, Flags=0)


def _event(action: str, direction: str) -> dict[str, Any]:
    return {"NetworkEvents": [{**EVENT, "Action": action, "Direction": direction}]}


VPC = "2 1 eni-1 {} {} {} {} {} 12 3400 1777629600 1777629660 ACCEPT OK"


def _vpc(*, back: bool = False) -> str:
    (src, sport), (dst, dport) = (ANSWERS, ASKS) if back else (ASKS, ANSWERS)
    return VPC.format(src, dst, sport, dport, 6)


@pytest.mark.parametrize(
    ("lines", "verdicts"),
    [
        # A first packet alone, a second one alone, and both.
        ([_record(Flags=2)], {"unknown": 1}),
        ([_record(Flags=["SYN"])], {"unknown": 1}),
        ([_record(back=True, Flags=256)], {"allowed": 1}),
        ([_record(Flags=2), _record(back=True, Flags=["SYN_ACK"])], {"allowed": 1}),
        # Who acknowledges has heard from the other; a reset may come from who refuses.
        ([_record(Flags=2 | 16)], {"allowed": 1}),
        ([_record(Flags=2), _record(back=True, Flags=1024)], {"unknown": 1}),
        ([_record(Flags=2 | 1024)], {"unknown": 1}),
        # Without flags, by packets the other way.
        ([_udp()], {"unknown": 1}),
        ([_udp(), _udp()], {"unknown": 1}),
        ([_udp(), _udp(back=True)], {"allowed": 1}),
        ([_echo()], {"unknown": 1}),
        ([_echo(), _echo(back=True)], {"allowed": 1}),
        # What the side that decides last says.
        ([_record(Flags=2, **_event("allow", "Ingress"))], {"allowed": 1}),
        ([_record(Flags=2, **_event("allow", "Egress"))], {"unknown": 1}),
        ([_record(Flags=2, **_event("drop", "Ingress"))], {"denied": 1}),
        ([_record(Flags=2, PktDropPackets=1)], {"error": 1}),
        # A security group let it through, which no policy did.
        ([_vpc()], {"unknown": 1}),
        ([_vpc(), _vpc(back=True)], {"allowed": 1}),
    ],
)
def test_it_is_allowed_where_it_was_answered(
    lines: list[str], verdicts: dict[str, int], tmp_path: Path
) -> None:
    path, store = tmp_path / "flows.log", tmp_path / "store"
    path.write_text("".join(f"{line}\n" for line in lines))
    with writer(store) as held:
        assert not ingest(held, path, Wanted()).new.bad
    assert {row["verdict"]: row["count"] for row in edges(store).to_pylist()} == verdicts


@pytest.mark.parametrize(
    ("second", "verdict"),
    [
        ({}, "allowed"),
        ({"observer": "src"}, "unknown"),
        ({"event": "trace"}, "unknown"),
        ({"src_port": 5432, "dst_port": 5432}, "unknown"),
        ({"verdict": "denied", "observer": "dst"}, "denied"),
    ],
)
def test_both_ways_are_an_answer(second: dict[str, Any], verdict: str, tmp_path: Path) -> None:
    first = Flow(
        time=START, verdict="unknown", observer="node", proto="TCP", src_ip="10.0.0.1",
        src_port=second.get("src_port", 41_000), dst_ip="10.0.0.2", dst_port=5432,
    )  # fmt: skip
    back = msgspec.structs.replace(
        first, src_ip="10.0.0.2", src_port=5432, dst_ip="10.0.0.1", dst_port=first.src_port,
        **{name: value for name, value in second.items() if not name.endswith("port")},
    )  # fmt: skip
    engine = Duck(tmp_path / "scratch", threads=1)
    one = Case(0, [first, back], [])
    found = computed(engine, [one])[0]
    engine.close()
    assert found == oracle.edges(one.flows, [], LISTENING)
    assert {key[-2] for key in found} == {verdict}
