"""What pods exchange with nodes, and with pods on the network of one, by which node it is.

The engine's rectangles leave relations out: whether a node is the pod's own. Some rules ask for
that, and what passes whatever policies say often is about it. So what a map says of pods and hosts
is made right here, once the rectangles are in it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce

from cloison.algebra import NO_TRAFFIC
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.connectivity import Passage, Row
from cloison.engine import Engine
from cloison.engine.related import ON_ONE_NODE, ON_OTHER_NODES, ON_UNKNOWN_NODES, Relations
from cloison.ir import caveats as known
from cloison.ir.peers import Relative, RelativeMatch, plain_matches
from cloison.ir.policy import Direction

Standing = tuple[int, str | None]
"""A unit, and the node that somebody of it is on; None where nobody knows."""
Stands = frozenset[Standing]
"""Where the pods of an end are."""
Add = Callable[[Row, Passage, BitMap], None]


@dataclass
class Beside:
    """Pods and hosts held against each other; lives for one map.

    Args:
        engine: Who decides.
        pods: Where the pods of each end are, by its place.
        hosts: Where each end is that is a node, or on the network of one, by its place.
        rows: What the map says so far, from each place; changed.
        add: Adds to a row.
    """

    engine: Engine
    pods: Mapping[int, Stands]
    hosts: Mapping[int, Stands]
    rows: dict[int, Row]
    add: Add
    _known: dict[tuple[int, int, Relations], Passage] = field(default_factory=dict)
    _speaks: dict[int, bool] = field(default_factory=dict)

    def settle(self) -> None:
        """Make what the map says of pods and hosts true of the nodes they are on."""
        alike: dict[Stands, BitMap] = defaultdict(BitMap)
        for place, stands in self.pods.items():
            alike[stands].add(place)
        for stands, places in alike.items():
            met = self._met(stands)
            for sends in (True, False):
                found: dict[Passage, BitMap] = defaultdict(BitMap)
                for place in met:
                    found[self._passage(stands, self.hosts[place], sends=sends)].add(place)
                self._say(places, found, sends=sends)

    def _met(self, stands: Stands) -> Iterable[int]:
        """Return the hosts for which it matters on which node the pods are."""
        homes = {home for _, home in stands}
        if None in homes or any(self._tells_apart(unit) for unit, _ in stands):
            return self.hosts
        near = (place for home in (*homes, None) for place in self._by_node.get(home, ()))
        return dict.fromkeys(near)

    @cached_property
    def _by_node(self) -> dict[str | None, list[int]]:
        found: dict[str | None, list[int]] = defaultdict(list)
        for place, stands in self.hosts.items():
            for node in {node for _, node in stands}:
                found[node].append(place)
        return found

    def _tells_apart(self, unit: int) -> bool:
        """Return whether rules about some pods, or about the hosts, speak of other nodes."""
        return self._any_host or any(
            self._speaks_of_others(unit, direction) for direction in Direction
        )

    @cached_property
    def _any_host(self) -> bool:
        governed = {unit for stands in self.hosts.values() for unit, _ in stands}
        return any(
            self._speaks_of_others(unit, direction)
            for unit in governed & set(self.engine.governed)
            for direction in Direction
        )

    def _speaks_of_others(self, unit: int, direction: Direction) -> bool:
        decision = self.engine.decision(unit, direction)
        found = self._speaks.get(id(decision))
        if found is None:
            matches = (
                match
                for bound in decision.rules
                for peer in bound.rule.peers
                for match in plain_matches(peer.match)
            )
            found = self._speaks[id(decision)] = any(
                isinstance(match, RelativeMatch) and match.relation is Relative.OTHER_NODE
                for match in matches
            )
        return found

    def _passage(self, pods: Stands, hosts: Stands, *, sends: bool) -> Passage:
        """Return what passes between some pod and some host of two ends."""
        each = (
            self._outcome(*((one, other) if sends else (other, one)), _relation(home, node))
            for one, home in pods
            for other, node in hosts
            if self._meet(one, other)
        )
        return reduce(Passage.join, each, Passage(NO_TRAFFIC))

    def _meet(self, one: int, other: int) -> bool:
        """Return whether two units have an address family in common."""
        units = self.engine.table.units
        return len({units[one].family, units[other].family} - {0}) <= 1

    def _outcome(self, source: int, target: int, relations: Relations) -> Passage:
        key = (source, target, relations)
        found = self._known.get(key)
        if found is None:
            found = Passage.of(self.engine.outcome(source, target, relations, relations))
            if found.undetermined and relations is ON_UNKNOWN_NODES:
                found = replace(found, caveats=(known.OWN_NODE_UNKNOWN,))
            self._known[key] = found
        return found

    def _say(self, places: BitMap, found: Mapping[Passage, BitMap], *, sends: bool) -> None:
        for passage, hosts in found.items():
            senders, receivers = (places, hosts) if sends else (hosts, places)
            for sender in senders:
                row = self.rows[sender]
                for said, held in list(row.items()):
                    if _more(said, passage):
                        row[said] = held - receivers
                        if not row[said]:
                            del row[said]
                others = receivers - BitMap([sender])
                if passage and others:
                    self.add(row, passage, others)


def _relation(home: str | None, node: str | None) -> Relations:
    if home is None or node is None:
        return ON_UNKNOWN_NODES
    return ON_ONE_NODE if home == node else ON_OTHER_NODES


def _more(said: Passage, passage: Passage) -> bool:
    """Return whether more is said to pass than does."""
    passes = passage.allowed | passage.undetermined
    return not (said.allowed <= passage.allowed and said.allowed | said.undetermined <= passes)
