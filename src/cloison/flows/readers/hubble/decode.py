"""Hubble's records as rows: what each field says, and no more.

A connection makes several records: a verdict on either side where a policy was asked, then a trace
for packets on their way; `event` and `opens` say which to count. What is decided later for every
source alike (which way replies point, which records are of one connection) is left alone here.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from cloison.flows.reader import BadRecordError, Decode, Options
from cloison.flows.readers.hubble.ends import NOBODY, end
from cloison.flows.readers.hubble.notices import others
from cloison.flows.readers.hubble.reasons import OF_POLICY, reason
from cloison.flows.readers.hubble.requests import host, path
from cloison.flows.readers.hubble.wire import (
    NOTHING,
    Aggregate,
    Application,
    Line,
    Packet,
    Policy,
    Transport,
    Wrapped,
)
from cloison.flows.readers.times import microseconds
from cloison.flows.readers.values import address, number
from cloison.flows.schema import (
    Decision,
    Direction,
    Event,
    Flow,
    Initiator,
    Match,
    Observer,
    Record,
    Verdict,
)

_VERDICTS: Final[dict[str | int, Verdict]] = {
    # Each by its name and its number. Those that Retina adds, 15 and 16, and Cilium's traces of
    # sockets say that something was seen, not what became of it.
    "FORWARDED": "allowed",
    1: "allowed",
    "REDIRECTED": "allowed",
    5: "allowed",
    "AUDIT": "audited",
    4: "audited",
    "ERROR": "error",
    3: "error",
}
_DROPPED: Final = frozenset({"DROPPED", 2})
_DIRECTIONS: Final[dict[str | int, Direction]] = {
    "INGRESS": "ingress",
    1: "ingress",
    "EGRESS": "egress",
    2: "egress",
}
_EVENTS: Final[dict[int, Event]] = {
    # cilium/cilium pkg/monitor/api/types.go
    1: "drop",
    3: "trace",
    4: "trace",
    5: "verdict",
    7: "socket",
    129: "request",
}
_MATCHES: Final[dict[int, Match]] = {
    1: "l3",
    2: "l3-l4",
    3: "l4",
    4: "all",
    5: "l3-proto",
    6: "proto",
}
_ARRIVED: Final = frozenset({"TO_ENDPOINT", 101})
_LEFT: Final = frozenset(
    {
        *("TO_PROXY", "TO_HOST", "TO_STACK", "TO_OVERLAY", "TO_NETWORK", "TO_CRYPTO"),
        *(1, 2, 3, 4, 11, 13),
    }
)
_BEFORE: Final = frozenset(
    {
        *("FROM_ENDPOINT", "FROM_PROXY", "FROM_HOST", "FROM_STACK", "FROM_OVERLAY"),
        *("FROM_NETWORK", "FROM_CRYPTO", 5, 6, 7, 8, 9, 10, 12),
    }
)
"""Points at which packets are seen before anything is decided about them."""
_L7: Final = frozenset({"L7", 2})
_SOCKET: Final = frozenset({"SOCK", 3})
_NEW: Final = frozenset({"NEW", 1})
_KNOWN: Final = frozenset({"ESTABLISHED", 2, "REPLY", 3, "RELATED", 4})
_POLICIES: Final = msgspec.json.Decoder(list[Policy] | None)


def opened(options: Options) -> Decode:
    """Return a decoder of lines: of the exporter's, and of those that `hubble observe` prints."""
    lines, packets = msgspec.json.Decoder(Line), msgspec.json.Decoder(Packet)
    cluster = options.cluster

    def decode(data: bytes) -> Sequence[Record]:
        try:
            line = lines.decode(data)
            packet = line.flow
            if packet is None:
                told = others(line)
                if told is not None:
                    return told
                packet = packets.decode(data)
                if packet.IP is None and packet.l4 is None and not packet.verdict:
                    raise BadRecordError("it holds neither a flow nor anything else of Hubble's")
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadRecordError(str(error)) from None
        return (_flow(packet, line, cluster),)

    return decode


