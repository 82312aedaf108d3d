"""The engine's face: a world, its policies, and every answer about a pair of units."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from cloison.algebra import TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.engine.addressbook import AddressBook
from cloison.engine.bind import Binder, Hold, Ports
from cloison.engine.decide import Decision, Folder, Piece, Terms, order_policies
from cloison.engine.evaluate import builtin_matches
from cloison.engine.partition import partition
from cloison.engine.reach import Rectangle, Side, rectangles
from cloison.engine.related import UNRELATED, Relations
from cloison.engine.steps import Step
from cloison.engine.units import Networks, UnitKind, UnitTable, build_units
from cloison.ir.policy import (
    BlockMatch,
    Direction,
    GroupsMatch,
    Mode,
    Policy,
    PolicySet,
    RelativeMatch,
    Rule,
    plain_matches,
)
from cloison.ir.profile import Profile
from cloison.ir.ruleset import OPEN, BoundRule, Outcome
from cloison.resources.world import World

_MANY = 8
"""Many share a policy that selects one in so many of all that policies select."""


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
        relations: How the ends are related.
    """

    direction: Direction
    subject: int
    peer: int
    outcome: Outcome
    decision: Decision | None = None
    piece: Piece | None = None
    builtin: Rule | None = None
    builtin_sure: bool = False
    relations: Relations = UNRELATED


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
        book = AddressBook(self.policies.groups, self.networks.names)
        self.table: UnitTable = build_units(
            self.world, self.ordered, self.profile, self.networks, book
        )
        self.binder = Binder(self.world, self.table, self.profile, book)
        self._folder = Folder(layers, self.binder.everybody, self.ordered)
        self._builtin = {
            d: tuple(
                r
                for la in layers
                for r in la.builtin
                if r.direction is d and any(isinstance(p.match, RelativeMatch) for p in r.peers)
            )
            for d in Direction
        }
        self._ending = {t.name for la in layers for t in la.tiers if t.ends_both}
        self.governed: BitMap = self._governed()
        """Units that policies are asked about."""
        self._holds: dict[Direction, list[Hold]] = {}
        self._held: dict[tuple[Direction, Ports], dict[int, tuple[BoundRule, ...]]] = {}
        self._shared: dict[Direction, frozenset[int]] = {}
        self._selecting = {d: self._signatures(d) for d in Direction}
        self._decisions: dict[tuple[object, ...], Decision] = {}
        self._of_unit: dict[Direction, dict[int, Decision]] = {d: {} for d in Direction}
        # Of their own for what is on a node's network: others stand to it in other ways.
        self._open = {
            (d, hosted, optional): self._folder.fold(Terms(d, optional=optional), ())
            for d in Direction
            for hosted, optional in ((False, False), (True, False), (True, True))
        }

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

    def _governed(self) -> BitMap:
        """Pods, and what is on the network of a node that a policy names."""
        kinds = self.table.kinds
        found = kinds[UnitKind.POD].copy()
        for policy in self.ordered:
            if policy.nodes:
                found |= self.binder.subject(policy)
        return found

    def governing(self, direction: Direction) -> tuple[Policy, ...]:
        """Return the policies with a say in one direction of whom they select, in order.

        Those whose tier ends that direction only because they isolate the other are among them.
        """
        return tuple(p for p in self.ordered if _speaks(p, direction) or self._closes(p, direction))

    def _closes(self, policy: Policy, direction: Direction) -> bool:
        """Whether a policy ends a direction that it does not isolate."""
        isolates = policy.isolates
        return policy.tier in self._ending and bool(isolates) and direction not in isolates

    def _signatures(self, direction: Direction) -> dict[int, tuple[int, ...]]:
        """Return, for each selected unit, how policies stand to it, as places in `_holds`."""
        found: dict[int, list[int]] = defaultdict(list)
        holds = self._holds[direction] = []
        sizes: list[int] = []
        for policy in self.governing(direction):
            for hold, units in self.binder.holds(policy, direction):
                for unit in units:
                    found[unit].append(len(holds))
                holds.append(hold)
                sizes.append(len(units))
        self._shared[direction] = frozenset(
            place for place, size in enumerate(sizes) if size * _MANY >= len(found)
        )
        return {unit: tuple(indices) for unit, indices in found.items()}

    def decision(self, unit: int, direction: Direction) -> Decision:
        """Return what a unit's policies do with every peer in one direction."""
        found = self._of_unit[direction].get(unit)
        if found is None:
            found = self._of_unit[direction][unit] = self._decide(unit, direction)
        return found

    def _decide(self, unit: int, direction: Direction) -> Decision:
        """Return the decision of a unit, shared by those that the same policies govern."""
        signature = self._selecting[direction].get(unit)
        optional = self._optional(unit)
        if signature is None:
            hosted = self.table.units[unit].kind is not UnitKind.POD
            return self._open[direction, hosted, optional]
        holds = [self._holds[direction][place] for place in signature]
        ports = self._ports(unit, holds)
        key = (direction, signature, ports, optional)
        found = self._decisions.get(key)
        if found is None:
            terms = self._terms(
                direction,
                tuple(h.policy for h in holds),
                tuple(h.policy for h in holds if not h.sure),
                optional=optional,
            )
            rules, shared = self._bound(direction, signature, ports)
            found = self._decisions[key] = self._folder.fold(terms, rules, shared)
        return found

    def _bound(
        self, direction: Direction, signature: tuple[int, ...], ports: Ports
    ) -> tuple[list[BoundRule], list[int]]:
        """Return the bound rules of a signature, and the places of those that many share."""
        known = self._held.setdefault((direction, ports), {})
        many = self._shared[direction]
        rules: list[BoundRule] = []
        shared: list[int] = []
        for place in signature:
            held = known.get(place)
            if held is None:
                held = known[place] = self.binder.held(self._holds[direction][place], ports)
            if place in many:
                shared += range(len(rules), len(rules) + len(held))
            rules += held
        return rules, shared

    def _terms(
        self,
        direction: Direction,
        policies: tuple[Policy, ...],
        unsure: tuple[Policy, ...] = (),
        *,
        optional: bool = False,
    ) -> Terms:
        """Return what the policies that have a say in a direction come to."""
        isolating = tuple(p for p in policies if direction in p.isolates)
        closing: tuple[Policy, ...] = ()
        if self._ending:
            closing = tuple(p for p in policies if self._closes(p, direction))
            policies = tuple(
                p for p in policies if not self._closes(p, direction) or _speaks(p, direction)
            )
        return Terms(direction, policies, isolating, closing, unsure, optional)

    def _optional(self, unit: int) -> bool:
        """Whether a governed unit may be one that no policy is about: on what node, is unknown."""
        found = self.table.units[unit]
        return found.kind is UnitKind.HOST and found.node is None

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
        relations: Relations = UNRELATED,
        unsure: tuple[Policy, ...] = (),
    ) -> Outcome:
        """Return what becomes of all traffic between a subject and a peer, not of this world.

        Args:
            direction: The subject's direction.
            policies: The policies that select the subject and have a say in the direction (see
                `governing`), in order.
            matched: Their rules that match the peer, each with whether it certainly does, in
                order. They are the binder's own, which lives as long as the engine.
            relations: How the peer stands to the subject.
            unsure: Those of the policies that may not select the subject.
        """
        return self._folder.outcome(self._terms(direction, policies, unsure), matched, relations)

    def _ports(self, unit: int, holds: list[Hold]) -> Ports:
        """Return the unit's declared ports if any of its policies looks a name up in them."""
        found = self.table.units[unit]
        if found.kind is not UnitKind.POD:
            return None
        inward = (h.policy for h in holds if h.direction is Direction.INGRESS)
        if found.ports and any(
            rule.traffic.named or rule.traffic.excepted
            for policy in inward
            for rule in policy.rules_for(Direction.INGRESS)
        ):
            return found.ports
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
            subject: Unit whose policies are asked; they are none where it is not `governed`.
            peer: The other end's unit.
            direction: The subject's direction.
            relations: How the peer stands to the subject.
            family: The flow's address family, where it is known and the peer's is not.
        """
        if subject not in self.governed:
            return Point(direction, subject, peer, OPEN)
        decision = self.decision(subject, direction)
        piece = decision.piece(peer)
        units = self.table.units
        if relations is not UNRELATED:
            relations = relations.between(units[subject].kind, units[peer].kind)
        if family is not None and 0 not in (units[subject].family, units[peer].family):
            family = None
        if family is not None or relations is not UNRELATED:
            piece = self._again(decision, piece, (subject, peer), relations, family)
        if relations is UNRELATED:
            return Point(direction, subject, peer, piece.outcome, decision, piece)
        for rule in self._builtin[direction]:
            sure = builtin_matches(rule, relations)
            if sure is not None:
                return Point(
                    direction, subject, peer, piece.outcome, decision, piece, rule, sure, relations
                )
        return Point(direction, subject, peer, piece.outcome, decision, piece, relations=relations)

    def steps(self, point: Point) -> tuple[tuple[Outcome, tuple[Step, ...]], ...]:
        """Return, for each layer, what an enforcement point makes of all traffic, and how.

        Empty where no policy applies to such an end.
        """
        if point.decision is None or point.piece is None:
            return ()
        return self._folder.steps(point.decision.terms, point.piece.rules, point.relations)

    def ties(self, point: Point) -> tuple[tuple[Policy, TrafficSet], ...]:
        """Return the policies of an enforcement point that conflict and stand in no order.

        Each comes with the traffic that another policy of equal order would treat differently.
        """
        if point.decision is None or point.piece is None:
            return ()
        return self._folder.ties(point.decision.terms, point.piece.rules, point.relations)

    def _again(
        self,
        decision: Decision,
        piece: Piece,
        ends: tuple[int, int],
        relations: Relations,
        family: int | None,
    ) -> Piece:
        """Look again at rules that match because of the flow's family or how its ends stand.

        Args:
            decision: The subject's decision.
            piece: The piece of it that holds the peer.
            ends: The subject and the peer.
            relations: How the peer stands to the subject.
            family: The flow's family; None where the units say as much.
        """
        unsure = {id(policy) for policy in decision.terms.unsure}
        matched = {id(rule): sure for rule, sure in piece.rules}
        for bound in decision.rules:
            related = bound.relations and relations is not UNRELATED
            if not related and (family is None or not self._floats(bound, *ends)):
                continue
            sure = self.binder.matches(bound, *ends, relations, family)
            if sure is None:
                matched.pop(id(bound), None)
            else:
                matched[id(bound)] = sure and id(bound.policy) not in unsure
        rules = tuple((r, matched[id(r)]) for r in decision.rules if id(r) in matched)
        if rules == piece.rules and relations is UNRELATED:
            return piece
        return Piece(piece.peers, rules, self._folder.outcome(decision.terms, rules, relations))

    def _floats(self, bound: BoundRule, subject: int, peer: int) -> bool:
        """Whether a rule may match by an address that nobody knows."""
        units = self.table.units
        if bound.blocks is not None and peer in bound.blocks and units[peer].family == 0:
            return True
        return (
            units[subject].family == 0
            and bound.rule.subjects is not None
            and any(
                isinstance(match, BlockMatch | GroupsMatch)
                for each in bound.rule.subjects
                for match in plain_matches(each)
            )
        )

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
        rest = self.binder.everybody - BitMap(list(selecting))
        bare = rest & self.governed
        pods = bare & self.table.kinds[UnitKind.POD]
        for unit in (*selecting, *(bare - pods)):
            decision = self.decision(unit, direction)
            by_decision.setdefault(id(decision), (decision, []))[1].append(unit)
        groups = [(decision, BitMap(units)) for decision, units in by_decision.values()]
        if pods:
            groups.append((self._open[direction, False, False], pods))
        if rest - bare:
            free = Decision(Terms(direction), (), (Piece(self.binder.everybody, (), OPEN),))
            groups.append((free, rest - bare))
        return Side(groups, len(self.table.units))

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


def _speaks(policy: Policy, direction: Direction) -> bool:
    """Whether a policy governs a direction of whom it selects."""
    return direction in policy.isolates or bool(policy.rules_for(direction))
