"""Policies of equal priority that disagree: an enforcer may follow either.

Only what can really meet is reported: both must select a pod, and have rules of different
outcome for some of the same peers and traffic that no earlier rule of either takes away.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from cloison.base import Diagnostic
from cloison.dialects.adminpolicy import model
from cloison.dialects.adminpolicy.say import DOCS
from cloison.dialects.adminpolicy.seen import Seen
from cloison.dialects.reading.say import suspect
from cloison.ir.policy import Action, Direction, Policy, Rule
from cloison.resources.world import World

MAX_TIES = 100
"""Most ties that are reported, one by one; more of them are one and the same mistake."""

Compiled = tuple[model.Object, Policy]

_VERBS = {Action.ALLOW: "allows", Action.DENY: "denies", Action.PASS: "passes on"}


def ties(compiled: Sequence[Compiled], world: World) -> list[Diagnostic]:
    """Return one diagnostic per pair of policies of equal order that can disagree.

    Args:
        compiled: Objects beside what they were compiled to.
        world: Who there is. Where it holds no pod, only equal selectors are taken to meet.
    """
    groups: dict[tuple[object, ...], list[Compiled]] = defaultdict(list)
    for each in compiled:
        policy = each[1]
        if policy.opaque is None and policy.rules:
            groups[policy.tier, policy.band, policy.order].append(each)
    pairs = (
        pair for group in groups.values() for pair in combinations(sorted(group, key=_by_place), 2)
    )
    seen = Seen(world)
    found: list[Diagnostic] = []
    for first, second in pairs:
        met = next(_conflicts(first[1], second[1], seen), None)
        if met is not None:
            found.append(_said(first, second, *met))
        if len(found) == MAX_TIES:
            break
    return found


def _by_place(compiled: Compiled) -> tuple[object, ...]:
    span = compiled[1].span
    return (span is not None, span or 0, compiled[1].id.kind, compiled[1].id.name)


def _said(first: Compiled, second: Compiled, mine: Rule, theirs: Rule) -> Diagnostic:
    (one, _), (other, meant) = first, second
    which = "priority" if not isinstance(meant.order[:1], str) else "place"
    order = f"{meant.order[0]:g}" if meant.order and isinstance(meant.order[0], int | float) else ""
    way = theirs.direction.value
    return suspect(
        "ADL030",
        other,
        theirs.span,
        f"{other} and {one} have the same {which} {order} and disagree: {way} rule "
        f"{theirs.index} {_VERBS[theirs.action]} some of what {way} rule {mine.index} of "
        f"{one.name} {_VERBS[mine.action]}",
        effect="the enforcer may follow either: answers about that traffic are undetermined",
        help_="give one of them another priority",
        source=f"{DOCS}, Priority",
    )


def _conflicts(first: Policy, second: Policy, seen: Seen) -> Iterator[tuple[Rule, Rule]]:
    """Iterate over the rules of two policies that disagree, those of each in order."""
    shared = seen.peers(first.subjects).meets(seen.peers(second.subjects))
    if not shared:
        return
    for direction in Direction:
        ones, others = first.rules_for(direction), second.rules_for(direction)
        for i, mine in enumerate(ones):
            for j, theirs in enumerate(others):
                if mine.action is theirs.action:
                    continue
                peers = seen.rule(mine).meets(seen.rule(theirs))
                traffic = seen.traffic(mine) & seen.traffic(theirs)
                itself = peers.pods == shared.pods and len(shared.pods) == 1 and seen.pods()
                alone = bool(itself) and not peers.addresses and not peers.names
                if not peers or not traffic or alone:
                    continue
                earlier = (*ones[:i], *others[:j])
                if not any(
                    seen.rule(rule).holds(peers) and traffic <= seen.traffic(rule)
                    for rule in earlier
                ):
                    yield mine, theirs
