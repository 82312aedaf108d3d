"""What a change does to a policy, in the IR: several changes to one policy can be put together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cloison.ir.policy import Peer, Policy, PolicyId, Rule


@dataclass(frozen=True, slots=True)
class Edit:
    """What a change does to one policy.

    Args:
        policy: The policy as it was when the change was made up; a new one as it is without the
            rules.
        rules: Rules that are added.
        meant: The policy as it should be; None where rules are only added.
        new: Whether nobody has written the policy yet.
        order: Its place among all changes that were made up: later ones know of earlier ones.
    """

    policy: Policy
    rules: tuple[Rule, ...] = ()
    meant: Policy | None = None
    new: bool = False
    order: int = 0

    @property
    def id(self) -> PolicyId:
        """The policy that is changed."""
        return self.policy.id

    def done(self, policy: Policy | None) -> Policy:
        """Return a policy with the change.

        Args:
            policy: The policy as it is, perhaps with other changes; None where there is none yet.
        """
        there = replace(self.policy, rules=(), isolates=frozenset()) if self.new else self.policy
        found = policy or there
        if self.meant is not None:
            found = _met(found, self.policy, self.meant)
        known = {_said(rule) for rule in found.rules}
        for rule in self.rules:
            if _said(rule) in known:
                continue
            known.add(_said(rule))
            index = max((r.index for r in found.rules_for(rule.direction)), default=0) + 1
            isolates = found.isolates | {rule.direction} if self.new else found.isolates
            more = replace(rule, index=index, span=None)
            found = replace(found, rules=(*found.rules, more), isolates=isolates)
        return found


def all_done(policy: Policy | None, edits: Iterable[Edit]) -> Policy | None:
    """Return a policy with some changes.

    Rules are added in the order given, unless something else is changed, too: what is changed may
    be a rule that was added before.

    Args:
        policy: The policy as it is written; None where nobody has written it yet.
        edits: Changes to it.
    """
    every = list(edits)
    if any(each.meant is not None for each in every):
        every.sort(key=lambda edit: edit.order)
    for each in every:
        policy = each.done(policy)
    return policy


def _said(rule: Rule) -> object:
    """Return what a rule says, wherever it stands."""
    return replace(rule, index=0, span=None, peers=tuple(Peer(peer.match) for peer in rule.peers))


def _met(policy: Policy, was: Policy, meant: Policy) -> Policy:
    """Return a policy in which what differs between two others is changed."""
    if len(was.rules) != len(meant.rules):
        return meant
    changed = [pair for pair in zip(was.rules, meant.rules, strict=True) if pair[0] != pair[1]]
    rules = [_changed(rule, changed) for rule in policy.rules]
    return replace(
        policy,
        rules=tuple(rules),
        subjects=policy.subjects if was.subjects == meant.subjects else meant.subjects,
        isolates=policy.isolates if was.isolates == meant.isolates else meant.isolates,
    )


def _changed(rule: Rule, changes: Sequence[tuple[Rule, Rule]]) -> Rule:
    """Return a rule in which is changed what differs between two others, if it is the first."""
    for was, meant in changes:
        if _said(rule) == _said(was):
            return replace(meant, index=rule.index)
    for was, meant in changes:
        # Somebody else changed it already: its place is what tells it.
        same = (rule.direction, rule.index) == (was.direction, was.index)
        if same and replace(was, peers=()) == replace(meant, peers=()):
            return replace(rule, peers=tuple(_peers(rule, was, meant)))
    return rule


def _peers(rule: Rule, was: Rule, meant: Rule) -> Iterator[Peer]:
    gone = {peer.match for peer in was.peers} - {peer.match for peer in meant.peers}
    came = [peer for peer in meant.peers if peer.match not in {p.match for p in was.peers}]
    yield from came
    yield from (peer for peer in rule.peers if peer.match not in gone)
