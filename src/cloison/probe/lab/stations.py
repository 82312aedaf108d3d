"""Which station of a lab speaks for which end of a question."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from cloison.algebra import AddressSet, address_text, family_of, parse_address
from cloison.analyses.ends import AddressEnd, End, Names, PodsEnd
from cloison.analyses.matrix import Row
from cloison.analyses.parties import Party
from cloison.base import QuestionError
from cloison.engine import Engine, UnitKind
from cloison.probe.lab.plan import Plan, Station
from cloison.resources.world import WorkloadId

OUTSIDE = "outside"
"""The station that has every address that nobody else has."""

_PREFERRED = tuple(
    AddressSet.block(text)
    for text in ("203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24", "2001:db8::/32")
)
"""Set aside for documentation: whoever reads them knows that nobody is meant."""

_NOBODYS = AddressSet()
for _text in (
    "0.0.0.0/8",
    "127.0.0.0/8",
    "224.0.0.0/3",
    "::/127",
    "fe80::/10",
    "ff00::/8",
):
    _NOBODYS |= AddressSet.block(_text)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a connection starts or ends.

    Args:
        station: The station.
        address: The address, as a point of the axis.
        text: What people call it.
    """

    station: Station
    address: int
    text: str

    @property
    def family(self) -> int:
        """4 or 6."""
        return family_of(self.address)


class Stations:
    """Finds the stations of a plan.

    Args:
        engine: Policies bound to the world as built.
        plan: What was built of it.
    """

    def __init__(self, engine: Engine, plan: Plan) -> None:
        self.engine = engine
        self.plan = plan
        self.outside = Station(OUTSIDE, "", plan.outside)
        self._by_address = {
            parse_address(text): station
            for station in (*plan.nodes, *plan.pods)
            for text in station.addresses
        }
        own = {a for each in plan.services for a in each.addresses} - {*plan.caches}
        services = map(parse_address, sorted(own))
        self._inside = AddressSet.points((*self._by_address, *services))

    def at(self, point: int) -> Station | None:
        """Return the station that has an address: the outside has all that nobody else has."""
        found = self._by_address.get(point)
        return self.outside if found is None and point not in self._inside else found

    def node_of(self, place: Place) -> Place | None:
        """Return the node a pod runs on, at an address of the same family."""
        for node in self.plan.nodes:
            if node.name in (place.station.node, f"node:{place.station.node}"):
                return next(self._places(node, place.family), None)
        return None

    def everywhere(self, family: int) -> Iterator[Place]:
        """Iterate over every station with an address of a family: nodes, pods, the outside."""
        for station in (*self.plan.nodes, *self.plan.pods, self.outside):
            yield from self._places(station, family)

    def _places(self, station: Station, family: int) -> Iterator[Place]:
        for text in station.addresses:
            point = parse_address(text)
            if family_of(point) == family:
                yield Place(station, point, text if station is self.outside else station.name)

    def of(self, party: Party, end: End, family: int) -> tuple[Place, ...]:
        """Return the places that one side of a case stands for.

        Args:
            party: The side.
            end: What the question calls it, which may be only part of the side's unit.
            family: The family of the flow.
        """
        unit = self.engine.table.units[party.unit]
        if unit.kind is UnitKind.EXTERNAL:
            meant = unit.addresses or AddressSet()
            if isinstance(end, AddressEnd):
                meant &= end.addresses
            point = sample(meant.family(family) - self._inside)
            return () if point is None else (Place(self.outside, point, address_text(point)),)
        if unit.kind is UnitKind.NODE:
            node = self.engine.world.nodes.get(unit.node or "")
            return tuple(self._known(node.addresses if node else (), party.text, family))[:1]
        meant_here = getattr(end, "endpoints", unit.endpoints)
        members = [i for i in unit.endpoints if i in set(meant_here)]
        if party.endpoint is not None:
            first = next(
                (i for i in members if self.engine.table.endpoints[i] is party.endpoint), None
            )
            members.sort(key=lambda i: i != first)
        found: dict[str, Place] = {}
        for index in members:
            endpoint = self.engine.table.endpoints[index]
            addresses = endpoint.addresses
            if not addresses and endpoint.shape.host_network:
                node = self.engine.world.nodes.get(endpoint.shape.node or "")
                addresses = node.addresses if node else ()
            for place in self._known(addresses, endpoint.name, family):
                found.setdefault(place.station.name, place)
        return tuple(found.values())

    def client(self, end: End, family: int) -> Place | None:
        """Return where somebody outside connects from; None where that is no client outside."""
        if not isinstance(end, AddressEnd):
            return None
        point = sample(end.addresses.family(family) - self._inside)
        return None if point is None else Place(self.outside, point, address_text(point))

    def _known(self, addresses: Iterable[int], text: str, family: int) -> Iterator[Place]:
        for point in addresses:
            station = self._by_address.get(point)
            if station is not None and family_of(point) == family:
                yield Place(station, point, text)


