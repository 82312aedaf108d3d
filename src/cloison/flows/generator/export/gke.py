"""Made-up traffic as GKE logs policy decisions: at the end that decides, names of both."""

from collections.abc import Iterable, Iterator

from cloison.flows.generator.export.common import denied_here, json, sides, stamp
from cloison.flows.generator.export.lost import lost
from cloison.flows.generator.model import Connection, Place, Plan, Pod


def lines(plan: Plan, connections: Iterable[Connection]) -> Iterator[str]:
    """Yield records of the node's log; those of denied traffic name no policy."""
    for of in connections:
        for side, pod in sides(of):
            if lost(plan, of, side):
                continue
            yield json(
                {
                    "connection": {
                        "src_ip": of.seen_ip,
                        "dest_ip": of.dst_ip,
                        "src_port": of.src_port,
                        "dest_port": of.call.port,
                        "protocol": of.call.protocol.lower(),
                        "direction": "egress" if side == "src" else "ingress",
                    },
                    "disposition": "deny" if denied_here(of, side) else "allow",
                    "src": _end(of.src),
                    "dest": _end(of.dst),
                    "count": 1,
                    "node_name": pod.node,
                    "timestamp": stamp(of.time, 9),
                }
            )


def _end(end: Pod | Place) -> dict[str, str]:
    if isinstance(end, Place):
        return {}
    return {
        "pod_name": end.name,
        "pod_namespace": end.made.namespace,
        "workload_name": end.made.name,
        "workload_kind": end.made.kind,
    }
