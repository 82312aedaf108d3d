"""Which policies two snapshots do not share, whether or not that changes anything.

Tiers and address groups that objects declare are told too: what they say, policies stand on.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from cloison.base import Span
from cloison.ir.peers import AllOf, AnyOf, NoneOf, PeerMatch
from cloison.ir.policy import (
    AddressGroup,
    Combine,
    Mode,
    Policy,
    PolicyId,
    PolicySet,
    Rule,
    TierSpec,
)

TIER = "Tier"
"""Kind under which a tier is named."""

_Body = tuple[object, ...]


class PolicyKind(StrEnum):
    """What became of a policy."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    RENAMED = "renamed"
    """It says the same under another name."""
    ENFORCED = "enforced"
    """It says the same, and was staged before."""


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A policy, tier or address group that is not the same on both sides, whatever that changes.

    Args:
        id: The object; its name after, where it has one.
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


@dataclass(frozen=True, slots=True)
class _Object:
    """What a snapshot says of one object.

    Args:
        id: Its name.
        span: Where it is written.
        body: What it says, but for its name and where that is written.
        mode: Whether it takes part.
    """

    id: PolicyId
    span: Span | None
    body: _Body
    mode: Mode = Mode.ENFORCED


def policy_changes(before: PolicySet, after: PolicySet) -> tuple[PolicyChange, ...]:
    """Return what is not the same, sorted by kind of object and name.

    Where and in what order something is written does not count, but for rules that are tried
    one after the other. A policy that is gone while another of its namespace says the same
    under a new name was renamed.
    """
    was, now = _objects(before), _objects(after)
    both = was.keys() & now.keys()
    changes = [
        PolicyChange(id_, kind, was[id_].span, now[id_].span)
        for id_ in both
        if (kind := _kept(was[id_], now[id_])) is not None
    ]
    gone = [was[id_] for id_ in was.keys() - both]
    come = [now[id_] for id_ in now.keys() - both]
    renamed = list(_renamed(gone, come))
    changes += (
        PolicyChange(new.id, PolicyKind.RENAMED, old.span, new.span, old.id) for old, new in renamed
    )
    named = {id_ for old, new in renamed for id_ in (old.id, new.id)}
    changes += (
        PolicyChange(each.id, PolicyKind.REMOVED, before=each.span)
        for each in gone
        if each.id not in named
    )
    changes += (
        PolicyChange(each.id, PolicyKind.ADDED, after=each.span)
        for each in come
        if each.id not in named
    )
    return tuple(sorted(changes, key=lambda change: (change.id.kind, str(change.id))))


def _kept(was: _Object, now: _Object) -> PolicyKind | None:
    """Return what became of an object that both sides have; None when nothing did."""
    if was.body != now.body:
        return PolicyKind.CHANGED
    if was.mode is now.mode:
        return None
    promoted = (was.mode, now.mode) == (Mode.STAGED, Mode.ENFORCED)
    return PolicyKind.ENFORCED if promoted else PolicyKind.CHANGED


def _objects(known: PolicySet) -> dict[PolicyId, _Object]:
    tiers = [tier for layer in known.layers for tier in layer.tiers]
    bands = {tier.name: tier.bands for tier in tiers}
    policies: dict[PolicyId, list[_Object]] = defaultdict(list)
    for policy in known.policies:
        body = _policy(policy, bands.get(policy.tier, ()))
        policies[policy.id].append(_Object(policy.id, policy.span, body, policy.mode))
    # One object may come to several policies: what it says is what all of them say.
    found = {
        id_: same[0] if len(same) == 1 else replace(same[0], body=(_all(o.body for o in same),))
        for id_, same in policies.items()
    }
    for tier in tiers:
        if tier.span is not None:
            id_ = PolicyId(TIER, None, tier.name)
            found[id_] = _Object(id_, tier.span, _tier(tier))
    for group in known.groups:
        found[group.id] = _Object(group.id, group.span, _group(group))
    return found


def _all(bodies: Iterator[_Body]) -> frozenset[_Body]:
    return frozenset(bodies)


def _policy(policy: Policy, bands: tuple[Combine, ...]) -> _Body:
    rules = [_rule(rule) for rule in policy.rules]
    ordered = policy.band < len(bands) and bands[policy.band] is Combine.FIRST_MATCH
    preview = policy.preview if policy.mode is Mode.STAGED else None
    # What tells equal orders apart is made of the name.
    place = tuple(each for each in policy.order if not isinstance(each, str))
    return (
        policy.id.kind,
        policy.id.namespace,
        frozenset(policy.subjects),
        policy.nodes,
        policy.isolates,
        tuple(rules) if ordered else frozenset(rules),
        policy.tier,
        policy.band,
        place,
        policy.opaque,
        preview is not None and preview.removes,
    )


def _rule(rule: Rule) -> _Body:
    subjects = None if rule.subjects is None else frozenset(map(_match, rule.subjects))
    peers = frozenset(_match(peer.match) for peer in rule.peers)
    return peers, subjects, replace(rule, peers=(), subjects=None, index=0, span=None)


def _match(match: PeerMatch) -> object:
    """Return what a peer says, in whatever order its parts are written."""
    if isinstance(match, AnyOf | AllOf | NoneOf):
        return type(match), frozenset(map(_match, match.matches))
    return match


def _tier(tier: TierSpec) -> _Body:
    return TIER, tier.bands, tier.end, tier.end_scope, tier.order


def _group(group: AddressGroup) -> _Body:
    return group.id.kind, group.id.namespace, frozenset(group.labels.items()), group.addresses


def _renamed(gone: list[_Object], come: list[_Object]) -> Iterator[tuple[_Object, _Object]]:
    """Pair objects that say the same, in the order of their names."""
    by_body: dict[tuple[_Body, Mode], list[_Object]] = defaultdict(list)
    for each in come:
        by_body[each.body, each.mode].append(each)
    for found in by_body.values():
        found.sort(key=lambda each: str(each.id), reverse=True)
    for each in sorted(gone, key=lambda each: str(each.id)):
        same = by_body.get((each.body, each.mode))
        if same:
            yield each, same.pop()
