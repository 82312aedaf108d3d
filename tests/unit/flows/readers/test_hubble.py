"""What Hubble's records say: our own, in each spelling, and published ones beside the checkout."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cloison.flows import files
from cloison.flows.columns import gather
from cloison.flows.reader import BadRecordError, Head, Options
from cloison.flows.readers import detect, reader
from cloison.flows.schema import Coverage, Decision, Flow, Record
from tests.support.flowlines import API, FLOW, TIME, WEB, camel

SHARED = Path(__file__).parents[5] / "shared" / "data" / "flows" / "hubble"
MOMENT = 1_767_323_045_123_456


def read(line: object, options: Options | None = None) -> list[Record]:
    data = line if isinstance(line, bytes) else json.dumps(line).encode()
    return list(reader("hubble").open(Head("x", b"", ()), options or Options())(data))


def row(options: Options | None = None, /, **said: Any) -> Flow:
    """Read the flow above with some fields of it changed; those that are `None` left out."""
    made = {key: value for key, value in {**FLOW, **said}.items() if value is not None}
    (found,) = read({"flow": made}, options)
    assert isinstance(found, Flow)
    return found


def test_every_field_of_a_verdict() -> None:
    found = row()
    assert (found.time, found.verdict, found.event, found.count) == (
        MOMENT,
        "allowed",
        "verdict",
        1,
    )
    assert (found.proto, found.src_ip, found.src_port) == ("TCP", "10.0.1.7", 40000)
    assert (found.dst_ip, found.dst_port, found.obs_id) == ("10.0.2.9", 8080, "8a1c")
    assert (found.src_cluster, found.src_ns, found.src_pod) == ("east", "shop", WEB["pod_name"])
    assert (found.src_workload, found.src_kind, found.src_entity) == ("web", "Deployment", "pod")
    assert found.src_labels == ("app.kubernetes.io/part-of=shop", "app=web")
    assert (found.dst_cluster, found.dst_pod, found.dst_labels) == ("west", "api-0", None)
    assert (found.dst_workload, found.dst_kind) == ("api", None)  # by the name of its pod
    assert (found.svc_ns, found.svc_name) == ("shop", "api")
    assert found.names == ("api.shop.svc.cluster.local",)
    assert (found.node, found.direction, found.observer) == ("node-1", "egress", "src")
    assert (found.is_reply, found.opens, found.initiator) == (False, True, "known")
    assert (found.match, found.deny_reason) == ("l3-l4", None)
    assert found.decided_by == (
        Decision("CiliumNetworkPolicy", "shop", "web-out", "egress", "allow"),
    )


def test_every_spelling_says_the_same() -> None:
    numbers = {
        **FLOW,
        "verdict": 1,
        "Type": 1,
        "traffic_direction": 2,
        "is_reply": {"value": False},
    }
    (said,) = read({"flow": FLOW})
    for line in (
        FLOW,
        {"flow": FLOW, "node_name": "east/node-2", "time": "2026-01-01T00:00:00Z"},
        {"flow": camel(FLOW), "nodeName": "east/node-2", "time": TIME},
        camel(FLOW),
        {"flow": numbers},
        {"flow": camel(numbers)},
        {"flow": {**FLOW, "l7": None, "source_service": None, "reply": None, "source_names": None}},
    ):
        assert read(line) == [said]


@pytest.mark.parametrize(
    ("said", "verdict", "why"),
    [
        ({"verdict": "REDIRECTED"}, "allowed", None),
        ({"verdict": 5}, "allowed", None),
        ({"verdict": "AUDIT"}, "audited", None),
        ({"verdict": "ERROR"}, "error", None),
        ({"verdict": "TRACED"}, "unknown", None),
        ({"verdict": "TRANSLATED"}, "unknown", None),
        ({"verdict": "VERDICT_UNKNOWN"}, "unknown", None),
        ({"verdict": 15}, "unknown", None),  # of Retina: sent again
        ({"verdict": 16}, "unknown", None),  # of Retina: a question for a name
        ({"verdict": None}, "unknown", None),
        # Seen before anything was decided about it; a reply was decided about before.
        ({"verdict": 1, "trace_observation_point": "FROM_ENDPOINT"}, "unknown", None),
        ({"verdict": 1, "trace_observation_point": 10}, "unknown", None),
        ({"verdict": 1, "trace_observation_point": 5, "is_reply": True}, "allowed", None),
        ({"verdict": 1, "trace_observation_point": "TO_STACK"}, "allowed", None),
        ({"drop_reason_desc": "POLICY_DENIED"}, "denied", "POLICY_DENIED"),
        ({"drop_reason_desc": "POLICY_DENY"}, "denied", "POLICY_DENY"),
        ({"drop_reason_desc": "AUTH_REQUIRED"}, "denied", "AUTH_REQUIRED"),
        ({"drop_reason_desc": 133}, "denied", "POLICY_DENIED"),
        ({"drop_reason_desc": 181}, "denied", "POLICY_DENY"),
        ({"drop_reason_desc": 189}, "denied", "AUTH_REQUIRED"),
        ({"drop_reason": 133}, "denied", "POLICY_DENIED"),
        ({"drop_reason": 150}, "error", "UNKNOWN_L3_TARGET_ADDRESS"),
        ({"drop_reason_desc": "STALE_OR_UNROUTABLE_IP"}, "error", "STALE_OR_UNROUTABLE_IP"),
        ({"drop_reason_desc": 9999}, "error", "9999"),
        # Nobody says why: a policy said so, or a proxy; or nobody knows.
        ({"event_type": {"type": 5}}, "denied", None),
        ({"event_type": {"type": 129}}, "denied", None),
        ({"event_type": {"type": 1}}, "unknown", None),
    ],
)
def test_verdicts(said: dict[str, Any], verdict: str, why: str | None) -> None:
    found = row(**{"verdict": "DROPPED", **said})
    assert (found.verdict, found.deny_reason) == (verdict, why)


_SYN_ACK = {"TCP": {"flags": {"SYN": True, "ACK": True}}}


@pytest.mark.parametrize(
    ("said", "reply", "initiator"),
    [
        ({"is_reply": True}, True, "known"),
        ({"is_reply": {"value": True}}, True, "known"),
        ({"is_reply": {}}, False, "known"),
        ({"is_reply": None, "l4": None}, None, "unknown"),
        ({"is_reply": None}, None, "inferred"),
        ({"is_reply": None, "l4": None, "reply": True}, True, "known"),
        ({"is_reply": None, "l4": None, "reply": False}, None, "unknown"),
        # Nobody asks whether a dropped packet is a reply.
        ({"is_reply": None, "verdict": "DROPPED"}, False, "inferred"),
        # Whoever sends SYN and ACK answers.
        ({"is_reply": None, "l4": _SYN_ACK}, True, "known"),
        ({"is_reply": None, "l4": _SYN_ACK, "verdict": "DROPPED"}, True, "known"),
        ({"is_reply": False, "l4": _SYN_ACK}, False, "known"),
        ({"is_reply": None, "l4": {"TCP": {"flags": {"ACK": True}}}}, None, "unknown"),
        # Retina says that it is none where it does not know.
        (
            {"l4": None, "extensions": {"@type": "type.googleapis.com/utils.RetinaMetadata"}},
            None,
            "unknown",
        ),
    ],
)
def test_three_states_of_replies(
    said: dict[str, Any], *, reply: bool | None, initiator: str
) -> None:
    found = row(**{"event_type": {"type": 4}, **said})
    assert (found.is_reply, found.initiator) == (reply, initiator)


@pytest.mark.parametrize(
    ("said", "opens"),
    [
        ({}, True),
        ({"l4": {"TCP": {"flags": {"SYN": True, "ACK": True}}}}, False),
        ({"l4": {"TCP": {"flags": {"ACK": True}}}, "trace_reason": "NEW"}, False),
        ({"l4": {"UDP": {}}, "trace_reason": "NEW"}, True),
        ({"l4": {"UDP": {}}, "trace_reason": 1}, True),
        ({"l4": {"UDP": {}}, "trace_reason": "ESTABLISHED"}, False),
        ({"l4": {"UDP": {}}, "trace_reason": "RELATED"}, False),
        ({"l4": {"UDP": {}}, "trace_reason": "SRV6_ENCAP"}, None),
        ({"l4": {"UDP": {}}}, None),
        ({"l4": {"UDP": {}}, "event_type": {"type": 5}}, True),
        ({"is_reply": True}, False),
    ],
)
def test_what_opens_a_connection(said: dict[str, Any], *, opens: bool | None) -> None:
    assert row(**{"event_type": {"type": 4}, **said}).opens is opens


@pytest.mark.parametrize(
    ("said", "event", "observer"),
    [
        ({"event_type": {"type": 1}, "verdict": "DROPPED"}, "drop", "src"),
        ({"event_type": {"type": 4}}, "trace", "src"),
        ({"event_type": {"type": 4}, "is_reply": True}, "trace", "dst"),
        ({"event_type": {"type": 4}, "traffic_direction": "INGRESS"}, "trace", "dst"),
        ({"event_type": {"type": 4}, "traffic_direction": None}, "trace", "node"),
        ({"event_type": {"type": 4}, "trace_observation_point": "TO_ENDPOINT"}, "trace", "dst"),
        ({"event_type": {"type": 4}, "trace_observation_point": 101}, "trace", "dst"),
        (
            {"traffic_direction": None, "trace_observation_point": "TO_OVERLAY"},
            "verdict",
            "src",
        ),
        ({"traffic_direction": None, "aggregate": {"ingress_flow_count": 1}}, "verdict", "dst"),
        ({"traffic_direction": None, "aggregate": {"egress_flow_count": 1}}, "verdict", "src"),
        # Of an answer that nobody tracked, the direction is the packet's own.
        ({"event_type": {"type": 4}, "is_reply": None, "l4": _SYN_ACK}, "trace", "src"),
        ({"event_type": {"type": 5}}, "verdict", "src"),
        ({"event_type": {"type": 7}, "traffic_direction": None}, "socket", "node"),
        ({"event_type": {"type": 129}}, "request", "proxy"),
        # The field is masked: the others still tell.
        ({"event_type": None}, "verdict", "src"),
        ({"event_type": None, "policy_match_type": None}, "trace", "src"),
        ({"event_type": None, "policy_match_type": None, "verdict": 2}, "drop", "src"),
        ({"event_type": None, "Type": "SOCK"}, "socket", "src"),
        ({"event_type": None, "Type": "L7"}, "request", "proxy"),
    ],
)
def test_what_a_row_is_a_record_of(said: dict[str, Any], event: str, observer: str) -> None:
    found = row(**said)
    assert (found.event, found.observer) == (event, observer)


@pytest.mark.parametrize(
    ("end", "entity"),
    [
        ({"identity": 1, "labels": ["reserved:host"]}, "host"),
        ({"identity": 1}, "host"),
        ({"identity": 6, "labels": ["reserved:remote-node"]}, "host"),
        ({"identity": 4, "labels": ["reserved:health"]}, "host"),
        ({"identity": 8, "labels": ["reserved:ingress"]}, "gateway"),
        ({"identity": 3, "labels": ["reserved:unmanaged"]}, "pod"),
        ({"identity": 5, "labels": ["reserved:init"]}, "pod"),
        ({"identity": 2, "labels": ["reserved:world"]}, "world"),
        ({"identity": 9, "labels": ["reserved:world-ipv4"]}, "world"),
        ({"identity": 10}, "world"),
        ({"identity": 16777217, "labels": ["cidr:192.0.2.0/24", "reserved:world"]}, "world"),
        ({"identity": 16777218}, "world"),
        ({"identity": 33554433}, "host"),  # of the scope of nodes
        ({"identity": 2, "labels": ["reserved:world"], "pod_name": "a", "namespace": "b"}, "pod"),
        ({"identity": 4242}, "pod"),
        ({"labels": ["k8s:app=web"]}, "pod"),
        ({}, "unknown"),
        (None, "unknown"),
    ],
)
def test_entities(end: dict[str, Any] | None, entity: str) -> None:
    found = row(source=end, destination=end)
    assert (found.src_entity, found.dst_entity) == (entity, entity)


def test_a_node_with_the_api_server_calls_as_a_node() -> None:
    both = {"identity": 1, "labels": ["reserved:host", "reserved:kube-apiserver"]}
    assert row(source=both).src_entity == "host"
    assert row(destination=both).dst_entity == "apiserver"
    # Told the other way round, it answers.
    assert row(source=both, is_reply=True).src_entity == "apiserver"
    outside = {"identity": 7, "labels": ["reserved:kube-apiserver", "reserved:world"]}
    assert row(source=outside).src_entity == "apiserver"


def test_a_reply_tells_the_names_of_who_answers() -> None:
    found = row(
        is_reply=True, source_names=["db.example."], source_service={"name": "db", "namespace": "x"}
    )
    assert found.names == ("db.example",)
    assert (found.svc_ns, found.svc_name) == ("x", "db")


def test_a_user_names_the_cluster() -> None:
    plain = {**API, "cluster_name": "default"}
    assert row(Options(cluster="prod"), destination=plain).dst_cluster == "prod"
    assert row(destination=plain).dst_cluster == "default"
    assert row(Options(cluster="prod")).dst_cluster == "west"
    assert row(Options(cluster="prod"), destination={"identity": 2}).dst_cluster is None


@pytest.mark.parametrize(
    ("l4", "told"),
    [
        ({"UDP": {"source_port": 5, "destination_port": 53}}, ("UDP", 5, 53, None, None)),
        ({"SCTP": {"source_port": 5, "destination_port": 6}}, ("SCTP", 5, 6, None, None)),
        ({"ICMPv4": {"type": 8}}, ("ICMP", None, None, 8, 0)),
        ({"ICMPv4": {}}, ("ICMP", None, None, 0, 0)),
        ({"ICMPv6": {"type": 128, "code": 1}}, ("ICMPv6", None, None, 128, 1)),
        ({"VRRP": {"type": 1}}, ("112", None, None, None, None)),
        ({"IGMP": {"type": 22}}, ("2", None, None, None, None)),
        ({"TCP": {"destination_port": 80}}, ("TCP", None, 80, None, None)),
        ({}, (None, None, None, None, None)),
    ],
)
def test_protocols(l4: dict[str, Any], told: tuple[object, ...]) -> None:
    found = row(l4=l4)
    ports = (found.proto, found.src_port, found.dst_port)
    assert (*ports, found.icmp_type, found.icmp_code) == told


def test_what_an_application_was_asked() -> None:
    http = {
        "code": 404,
        "method": "GET",
        "url": "http://api.shop:8080/v1/cases?token=secret",
        "headers": [{"key": "Accept", "value": "*/*"}],
    }
    found = row(event_type={"type": 129}, Type="L7", l7={"type": "RESPONSE", "http": http})
    assert (found.http_method, found.http_path, found.http_code) == ("GET", "/v1/cases", 404)
    assert (found.http_host, found.event) == ("api.shop:8080", "request")
    http["headers"] = [{"key": ":authority", "value": "api.example"}]
    assert row(l7={"type": "REQUEST", "http": http}).http_host == "api.example"
    asked = row(l7={"type": "REQUEST", "dns": {"query": "api.example.", "qtypes": ["A"]}})
    assert (asked.http_host, asked.http_path, asked.names[0][:3]) == ("api.example", None, "api")


def test_policies_of_all_lists_and_of_older_records() -> None:
    old = {"labels": ["k8s:io.cilium.k8s.policy.derived-from=NetworkPolicy"], "name": "in"}
    found = row(
        egress_allowed_by=None,
        ingress_denied_by=[{"name": "no", "kind": "CiliumClusterwideNetworkPolicy"}] * 2,
        ingress_allowed_by=[old],
    )
    assert found.decided_by == (
        Decision("NetworkPolicy", "", "in", "ingress", "allow"),
        Decision("CiliumClusterwideNetworkPolicy", "", "no", "ingress", "deny"),
    )


def test_matches() -> None:
    said = [row(policy_match_type=number).match for number in range(1, 8)]
    assert said == ["l3", "l3-l4", "l4", "all", "l3-proto", "proto", None]
    denied = {"verdict": "DROPPED", "drop_reason_desc": "POLICY_DENIED", "policy_match_type": 0}
    assert row(**denied).match == "none"
    assert row(policy_match_type=None).match is None


def test_lines_that_an_exporter_aggregated() -> None:
    counts = {"ingress_flow_count": 3, "egress_flow_count": "4", "unknown_direction_flow_count": 1}
    assert row(aggregate=counts).count == 8
    assert row(aggregate=camel(counts)).count == 8
    assert row(aggregate={}).count == 1
    # One example's port tells none of the others apart.
    assert row(aggregate=counts, is_reply=False).src_port is None
    assert row(aggregate=counts, is_reply=True).dst_port is None


def test_masked_fields_are_not_told() -> None:
    (found,) = read({"flow": {"verdict": "FORWARDED"}, "time": TIME, "node_name": "node-1"})
    assert isinstance(found, Flow)
    assert (found.time, found.node, found.verdict) == (MOMENT, "node-1", "allowed")
    assert (found.src_ip, found.proto, found.is_reply) == (None, None, None)
    (found,) = read({"flow": {}})
    assert isinstance(found, Flow)
    assert found.time is None


def test_losses_and_nodes() -> None:
    lost = {"source": "HUBBLE_RING_BUFFER", "num_events_lost": "668157", "first": TIME}
    line = {"lost_events": lost, "node_name": "east/node-1", "time": "2026-01-02T03:05:00Z"}
    told = [Coverage(since=MOMENT, node="node-1", lost=668157, reason="lost in HUBBLE_RING_BUFFER")]
    assert read(line) == read(camel(line)) == told
    (found,) = read({"lost_events": {"source": 1, "num_events_lost": 2}, "time": TIME})
    assert isinstance(found, Coverage)
    assert (found.since, found.lost, found.reason) == (MOMENT, 2, "lost in PERF_EVENT_RING_BUFFER")
    status = {"state_change": "NODE_UNAVAILABLE", "node_names": ["c/a", "b"], "message": "away"}
    line = {"node_status": status, "time": TIME}
    assert read(line) == read(camel(line))
    assert read(line) == [
        Coverage(since=MOMENT, node=node, reason="NODE_UNAVAILABLE: away") for node in ("a", "b")
    ]


def test_a_node_that_is_there_misses_nothing() -> None:
    status = {"state_change": "NODE_CONNECTED", "node_names": ["c/a"]}
    assert read({"node_status": status, "time": TIME}) == []


@pytest.mark.parametrize("kind", ["agent_event", "agentEvent", "debug_event", "debugEvent"])
def test_events_of_the_agent_are_no_flows(kind: str) -> None:
    assert read({kind: {"type": "AGENT_STARTED"}, "time": TIME}) == []


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"flow":null}',
        b'{"flow":7}',
        b'{"flow":{"time":"yesterday"}}',
        b'{"flow":{"time":"1869-01-01T00:00:00Z"}}',
        b'{"flow":{"time":"2201-01-01T00:00:00Z"}}',
        b'{"flow":{"l4":{"TCP":{"source_port":65536}}}}',
        b'{"flow":{"l4":{"TCP":{"source_port":-1}}}}',
        b'{"flow":{"IP":{"source":"10.0.0.256"}}}',
        b'{"flow":{"source":[]}}',
        b'{"flow":{"source":{"labels":[7]}}}',
        b'{"flow":{"uuid":"\xff"}}',
        b'{"flow":{"uuid":"\\ud800"}}',
        b'{"flow":{"egress_denied_by":{}}}',
        b'{"flow":{"aggregate":{"ingress_flow_count":9007199254740993}}}',
        b'{"flow":{"aggregate":{"ingress_flow_count":"many"}}}',
        b'{"lost_events":{"num_events_lost":1}}',
        b'{"flow":{"node_name":"' + b"n" * 2000 + b'"}}',
        b'{"source_name":"a","dest_name":"b"}',
    ],
)
def test_what_is_no_record_is_bad(line: bytes) -> None:
    with pytest.raises(BadRecordError):
        read(line)


def test_what_is_recognised() -> None:
    def rated(*lines: object) -> list[tuple[float, str]]:
        texts = tuple(json.dumps(line).encode() for line in lines)
        return [(sure, one.name) for sure, one in detect(Head("x.log", b"\n".join(texts), texts))]

    assert rated({"flow": FLOW, "node_name": "a"})[0] == (0.98, "hubble")
    assert rated(camel(FLOW))[0] == (0.95, "hubble")
    assert rated({"agent_event": {}, "time": TIME}, {"flow": FLOW})[0] == (0.98, "hubble")
    assert rated({"lost_events": {}, "time": TIME})[0] == (0.9, "hubble")
    others = rated({"flow": {"Key": {"reporter": "Src", "action": "Deny"}, "startTime": "1"}})
    assert "hubble" not in {name for _, name in others}


@pytest.mark.parametrize(
    ("name", "count", "events"),
    [
        ("basic-sample-400-tcp-flows", 133, {"trace": 105, "request": 20, "verdict": 8}),
        ("basic-sample-400-udp-flows", 150, {"trace": 82, "request": 56, "verdict": 12}),
        ("basic-sample-400-l7-redirected-flows", 142, {"verdict": 142}),
        ("basic-sample-348-http-flows", 114, {"request": 114}),
        ("basic-sample-330-dns-flows", 153, {"request": 153}),
        ("basic-sample-400-icmpv4-flows", 18, {"trace": 18}),
        ("export-drops", 2, {"drop": 2}),
    ],
)
def test_published_records(name: str, count: int, events: dict[str, int]) -> None:
    path = SHARED / f"{name}.jsonl"
    if not path.exists():
        pytest.skip("the published records are not beside this checkout")
    head = files.head(path)
    sure, found = detect(head)[0]
    assert (found.name, sure) == ("hubble", 0.98)
    with files.opened(path) as handle:
        chunks = list(files.chunks(handle, found.open(head, Options())))
    assert not [bad for chunk in chunks for bad in chunk.bad]
    rows = [record for chunk in chunks for record in chunk.records if isinstance(record, Flow)]
    assert sum(chunk.lines for chunk in chunks) == len(rows) == count
    assert Counter(record.event for record in rows) == events
    assert gather(rows)["flows"].num_rows == count
    if name == "export-drops":
        assert [record.verdict for record in rows] == ["error", "denied"]
    if name.endswith("tcp-flows"):
        assert Counter(record.is_reply for record in rows) == {False: 76, True: 45, None: 12}
