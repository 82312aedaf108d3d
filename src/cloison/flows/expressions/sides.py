"""What rows say of a connection and of its ends, whichever way they are joined."""

from collections.abc import Callable, Iterator
from typing import Final

import ibis
from ibis.expr.types import BooleanValue, Table, Value

from cloison.flows.columns import labels_id

END: Final = ("cluster", "ns", "workload", "kind", "pod", "labels", "entity", "ip")
"""Columns of an end, without its side."""

_LAST: Final = ("dst", "both", "node", "learned")
"""Observers whose word on a connection is the last: nobody decides behind them."""

_NO_LABELS: Final = labels_id(())
_LEAST: Final = 1 - 2**63
"""What no set of labels has as its number, but for a chance that is none."""


def words(flows: Table) -> dict[str, BooleanValue]:
    """Return what a row says about its connection. A reply that was let through is an answer."""
    asks = ~flows.turned
    proxied = flows.observer == "proxy"
    last = flows.observer.isin(_LAST)
    allowed, denied = flows.verdict == "allowed", flows.verdict == "denied"
    sent = carried(flows)
    return {
        "denied": asks & denied & ~proxied,
        "refused": asks & denied & proxied,
        "audited": asks & (flows.verdict == "audited"),
        # A reply is no request: no policy was asked about it.
        "error": (flows.verdict == "error") | (flows.turned & denied),
        "settled": (allowed & (flows.turned | last)) | (sent & flows.turned),
        "let_go": allowed & asks & ~last,
    }


def carried(flows: Table) -> BooleanValue:
    """Return which rows say of packets that they were on their way, and nothing of a decision."""
    found: BooleanValue = (
        (flows.verdict == "unknown") & (flows.observer == "node") & (flows.event == "connection")
    )
    return found


def where(these: BooleanValue, values: Value) -> Value:
    """Return values of some rows, and null of others: faster than the filter of an aggregate."""
    return these.ifelse(values, ibis.null(values.type()))


def sided(flows: Table, choose: Callable[[Value, Value], Value]) -> Iterator[Value]:
    """Yield the columns of both ends, each side chosen of the two."""
    for column in (*END, "port"):
        src, dst = flows[f"src_{column}"], flows[f"dst_{column}"]
        yield choose(src, dst).name(f"one_{column}")
        yield choose(dst, src).name(f"two_{column}")


def any_of(rows: Table, name: str, column: str) -> Value:
    """Return what rows say in a column: the greatest of what they say, which no order changes."""
    if column == "entity":
        # A pod is a pod for whoever knows; others say it is outside, or do not know.
        return rows[name].nullif("unknown").min().fill_null("unknown")
    if column == "labels":
        # Who tells of none may just not know them.
        told = rows[name]
        return (told == _NO_LABELS).ifelse(_LEAST, told).max().substitute(_LEAST, _NO_LABELS)
    return rows[name].max()


def common(rows: Table) -> dict[str, Value]:
    """Return what is said of all rows of a connection."""
    here = rows.observer == "src"
    return {
        "first": rows["time"].min(),
        "last": rows["last"].max(),
        # Both sides count the same bytes.
        "bytes": ibis.greatest(
            rows.bytes.sum(where=here).fill_null(0), rows.bytes.sum(where=~here).fill_null(0)
        ).cast("int64"),
        "sample_rate": rows.sample_rate.max(),
        "sample": rows.obs_id.max(),
        "svc_ns": rows.svc_ns.max(),
        "svc_name": rows.svc_name.max(),
        "svc_port": rows.svc_port.max(),
        "dst_name": rows["name"].min(),
    }
