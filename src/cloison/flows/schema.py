"""The one form of everything that was observed: rows, and the Arrow columns they become.

A *flow* says that one end sent to another in a span of time, as one observer saw it. Some sources
write a line for each packet, some for each connection, some for each quarter of a minute: `count`
says for how many connections or events a row stands. What a source does not tell is `None`, never
a guess; what was worked out later is in columns of its own (`attribution`).

Times are microseconds since 1970, UTC, without a zone: databases disagree about zones.
"""

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
import pyarrow as pa

Entity = Literal["pod", "host", "apiserver", "service", "gateway", "world", "set", "unknown"]
"""What an end is: a pod; a node; the API server; a Service; a gateway's or ingress's own identity;
an address outside; a named set of addresses; not told."""

Verdict = Literal["allowed", "denied", "audited", "error", "unknown"]
"""What became of it: let through; denied *by policy*; let through although policy would deny it
(audit and staged modes); lost for a reason that is no policy; not told."""

Initiator = Literal["known", "inferred", "unknown"]
"""Whether `src` opened the connection: told by the source; worked out (flags, ports); not known,
so that `src` may be the one that answered."""

Observer = Literal["src", "dst", "both", "node", "proxy", "learned"]
"""Who saw it: the enforcement point of either end, a record that joins both, a node in between, a
proxy; or a graph that another tool had already learned."""

Direction = Literal["ingress", "egress"]

Event = Literal["connection", "verdict", "drop", "trace", "socket", "request"]
"""What a row is a record of: connections; a decision about what would open one, at most one in
either direction; the loss of a packet; a packet seen on its way, several in a connection; a call of
a program on its socket; a message that an application got or sent.

Where a source has several records of one connection, the verdict is preferred, and then the first
of its traces: see `opens`.
"""

Match = Literal["none", "l3", "l3-l4", "l3-proto", "l4", "proto", "all"]
"""What of a rule had to hold for it to decide: nothing matched; the peer; peer and port; peer and
protocol; port; protocol; it allows everything. With `l3` and `all`, the port was not needed."""

Labels = tuple[str, ...]
"""Labels of one end, as `key=value`, sorted."""


class Decision(msgspec.Struct, frozen=True, gc=False):
    """One policy that a source names as having decided.

    Args:
        kind: Kind of the policy, as the source writes it.
        namespace: Its namespace; empty for one of the whole cluster.
        name: Its name.
        direction: Whether it decided about traffic into or out of its subject.
        effect: `allow`, `deny` or `pass`.
        tier: Tier it stands in, where the source says.
        rule: Which of its rules; empty where the source does not say.
    """

    kind: str
    namespace: str
    name: str
    direction: str = ""
    effect: str = ""
    tier: str = ""
    rule: str = ""


class Flow(msgspec.Struct, kw_only=True, gc=False):
    """One observation. Columns are named and described in docs/reference/flows.md.

    Args:
        time: Start, in microseconds; `None` in what other tools learned without saying when.
        end_time: End of the span; `None` for an event.
        count: Connections, or events where a source tells no connections, the row stands for.
        sample_rate: The row stands for one of this many; 1 where everything was recorded.
        proto: `TCP`, `UDP`, `SCTP`, `ICMP`, `ICMPv6`, or the protocol's number.
        dst_port: The port at which `dst` was reached, of the pod where the source sees that.
        svc_port: The Service's port, where the source tells it as well.
        names: Names `dst` was looked up by.
        is_reply: The source's own word on whether this went back to who had opened the connection.
        opens: Whether the record itself shows the opening: a first packet, or SYN without ACK.
        decided_by: Policies the source names as having decided.
        pending: Policies that would have decided, had they been in force.
        http: Method, path and code where an application was looked into; host for names asked.
        obs_id: The source's own id for the record, where it has one.
        event: What the row is a record of.
        match: How closely the rule that decided had to match, where the source says that.
    """

    time: int | None
    verdict: Verdict
    observer: Observer
    proto: str | None = None
    end_time: int | None = None
    count: int = 1
    sample_rate: int = 1
    src_cluster: str | None = None
    src_ns: str | None = None
    src_workload: str | None = None
    src_kind: str | None = None
    src_pod: str | None = None
    src_labels: Labels | None = None
    src_entity: Entity = "unknown"
    src_ip: str | None = None
    src_port: int | None = None
    dst_cluster: str | None = None
    dst_ns: str | None = None
    dst_workload: str | None = None
    dst_kind: str | None = None
    dst_pod: str | None = None
    dst_labels: Labels | None = None
    dst_entity: Entity = "unknown"
    dst_ip: str | None = None
    dst_port: int | None = None
    svc_ns: str | None = None
    svc_name: str | None = None
    svc_port: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    names: tuple[str, ...] = ()
    node: str | None = None
    direction: Direction | None = None
    is_reply: bool | None = None
    opens: bool | None = None
    initiator: Initiator = "unknown"
    deny_reason: str | None = None
    decided_by: tuple[Decision, ...] = ()
    pending: tuple[Decision, ...] = ()
    http_method: str | None = None
    http_path: str | None = None
    http_host: str | None = None
    http_code: int | None = None
    bytes: int | None = None
    packets: int | None = None
    obs_id: str | None = None
    event: Event = "connection"
    match: Match | None = None


