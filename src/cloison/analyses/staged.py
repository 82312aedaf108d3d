"""Staged policies: the cluster as it would be if they were enforced.

A staged policy says what somebody means to enforce. It takes the place of the enforced policy of
its name, if there is one, or takes that away.
"""

from collections.abc import Iterator
from dataclasses import replace

from cloison.base import Diagnostic, Severity
from cloison.ir.policy import Mode, Policy, PolicySet

PREVIEWED = "APP010"
"""Code of what is said of each staged policy that is shown as if it were enforced."""


def staged(policies: PolicySet) -> tuple[Policy, ...]:
    """Return the staged policies, sorted by kind and name."""
    found = (p for p in policies.policies if p.mode is Mode.STAGED)
    return tuple(sorted(found, key=lambda p: (p.id.kind, str(p.id))))


def enforced(policies: PolicySet) -> PolicySet:
    """Return the set in which each staged policy has taken the place of its enforced twin."""
    gone = {p.preview.replaces for p in staged(policies) if p.preview is not None}
    kept = tuple(p for p in policies.policies if p.mode is not Mode.ENFORCED or p.id not in gone)
    return added(replace(policies, policies=kept))


def added(policies: PolicySet) -> PolicySet:
    """Return the set in which staged policies are enforced beside their twins, not instead.

    So does an enforcer look ahead that counts staged policies as if they were real ones, and
    leaves removals out.
    """
    found = tuple(
        replace(p, mode=Mode.ENFORCED, preview=None) if _says(p) else p for p in policies.policies
    )
    return replace(policies, policies=found)


def _says(policy: Policy) -> bool:
    """Return whether a policy is staged and would do more than take another one away."""
    removes = policy.preview is not None and policy.preview.removes
    return policy.mode is Mode.STAGED and not removes


def previewed(policies: PolicySet) -> Iterator[Diagnostic]:
    """Say what `enforced` makes of each staged policy, and what to know about that."""
    there = {p.id for p in policies.policies if p.mode is Mode.ENFORCED}
    for policy in staged(policies):
        preview = policy.preview
        own = f"{policy.id.kind} {policy.id}"
        twin = None
        if preview is not None and preview.replaces in there:
            twin = f"{preview.replaces.kind} {preview.replaces}"
        if preview is not None and preview.removes:
            said = f"{twin} is left out, as {own} says" if twin else f"{own} removes nothing"
        else:
            said = f"{own} is shown as if it were enforced"
            said += f", in place of {twin}" if twin else ""
        caveat = preview.caveat if preview is not None else None
        yield Diagnostic(
            PREVIEWED,
            Severity.INFO,
            said,
            policy.span,
            own,
            caveat.text if caveat is not None else None,
            None,
            caveat.source if caveat is not None else None,
        )
