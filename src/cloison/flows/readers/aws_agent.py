"""The AWS VPC CNI's network policy agent: its node log in three generations, and CloudWatch.

Addresses only. Denials are always written, allowed traffic at level debug. No line names a policy,
nor tells a reply: shortly after the agent forgot a connection it may deny a *reply* of it
(aws/aws-network-policy-agent#246, #462). So what it says of forgetting is read as well: only what
was let through had been remembered (pkg/ebpf/c/tc.v4egress.bpf.c), and a denial of the way back can
then be told from one of a connection.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from cloison.flows.reader import BadRecordError, Decode, Head, Options, Reader
from cloison.flows.readers.times import microseconds
from cloison.flows.readers.values import address, direction, port, protocol
from cloison.flows.readers.wrapped import samples, unwrapped
from cloison.flows.schema import Decision, Flow, Record, Verdict


class _Line(msgspec.Struct, rename={"src": "Src IP", "sport": "Src Port", "dst": "Dest IP"}):
    msg: str = ""
    logger: str = ""
    ts: str | None = None
    timestamp: str | None = None
    src: str | None = None
    sport: int | None = None
    dst: str | None = None
    dport: int | None = msgspec.field(name="Dest Port", default=None)
    proto: str | None = msgspec.field(name="Proto", default=None)
    verdict: str | None = msgspec.field(name="Verdict", default=None)
    way: str | None = msgspec.field(name="Direction", default=None)
    tier: str | None = msgspec.field(name="Tier", default=None)
    forgot: str | None = msgspec.field(name="Delete - ", default=None)


_VERDICTS: Final[dict[str, Verdict]] = {
    "ACCEPT": "allowed",
    "DENY": "denied",
    "EXPIRED/DELETED": "allowed",
}
_TOLD: Final = re.compile(
    r"Flow Info:\s+Src IP: (?P<src>\S+) Src Port: (?P<sport>\d+)"
    r" Dest IP: (?P<dst>\S+) Dest Port: (?P<dport>\d+) Proto:? (?P<proto>[A-Z ]+?)"
    r" Verdict:? (?P<verdict>[A-Z/]+)(?: Direction:? (?P<way>\w+))?,?(?: Tier:? (?P<tier>\w+))?\s*$"
)
_CLOUDWATCH: Final = re.compile(
    r"Node: (?P<node>[^;]*);SIP: (?P<src>[^;]*);SPORT: (?P<sport>\d+);DIP: (?P<dst>[^;]*);"
    r"DPORT: (?P<dport>\d+);PROTOCOL: (?P<proto>[^;]*);PolicyVerdict: (?P<verdict>[^;]*)"
    r"(?:;Tier: (?P<tier>[^;]*))?"
)
_FORGOTTEN: Final = re.compile(
    r"Conntrack Key : Source IP - (?P<src>\S+) Source port - (?P<sport>\d+)"
    r" Dest IP - (?P<dst>\S+) Dest port - (?P<dport>\d+) Protocol - (?P<proto>\d+)"
)
_STAMP: Final = re.compile(r"^(\d{4}-\d\d-\d\dT\S+)\s")
_AGENT: Final = b"ebpf-client"
_FLOW: Final = "Flow Info:"
_CLEANUP: Final = b"Conntrack cleanup"


def _suits(head: Head) -> float:
    if any(b"Flow Info: " in line for line in head.lines[:200]):
        return 0.95
    if any("SIP: " in text and "PolicyVerdict: " in text for text, _ in samples(head)):
        return 0.95
    return 0.4 if any(_AGENT in line for line in head.lines[:200]) else 0.0


def _open(_head: Head, _options: Options) -> Decode:
    decoder = msgspec.json.Decoder(_Line)

    def decode(line: bytes) -> Iterator[Record]:
        if b"PolicyVerdict: " in line:
            yield _cloudwatch(line)
            return
        if b"Flow Info:" not in line and _CLEANUP not in line:
            return
        try:
            read = decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadRecordError(str(error)) from None
        if read.logger not in {"", "ebpf-client"}:
            return
        if read.forgot is not None:
            yield from _forgotten(read, read.forgot)
            return
        if not read.msg.startswith(_FLOW):
            return
        if found := _TOLD.match(read.msg):
            told = found.groupdict()
            read = _Line(
                ts=read.ts,
                timestamp=read.timestamp,
                src=told["src"],
                sport=int(told["sport"]),
                dst=told["dst"],
                dport=int(told["dport"]),
                proto=told["proto"],
                verdict=told["verdict"],
                way=told["way"],
                tier=told["tier"],
            )
        yield from _flow(read, None)

    return decode


def _forgotten(read: _Line, key: str) -> Iterator[Record]:
    """Yield the connection that the agent no longer remembers."""
    found = _FORGOTTEN.search(key)
    if not found:
        raise BadRecordError("the line names no connection")
    told = found.groupdict()
    yield from _flow(
        _Line(
            ts=read.ts,
            timestamp=read.timestamp,
            src=told["src"],
            sport=int(told["sport"]),
            dst=told["dst"],
            dport=int(told["dport"]),
            proto=told["proto"],
            verdict="EXPIRED/DELETED",
        ),
        None,
    )


def _cloudwatch(line: bytes) -> Record:
    text, _ = unwrapped(line)
    found = _CLOUDWATCH.search(text)
    stamp = _STAMP.match(text)
    if not found:
        raise BadRecordError("the line lacks some of SIP, SPORT, DIP, DPORT, PROTOCOL")
    told = found.groupdict()
    read = _Line(
        ts=stamp[1] if stamp else None,
        src=told["src"],
        sport=int(told["sport"]),
        dst=told["dst"],
        dport=int(told["dport"]),
        proto=told["proto"],
        verdict=told["verdict"],
        tier=told["tier"],
    )
    flow = next(_flow(read, told["node"] or None), None)
    if flow is None:
        raise BadRecordError(f"{told['verdict'][:64]!r} is no verdict")
    return flow


def _flow(read: _Line, node: str | None) -> Iterator[Record]:
    stamp = read.ts or read.timestamp
    if not read.src or not read.dst:
        raise BadRecordError("the line has no two addresses")
    if not stamp:
        raise BadRecordError("the line has no time")
    if read.verdict not in _VERDICTS:
        raise BadRecordError(f"{str(read.verdict)[:64]!r} is no verdict")
    way = direction(read.way)
    # Its tier is all it tells of what decided.
    tiers = {"ADMIN", "NETWORK_POLICY", "BASELINE"}
    effect = "deny" if read.verdict == "DENY" else "allow"
    decided = (Decision("", "", "", way or "", effect, read.tier),) if read.tier in tiers else ()
    yield Flow(
        time=microseconds(stamp),
        verdict=_VERDICTS[read.verdict],
        observer="src" if way == "egress" else ("dst" if way == "ingress" else "node"),
        node=node,
        direction=way,
        proto=protocol(read.proto or "-"),
        src_ip=address(read.src),
        dst_ip=address(read.dst),
        src_port=port(read.sport),
        dst_port=port(read.dport),
        decided_by=decided,
    )


READER = Reader(
    "aws-agent",
    "AWS network policy agent",
    _suits,
    _open,
    "aws/aws-network-policy-agent pkg/ebpf/events/events.go",
)
