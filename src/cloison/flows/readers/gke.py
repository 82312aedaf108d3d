"""GKE Dataplane V2: policy decisions, as nodes and Cloud Logging write them.

One record for connections of one decision; those of denied traffic name no policy.
"""

from collections.abc import Iterator

import msgspec

from cloison.flows.pods import workload_of
from cloison.flows.reader import BadRecordError, Decode, Head, Options, Reader
from cloison.flows.readers.times import microseconds
from cloison.flows.readers.values import address, direction, number, port, protocol, text
from cloison.flows.schema import Decision, Flow, Record, Verdict


class _Connection(msgspec.Struct):
    src_ip: str
    dest_ip: str
    protocol: str = ""
    direction: str = ""
    src_port: int = 0
    dest_port: int = 0


class _End(msgspec.Struct, frozen=True):
    pod_name: str = ""
    pod_namespace: str = ""
    namespace: str = ""
    workload_name: str = ""
    workload_kind: str = ""


class _Policy(msgspec.Struct):
    kind: str = ""
    name: str = ""
    namespace: str = ""


class _Payload(msgspec.Struct):
    connection: _Connection
    disposition: str = ""
    src: _End = _End()
    dest: _End = _End()
    policies: list[_Policy] = []
    count: int | str = 1
    node_name: str = ""
    timestamp: str = ""


class _Entry(msgspec.Struct):
    payload: msgspec.Raw = msgspec.field(name="jsonPayload", default=msgspec.Raw(b""))
    timestamp: str = ""


_VERDICTS: dict[str, Verdict] = {"allow": "allowed", "deny": "denied"}


def _suits(head: Head) -> float:
    told = [
        line
        for line in head.lines[:20]
        if b'"disposition"' in line and b'"connection"' in line and b'"dest_ip"' in line
    ]
    return 0.95 if told else 0.0


def _open(_head: Head, options: Options) -> Decode:
    entries = msgspec.json.Decoder(_Entry)
    payloads = msgspec.json.Decoder(_Payload)

    def decode(line: bytes) -> Iterator[Record]:
        try:
            entry = entries.decode(line)
            payload = payloads.decode(entry.payload or line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadRecordError(str(error)) from None
        stamp = payload.timestamp or entry.timestamp
        if not stamp:
            raise BadRecordError("the record has no timestamp")
        yield _flow(payload, microseconds(stamp), options.cluster)

    return decode


def _flow(said: _Payload, time: int, cluster: str | None) -> Flow:
    met = said.connection
    way = direction(met.direction)
    effect = "allow" if said.disposition == "allow" else "deny"
    return Flow(
        time=time,
        count=number(said.count) or 1,
        verdict=_VERDICTS.get(said.disposition, "unknown"),
        observer="src" if way == "egress" else "dst",
        initiator="known",
        direction=way,
        proto=protocol(met.protocol or "-"),
        src_cluster=cluster,
        src_ns=text(said.src.pod_namespace or said.src.namespace),
        src_pod=text(said.src.pod_name),
        src_workload=text(said.src.workload_name) or workload_of(text(said.src.pod_name)),
        src_kind=text(said.src.workload_kind),
        src_entity="pod" if said.src.pod_name else "unknown",
        src_ip=address(met.src_ip),
        src_port=port(met.src_port),
        dst_cluster=cluster,
        dst_ns=text(said.dest.pod_namespace or said.dest.namespace),
        dst_pod=text(said.dest.pod_name),
        dst_workload=text(said.dest.workload_name) or workload_of(text(said.dest.pod_name)),
        dst_kind=text(said.dest.workload_kind),
        dst_entity="pod" if said.dest.pod_name else "unknown",
        dst_ip=address(met.dest_ip),
        dst_port=port(met.dest_port),
        node=text(said.node_name),
        decided_by=tuple(
            Decision(one.kind, one.namespace, one.name, way or "", effect) for one in said.policies
        ),
    )


READER = Reader(
    "gke",
    "GKE network policy logs",
    _suits,
    _open,
    "Google Kubernetes Engine, Log network policy events",
)
