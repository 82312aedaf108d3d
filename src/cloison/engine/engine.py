"""The engine's face: a world, its policies, and every answer about a pair of units."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import InitVar, dataclass, field, replace
from functools import cached_property

from cloison.algebra import TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.base import unhurried
from cloison.engine.addressbook import AddressBook
from cloison.engine.again import Again
from cloison.engine.bind import Binder, Hold, Ports
from cloison.engine.changes import place_of, replaced, speaks
from cloison.engine.decide import Decision, Free, Piece, Terms, ranked
from cloison.engine.evaluate import builtin_matches
from cloison.engine.fold import Folder
from cloison.engine.hosts import NO_HOSTS, Hosts, mentioned, with_hosts
from cloison.engine.memo import Memo
from cloison.engine.naming import Naming
from cloison.engine.partition import partition
from cloison.engine.places import Places
from cloison.engine.point import Point
from cloison.engine.reach import Rectangle, Side, rectangles
from cloison.engine.related import UNRELATED, Relations
from cloison.engine.selection import Homes, Selection, Signature
from cloison.engine.sides import Sides
from cloison.engine.steps import Step
from cloison.engine.units import Networks, UnitKind, UnitTable, build_units
from cloison.engine.vocabulary import Vocabulary
from cloison.ir.names import NamePattern
from cloison.ir.peers import RelativeMatch
from cloison.ir.policy import ANY_NODE, Direction, Mode, Policy, PolicyId, PolicySet
from cloison.ir.profile import Profile
from cloison.ir.ruleset import OPEN, BoundRule, Outcome
from cloison.resources.world import World


@dataclass
class Engine(Places, Memo):
    """Policies bound to a world. Everything is computed when first asked, then kept.

    Args:
        world: The inventory.
        policies: Declared policies and their layers.
        profile: Who enforces.
        networks: Address ranges of the cluster, as far as known.
        units: Its units, by somebody who has sorted them already.
    """

    world: World
    policies: PolicySet
    profile: Profile
    networks: Networks = field(default_factory=Networks)

    units: InitVar[UnitTable | None] = None

    def __post_init__(self, units: UnitTable | None) -> None:
        """Bind the policies; decisions are folded later, when somebody asks."""
        layers = self.policies.layers
        self._rank = ranked(layers)
        enforced = [p for p in self.policies.policies if self._enforces(p)]
        self.ordered: tuple[Policy, ...] = tuple(sorted(enforced, key=self._rank))
        named = self.networks
        book = AddressBook(self.policies.groups, named.names, complete=named.complete)
        self.table: UnitTable = units or build_units(
            self.world, self.ordered, self.profile, named, book
        )
        self.hosts: Hosts = NO_HOSTS
        self._naming = Naming(self)
        self._derived = {}
        self.binder = Binder(self.world, self.table, self.profile, book)
        asked = self.policies.request
        self._folder = Folder(layers, self.binder.everybody, self.ordered, asked)
        self._sides = Sides(layers)
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
        self.governed: BitMap = self.asked_about()
        """Units that policies are asked about."""
        homes = Homes(self.ordered, self._rank)
        self._selection = Selection(self.binder, self.ordered, homes, self._has_a_say)
        self._decisions: dict[tuple[Direction, Signature], dict[tuple[Ports, bool], Decision]] = {}
        self._of_unit: dict[Direction, dict[int, Decision]] = {d: {} for d in Direction}
        # Of their own for what is on a node's network: others stand to it in other ways.
        self._open = {
            (d, hosted, optional): self._folder.fold(Terms(d, optional=optional), ())
            for d in Direction
            for hosted, optional in ((False, False), (True, False), (True, True))
        }

    def _enforces(self, policy: Policy) -> bool:
        return self.profile.enforces and policy.mode is Mode.ENFORCED

    @cached_property
    def mentioned(self) -> tuple[NamePattern, ...]:
        """The names that rules mention, sorted."""
        return mentioned(self.ordered)

    def with_hosts(self, asked: Iterable[NamePattern] = ()) -> "Engine":
        """Return an engine that has units of names: those of rules, and others.

        Only names are in there of which not every address is known. All other units have the
        numbers that they have here, and all answers about them are the same.

        Args:
            asked: Names that somebody asks about.
        """
        plain, naming = self._naming.plain, self._naming
        known = naming.named or plain
        book = plain.binder.matcher.book
        wanted = [n for n in asked if not book.knows(n) and known.hosts.of(n) is None]
        if not wanted and (naming.named is not None or not plain.mentioned):
            return known
        naming.asked += tuple(wanted)
        table, hosts = with_hosts(plain.table, book, plain.mentioned, naming.asked)
        other = Engine(plain.world, plain.policies, plain.profile, plain.networks, table)
        vars(other).update(hosts=hosts, _naming=naming)
        naming.named = other
        return other

    def with_policy(self, policy: Policy) -> "Engine":
        """Return an engine with a policy in place of the one of its name, or besides the others.

        Its answers are those of an engine made anew. It shares what the change does not touch:
        only the new policy is bound, and only what governs the units that it or the old one
        selects is decided again. A policy that tells units apart which were one before (by labels,
        addresses, names of ports that no other one mentions) has everything made anew.
        """
        return self.changed({policy.id: policy})

    def without(self, policy: PolicyId) -> "Engine":
        """Return an engine without the policies of a name, as `with_policy` does."""
        return self.changed({policy: None})

    def changed(self, changes: Mapping[PolicyId, Policy | None]) -> "Engine":
        """Return an engine with several policies changed at once, as by `with_policy`.

        Args:
            changes: Policies by their names; None for one that goes.
        """
        if self.hosts is not NO_HOSTS:
            return self._naming.plain.changed(changes).with_hosts(self._naming.asked)
        every, named = self.policies.policies, self._named.copy()
        old: list[Policy] = []
        for name, policy in changes.items():
            gone = named.pop(name, ())
            old += (each for each in gone if self._enforces(each))
            for place, each in enumerate(gone):
                put = () if place or policy is None else (policy,)
                every = replaced(every, place_of(every, each, 0), put)
            if policy is not None:
                named[name] = (policy,)
                every = every if gone else (*every, policy)
        policies = replace(self.policies, policies=every)
        new = [each for each in changes.values() if each is not None and self._enforces(each)]
        if not self.table.vocabulary.holds(Vocabulary.of(new, self.binder.matcher.book)):
            return Engine(self.world, policies, self.profile, self.networks)
        ordered = self.ordered
        for each in old:
            near = bisect_left(ordered, self._rank(each), key=self._rank)
            ordered = replaced(ordered, place_of(ordered, each, near), ())
        for each in new:
            at = bisect_right(ordered, self._rank(each), key=self._rank)
            ordered = (*ordered[:at], each, *ordered[at:])
        binder = self.binder.without(old)
        without = set(map(id, old))
        other = copy(self)
        vars(other).pop("_matching", None)
        vars(other).pop("mentioned", None)
        vars(other).update(
            _naming=Naming(other),
            _derived={},
            policies=policies,
            ordered=ordered,
            binder=binder,
            _named=named,
            _selection=self._selection.changed(binder, ordered, old, new),
            _folder=self._folder.among(old, new),
            _decisions={
                key: found
                for key, found in self._decisions.items()
                if not any(id(hold.policy) in without for hold in key[1])
            },
            _of_unit={d: {} for d in Direction},
        )
        if any(each.nodes for each in (*old, *new)):
            other.governed = other.asked_about()
        return other

    @cached_property
    def _named(self) -> dict[PolicyId, tuple[Policy, ...]]:
        """Policies by name."""
        found: dict[PolicyId, tuple[Policy, ...]] = {}
        for policy in self.policies.policies:
            found[policy.id] = (*found.get(policy.id, ()), policy)
        return found

    def asked_about(self) -> BitMap:
        """Return pods, and what is on the network of a node that a policy names."""
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
        return tuple(p for p in self.ordered if self._has_a_say(p, direction))

    def naming(self, namespace: str) -> Sequence[Policy]:
        """Return the policies with a subject that names a namespace, in order."""
        return self._selection.homes.naming(namespace)

    def _has_a_say(self, policy: Policy, direction: Direction) -> bool:
        return speaks(policy, direction) or self._closes(policy, direction)

    def _closes(self, policy: Policy, direction: Direction) -> bool:
        """Whether a policy ends a direction that it does not isolate."""
        isolates = policy.isolates
        return policy.tier in self._ending and bool(isolates) and direction not in isolates

    def decision(self, unit: int, direction: Direction) -> Decision:
        """Return what a unit's policies do with every peer in one direction."""
        found = self._of_unit[direction].get(unit)
        if found is None:
            found = self._of_unit[direction][unit] = self._decide(unit, direction)
        return found

    def _decide(self, unit: int, direction: Direction) -> Decision:
        """Return the decision of a unit, shared by those that the same policies govern."""
        signature = self._selection.of(unit, direction)
        optional = self._optional(unit)
        if signature is None:
            hosted = self.table.units[unit].kind is not UnitKind.POD
            return self._open[direction, hosted, optional]
        ports = self._ports(unit, signature)
        alike = self._decisions.setdefault((direction, signature), {})
        found = alike.get((ports, optional))
        if found is None:
            terms = self._held_by(direction, signature, optional=optional)
            rules, shared = self._bound(signature, ports)
            found = alike[ports, optional] = self._folder.fold(terms, rules, shared)
        return found

    def told(self, direction: Direction) -> Iterator[tuple[BitMap, Terms, tuple[BoundRule, ...]]]:
        """Iterate over units that policies are about, those that the same ones govern together.

        Each comes with who has a say and what their rules are. Nothing of that is evaluated.
        """
        groups: dict[tuple[Signature, Ports, bool], list[int]] = defaultdict(list)
        for unit, signature in self._selection.all(direction).items():
            ports = self._ports(unit, signature)
            groups[signature, ports, self._optional(unit)].append(unit)
        for (signature, ports, optional), units in groups.items():
            rules, _ = self._bound(signature, ports)
            terms = self._held_by(direction, signature, optional=optional)
            yield BitMap(units), terms, tuple(rules)

    def _held_by(self, direction: Direction, holds: Sequence[Hold], *, optional: bool) -> Terms:
        """Return who has a say in a direction of a unit, by how policies stand to it."""
        unsure = tuple(h.policy for h in holds if not h.sure)
        return self._terms(direction, tuple(h.policy for h in holds), unsure, optional=optional)

    def _bound(self, signature: Signature, ports: Ports) -> tuple[list[BoundRule], list[int]]:
        """Return the bound rules of a signature, and the places of those that many share."""
        rules: list[BoundRule] = []
        shared: list[int] = []
        for hold in signature:
            held = self.binder.held(hold, ports)
            if hold.many:
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
                p for p in policies if not self._closes(p, direction) or speaks(p, direction)
            )
        return Terms(direction, policies, isolating, closing, unsure, optional)

    def _optional(self, unit: int) -> bool:
        """Whether a governed unit may be one that no policy is about: on what node, is unknown."""
        found = self.table.units[unit]
        if found.kind is not UnitKind.HOST or found.node is not None:
            return False
        everywhere = (policy for policy in self.ordered if ANY_NODE in policy.nodes)
        return not any(unit in self.binder.subjects(policy).must for policy in everywhere)

    def alike(self, units: Iterable[int], *, apart: bool = True) -> list[int]:
        """Return one unit, the first, of each class that no policy of either end tells apart.

        Nodes and pods on a node's network stay apart, as how they stand to others is not in their
        unit; unless that is not asked.

        Args:
            units: The units.
            apart: Whether those stay apart.
        """
        found: dict[object, int] = {}
        for number in units:
            found.setdefault(self.likeness(number, apart=apart), number)
        return list(found.values())

    def likeness(self, number: int, *, apart: bool = True) -> object:
        """Return what is equal for units that no policy of either end tells apart."""
        unit = self.table.units[number]
        one = number if apart and unit.kind is not UnitKind.POD else None
        selecting = tuple(self._selection.of(number, d) for d in Direction)
        return (one, unit.family, unit.exact, unit.ports, selecting, self._matching[number])

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

    def _ports(self, unit: int, holds: Signature) -> Ports:
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
            again = Again(self.binder, units, self._folder, self._sides)
            piece = again.piece(decision, piece, (subject, peer), relations, family)
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
        with unhurried():
            return self._side(direction)

    def _side(self, direction: Direction) -> Side:
        by_decision: dict[int, tuple[Decision, list[int]]] = {}
        selecting = self._selection.all(direction)
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
            free = Decision(Terms(direction), (), Free(Piece(self.binder.everybody, (), OPEN)))
            groups.append((free, rest - bare))
        return Side(groups, len(self.table.units))

    def rectangles(self) -> Iterator[Rectangle]:
        """Iterate over everything that passes or may pass, as products of unit sets.

        Every pair of units that share a family occurs in exactly one rectangle, if anything
        passes between them and not both are outside the cluster. Relations are left out:
        what an end does with itself or its own node is not in here.
        """
        egress, ingress = self.side(Direction.EGRESS), self.side(Direction.INGRESS)
        outside = self.table.kinds[UnitKind.EXTERNAL] | self.table.kinds[UnitKind.NAMED]
        six = self.table.families[6] - self.table.families[4]
        yield from rectangles(egress, ingress, self.table.families[4], outside)
        yield from rectangles(egress, ingress, self.table.families[6], outside, fresh=six)
        # What policy permits a pod of one family towards addresses of the other is told too.
        atoms = self.table.kinds[UnitKind.EXTERNAL]
        for family, other in ((4, 6), (6, 4)):
            beyond = atoms & (self.table.families[other] - self.table.families[family])
            lone = self.table.single[family]
            if lone:
                yield from rectangles(egress, ingress, lone | beyond, outside, fresh=beyond)
