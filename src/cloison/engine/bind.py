"""Policies bound to a world: which units each selects, whom and what each rule matches."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from cloison.algebra import L4, NO_TRAFFIC, AddressSet, TrafficSet
from cloison.algebra.bitmaps import BitMap, union
from cloison.engine.index import PodIndex
from cloison.engine.units import UnitKind, UnitTable
from cloison.ir.caveats import NAMED_PORT_AMBIGUOUS, SCTP_SUPPORT
from cloison.ir.fidelity import Caveat
from cloison.ir.policy import (
    AnyMatch,
    BlockMatch,
    Direction,
    NamedPort,
    NodesMatch,
    Peer,
    PodsMatch,
    Policy,
    Relative,
    RelativeMatch,
    Rule,
    UnknownMatch,
)
from cloison.ir.profile import NamedPorts, OtherProtocols, Profile
from cloison.ir.ruleset import BoundRule
from cloison.resources.objects import ContainerPort
from cloison.resources.world import World

Ports = tuple[ContainerPort, ...]


@dataclass(frozen=True, slots=True)
class Matched:
    """Units that a peer, or all peers of a rule, match.

    Args:
        must: Certainly.
        may: Possibly, besides.
        blocks: Those of either that match by address only.
    """

    must: BitMap
    may: BitMap
    blocks: BitMap


class Binder:
    """Resolves policies against one unit table, each selector and block once."""

    def __init__(self, world: World, table: UnitTable, profile: Profile) -> None:
        self.world = world
        self.table = table
        self.profile = profile
        self.everybody = BitMap(range(len(table.units)))
        self._pods = PodIndex(world, table)
        self._blocks: dict[BlockMatch, Matched] = {}
        self._peers: dict[tuple[Peer, ...], Matched] = {}
        self._placed = _by_address(table, profile)
        self._rules: dict[tuple[int, Direction, Ports], tuple[BoundRule, ...]] = {}
        self._unseen: dict[tuple[int, Direction], tuple[BoundRule, ...]] = {}
        self._nobody = BitMap()

    def subject(self, policy: Policy) -> BitMap:
        """Return the pod units a policy applies to."""
        return union(self._pods.select(subject) for subject in policy.subjects)

    def rules(self, policy: Policy, direction: Direction, ports: Ports) -> tuple[BoundRule, ...]:
        """Return the bound rules of one policy and direction.

        Args:
            policy: The policy.
            direction: Which of its rules.
            ports: The subject's declared ports, where a rule may look a name up in them.
        """
        key = (id(policy), direction, ports)
        found = self._rules.get(key)
        if found is None:
            found = tuple(
                bound
                for rule in policy.rules_for(direction)
                for bound in self._bind(policy, rule, ports)
            )
            self._rules[key] = found
        return found

    def unseen(self, policy: Policy, direction: Direction) -> tuple[BoundRule, ...]:
        """Return the bound rules for a destination whose declared ports nobody knows.

        That is a pod that is not in the world: the subject on ingress, a peer on egress. What a
        port name stands for on it may be any number, and is bound apart from the rest of its rule.
        """
        key = (id(policy), direction)
        found = self._unseen.get(key)
        if found is None:
            found = self._unseen[key] = tuple(
                bound
                for rule in policy.rules_for(direction)
                for bound in self._unnumbered(policy, rule)
            )
        return found

    def _unnumbered(self, policy: Policy, rule: Rule) -> Iterator[BoundRule]:
        must, may = self._scope(rule)
        names = rule.traffic.named
        if self.profile.named_ports is NamedPorts.WHOLE_PROTOCOL:
            must |= self._named(names, ())
        elif rule.direction is Direction.INGRESS:
            # Where other pods' declarations count, they count for this one too.
            must |= self._named(names, self._subject_ports(policy, ()))
        any_number = NO_TRAFFIC
        for name in names:
            any_number |= TrafficSet.protocol(name.protocol) if name.protocol else L4
        for traffic, may_traffic, named in (
            (must, may, False),
            (NO_TRAFFIC, any_number - must, True),
        ):
            if traffic or may_traffic or not (named or names):
                peers = self.peers(rule.peers)
                yield BoundRule(
                    policy,
                    rule,
                    peers.must,
                    peers.may,
                    traffic,
                    may_traffic,
                    peers.blocks,
                    named=named,
                    caveats=self._written(rule, traffic | may_traffic),
                )

    def in_block(self, match: BlockMatch, place: AddressSet | None) -> bool | None:
        """Return whether a block surely (True) or possibly (False) matches a pod by its address.

        Args:
            match: The block.
            place: Where the pod's address is known to lie; None when nothing is known of it.
        """
        if not self.profile.block_matches_pods:
            return None
        if place is None:
            return True if match.whole else None
        if place <= match.addresses:
            return True
        return None if place.isdisjoint(match.addresses) else False

    def _bind(self, policy: Policy, rule: Rule, ports: Ports) -> list[BoundRule]:
        peers = self.peers(rule.peers)
        relations = frozenset(
            p.match.relation for p in rule.peers if isinstance(p.match, RelativeMatch)
        )
        must, may = self._scope(rule)
        written = self._written(rule, must)
        plain = BoundRule(
            policy,
            rule,
            peers.must,
            peers.may,
            must,
            may,
            peers.blocks,
            relations,
            caveats=written,
        )
        if not rule.traffic.named:
            return [plain]
        out = [plain] if must or may else []
        if rule.direction is Direction.INGRESS:
            traffic = self._named(rule.traffic.named, self._subject_ports(policy, ports))
            if traffic:
                out.append(
                    BoundRule(
                        policy,
                        rule,
                        peers.must,
                        peers.may,
                        traffic,
                        blocks=peers.blocks,
                        relations=relations,
                        named=True,
                        caveats=written | _ambiguous(rule, traffic),
                    )
                )
            return out
        if Relative.SELF in relations:
            # Towards itself the subject is the peer, and its own names count.
            traffic = self._named(rule.traffic.named, ports)
            itself = frozenset({Relative.SELF})
            nobody = self._nobody
            out.append(
                BoundRule(policy, rule, nobody, nobody, traffic, relations=itself, named=True)
            )
        return out + self._named_peers(policy, rule, peers)

    def _named_peers(self, policy: Policy, rule: Rule, peers: Matched) -> list[BoundRule]:
        """Split a rule with named ports by what the names mean on each peer."""
        by_traffic: dict[TrafficSet, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        # Only pods declare ports; one on its node's network counts as the node.
        able = self.table.kinds[UnitKind.POD]
        for members, side in ((peers.must & able, 0), (peers.may & able, 1)):
            for number in members:
                traffic = self._named(rule.traffic.named, self.table.units[number].ports)
                if traffic:
                    by_traffic[traffic][side].append(number)
        return [
            BoundRule(
                policy,
                rule,
                BitMap(must),
                BitMap(may),
                traffic,
                blocks=peers.blocks,
                named=True,
                caveats=self._written(rule, traffic) | _ambiguous(rule, traffic),
            )
            for traffic, (must, may) in sorted(by_traffic.items(), key=lambda item: item[0].spans)
        ]

    def _written(self, rule: Rule, traffic: TrafficSet) -> frozenset[Caveat]:
        """Return what an allow by this rule stands on, whoever the peer is."""
        found = {
            peer.match.caveat
            for peer in rule.peers
            if isinstance(peer.match, BlockMatch) and peer.match.caveat is not None
        }
        if self.profile.sctp is not True and traffic != L4 and not traffic.isdisjoint(_SCTP):
            found.add(SCTP_SUPPORT)
        return frozenset(found)

    def _subject_ports(self, policy: Policy, ports: Ports) -> Ports:
        if self.profile.named_ports is not NamedPorts.UNION:
            return ports
        found = {p for number in self.subject(policy) for p in self.table.units[number].ports}
        return tuple(found)

    def _named(self, named: tuple[NamedPort, ...], ports: Ports) -> TrafficSet:
        """Return the numbers that names stand for on an end that declares `ports`."""
        found = NO_TRAFFIC
        for name in named:
            if self.profile.named_ports is NamedPorts.WHOLE_PROTOCOL:
                found |= TrafficSet.protocol(name.protocol) if name.protocol else L4
                continue
            for port in ports:
                if port.name == name.name and name.protocol in (None, port.protocol):
                    found |= TrafficSet.ports(port.protocol, port.number)
        return found

    def _scope(self, rule: Rule) -> tuple[TrafficSet, TrafficSet]:
        """Return the rule's numbered traffic as this enforcer takes it."""
        traffic = rule.traffic
        match self.profile.other_protocols:
            case OtherProtocols.PORTLESS_RULES:
                return traffic.must | traffic.may, NO_TRAFFIC
            case OtherProtocols.DENIED:
                return traffic.must, NO_TRAFFIC
            case _:
                return traffic.must, traffic.may

    def peers(self, peers: tuple[Peer, ...]) -> Matched:
        """Return the units that any of `peers` matches."""
        found = self._peers.get(peers)
        if found is None:
            found = self._peers[peers] = self._any_of(peers)
        return found

    def _any_of(self, peers: tuple[Peer, ...]) -> Matched:
        must, may, blocks, selected = BitMap(), BitMap(), BitMap(), BitMap()
        for peer in peers:
            matched = self.peer(peer)
            if len(peers) == 1:
                return matched
            must |= matched.must
            may |= matched.may
            blocks |= matched.blocks
            selected |= matched.must - matched.blocks
        return Matched(must, may - must, blocks - selected)

    def peer(self, peer: Peer) -> Matched:
        """Return the units that one peer matches."""
        match = peer.match
        if isinstance(match, PodsMatch):
            return Matched(self._pods.select(match), self._nobody, self._nobody)
        if isinstance(match, AnyMatch):
            return Matched(self.everybody, self._nobody, self._nobody)
        if isinstance(match, BlockMatch):
            return self.block(match)
        if isinstance(match, NodesMatch):
            return self._nodes(match)
        if isinstance(match, UnknownMatch):
            return Matched(self._nobody, self.everybody, self._nobody)
        return Matched(self._nobody, self._nobody, self._nobody)

    def _nodes(self, match: NodesMatch) -> Matched:
        kinds = self.table.kinds
        must, may = BitMap(), BitMap()
        for number in kinds[UnitKind.NODE] | kinds[UnitKind.HOST]:
            node = self.world.nodes.get(self.table.units[number].node or "")
            if node is None or node.span is None:
                # Nobody read this node's labels.
                (may if match.nodes else must).add(number)
            elif match.nodes.matches(node.labels):
                must.add(number)
        return Matched(must, may, self._nobody)

    def block(self, match: BlockMatch) -> Matched:
        """Return the units whose address lies in a block."""
        found = self._blocks.get(match)
        if found is None:
            found = self._blocks[match] = self._in_block(match)
        return found

    def _in_block(self, match: BlockMatch) -> Matched:
        inside, may = BitMap(), BitMap()
        for low, high in match.addresses.spans:
            first = bisect_left(self._placed.starts, low)
            last = bisect_right(self._placed.starts, high)
            inside |= BitMap(self._placed.numbers[first:last])
        for place, numbers in self._placed.somewhere.items():
            if place <= match.addresses:
                inside |= numbers
            elif not place.isdisjoint(match.addresses):
                may |= numbers
        # An end of unknown address is taken to be outside every block but a whole family,
        # holes included: that is the published rule, and answers carry a caveat.
        if match.whole:
            inside |= self._placed.nowhere
        must = self.table.external_range(match.addresses) | inside
        return Matched(must, may - must, inside | may)


