"""Where policies stand among one another, of which some are written and others stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from cloison.dialects.writing.labels import meet
from cloison.dialects.writing.statement import Statement, WriteContext
from cloison.ir.policy import Combine, Direction, Policy, TierSpec

Rank = tuple[int, int, tuple[float | str, ...]]
"""Number of the tier, band, and order where there is one."""


@dataclass(frozen=True)
class Order:
    """The order of all policies.

    Args:
        tiers: The tiers, in order.
        going: Policies that are written.
        staying: Policies that stay as they are beside them.
        context: What is around.
    """

    tiers: tuple[TierSpec, ...]
    going: tuple[Policy, ...]
    staying: tuple[Policy, ...]
    context: WriteContext

    @classmethod
    def of(cls, statements: Sequence[Statement], context: WriteContext) -> Self:
        """Return the order of what is written and what stays."""
        going = tuple(policy for each in statements for policy in each.policies)
        names = {policy.id for policy in going}
        everyone = (*context.converted, *context.standing)
        tiers = tuple(tier for layer in context.layers for tier in layer.tiers)
        known = {tier.name for tier in tiers}
        # What is of no tier is of another enforcer, and not evaluated with these.
        staying = tuple(p for p in everyone if p.id not in names and p.tier in known)
        return cls(tiers, going, staying, context)

    @property
    def every(self) -> tuple[Policy, ...]:
        """All policies, those that are written first."""
        return (*self.going, *self.staying)

    def asked(self, policy: Policy) -> bool:
        """Return whether a policy is of a tier at all."""
        return any(tier.name == policy.tier for tier in self.tiers)

    def number(self, name: str) -> int:
        """Return the number of a tier.

        Raises:
            ValueError: There is no such tier.
        """
        return [tier.name for tier in self.tiers].index(name)

    def tier(self, policy: Policy) -> TierSpec:
        """Return the tier of a policy that is asked."""
        return self.tiers[self.number(policy.tier)]

    def rank(self, policy: Policy) -> Rank:
        """Return where a policy stands; where there is no order, all stand at one place."""
        number = self.number(policy.tier)
        ordered = self.tiers[number].bands[policy.band] is Combine.FIRST_MATCH
        return number, policy.band, policy.order if ordered else ()

    def share(self, policy: Policy, other: Policy, direction: Direction) -> bool:
        """Return whether another policy governs a direction for some of the same pods."""
        if other is policy:
            return False
        governs = direction in other.isolates or bool(other.rules_for(direction))
        return governs and any(
            meet(a, b, self.context.world) for a in policy.subjects for b in other.subjects
        )
