"""One layer evaluated for the peers that the same rules match, all traffic at once.

Matching is three-valued. A rule that may match contributes its outcome as a possibility
and evaluation goes on as if it had not; traffic is determined when every possibility
agrees.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Generic

from cloison.algebra import TrafficSet
from cloison.engine.related import Relations
from cloison.engine.spectrum import Mask, Parts
from cloison.engine.steps import Cause, Step
from cloison.ir.peers import AnyMatch, Relative, RelativeMatch
from cloison.ir.policy import Action, Combine, Direction, LayerSpec, Policy, Rule, TierSpec
from cloison.ir.ruleset import BoundRule


@dataclass(frozen=True, slots=True)
class Able:
    """As much of who has a say in a direction as counts, beside the rules.

    Args:
        direction: Which of the subject's directions.
        ends: Tiers whose end is certainly (True) or possibly (False) met.
        closed: Tiers that certainly or possibly let through what they leave undecided.
        opaque: Tiers of policies that nobody understood.
        optional: Whether the subject may be one that no policy is about.
    """

    direction: Direction
    ends: frozenset[tuple[str, bool]]
    closed: frozenset[tuple[str, bool]]
    opaque: frozenset[str]
    optional: bool


@dataclass(slots=True)
class Notes:
    """What led to the outcome of a layer, taken down while it is evaluated.

    Args:
        steps: What happened, in order.
        ties: Policies that nothing puts in order and that do different things, each with the
            traffic that another one of equal order would treat differently.
    """

    steps: list[Step] = field(default_factory=list)
    ties: list[tuple[Policy, TrafficSet]] = field(default_factory=list)


_PRECEDENCE = {
    Combine.UNION: (Action.ALLOW, Action.DENY, Action.PASS),
    Combine.DENY_OVERRIDES: (Action.DENY, Action.ALLOW, Action.PASS),
}
"""Which action wins where rules of a band without order match the same traffic."""


class Layer(Generic[Mask]):
    """Evaluates one layer for one set of matched rules, all traffic at once.

    Or all requests that are made on traffic of which the same rules speak: what is evaluated is
    sets of some kind, and what the rules say of them.
    """

    def __init__(
        self,
        layer: LayerSpec,
        number: int,
        places: Mapping[str, int],
        able: Able,
        matched: tuple[tuple[BoundRule, bool], ...],
        relations: Relations,
        spectrum: Parts[Mask],
        noted: Notes | None = None,
    ) -> None:
        self.spectrum = spectrum
        self.noted = noted
        self.layer = layer
        self.number = number
        self.places = places
        self.direction = able.direction
        self.opaque = able.opaque
        self.ends = dict(able.ends)
        self.closed = dict(able.closed)
        self.matched: dict[str, list[tuple[BoundRule, bool]]] = defaultdict(list)
        for rule, sure in matched:
            self.matched[rule.policy.tier].append((rule, sure))
        self.relations = relations
        self.nothing: Mask = spectrum.nothing
        self.allowed: Mask = self.nothing
        self.denied: Mask = self.nothing
        self.passed: Mask = self.nothing

    def holds(self, tier: str) -> bool:
        """Whether a tier is this layer's; one that nobody placed is the first's."""
        return self.places.get(tier, 0) == self.number

    def outcome(self) -> tuple[Mask, Mask]:
        """Return what passes this layer, and what may pass besides."""
        going = self.spectrum.whole
        for rule in self.layer.builtin:
            if rule.direction is self.direction:
                sure = builtin_matches(rule, self.relations)
                if sure is not None:
                    taken = going & self.spectrum.mask(rule.traffic.must)
                    self._record(rule.action, taken)
                    self._note(Cause.BUILTIN, None, rule.action, taken, builtin=rule, sure=sure)
                    if sure:
                        going &= ~taken
        if any(self.holds(tier) for tier in self.opaque):
            # It exists and may select this end; whatever it does may come first.
            self.allowed |= going
            self.denied |= going
            self._note(Cause.OPAQUE, None, None, going, sure=False)
        for tier in self.layer.tiers:
            name = tier.name
            spoken = name in self.matched or name in self.ends or name in self.closed
            if spoken or self.noted is not None:
                going = self._tier(tier, self.matched.get(name, []), going)
        for tier in self.layer.tiers:
            if tier.late and tier.end is not None:
                going = self._end(tier, tier.end, going)
        if self.layer.default is Action.ALLOW:
            self.allowed |= going
        else:
            self.denied |= going
        self._note(Cause.DEFAULT, None, self.layer.default, going)
        return self.allowed & ~self.denied, self.allowed & self.denied

    def _tier(self, tier: TierSpec, rules: list[tuple[BoundRule, bool]], going: Mask) -> Mask:
        self.passed = self.nothing
        self._note(Cause.ENTRY, tier.name, None, going)
        for number, combine in enumerate(tier.bands):
            band = self._band(tier, number, rules)
            if combine is Combine.FIRST_MATCH:
                going = self._first_match(band, going)
            else:
                for action in _PRECEDENCE[combine]:
                    going = self._all_of(action, band, going)
        if tier.end is not None and not tier.late:
            going = self._end(tier, tier.end, going)
        return going | self.passed

    def _band(
        self, tier: TierSpec, number: int, rules: list[tuple[BoundRule, bool]]
    ) -> list[tuple[BoundRule, bool]]:
        """Return the rules of a band, as surely as they are asked."""
        band = [(rule, sure) for rule, sure in rules if rule.policy.band == number]
        if tier.ending is None or number < tier.ending:
            return band
        ends = self.ends.get(tier.name)
        if tier.loose is not None and number >= tier.loose:
            return [] if ends else [(rule, sure and ends is None) for rule, sure in band]
        return [] if ends is None else [(rule, sure and ends) for rule, sure in band]

    def _end(self, tier: TierSpec, end: Action, going: Mask) -> Mask:
        """Take what no rule decided to the tier's end, as far as policies isolate."""
        sure = self.ends.get(tier.name)
        if sure is not None and tier.returned and Relative.RETURNED in self.relations.sure:
            self._record(tier.returned, going)
            self._note(Cause.BUILTIN, tier.name, tier.returned, going, sure=sure)
            return self.nothing if sure else going
        if sure is not None:
            inside = going & self.spectrum.mask(tier.end_scope)
            beyond = going & ~inside
            self._record(end, inside)
            self.allowed |= beyond
            self.denied |= beyond
            self._note(Cause.END, tier.name, end, inside, sure=sure)
            self._note(Cause.END, tier.name, None, beyond, sure=sure)
            if sure:
                return self.nothing
        sure = self.closed.get(tier.name)
        if sure is not None:
            self.allowed |= going
            self._note(Cause.END, tier.name, Action.ALLOW, going, sure=sure)
            if sure:
                return self.nothing
        return going

    def _all_of(self, action: Action, rules: list[tuple[BoundRule, bool]], going: Mask) -> Mask:
        decided = possible = self.nothing
        for rule, sure in rules:
            if rule.rule.action is action:
                must, may = self.spectrum.reach(rule, sure=sure)
                self._note_rule(rule, going, must, may)
                decided |= must
                possible |= may
        if decided or possible:
            self._record(action, going & (decided | possible))
        return going & ~decided

    def _first_match(self, rules: list[tuple[BoundRule, bool]], going: Mask) -> Mask:
        for _, same in groupby(rules, key=lambda item: item[0].policy.order):
            by_policy = [list(g) for _, g in groupby(same, key=lambda item: item[0].policy.id)]
            # Policies of equal order may be tried in any order: each one's own first match
            # is possible, and evaluation goes on only for what none of them decides.
            left = going
            for group in by_policy:
                left &= self._in_order(group, going)
            if self.noted is not None and len(by_policy) > 1:
                self.noted.ties += self._conflicts(by_policy, going)
            going = left
            if not going:
                break
        return going

    def _in_order(self, rules: list[tuple[BoundRule, bool]], going: Mask) -> Mask:
        for rule, sure in rules:
            if not going:
                break
            must, may = self.spectrum.reach(rule, sure=sure)
            self._note_rule(rule, going, must, may)
            if rule.rule.action is Action.LOG:
                continue
            self._record(rule.rule.action, going & (must | may))
            going &= ~must
        return going

    def _note_rule(self, rule: BoundRule, going: Mask, must: Mask, may: Mask) -> None:
        if self.noted is None:
            return
        for traffic, sure in ((going & must, True), (going & may & ~must, False)):
            action = rule.rule.action
            self._note(Cause.RULE, rule.policy.tier, action, traffic, rule=rule, sure=sure)

    def _note(
        self,
        cause: Cause,
        tier: str | None,
        action: Action | None,
        mask: Mask,
        *,
        rule: BoundRule | None = None,
        builtin: Rule | None = None,
        sure: bool = True,
    ) -> None:
        if self.noted is not None and mask:
            traffic = self.spectrum.traffic(mask)
            self.noted.steps.append(
                Step(cause, self.number, tier, traffic, action, rule, builtin, sure)
            )

    def _record(self, action: Action, traffic: Mask) -> None:
        match action:
            case Action.ALLOW:
                self.allowed |= traffic
            case Action.DENY:
                self.denied |= traffic
            case Action.PASS:
                self.passed |= traffic
            case Action.LOG:
                pass

    def _conflicts(
        self, groups: Sequence[Sequence[tuple[BoundRule, bool]]], going: Mask
    ) -> Iterator[tuple[Policy, TrafficSet]]:
        """Yield policies of equal order with the traffic that others of them decide differently."""
        decided = [self._decided(group, going) for group in groups]
        before = [dict.fromkeys(Action, self.nothing)]
        after = [dict.fromkeys(Action, self.nothing)]
        for each in decided:
            before.append({a: found | each[a] for a, found in before[-1].items()})
        for each in reversed(decided):
            after.append({a: found | each[a] for a, found in after[-1].items()})
        after.reverse()
        for place, (group, own) in enumerate(zip(groups, decided, strict=True)):
            contested = self.nothing
            for action, traffic in own.items():
                for other in Action:
                    if other is not action:
                        contested |= traffic & (before[place][other] | after[place + 1][other])
            if contested:
                yield group[0][0].policy, self.spectrum.traffic(contested)

    def _decided(self, rules: Sequence[tuple[BoundRule, bool]], going: Mask) -> dict[Action, Mask]:
        """Return what the first match among the rules of one policy does to traffic."""
        found = dict.fromkeys(Action, self.nothing)
        for rule, sure in rules:
            if rule.rule.action is not Action.LOG:
                must, may = self.spectrum.reach(rule, sure=sure)
                found[rule.rule.action] |= going & (must | may)
                going &= ~must
        return found


def builtin_matches(rule: Rule, relations: Relations) -> bool | None:
    """Return whether a built-in rule certainly (True) or possibly (False) matches a peer."""
    named = {p.match.relation for p in rule.peers if isinstance(p.match, RelativeMatch)}
    if named & relations.sure or any(isinstance(p.match, AnyMatch) for p in rule.peers):
        return True
    return False if named & relations.maybe else None
