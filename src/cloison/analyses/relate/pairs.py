"""Pairs of units that stand for flows of the world: which there are, and how the two stand."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from cloison.algebra.bitmaps import BitMap
from cloison.engine import Engine, Unit, UnitKind
from cloison.engine.related import (
    ON_ONE_NODE,
    ON_OTHER_NODES,
    ON_UNKNOWN_NODES,
    UNRELATED,
    Relations,
)
from cloison.ir.peers import Relative

FAMILIES = (4, 6)
_SELF = Relations(frozenset({Relative.SELF}))


@dataclass(frozen=True, slots=True)
class Pair:
    """Two units between which there are flows of one kind.

    Args:
        source: Who connects.
        target: Who listens.
        family: 4 or 6.
        relations: How the two stand to each other.
        node: For a pod and a node: the pod's node, where that is known.
    """

    source: int
    target: int
    family: int
    relations: Relations = UNRELATED
    node: str | None = None


class Pairs:
    """Finds pairs of units; knows the world and no policy.

    Args:
        engine: Whose units they are.
        lent: Addresses that ends of unknown address were given, for the sake of the argument.
    """

    def __init__(self, engine: Engine, lent: frozenset[int] = frozenset()) -> None:
        table = self.table = engine.table
        kinds = table.kinds
        self._lent = lent
        self.pods = kinds[UnitKind.POD]
        self.outside = kinds[UnitKind.EXTERNAL] - _taken(engine, lent)
        self.hosts = (kinds[UnitKind.NODE] | kinds[UnitKind.HOST]) - BitMap([table.some_node])
        self._homes: dict[int, dict[str | None, None]] = defaultdict(dict)
        for index, endpoint in enumerate(table.endpoints):
            for unit in table.by_endpoint[index]:
                self._homes[unit][endpoint.shape.node] = None
        for unit in self.hosts:
            self._homes[unit][table.units[unit].node] = None

    def unrelated(self, sources: BitMap, targets: BitMap, family: int) -> Pair | None:
        """Return a pair of a product whose ends have nothing to do with each other, if any.

        A pod and a node are no such pair, whatever node it is.
        """
        members = self.table.families[family]
        pods, hosts, outside = (each & members for each in (self.pods, self.hosts, self.outside))
        for ours, theirs in (
            (pods, pods),
            (pods, outside),
            (outside, pods),
            (hosts, outside),
            (outside, hosts),
        ):
            found = self._two(sources & ours, targets & theirs)
            if found is not None:
                return Pair(*found, family)
        return None

    def _two(self, sources: BitMap, targets: BitMap) -> tuple[int, int] | None:
        for source in sources:
            for target in targets:
                if self._apart(source, target):
                    return source, target
        return None

    def _apart(self, source: int, target: int) -> bool:
        """Whether there may be two ends, one in each unit, with these addresses at one time."""
        one, other = self.table.units[source], self.table.units[target]
        if source == target and not self._several(source):
            return False
        if not self._lent or UnitKind.EXTERNAL in (one.kind, other.kind):
            return True
        alike = one.addresses == other.addresses
        if one.node is not None and one.node == other.node:
            return alike  # what is on a node's network has the node's address
        if alike and _size(one) == 1:
            return False
        same = bool(one.endpoints) and one.endpoints == other.endpoints
        return not same or self._several(source)

    def _several(self, unit: int) -> bool:
        """Whether a unit holds two pods. A template stands for many."""
        members = self.table.units[unit].endpoints
        return len(members) > 1 or any(self.table.endpoints[m].pod is None for m in members)

    def with_nodes(self, sources: BitMap, targets: BitMap, family: int) -> Iterator[Pair]:
        """Iterate over pairs with a node, one for each way the two can stand to each other.

        Args:
            sources: Pods, or what is on nodes' networks.
            targets: What is on nodes' networks, or pods.
            family: 4 or 6.
        """
        members = self.table.families[family]
        ours, theirs = sources & members, targets & members
        if not ours or not theirs:
            return
        outward = not theirs - self.hosts
        near, hosts = (ours, theirs) if outward else (theirs, ours)
        for one, host, stands, node in self._standing(near, hosts):
            ends = (one, host) if outward else (host, one)
            yield Pair(*ends, family, stands, node)

    def _standing(
        self, near: BitMap, hosts: BitMap
    ) -> Iterator[tuple[int, int, Relations, str | None]]:
        """Iterate over an end, a host and how they stand, with the end's node where known."""
        homes: dict[str | None, list[int]] = defaultdict(list)
        for unit in near:
            for home in self._homes[unit]:
                homes[home].append(unit)
        named: dict[str | None, list[int]] = defaultdict(list)
        for host in hosts:
            named[self.table.units[host].node].append(host)
        known = sorted(name for name in homes if name is not None)
        there = sorted(name for name in named if name is not None)
        for name in known:
            two = self._two(BitMap(homes[name]), BitMap(named.get(name, ())))
            if two is not None:
                yield *two, ON_ONE_NODE, name
                break
        for name in known[:2]:
            other = next((each for each in there if each != name), None)
            if other is None:
                continue
            two = self._two(BitMap(homes[name]), BitMap(named[other]))
            if two is not None:
                yield *two, ON_OTHER_NODES, name
                break
        for ours, theirs in (
            (BitMap(homes.get(None, ())), hosts),
            (near, BitMap(named.get(None, ()))),
        ):
            two = self._two(ours, theirs)
            if two is not None:
                yield *two, ON_UNKNOWN_NODES, None
                break

    def alone(self, units: BitMap) -> Iterator[Pair]:
        """Iterate over pods that talk to themselves."""
        for unit in units & self.pods:
            endpoints = self.table.endpoints
            if any(endpoints[m].pod is not None for m in self.table.units[unit].endpoints):
                for family in FAMILIES:
                    if unit in self.table.families[family]:
                        yield Pair(unit, unit, family, _SELF)


def _taken(engine: Engine, lent: frozenset[int]) -> BitMap:
    """Return the units of addresses all of which belong to known pods and nodes."""
    known = {*engine.holders, *engine.node_addresses} - lent
    held: Counter[int] = Counter(engine.table.external(point) for point in known)
    units = engine.table.units
    return BitMap([unit for unit, number in held.items() if _size(units[unit]) == number])


def _size(unit: Unit) -> int:
    return unit.addresses.size() if unit.addresses is not None else 0