def _flow(packet: Packet, line: Line, cluster: str | None) -> Flow:
    src = end(bytes(packet.source), cluster) if packet.source else NOBODY
    dst = end(bytes(packet.destination), cluster) if packet.destination else NOBODY
    dropped = packet.verdict in _DROPPED
    event = _event(packet, dropped=dropped)
    why = (
        reason(
            packet.drop_reason_desc or packet.dropReasonDesc,
            packet.drop_reason or packet.dropReason,
        )
        if dropped
        else None
    )
    proto, src_port, dst_port, syn, icmp = _transport(packet.l4)
    tracked = _reply(packet)
    # Whoever sends SYN and ACK answers, whether or not anybody tracked the connection.
    reply = True if tracked is None and packet.l4 is not None and _answers(packet.l4) else tracked
    initiator: Initiator = "unknown" if reply is None else "known"
    if reply is None and dropped:
        # cilium/cilium#13796: nobody asked whether a dropped packet was a reply; it is none.
        reply, initiator = False, "inferred"
    opens = _opens(packet, event, syn=syn, reply=reply)
    if opens and reply is None:
        initiator = "inferred"
    direction = _direction(packet)
    point = packet.trace_observation_point or packet.traceObservationPoint
    # The end that was reached, whose names and Service are told, sends the replies.
    if reply:
        names = packet.source_names or packet.sourceNames
        service = packet.source_service or packet.sourceService
    else:
        names = packet.destination_names or packet.destinationNames
        service = packet.destination_service or packet.destinationService
    time = packet.time or line.time
    ip = packet.IP
    node = packet.node_name or packet.nodeName or line.node_name or line.nodeName
    flow = Flow(
        time=microseconds(time) if time else None,
        verdict=(
            _denied(why, event)
            if dropped
            else "unknown"
            if point in _BEFORE and not reply
            else _VERDICTS.get(packet.verdict, "unknown")
        ),
        # Where it is not known for a reply, the direction is the packet's own.
        observer=_observer(event, direction, point, reply=bool(tracked)),
        proto=proto,
        src_cluster=src.cluster,
        src_ns=src.ns,
        src_workload=src.workload,
        src_kind=src.kind,
        src_pod=src.pod,
        src_labels=src.labels,
        src_entity=src.entity if reply else src.opening,
        src_ip=address(ip.source) if ip is not None and ip.source else None,
        src_port=src_port,
        dst_cluster=dst.cluster,
        dst_ns=dst.ns,
        dst_workload=dst.workload,
        dst_kind=dst.kind,
        dst_pod=dst.pod,
        dst_labels=dst.labels,
        dst_entity=dst.opening if reply else dst.entity,
        dst_ip=address(ip.destination) if ip is not None and ip.destination else None,
        dst_port=dst_port,
        # `cluster/node` where the cluster has a name.
        node=node.rpartition("/")[2] or None,
        direction=direction,
        is_reply=reply,
        opens=opens,
        initiator=initiator,
        decided_by=_decided(packet),
        obs_id=packet.uuid or None,
        event=event,
    )
    # What few records tell is set where they do: it is most of the time that a row takes.
    if names:
        flow.names = tuple([name.rstrip(".") for name in names])
    if service is not None:
        flow.svc_ns, flow.svc_name = service.namespace or None, service.name or None
    if icmp is not None:
        flow.icmp_type, flow.icmp_code = icmp
    if packet.aggregate is not None:
        flow.count = _count(packet.aggregate)
        # The port of who opened them is that of one of many.
        if reply is False:
            flow.src_port = None
        elif reply:
            flow.dst_port = None
    if packet.l7 is not None:
        _requested(flow, packet.l7)
    if match := packet.policy_match_type or packet.policyMatchType:
        flow.match = _MATCHES.get(match)
    elif dropped and event == "verdict":
        flow.match = "none"
    flow.deny_reason = why
    return flow


def _requested(flow: Flow, l7: Application) -> None:
    flow.http_host = host(l7)
    if l7.http is not None:
        flow.http_method, flow.http_code = l7.http.method or None, l7.http.code or None
        flow.http_path = path(l7.http.url)


def _event(packet: Packet, *, dropped: bool) -> Event:
    kind = packet.event_type or packet.eventType
    if kind is not None and kind.type in _EVENTS:
        return _EVENTS[kind.type]
    # The field was masked: by what only records of a kind have.
    if packet.l7 is not None or packet.Type in _L7:
        return "request"
    if packet.Type in _SOCKET:
        return "socket"
    if packet.policy_match_type or packet.policyMatchType:
        return "verdict"
    return "drop" if dropped else "trace"


def _denied(why: str | None, event: Event) -> Verdict:
    if why is not None:
        return "denied" if why in OF_POLICY else "error"
    # A proxy's refusals have no reason: it refuses what no rule allows.
    return "denied" if event in {"verdict", "request"} else "unknown"


def _reply(packet: Packet) -> bool | None:
    told = packet.is_reply if packet.is_reply is not None else packet.isReply
    if told is None:
        # The older field is false, too, where nothing is known.
        return True if packet.reply else None
    reply = told.value if isinstance(told, Wrapped) else told
    # So is Retina's word, unless it tracks connections (microsoft/retina pkg/plugin/packetparser).
    untold = packet.extensions is not NOTHING and b"Retina" in bytes(packet.extensions)
    return None if not reply and untold else reply


