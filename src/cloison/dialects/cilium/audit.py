"""Policies under `policy-audit-mode`: what they would drop passes, and is only reported.

That is so of connections. A request still meets the proxy it is led through, which lets through
what some rule does, and refuses the rest.

Source: Cilium documentation, Creating policies from verdicts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cloison.dialects.cilium import caveats
from cloison.dialects.cilium.refused import refused
from cloison.ir.peers import AnyMatch
from cloison.ir.policy import EVERY_TRAFFIC, Action, Peer, Policy, PolicyId, Rule

PASSED = 2
"""Band of the tier in which passes what is left; it is only asked where some policy closes."""


def audited(policy: Policy) -> Iterator[Policy]:
    """Yield what a policy comes to whose denials are only reported."""
    denied = tuple(rule for rule in policy.rules if rule.action is Action.DENY)
    rules = tuple(
        replace(rule, action=Action.LOG) if rule.action is Action.DENY else rule
        for rule in policy.rules
    )
    yield replace(policy, rules=rules)
    if denied:
        # What is denied is not led through the proxy, either.
        yield _passed(policy, map(_noted, denied), policy.band)
    yield from refused(policy)
    rest = (
        Rule(each, Action.ALLOW, (Peer(AnyMatch()),), EVERY_TRAFFIC, 1)
        for each in sorted(policy.isolates)
    )
    if policy.isolates:
        yield _passed(policy, map(_noted, rest), PASSED)


def reported(policy: Policy) -> Policy:
    """Return a policy of another tier, whose denials are only reported: nothing else decides."""
    if not any(rule.action is Action.DENY for rule in policy.rules):
        return policy
    rules = tuple(_noted(each) if each.action is Action.DENY else each for each in policy.rules)
    return replace(policy, rules=rules)


def _noted(rule: Rule) -> Rule:
    """Return a rule that lets pass what would be dropped, and says so."""
    return replace(rule, action=Action.ALLOW, caveats=(*rule.caveats, caveats.AUDIT_MODE))


def _passed(policy: Policy, rules: Iterable[Rule], band: int) -> Policy:
    """Return what lets pass, instead of a policy, what that would drop."""
    name = PolicyId("policy-audit-mode", policy.id.namespace, policy.id.name)
    return replace(
        policy, id=name, rules=tuple(rules), isolates=frozenset(), band=band, stated=False
    )
