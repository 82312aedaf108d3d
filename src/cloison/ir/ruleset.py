"""Policy as resolved: rules whose selectors have become sets of units of one world."""

from dataclasses import dataclass, replace
from functools import cached_property

from cloison.algebra import ANY, NO_TRAFFIC, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.ir.fidelity import Caveat
from cloison.ir.policy import Policy, Relative, Rule
from cloison.ir.when import When, met, pieces, within


@dataclass(frozen=True, slots=True, eq=False)
class BoundRule:
    """A rule with its peers and ports resolved. Each is itself, whatever another one says.

    One declared rule becomes several of these where a named port means different numbers
    on different peers.

    Args:
        policy: The policy it belongs to.
        rule: The rule as declared.
        must: Units that certainly match.
        may: Units that may match besides.
        traffic: Traffic that certainly matches.
        may_traffic: Traffic that may match besides.
        blocks: Units of `must` and `may` that match only by their address.
        relations: Relations to the subject that decide whether it matches a peer.
        named: Whether any of its traffic comes from a named port.
        caveats: What an answer by this rule stands on, because of how it is written.
        domain: Units towards which `traffic` is what its port names mean; None for all.
    """

    policy: Policy
    rule: Rule
    must: BitMap
    may: BitMap
    traffic: TrafficSet
    may_traffic: TrafficSet = NO_TRAFFIC
    blocks: BitMap | None = None
    relations: frozenset[Relative] = frozenset()
    named: bool = False
    caveats: frozenset[Caveat] = frozenset()
    domain: BitMap | None = None


@dataclass(frozen=True)
class Outcome:
    """What becomes of all traffic between two ends: three disjoint sets that add up to everything.

    Args:
        allowed: Traffic that passes.
        undetermined: Traffic nobody can promise anything about who knows no more of it.
        when: That part of it of which it is known what more: with which requests it passes.
    """

    allowed: TrafficSet
    undetermined: TrafficSet = NO_TRAFFIC
    when: tuple[When, ...] = ()

    @cached_property
    def denied(self) -> TrafficSet:
        """Traffic that is stopped."""
        return ANY - self.allowed - self.undetermined

    @cached_property
    def passing(self) -> TrafficSet:
        """Traffic that passes or may pass."""
        return self.allowed | self.undetermined

    def within(self, traffic: TrafficSet) -> "Outcome":
        """Return it with what is undetermined out of `traffic` as stopped."""
        undetermined = self.undetermined & traffic
        return Outcome(self.allowed, undetermined, within(self.when, traffic))

    def unsure(self) -> "Outcome":
        """Return it with what is stopped as undetermined."""
        when = (
            replace(each, undetermined=each.asked - each.allowed)
            for each in self.when
            if each.allowed
        )
        return Outcome(self.allowed, self.undetermined | self.denied, pieces(when))

    def meet(self, other: "Outcome") -> "Outcome":
        """Return what passes both of two enforcement points.

        >>> from cloison.algebra import L4, TrafficSet
        >>> http = TrafficSet.ports("TCP", 80)
        >>> Outcome(http).meet(Outcome(L4)).allowed == http
        True
        """
        if self is OPEN or self == OPEN:
            return other
        if other is OPEN or other == OPEN:
            return self
        if self.when or other.when:
            one = (self.allowed, self.undetermined, self.when)
            return Outcome(*met(one, (other.allowed, other.undetermined, other.when)))
        allowed = self.allowed & other.allowed
        return Outcome(allowed, (self.passing & other.passing) - allowed)


OPEN = Outcome(ANY)
"""Everything passes."""
CLOSED = Outcome(NO_TRAFFIC)
"""Nothing passes."""
