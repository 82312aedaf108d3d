"""Policy as resolved: rules whose selectors have become sets of units of one world."""

from dataclasses import dataclass, replace
from functools import cached_property

from cloison.algebra import ANY, NO_TRAFFIC, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.ir.fidelity import Caveat
from cloison.ir.flows import Flows, Known
from cloison.ir.peers import Relative
from cloison.ir.policy import Policy, Rule
from cloison.ir.when import Split, When, either, met, pieces, union, within


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

    @classmethod
    def allowing(cls, flows: Flows) -> "Outcome":
        """Return that some flows pass, and nothing else."""
        when = tuple(When.only(traffic, requests) for traffic, requests in flows.some)
        return cls(flows.traffic, union(each.traffic for each in when), when)

    @cached_property
    def denied(self) -> TrafficSet:
        """Traffic that is stopped."""
        return ANY - self.allowed - self.undetermined

    @property
    def open(self) -> TrafficSet:
        """That part of `undetermined` of which no request decides."""
        return self.undetermined - union(each.traffic for each in self.when if each.mixed)

    @cached_property
    def passing(self) -> TrafficSet:
        """Traffic that passes or may pass."""
        return self.allowed | self.undetermined

    @cached_property
    def flows(self) -> Known:
        """The same as sets of traffic and requests, of what was judged for every request."""
        return Known.of(self)

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

    def either(self, other: "Outcome") -> "Outcome":
        """Return what is certain where nobody knows which of two holds."""
        if self.when or other.when:
            return Outcome(*either(self.split, other.split))
        allowed = self.allowed & other.allowed
        return Outcome(allowed, (self.passing | other.passing) - allowed)

    @property
    def split(self) -> Split:
        """What passes, what may, and with which requests."""
        return self.allowed, self.undetermined, self.when

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
            return Outcome(*met(self.split, other.split))
        allowed = self.allowed & other.allowed
        return Outcome(allowed, (self.passing & other.passing) - allowed)


OPEN = Outcome(ANY)
"""Everything passes."""
CLOSED = Outcome(NO_TRAFFIC)
"""Nothing passes."""
