"""Made-up traffic as a table of our own columns, each connection once."""

from collections.abc import Iterable, Iterator

from cloison.flows.generator.export.common import name, namespace, stamp
from cloison.flows.generator.export.lost import lost
from cloison.flows.generator.model import Connection, Place, Plan, Pod

COLUMNS = (
    "time,src_ns,src_pod,src_workload,src_kind,src_ip,src_port,dst_ns,dst_pod,dst_workload,dst_kind,"
    "dst_ip,dst_port,proto,names,verdict"
)
"""The header."""


def lines(plan: Plan, connections: Iterable[Connection]) -> Iterator[str]:
    """Yield the header, and a line for each connection."""
    yield COLUMNS
    for of in connections:
        if lost(plan, of, "row"):
            continue
        dns = (of.dst.dns or "") if isinstance(of.dst, Place) else ""
        verdict = "allowed" if of.allowed else "denied"
        src, dst = _end(of.src, of.seen_ip, of.src_port), _end(of.dst, of.dst_ip, of.call.port)
        yield f"{stamp(of.time, 6)},{src},{dst},{of.call.protocol},{dns},{verdict}"


def _end(end: Pod | Place, ip: str, port: int) -> str:
    own = isinstance(end, Pod) and ip == end.ip
    made = end.made if own and isinstance(end, Pod) else None
    told = (namespace(end), name(end)) if own else ("", "")
    return ",".join([*told, made.name if made else "", made.kind if made else "", ip, str(port)])
