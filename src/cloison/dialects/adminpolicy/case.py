"""A policy of the Network Policy API beside its meaning."""

from dataclasses import dataclass
from typing import Self

from cloison.dialects.adminpolicy import model
from cloison.dialects.adminpolicy.compile import compile_object
from cloison.dialects.adminpolicy.matches import unusable
from cloison.dialects.adminpolicy.say import DOCS
from cloison.ir.policy import Direction, Policy, Rule
from cloison.ir.profile import Place, Profile

_AS_WRITTEN = Profile("as-written", "the specification alone", (), DOCS)
_LAST = 1001
"""Where a BaselineAdminNetworkPolicy stands among those with a priority."""


@dataclass(frozen=True, slots=True)
class Case:
    """A policy and what it means by the specification alone."""

    policy: model.Policy
    meaning: Policy

    @classmethod
    def of(cls, policy: model.Policy) -> Self | None:
        """Compile a policy; None where nobody can use its subject."""
        if unusable(policy.subject.namespaces, policy.subject.pods):
            return None
        tier = "baseline" if cls.last(policy) else "admin"
        meaning = compile_object(policy, Place(tier, _LAST), _AS_WRITTEN)
        return None if meaning is None else cls(policy, meaning)

    @staticmethod
    def last(policy: model.Policy) -> bool:
        """Return whether a policy comes after NetworkPolicy."""
        if isinstance(policy, model.ClusterNetworkPolicy):
            return policy.tier is model.Tier.BASELINE
        return isinstance(policy, model.BaselineAdminNetworkPolicy)

    def written(self, rule: Rule) -> model.Rule:
        """Return a rule as it is written."""
        ingress = rule.direction is Direction.INGRESS
        rules = self.policy.ingress if ingress else self.policy.egress
        return (rules or ())[rule.index - 1]
