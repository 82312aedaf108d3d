"""Packet filters of Linux, written for one node at a time. Nothing of them is ever read."""

from cloison.dialects.nftables.chains import NodeView
from cloison.dialects.nftables.names import counter_name
from cloison.dialects.nftables.pieces import Loading, loading
from cloison.dialects.nftables.write import TABLE, write

__all__ = ["TABLE", "Loading", "NodeView", "counter_name", "loading", "write"]
