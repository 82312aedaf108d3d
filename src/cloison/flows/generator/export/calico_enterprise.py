"""Made-up traffic as Calico Enterprise's flow logs have it, not aggregated: a line for each end."""

from collections.abc import Iterable, Iterator
from typing import Any

from cloison.flows.generator.export.common import (
    BYTES,
    PACKETS,
    denied_here,
    json,
    policy,
    seconds,
    sides,
)
from cloison.flows.generator.export.lost import lost
from cloison.flows.generator.model import Connection, Place, Plan, Pod


def lines(plan: Plan, connections: Iterable[Connection]) -> Iterator[str]:
    """Yield flow logs as lines of JSON."""
    for of in connections:
        for side, pod in sides(of):
            if not lost(plan, of, side):
                yield json(_record(of, side, pod))


def _record(of: Connection, side: str, at: Pod) -> dict[str, Any]:
    start = seconds(of)
    denied = denied_here(of, side)
    service = of.call.service
    return {
        "start_time": start,
        "end_time": start + 300,
        **_end("source", of.src, of.seen_ip, of.src_port),
        **_end("dest", of.dst, of.dst_ip, of.call.port),
        "dest_service_namespace": service.namespace if service else "-",
        "dest_service_name": service.name if service else "-",
        "dest_service_port": "-",
        "dest_service_port_num": service.port if service else None,
        "dest_domains": [of.dst.dns] if isinstance(of.dst, Place) and of.dst.dns else None,
        "proto": of.call.protocol.lower(),
        "action": "deny" if denied else "allow",
        "reporter": side,
        "policies": _policies(of, at, denied=denied),
        "bytes_in": BYTES,
        "bytes_out": BYTES,
        "num_flows": 1,
        "num_flows_started": 1,
        "num_flows_completed": 1,
        "packets_in": PACKETS,
        "packets_out": PACKETS,
        "host": at.node,
        "@timestamp": (start + 300) * 1000,
    }


def _policies(of: Connection, at: Pod, *, denied: bool) -> dict[str, list[str]]:
    namespace, name = policy(of)
    if denied:
        told = f"0|default|{namespace}/default.{name}|deny|0" if name else ""
        told = told or f"0|default|{at.made.namespace}/default.all|deny|-1"
    else:
        told = "0|__PROFILE__|__PROFILE__.kns." + at.made.namespace + "|allow|0"
    return {"all_policies": [told], "enforced_policies": [told], "pending_policies": []}


def _end(side: str, end: Pod | Place, ip: str, port: int) -> dict[str, Any]:
    if isinstance(end, Pod) and ip == end.ip:
        aggregated = f"{end.name.rpartition('-')[0]}-*"
        return {
            f"{side}_ip": ip,
            f"{side}_name": end.name,
            f"{side}_name_aggr": aggregated,
            f"{side}_namespace": end.made.namespace,
            f"{side}_port": port,
            f"{side}_type": "wep",
            f"{side}_labels": {"labels": list(end.labels)},
        }
    return {
        f"{side}_ip": ip,
        f"{side}_name": "-",
        f"{side}_name_aggr": "pub",
        f"{side}_namespace": "-",
        f"{side}_port": port,
        f"{side}_type": "net",
        f"{side}_labels": None,
    }
