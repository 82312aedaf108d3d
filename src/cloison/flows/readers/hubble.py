"""Cilium's Hubble: lines of its exporter, and of `hubble observe -o json`.

The same records come from Hubble Relay, as messages (`flows.relay`).
"""

from collections.abc import Iterator

import msgspec

from cloison.flows.reader import BadRecordError, Decode, Head, Options, Reader
from cloison.flows.readers.times import microseconds
from cloison.flows.schema import Flow, Record, Verdict

_VERDICTS: dict[str, Verdict] = {
    "FORWARDED": "allowed",
    "REDIRECTED": "allowed",
    "DROPPED": "denied",
    "AUDIT": "audited",
    "ERROR": "error",
}


class _Line(msgspec.Struct):
    flow: msgspec.Raw = msgspec.Raw(b"")


class _Flow(msgspec.Struct):
    time: str
    verdict: str = ""


def _suits(head: Head) -> float:
    if not head.lines or not head.lines[0].startswith(b"{"):
        return 0.0
    return 0.9 if b'"flow"' in head.lines[0] and b'"verdict"' in head.lines[0] else 0.0


def _open(_head: Head, _options: Options) -> Decode:
    line = msgspec.json.Decoder(_Line)
    flow = msgspec.json.Decoder(_Flow)

    def decode(data: bytes) -> Iterator[Record]:
        try:
            envelope = line.decode(data)
            read = flow.decode(envelope.flow or data)
        except msgspec.MsgspecError as error:
            raise BadRecordError(str(error)) from None
        yield Flow(
            time=microseconds(read.time),
            verdict=_VERDICTS.get(read.verdict, "unknown"),
            observer="node",
        )

    return decode


READER = Reader(
    "hubble", "Cilium Hubble", _suits, _open, "cilium/cilium api/v1/flow/flow.proto, v1.19.4"
)