def outside_addresses(engine: Engine, rows: Iterable[Row]) -> tuple[str, ...]:
    """Return an address for every part outside the cluster that rows tell apart.

    Args:
        engine: Policies bound to the world as declared.
        rows: What will be asked.
    """
    names = Names(engine)
    points: set[int] = set()
    for text in sorted({text for row in rows for text in (row.source, row.destination)}):
        try:
            end = names.end(text)
        except QuestionError:
            continue  # asking the row says what is wrong with it
        if isinstance(end, AddressEnd):
            points |= set(_samples(engine, end.addresses))
    return tuple(address_text(point) for point in sorted(points))


def twins(engine: Engine, rows: Iterable[Row]) -> frozenset[WorkloadId]:
    """Return the workloads whose pods, as rows ask, talk to one another: two of each are needed.

    Args:
        engine: Policies bound to the world as declared.
        rows: What will be asked.
    """
    names = Names(engine)
    found: set[WorkloadId] = set()
    for row in rows:
        try:
            ends = names.end(row.source), names.end(row.destination)
        except QuestionError:
            continue  # asking the row says what is wrong with it
        ids = [end.workload.id for end in ends if isinstance(end, PodsEnd) and not end.single]
        found |= {ids[0]} if ids[1:] == ids[:1] and ids else set()
    return frozenset(found)


def blocks_outside(engine: Engine, most: int) -> tuple[str, ...]:
    """Return an address of each block that policies tell apart, the first so many of them.

    It is nobody's in the cluster. Where all addresses of a block are somebody's, it has none.
    """
    atoms = (engine.table.units[unit].addresses for unit in sorted(_externals(engine)))
    inside = AddressSet.points(tuple(_held(engine)))
    found = (sample(atom - inside) for atom in atoms if atom is not None)
    return tuple(islice((address_text(point) for point in found if point is not None), most))


def _held(engine: Engine) -> Iterator[int]:
    """Yield every address that a pod or a node has."""
    for endpoint in engine.table.endpoints:
        yield from endpoint.addresses
    for node in engine.world.nodes.values():
        yield from node.addresses


def _externals(engine: Engine) -> Iterable[int]:
    return engine.table.kinds[UnitKind.EXTERNAL]


def _samples(engine: Engine, addresses: AddressSet) -> Iterator[int]:
    for unit in engine.table.external_range(addresses):
        atom = engine.table.units[unit].addresses
        found = sample(atom & addresses) if atom is not None else None
        if found is not None:
            yield found


def sample(addresses: AddressSet) -> int | None:
    """Return an address that a host can have, the same each time; None where there is none."""
    usable = addresses - _NOBODYS
    for wanted in (*(usable & block for block in _PREFERRED), usable):
        for low, high in wanted.spans:
            # The first of a block is a network's own name by custom.
            return low + 1 if high > low else low
    return None
