"""Units sorted by which rules match them."""

from collections.abc import Sequence
from dataclasses import dataclass

from cloison.algebra.bitmaps import BitMap
from cloison.ir.ruleset import BoundRule


def partition(
    rules: Sequence[BoundRule], everybody: BitMap
) -> list[tuple[tuple[tuple[int, bool], ...], BitMap]]:
    """Split all units by which rules match them.

    Cost: a rule whose peers no earlier rule touched costs one operation; only overlapping
    rules split existing groups.
    """
    total = len(everybody)
    always: list[tuple[int, bool]] = []
    groups: list[tuple[BitMap, _Trail]] = []
    covered = BitMap()
    for index, rule in enumerate(rules):
        if len(rule.must) == total:
            always.append((index, True))
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
    if not always:
        return found
    return [(tuple(sorted((*key, *always))), group) for key, group in found]


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
