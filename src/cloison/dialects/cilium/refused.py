"""What becomes of requests that no rule lets through, where later bands and tiers must not decide.

A rule that asks about requests decides of its traffic, whatever is asked: it lets through what it
asks for and refuses the rest, as far as some policy closes the direction. Where none does, it only
looks at requests, and lets all of them through.

Source: cilium/cilium pkg/policy/mapstate.go, pkg/policy/l4.go.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cloison.dialects.cilium import caveats
from cloison.ir.fidelity import Caveat
from cloison.ir.policy import Action, Policy, Rule
from cloison.ir.profile import Profile
from cloison.ir.requests import RequestCondition, RequestMatch

if TYPE_CHECKING:
    from cloison.algebra import Request

REFUSED = 1
"""Band of the tier in which requests are refused, which is asked where some policy closes."""


@dataclass(frozen=True, slots=True)
class Others:
    """All requests but those that a rule asks for.

    Args:
        asked: What the rule asks for.
    """

    asked: RequestCondition

    @property
    def doubt(self) -> Caveat | None:
        """What an answer carries of which it is not known whether it matches."""
        return self.asked.doubt

    def matches(self, request: "Request") -> bool | None:
        """Return whether a request is none of those; None where nobody can say."""
        found = self.asked.matches(request)
        return None if found is None else not found

    def given(self, request: "Request") -> RequestMatch:
        """Return what is still asked of a request, of what is not told of that."""
        return self._others(self.asked.given(request))

    def requests(self) -> RequestMatch:
        """Return them as sets."""
        return self._others(self.asked.requests())

    def _others(self, found: RequestMatch) -> RequestMatch:
        every = found.must if found.may is None else found.must | found.may
        return RequestMatch(~every, found.may, found.doubt, str(self))

    def __str__(self) -> str:
        """Render for people."""
        return f"any request but {self.asked}"


def refused(policy: Policy) -> Iterator[Policy]:
    """Yield what refuses the requests that rules of a policy do not let through, if any asks."""
    rules = tuple(
        replace(rule, action=Action.DENY, request=rule.request and Others(rule.request))
        for rule in _asking(policy)
    )
    if rules:
        yield replace(policy, rules=rules, isolates=frozenset(), band=REFUSED)


def looked_at(policy: Policy, band: int) -> Iterator[Policy]:
    """Yield what lets through all requests that rules of a policy only look at, if any asks.

    Args:
        policy: The policy.
        band: The band that is asked where no policy closes.
    """
    rules = tuple(replace(rule, request=None) for rule in _asking(policy))
    if rules:
        yield replace(policy, rules=rules, isolates=frozenset(), band=band)


def _asking(policy: Policy) -> Iterator[Rule]:
    """Yield the rules that ask about requests, without what they ask of those that nobody models.

    The parser such a rule names is asked in any case.
    """
    for rule in policy.rules:
        if rule.action is not Action.ALLOW:
            continue
        if caveats.L7_NOT_MODELLED in rule.caveats:
            besides = {caveats.PORT_RANGE, caveats.AUTHENTICATION} & {*rule.caveats}
            yield rule if besides else replace(rule, condition=None)
        elif rule.request is not None:
            yield rule


def before_others(profile: Profile, tier: str, others: frozenset[str]) -> bool:
    """Return whether any of some tiers comes after one.

    Args:
        profile: Who enforces.
        tier: The one.
        others: The others, by name.
    """
    order = [each.name for layer in profile.layers[:1] for each in layer.tiers]
    return tier in order and any(each in others for each in order[order.index(tier) + 1 :])
