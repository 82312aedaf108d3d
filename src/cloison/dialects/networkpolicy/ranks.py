"""Where policies stand among one another, and what that asks of those that are written."""

from collections.abc import Iterator
from dataclasses import dataclass

from cloison.algebra import LabelSet
from cloison.dialects.writing.errors import UnsayableError
from cloison.dialects.writing.order import Order
from cloison.dialects.writing.ports import everything
from cloison.dialects.writing.shadow import places
from cloison.ir.peers import AnyMatch, BlockMatch, PodsMatch
from cloison.ir.policy import Action, Combine, Direction, Policy, TierSpec
from cloison.ir.profile import Place


@dataclass(frozen=True)
class Ranks(Order):
    """The order of policies, what comes before each, and what after it."""

    def end(self, policy: Policy) -> Action | None:
        """Return what happens at the end of a policy's tier."""
        return self.tier(policy).end

    def tiers_before(self, policy: Policy) -> tuple[TierSpec, ...]:
        """Return the tiers before a policy's own."""
        return self.tiers[: self.number(policy.tier)]

    def merged(self, policy: Policy) -> bool:
        """Return whether a policy is one of many in which every denial comes first."""
        return self.tier(policy).bands[policy.band] is Combine.DENY_OVERRIDES

    def earlier(self, policy: Policy) -> list[Policy]:
        """Return the policies that are written and evaluated before one, in order.

        Where every denial comes first, those are all that deny something.
        """
        mine = self.rank(policy)
        merged = self.merged(policy)
        found = [
            each
            for each in self.going
            if self.rank(each) < mine
            or (merged and self.rank(each) == mine and each is not policy and _denies(each))
        ]
        return sorted(found, key=lambda each: (self.rank(each), str(each.id)))

    def last(self, policy: Policy, direction: Direction) -> bool:
        """Return whether what a policy passes on is allowed, because no later tier decides."""
        return not list(self._later(policy, direction))

    def check(self, policy: Policy) -> None:
        """Check that a policy can be written apart from what its rules say.

        Raises:
            UnsayableError: It does not isolate, or what stays would be evaluated otherwise.
        """
        if not self.asked(policy):
            raise UnsayableError("no policy is asked anything here", "kind")
        for direction in Direction:
            if not policy.rules_for(direction) and direction not in policy.isolates:
                continue
            closed = direction in policy.isolates and self.end(policy) is Action.DENY
            if not closed and not self._closed(policy, direction):
                raise UnsayableError(
                    f"it does not isolate its pods for {direction}, and a NetworkPolicy would: "
                    "what no rule decides passes on here",
                    "action",
                    "spec",
                    help_="keep it, or write what else its pods are allowed",
                )
            self._check_passing(policy, direction, closed=closed)
            self._check_staying(policy, direction)

    def _check_passing(self, policy: Policy, direction: Direction, *, closed: bool) -> None:
        passing = next((r for r in policy.rules_for(direction) if r.action is Action.PASS), None)
        if passing is None or not closed or self.last(policy, direction):
            return
        later = list(self._later(policy, direction))
        if not all(
            any(_within(s, t) for other in later for t in other.subjects) for s in policy.subjects
        ):
            error = UnsayableError(
                "what is passed on is decided by policies that are about some of the pods only",
                "action",
            )
            error.within = passing.span
            raise error

    def _check_staying(self, policy: Policy, direction: Direction) -> None:
        acts = any(r.action is not Action.ALLOW for r in policy.rules_for(direction))
        place = self.context.source.places.get("NetworkPolicy") or Place("networkpolicy")
        for other in self.staying:
            if other.opaque is not None or not self.share(policy, other, direction):
                continue
            theirs = any(r.action is not Action.ALLOW for r in other.rules_for(direction))
            here = (self.number(place.tier), place.band, place.at(policy.id))
            moved = (self.rank(other) < self.rank(policy)) != (self.rank(other) < here)
            apart = (other.tier == policy.tier) != (other.tier == place.tier)
            later = self.rank(other) > self.rank(policy)
            ordered = acts or theirs or other.tier != policy.tier
            lets = any(r.action is Action.ALLOW for r in other.rules_for(direction))
            undone = acts and lets and other.stated and self.merged(policy)
            if undone:
                error = UnsayableError(
                    "a denial comes before what any policy allows, and a NetworkPolicy has none: "
                    "another policy that stays as it is allows something to pods that may be the "
                    "same",
                    f"{direction}Deny",
                    "spec",
                    help_=f"convert both, or leave both: the other is {other.id.kind} {other.id}",
                )
                error.within = policy.span
                raise error
            if (acts and later) or (moved and ordered) or apart:
                raise UnsayableError(
                    "another policy that stays as it is is about some of the same pods, and is "
                    "evaluated in an order with this one",
                    "order",
                    "priority",
                    "tier",
                    "spec",
                    help_=f"convert both, or leave both: the other is {other.id.kind} {other.id}",
                )

    def _closed(self, policy: Policy, direction: Direction) -> bool:
        """Return whether other policies isolate all the pods of one."""
        return all(
            any(
                _within(subject, theirs)
                for other in self.every
                if (
                    other.id != policy.id
                    and direction in other.isolates
                    and self.end(other) is Action.DENY
                )
                or closes(other, direction)
                for theirs in other.subjects
            )
            for subject in policy.subjects
        )

    def _later(self, policy: Policy, direction: Direction) -> Iterator[Policy]:
        number = self.rank(policy)[0]
        for other in self.every:
            if self.rank(other)[0] > number and self.share(policy, other, direction):
                yield other


def _denies(policy: Policy) -> bool:
    return any(rule.action is Action.DENY for rule in policy.rules)


def closes(policy: Policy, direction: Direction) -> bool:
    """Return whether a policy's last rule denies everything: it isolates, in other words."""
    rules = policy.rules_for(direction)
    if not rules or rules[-1].action is not Action.DENY or not everything(rules[-1].traffic):
        return False
    last = rules[-1]
    if last.asks or last.subjects is not None:
        return False
    whole = {
        p.match.family for p in last.peers if isinstance(p.match, BlockMatch) and _all(p.match)
    }
    return len(whole) > 1 or any(isinstance(p.match, AnyMatch) for p in last.peers)


def _all(block: BlockMatch) -> bool:
    return block.whole and not block.holes


def _within(subject: PodsMatch, other: PodsMatch) -> bool:
    """Return whether one finds only pods that the other finds, too."""
    if other.accounts and other.accounts != subject.accounts:
        return False
    if not (LabelSet.says(other.pods) and LabelSet.says(other.namespaces)):
        return subject == other
    return LabelSet.of(subject.pods) <= LabelSet.of(other.pods) and places(subject) <= places(other)
