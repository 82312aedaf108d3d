"""What Calico's records say: Enterprise's flow logs, Whisker's flows, Goldmane's messages."""

import json
from pathlib import Path
from typing import Any

import pytest

from cloison.flows import files
from cloison.flows.columns import gather
from cloison.flows.reader import BadRecordError, Head, Options
from cloison.flows.readers import detect, reader
from cloison.flows.schema import Decision, Flow
from tests.support.flowlines import GOLDMANE, KEY, LEVEL0, LEVEL2, WHISKER, camel

SHARED = Path(__file__).parents[5] / "shared" / "data" / "flows"


def read(name: str, line: object, options: Options | None = None) -> list[Flow]:
    data = line if isinstance(line, bytes) else json.dumps(line).encode()
    found = list(reader(name).open(Head("x", b"", ()), options or Options())(data))
    assert gather(found).get("flows") is not None or not found
    return [record for record in found if isinstance(record, Flow)]


def enterprise(options: Options | None = None, /, **said: Any) -> Flow:
    (found,) = read("calico-enterprise", {**LEVEL0, **said}, options)
    return found


def goldmane(**said: Any) -> Flow:
    (found,) = read("calico-whisker", {"id": "1", "flow": {**GOLDMANE, "Key": {**KEY, **said}}})
    return found


def whisker(**said: Any) -> Flow:
    (found,) = read("calico-whisker", {**WHISKER, **said})
    return found


def test_a_flow_that_was_not_aggregated() -> None:
    found = enterprise()
    assert (found.time, found.end_time) == (1_760_000_000_000_000, 1_760_000_300_000_000)
    assert (found.src_ip, found.src_port, found.src_pod) == (
        "10.0.1.7",
        40000,
        "web-6b687c8dcb-zn5s2",
    )
    assert (found.src_ns, found.src_workload, found.src_entity) == ("shop", "web", "pod")
    assert found.src_labels == ("app=web", "pod-template-hash=6b687c8dcb")
    assert (found.dst_ip, found.dst_port, found.dst_pod) == ("10.0.2.9", 8080, "api-0")
    assert (found.dst_workload, found.dst_labels) == ("api", ("app=api",))
    assert (found.svc_ns, found.svc_name, found.svc_port) == ("shop", "api", 80)
    assert (found.proto, found.count, found.bytes, found.packets) == ("TCP", 2, 1300, 11)
    assert (found.observer, found.direction, found.node) == ("dst", "ingress", "node-1")
    assert (found.is_reply, found.opens, found.initiator) == (False, True, "known")
    assert found.event == "connection"
    # It was let through, and the staged policy would have denied it.
    assert found.verdict == "audited"
    assert found.decided_by == (
        Decision(
            "GlobalNetworkPolicy",
            "",
            "security.quarantine",
            "ingress",
            "pass",
            "security",
            "end-of-tier",
        ),
        Decision("CalicoNetworkPolicy", "shop", "api-in", "ingress", "allow", "default", "0"),
    )
    assert found.pending == (
        Decision("StagedNetworkPolicy", "shop", "strict", "ingress", "deny", "default", "2"),
    )


def test_levels_of_aggregation() -> None:
    one = enterprise(source_port=None)
    assert (one.src_port, one.src_pod) == (None, "web-6b687c8dcb-zn5s2")
    two = enterprise(**LEVEL2)
    assert (two.src_ip, two.src_pod, two.src_workload) == (None, None, "web")
    assert (two.dst_ip, two.dst_pod, two.dst_workload, two.dst_port) == (None, None, "api", 8080)
    assert (two.observer, two.direction) == ("src", "egress")
    three = enterprise(**LEVEL2, dest_port=None)
    assert three.dst_port is None
    shared = enterprise(**{**LEVEL2, "source_name": "web-6b687c8dcb-*"})
    assert (shared.src_pod, shared.src_workload) == (None, "web")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"dest_type": "net", "dest_name_aggr": "pub"}, ("pub", "Network", "world", None)),
        ({"dest_type": "net", "dest_name_aggr": "pvt"}, ("pvt", "Network", "unknown", None)),
        ({"dest_type": "ns", "dest_name_aggr": "db"}, ("db", "NetworkSet", "set", "shop")),
        (
            {"dest_type": "ns", "dest_name_aggr": "db", "dest_namespace": "-"},
            ("db", "GlobalNetworkSet", "set", None),
        ),
        ({"dest_type": "hep", "dest_name_aggr": "n1"}, ("n1", "HostEndpoint", "host", None)),
        ({"dest_type": None, "dest_name_aggr": "n1"}, ("n1", None, "unknown", "shop")),
    ],
)
def test_ends_that_are_no_pods(said: dict[str, Any], told: tuple[object, ...]) -> None:
    found = enterprise(**said, dest_name="-", dest_labels=None)
    assert (found.dst_workload, found.dst_kind, found.dst_entity, found.dst_ns) == told
    assert found.dst_pod is None


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ({"action": "deny"}, "denied"),
        ({"action": "-"}, "unknown"),
        ({"action": None}, "unknown"),
        ({"policies": None}, "allowed"),
        ({"policies": {"pending_policies": ["0|a|a.b|deny|1", "1|c|c.d|allow|0"]}}, "allowed"),
        # What is staged is told, but not what all policies together would do.
        ({"policies": {"all_policies": ["0|default|shop/staged:x|deny|1"]}}, "allowed"),
    ],
)
def test_verdicts(said: dict[str, Any], verdict: str) -> None:
    assert enterprise(**said).verdict == verdict


