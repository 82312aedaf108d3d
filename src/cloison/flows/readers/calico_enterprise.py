"""Flow logs of Calico Enterprise and Cloud, as exported from the index that keeps them.

A line stands for the connections of some minutes that its level of aggregation makes alike: level 0
keeps each, 1 drops the source's port, 2 names and addresses of pods, 3 the port of the destination
too. `-` says that there is none, null that it was aggregated away; here both are not told.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from cloison.flows.reader import BadRecordError, Decode, Head, Options, Reader
from cloison.flows.readers.calico.ends import TYPES, End, end, labelled
from cloison.flows.readers.calico.policies import BETWEEN, REPORTERS, action, entries, verdict
from cloison.flows.readers.calico.wire import Enterprise, Lists
from cloison.flows.readers.times import microseconds
from cloison.flows.readers.values import address, moment, number, port, protocol, text, total
from cloison.flows.schema import Flow, Labels, Record

_OWN: Final = frozenset(
    {
        *("source_name_aggr", "dest_name_aggr", "source_type", "dest_type", "nat_outgoing_ports"),
        *("num_flows", "num_flows_started", "original_source_ips", "dest_service_port_num"),
    }
)


def _suits(head: Head) -> float:
    best = 0.0
    for line in head.lines[:20]:
        try:
            said = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        if {"source_name_aggr", "dest_name_aggr"} <= said.keys():
            best = max(best, min(0.98, 0.4 + 0.15 * len(_OWN & said.keys())))
    return best


def _open(_head: Head, options: Options) -> Decode:
    decoder = msgspec.json.Decoder(Enterprise)

    def decode(data: bytes) -> Sequence[Record]:
        try:
            read = decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadRecordError(str(error)) from None
        if read.source_name_aggr is None and read.dest_name_aggr is None:
            raise BadRecordError("it names neither end")
        return (_flow(read, options.cluster),)

    return decode


def _flow(read: Enterprise, cluster: str | None) -> Flow:
    reporter = (read.reporter or "").lower()
    observer, direction = REPORTERS.get(reporter, BETWEEN)
    lists = read.policies or Lists()
    pending = entries(lists.pending_policies or (), direction or "")
    enforced = entries(lists.enforced_policies or (), direction or "")
    if lists.enforced_policies is None and lists.pending_policies is None:
        enforced = entries(lists.all_policies or (), direction or "", "enforced")
        pending = entries(lists.all_policies or (), direction or "", "staged")
        decided = verdict(action(read.action), ())
    else:
        decided = verdict(action(read.action), pending)
    src_labels = labelled(None if read.source_labels is None else read.source_labels.labels)
    dst_labels = labelled(None if read.dest_labels is None else read.dest_labels.labels)
    src = _end(
        read.source_type, read.source_namespace, read.source_name, read.source_name_aggr, src_labels
    )
    dst = _end(read.dest_type, read.dest_namespace, read.dest_name, read.dest_name_aggr, dst_labels)
    started = number(read.num_flows_started)
    named = text(read.cluster) or cluster
    return Flow(
        time=_time(read.start_time),
        end_time=_time(read.end_time),
        verdict=decided,
        observer=observer,
        proto=protocol(read.proto) if read.proto is not None else None,
        # Connections that only went on in the meantime started in an earlier line.
        count=max(1, number(read.num_flows) or 1 if started is None else started),
        src_cluster=named if src.entity == "pod" else None,
        src_ns=src.ns,
        src_workload=src.workload,
        src_kind=src.kind,
        src_pod=src.pod,
        src_labels=src_labels,
        src_entity=src.entity,
        src_ip=_address(read.source_ip),
        src_port=port(read.source_port),
        dst_cluster=named if dst.entity == "pod" else None,
        dst_ns=dst.ns,
        dst_workload=dst.workload,
        dst_kind=dst.kind,
        dst_pod=dst.pod,
        dst_labels=dst_labels,
        dst_entity=dst.entity,
        dst_ip=_address(read.dest_ip),
        dst_port=port(read.dest_port),
        svc_ns=text(read.dest_service_namespace),
        svc_name=text(read.dest_service_name),
        svc_port=port(read.dest_service_port_num),
        names=tuple([name.rstrip(".") for name in read.dest_domains or () if text(name)]),
        node=text(read.host),
        direction=direction,
        is_reply=False,
        opens=None if started is None else started > 0,
        initiator="known",
        decided_by=enforced,
        pending=pending,
        bytes=total(read.bytes_in, read.bytes_out),
        packets=total(read.packets_in, read.packets_out),
    )


def _end(
    type_: str | None, ns: str | None, name: str | None, shared: str | None, labels: Labels | None
) -> End:
    return end(TYPES.get(type_ or "", ""), text(ns), text(name), text(shared), labels)


def _address(said: str | None) -> str | None:
    told = text(said)
    return None if told is None else address(told)


def _time(said: int | str | None) -> int | None:
    """Return a time that is told in seconds, or as a text."""
    if isinstance(said, str) and "T" in said:
        return microseconds(said)
    return moment(said, 1_000_000)


READER = Reader(
    "calico-enterprise",
    "Calico Enterprise and Cloud flow logs",
    _suits,
    _open,
    "tigera/docs calico-enterprise/observability/elastic/flow/datatypes.mdx",
)
