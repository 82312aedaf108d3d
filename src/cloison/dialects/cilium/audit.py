"""Policies under `policy-audit-mode`: what they would drop passes, and is only reported.

That is so of connections. A request still meets the proxy it is led through, which lets through
what some rule does, and refuses the rest.

Source: Cilium documentation, Creating policies from verdicts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cloison.dialects.cilium import caveats
from cloison.ir.policy import EVERY_TRAFFIC, Action, AnyMatch, Peer, Policy, PolicyId, Rule

REFUSED, PASSED = 1, 2
"""Bands of the tier: in which requests are refused, and in which the rest passes.

Both are only asked where some policy closes the direction.
"""


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
    refused = tuple(
        replace(rule, action=Action.DENY, request=None)
        for rule in policy.rules
        if rule.request is not None and rule.action is Action.ALLOW
    )
    if refused:
        yield replace(policy, rules=refused, isolates=frozenset(), band=REFUSED)
    rest = (
        Rule(each, Action.ALLOW, (Peer(AnyMatch()),), EVERY_TRAFFIC, 1)
        for each in sorted(policy.isolates)
    )
    if policy.isolates:
        yield _passed(policy, map(_noted, rest), PASSED)


def _noted(rule: Rule) -> Rule:
    """Return a rule that lets pass what would be dropped, and says so."""
    return replace(rule, action=Action.ALLOW, caveats=(*rule.caveats, caveats.AUDIT_MODE))


def _passed(policy: Policy, rules: Iterable[Rule], band: int) -> Policy:
    """Return what lets pass, instead of a policy, what that would drop."""
    name = PolicyId("policy-audit-mode", policy.id.namespace, policy.id.name)
    return replace(
        policy, id=name, rules=tuple(rules), isolates=frozenset(), band=band, stated=False
    )
