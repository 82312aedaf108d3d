"""OpenShift's network observability: flow records of its pipeline, plain or as Loki keeps them.

Sampled, one of fifty unless told otherwise, so that a record proves presence and its absence
nothing. The direction is the node's, and a flow may be told by both nodes it crosses.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from cloison.flows.reader import BadRecordError, Decode, Head, Options, Reader
from cloison.flows.readers.values import address, direction, moment, number, port, protocol, text
from cloison.flows.schema import Decision, Entity, Flow, Record, Verdict


class _Event(msgspec.Struct):
    Feature: str = ""
    Type: str = ""
    Namespace: str = ""
    Name: str = ""
    Action: str = ""
    Direction: str = ""


class _Common(msgspec.Struct):
    Proto: int | str | None = None
    Etype: int = 0
    TimeFlowStartMs: int = 0
    TimeFlowEndMs: int = 0
    TimeFlowStart: int = 0
    TimeFlowEnd: int = 0
    TimeReceived: int = 0
    Bytes: int | None = None
    Packets: int | None = None
    Sampling: int = 0
    SamplingRate: int = 0
    FlowDirection: int | str | None = None
    Flags: int | list[str] | None = None
    IcmpType: int | None = None
    IcmpCode: int | None = None
    AgentIP: str = ""
    K8S_ClusterName: str = ""
    PktDropPackets: int = 0
    PktDropLatestDropCause: str = ""
    NetworkEvents: list[_Event] | None = None
    XlatDstAddr: str = ""
    XlatDstPort: int = 0
    DnsName: str = ""


class _Line(_Common):
    SrcAddr: str = ""
    SrcPort: int = 0
    SrcK8S_Name: str = ""
    SrcK8S_Namespace: str = ""
    SrcK8S_OwnerName: str = ""
    SrcK8S_OwnerType: str = ""
    SrcK8S_Type: str = ""
    SrcPod: str = ""
    SrcNamespace: str = ""
    SrcWorkload: str = ""
    SrcWorkloadKind: str = ""
    DstAddr: str = ""
    DstPort: int = 0
    DstK8S_Name: str = ""
    DstK8S_Namespace: str = ""
    DstK8S_OwnerName: str = ""
    DstK8S_OwnerType: str = ""
    DstK8S_Type: str = ""
    DstPod: str = ""
    DstNamespace: str = ""
    DstWorkload: str = ""
    DstWorkloadKind: str = ""


class _Loki(msgspec.Struct):
    stream: msgspec.Raw = msgspec.Raw(b"")
    line: msgspec.Raw = msgspec.Raw(b"")


_MILLISECOND: Final = 1000
_SECOND: Final = 1_000_000
_SYN: Final = 2
_SYN_ACK: Final = 256  # their own bit: SYN and ACK in one packet
_HEARD: Final = 16 | _SYN_ACK | 512  # ACK, SYN and ACK, FIN and ACK
_HEARD_NAMES: Final = {"ACK", "SYN_ACK", "FIN_ACK"}
_ECHO: Final[dict[tuple[str | None, int | None], bool]] = {
    ("ICMP", 8): False,
    ("ICMP", 0): True,
    ("ICMPv6", 128): False,
    ("ICMPv6", 129): True,
}
"""Whether a message is an answer."""
_RESETS: Final = 4 | 1024  # RST, and RST with ACK
_RESET_NAMES: Final = {"RST", "RST_ACK"}
_WAYS: Final = {"0": "ingress", "1": "egress"}
_IP: Final = {0, 0x0800, 0x86DD}
_ENTITIES: Final[dict[str, Entity]] = {"Pod": "pod", "Node": "host", "Service": "service"}
_EFFECTS: Final = {"allow": "allow", "allow-related": "allow", "drop": "deny", "reject": "deny"}


def _suits(head: Head) -> float:
    for line in head.lines[:20]:
        if b'"SrcAddr"' in line and (b'"TimeFlowStart' in line or b'"SrcK8S_' in line):
            return 0.95
        if b"netobserv" in line and b'"stream"' in line:
            return 0.9
    return 0.0


def _open(_head: Head, options: Options) -> Decode:
    lines = msgspec.json.Decoder(_Line)
    labels = msgspec.json.Decoder(dict[str, str])
    loki = msgspec.json.Decoder(_Loki)

    def decode(line: bytes) -> Iterator[Record]:
        try:
            wrapped = loki.decode(line)
            read = lines.decode(wrapped.line or line)
            # Labels of Loki are text, numbers too, and hold what the line then lacks.
            said = labels.decode(wrapped.stream) if wrapped.stream else {}
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadRecordError(str(error)) from None
        for name, value in said.items():
            if name in _Line.__struct_fields__ and getattr(read, name) in ("", None):
                setattr(read, name, value)
        if read.Etype not in _IP:
            return
        yield _flow(read, options.cluster)

    return decode


def _flow(said: _Line, cluster: str | None) -> Flow:
    since = (
        moment(said.TimeFlowStartMs or None, _MILLISECOND)
        or moment(said.TimeFlowStart or None, _SECOND)
        or moment(said.TimeReceived or None, _SECOND)
    )
    if since is None:
        raise BadRecordError("the record has no time")
    if not said.SrcAddr or not said.DstAddr:
        raise BadRecordError("the record lacks an address")
    decided = tuple(
        Decision(one.Type, one.Namespace, one.Name, one.Direction.lower(), _EFFECTS[one.Action])
        for one in said.NetworkEvents or ()
        if one.Action in _EFFECTS
    )
    src_type, dst_type = said.SrcK8S_Type, said.DstK8S_Type
    proto = protocol(said.Proto if said.Proto is not None else "-")
    icmp = proto in {"ICMP", "ICMPv6"}
    opens, reply = _flags(said.Flags)
    if icmp and (proto, said.IcmpType) in _ECHO:
        reply = _ECHO[proto, said.IcmpType]
    of_service = dst_type == "Service"
    return Flow(
        time=since,
        end_time=moment(said.TimeFlowEndMs or None, _MILLISECOND)
        or moment(said.TimeFlowEnd or None, _SECOND),
        count=1,
        sample_rate=said.Sampling or said.SamplingRate or 1,
        verdict=_verdict(said, decided),
        deny_reason=text(said.PktDropLatestDropCause),
        observer="node",
        direction=direction(_WAYS.get(str(said.FlowDirection))),
        proto=proto,
        src_cluster=text(said.K8S_ClusterName) or cluster,
        src_ns=text(said.SrcK8S_Namespace or said.SrcNamespace),
        src_pod=text(said.SrcK8S_Name if src_type == "Pod" else said.SrcPod),
        src_workload=text(said.SrcK8S_OwnerName or said.SrcWorkload),
        src_kind=text(said.SrcK8S_OwnerType or said.SrcWorkloadKind),
        src_entity=_entity(src_type, said.SrcPod),
        src_ip=address(said.SrcAddr),
        src_port=None if icmp else port(said.SrcPort),
        dst_cluster=text(said.K8S_ClusterName) or cluster,
        dst_ns=text(said.DstK8S_Namespace or said.DstNamespace),
        dst_pod=text(said.DstK8S_Name if dst_type == "Pod" else said.DstPod),
        dst_workload=text(said.DstK8S_OwnerName or said.DstWorkload),
        dst_kind=text(said.DstK8S_OwnerType or said.DstWorkloadKind),
        dst_entity=_entity(dst_type, said.DstPod),
        dst_ip=address(said.XlatDstAddr or said.DstAddr),
        dst_port=None if icmp else port(said.XlatDstPort or said.DstPort),
        svc_ns=text(said.DstK8S_Namespace) if of_service else None,
        svc_name=text(said.DstK8S_Name) if of_service else None,
        svc_port=port(said.DstPort) if of_service else None,
        icmp_type=number(said.IcmpType, most=255) if icmp else None,
        icmp_code=number(said.IcmpCode, most=255) if icmp else None,
        names=(said.DnsName,) if text(said.DnsName) else (),
        opens=opens,
        is_reply=reply,
        node=text(said.AgentIP),
        decided_by=decided,
        bytes=number(said.Bytes),
        packets=number(said.Packets),
        # A reset is no answer where a policy rejects.
        event="trace" if _only_resets(said.Flags) else "connection",
    )


def _entity(kind: str, pod: str) -> Entity:
    return "pod" if pod else _ENTITIES.get(kind, "unknown")


def _verdict(said: _Line, decided: tuple[Decision, ...]) -> Verdict:
    """Return what became of packets: that they were sent does not say that they arrived."""
    if any(one.effect == "deny" for one in decided):
        return "denied"
    if said.PktDropPackets and said.PktDropPackets >= (said.Packets or 0):
        return "error"
    let_in = any(one.direction == "ingress" for one in decided)
    return "allowed" if let_in or _acknowledged(said.Flags) else "unknown"


def _acknowledged(flags: int | list[str] | None) -> bool:
    """Return whether one end had heard from the other; a reset may be a policy's."""
    if isinstance(flags, list):
        return bool(_HEARD_NAMES & {str(flag).upper() for flag in flags})
    return bool(flags and flags & _HEARD)


def _only_resets(flags: int | list[str] | None) -> bool:
    if isinstance(flags, list):
        return bool(flags) and {str(flag).upper() for flag in flags} <= _RESET_NAMES
    return bool(flags) and not (flags or 0) & ~_RESETS


def _flags(flags: int | list[str] | None) -> tuple[bool | None, bool | None]:
    """Return whether a first packet was among them, and whether its answer was."""
    if isinstance(flags, list):
        names = {str(flag).upper() for flag in flags}
        syn, answered = "SYN" in names, "SYN_ACK" in names
    elif flags is not None:
        syn, answered = bool(flags & _SYN), bool(flags & _SYN_ACK)
    else:
        return None, None
    return (True if syn and not answered else None), (True if answered else None)


READER = Reader(
    "netobserv",
    "NetObserv flow records",
    _suits,
    _open,
    "netobserv/network-observability-operator docs/flows-format.adoc",
)