class Identity(msgspec.Struct, kw_only=True, gc=False):
    """Who held an address, and from when until when (`None`: not known to have ended).

    Args:
        host_network: Whether it is a node's own address.
        snapshot: Whether this is of a list of all who held any at `since`: of a namespace, or of
            the whole cluster (see `expressions.ends`).
    """

    ip: str
    since: int
    until: int | None = None
    cluster: str | None = None
    ns: str | None = None
    pod: str | None = None
    workload: str | None = None
    kind: str | None = None
    labels: Labels | None = None
    host_network: bool = False
    snapshot: bool = False


BROKEN_OFF: Final = (
    "the stream broke off: what the node's ring buffer lost until it went on is not told"
)
"""Why nothing is known of a span in which a live source could not be heard."""


class Coverage(msgspec.Struct, kw_only=True, gc=False):
    """What a source says about what it did not see. An absent flow means nothing without it.

    Args:
        node: Where; `None` for the whole source.
        since: Start of the span.
        until: Its end; `None` for a moment.
        lost: Events that were lost in it.
        sampled: One of this many was recorded.
        reason: Why, in a few words.
    """

    since: int
    until: int | None = None
    node: str | None = None
    lost: int = 0
    sampled: int = 1
    reason: str = ""


class Change(msgspec.Struct, kw_only=True, gc=False):
    """A change of an object that policies depend on, or a call of the API server: who, what, when.

    Args:
        labels: The object's labels after the change, where the record shows them.
        before: Those before it, likewise.
        allowed: Whether the API server carried it out.
    """

    time: int
    user: str
    verb: str
    kind: str
    group: str = ""
    ns: str = ""
    name: str = ""
    allowed: bool = True
    source_ip: str | None = None
    agent: str | None = None
    labels: Labels | None = None
    before: Labels | None = None


class Listener(msgspec.Struct, kw_only=True, gc=False):
    """A port at which something is known to listen: of a container, or of a Service."""

    proto: str
    port: int
    since: int
    until: int | None = None


Record = Flow | Identity | Coverage | Change | Listener

if TYPE_CHECKING:
    Columns = list[pa.Field[Any]]

_DECISIONS: Final = pa.list_(
    pa.struct([pa.field(name, pa.string(), nullable=False) for name in Decision.__struct_fields__])
)
_TIME: Final = pa.timestamp("us")


def _end(side: str) -> "Columns":
    return [
        pa.field(f"{side}_cluster", pa.string()),
        pa.field(f"{side}_ns", pa.string()),
        pa.field(f"{side}_workload", pa.string()),
        pa.field(f"{side}_kind", pa.string()),
        pa.field(f"{side}_pod", pa.string()),
        pa.field(f"{side}_labels", pa.int64()),
        pa.field(f"{side}_entity", pa.string(), nullable=False),
        pa.field(f"{side}_ip", pa.string()),
        pa.field(f"{side}_port", pa.int32()),
    ]


