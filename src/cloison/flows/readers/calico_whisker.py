"""Flows of open-source Calico: Whisker's API, and Goldmane's messages as JSON.

A line is a flow, a list of flows, or an event of a stream. A flow stands for the connections of a
quarter of a minute or more that were alike: pods by their template, no addresses, and the labels
that all pods behind a name share. Either end's node reports on its own.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from cloison.flows.reader import BadRecordError, Decode, Head, Options, Reader
from cloison.flows.readers.calico.ends import TYPES, end, labelled
from cloison.flows.readers.calico.policies import BETWEEN, REPORTERS, action, traced, verdict
from cloison.flows.readers.calico.wire import Goldmane, Key, Listed, Whisker
from cloison.flows.readers.times import microseconds
from cloison.flows.readers.values import moment, number, port, protocol, text, total
from cloison.flows.schema import Flow, Labels, Record

_EVENT: Final = re.compile(rb"^(?:event|id|retry)?:")
_DATA: Final = b"data:"
_BETWEEN: Final = re.compile(r'\s*\|\s*|"\s*,\s*"')
_OWN: Final = frozenset({"source_name", "dest_name", "reporter", "policies"})
_GOLDMANE: Final = frozenset({"Key", "startTime", "start_time", "endTime", "end_time"})


def _suits(head: Head) -> float:
    return max((_rated(line) for line in head.lines[:20]), default=0.0)


def _rated(line: bytes) -> float:
    said = _object(line.removeprefix(_DATA))
    for key in ("flows", "items"):
        try:
            listed = msgspec.json.decode(said.get(key, b"[]"), type=list[msgspec.Raw])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        if listed:
            said = _object(listed[0])
    flow = _object(said["flow"]) if "flow" in said else said
    if "Key" in flow:
        told = _object(flow["Key"]).keys()
        return 0.95 if _GOLDMANE & flow.keys() and {"reporter", "action"} & told else 0.5
    if not said.keys() >= _OWN or "source_name_aggr" in said:
        return 0.0
    return 0.95 if {"enforced", "pending"} & _object(said["policies"]).keys() else 0.5


def _object(data: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    try:
        return msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}


def _open(_head: Head, options: Options) -> Decode:
    lists = msgspec.json.Decoder(Listed)
    flows, bare = msgspec.json.Decoder(Whisker), msgspec.json.Decoder(Goldmane)

    def decode(data: bytes) -> Sequence[Record]:
        if data.startswith(_DATA):
            data = data.removeprefix(_DATA)
        elif _EVENT.match(data):
            return ()
        try:
            read = lists.decode(data)
            if read.flow is not None:
                return (_of_goldmane(read.flow, options.cluster),)
            if read.flows is not None:
                return [_of_goldmane(each.flow, options.cluster) for each in read.flows]
            if read.items is not None:
                return [_of_whisker(each, options.cluster) for each in read.items]
            if read.Key:
                return (_of_goldmane(bare.decode(data), options.cluster),)
            return (_of_whisker(flows.decode(data), options.cluster),)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadRecordError(str(error)) from None

    return decode


def _of_whisker(read: Whisker, cluster: str | None) -> Flow:
    flow = _flow(read, _labels(read.source_labels), _labels(read.dest_labels), cluster)
    flow.time = microseconds(read.start_time) if read.start_time else None
    flow.end_time = microseconds(read.end_time) if read.end_time else None
    flow.bytes = total(read.bytes_in, read.bytes_out)
    flow.packets = total(read.packets_in, read.packets_out)
    return flow


def _of_goldmane(read: Goldmane, cluster: str | None) -> Flow:
    sources, dests = read.source_labels or read.sourceLabels, read.dest_labels or read.destLabels
    flow = _flow(read.Key, labelled(sources), labelled(dests), cluster)
    flow.time = moment(read.start_time or read.startTime or None, 1_000_000)
    flow.end_time = moment(read.end_time or read.endTime or None, 1_000_000)
    started = number(read.num_connections_started or read.numConnectionsStarted) or 0
    # Connections that only went on in the meantime started in an earlier flow.
    flow.count, flow.opens = max(1, started), started > 0
    flow.bytes = total(read.bytes_in or read.bytesIn, read.bytes_out or read.bytesOut)
    flow.packets = total(read.packets_in or read.packetsIn, read.packets_out or read.packetsOut)
    return flow


def _flow(
    key: Key, src_labels: Labels | None, dst_labels: Labels | None, cluster: str | None
) -> Flow:
    said = key.reporter.lower() if isinstance(key.reporter, str) else key.reporter
    observer, direction = REPORTERS.get(said, BETWEEN)
    src = end(
        TYPES.get(key.source_type or key.sourceType, ""),
        text(key.source_namespace or key.sourceNamespace),
        text(key.source_name or key.sourceName),
        None,
        src_labels,
    )
    dst = end(
        TYPES.get(key.dest_type or key.destType, ""),
        text(key.dest_namespace or key.destNamespace),
        text(key.dest_name or key.destName),
        None,
        dst_labels,
    )
    if src.workload is None and dst.workload is None:
        raise BadRecordError("it names neither end")
    enforced, pending = traced(bytes(key.policies) or b"null", direction or "")
    proto = key.proto or (key.protocol if isinstance(key, Whisker) else "")
    return Flow(
        time=None,
        verdict=verdict(action(key.action), pending),
        observer=observer,
        proto=protocol(proto),
        src_cluster=cluster if src.entity == "pod" else None,
        src_ns=src.ns,
        src_workload=src.workload,
        src_kind=src.kind,
        src_pod=src.pod,
        src_labels=src_labels,
        src_entity=src.entity,
        dst_cluster=cluster if dst.entity == "pod" else None,
        dst_ns=dst.ns,
        dst_workload=dst.workload,
        dst_kind=dst.kind,
        dst_pod=dst.pod,
        dst_labels=dst_labels,
        dst_entity=dst.entity,
        dst_port=port(key.dest_port or key.destPort or None),
        svc_ns=text(key.dest_service_namespace or key.destServiceNamespace),
        svc_name=text(key.dest_service_name or key.destServiceName),
        svc_port=port(key.dest_service_port or key.destServicePort or None),
        direction=direction,
        is_reply=False,
        initiator="known",
        decided_by=enforced,
        pending=pending,
    )


@lru_cache(maxsize=1 << 14)
def _labels(told: str | tuple[str, ...] | None) -> Labels | None:
    """Return labels that Whisker joins into one text."""
    if not isinstance(told, str):
        return labelled(told)
    return (
        labelled(tuple([one.strip().strip('"') for one in _BETWEEN.split(told)])) if told else None
    )


READER = Reader(
    "calico-whisker",
    "Calico Whisker and Goldmane",
    _suits,
    _open,
    "projectcalico/calico goldmane/proto/api.proto and whisker-backend/pkg/apis/v1",
)