def test_policies_of_every_kind() -> None:
    entries = [
        "0|adminnetworkpolicy|kanp.adminnetworkpolicy.ban|pass|0",
        "1|default|shop/knp.default.web|allow|1",
        "2|default|shop/staged:knp.default.next|deny|-2",
        "3|__PROFILE__|__PROFILE__.kns.shop|allow|0",
        "4|t|staged:t.wide|allow|0",
    ]
    found = enterprise(policies={"all_policies": entries})
    assert [(one.kind, one.namespace, one.name) for one in found.decided_by] == [
        ("AdminNetworkPolicy", "", "ban"),
        ("NetworkPolicy", "shop", "web"),
        ("Profile", "", "kns.shop"),
    ]
    assert [(one.kind, one.name, one.rule) for one in found.pending] == [
        ("StagedKubernetesNetworkPolicy", "next", ""),
        ("StagedGlobalNetworkPolicy", "t.wide", "0"),
    ]


def test_names_that_a_destination_was_looked_up_by() -> None:
    assert enterprise(dest_domains=["a.example.", "-"]).names == ("a.example",)


def test_connections_that_only_went_on() -> None:
    found = enterprise(num_flows_started=0)
    assert (found.count, found.opens) == (1, False)
    found = enterprise(num_flows_started=None)
    assert (found.count, found.opens) == (3, None)


def test_times_as_texts_and_clusters() -> None:
    found = enterprise(Options(cluster="prod"), start_time="2025-10-09T08:53:20Z")
    assert (found.time, found.src_cluster) == (1_760_000_000_000_000, "prod")
    assert enterprise(cluster="east").dst_cluster == "east"


def test_a_message_of_goldmane_in_every_spelling() -> None:
    found = goldmane()
    assert (found.time, found.end_time) == (1_760_000_000_000_000, 1_760_000_015_000_000)
    assert (found.src_workload, found.src_entity, found.src_labels) == ("web", "pod", ("app=web",))
    assert (found.dst_workload, found.dst_kind, found.dst_entity) == ("pub", "Network", "world")
    assert (found.dst_ns, found.dst_port, found.svc_name) == (None, 443, None)
    assert (found.verdict, found.observer, found.direction) == ("denied", "src", "egress")
    assert (found.count, found.opens, found.bytes, found.packets) == (2, True, 7, 3)
    assert found.decided_by == (
        Decision(
            "CalicoNetworkPolicy", "shop", "web-out", "egress", "deny", "default", "end-of-tier"
        ),
    )
    lines = (
        GOLDMANE,
        camel(GOLDMANE),
        {"flow": camel(GOLDMANE), "id": "7"},
        {"flows": [{"id": 7, "flow": GOLDMANE}]},
    )
    for line in lines:
        assert read("calico-whisker", line) == [found]
    assert goldmane(source_type=1, dest_type=4, reporter=1, action=2) == found


