"""What each source's records become: own records, and published ones where they stand beside."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cloison.flows import files
from cloison.flows.columns import gather
from cloison.flows.reader import Head, Options
from cloison.flows.readers import READERS, detect, reader
from cloison.flows.schema import Change, Coverage, Flow, Identity, Record

SECOND = 1_000_000
AGENT = (
    '{"level":"info","ts":"2026-01-02T03:04:05.678Z","logger":"ebpf-client","msg":"Flow Info: ",'
    '"Src IP":"10.1.0.5","Src Port":40000,"Dest IP":"10.1.0.9","Dest Port":8080,"Proto":"TCP",'
    '"Verdict":"DENY"}'
)
AGENT_TIER = (
    '{"level":"debug","ts":"2026-01-02T03:04:05Z","msg":"Flow Info: Src IP: 10.1.0.5 Src Port: 1'
    " Dest IP: 10.1.0.9 Dest Port: 53 Proto UDP Verdict ACCEPT Direction egress,"
    ' Tier NETWORK_POLICY"}'
)
AGENT_TIER_V6 = (
    '{"level":"debug","ts":"2026-01-02T03:04:05Z","msg":"Flow Info: Src IP: 2001:db8::5 Src Port: 1'
    ' Dest IP: 2001:db8::9 Dest Port: 53 Proto: UDP Verdict DENY Direction ingress Tier: ADMIN"}'
)
CLOUDWATCH = (
    "2026-01-02T03:04:05Z Node: node-1;SIP: 10.1.0.5;SPORT: 40000;DIP: 10.1.0.9;DPORT: 5432;"
    "PROTOCOL: TCP;PolicyVerdict: ACCEPT;Tier: DEFAULT"
)
VPC = "2 1 eni-1 10.1.0.5 10.1.0.9 40000 443 6 12 3400 1700000000 1700000060 ACCEPT OK"
VPC_REJECTED = "2 1 eni-1 10.1.0.5 10.1.0.9 40000 22 6 1 40 1700000000 1700000060 REJECT OK"
VPC_SKIPPED = "2 1 eni-1 - - - - - - - 1700000000 1700000060 - SKIPDATA"
ORDER = "start end srcaddr dstaddr pkt-srcaddr pkt-dstaddr dstport protocol tcp-flags action"
ORDERED = "1700000000 1700000060 10.9.9.9 10.9.9.8 10.1.0.5 10.1.0.9 443 6 2 ACCEPT"
OVN = (
    '2026-01-02T03:04:05.5Z|00007|acl_log(ovn_pinctrl0)|INFO|name="NP:shop:db-in:Ingress:2", '
    "verdict=drop, severity=info, direction=to-lport: tcp,vlan_tci=0x0000,nw_src=10.1.0.5,"
    "nw_dst=10.1.0.9,nw_ttl=63,tp_src=40000,tp_dst=5432,tcp_flags=syn"
)
ANTREA = (
    "1700000000,1700000060,10.1.0.5,10.1.0.9,40000,8080,TCP,web-6b687c8dcb-zn5s2,shop,node-1,"
    "api-0,shop,node-2,10.96.0.7,10.96.0.7,80,shop/api:http,,,,,,only-dns,shop,rule-1,Reject,"
    "AntreaNetworkPolicy,,,"
)
GKE = json.dumps(
    {
        "connection": {
            "src_ip": "10.1.0.5",
            "dest_ip": "10.1.0.9",
            "src_port": 40000,
            "dest_port": 8080,
            "protocol": "tcp",
            "direction": "ingress",
        },
        "disposition": "allow",
        "policies": [{"kind": "NetworkPolicy", "name": "api-in", "namespace": "shop"}],
        "src": {"pod_name": "web-1", "namespace": "shop", "workload_name": "web"},
        "dest": {"pod_name": "api-1", "namespace": "shop", "workload_kind": "Deployment"},
        "count": 3,
        "node_name": "node-1",
        "timestamp": "2026-01-02T03:04:05.123456789Z",
    }
)
NETOBSERV = json.dumps(
    {
        "SrcAddr": "10.1.0.5",
        "SrcPort": 40000,
        "DstAddr": "10.1.0.9",
        "DstPort": 8080,
        "Proto": 6,
        "Etype": 2048,
        "TimeFlowStartMs": 1_700_000_000_000,
        "TimeFlowEndMs": 1_700_000_001_000,
        "SrcK8S_Name": "web-1",
        "SrcK8S_Namespace": "shop",
        "SrcK8S_OwnerName": "web",
        "SrcK8S_OwnerType": "Deployment",
        "SrcK8S_Type": "Pod",
        "DstK8S_Name": "api",
        "DstK8S_Namespace": "shop",
        "DstK8S_Type": "Service",
        "Sampling": 50,
        "FlowDirection": 1,
        "Flags": 2,
        "NetworkEvents": [
            {
                "Type": "NetworkPolicy",
                "Namespace": "shop",
                "Name": "web-out",
                "Action": "drop",
                "Direction": "Egress",
            }
        ],
    }
)
ENVOY = (
    '[2026-01-02T03:04:05.678Z] "POST /pay?id=7 HTTP/1.1" 403 - rbac_access_denied_matched_policy'
    '[ns[shop]-policy[p]-rule[0]] - "-" 10 19 0 - "-" "agent/1" "id-1" "api.shop:8080"'
    ' "127.0.0.1:8080" inbound|8080|| 127.0.0.6:1 10.1.0.9:8080 10.1.0.5:40000'
    " outbound_.80_._.api.shop.svc.cluster.local default"
)
ENVOY_JSON = json.dumps(
    {
        "start_time": "2026-01-02T03:04:05.678Z",
        "method": "GET",
        "path": "/",
        "authority": "api.example.com",
        "response_code": 0,
        "response_flags": "UF",
        "upstream_host": "203.0.113.9:443",
        "upstream_cluster": "PassthroughCluster",
        "downstream_remote_address": "10.1.0.5:40000",
        "requested_server_name": "api.example.com",
        "bytes_received": 5,
        "bytes_sent": 7,
    }
)
AUDIT = json.dumps(
    {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "auditID": "a-1",
        "stage": "ResponseComplete",
        "verb": "delete",
        "user": {"username": "system:serviceaccount:ops:cleaner"},
        "sourceIPs": ["198.51.100.1", "10.1.0.5"],
        "userAgent": "kubectl/v1",
        "objectRef": {"resource": "pods", "namespace": "shop", "name": "api-0"},
        "responseStatus": {"code": 200},
        "requestReceivedTimestamp": "2026-01-02T03:04:05Z",
        "responseObject": {
            "kind": "Pod",
            "metadata": {
                "name": "api-0",
                "namespace": "shop",
                "labels": {"app": "api"},
                "ownerReferences": [{"kind": "StatefulSet", "name": "api", "controller": True}],
            },
            "spec": {},
            "status": {"podIP": "10.1.0.9", "startTime": "2026-01-01T00:00:00Z"},
        },
    }
)
OTTERIZE = '{"client":{"name":"web","namespace":"shop"},"server":{"name":"api","namespace":"shop"}}'
KUBESCAPE = """\
apiVersion: spdx.softwarecomposition.kubescape.io/v1beta1
kind: NetworkNeighborhood
metadata:
  name: deployment-api
  labels:
    kubescape.io/workload-name: api
    kubescape.io/workload-kind: Deployment
    kubescape.io/workload-namespace: shop
