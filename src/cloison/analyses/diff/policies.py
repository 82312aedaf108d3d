"""Which policies two snapshots do not share, whether or not that changes anything."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from cloison.base import Span
from cloison.ir.policy import Combine, Policy, PolicyId, PolicySet, Rule

_Body = tuple[object, ...]


class PolicyKind(StrEnum):
    """What became of a policy."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    RENAMED = "renamed"
    """It says the same under another name."""


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A policy that is not the same on both sides, whether or not that changes anything.

    Args:
        id: The policy; its name after, where it has one.
        kind: What became of it.
        before: Where it was written.
        after: Where it is written now.
        was: Its name before, where that is another.
    """

    id: PolicyId
    kind: PolicyKind
    before: Span | None = None
    after: Span | None = None
    was: PolicyId | None = None


def policy_changes(before: PolicySet, after: PolicySet) -> tuple[PolicyChange, ...]:
    """Return the policies that are not the same, sorted by kind of object and name.

    Where and in what order something is written does not count, but for rules that are tried
    one after the other. A policy that is gone while another of its namespace says the same
    under a new name was renamed.
    """
    was, now = _bodies(before), _bodies(after)
    both = was.keys() & now.keys()
    changes = [
        PolicyChange(id_, PolicyKind.CHANGED, was[id_][0].span, now[id_][0].span)
        for id_ in both
        if was[id_][1] != now[id_][1]
    ]
    gone = [was[id_] for id_ in was.keys() - both]
    come = [now[id_] for id_ in now.keys() - both]
    renamed = list(_renamed(gone, come))
    changes += (
        PolicyChange(new.id, PolicyKind.RENAMED, old.span, new.span, old.id) for old, new in renamed
    )
    named = {id_ for old, new in renamed for id_ in (old.id, new.id)}
    changes += (
        PolicyChange(policy.id, PolicyKind.REMOVED, before=policy.span)
        for policy, _ in gone
        if policy.id not in named
    )
    changes += (
        PolicyChange(policy.id, PolicyKind.ADDED, after=policy.span)
        for policy, _ in come
        if policy.id not in named
    )
    return tuple(sorted(changes, key=lambda change: (change.id.kind, str(change.id))))


def _bodies(known: PolicySet) -> dict[PolicyId, tuple[Policy, _Body]]:
    bands = {tier.name: tier.bands for layer in known.layers for tier in layer.tiers}
    return {
        policy.id: (policy, _body(policy, bands.get(policy.tier, ()))) for policy in known.policies
    }


def _body(policy: Policy, bands: tuple[Combine, ...]) -> _Body:
    """Return what a policy says, but for its name and where that is written."""
    rules = [_rule(rule) for rule in policy.rules]
    ordered = policy.band < len(bands) and bands[policy.band] is Combine.FIRST_MATCH
    return (
        policy.id.kind,
        policy.id.namespace,
        policy.subjects,
        policy.isolates,
        tuple(rules) if ordered else frozenset(rules),
        policy.tier,
        policy.band,
        policy.order,
        policy.mode,
        policy.opaque,
    )


def _rule(rule: Rule) -> tuple[object, ...]:
    peers = frozenset(peer.match for peer in rule.peers)
    return peers, replace(rule, peers=(), index=0, span=None)


def _renamed(
    gone: list[tuple[Policy, _Body]], come: list[tuple[Policy, _Body]]
) -> Iterator[tuple[Policy, Policy]]:
    """Pair policies that say the same, in the order of their names."""
    by_body: dict[_Body, list[Policy]] = defaultdict(list)
    for policy, body in come:
        by_body[body].append(policy)
    for found in by_body.values():
        found.sort(key=lambda policy: str(policy.id), reverse=True)
    for policy, body in sorted(gone, key=lambda each: str(each[0].id)):
        if by_body.get(body):
            yield policy, by_body[body].pop()
