"""AWS VPC Flow Logs: fields parted by spaces, in an order that is the user's own.

They tell addresses only, of one network interface, and what security groups and network ACLs did,
which is no word of any NetworkPolicy: a `REJECT` is no denial here but an error with its reason,
and an `ACCEPT` says only that packets were sent.
Pods of one node that talk to each other do not appear.
"""

from collections.abc import Callable, Iterator
from typing import Final

from cloison.flows.reader import BadRecordError, Decode, Head, Options, Reader
from cloison.flows.readers.values import address, direction, moment, number, port, protocol
from cloison.flows.readers.wrapped import samples, unwrapped
from cloison.flows.schema import Coverage, Flow, Record

DEFAULT: Final = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start"
    " end action log-status"
)
"""The order of version 2, where nobody chose another."""

_KNOWN: Final = frozenset(
    f"{DEFAULT} vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id"
    " sublocation-type sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction"
    " traffic-path ecs-cluster-arn ecs-cluster-name ecs-container-instance-arn"
    " ecs-container-instance-id ecs-container-id ecs-second-container-id ecs-service-name"
    " ecs-task-definition-arn ecs-task-arn ecs-task-id reject-reason resource-id"
    " encryption-status".split()
)
_SECOND: Final = 1_000_000
_SYN, _ACK = 2, 16
_TOLD: Final = {"OK", "NODATA", "SKIPDATA"}
_FEWEST: Final = 5


def _order(text: str) -> tuple[str, ...] | None:
    """Return the fields a header names; `None` for a line that is no header."""
    fields = tuple(text.replace("_", "-").replace("${", "").replace("}", "").split())
    known = sum(field in _KNOWN for field in fields)
    return fields if len(fields) >= _FEWEST and known >= len(fields) * 0.8 else None


def _suits(head: Head) -> float:
    rated = 0.0
    for text, order in samples(head):
        if _order(text) or (order and _order(order)):
            return 0.98
        words = text.split()
        shaped = len(words) == len(DEFAULT.split()) and words[-1] in _TOLD
        rated = max(rated, 0.9 if shaped and words[0].isdigit() else 0.0)
    return rated


def _open(head: Head, options: Options) -> Decode:
    first = next(iter(samples(head)), ("", ""))[0]
    order = _order(options.format or "") or _order(first) or tuple(DEFAULT.split())

    def decode(line: bytes) -> Iterator[Record]:
        text, own = unwrapped(line)
        fields = _order(own) or order
        values = text.split()
        if _order(text) is not None:
            return
        if len(values) != len(fields):
            msg = (
                f"the line has {len(values)} fields where its format has {len(fields)};"
                " --format tells another"
            )
            raise BadRecordError(msg)
        yield _record(dict(zip(fields, values, strict=True)).get)

    return decode


def _record(get: Callable[[str], str | None]) -> Record:
    since, until = moment(get("start"), _SECOND), moment(get("end"), _SECOND)
    status = get("log-status")
    if since is None:
        raise BadRecordError("the line has no start")
    if status in {"NODATA", "SKIPDATA"}:
        skipped = status == "SKIPDATA"
        reason = "records were skipped" if skipped else "no traffic"
        return Coverage(
            since=since, until=until, node=get("interface-id"), lost=int(skipped), reason=reason
        )
    flags = number(get("tcp-flags")) if get("protocol") == "6" else None
    rejected = get("action") == "REJECT"
    src, dst = get("pkt-srcaddr") or get("srcaddr"), get("pkt-dstaddr") or get("dstaddr")
    if not src or not dst or "-" in (src, dst):
        raise BadRecordError("the line has no addresses")
    # An `ACCEPT` is the security group's word, and no policy's: it takes an answer to know more.
    # The flags of all packets of the span, or-ed: a first packet and its answer stand in different
    # lines, since each line is one way only.
    return Flow(
        time=since,
        end_time=until,
        verdict="error" if rejected else "unknown",
        deny_reason="security group or network ACL" if rejected else None,
        observer="node",
        node=get("interface-id"),
        proto=protocol(get("protocol") or "-"),
        src_ip=address(src),
        dst_ip=address(dst),
        src_port=port(get("srcport")),
        dst_port=port(get("dstport")),
        direction=direction(get("flow-direction")),
        opens=flags & (_SYN | _ACK) == _SYN if flags and flags & _SYN else None,
        is_reply=True if flags and flags & (_SYN | _ACK) == _SYN | _ACK else None,
        bytes=number(get("bytes")),
        packets=number(get("packets")),
    )


READER = Reader(
    "aws-vpc",
    "AWS VPC Flow Logs",
    _suits,
    _open,
    "Amazon VPC User Guide, Flow log records",
)