_SCTP = TrafficSet.protocol("SCTP")


def _ambiguous(rule: Rule, traffic: TrafficSet) -> frozenset[Caveat]:
    """Return the caveat of names that one end gives to several ports."""
    several = traffic.size() > len(rule.traffic.named)
    return frozenset({NAMED_PORT_AMBIGUOUS}) if several else frozenset()


@dataclass(frozen=True, slots=True)
class _Placed:
    """Units that blocks can match, by what is known of their address.

    Args:
        starts: First address of the atom of each unit in `numbers`, ascending.
        numbers: Units in one known atom.
        somewhere: Units known only to lie in a range.
        nowhere: Units of which nothing is known.
    """

    starts: list[int]
    numbers: list[int]
    somewhere: dict[AddressSet, BitMap]
    nowhere: BitMap


def _by_address(table: UnitTable, profile: Profile) -> _Placed:
    blind = {UnitKind.EXTERNAL}
    if not profile.block_matches_pods:
        blind.add(UnitKind.POD)
    if not profile.block_matches_nodes:
        blind |= {UnitKind.NODE, UnitKind.HOST}
    known: list[tuple[int, int]] = []
    somewhere: dict[AddressSet, BitMap] = defaultdict(BitMap)
    nowhere = BitMap()
    for number, unit in enumerate(table.units):
        if unit.kind in blind:
            continue
        if unit.addresses is None:
            nowhere.add(number)
        elif unit.exact:
            known.append((unit.addresses.spans[0][0], number))
        else:
            somewhere[unit.addresses].add(number)
    known.sort()
    return _Placed([s for s, _ in known], [n for _, n in known], dict(somewhere), nowhere)
