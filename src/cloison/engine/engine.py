"""The engine's face: a world, its policies, and every answer about a pair of units."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from cloison.algebra.bitmaps import BitMap
from cloison.engine.bind import Binder, Ports
from cloison.engine.decide import (
    UNRELATED,
    Decision,
    Folder,
    Piece,
    Relations,
    builtin_matches,
    order_policies,
    partition,
)
from cloison.engine.reach import Rectangle, Side, rectangles
from cloison.engine.units import Networks, UnitKind, UnitTable, build_units
from cloison.ir.policy import (
    BlockMatch,
    Direction,
    Mode,
    Peer,
    Policy,
    PolicySet,
    Relative,
    RelativeMatch,
    Rule,
)
from cloison.ir.profile import Profile
from cloison.ir.ruleset import OPEN, BoundRule, Outcome
from cloison.resources.world import World


@dataclass(frozen=True, slots=True)
class Point:
    """What one enforcement point does with one peer.

    Args:
        direction: Seen from the subject.
        subject: The unit whose policies are asked.
        peer: The other end.
        outcome: What becomes of their traffic.
        decision: The subject's decision; None where no policy applies to such an end.
        piece: The piece of the decision that holds the peer.
        builtin: The built-in rule that holds because of how the ends are related.
        builtin_sure: Whether it certainly holds.
    """

    direction: Direction
    subject: int
    peer: int
    outcome: Outcome
    decision: Decision | None = None
    piece: Piece | None = None
    builtin: Rule | None = None
    builtin_sure: bool = False


@dataclass
class Engine:
    """Policies bound to a world. Everything is computed when first asked, then kept.

    Args:
        world: The inventory.
        policies: Declared policies and their layers.
        profile: Who enforces.
        networks: Address ranges of the cluster, as far as known.
    """

    world: World
    policies: PolicySet
    profile: Profile
    networks: Networks = field(default_factory=Networks)

    def __post_init__(self) -> None:
        """Bind the policies; decisions are folded later, when somebody asks."""
        enforced = tuple(p for p in self.policies.policies if p.mode is Mode.ENFORCED)
        layers = self.policies.layers
        self.ordered: tuple[Policy, ...] = (
            order_policies(enforced, layers) if self.profile.enforces else ()
        )
        self.table: UnitTable = build_units(self.world, self.ordered, self.profile, self.networks)
        self.binder = Binder(self.world, self.table, self.profile)
        self._folder = Folder(layers, self.binder.everybody)
        self._builtin = {
            d: tuple(
                r
                for la in layers
                for r in la.builtin
                if r.direction is d and any(isinstance(p.match, RelativeMatch) for p in r.peers)
            )
            for d in Direction
        }
        self._selecting = {d: self._signatures(d) for d in Direction}
        self._decisions: dict[tuple[object, ...], Decision] = {}
        self._open = {d: self._folder.fold(d, (), ()) for d in Direction}

    @cached_property
    def holders(self) -> dict[int, tuple[int, ...]]:
        """Endpoints by address, pods on their node's network left out: theirs are the node's."""
        found: dict[int, list[int]] = defaultdict(list)
        for index, endpoint in enumerate(self.table.endpoints):
            if not endpoint.shape.host_network:
                for point in endpoint.addresses:
                    found[point].append(index)
        return {point: tuple(held) for point, held in found.items()}

    @cached_property
    def node_addresses(self) -> dict[int, str]:
        """Names of nodes by address."""
        return {p: n.name for n in self.world.nodes.values() for p in n.addresses}

    def _signatures(self, direction: Direction) -> dict[int, tuple[int, ...]]:
        """Return, for each selected unit, the policies that govern it, as places in `ordered`."""
        found: dict[int, list[int]] = defaultdict(list)
        for index, policy in enumerate(self.ordered):
            if direction in policy.isolates or policy.rules_for(direction):
                for unit in self.binder.subject(policy):
                    found[unit].append(index)
        return {unit: tuple(indices) for unit, indices in found.items()}

    def decision(self, unit: int, direction: Direction) -> Decision:
        """Return what a unit's policies do with every peer in one direction."""
        signature = self._selecting[direction].get(unit)
        if signature is None:
            return self._open[direction]
        ports = self._ports(unit, direction, signature)
        key = (direction, signature, ports)
        found = self._decisions.get(key)
        if found is None:
            policies = tuple(self.ordered[i] for i in signature)
            rules = [r for p in policies for r in self.binder.rules(p, direction, ports)]
            found = self._decisions[key] = self._folder.fold(direction, policies, rules)
        return found

    def alike(self, units: Iterable[int]) -> list[int]:
        """Return one unit, the first, of each class that no policy of either end tells apart.

        Pods on a node's network stay apart: how they stand to others is not in their unit.
        """
        found: dict[object, int] = {}
        for number in units:
            unit = self.table.units[number]
            one = number if unit.kind is not UnitKind.POD else None
            selecting = tuple(self._selecting[d].get(number) for d in Direction)
            key = (one, unit.family, unit.exact, unit.ports, selecting, self._matching[number])
            found.setdefault(key, number)
        return list(found.values())

    @cached_property
    def _matching(self) -> dict[int, int]:
        """Number, for each unit, the set of rules that match it as a peer."""
        every = [r for d in Direction for p in self.ordered for r in self.binder.rules(p, d, ())]
        groups = partition(every, self.binder.everybody)
        return {unit: number for number, (_, members) in enumerate(groups) for unit in members}

    def judge(
        self,
        direction: Direction,
        policies: tuple[Policy, ...],
        matched: tuple[tuple[BoundRule, bool], ...],
    ) -> Outcome:
        """Return what becomes of all traffic between a subject and a peer, not of this world.

        Args:
            direction: The subject's direction.
            policies: The policies that select the subject and govern the direction, in order.
            matched: Their rules that match the peer, each with whether it certainly does, in
                order. They are the binder's own, which lives as long as the engine.
        """
        isolating = tuple(p for p in policies if direction in p.isolates)
        return self._folder.outcome(direction, policies, isolating, matched)

    def _ports(self, unit: int, direction: Direction, signature: tuple[int, ...]) -> Ports:
        """Return the unit's declared ports if any of its policies looks a name up in them."""
        ports = self.table.units[unit].ports
        if not ports:
            return ()
        for index in signature:
            for rule in self.ordered[index].rules_for(direction):
                if rule.traffic.named and (direction is Direction.INGRESS or _to_self(rule)):
                    return ports
        return ()

    def point(
        self,
        subject: int,
        peer: int,
        direction: Direction,
        relations: Relations = UNRELATED,
        family: int | None = None,
    ) -> Point:
        """Return what the subject's enforcement point does with one peer.

        Args:
            subject: Unit whose policies are asked. Only pods have any.
            peer: The other end's unit.
            direction: The subject's direction.
            relations: How the peer stands to the subject.
            family: The flow's address family, where it is known and the peer's is not.
        """
        if self.table.units[subject].kind is not UnitKind.POD:
            return Point(direction, subject, peer, OPEN)
        decision = self.decision(subject, direction)
        piece = decision.piece(peer)
        if family is not None and self.table.units[peer].family == 0:
            piece = self._of_family(decision, piece, peer, family)
        if relations == UNRELATED:
            return Point(direction, subject, peer, piece.outcome, decision, piece)
        piece = self._related(decision, piece, relations)
        for rule in self._builtin[direction]:
            sure = builtin_matches(rule, relations)
            if sure is not None:
                return Point(direction, subject, peer, piece.outcome, decision, piece, rule, sure)
        return Point(direction, subject, peer, piece.outcome, decision, piece)

    def _of_family(self, decision: Decision, piece: Piece, peer: int, family: int) -> Piece:
        """Look again at rules that match a peer of unknown address by its address only."""
        rules = []
        for bound, sure in piece.rules:
            if bound.blocks is None or peer not in bound.blocks:
                rules.append((bound, sure))
                continue
            found = {self._holds(p, peer, family) for p in bound.rule.peers}
            if found != {None}:
                rules.append((bound, True in found))
        matched = tuple(rules)
        if matched == piece.rules:
            return piece
        outcome = self._folder.outcome(
            decision.direction, decision.policies, decision.isolating, matched
        )
        return Piece(piece.peers, matched, outcome)

    def _holds(self, declared: Peer, peer: int, family: int) -> bool | None:
        """Return whether a declared peer surely (True) or possibly (False) matches in a family."""
        match = declared.match
        if isinstance(match, BlockMatch):
            return True if match.whole and match.family == family else None
        found = self.binder.peer(declared)
        if peer in found.must:
            return True
        return False if peer in found.may else None

    def _related(self, decision: Decision, piece: Piece, relations: Relations) -> Piece:
        """Return a peer's piece with the rules that match it because of how it stands."""
        matched = {id(rule): sure for rule, sure in piece.rules}
        for rule in decision.rules:
            if rule.relations & relations.sure:
                matched[id(rule)] = True
            elif rule.relations & relations.maybe:
                matched.setdefault(id(rule), False)
        rules = tuple((r, matched[id(r)]) for r in decision.rules if id(r) in matched)
        outcome = self._folder.outcome(
            decision.direction, decision.policies, decision.isolating, rules, relations
        )
        return Piece(piece.peers, rules, outcome)

    def outcome(
        self,
        source: int,
        destination: int,
        out_of: Relations = UNRELATED,
        into: Relations = UNRELATED,
        family: int | None = None,
    ) -> Outcome:
        """Return what becomes of all traffic from one unit to another.

        Args:
            source: Unit that connects.
            destination: Unit that listens.
            out_of: How the destination stands to the source.
            into: How the source stands to the destination.
            family: The flow's address family, where it is known.
        """
        leaving = self.point(source, destination, Direction.EGRESS, out_of, family)
        entering = self.point(destination, source, Direction.INGRESS, into, family)
        return leaving.outcome.meet(entering.outcome)

    def side(self, direction: Direction) -> Side:
        """Return every unit grouped by its decision in one direction."""
        by_decision: dict[int, tuple[Decision, list[int]]] = {}
        selecting = self._selecting[direction]
        for unit in selecting:
            decision = self.decision(unit, direction)
            by_decision.setdefault(id(decision), (decision, []))[1].append(unit)
        groups = [(decision, BitMap(units)) for decision, units in by_decision.values()]
        rest = self.binder.everybody - BitMap(list(selecting))
        pods = rest & self.table.kinds[UnitKind.POD]
        if pods:
            groups.append((self._open[direction], pods))
        if rest - pods:
            free = Decision(direction, (), (), (), (Piece(self.binder.everybody, (), OPEN),))
            groups.append((free, rest - pods))
        return Side.of(groups, len(self.table.units))

    def rectangles(self) -> Iterator[Rectangle]:
        """Iterate over everything that passes or may pass, as products of unit sets.

        Every pair of units that share a family occurs in exactly one rectangle, if anything
        passes between them and not both are outside the cluster. Relations are left out:
        what an end does with itself or its own node is not in here.
        """
        egress, ingress = self.side(Direction.EGRESS), self.side(Direction.INGRESS)
        outside = self.table.kinds[UnitKind.EXTERNAL]
        six = self.table.families[6] - self.table.families[4]
        yield from rectangles(egress, ingress, self.table.families[4], outside)
        yield from rectangles(egress, ingress, self.table.families[6], outside, fresh=six)
        # What policy permits a pod of one family towards addresses of the other is told too.
        for family, other in ((4, 6), (6, 4)):
            beyond = outside & (self.table.families[other] - self.table.families[family])
            lone = self.table.single[family]
            if lone:
                yield from rectangles(egress, ingress, lone | beyond, outside, fresh=beyond)


def _to_self(rule: Rule) -> bool:
    """Whether a rule is also about the subject's traffic with itself."""
    return any(
        isinstance(p.match, RelativeMatch) and p.match.relation is Relative.SELF for p in rule.peers
    )
