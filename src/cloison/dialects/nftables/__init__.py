"""Packet filters of Linux, written for one node at a time. Nothing of them is ever read."""

from cloison.dialects.nftables.chains import NodeView, in_order
from cloison.dialects.nftables.pieces import Loading, loading
from cloison.dialects.nftables.write import TABLE, write
from cloison.ir.counters import FROM_PROXY, PROXY_PORT, TO_PROXY, counter_name

__all__ = [
    "FROM_PROXY",
    "PROXY_PORT",
    "TABLE",
    "TO_PROXY",
    "Loading",
    "NodeView",
    "counter_name",
    "in_order",
    "loading",
    "write",
]
