"""Made-up traffic as AWS VPC Flow Logs have it: each way on a line of its own, whoever began.

What stays on one node does not appear, and no word is said on what a policy denied: its packets
left the sender all the same.
"""

from collections.abc import Iterable, Iterator

from cloison.flows.generator.export.common import BYTES, NUMBERS, PACKETS, seconds
from cloison.flows.generator.export.lost import lost
from cloison.flows.generator.model import Connection, Plan, Pod

ORDER = (
    "version vpc-id subnet-id instance-id interface-id account-id type srcaddr dstaddr srcport"
    " dstport pkt-srcaddr pkt-dstaddr protocol bytes packets start end action tcp-flags log-status"
)
"""Order of the fields, which is the first line."""

_FIRST, _SECOND = "2", "18"


def lines(plan: Plan, connections: Iterable[Connection]) -> Iterator[str]:
    """Yield the header, and two lines for each connection that got through."""
    yield ORDER
    for of in connections:
        near = isinstance(of.src, Pod) and isinstance(of.dst, Pod) and of.src.node == of.dst.node
        if near or (not of.allowed and of.call.denied_at == "src"):
            continue
        tcp = of.call.protocol == "TCP"
        there = (of.seen_ip, of.dst_ip, of.src_port, of.call.port, _FIRST if tcp else "0")
        back = (of.dst_ip, of.seen_ip, of.call.port, of.src_port, _SECOND if tcp else "0")
        if not of.swapped and not lost(plan, of, "there"):
            yield _line(of, there)
        if of.allowed and not lost(plan, of, "back"):
            yield _line(of, back)


def _line(of: Connection, way: tuple[str, str, int, int, str]) -> str:
    src, dst, src_port, dst_port, flags = way
    ends = f"{src} {dst} {src_port} {dst_port} {src} {dst}"
    start = seconds(of)
    return (
        f"3 vpc-1 subnet-1 i-1 eni-1 123456789012 IPv4 {ends} {NUMBERS[of.call.protocol]}"
        f" {BYTES} {PACKETS} {start} {start + 60} ACCEPT {flags} OK"
    )
