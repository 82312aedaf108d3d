"""Policies bound to a world: which units each selects, whom and what each rule matches."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace

from cloison.algebra import L4, NO_TRAFFIC, AddressSet, TrafficSet
from cloison.algebra.bitmaps import BitMap, union
from cloison.engine.addressbook import AddressBook
from cloison.engine.matching import Matched, Matcher, least, most, whole_families
from cloison.engine.related import UNRELATED, Relations
from cloison.engine.units import UnitKind, UnitTable
from cloison.ir.caveats import NAMED_PORT_AMBIGUOUS, SCTP_SUPPORT
from cloison.ir.fidelity import Caveat
from cloison.ir.peers import (
    BlockMatch,
    GroupsMatch,
    PodsMatch,
    Relative,
    RelativeMatch,
    plain_matches,
)
from cloison.ir.policy import ANY_NODE, Direction, NamedPort, Peer, Policy, Rule
from cloison.ir.profile import NamedPorts, OtherProtocols, Profile
from cloison.ir.ruleset import BoundRule
from cloison.resources.objects import ContainerPort
from cloison.resources.world import World

Ports = tuple[ContainerPort, ...] | None
"""Ports that an end declares; None for one that is no pod, on which no name means anything."""


@dataclass(frozen=True, slots=True, eq=False)
class Hold:
    """How a policy stands to some units, as their policy in one direction.

    There is one for each way in which a policy stands to units: two are never the same.

    Args:
        policy: The policy.
        direction: The direction.
        sure: Whether it certainly selects them.
        about: For each of its rules, whether that certainly (True), possibly (False) or not
            (None) is about them; None where all of them are.
        many: Whether that is so for a good part of all units.
    """

    policy: Policy
    direction: Direction
    sure: bool = True
    about: tuple[bool | None, ...] | None = None
    many: bool = False


_MANY = 8
"""Many share a policy that selects one in so many of all that policies are asked about."""


@dataclass(slots=True)
class _Known:
    """What is known of one policy, which it keeps alive: policies are told apart by identity."""

    policy: Policy
    subjects: Matched | None = None
    holds: dict[Direction, list[tuple[Hold, BitMap]]] = field(default_factory=dict)
    rules: dict[tuple[Direction, Ports], tuple[BoundRule, ...]] = field(default_factory=dict)
    held: dict[tuple[Hold, Ports], tuple[BoundRule, ...]] = field(default_factory=dict)
    unseen: dict[Direction, tuple[BoundRule, ...]] = field(default_factory=dict)


class Binder:
    """Resolves policies against one unit table, each selector and block once."""

    def __init__(self, world: World, table: UnitTable, profile: Profile, book: AddressBook) -> None:
        self.world = world
        self.table = table
        self.profile = profile
        self.matcher = Matcher(world, table, profile, book)
        self.everybody = self.matcher.everybody
        self._peers: dict[tuple[Peer, ...], Matched] = {}
        self._policies: dict[int, _Known] = {}
        self._by_ports: dict[tuple[NamedPort, ...], dict[TrafficSet, BitMap]] = {}

    def without(self, gone: Iterable[Policy]) -> "Binder":
        """Return a binder that knows what this one does, but for some policies."""
        known = self._policies.copy()
        for policy in gone:
            known.pop(id(policy), None)
        other = copy(self)
        vars(other).update(_policies=known)
        return other

    def _of(self, policy: Policy) -> _Known:
        found = self._policies.get(id(policy))
        if found is None:
            found = self._policies[id(policy)] = _Known(policy)
        return found

    def subject(self, policy: Policy) -> BitMap:
        """Return the units a policy applies to, or may apply to."""
        return self.subjects(policy).possible

    def subjects(self, policy: Policy) -> Matched:
        """Return the units a policy certainly and possibly applies to."""
        known = self._of(policy)
        found = known.subjects
        if found is None:
            found = self.matcher.any_of(policy.subjects)
            if policy.nodes:
                found = self._with_nodes(policy, found)
            known.subjects = found
        return found

    def _with_nodes(self, policy: Policy, pods: Matched) -> Matched:
        must, may = pods.must.copy(), pods.may.copy()
        sure = policy.nodes - policy.doubtful
        for name in policy.nodes:
            (must if name in sure else may).update(self.table.by_node.get(name, ()))
        every = sure >= {ANY_NODE, *self.world.nodes}
        for number in self.table.kinds[UnitKind.HOST]:
            node = self.table.units[number].node
            if node in sure or (node is None and every):
                must.add(number)
            elif node is None or node in policy.nodes:
                may.add(number)
        return Matched(must, may - must, pods.blocks)

    def holds(self, policy: Policy, direction: Direction) -> list[tuple[Hold, BitMap]]:
        """Sort the units a policy applies to by which of its rules are about them."""
        known = self._of(policy).holds
        found = known.get(direction)
        if found is None:
            found = known[direction] = list(self._sorted(policy, direction))
        return found

    def _sorted(self, policy: Policy, direction: Direction) -> Iterator[tuple[Hold, BitMap]]:
        subjects = self.subjects(policy)
        enough = len(self.table.kinds[UnitKind.POD])
        rules = policy.rules_for(direction)
        for units, sure in ((subjects.must, True), (subjects.may, False)):
            if not units:
                continue
            if all(rule.subjects is None for rule in rules):
                yield Hold(policy, direction, sure, None, len(units) * _MANY >= enough), units
                continue
            groups: dict[tuple[bool | None, ...], BitMap] = {(): units}
            for rule in rules:
                groups = dict(self._about(rule, groups))
            for about, members in groups.items():
                many = len(members) * _MANY >= enough
                yield Hold(policy, direction, sure, about, many), members

    def _about(
        self, rule: Rule, groups: dict[tuple[bool | None, ...], BitMap]
    ) -> Iterator[tuple[tuple[bool | None, ...], BitMap]]:
        """Split groups of subjects by whether a rule is about them."""
        if rule.subjects is None:
            yield from (((*about, True), members) for about, members in groups.items())
            return
        matched = self.matcher.any_of(rule.subjects)
        for about, members in groups.items():
            rest = members - matched.must - matched.may
            for part, sure in (
                (members & matched.must, True),
                (members & matched.may, False),
                (rest, None),
            ):
                if part:
                    yield (*about, sure), part

    def held(self, hold: Hold, ports: Ports) -> tuple[BoundRule, ...]:
        """Return the bound rules of a policy that are about some of its subjects.

        Args:
            hold: How the policy stands to them.
            ports: Their declared ports, where a rule may look a name up in them.
        """
        rules = self.rules(hold.policy, hold.direction, ports)
        if hold.sure and hold.about is None:
            return rules
        known = self._of(hold.policy).held
        found = known.get((hold, ports))
        if found is None:
            found = known[hold, ports] = tuple(self._softened(hold, rules))
        return found

    def _softened(self, hold: Hold, rules: Sequence[BoundRule]) -> Iterator[BoundRule]:
        declared = hold.policy.rules_for(hold.direction)
        about = hold.about or (True,) * len(declared)
        of = {id(rule): sure for rule, sure in zip(declared, about, strict=True)}
        for bound in rules:
            sure = of[id(bound.rule)]
            if sure and hold.sure:
                yield bound
            elif sure is not None:
                may = bound.must | bound.may
                yield replace(bound, must=self.matcher.nobody, may=may)

    def rules(self, policy: Policy, direction: Direction, ports: Ports) -> tuple[BoundRule, ...]:
        """Return the bound rules of one policy and direction, whoever of its subjects is meant.

        Args:
            policy: The policy.
            direction: Which of its rules.
            ports: The subject's declared ports, where a rule may look a name up in them.
        """
        known = self._of(policy).rules
        found = known.get((direction, ports))
        if found is None:
            found = known[direction, ports] = tuple(
                bound
                for rule in policy.rules_for(direction)
                for bound in self._bind(policy, rule, ports)
            )
        return found

    def unseen(self, policy: Policy, direction: Direction) -> tuple[BoundRule, ...]:
        """Return the bound rules for a destination whose declared ports nobody knows.

        That is a pod that is not in the world: the subject on ingress, a peer on egress. What a
        port name stands for on it may be any number, and is bound apart from the rest of its rule.
        """
        known = self._of(policy).unseen
        found = known.get(direction)
        if found is None:
            found = known[direction] = tuple(
                bound
                for rule in policy.rules_for(direction)
                for bound in self._unnumbered(policy, rule)
            )
        return found

    def _unnumbered(self, policy: Policy, rule: Rule) -> Iterator[BoundRule]:
        must, may = self._scope(rule)
        names = rule.traffic.named
        # Where other pods' declarations count, they count for this one too.
        inward = rule.direction is Direction.INGRESS
        known = self._subject_ports(policy, ()) if inward else ()
        must |= self._named(names, known) - rule.traffic.without
        any_number = _any_number(names) - rule.traffic.without
        excepted = _any_number(rule.traffic.excepted)
        if excepted:
            may, must = (may | must) & excepted | (may - excepted), must - excepted
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

    def in_block(self, match: BlockMatch | GroupsMatch, place: AddressSet | None) -> bool | None:
        """Return whether addresses surely (True) or possibly (False) match a pod by its own.

        Args:
            match: The block, or groups.
            place: Where the pod's address is known to lie; None when nothing is known of it.
        """
        if isinstance(match, BlockMatch):
            whole = frozenset((match.family,)) if match.whole else frozenset()
            return self.matcher.in_addresses(match.addresses, whole, place)
        addresses = self.matcher.book.group(match.labels)
        return self.matcher.in_addresses(addresses, whole_families(addresses), place)

    def matches(
        self,
        bound: BoundRule,
        subject: int,
        peer: int,
        relations: Relations = UNRELATED,
        family: int | None = None,
    ) -> bool | None:
        """Return whether a rule certainly (True) or possibly (False) matches one peer.

        Args:
            bound: The rule.
            subject: Unit that its policy certainly selects.
            peer: The peer's unit.
            relations: How the peer stands to the subject.
            family: The flow's address family, where it is known.
        """
        if bound.domain is not None and peer not in bound.domain:
            return None
        matcher, rule = self.matcher, bound.rule
        found = most(matcher.holds(p.match, peer, relations, family) for p in rule.peers)
        if found is None or rule.subjects is None:
            return found
        about = most(matcher.holds(m, subject, family=family) for m in rule.subjects)
        return least((found, about))

    def _bind(self, policy: Policy, rule: Rule, ports: Ports) -> Iterator[BoundRule]:
        must, may = self._scope(rule)
        named, excepted = rule.traffic.named, rule.traffic.excepted
        if not named and not excepted:
            yield self._bound(policy, rule, must, may)
            return
        if rule.direction is Direction.INGRESS:
            known = self._subject_ports(policy, ports)
            less = self._named(excepted, known)
            if must or may or not named:
                yield self._bound(policy, rule, must - less, may - less)
            numbers = self._named(named, known) - rule.traffic.without - less
            if numbers:
                yield self._bound(policy, rule, numbers, named=True)
            return
        if must or may or not named:
            for less, domain in self._domains(excepted):
                yield self._bound(policy, rule, must - less, may - less, domain=domain)
        for means, domain in self._domains(named):
            for less, among in self._domains(excepted):
                numbers, towards = means - rule.traffic.without - less, domain & among
                bound = self._bound(policy, rule, numbers, domain=towards, named=True)
                if numbers and (bound.must or bound.may or bound.relations):
                    yield bound

    def _bound(
        self,
        policy: Policy,
        rule: Rule,
        must: TrafficSet,
        may: TrafficSet = NO_TRAFFIC,
        *,
        domain: BitMap | None = None,
        named: bool = False,
    ) -> BoundRule:
        """Return a rule bound for some traffic: towards everybody, or towards `domain` only."""
        peers = self.peers(rule.peers)
        caveats = self._written(rule, must)
        return BoundRule(
            policy,
            rule,
            peers.must if domain is None else peers.must & domain,
            peers.may if domain is None else peers.may & domain,
            must,
            may,
            peers.blocks,
            _relations(rule),
            named=named,
            caveats=caveats | _ambiguous(rule, must) if named else caveats,
            domain=domain,
        )

    def _domains(self, named: tuple[NamedPort, ...]) -> list[tuple[TrafficSet, BitMap]]:
        """Return the units that port names mean the same on, by what that is.

        Only pods declare ports; one on its node's network counts as the node.
        """
        found = self._by_ports.get(named)
        if found is None:
            members: dict[TrafficSet, list[int]] = defaultdict(list)
            means: dict[Ports, TrafficSet] = {}
            for number in self.table.kinds[UnitKind.POD] if named else ():
                ports = self.table.units[number].ports
                if ports not in means:
                    means[ports] = self._named(named, ports)
                members[means[ports]].append(number)
            found = {traffic: BitMap(numbers) for traffic, numbers in members.items()}
            nothing = self.everybody - union(m for t, m in found.items() if t)
            found = {t: m for t, m in found.items() if t} | {NO_TRAFFIC: nothing}
            found = dict(sorted(found.items(), key=lambda item: item[0].spans))
            self._by_ports[named] = found
        return list(found.items())

    def _written(self, rule: Rule, traffic: TrafficSet) -> frozenset[Caveat]:
        """Return what an answer by this rule stands on, whoever the peer is."""
        found = {*rule.caveats}
        for peer in rule.peers:
            if not isinstance(peer.match, PodsMatch):
                plain = plain_matches(peer.match)
                found.update(m.caveat for m in plain if isinstance(m, BlockMatch) and m.caveat)
        if self.profile.sctp is not True and traffic != L4 and not traffic.isdisjoint(_SCTP):
            found.add(SCTP_SUPPORT)
        return frozenset(found)

    def _subject_ports(self, policy: Policy, ports: Ports) -> Ports:
        if self.profile.named_ports is not NamedPorts.UNION or ports is None:
            return ports
        found = {
            port
            for number in self.subject(policy) & self.table.kinds[UnitKind.POD]
            for port in self.table.units[number].ports
        }
        return tuple(found)

    def _named(self, named: tuple[NamedPort, ...], ports: Ports) -> TrafficSet:
        """Return the numbers that names stand for on an end that declares `ports`."""
        found = NO_TRAFFIC
        if ports is None:
            return found
        for name in named:
            if self.profile.named_ports is NamedPorts.WHOLE_PROTOCOL:
                found |= _any_number((name,))
                continue
            for port in ports:
                if port.name == name.name and name.protocol in (None, port.protocol):
                    found |= TrafficSet.ports(port.protocol, *port.span)
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
            found = self._peers[peers] = self.matcher.any_of(p.match for p in peers)
        return found

    def peer(self, peer: Peer) -> Matched:
        """Return the units that one peer matches."""
        return self.matcher.match(peer.match)


_SCTP = TrafficSet.protocol("SCTP")
_EVERY_PORT = 65535


def _relations(rule: Rule) -> frozenset[Relative]:
    """Return the relations that decide whether a rule matches."""
    return frozenset(
        match.relation
        for peer in rule.peers
        if not isinstance(peer.match, PodsMatch)
        for match in plain_matches(peer.match)
        if isinstance(match, RelativeMatch)
    )


def _any_number(named: Sequence[NamedPort]) -> TrafficSet:
    """Return everything that port names could stand for."""
    found = NO_TRAFFIC
    for name in named:
        found |= TrafficSet.protocol(name.protocol) if name.protocol else L4
    return found


def _ambiguous(rule: Rule, traffic: TrafficSet) -> frozenset[Caveat]:
    """Return the caveat of names that one end gives to several ports."""
    # What could be any port belongs to pods that may come: each of them declares one of these.
    several = len(rule.traffic.named) < traffic.size() < _EVERY_PORT
    return frozenset({NAMED_PORT_AMBIGUOUS}) if several else frozenset()
