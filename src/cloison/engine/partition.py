"""Units sorted by which rules match them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cloison.algebra.bitmaps import BitMap
from cloison.ir.ruleset import BoundRule

Key: TypeAlias = tuple[tuple[int, bool], ...]
"""Rules that match, by place, each with whether it certainly does."""


def partition(rules: Sequence[BoundRule], everybody: BitMap) -> list[tuple[Key, BitMap]]:
    """Split all units by which rules match them."""
    always, found = apart(rules, everybody)
    if not always:
        return found
    every = tuple((place, True) for place in always)
    return [(tuple(sorted((*key, *every))), group) for key, group in found]


def apart(
    rules: Sequence[BoundRule], everybody: BitMap
) -> tuple[list[int], list[tuple[Key, BitMap]]]:
    """Split all units by which rules match them, but for rules that match everybody.

    Returns:
        The places of those, and the units by the others. Those that none of the others matches
        come last, if there are any.

    Cost: a rule whose peers no earlier rule touched costs one operation; only overlapping
    rules split existing groups.
    """
    total = len(everybody)
    always: list[int] = []
    groups: list[tuple[BitMap, _Trail]] = []
    covered = BitMap()
    for index, rule in enumerate(rules):
        if len(rule.must) == total:
            always.append(index)
            continue
        for members, sure in ((rule.must, True), (rule.may, False)):
            if not members:
                continue
            fresh = members - covered
            if len(fresh) != len(members):
                groups = _split(groups, members, (index, sure))
            if fresh:
                groups.append((fresh, _Trail((index, sure))))
                covered |= fresh
    found = [(trail.rules(), group) for group, trail in groups]
    rest = everybody - covered
    if rest:
        found.append(((), rest))
    return always, found


@dataclass(frozen=True, slots=True, eq=False)
class _Trail:
    """The rules that match a group: the last one, and the trail of those before."""

    last: tuple[int, bool]
    before: "_Trail | None" = None

    def rules(self) -> tuple[tuple[int, bool], ...]:
        found = [self.last]
        trail = self.before
        while trail is not None:
            found.append(trail.last)
            trail = trail.before
        return tuple(reversed(found))


def _split(
    groups: list[tuple[BitMap, _Trail]], members: BitMap, rule: tuple[int, bool]
) -> list[tuple[BitMap, _Trail]]:
    """Return groups split by whether a rule matches them; those that it does come last."""
    kept, matched = [], []
    for group, trail in groups:
        if not group.intersect(members):
            kept.append((group, trail))
            continue
        both = group & members
        if len(both) != len(group):
            kept.append((group - both, trail))
        matched.append((both, _Trail(rule, trail)))
    return kept + matched