_FLOWS: "Columns" = [
    pa.field("time", _TIME),
    pa.field("verdict", pa.string(), nullable=False),
    pa.field("observer", pa.string(), nullable=False),
    pa.field("proto", pa.string()),
    pa.field("end_time", _TIME),
    pa.field("count", pa.int64(), nullable=False),
    pa.field("sample_rate", pa.int32(), nullable=False),
    *_end("src"),
    *_end("dst"),
    pa.field("svc_ns", pa.string()),
    pa.field("svc_name", pa.string()),
    pa.field("svc_port", pa.int32()),
    pa.field("icmp_type", pa.int32()),
    pa.field("icmp_code", pa.int32()),
    pa.field("names", pa.list_(pa.string()), nullable=False),
    pa.field("node", pa.string()),
    pa.field("direction", pa.string()),
    pa.field("is_reply", pa.bool_()),
    pa.field("opens", pa.bool_()),
    pa.field("initiator", pa.string(), nullable=False),
    pa.field("deny_reason", pa.string()),
    pa.field("decided_by", _DECISIONS, nullable=False),
    pa.field("pending", _DECISIONS, nullable=False),
    pa.field("http_method", pa.string()),
    pa.field("http_path", pa.string()),
    pa.field("http_host", pa.string()),
    pa.field("http_code", pa.int32()),
    pa.field("bytes", pa.int64()),
    pa.field("packets", pa.int64()),
    pa.field("obs_id", pa.string()),
    pa.field("event", pa.string(), nullable=False),
    pa.field("match", pa.string()),
]
FLOWS: Final = pa.schema(_FLOWS)
"""Columns of flows. Those named `*_labels` are ids of rows in `LABELS`."""

_LABELS: "Columns" = [
    pa.field("id", pa.int64(), nullable=False),
    pa.field("labels", pa.list_(pa.string()), nullable=False),
]
LABELS: Final = pa.schema(_LABELS)

_IDENTITY: "Columns" = [
    pa.field("ip", pa.string(), nullable=False),
    pa.field("since", _TIME, nullable=False),
    pa.field("until", _TIME),
    pa.field("cluster", pa.string()),
    pa.field("ns", pa.string()),
    pa.field("pod", pa.string()),
    pa.field("workload", pa.string()),
    pa.field("kind", pa.string()),
    pa.field("labels", pa.int64()),
    pa.field("host_network", pa.bool_(), nullable=False),
    # Stores of old have none.
    pa.field("snapshot", pa.bool_()),
]
IDENTITY: Final = pa.schema(_IDENTITY)

_COVERAGE: "Columns" = [
    pa.field("since", _TIME, nullable=False),
    pa.field("until", _TIME),
    pa.field("node", pa.string()),
    pa.field("lost", pa.int64(), nullable=False),
    pa.field("sampled", pa.int32(), nullable=False),
    pa.field("reason", pa.string(), nullable=False),
]
COVERAGE: Final = pa.schema(_COVERAGE)

_CHANGES: "Columns" = [
    pa.field("time", _TIME, nullable=False),
    pa.field("user", pa.string(), nullable=False),
    pa.field("verb", pa.string(), nullable=False),
    pa.field("kind", pa.string(), nullable=False),
    pa.field("group", pa.string(), nullable=False),
    pa.field("ns", pa.string(), nullable=False),
    pa.field("name", pa.string(), nullable=False),
    pa.field("allowed", pa.bool_(), nullable=False),
    pa.field("source_ip", pa.string()),
    pa.field("agent", pa.string()),
    pa.field("labels", pa.int64()),
    pa.field("before", pa.int64()),
]
CHANGES: Final = pa.schema(_CHANGES)

_LISTENERS: "Columns" = [
    pa.field("proto", pa.string(), nullable=False),
    pa.field("port", pa.int32(), nullable=False),
    pa.field("since", _TIME, nullable=False),
    pa.field("until", _TIME),
]
LISTENERS: Final = pa.schema(_LISTENERS)

TABLES: Final = {
    "flows": FLOWS,
    "labels": LABELS,
    "identity": IDENTITY,
    "coverage": COVERAGE,
    "changes": CHANGES,
    "listeners": LISTENERS,
}
"""Every table that records become, by name."""
