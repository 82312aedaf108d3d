"""Whether policies that are evaluated in an order mean the same where every denial comes first.

Cilium merges all policies into one level. So what is denied must be denied there, too, though no
allowing rule was asked before; and what is allowed must have been asked at all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cloison.dialects.writing import Statement, WriteContext
from cloison.dialects.writing.errors import UnsayableError
from cloison.dialects.writing.labels import meet
from cloison.dialects.writing.order import Order
from cloison.dialects.writing.ports import everything
from cloison.ir.peers import AnyMatch, AnyOf, BlockMatch, PeerMatch, PodsMatch
from cloison.ir.policy import Action, Combine, Direction, Policy, Rule
from cloison.ir.profile import Place


@dataclass(frozen=True)
class Level(Order):
    """The order of policies that come to one level."""

    @classmethod
    def of(cls, statements: Sequence[Statement], context: WriteContext) -> "Level":
        """Return the order of what is written and what stays."""
        found = super().of(statements, context)
        # What nobody states is the enforcer's own, and is there anyway.
        return replace(found, staying=tuple(p for p in found.staying if p.stated))

    def check(self, policy: Policy) -> None:
        """Check that a policy means the same whatever the order.

        Raises:
            UnsayableError: It does not.
        """
        if not self.asked(policy):
            raise UnsayableError("no policy is asked anything here", "kind")
        for direction in Direction:
            others = [other for other in self.every if self.share(policy, other, direction)]
            self._check_passing(policy, direction)
            self._check_denials(policy, others, direction)
            self._check_reached(policy, others, direction)
            self._check_passed_by(policy, others, direction)
            self._check_staying(policy, others, direction)

    def isolates(self, policy: Policy, direction: Direction) -> bool:
        """Return whether what no rule of a policy's tier allows is denied.

        A policy that ends with passing everything on leaves nothing for the end of its tier; one
        that ends with denying everything isolates, in other words.
        """
        ends = direction in policy.isolates and self.tier(policy).end is Action.DENY
        return self.closes(policy, direction) or (ends and not passes_all(policy, direction))

    def closes(self, policy: Policy, direction: Direction) -> bool:
        """Return whether the last rule of a policy denies everything to everybody."""
        rules = policy.rules_for(direction)
        if not rules or rules[-1].action is not Action.DENY:
            return False
        last = rules[-1]
        source = self.context.source
        everybody = any(isinstance(peer.match, AnyMatch) for peer in last.peers)
        if source.block_matches_pods and source.block_matches_nodes:
            families = {
                peer.match.family
                for peer in last.peers
                if isinstance(peer.match, BlockMatch) and peer.match.whole and not peer.match.holes
            }
            everybody = everybody or families == {4, 6}
        return everybody and _everything(last)

    def _check_passing(self, policy: Policy, direction: Direction) -> None:
        rules = policy.rules_for(direction)
        for rule in rules[:-1] if passes_all(policy, direction) else rules:
            if rule.action is Action.PASS:
                error = UnsayableError(
                    "there is nothing that leaves the decision to later policies", "action"
                )
                error.within = rule.span
                raise error

    def _check_denials(
        self, policy: Policy, others: Sequence[Policy], direction: Direction
    ) -> None:
        rules = policy.rules_for(direction)
        closing = rules[-1] if self.closes(policy, direction) else None
        if closing is not None:
            self._check_closing(policy, closing, others, direction)
        for rule in rules:
            if rule.action is not Action.DENY or rule is closing:
                continue
            for other in (policy, *others):
                allowing = self._asked_before(policy, rule, other, direction)
                if any(self._overlap(rule, each) for each in allowing):
                    name = "an earlier rule of it" if other is policy else f"{other.id.said}"
                    error = UnsayableError(
                        f"{name} comes first and allows part of what this denies; there every "
                        "denial comes first",
                        "action",
                    )
                    error.within = rule.span
                    raise error

    def _check_closing(
        self, policy: Policy, rule: Rule, others: Sequence[Policy], direction: Direction
    ) -> None:
        """Check that nothing allows later what a policy denies at its end.

        Raises:
            UnsayableError: Something does: it would not be denied any more.
        """
        for other in others:
            allows = any(r.action is Action.ALLOW for r in other.rules_for(direction))
            if allows and self.rank(other) >= self.rank(policy):
                error = UnsayableError(
                    f"{other.id.said} comes later and allows what this denies to everybody; there "
                    "what is left is denied only after all that is allowed",
                    "action",
                )
                error.within = rule.span
                raise error

    def _asked_before(
        self, policy: Policy, rule: Rule, other: Policy, direction: Direction
    ) -> Iterator[Rule]:
        """Yield the allowing rules of a policy that are asked before a denying one."""
        ordered = self.tier(policy).bands[policy.band] is Combine.FIRST_MATCH
        for each in other.rules_for(direction):
            if each.action is not Action.ALLOW:
                continue
            if other is policy:
                if ordered and each.index < rule.index:
                    yield each
            elif self.rank(other) < self.rank(policy):
                yield each

    def _check_reached(
        self, policy: Policy, others: Sequence[Policy], direction: Direction
    ) -> None:
        """Check that rules that allow are asked, although an earlier tier may have denied.

        Raises:
            UnsayableError: They may not be.
        """
        if not any(r.action is Action.ALLOW for r in policy.rules_for(direction)):
            return
        mine = self.number(policy.tier)
        for other in others:
            if self.number(other.tier) < mine and self.isolates(other, direction):
                raise UnsayableError(
                    f"{other.id.said} isolates some of the same pods in an earlier tier, and what "
                    "it does not allow never comes here",
                    "tier",
                    "spec",
                )

    def _check_passed_by(
        self, policy: Policy, others: Sequence[Policy], direction: Direction
    ) -> None:
        """Check that no policy of its tier passes on what this one would be asked about.

        Raises:
            UnsayableError: One does, or may.
        """
        mine = [r for r in policy.rules_for(direction) if r.action in (Action.ALLOW, Action.DENY)]
        for other in others:
            same = self.number(other.tier) == self.number(policy.tier)
            if not same or self.rank(other) > self.rank(policy):
                continue
            passing = [r for r in other.rules_for(direction) if r.action is Action.PASS]
            if any(self._overlap(rule, each) for rule in mine for each in passing):
                raise UnsayableError(
                    f"{other.id.said} comes first and passes on part of what this is about, so "
                    "that it is never asked",
                    "order",
                    "priority",
                    "spec",
                )

    def _check_staying(
        self, policy: Policy, others: Sequence[Policy], direction: Direction
    ) -> None:
        """Check that a policy that is moved comes where it came before, beside what stays.

        Raises:
            UnsayableError: It does not, and the two disagree about something.
        """
        staying = {id(each) for each in self.staying}
        for other in others:
            if id(other) in staying and self._disturbed(policy, other, direction):
                raise UnsayableError(
                    "another policy that stays as it is is evaluated in an order with this one",
                    "order",
                    "priority",
                    "tier",
                    "spec",
                    help_=f"convert both, or leave both: the other is {other.id.kind} {other.id}",
                )

    def _disturbed(self, policy: Policy, other: Policy, direction: Direction) -> bool:
        """Return whether the order of two policies changes, and that matters."""
        place = self.context.source.places.get("NetworkPolicy") or Place("networkpolicy")
        here = next((n for n, tier in enumerate(self.tiers) if tier.name == place.tier), 0)
        before, there = self.rank(policy) < self.rank(other), self.number(other.tier)
        if there == here:
            # Every denial comes first there; so an allowing rule must not have been first.
            return before and self._disagree(policy, other, direction, Action.ALLOW)
        if before == (here < there) and self.rank(policy) != self.rank(other):
            return False
        return any(
            self._disagree(policy, other, direction, action)
            for action in (Action.ALLOW, Action.DENY)
        )

    def _disagree(
        self, policy: Policy, other: Policy, direction: Direction, action: Action
    ) -> bool:
        """Return whether a policy does something to what another does the opposite to."""
        opposite = Action.DENY if action is Action.ALLOW else Action.ALLOW
        return any(
            self._overlap(rule, each)
            for rule in policy.rules_for(direction)
            if rule.action is action
            for each in other.rules_for(direction)
            if each.action is opposite
        )

    def _overlap(self, rule: Rule, other: Rule) -> bool:
        """Return whether two rules may match the same flow."""
        mine, theirs = rule.traffic, other.traffic
        shared = (mine.must | mine.may) & (theirs.must | theirs.may)
        if not shared and not mine.named and not theirs.named:
            return False
        return any(
            self._met(a, b)
            for one in rule.peers
            for two in other.peers
            for a in _flat(one.match)
            for b in _flat(two.match)
        )

    def _met(self, one: PeerMatch, other: PeerMatch) -> bool:
        """Return whether somebody may be matched by both."""
        match one, other:
            case PodsMatch(), PodsMatch():
                return meet(one, other, self.context.world)
            case BlockMatch(), BlockMatch():
                return bool(one.addresses & other.addresses)
            case (PodsMatch(), BlockMatch()) | (BlockMatch(), PodsMatch()):
                return self.context.source.block_matches_pods
            case _:
                return True


def passes_all(policy: Policy, direction: Direction) -> bool:
    """Return whether the last rule of a policy passes on whatever comes to it."""
    rules = policy.rules_for(direction)
    if not rules or rules[-1].action is not Action.PASS:
        return False
    last = rules[-1]
    return any(isinstance(peer.match, AnyMatch) for peer in last.peers) and _everything(last)


def _everything(rule: Rule) -> bool:
    """Return whether a rule is about all traffic of all subjects."""
    return everything(rule.traffic) and not rule.asks and rule.subjects is None


def _flat(match: PeerMatch) -> Iterator[PeerMatch]:
    if isinstance(match, AnyOf):
        for each in match.matches:
            yield from _flat(each)
    else:
        yield match