def _opens(packet: Packet, event: Event, *, syn: bool | None, reply: bool | None) -> bool | None:
    if reply:
        return False
    if syn is not None:
        return syn
    why = packet.trace_reason or packet.traceReason
    if why in _NEW:
        return True
    if why in _KNOWN:
        return False
    # Policies are asked about packets of no known connection.
    return True if event == "verdict" else None


def _answers(l4: Transport) -> bool:
    flags = l4.TCP.flags if l4.TCP is not None else None
    return flags is not None and flags.SYN and flags.ACK


Seen = tuple[str | None, int | None, int | None, bool | None, tuple[int, int] | None]


def _transport(l4: Transport | None) -> Seen:
    """Return the protocol, its ports, whether it is a SYN without ACK, and type and code."""
    if l4 is None:
        return None, None, None, None, None
    name, ports = "TCP", l4.TCP
    if ports is None:
        name, ports = "UDP", l4.UDP
        if ports is None:
            name, ports = "SCTP", l4.SCTP
    if ports is not None:
        flags = ports.flags
        return (
            name,
            ports.source_port or ports.sourcePort or None,
            ports.destination_port or ports.destinationPort or None,
            None if flags is None else flags.SYN and not flags.ACK,
            None,
        )
    if l4.ICMPv4 is not None:
        return "ICMP", None, None, None, (l4.ICMPv4.type, l4.ICMPv4.code)
    if l4.ICMPv6 is not None:
        return "ICMPv6", None, None, None, (l4.ICMPv6.type, l4.ICMPv6.code)
    if l4.VRRP:
        return "112", None, None, None, None
    return "2" if l4.IGMP else None, None, None, None, None


def _direction(packet: Packet) -> Direction | None:
    told = _DIRECTIONS.get(packet.traffic_direction or packet.trafficDirection)
    counts = packet.aggregate
    if told is not None or counts is None:
        return told
    # The field is not part of the key, but of what was counted. The end that is reached decides
    # last, so that its word is the one that counts.
    if counts.ingress_flow_count or counts.ingressFlowCount:
        return "ingress"
    return "egress" if counts.egress_flow_count or counts.egressFlowCount else None


def _observer(
    event: Event, direction: Direction | None, point: str | int, *, reply: bool
) -> Observer:
    """Return whose end saw it: of the row's own two, whichever opened the connection."""
    if event == "request":
        return "proxy"
    if point in _ARRIVED:
        return "dst"
    if direction is None:
        return "src" if point in _LEFT else "node"
    # The direction is the connection's: a reply that reaches who opened it is egress.
    return "src" if (direction == "egress") is not reply else "dst"


def _count(told: Aggregate) -> int:
    """Return how many flows an exporter made into this one, which is an example of them."""
    counts = (
        told.ingress_flow_count or told.ingressFlowCount,
        told.egress_flow_count or told.egressFlowCount,
        told.unknown_direction_flow_count or told.unknownDirectionFlowCount,
    )
    return number(sum(number(count) or 0 for count in counts)) or 1


def _decided(packet: Packet) -> tuple[Decision, ...]:
    if (
        packet.egress_allowed_by is NOTHING
        and packet.ingress_allowed_by is NOTHING
        and packet.egress_denied_by is NOTHING
        and packet.ingress_denied_by is NOTHING
        and packet.egressAllowedBy is NOTHING
        and packet.ingressAllowedBy is NOTHING
        and packet.egressDeniedBy is NOTHING
        and packet.ingressDeniedBy is NOTHING
    ):
        return ()
    found: tuple[Decision, ...] = ()
    for raw, direction, effect in (
        (packet.egress_allowed_by or packet.egressAllowedBy, "egress", "allow"),
        (packet.ingress_allowed_by or packet.ingressAllowedBy, "ingress", "allow"),
        (packet.egress_denied_by or packet.egressDeniedBy, "egress", "deny"),
        (packet.ingress_denied_by or packet.ingressDeniedBy, "ingress", "deny"),
    ):
        if raw is not NOTHING:
            found += _decisions(bytes(raw), direction, effect)
    return found


@lru_cache(maxsize=1 << 14)
def _decisions(raw: bytes, direction: str, effect: str) -> tuple[Decision, ...]:
    try:
        policies = _POLICIES.decode(raw) or ()
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRecordError(str(error)) from None
    found: dict[Decision, None] = {}
    for policy in policies:
        # Records before 1.17 tell the kind among the labels of the rule only.
        told = dict(
            label.removeprefix("k8s:").split("=", 1)
            for label in policy.labels or ()
            if "=" in label
        )
        found[
            Decision(
                kind=policy.kind or told.get("io.cilium.k8s.policy.derived-from", ""),
                namespace=policy.namespace,
                name=policy.name or told.get("io.cilium.k8s.policy.name", ""),
                direction=direction,
                effect=effect,
            )
        ] = None
    return tuple(found)
