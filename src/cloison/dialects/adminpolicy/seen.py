"""Whom rules of these policies match in a world, for comparing them with one another."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cloison.algebra import FAMILY, NO_ADDRESSES, NO_TRAFFIC, AddressSet, TrafficSet
from cloison.ir.names import NamePattern
from cloison.ir.peers import (
    AnyMatch,
    BlockMatch,
    NamesMatch,
    NodesMatch,
    PeerMatch,
    PodsMatch,
    plain_matches,
)
from cloison.ir.policy import Rule
from cloison.resources.world import PodEndpoint, World


@dataclass(frozen=True, slots=True)
class Peers:
    """Whom a rule matches, as far as it can be compared."""

    pods: frozenset[object] = frozenset()
    addresses: AddressSet = NO_ADDRESSES
    names: frozenset[NamePattern] = frozenset()

    def meets(self, other: "Peers") -> "Peers":
        """Return whom both match."""
        return Peers(
            self.pods & other.pods, self.addresses & other.addresses, self.names & other.names
        )

    def holds(self, other: "Peers") -> bool:
        """Return whether everybody of the other is among these."""
        return (
            other.pods <= self.pods
            and other.addresses <= self.addresses
            and other.names <= self.names
        )

    def __bool__(self) -> bool:
        """Return whether anybody is among them."""
        return bool(self.pods or self.addresses or self.names)


@dataclass(slots=True)
class Seen:
    """What selectors find in a world, each looked up once."""

    world: World
    _matches: dict[PeerMatch, Peers] = field(default_factory=dict)
    _pods: tuple[PodEndpoint, ...] | None = None
    _numbers: dict[str, TrafficSet] = field(default_factory=dict)

    def pods(self) -> tuple[PodEndpoint, ...]:
        """Return the pods that policies can select."""
        if self._pods is None:
            ends = (e for w in self.world.workloads.values() for e in w.endpoints)
            self._pods = tuple(e for e in ends if not e.shape.host_network)
        return self._pods

    def peers(self, matches: Sequence[PeerMatch]) -> Peers:
        """Return whom any of some matches matches."""
        found = [self.match(plain) for match in matches for plain in plain_matches(match)]
        addresses, pods, names = NO_ADDRESSES, set[object](), set[NamePattern]()
        for each in found:
            addresses |= each.addresses
            pods |= each.pods
            names |= each.names
        return Peers(frozenset(pods), addresses, frozenset(names))

    def match(self, match: PeerMatch) -> Peers:
        """Return whom one match without combinations matches."""
        known = self._matches.get(match)
        if known is None:
            known = self._matches[match] = self._found(match)
        return known

    def _found(self, match: PeerMatch) -> Peers:
        match match:
            case PodsMatch():
                return Peers(self._selected(match))
            case BlockMatch():
                return Peers(self._inside(match.addresses), match.addresses)
            case AnyMatch():
                everywhere = NO_ADDRESSES
                for addresses in FAMILY.values():
                    everywhere |= addresses
                return Peers(self._selected(PodsMatch()), everywhere)
            case NodesMatch():
                nodes = self.world.nodes.values()
                points = [p for n in nodes if match.nodes.matches(n.labels) for p in n.addresses]
                return Peers(addresses=AddressSet([(p, p) for p in points]))
            case NamesMatch():
                return Peers(names=frozenset(match.names))
        return Peers()

    def _selected(self, match: PodsMatch) -> frozenset[object]:
        if not self.pods():
            return frozenset({match})
        homes = {
            n.name for n in self.world.namespaces.values() if match.namespaces.matches(n.labels)
        }
        return frozenset(
            pod.name
            for pod in self.pods()
            if pod.namespace in homes and match.pods.matches(pod.labels)
        )

    def _inside(self, addresses: AddressSet) -> frozenset[object]:
        return frozenset(
            pod.name for pod in self.pods() if any(p in addresses for p in pod.addresses)
        )

    def traffic(self, rule: Rule) -> TrafficSet:
        """Return the traffic of a rule, with every number that somebody gives its names."""
        found = rule.traffic.must
        for name in rule.traffic.named:
            if name.name not in self._numbers:
                numbers = NO_TRAFFIC
                for pod in self.pods():
                    for port in pod.ports:
                        if port.name == name.name:
                            numbers |= TrafficSet.ports(port.protocol, port.number)
                self._numbers[name.name] = numbers
            found |= self._numbers[name.name]
        return found

    def rule(self, rule: Rule) -> Peers:
        """Return whom a rule matches."""
        return self.peers([peer.match for peer in rule.peers])
