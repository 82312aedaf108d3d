"""Calls that two blocks of addresses let through together, though no dependency says so.

Many enforcers find pods by blocks of addresses, too. Where nobody says which addresses pods have, a
pod that may call a block reaches one that the same block may call. Where nodes say which they hand
out, those are left out of blocks, and only pods that have others do.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from cloison.algebra import L4, TrafficSet
from cloison.analyses.contract.compile.model import TODAY, WIDENED, Edge, Notes
from cloison.analyses.ends import AddressEnd
from cloison.base import Severity
from cloison.base.words import few
from cloison.engine import Engine
from cloison.ir.allowlist import PortRange

_SHOWN: Final = 5


def around(edges: Iterable[Edge], engine: Engine, notes: Notes) -> None:
    """Note edges to blocks and from blocks that meet, whoever is at their ends.

    Args:
        edges: What is let through, with the addresses that are written.
        engine: Under who enforces.
        notes: Takes it.
    """
    likely = few(list(islice(engine.networks.likely.blocks(), _SHOWN)))
    for out, into in _meeting(edges, engine):
        way = (
            f"{out.source.text} may reach {into.destination.text} by {out.destination.text} and "
            f"{into.source.text}"
        )
        effect = "policies find pods by blocks of addresses, too"
        advice = "say --pod-cidr, so that those are left out of blocks"
        if likely:
            what = f"that pods have addresses of {likely} only is what the nodes of the input say"
            effect += ", and pods of other nodes may have others"
            notes.say(TODAY, Severity.INFO, f"{what}: {way}", effect, advice)
        else:
            what = "which addresses pods have is not known"
            notes.say(WIDENED, Severity.WARNING, f"{what}: {way}", effect, advice)


def _meeting(edges: Iterable[Edge], engine: Engine) -> Iterator[tuple[Edge, Edge]]:
    """Yield pairs of an edge to a block and one from a block that pods may have addresses of."""
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
