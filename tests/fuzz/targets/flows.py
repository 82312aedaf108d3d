"""Flow records of every source: each reader gets every input, whatever it is for."""

import json

from cloison.flows.columns import gather
from cloison.flows.files import HEAD
from cloison.flows.reader import BadRecordError, Head, Options
from cloison.flows.readers import READERS, reader
from cloison.flows.schema import Change, Coverage, Flow, Record
from tests.fuzz.target import Target
from tests.support.flowlines import FLOW, GOLDMANE, LEVEL0, LEVEL2, TIME, WHISKER, camel

_FEW = 16
_LATEST = 7_258_118_400_000_000  # microseconds: the year 2200
_MOST = 1 << 53
_OPTIONS = (Options(), Options(cluster="prod"))
_LISTED = tuple(reader(name) for name in READERS)


def _flows(data: bytes) -> None:
    lines = tuple(line for line in data[:HEAD].split(b"\n") if line.strip())
    head = Head("flows", data[:HEAD], lines)
    options = _OPTIONS[len(data) % len(_OPTIONS)]
    for each in _LISTED:
        assert 0 <= each.suits(head) <= 1, each.name
        if each.framing == "parquet":
            continue
        found: list[Record] = []
        try:
            decode = each.open(head, options)
        except BadRecordError as error:
            _says_why(error)
            continue
        for piece in (data,) if each.framing == "whole" else lines[:_FEW]:
            try:
                found += decode(piece)
            except BadRecordError as error:
                _says_why(error)
        for record in found:
            _holds(record)
        gather(found)


def _says_why(error: BadRecordError) -> None:
    assert str(error).encode()


def _holds(record: Record) -> None:
    """Hold a record to the bounds that its columns have."""
    if isinstance(record, Flow):
        assert record.count >= 0
        assert record.count < _MOST
        for port in (record.src_port, record.dst_port, record.svc_port):
            assert port is None or 0 < port <= 65535, record
        for name in (record.src_pod, record.dst_ns, record.node, record.http_host):
            assert name is None or 0 < len(name) <= 4096, record
        times = [record.time, record.end_time]
    elif isinstance(record, Coverage):
        assert 0 <= record.lost < _MOST
        times = [record.since, record.until]
    else:
        times = [record.time] if isinstance(record, Change) else []
    assert all(time is None or 0 <= time <= _LATEST for time in times), record


_LOST = {"num_events_lost": "7", "source": 3, "first": TIME}
_GONE = {"state_change": "NODE_GONE", "node_names": ["a/b"]}
_LINES = (
    *({"flow": FLOW}, camel(FLOW), {"lost_events": _LOST, "time": TIME}),
    {"node_status": _GONE, "time": TIME},
    {"flow": {**FLOW, "l7": {"http": {"url": "http://a/b?c", "code": 200}}, "verdict": 2}},
    *(LEVEL0, {**LEVEL0, **LEVEL2}, GOLDMANE, {"items": [WHISKER]}),
    {"SrcAddr": "10.1.0.5", "DstPort": 53, "Proto": 17, "TimeFlowEndMs": 1, "Sampling": 50},
    {"client": {"name": "web", "namespace": "shop"}, "server": {"name": "api"}},
    {"connection": {"src_ip": "10.1.0.5", "protocol": "tcp"}, "disposition": "deny"},
    {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "verb": "patch", "user": {"username": "x"}},
    {"start_time": TIME, "method": "GET", "upstream_host": "203.0.113.9:443"},
)
_TEXTS = (
    "version account-id srcaddr dstaddr dstport protocol start end action",
    "2 1 eni-1 10.1.0.5 10.1.0.9 40000 443 6 12 3400 1700000000 1700000060 ACCEPT OK",
    (
        "2026-01-02T03:04:05.5Z|00007|acl_log(ovn_pinctrl0)|INFO|name="
        '"NP:shop:db-in:Ingress:2", verdict=drop, severity=info, direction=to-lport: tcp,'
        "nw_src=10.1.0.5,nw_dst=10.1.0.9,tp_src=40000,tp_dst=5432,tcp_flags=syn"
    ),
    (
        '[2026-01-02T03:04:05.678Z] "POST /pay HTTP/1.1" 403 - rbac_access_denied - "-" 10 19 0 -'
        ' "-" "agent/1" "id-1" "api.shop:8080" "-" - - 10.1.0.9:8080 10.1.0.5:40000 - default'
    ),
    "time,src_ip,dst_ip,proto,dst_port,verdict\n1700000000,10.1.0.5,10.1.0.9,6,443,DROP",
    (
        "Node: node-1;SIP: 10.1.0.5;SPORT: 1;DIP: 10.1.0.9;DPORT: 5432;PROTOCOL: TCP;"
        "PolicyVerdict: DENY;Tier: ADMIN"
    ),
    "kind: NetworkNeighborhood\nspec:\n  containers: [{egress: [{ipAddress: 203.0.113.9}]}]",
)
_WORDS = (
    *("65536", "-1", "1e400", "9007199254740993", "null", '"\\ud800"', "\\u0000", "2201", "1869"),
    *('{"value": true}', "fe80::1%eth0", "::ffff:10.0.0.1", "010.0.0.1", "NODATA", "-", "staged:"),
    *("0|a|b|deny|-1", "reserved:host", "cidr:10.0.0.0/8", "[]", "{}", "0001-01-01T00:00:00+14:00"),
)

FLOWS = Target(
    "flows",
    _flows,
    lambda: [*(json.dumps(line).encode() for line in _LINES), *(text.encode() for text in _TEXTS)],
    ("cloison.flows.readers",),
    lines=True,
    words=_WORDS,
)