spec:
  containers:
    - name: api
      ingress:
        - podSelector: {matchLabels: {app: web}}
          ports: [{protocol: TCP, port: 8080}]
      egress:
        - ipAddress: 203.0.113.9
          dns: pay.example.com.
          ports: [{protocol: TCP, port: 443}, {protocol: UDP, port: 443}]
"""
CSV = "time,src_ip,dst_ip,proto,dst_port,verdict\n1700000000,10.1.0.5,10.1.0.9,6,443,DROP\n"


@dataclass(frozen=True)
class Case:
    """One file of a source, and what its first record is to say."""

    name: str
    text: str
    told: Mapping[str, object]
    kinds: tuple[type[Record], ...] = (Flow,)
    options: Options = field(default_factory=Options)
    reader: str | None = None


ENDS = {"src_ip": "10.1.0.5", "dst_ip": "10.1.0.9"}
STAMP = 1_700_000_000 * SECOND
CASES = [
    Case("aws-agent", AGENT, {**ENDS, "dst_port": 8080, "verdict": "denied", "opens": None}),
    Case("aws-agent", AGENT_TIER, {"observer": "src", "proto": "UDP", "verdict": "allowed"}),
    Case("aws-agent", AGENT_TIER_V6, {"dst_ip": "2001:db8::9", "observer": "dst"}),
    Case("aws-agent", CLOUDWATCH, {**ENDS, "node": "node-1", "dst_port": 5432, "decided_by": ()}),
    Case("aws-vpc", VPC, {**ENDS, "time": STAMP, "bytes": 3400, "packets": 12, "dst_port": 443}),
    Case("aws-vpc", VPC_REJECTED, {"verdict": "error", "initiator": "unknown"}),
    Case("aws-vpc", VPC_SKIPPED, {"lost": 1, "since": STAMP}, (Coverage,)),
    Case("aws-vpc", f"{ORDER}\n{ORDERED}", {**ENDS, "opens": True, "src_port": None}),
    Case("aws-vpc", ORDERED, ENDS, options=Options(format=ORDER), reader="aws-vpc"),
    Case("ovn-acl", OVN, {**ENDS, "verdict": "denied", "opens": True, "observer": "dst"}),
    Case(
        "antrea",
        ANTREA,
        {**ENDS, "svc_name": "api", "svc_ns": "shop", "verdict": "denied", "opens": True},
    ),
    Case("gke", GKE, {**ENDS, "count": 3, "src_workload": "web", "dst_kind": "Deployment"}),
    Case("netobserv", NETOBSERV, {**ENDS, "sample_rate": 50, "svc_name": "api", "opens": True}),
    Case("envoy", ENVOY, {**ENDS, "verdict": "denied", "svc_name": "api", "svc_port": 80}),
    Case("envoy", ENVOY_JSON, {"verdict": "error", "names": ("api.example.com",), "bytes": 12}),
    Case(
        "audit",
        AUDIT,
        {"dst_entity": "apiserver", "src_ip": "10.1.0.5", "src_ns": "ops"},
        (Flow, Change, Identity),
    ),
    Case("otterize", OTTERIZE, {"time": None, "src_workload": "web", "observer": "learned"}),
    Case(
        "kubescape",
        KUBESCAPE,
        {"dst_workload": "api", "src_labels": ("app=web",), "src_ns": "shop", "dst_port": 8080},
        (Flow, Flow, Flow),
    ),
    Case("csv", CSV, {**ENDS, "time": STAMP, "verdict": "denied", "proto": "TCP"}),
    Case(
        "csv",
        "when,from,to,port\n2026-01-02T03:04:05Z,10.1.0.5,10.1.0.9,443\n",
        {**ENDS, "dst_port": 443, "verdict": "unknown"},
        options=Options(
            mapping={"time": "when", "src_ip": "from", "dst_ip": "to", "dst_port": "port"}
        ),
    ),
    Case(
        "csv",
        "time,observer,initiator,event,match,src_entity,dst_entity,src_labels\n"
        "1700000000,dst,known,verdict,l3-l4,host,,app=web;tier=a\n",
        {
            "observer": "dst",
            "initiator": "known",
            "event": "verdict",
            "match": "l3-l4",
            "src_entity": "host",
            "dst_entity": "unknown",
            "src_labels": ("app=web", "tier=a"),
        },
    ),
    Case("csv", "time,observer,event,match\n1700000000,,,\n", {"observer": "node", "match": None}),
    Case("tsv", CSV.replace(",", "\t"), {**ENDS, "dst_port": 443}),
    Case("json", '{"time":1700000000000,"dst_port":53,"proto":"udp"}', {"time": STAMP}),
]


def _records(path: Path, options: Options, named: str | None) -> tuple[str, list[files.Chunk]]:
    start = files.head(path)
    chosen = reader(named) if named else detect(start)[0][1]
    return chosen.name, list(files.cut(path, chosen, start, options, None))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.text[:24]}")
def test_record_says_what_its_source_said(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(case.text)
    name, chunks = _records(path, case.options, case.reader)
    assert name == case.name
    assert [bad for chunk in chunks for bad in chunk.bad] == []
    records = [record for chunk in chunks for record in chunk.records]
    assert tuple(map(type, records)) == case.kinds
    assert {key: getattr(records[0], key) for key in case.told} == case.told


def test_policies_that_decided_are_named(tmp_path: Path) -> None:
    named: dict[str, list[tuple[str, ...]]] = {}
    for case in CASES:
        path = tmp_path / "file"
        path.write_text(case.text)
        for chunk in _records(path, case.options, case.reader)[1]:
            for record in chunk.records:
                if isinstance(record, Flow) and record.decided_by:
                    one = record.decided_by[0]
                    said = (one.kind, one.namespace, one.name, one.direction, one.effect, one.rule)
                    named.setdefault(case.name, []).append(said)
    assert named == {
        "antrea": [("antrea NetworkPolicy", "shop", "only-dns", "egress", "deny", "rule-1")],
        "aws-agent": [("", "", "", "egress", "allow", ""), ("", "", "", "ingress", "deny", "")],
        "gke": [("NetworkPolicy", "shop", "api-in", "ingress", "allow", "")],
        "netobserv": [("NetworkPolicy", "shop", "web-out", "egress", "deny", "")],
        "ovn-acl": [("NetworkPolicy", "shop", "db-in", "ingress", "deny", "2")],
    }


def test_held_addresses_come_from_pods_in_the_audit_log(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_text(AUDIT)
    (chunk,) = _records(path, Options(), None)[1]
    change, identity = chunk.records[1:]
    assert isinstance(change, Change)
    assert (change.user, change.verb, change.kind, change.name) == (
        "system:serviceaccount:ops:cleaner",
        "delete",
        "pods",
        "api-0",
    )
    assert isinstance(identity, Identity)
    assert (identity.workload, identity.kind, identity.labels) == (
        "api",
        "StatefulSet",
        ("app=api",),
    )
    assert identity.until == change.time > identity.since


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{" * 500,
        b'{"time": 1e400}',
        VPC.replace("443", "99999").encode(),
        VPC.replace("10.1.0.9", "10.1.0.999").encode(),
        AGENT.replace("8080", "-1").encode(),
        AGENT.replace("2026", "99999").encode(),
        OVN.replace("5432", "7" * 40).encode(),
        NETOBSERV.replace("1700000000000", "9" * 18).encode(),
        ENVOY_JSON.replace('"203.0.113.9:443"', '":::443"').encode(),
        AUDIT.replace("200", "7e9").encode(),
    ],
    ids=range(15),
)
def test_bad_record_says_why_and_breaks_nothing(name: str, line: bytes, tmp_path: Path) -> None:
    found = reader(name)
    decode = found.open(Head("file", line, (line,)), Options())
    path = tmp_path / "file"
    path.write_bytes(line)
    with path.open("rb") as handle:
        for chunk in files.chunks(handle, decode):
            assert all(bad.why for bad in chunk.bad)
            gather(chunk.records)


PUBLISHED = Path(__file__).parents[5] / "shared/data/flows"
COUNTS = {
    "antrea/flowlogger-csv.jsonl": ("antrea", 2, 0, 2),
    "aws-network-policy-agent/agent-log-formats.jsonl": ("aws-agent", 18, 5, 10),
    "aws-network-policy-agent/eks-docs-example.jsonl": ("aws-agent", 1, 1, 0),
    "aws-vpc/flow-log-examples.jsonl": ("aws-vpc", 13, 0, 13),
    "istio/access-log.jsonl": ("envoy", 2, 0, 2),
    "kubescape/networkneighborhood.jsonl": ("kubescape", 1, 0, 2),
    "kubescape/generatednetworkpolicy.jsonl": ("kubescape", 1, 0, 0),
    "netobserv/ipfix-log-lines.jsonl": ("netobserv", 100, 0, 100),
    "netobserv/loki-flow-records-sent.jsonl": ("netobserv", 50, 0, 46),
    "netobserv/loki-flow-records.jsonl": ("netobserv", 50, 0, 50),
    "otterize/online-boutique-map.jsonl": ("otterize", 16, 0, 16),
    "ovn-acl/acl-log.jsonl": ("ovn-acl", 4, 0, 4),
}


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="published flow records are not beside this")
@pytest.mark.parametrize("file", COUNTS)
def test_published_records_are_read(file: str) -> None:
    name, chunks = _records(PUBLISHED / file, Options(), None)
    lines = sum(chunk.lines for chunk in chunks)
    bad = sum(len(chunk.bad) for chunk in chunks)
    assert (name, lines, bad, sum(len(chunk.records) for chunk in chunks)) == COUNTS[file]
