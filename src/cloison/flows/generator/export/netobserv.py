"""Made-up traffic as NetObserv's pipeline has it: both ways, each as its node saw it."""

from collections.abc import Iterable, Iterator
from typing import Any

from cloison.flows.generator.export.common import (
    BYTES,
    NUMBERS,
    PACKETS,
    SECOND,
    denied_here,
    json,
    sides,
)
from cloison.flows.generator.export.lost import lost
from cloison.flows.generator.model import Connection, Place, Plan, Pod

_MILLISECOND = 1000
_SYN, _ACK, _SYN_ACK = 2, 16, 256
_TRIES, _FIRST_BYTES = 3, 74
"""How often a client asks that gets no answer, and how large that packet is."""


def lines(plan: Plan, connections: Iterable[Connection]) -> Iterator[str]:
    """Yield flow records as lines of JSON.

    What a policy denied shows as first packets that are sent again, without answer; the node that
    stopped them tells of packets that were dropped, and of no policy.
    """
    for of in connections:
        for side, pod in sides(of):
            direction = 1 if side == "src" else 0
            if not of.swapped and not lost(plan, of, f"{side}-there"):
                flags = _SYN | _ACK if of.allowed else _SYN
                record = _record(of, pod, direction, flags, back=False)
                yield json({**record, **(_refused(of, side) if not of.allowed else {})})
            if of.allowed and not lost(plan, of, f"{side}-back"):
                flags = _ACK if of.swapped else _SYN_ACK | _ACK
                yield json(_record(of, pod, 1 - direction, flags, back=True))


def _refused(of: Connection, side: str) -> dict[str, Any]:
    """Return what differs in a record of a connection that a policy denies."""
    counted = {"Bytes": _TRIES * _FIRST_BYTES, "Packets": _TRIES}
    if not denied_here(of, side):
        return counted
    tcp = of.call.protocol == "TCP"
    return {
        **counted,
        "PktDropBytes": _TRIES * _FIRST_BYTES,
        "PktDropPackets": _TRIES,
        "PktDropLatestFlags": _SYN if tcp else 0,
        "PktDropLatestState": "TCP_SYN_SENT" if tcp else "TCP_INVALID_STATE",
        "PktDropLatestDropCause": "OVS_DROP_LAST_ACTION",
    }


def _record(of: Connection, at: Pod, direction: int, flags: int, *, back: bool) -> dict[str, Any]:
    time = of.time // _MILLISECOND
    ends = [(of.src, of.seen_ip, of.src_port), (of.dst, of.dst_ip, of.call.port)]
    src, dst = reversed(ends) if back else ends
    return {
        **_end("Src", *src),
        **_end("Dst", *dst),
        "Proto": NUMBERS[of.call.protocol],
        "Etype": 2048,
        "FlowDirection": str(direction),
        "IfDirection": direction,
        "Flags": flags if of.call.protocol == "TCP" else 0,
        "Bytes": BYTES,
        "Packets": PACKETS,
        "Dscp": 0,
        "DnsErrno": 0,
        "Interface": "eth0",
        "AgentIP": at.node,
        "TimeFlowStartMs": time,
        "TimeFlowEndMs": time + 20,
        "TimeReceived": of.time // SECOND,
    }


def _end(side: str, end: Pod | Place, ip: str, port: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        f"{side}Addr": ip,
        f"{side}Port": port,
        f"{side}Mac": "0A:58:0A:80:00:01",
    }
    if isinstance(end, Pod) and ip == end.ip:
        told |= {
            f"{side}K8S_Name": end.name,
            f"{side}K8S_Namespace": end.made.namespace,
            f"{side}K8S_OwnerName": end.made.name,
            f"{side}K8S_OwnerType": end.made.kind,
            f"{side}K8S_Type": "Pod",
            f"{side}K8S_HostIP": end.node,
        }
    elif isinstance(end, Place) and end.entity == "host":
        named = f"ip-{ip.replace('.', '-')}"
        told |= {
            f"{side}K8S_Name": named,
            f"{side}K8S_OwnerName": named,
            f"{side}K8S_OwnerType": "Node",
            f"{side}K8S_Type": "Node",
            f"{side}K8S_HostIP": ip,
            f"{side}K8S_HostName": named,
        }
    return told
