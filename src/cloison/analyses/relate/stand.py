"""What a set of policies makes of traffic at one enforcement point, and what that rests on."""

from dataclasses import dataclass, replace

from cloison.algebra import L4, TrafficSet
from cloison.engine import Engine
from cloison.engine.decide import Decision, Piece, Terms
from cloison.engine.related import UNRELATED, Relations
from cloison.ir.flows import Flows
from cloison.ir.policy import Direction, Policy, Rule
from cloison.ir.ruleset import OPEN, BoundRule, Outcome

HORIZON = L4
"""What is undetermined beyond this is not compared: isolation leaves every protocol that
NetworkPolicy does not define undetermined, whoever says it."""

Matched = tuple[tuple[BoundRule, bool], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Stand:
    """What becomes of all traffic between two ends at one of them.

    Args:
        outcome: What becomes of it.
        terms: Who has a say; None where no policy applies to such an end.
        rules: The rules that match the other end, each with whether it certainly does.
    """

    outcome: Outcome
    terms: Terms | None = None
    rules: Matched = ()

    def alike(self, other: "Stand") -> Flows:
        """Return the flows of which the two say the same, whatever it is that nobody knows.

        They are determined alike, or undetermined for the same reasons.

        Raises:
            UndecidedError: It takes more work than is put up with.
        """
        ours, theirs = self.outcome, other.outcome
        same = (ours.allowed & theirs.allowed) | (ours.denied & theirs.denied)
        doubtful = ours.undetermined & theirs.undetermined & HORIZON
        if doubtful and self.reasons(doubtful) == other.reasons(doubtful):
            return Flows(same | doubtful)
        if not ours.when and not theirs.when:
            return Flows(same)
        return self._alike(other)

    def _alike(self, other: "Stand") -> Flows:
        """Return the same where requests decide on some of it."""
        ours, theirs = self.outcome.flows, other.outcome.flows
        same = (ours.allowed & theirs.allowed) | (ours.denied & theirs.denied)
        doubtful = (ours.undetermined & theirs.undetermined).within(HORIZON)
        for traffic, requests in doubtful.pieces:
            if self.reasons(traffic) == other.reasons(traffic):
                same |= Flows(traffic) if requests is None else Flows.of(traffic, requests)
        return same

    def reasons(self, traffic: TrafficSet) -> object:
        """Return everything that may decide on traffic, but for names and places."""
        if self.terms is None:
            return None
        unsure = {id(policy) for policy in self.terms.unsure}
        rules = (
            _said(rule, traffic, known=sure and id(rule.policy) not in unsure)
            for rule, sure in self.rules
        )
        nobody_knows = frozenset(
            (p.opaque, p.subjects, p.nodes) for p in self.terms.policies if p.opaque
        )
        doubtful = frozenset((p.tier, p.subjects, p.nodes) for p in self.terms.unsure)
        return frozenset(rules) - {None}, self.terms.able, nobody_knows, doubtful


def _said(bound: BoundRule, traffic: TrafficSet, *, known: bool) -> object:
    must, may = bound.traffic & traffic, bound.may_traffic & traffic
    if not must and not may:
        return None
    policy, rule = bound.policy, bound.rule
    who: object = None
    if not known:
        peers = frozenset(peer.match for peer in rule.peers)
        who = (peers, rule.subjects, policy.subjects, policy.nodes)
    place = (policy.tier, policy.band, policy.order, rule.index if policy.order else 0)
    return place, rule.action, must, may, who, rule.condition, rule.request, rule.sources


FREE = Stand(OPEN)
"""No policy has anything to say."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A set of policies, asked: as the engine has it, or with something left out.

    Args:
        engine: Who decides.
        without: A policy to leave out, or to take a rule from.
        rule: The one rule of it to leave out; None for all of it.
    """

    engine: Engine
    without: Policy | None = None
    rule: Rule | None = None

    def decision(self, unit: int, direction: Direction) -> Decision | None:
        """Return what governs a unit; None where no policy applies to such an end."""
        if unit not in self.engine.governed:
            return None
        return self.engine.decision(unit, direction)

    def stand(self, decision: Decision, piece: Piece) -> Stand:
        """Return what is made of the peers of a piece of the engine's own decision."""
        return self.left(Stand(piece.outcome, decision.terms, piece.rules))

    def left(self, known: Stand, relations: Relations = UNRELATED) -> Stand:
        """Return what is left of what the engine makes of traffic."""
        terms = known.terms
        if terms is None or self.without is None:
            return known
        if not any(policy is self.without for policy in (*terms.policies, *terms.closing)):
            return known
        if self.rule is None:
            terms = replace(
                terms,
                policies=self._others(terms.policies),
                isolating=self._others(terms.isolating),
                closing=self._others(terms.closing),
                unsure=self._others(terms.unsure),
            )
        rules = tuple((bound, sure) for bound, sure in known.rules if self._keeps(bound))
        voices = (*terms.policies, *terms.closing)
        found = self.engine.judge(terms.direction, voices, rules, relations, terms.unsure)
        if terms.optional:
            found = found.unsure()
        return Stand(found, terms, rules)

    def _others(self, policies: tuple[Policy, ...]) -> tuple[Policy, ...]:
        return tuple(policy for policy in policies if policy is not self.without)

    def _keeps(self, bound: BoundRule) -> bool:
        if bound.policy is not self.without:
            return True
        return self.rule is not None and bound.rule is not self.rule

    def at(
        self, subject: int, peer: int, direction: Direction, relations: Relations, family: int
    ) -> Stand:
        """Return what is made of one pair of units that stand to each other in some way."""
        point = self.engine.point(subject, peer, direction, relations, family)
        if point.decision is None or point.piece is None:
            return FREE
        known = Stand(point.outcome, point.decision.terms, point.piece.rules)
        return self.left(known, point.relations)
