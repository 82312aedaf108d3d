"""Suspicions about order: rules and policies that come too late to decide anything.

They hold whatever the world is: one match counts as part of another only where the selectors or
addresses themselves say so.
"""

from collections.abc import Callable, Iterator, Sequence

from cloison.algebra import L4
from cloison.base import Diagnostic, Severity
from cloison.dialects.adminpolicy.case import Case
from cloison.dialects.adminpolicy.say import DOCS
from cloison.dialects.reading.say import suspect
from cloison.ir.peers import AnyMatch, BlockMatch, NamesMatch, NodesMatch, PeerMatch, PodsMatch
from cloison.ir.policy import Action, Direction, Rule


def _shadowed(cases: Sequence[Case]) -> Iterator[Diagnostic]:
    """A rule that an earlier rule of the policy leaves nothing for."""
    for case in cases:
        for direction in Direction:
            rules = case.meaning.rules_for(direction)
            for i, rule in enumerate(rules):
                earlier = next((other for other in rules[:i] if covers(other, rule)), None)
                if earlier is None:
                    continue
                same = earlier.action is rule.action
                yield suspect(
                    "ADS002",
                    case.policy,
                    rule.span,
                    f"{rule.label} never decides: {earlier.label} matches all that it does",
                    effect="it changes nothing"
                    if same
                    else f"its `{case.written(rule).action}` has no effect",
                    help_="remove it" if same else "put the narrower rule first",
                    source=f"{DOCS}, Rule order",
                    severity=Severity.INFO if same else Severity.WARNING,
                )


def _never_reached(cases: Sequence[Case]) -> Iterator[Diagnostic]:
    """A policy of which every rule comes after one that decides all it could."""
    ordered = sorted(cases, key=_place)
    for i, case in enumerate(ordered):
        found = []
        for rule in case.meaning.rules:
            before = next((o for o in ordered[:i] if _decides(o, rule, case, ordered[:i])), None)
            if before is None:
                break
            found.append(before)
        if found and len(found) == len(case.meaning.rules):
            yield suspect(
                "ADS004",
                case.policy,
                case.policy.span,
                f"no rule of the policy is ever reached: {found[0].policy}, which comes "
                "earlier, decides all that they match",
                effect="the policy changes nothing",
                help_="remove it, or give it a lower priority number than the other"
                if found[0].meaning.tier == case.meaning.tier
                else "remove it, or pass on before the earlier rule what it is meant to decide",
                source=f"{DOCS}, Priority",
            )


def _place(case: Case) -> tuple[object, ...]:
    return (case.meaning.tier, case.meaning.order, case.policy.kind, case.policy.name)


def _decides(other: Case, rule: Rule, case: Case, before: Sequence[Case]) -> bool:
    """Return whether a policy that comes earlier decides all that a rule of another matches."""
    mine, theirs = case.meaning, other.meaning
    same = mine.tier == theirs.tier
    if same and mine.order == theirs.order:
        return False
    if not all(any(holds(a, b) for a in theirs.subjects) for b in mine.subjects):
        return False
    passing = any(
        each.action is Action.PASS
        for earlier in before
        if earlier.meaning.tier == theirs.tier
        for each in earlier.meaning.rules_for(rule.direction)
    )
    return any(
        covers(each, rule) and (same or (each.action is not Action.PASS and not passing))
        for each in theirs.rules_for(rule.direction)
    )


def covers(earlier: Rule, rule: Rule) -> bool:
    """Return whether a rule matches everything that another one does."""
    if earlier.conditions is not None or not rule.peers:
        return False
    whole, part = earlier.traffic, rule.traffic
    if not (part.must | part.may) <= whole.must:
        return False
    # Port names stand for ports of protocols that have any.
    if not (set(part.named) <= set(whole.named) or whole.must >= L4):
        return False
    mine = [peer.match for peer in earlier.peers]
    return all(any(holds(one, peer.match) for one in mine) for peer in rule.peers)


def holds(whole: PeerMatch, part: PeerMatch) -> bool:
    """Return whether a match certainly matches all that another one does."""
    match whole, part:
        case AnyMatch(), _:
            return True
        case PodsMatch(), PodsMatch():
            return set(whole.namespaces.requirements) <= set(part.namespaces.requirements) and set(
                whole.pods.requirements
            ) <= set(part.pods.requirements)
        case BlockMatch(), BlockMatch():
            return part.addresses <= whole.addresses
        case NodesMatch(), NodesMatch():
            return set(whole.nodes.requirements) <= set(part.nodes.requirements)
        case NamesMatch(), NamesMatch():
            return all(any(one.holds(other) for one in whole.names) for other in part.names)
    return False


def _whole_family(cases: Sequence[Case]) -> Iterator[Diagnostic]:
    """Denying all addresses of a family denies pods too."""
    for case in cases:
        rules = case.meaning.rules_for(Direction.EGRESS)
        for i, rule in enumerate(rules):
            if rule.action is not Action.DENY:
                continue
            block = next(
                (p for p in rule.peers if isinstance(p.match, BlockMatch) and p.match.whole), None
            )
            pods = any(isinstance(p.match, PodsMatch) for r in rules[: i + 1] for p in r.peers)
            if block is not None and not pods and isinstance(block.match, BlockMatch):
                yield suspect(
                    "ADS012",
                    case.policy,
                    block.span,
                    f"{rule.label} denies {block.match.cidr}, and no earlier rule is about pods",
                    effect="pods have addresses too: it denies what its subjects send to pods",
                    help_="if only the outside is meant, pass pods on before it: "
                    "`{action: Pass, to: [{namespaces: {}}]}`",
                    source="kubernetes-sigs/network-policy-api npeps/npep-126-egress-traffic-"
                    "control.md",
                    severity=Severity.INFO,
                )


ORDER_CHECKS: tuple[Callable[[Sequence[Case]], Iterator[Diagnostic]], ...] = (
    _shadowed,
    _never_reached,
    _whole_family,
)
