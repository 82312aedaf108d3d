"""Calls that two blocks of addresses let through together, though no dependency says so.

Many enforcers find pods by blocks of addresses, too. Where nobody says which addresses pods have, a
pod that may call a block reaches one that the same block may call.
"""

from collections.abc import Iterable, Iterator

from cloison.algebra import L4, TrafficSet
from cloison.analyses.contract.compile.model import Edge
from cloison.analyses.ends import AddressEnd
from cloison.engine import Engine
from cloison.ir.allowlist import PortRange


def around(edges: Iterable[Edge], engine: Engine) -> Iterator[tuple[Edge, Edge]]:
    """Yield pairs of an edge to a block and one from a block that meet, whoever is at their ends.

    Args:
        edges: What is let through.
        engine: Under who enforces.
    """
    if engine.networks.pods or not engine.profile.block_matches_pods:
        return
    known = list(edges)
    leaving = [each for each in known if isinstance(each.destination, AddressEnd)]
    coming = [each for each in known if isinstance(each.source, AddressEnd)]
    for out in leaving:
        for into in coming:
            to, source = out.destination, into.source
            if not (isinstance(to, AddressEnd) and isinstance(source, AddressEnd)):
                continue
            if _wide(to) and _wide(source) and _traffic(out.ports) & _traffic(into.ports):
                yield out, into


def _wide(end: AddressEnd) -> bool:
    """Return whether addresses are so many that pods may have some of them."""
    return any(high - low >= 1 << 16 for low, high in end.addresses.spans)


def _traffic(ports: Iterable[PortRange]) -> TrafficSet:
    known = tuple(ports)
    found = TrafficSet() if known else L4
    for each in known:
        if each.name is not None or each.first is None or each.protocol.startswith("ICMP"):
            found |= TrafficSet.protocol(each.protocol)
        else:
            found |= TrafficSet.ports(each.protocol, each.first, each.last)
    return found
