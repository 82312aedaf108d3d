"""Sets of ends: who is meant, among pods that exist, pods that may come, and all outside.

Guardrails are about sets, so that what is proved holds of every flow. A set is told in endpoints,
nodes, addresses and names, and asked about in the engine's units, which all answer alike.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from cloison.algebra import ANY, NO_ADDRESSES, NO_TRAFFIC, AddressSet, TrafficSet
from cloison.algebra.bitmaps import BitMap, FrozenBitMap
from cloison.analyses.backends import members
from cloison.analyses.contract.ends import Ends, labelled, traffic_of
from cloison.analyses.ends import (
    AddressEnd,
    AnyEnd,
    End,
    EntryEnd,
    NameEnd,
    NodeEnd,
    PodsEnd,
    ServiceEnd,
)
from cloison.base import QuestionError
from cloison.engine import Engine, UnitKind
from cloison.intent import WORLD, ContractEnd, EndForm, Exemption, Guardrail, PodSet, Port
from cloison.resources.objects import Labels

_NOBODY = FrozenBitMap()


@dataclass(frozen=True, slots=True)
class Group:
    """Some ends.

    Args:
        pods: Endpoints of the engine's table.
        nodes: Nodes by name.
        addresses: Addresses outside: none at which a known pod or node is.
        names: Units of names outside.
    """

    pods: FrozenBitMap = _NOBODY
    nodes: frozenset[str] = frozenset()
    addresses: AddressSet = NO_ADDRESSES
    names: FrozenBitMap = _NOBODY

    def __or__(self, other: "Group") -> "Group":
        """Return the ends of both."""
        return Group(
            self.pods | other.pods,
            self.nodes | other.nodes,
            self.addresses | other.addresses,
            self.names | other.names,
        )

    def __and__(self, other: "Group") -> "Group":
        """Return the ends that both have."""
        return Group(
            self.pods & other.pods,
            self.nodes & other.nodes,
            self.addresses & other.addresses,
            self.names & other.names,
        )

    def __sub__(self, other: "Group") -> "Group":
        """Return the ends that only this one has."""
        return Group(
            self.pods - other.pods,
            self.nodes - other.nodes,
            self.addresses - other.addresses,
            self.names - other.names,
        )

    def __bool__(self) -> bool:
        """Return whether there is any end in it."""
        return bool(self.pods or self.nodes or self.addresses or self.names)

    def units(self, engine: Engine) -> BitMap:
        """Return the units that hold any of them."""
        table = engine.table
        found = BitMap(u for e in self.pods for u in table.by_endpoint[e])
        found.update(u for name in self.nodes for u in table.by_node[name])
        found |= table.external_range(self.addresses)
        return found | self.names


@dataclass(frozen=True, slots=True)
class Box:
    """Flows from some ends to others; a guardrail forbids the flows of several boxes.

    Args:
        sources: Who sends.
        destinations: Who is reached.
        traffic: With what.
        stated: Whether somebody asked for that traffic by its ports. Otherwise what nobody can
            say of ICMP leaves nothing open: it is told as a caveat.
        callers: Whether the sources were named, and are not all but some.
        called: Whether the destinations were named.
    """

    sources: Group
    destinations: Group
    traffic: TrafficSet
    stated: bool = True
    callers: bool = False
    called: bool = False

    def __bool__(self) -> bool:
        """Return whether there is any flow in it."""
        return bool(self.sources and self.destinations and self.traffic)


@dataclass(frozen=True)
class Sets:
    """Finds the sets that a contract names.

    Args:
        engine: Whose units: a world with pods that may come, after those that exist.
        ends: Finds ends among those that exist.
        existing: How many endpoints exist.
        called: What units of names are called in the contract, of those that were looked up.
    """

    engine: Engine
    ends: Ends
    existing: int
    called: dict[int, str] = field(default_factory=dict)
    _known: dict[ContractEnd, Group] = field(default_factory=dict)

    def group(self, wanted: Iterable[ContractEnd], *, permitted: bool = False) -> Group:
        """Return everybody that some ends mean.

        Args:
            wanted: The ends.
            permitted: Whether they are those who may. Then a workload stands for its future pods
                too: for every pod of its namespace that has all its labels.

        Raises:
            QuestionError: One of them means nothing here.
        """
        found = Group()
        for end in wanted:
            if end not in self._known:
                self._known[end] = self._of(end)
            found |= self._known[end]
        return found | self._alike(found) if permitted else found

    @cached_property
    def _coming(self) -> dict[str, list[tuple[int, Labels, str]]]:
        """Pods that may come by namespace, with their labels and accounts."""
        found: dict[str, list[tuple[int, Labels, str]]] = {}
        for index, each in enumerate(self.engine.table.endpoints):
            if index >= self.existing:
                said = (index, each.labels, each.shape.service_account)
                found.setdefault(each.namespace, []).append(said)
        return found

    @cached_property
    def _told_by(self) -> tuple[frozenset[str], bool]:
        """Keys of labels that tell pods apart that may come, and whether accounts do."""
        every = [each for found in self._coming.values() for each in found]
        keys = frozenset(key for _, labels, _ in every for key in labels)
        return keys, len({account for _, _, account in every}) > 1

    def _alike(self, group: Group) -> Group:
        """Return the pods that may come and that nobody could tell from those of a group."""
        keys, by_account = self._told_by
        kinds = {
            (
                each.namespace,
                tuple(sorted((k, v) for k, v in each.labels.items() if k in keys)),
                each.shape.service_account if by_account else None,
            )
            for each in (self.engine.table.endpoints[i] for i in group.pods if i < self.existing)
        }
        found: set[int] = set()
        for namespace, labels, account in kinds:
            for index, held, other in self._coming.get(namespace, ()):
                if account not in (None, other):
                    continue
                # Without a label that anybody looks at, a workload is told by having none.
                if set(labels) <= held.items() if labels else not held:
                    found.add(index)
        return Group(FrozenBitMap(found))

    @cached_property
    def everybody(self) -> Group:
        """All pods, nodes, addresses and names."""
        pods = FrozenBitMap(range(len(self.engine.table.endpoints)))
        here = Group(pods, frozenset(self.engine.world.nodes))
        return here | self._world() | self._in_zones()

    def _world(self) -> Group:
        outside = self._addresses(self.ends.outside)
        names = FrozenBitMap(self.engine.table.kinds.get(UnitKind.NAMED, BitMap()))
        return Group(addresses=outside.addresses, names=names - self._in_zones().names)

    def _in_zones(self) -> Group:
        """Return what is outside and in some zone of the contract."""
        group = Group()
        for zone in self.ends.placed.contract.zones:
            group |= self._zoned(zone.name)
        return group

    def _of(self, end: ContractEnd) -> Group:
        table, world = self.engine.table, self.engine.world
        match end.form:
            case EndForm.ANY:
                found = (i for i, e in enumerate(table.endpoints) if end.rest in ("", e.namespace))
            case EndForm.PODS:
                meant = end.pods or PodSet()
                found = (i for i, e in enumerate(table.endpoints) if labelled(world, meant, e))
            case EndForm.ZONE if end.rest == WORLD:
                return self._world()
            case EndForm.ZONE:
                pods = (i for i in range(len(table.endpoints)) if self._zone(i) == end.rest)
                zoned = Group(FrozenBitMap(pods)) | self._zoned(end.rest)
                if not zoned:
                    self.ends.of(end)  # says that nobody is in it
                return zoned
            case _:
                group = Group()
                for each in self.ends.of(end):
                    group |= self.end(each)
                return group
        return Group(FrozenBitMap(found))

    def _zoned(self, zone: str) -> Group:
        """Return what is outside and in a zone all the same."""
        group = Group()
        for external in self.ends.placed.contract.externals:
            if external.zone == zone:
                text = f"external:{external.name}"
                group |= self.group((ContractEnd(EndForm.EXTERNAL, text, external.name),))
        return group

    def _zone(self, index: int) -> str | None:
        endpoint = self.engine.table.endpoints[index]
        if index < self.existing:
            return self.ends.placed.zone(endpoint.workload)
        return self.ends.placed.would_be(endpoint.namespace, endpoint.labels).zone

    def end(self, end: End) -> Group:
        """Return who an end is: those behind a Service, those who serve a Gateway.

        Raises:
            QuestionError: Nobody is.
        """
        match end:
            case PodsEnd():
                return Group(FrozenBitMap(end.endpoints))
            case NodeEnd():
                return Group(nodes=frozenset((end.node.name,)))
            case AddressEnd():
                return self._addresses(end.addresses)
            case NameEnd():
                units = {u for name in end.names for u in self.engine.hosts.of(name) or ()}
                self.called.update(dict.fromkeys(units, end.text))
                return self._addresses(end.addresses) | Group(names=FrozenBitMap(units))
            case ServiceEnd():
                behind: list[End] = [e for e, _ in members(self.engine, end.service).ends]
            case EntryEnd():
                behind = list(self._serving(end))
            case AnyEnd():
                msg = f"{end.text} is read from labels, and never looked up"
                raise AssertionError(msg)
            case _:
                behind = []
        group = Group()
        for each in behind:
            group |= self.end(each)
        if not group:
            msg = f"nobody is behind {end.text} here"
            raise QuestionError(msg, "name the workload, as NAMESPACE/NAME")
        return group

    def _serving(self, end: EntryEnd) -> Iterator[End]:
        for plane in end.entry.planes:
            for workload in plane.workloads:
                yield self.ends.workload(workload)
            for block in plane.blocks:
                yield AddressEnd(block, AddressSet.block(block))

    def _addresses(self, wanted: AddressSet) -> Group:
        """Return who is at some addresses: known pods and nodes are themselves."""
        held = {p: found for p, found in self.engine.holders.items() if p in wanted}
        nodes = {p: name for p, name in self.engine.node_addresses.items() if p in wanted}
        return Group(
            FrozenBitMap(i for found in held.values() for i in found),
            frozenset(nodes.values()),
            wanted - AddressSet.points(tuple({*held, *nodes})),
        )

    def by_traffic(self, ports: Sequence[Port], group: Group) -> Iterator[tuple[TrafficSet, Group]]:
        """Yield the traffic of ports, with the ends for which it is that: names are looked up."""
        # Without ports everything is meant, protocols too that no contract has a word for.
        fixed = NO_TRAFFIC if ports else ANY
        named: list[tuple[str, str]] = []
        for port in ports:
            if port.name is not None:
                named.append((port.name, port.protocol))
            else:
                fixed |= traffic_of(port).traffic
        if not named:
            yield fixed, group
            return
        apart: dict[TrafficSet, list[int]] = {}
        for index in group.pods:
            found = fixed
            for declared in self.engine.table.endpoints[index].ports:
                if (declared.name, declared.protocol) in named:
                    found |= TrafficSet.ports(declared.protocol, *declared.span)
            apart.setdefault(found, []).append(index)
        for traffic, indices in apart.items():
            yield traffic, Group(FrozenBitMap(indices))
        yield fixed, Group(nodes=group.nodes, addresses=group.addresses, names=group.names)

    def forbidden(self, guardrail: Guardrail) -> list[Box]:
        """Return the flows that a guardrail forbids.

        Raises:
            QuestionError: An end of it means nothing here.
        """
        named = self.group(guardrail.sources, permitted=guardrail.only)
        if guardrail.only:
            sources = self.everybody - named
        else:
            sources = named if guardrail.sources else self.everybody
        explicit = bool(guardrail.sources) and not guardrail.only
        destinations = self.group(guardrail.destinations)
        if not guardrail.destinations:
            destinations = self.everybody
        self._declared(guardrail.ports)
        boxes: list[Box] = []
        for traffic, some in self.by_traffic(guardrail.ports, destinations):
            called = bool(guardrail.destinations)
            box = Box(sources, some, traffic, bool(guardrail.ports), explicit, called)
            boxes += _sensible(box, explicit=explicit)
        for exemption in guardrail.exempt:
            boxes = [left for box in boxes if box for left in self._without(box, exemption)]
        return [box for box in boxes if box]

    def _declared(self, ports: Iterable[Port]) -> None:
        """See to it that some pod declares each port that is called by a name.

        Raises:
            QuestionError: None does.
        """
        for port in ports:
            if port.name is not None and (port.name, port.protocol) not in self._port_names:
                msg = f"no pod here declares a port {port.name!r} of {port.protocol}"
                raise QuestionError(msg, "write its number, or a name that a pod declares")

    @cached_property
    def _port_names(self) -> frozenset[tuple[str | None, str]]:
        every = (port for each in self.engine.table.endpoints for port in each.ports)
        return frozenset((port.name, port.protocol) for port in every)

    def _without(self, box: Box, exempt: Exemption) -> Iterator[Box]:
        """Yield what is left of a box where an exemption is taken out of it."""
        sources = box.sources
        if exempt.sources:
            sources = sources & self.group(exempt.sources, permitted=True)
        destinations = box.destinations
        if exempt.destinations:
            destinations = destinations & self.group(exempt.destinations, permitted=True)
        yield replace(box, sources=box.sources - sources)
        yield replace(box, sources=sources, destinations=box.destinations - destinations)
        for traffic, some in self.by_traffic(exempt.ports, destinations):
            left = box.traffic - traffic
            yield replace(box, sources=sources, destinations=some, traffic=left)


def _sensible(box: Box, *, explicit: bool) -> Iterator[Box]:
    """Yield a box, without what nodes send each other or outside, which no policy is about.

    Unless somebody named them.
    """
    nodes = Group(nodes=box.sources.nodes)
    if explicit or not nodes:
        yield box
        return
    yield replace(box, sources=box.sources - nodes)
    yield replace(box, sources=nodes, destinations=Group(box.destinations.pods))
