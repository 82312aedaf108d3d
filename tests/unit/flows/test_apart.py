"""Connections that are counted once, and those of several holders of an address apart."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from cloison.flows.engines.duck import Duck
from cloison.flows.schema import Flow, Identity
from tests.oracle import flows as oracle
from tests.support.flows import LISTENING, MINUTE, START, Case
from tests.unit.flows.run import computed

ZETA = {"src_ns": "alpha", "src_pod": "zeta-1", "src_workload": "zeta", "src_entity": "pod"}
AGENT = {"src_ns": "beta", "src_pod": "agent-0", "src_workload": "agent", "src_entity": "pod"}


def _flow(minute: int = 0, **more: Any) -> Flow:
    said = {"time": START + minute * MINUTE, "verdict": "allowed", "observer": "dst",
            "initiator": "known", "is_reply": False, "proto": "UDP", "src_ip": "10.1.0.4",
            "src_port": 123, "dst_ip": "10.1.1.9", "dst_port": 123, **more}  # fmt: skip
    return msgspec.convert(said, Flow)


def _edges(tmp_path: Path, flows: list[Flow], held: list[Identity]) -> list[tuple[Any, ...]]:
    """Return cluster, namespace and name of the source, verdict and count of every edge."""
    engine = Duck(tmp_path / "scratch", threads=1)
    found = computed(engine, [Case(0, flows, held)])[0]
    engine.close()
    assert found == oracle.edges(flows, held, LISTENING)
    return sorted((*key[:3], key[-2], row[0]) for key, row in found.items())


def test_holders_of_one_address_after_each_other_are_apart(tmp_path: Path) -> None:
    flows = [
        _flow(5, **ZETA),
        _flow(6),
        _flow(35, **AGENT, verdict="denied"),
        _flow(36, src_ns="beta", src_pod="agent-0", verdict="denied"),
    ]
    assert _edges(tmp_path, flows, []) == [
        (None, "alpha", "zeta", "allowed", 1),
        (None, "beta", "agent", "denied", 1),
    ]


def test_rows_without_names_join_those_with(tmp_path: Path) -> None:
    assert _edges(tmp_path, [_flow(1), _flow(2, **ZETA), _flow(30)], []) == [
        (None, "alpha", "zeta", "allowed", 1)
    ]


def test_clusters_with_the_same_addresses_are_apart(tmp_path: Path) -> None:
    east = {"src_cluster": "east", "dst_cluster": "east"}
    west = {"src_cluster": "west", "dst_cluster": "west"}
    flows = [_flow(1, **ZETA, **east), _flow(1, **AGENT, **west, verdict="denied")]
    assert _edges(tmp_path, flows, []) == [
        ("east", "alpha", "zeta", "allowed", 1),
        ("west", "beta", "agent", "denied", 1),
    ]


@pytest.mark.parametrize(
    ("cluster", "of", "name"),
    [
        ("east", "east", "portal"),
        ("west", "east", None),
        ("west", None, "portal"),
        (None, "east", "portal"),
        ("default", "east", "portal"),
    ],
)
def test_an_address_is_whose_it_is_in_its_cluster(
    cluster: str | None, of: str | None, name: str | None, tmp_path: Path
) -> None:
    held = Identity(
        ip="10.1.0.4", since=START, cluster=of, ns="web", pod="portal-1", workload="portal"
    )
    flow = _flow(1, src_cluster=cluster, dst_cluster=cluster)
    assert [row[2] for row in _edges(tmp_path, [flow], [held])] == [name]


@pytest.mark.parametrize(
    "seen",
    [
        [("dst", "ingress", False)],
        [("dst", "ingress", False), ("src", "ingress", True)],
        [("src", "egress", False), ("dst", "ingress", False), ("dst", "egress", True)],
        [("node", "egress", True), ("node", "ingress", True), ("node", "ingress", False)],
    ],
)
def test_what_is_seen_of_both_ends_and_answered_is_counted_once(
    seen: list[tuple[str, str, bool]], tmp_path: Path
) -> None:
    none: dict[str, Any] = {"src_port": None, "count": 100}
    flows = []
    for observer, way, back in seen:
        ends = {"src_ip": "10.1.1.9", "dst_ip": "10.1.0.4"} if back else {}
        ports = {"src_port": 123, "dst_port": None} if back else {}
        said = none | ends | ports | {"observer": observer, "direction": way, "is_reply": back}
        flows.append(_flow(1, **said))
    assert [row[3:] for row in _edges(tmp_path, flows, [])] == [("allowed", 100)]


def _ping(**more: Any) -> Flow:
    return _flow(
        proto="ICMP", src_port=None, dst_port=None, is_reply=None, initiator="unknown", **more
    )


def test_an_echo_and_its_answer_are_one_by_their_types(tmp_path: Path) -> None:
    back = {"src_ip": "10.1.1.9", "dst_ip": "10.1.0.4"}
    flows = [_ping(icmp_type=8), _ping(icmp_type=0, **back)]
    assert [each[3:] for each in _edges(tmp_path, flows, [])] == [("allowed", 1)]


def test_an_answer_that_is_lost_is_no_connection_of_its_own(tmp_path: Path) -> None:
    back = {"src_ip": "10.1.1.9", "dst_ip": "10.1.0.4", "verdict": "denied"}
    for observer, expected in (("dst", "allowed"), ("src", "error")):
        flows = [
            _ping(icmp_type=8, observer=observer),
            _ping(icmp_type=0, observer="src", **back),
        ]
        assert [each[3:] for each in _edges(tmp_path, flows, [])] == [(expected, 1)]
