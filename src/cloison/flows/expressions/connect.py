"""One row for each connection, whatever it was seen by and in how many packets.

Rows that tell both addresses and both ports are joined by these, within an hour and a reader:
packets of either direction, of either observer, of a request and its reply. Rows that do not, such
as those a source has summed up, are joined by who their ends are and their port within five
minutes; what else is told of these, such as labels, need not be the same on both sides.

A connection is allowed only if the side that decides last says so, or if it was answered. What the
side of the source let go, and of which the other side said nothing, is `unknown` and counted in
`halfway`. A record that somebody in between wrote of packets on their way, and that tells of no
decision, shows that these were sent: that both ends sent some is an answer, and else nobody knows.

Between the same addresses and ports something may be denied and, at another time, allowed: a client
asks again until somebody mends the policy. Both are said, each with its own times. So are
connections of two that held one address after each other, or in two clusters (`holders`).
"""

import ibis
from ibis.expr.types import BooleanValue, Table

from cloison.flows.expressions.holders import apart
from cloison.flows.expressions.paired import paired
from cloison.flows.expressions.summed import summed


def connections(flows: Table, *, reused: bool = True) -> Table:
    """Return the connections of oriented flows (`orient.oriented`).

    Args:
        flows: The flows.
        reused: Whether an address may have had several holders in an hour (`holders.reused`). Where
            none had, they need not be told apart.
    """
    flows = flows.mutate(
        minute=flows.time.truncate("m").epoch_seconds().cast("int64"),
        last=ibis.coalesce(flows.end_time, flows.time),
        name=(flows.names.length() > 0).ifelse(flows.names[0], ibis.null("string")),
    )
    flows = flows.mutate(
        hour=(flows.minute // 3600).cast("int64"), window=(flows.minute // 300).cast("int64")
    )
    told = _whole(flows)
    whole = flows.filter(told)
    return paired(apart(whole) if reused else whole).union(summed(flows.filter(~told)))


def _whole(flows: Table) -> BooleanValue:
    found: BooleanValue = flows.src_ip.notnull()
    for column in ("src_port", "dst_ip", "dst_port", "proto"):
        found = found & flows[column].notnull()
    return found
