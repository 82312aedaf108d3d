"""Decisions: what one enforcement point does with every peer and all traffic.

A decision is a short list of pieces. All peers of a piece are matched by the same rules,
so one outcome holds for all of them, and the rules that explain it come with it.

Matching is three-valued. A rule that may match contributes its outcome as a possibility
and evaluation goes on as if it had not; traffic is determined when every possibility
agrees.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from cloison.algebra import ANY, NO_TRAFFIC, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.ir.policy import (
    Action,
    AnyMatch,
    Combine,
    Direction,
    LayerSpec,
    Policy,
    Relative,
    RelativeMatch,
    Rule,
    TierSpec,
)
from cloison.ir.ruleset import OPEN, BoundRule, Outcome


@dataclass(frozen=True, slots=True)
class Relations:
    """How the peer stands to the subject.

    Args:
        sure: Relations that certainly hold.
        maybe: Relations nobody can exclude.
    """

    sure: frozenset[Relative] = frozenset()
    maybe: frozenset[Relative] = frozenset()


UNRELATED = Relations()


@dataclass(frozen=True, slots=True)
class Piece:
    """Peers that the same rules match.

    Args:
        peers: The units.
        rules: Rules that match them, each with whether it certainly does, in the order
            they are evaluated.
        outcome: What becomes of their traffic.
    """

    peers: BitMap
    rules: tuple[tuple[BoundRule, bool], ...]
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Decision:
    """What one enforcement point does with everybody.

    Args:
        direction: Which of the subject's directions.
        policies: Policies that select the subject and govern the direction, in the order
            they are evaluated.
        isolating: Those of them that isolate it.
        rules: Their bound rules, in the same order.
        pieces: Disjoint; together they cover every unit.
    """

    direction: Direction
    policies: tuple[Policy, ...]
    isolating: tuple[Policy, ...]
    rules: tuple[BoundRule, ...]
    pieces: tuple[Piece, ...]

    def piece(self, unit: int) -> Piece:
        """Return the piece that holds a unit."""
        return next(piece for piece in self.pieces if unit in piece.peers)


class Folder:
    """Folds bound rules into decisions under the layers of a profile."""

    def __init__(self, layers: Sequence[LayerSpec], everybody: BitMap) -> None:
        self.layers = layers
        self.everybody = everybody
        self._places = {t.name: i for i, la in enumerate(layers) for t in la.tiers}
        self._known: dict[tuple[object, ...], Outcome] = {}

    def fold(
        self,
        direction: Direction,
        policies: tuple[Policy, ...],
        rules: Sequence[BoundRule],
    ) -> Decision:
        """Fold the rules of one subject and direction.

        Args:
            direction: Which direction.
            policies: Policies that select the subject and govern the direction.
            rules: Their bound rules, policy by policy in the same order.
        """
        isolating = tuple(p for p in policies if direction in p.isolates)
        pieces = []
        for key, peers in partition(rules, self.everybody):
            matched = tuple((rules[i], sure) for i, sure in key)
            outcome = self.outcome(direction, policies, isolating, matched)
            pieces.append(Piece(peers, matched, outcome))
        return Decision(direction, policies, isolating, tuple(rules), tuple(pieces))

    def outcome(
        self,
        direction: Direction,
        policies: tuple[Policy, ...],
        isolating: tuple[Policy, ...],
        matched: tuple[tuple[BoundRule, bool], ...],
        relations: Relations = UNRELATED,
    ) -> Outcome:
        """Return what becomes of the traffic of peers that `matched` matches.

        Args:
            direction: The subject's direction.
            policies: Policies that govern it.
            isolating: Those of them that isolate it.
            matched: Rules that match the peers, each with whether it certainly does.
            relations: How the peers stand to the subject.
        """
        key: tuple[object, ...] = (
            direction,
            frozenset(p.tier for p in isolating),
            frozenset(p.tier for p in policies if p.opaque),
            tuple((id(r), sure) for r, sure in matched),
            relations,
        )
        found = self._known.get(key)
        if found is None:
            found = OPEN
            for number, layer in enumerate(self.layers):
                answer = _Layer(
                    layer, number, self._places, direction, policies, isolating, matched, relations
                )
                found = found.meet(answer.outcome())
            self._known[key] = found
        return found


def order_policies(policies: Iterable[Policy], layers: Sequence[LayerSpec]) -> tuple[Policy, ...]:
    """Return policies in the order they are evaluated: by tier, order, then name.

    Where an API gives no order, the name makes the order of explanations stable.
    """
    rank = {tier.name: (i, j) for i, la in enumerate(layers) for j, tier in enumerate(la.tiers)}
    last = (len(layers), 0)
    return tuple(
        sorted(
            policies,
            key=lambda p: (
                rank.get(p.tier, last),
                p.band,
                p.order,
                p.id.namespace or "",
                p.id.name,
                p.id.kind,
            ),
        )
    )


_PRECEDENCE = {
    Combine.UNION: (Action.ALLOW, Action.DENY, Action.PASS),
    Combine.DENY_OVERRIDES: (Action.DENY, Action.ALLOW, Action.PASS),
}
"""Which action wins where rules of a band without order match the same traffic."""


class _Layer:
    """Evaluates one layer for one set of matched rules, all traffic at once."""

    def __init__(
        self,
        layer: LayerSpec,
        number: int,
        places: Mapping[str, int],
        direction: Direction,
        policies: tuple[Policy, ...],
        isolating: tuple[Policy, ...],
        matched: tuple[tuple[BoundRule, bool], ...],
        relations: Relations,
    ) -> None:
        self.layer = layer
        self.number = number
        self.places = places
        self.direction = direction
        self.policies = policies
        self.isolating = frozenset(p.tier for p in isolating)
        self.matched = matched
        self.relations = relations
        self.allowed = NO_TRAFFIC
        self.denied = NO_TRAFFIC
        self.passed = NO_TRAFFIC

    def holds(self, policy: Policy) -> bool:
        """Whether a policy is this layer's; one of a tier nobody placed is the first's."""
        return self.places.get(policy.tier, 0) == self.number

    def outcome(self) -> Outcome:
        going = ANY
        for rule in self.layer.builtin:
            if rule.direction is self.direction:
                sure = builtin_matches(rule, self.relations)
                if sure is not None:
                    self._record(rule.action, going & rule.traffic.must)
                if sure:
                    going -= rule.traffic.must
        if any(p.opaque and self.holds(p) for p in self.policies):
            # It exists and may select this end; whatever it does may come first.
            self.allowed |= going
            self.denied |= going
        for tier in self.layer.tiers:
            rules = [(r, sure) for r, sure in self.matched if r.policy.tier == tier.name]
            going = self._tier(tier, rules, going)
        if self.layer.default is Action.ALLOW:
            self.allowed |= going
        else:
            self.denied |= going
        allowed = self.allowed - self.denied
        return Outcome(allowed, self.allowed & self.denied)

    def _tier(
        self, tier: TierSpec, rules: list[tuple[BoundRule, bool]], going: TrafficSet
    ) -> TrafficSet:
        self.passed = NO_TRAFFIC
        for number, combine in enumerate(tier.bands):
            band = [(rule, sure) for rule, sure in rules if rule.policy.band == number]
            if combine is Combine.FIRST_MATCH:
                going = self._first_match(band, going)
            else:
                for action in _PRECEDENCE[combine]:
                    going = self._all_of(action, band, going)
        if tier.end is not None and tier.name in self.isolating:
            inside = going & tier.end_scope
            beyond = going - tier.end_scope
            if tier.end is Action.PASS:
                self.passed |= inside
            elif tier.end is Action.DENY:
                self.denied |= inside
            else:
                self.allowed |= inside
            self.allowed |= beyond
            self.denied |= beyond
            going = NO_TRAFFIC
        return going | self.passed

    def _all_of(
        self, action: Action, rules: list[tuple[BoundRule, bool]], going: TrafficSet
    ) -> TrafficSet:
        decided = possible = NO_TRAFFIC
        for rule, sure in rules:
            if rule.rule.action is action:
                must, may = _reach(rule, sure=sure)
                decided |= must
                possible |= may
        if decided or possible:
            self._record(action, going & (decided | possible))
        return going - decided

    def _first_match(self, rules: list[tuple[BoundRule, bool]], going: TrafficSet) -> TrafficSet:
        for _, same in groupby(rules, key=lambda item: item[0].policy.order):
            by_policy = [list(g) for _, g in groupby(same, key=lambda item: item[0].policy.id)]
            # Policies of equal order may be tried in any order: each one's own first match
            # is possible, and evaluation goes on only for what none of them decides.
            left = going
            for group in by_policy:
                left &= self._in_order(group, going)
            going = left
        return going

    def _in_order(self, rules: list[tuple[BoundRule, bool]], going: TrafficSet) -> TrafficSet:
        for rule, sure in rules:
            if rule.rule.action is Action.LOG:
                continue
            must, may = _reach(rule, sure=sure)
            self._record(rule.rule.action, going & (must | may))
            going -= must
        return going

    def _record(self, action: Action, traffic: TrafficSet) -> None:
        match action:
            case Action.ALLOW:
                self.allowed |= traffic
            case Action.DENY:
                self.denied |= traffic
            case Action.PASS:
                self.passed |= traffic
            case Action.LOG:
                pass


def builtin_matches(rule: Rule, relations: Relations) -> bool | None:
    """Return whether a built-in rule certainly (True) or possibly (False) matches a peer."""
    named = {p.match.relation for p in rule.peers if isinstance(p.match, RelativeMatch)}
    if named & relations.sure or any(isinstance(p.match, AnyMatch) for p in rule.peers):
        return True
    return False if named & relations.maybe else None


def _reach(rule: BoundRule, *, sure: bool) -> tuple[TrafficSet, TrafficSet]:
    """Return the traffic a rule certainly and possibly matches from a peer it matches."""
    if sure and rule.rule.condition is None and rule.rule.sources is None:
        return rule.traffic, rule.may_traffic
    return NO_TRAFFIC, rule.traffic | rule.may_traffic


def partition(
    rules: Sequence[BoundRule], everybody: BitMap
) -> list[tuple[tuple[tuple[int, bool], ...], BitMap]]:
    """Split all units by which rules match them.

    Cost: a rule whose peers no earlier rule touched costs one operation; only overlapping
    rules split existing groups.
    """
    total = len(everybody)
    always: list[tuple[int, bool]] = []
    groups: dict[tuple[tuple[int, bool], ...], BitMap] = {}
    covered = BitMap()
    for index, rule in enumerate(rules):
        if len(rule.must) == total:
            always.append((index, True))
            continue
        for members, sure in ((rule.must, True), (rule.may, False)):
            if not members:
                continue
            fresh = members - covered
            if len(fresh) != len(members):
                for key, group in list(groups.items()):
                    both = group & members
                    if not both:
                        continue
                    if len(both) == len(group):
                        del groups[key]
                    else:
                        groups[key] = group - both
                    groups[(*key, (index, sure))] = both
            if fresh:
                groups[((index, sure),)] = fresh
                covered |= fresh
    rest = everybody - covered
    if rest:
        groups[()] = rest
    if not always:
        return list(groups.items())
    return [(tuple(sorted((*key, *always))), group) for key, group in groups.items()]