def test_a_flow_of_whisker_in_a_list_and_in_a_stream() -> None:
    found = whisker()
    assert (found.time, found.end_time) == (1_760_000_000_000_000, 1_760_000_015_000_000)
    assert found.src_labels == ("app=web", "pod-template-hash=6b687c8dcb")
    assert (found.src_workload, found.src_entity) == ("web", "pod")
    assert (found.dst_workload, found.dst_entity, found.dst_ns) == ("pvt", "unknown", None)
    assert (found.proto, found.dst_port, found.bytes, found.packets) == ("UDP", 53, 70, 3)
    assert (found.observer, found.direction, found.verdict) == ("dst", "ingress", "audited")
    assert found.decided_by[0].kind == "Profile"
    assert found.pending == (
        Decision("StagedGlobalNetworkPolicy", "", "deny", "ingress", "deny", "default", "1"),
    )
    assert read("calico-whisker", {"total": 2, "items": [WHISKER, WHISKER]}) == [found, found]
    stream = b"data: " + json.dumps(WHISKER).encode()
    assert read("calico-whisker", stream) == [found]
    for other in (b"event: flow\n", b": ping\n", b"id: 7\n"):
        assert read("calico-whisker", other) == []


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"dest_name": "db-*", "dest_namespace": "shop"}, ("db", "pod", None)),
        (
            {"dest_name": "db-0", "dest_namespace": "shop", "dest_labels": "job-name=x"},
            ("db", "pod", "db-0"),
        ),
        # A pod that nobody made but a person, or a NetworkSet.
        ({"dest_name": "db", "dest_namespace": "shop"}, ("db", "unknown", None)),
        ({"dest_name": "PUBLIC NETWORK"}, ("pub", "world", None)),
        # A host endpoint, or a GlobalNetworkSet.
        ({"dest_name": "node-1"}, ("node-1", "unknown", None)),
    ],
)
def test_what_whisker_does_not_say_of_an_end(
    said: dict[str, Any], told: tuple[object, ...]
) -> None:
    found = whisker(**said)
    assert (found.dst_workload, found.dst_entity, found.dst_pod) == told


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("calico-enterprise", {**LEVEL0, "source_ip": "10.0.0.300"}),
        ("calico-enterprise", {**LEVEL0, "dest_port": 65536}),
        ("calico-enterprise", {**LEVEL0, "start_time": -1}),
        ("calico-enterprise", {**LEVEL0, "start_time": 1 << 50}),
        ("calico-enterprise", {**LEVEL0, "num_flows_started": "many"}),
        ("calico-enterprise", {**LEVEL0, "policies": {"all_policies": ["0|default"]}}),
        ("calico-enterprise", {**LEVEL0, "policies": {"all_policies": ["x|a|b|allow|0"]}}),
        ("calico-enterprise", {"start_time": 1}),
        ("calico-enterprise", b"{"),
        ("calico-whisker", b"{}"),
        ("calico-whisker", b"data: {"),
        ("calico-whisker", {"flow": {"Key": {}}}),
        ("calico-whisker", {"flow": {}}),
        ("calico-whisker", {**WHISKER, "dest_port": "http"}),
        ("calico-whisker", {**WHISKER, "protocol": "carrier pigeon"}),
        ("calico-whisker", {**WHISKER, "policies": []}),
        ("calico-whisker", {"items": [WHISKER, {}]}),
    ],
)
def test_what_is_no_record_is_bad(name: str, line: object) -> None:
    with pytest.raises(BadRecordError):
        read(name, line)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (LEVEL0, "calico-enterprise"),
        ({**LEVEL0, **LEVEL2}, "calico-enterprise"),
        (WHISKER, "calico-whisker"),
        ({"total": 1, "items": [WHISKER]}, "calico-whisker"),
        (GOLDMANE, "calico-whisker"),
        ({"id": "1", "flow": camel(GOLDMANE)}, "calico-whisker"),
        ({"flows": [{"flow": GOLDMANE}]}, "calico-whisker"),
    ],
)
def test_what_is_recognised(line: object, name: str) -> None:
    data = json.dumps(line).encode()
    (sure, found), *others = detect(Head("flows.json", data, (data,)))
    assert found.name == name
    assert sure >= 0.9
    assert all(less < 0.5 for less, _ in others)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("calico-enterprise/flowlog-level0", "calico-enterprise"),
        ("calico-enterprise/flowlog-aggregated-mock", "calico-enterprise"),
        ("calico-whisker/flow-response-mock", "calico-whisker"),
    ],
)
def test_published_records(file: str, name: str) -> None:
    path = SHARED / f"{file}.jsonl"
    if not path.exists():
        pytest.skip("the published records are not beside this checkout")
    head = files.head(path)
    sure, found = detect(head)[0]
    assert found.name == name
    assert sure >= 0.9
    with files.opened(path) as handle:
        (chunk,) = files.chunks(handle, found.open(head, Options()))
    assert (chunk.lines, len(chunk.records), chunk.bad) == (1, 1, [])
