"""Antrea's flow aggregator: the CSV lines of its logger, pretty or with numbers.

A record joins what both ends saw of a connection, so its source is the one that opened it.
"""

from collections.abc import Iterator
from typing import Final

from cloison.flows.pods import workload_of
from cloison.flows.reader import BadRecordError, Decode, Head, Options, Reader
from cloison.flows.readers.values import address, moment, port, protocol, separated, text
from cloison.flows.readers.wrapped import samples, unwrapped
from cloison.flows.schema import Decision, Direction, Flow, Record

_COLUMNS: Final = (
    "since", "until", "src_ip", "dst_ip", "src_port", "dst_port", "proto", "src_pod", "src_ns",
    "src_node", "dst_pod", "dst_ns", "dst_node", "cluster_ip", "service_ip", "svc_port", "svc_name",
    "ingress_name", "ingress_ns", "ingress_rule", "ingress_action", "ingress_type", "egress_name",
    "egress_ns", "egress_rule", "egress_action", "egress_type", "nat_name", "nat_ip", "nat_node",
)  # fmt: skip
_SECOND: Final = 1_000_000
_EFFECTS: Final = {
    "allow": "allow",
    "1": "allow",
    "drop": "deny",
    "2": "deny",
    "reject": "deny",
    "3": "deny",
}
_KINDS: Final = {
    "1": "NetworkPolicy",
    "K8sNetworkPolicy": "NetworkPolicy",
    "2": "antrea NetworkPolicy",
    "AntreaNetworkPolicy": "antrea NetworkPolicy",
    "3": "antrea ClusterNetworkPolicy",
    "AntreaClusterNetworkPolicy": "antrea ClusterNetworkPolicy",
    "4": "ClusterNetworkPolicy",
}


def _suits(head: Head) -> float:
    for line, _ in samples(head):
        fields = line.split(",")
        if len(fields) == len(_COLUMNS) and fields[0].isdigit() and fields[1].isdigit():
            return 0.95
    return 0.0


def _open(_head: Head, options: Options) -> Decode:
    def decode(line: bytes) -> Iterator[Record]:
        raw, _ = unwrapped(line)
        fields = separated(raw)
        if len(fields) != len(_COLUMNS):
            msg = f"the line has {len(fields)} fields where the logger writes {len(_COLUMNS)}"
            raise BadRecordError(msg)
        yield _flow(dict(zip(_COLUMNS, fields, strict=True)), options.cluster)

    return decode


def _flow(said: dict[str, str], cluster: str | None) -> Flow:
    decided = (*_decided(said, "ingress"), *_decided(said, "egress"))
    denied = any(one.effect == "deny" for one in decided)
    since = moment(said["since"], _SECOND)
    if since is None:
        raise BadRecordError("the line has no start")
    src_pod, dst_pod = text(said["src_pod"]), text(said["dst_pod"])
    service = text(said["svc_name"])
    namespace, _, named = (service or "").partition("/")
    return Flow(
        time=since,
        end_time=moment(said["until"], _SECOND),
        verdict="denied" if denied else "allowed",
        observer="both",
        initiator="known",
        # Its start is the connection's, however often it is told of.
        opens=True,
        proto=protocol(said["proto"]),
        src_cluster=cluster,
        src_ns=text(said["src_ns"]),
        src_pod=src_pod,
        src_workload=workload_of(src_pod),
        src_entity="pod" if src_pod else "unknown",
        src_ip=address(said["src_ip"]),
        src_port=port(said["src_port"]),
        dst_cluster=cluster,
        dst_ns=text(said["dst_ns"]),
        dst_pod=dst_pod,
        dst_workload=workload_of(dst_pod),
        dst_entity="pod" if dst_pod else "unknown",
        dst_ip=address(said["dst_ip"]),
        dst_port=port(said["dst_port"]),
        # `namespace/service:port`, where it names both.
        svc_ns=namespace if named else None,
        svc_name=(named or namespace).partition(":")[0] or None,
        svc_port=port(said["svc_port"]),
        node=text(said["dst_node"]) or text(said["src_node"]),
        decided_by=decided,
    )


def _decided(said: dict[str, str], way: Direction) -> tuple[Decision, ...]:
    effect = _EFFECTS.get(said[f"{way}_action"].lower())
    name = said[f"{way}_name"]
    if effect is None or not name:
        return ()
    kind = _KINDS.get(said[f"{way}_type"], "")
    rule = said[f"{way}_rule"]
    return (Decision(kind, said[f"{way}_ns"], name, way, effect, "", rule),)


READER = Reader(
    "antrea",
    "Antrea flow logs",
    _suits,
    _open,
    "antrea-io/antrea pkg/flowaggregator/flowlogger/logger.go",
)
