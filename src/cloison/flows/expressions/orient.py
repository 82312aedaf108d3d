"""Who opened a connection: told, worked out or not known."""

from collections.abc import Collection
from typing import Final

import ibis
from ibis import _
from ibis.expr.types import BooleanValue, Table

_ASKS: Final = (8, 128)
_ANSWERS: Final = (0, 129)
"""Types of echoes, of ICMP and of ICMPv6."""


def oriented(flows: Table, listening: Collection[tuple[str, int]]) -> Table:
    """Return flows with `turned`, and with `initiator` as it is known of the record alone.

    `turned` says that `dst` opened the connection and `src` answers. The source's own word counts
    first, then a first packet, then the type of an echo, then the lower port if something is known
    to listen there and not at the other. What remains is `unknown`: nothing is guessed.

    Args:
        flows: Rows with the columns of `schema.FLOWS`.
        listening: Protocols and ports of containers and Services.
    """
    src_listens = _listens(flows, "src_port", listening)
    dst_listens = _listens(flows, "dst_port", listening)
    told = (flows.initiator == "known") | flows.is_reply.notnull() | flows.opens.fill_null(False)
    echo = flows.icmp_type.isin((*_ASKS, *_ANSWERS)).fill_null(False)
    to_lower = (flows.dst_port < flows.src_port) & dst_listens & ~src_listens
    from_lower = (flows.src_port < flows.dst_port) & src_listens & ~dst_listens
    return flows.mutate(
        turned=ibis.cases(
            (told, flows.is_reply.fill_null(False)),
            (echo, flows.icmp_type.isin(_ANSWERS)),
            (flows.initiator == "inferred", False),
            else_=from_lower.fill_null(False),
        ),
        initiator=ibis.cases(
            (told | echo, "known"),
            ((flows.initiator == "inferred") | to_lower | from_lower, "inferred"),
            else_="unknown",
        ),
    )


def unoriented(flows: Table) -> Table:
    """Return how many rows of oriented flows say who opened, and how many do not, by reader."""
    return flows.group_by(["adapter", "initiator"]).agg(rows=_.count())


def _listens(flows: Table, column: str, listening: Collection[tuple[str, int]]) -> BooleanValue:
    by_proto: dict[str, set[int]] = {}
    for proto, port in listening:
        by_proto.setdefault(proto, set()).add(port)
    found: BooleanValue = ibis.literal(False)
    for proto, ports in sorted(by_proto.items()):
        found = found | ((flows.proto == proto) & flows[column].isin(sorted(ports)))
    return found.fill_null(False)
