"""Borders of zones that a contract keeps closed, and dependencies that cross them all the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cloison.analyses.contract.intended import Edges, Intended
from cloison.analyses.contract.placed import Placed
from cloison.analyses.ends import AddressEnd, AnyEnd, End, EntryEnd, NameEnd, PodsEnd
from cloison.intent import WORLD, ContractEnd

CROSSING: Final = "CON111"
"""A dependency that crosses a border which no zone opens."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """An edge that crosses a closed border.

    Args:
        edge: The edge.
        source: The zone that it leads from.
        destination: The zone that it leads to; the same where a zone may not call itself.
    """

    edge: Intended
    source: str
    destination: str

    @property
    def message(self) -> str:
        """What is wrong, after the dependency's name."""
        if self.source == self.destination:
            return f"stays within zone {self.source}, which no zone allows"
        return f"leads from zone {self.source} to {self.destination}, which no zone allows"

    @property
    def help(self) -> str:
        """What to do."""
        if self.source == WORLD:
            return f"add world to `from` of zone {self.destination}, or drop the dependency"
        return f"add {self.destination} to `to` of zone {self.source}, or drop the dependency"


def crossings(edges: Edges, placed: Placed) -> Iterator[Crossing]:
    """Yield each closed border that each edge crosses, in order.

    Args:
        edges: What the dependencies of a contract come to.
        placed: What the contract says of workloads.
    """
    contract = placed.contract
    for edge in edges.edges if contract.zones else ():
        # Who calls through a gateway calls whoever serves it.
        to = edge.dialled if isinstance(edge.dialled, EntryEnd) else edge.destination
        for source in _zones(edge.source, edge.entry.source, placed):
            for destination in _zones(to, edge.entry.destination, placed):
                if not contract.may_cross(source, destination):
                    yield Crossing(edge, source, destination)


def _zones(end: End, written: ContractEnd, placed: Placed) -> tuple[str, ...]:
    """Return the zones of an end, sorted; none where the contract says none."""
    match end:
        case PodsEnd():
            found = {placed.zone(end.workload.id)}
        case AddressEnd() | NameEnd():
            return _outer(end, written, placed)
        case AnyEnd():
            found = {
                place.zone
                for name, place in placed.places.items()
                if end.namespace in (None, name.namespace)
            }
        case EntryEnd():
            serving = (name for plane in end.entry.planes for name in plane.workloads)
            found = {placed.zone(name) for name in serving}
        case _:
            found = set()
    return tuple(sorted(zone for zone in found if zone is not None))


def _outer(end: AddressEnd | NameEnd, written: ContractEnd, placed: Placed) -> tuple[str, ...]:
    """Return the zone of what is outside: an external may be in one."""
    for external in placed.contract.externals:
        named = f"external:{external.name}" in (written.text, end.text)
        if named or end.text.removeprefix("dns:") in external.hosts:
            return (external.zone or WORLD,)
    return (WORLD,)
