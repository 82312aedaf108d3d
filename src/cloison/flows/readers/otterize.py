"""Otterize: the map its network mapper exports: who calls whom, learned and without times."""

from collections.abc import Iterator

import msgspec

from cloison.flows.reader import BadRecordError, Decode, Head, Options, Reader
from cloison.flows.readers.values import text
from cloison.flows.schema import Entity, Flow, Record


class _End(msgspec.Struct):
    name: str
    namespace: str = ""
    kind: str = ""


class _Line(msgspec.Struct):
    client: _End
    server: _End


_WORKLOAD: Entity = "pod"


def _suits(head: Head) -> float:
    told = [line for line in head.lines[:5] if b'"client"' in line and b'"server"' in line]
    return 0.85 if told else 0.0


def _open(_head: Head, options: Options) -> Decode:
    decoder = msgspec.json.Decoder(_Line)

    def decode(line: bytes) -> Iterator[Record]:
        try:
            read = decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadRecordError(str(error)) from None
        yield Flow(
            time=None,
            verdict="allowed",
            observer="learned",
            initiator="known",
            src_cluster=options.cluster,
            src_ns=text(read.client.namespace),
            src_workload=text(read.client.name),
            src_kind=text(read.client.kind),
            src_entity=_WORKLOAD,
            dst_cluster=options.cluster,
            dst_ns=text(read.server.namespace),
            dst_workload=text(read.server.name),
            dst_kind=text(read.server.kind),
            dst_entity=_WORKLOAD,
        )

    return decode


READER = Reader("otterize", "Otterize map", _suits, _open, "otterize/network-mapper README.md")
