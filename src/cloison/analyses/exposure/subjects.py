"""What the policies of a namespace do with pods that are not in the input, as their subjects.

Told for one peer at a time, in parts, as `peers` does for the other end. A pod that no policy
isolates is let through, so pods are told apart by that; once isolated, what each policy and rule
allows adds up.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cloison.analyses.exposure.cells import Splitter, TooManyError, cells, without
from cloison.analyses.exposure.peers import Caveats, Part, by_name, left_open, seen, takes_away
from cloison.analyses.exposure.regions import Homes, Region
from cloison.engine import Engine
from cloison.ir.policy import Action, Direction, Policy
from cloison.ir.ruleset import BoundRule, Outcome


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that matches the peer.

    Args:
        rule: The rule.
        sure: Whether it certainly matches.
        caveats: What that, and an allow by the rule, stands on.
    """

    rule: BoundRule
    sure: bool
    caveats: Caveats


class Subjects:
    """Pods under the policies that may select them. Policies go by number.

    Args:
        engine: Who decides.
        homes: The namespaces there are.
        whole: The pods that are asked about.
        direction: Their direction.
        policies: The policies that may select them and govern it, in the order of evaluation.
    """

    def __init__(
        self,
        engine: Engine,
        homes: Homes,
        whole: Region,
        direction: Direction,
        policies: Sequence[Policy],
    ) -> None:
        self.engine = engine
        self.homes = homes
        self.whole = whole
        self.direction = direction
        self.policies = policies
        self.layered = len(engine.policies.layers) > 1
        self.number = {id(policy): i for i, policy in enumerate(policies)}
        found = {i: homes.settle(whole & Region.of(p.subjects[0])) for i, p in enumerate(policies)}
        self.regions = {i: region for i, region in found.items() if region is not None}
        self.isolating = {i for i in self.regions if direction in policies[i].isolates}
        self._free: dict[object, list[Region]] = {}

    def parts(self, matches: Iterable[Match]) -> tuple[Part, ...]:
        """Return what passes between these pods and one peer.

        Args:
            matches: Rules of the policies that match the peer, in the order of evaluation.
        """
        try:
            return tuple(p for p in _Meeting(self, matches).parts() if p.outcome.passing)
        except TooManyError:
            return (left_open(self.whole),)

    def free(self, cell: Region, closing: Sequence[int]) -> list[Region]:
        """Return the pods of a region that none of some policies selects."""
        key = (cell, tuple(closing))
        found = self._free.get(key)
        if found is None:
            taken = (self.regions[i] for i in closing)
            found = self._free[key] = without(self.homes, [cell], taken)
        return found


class _Meeting:
    """These pods and one peer; lives for one call."""

    def __init__(self, subjects: Subjects, matches: Iterable[Match]) -> None:
        self.subjects = subjects
        self.homes = subjects.homes
        self.policies = subjects.policies
        self.matches: dict[int, list[Match]] = {i: [] for i in range(len(self.policies))}
        for match in matches:
            if match.rule.rule.action is not Action.LOG:
                self.matches[subjects.number[id(match.rule.policy)]].append(match)
        isolating = subjects.isolating
        self.apart = {i for i in subjects.regions if self._takes_away(i)}
        if len({self.policies[i].tier for i in isolating}) > 1:
            self.apart |= isolating
        self.closing = sorted(isolating - self.apart)
        self.adding = sorted(subjects.regions.keys() - isolating - self.apart)

    def _takes_away(self, number: int) -> bool:
        """Whether selecting a pod may close what another policy opens, isolation aside."""
        layered = self.subjects.layered
        return (
            layered
            or self.policies[number].opaque is not None
            or any(takes_away(m.rule, layered=layered) for m in self.matches[number])
        )

    def parts(self) -> Iterator[Part]:
        splitters = [Splitter(i, [self.subjects.regions[i]]) for i in sorted(self.apart)]
        for cell, held in cells(self.homes, self.subjects.whole, splitters):
            yield from self._cell(cell, [i for i, _ in held])

    def _cell(self, cell: Region, fixed: list[int]) -> Iterator[Part]:
        """Iterate over the parts of a cell, whose pods the `fixed` policies select."""
        tiers = {self.policies[i].tier for i in fixed if i in self.subjects.isolating}
        isolated = any(self.policies[i].tier in tiers for i in self.closing)
        free = [cell] if isolated else self.subjects.free(cell, self.closing)
        for region in free:
            yield from self._tell(region, fixed)
            for i in self.adding:
                yield from self._tell(self._both(region, i), fixed, i)
        bare: bool | None = None
        for i in self.closing:
            if bare is None:
                # What isolation alone leaves is the same whichever policy isolates.
                bare = any(p.outcome.passing for p in self._tell(cell, [*fixed, i]))
            if not bare and not self.matches[i] and not (self.adding and not isolated):
                continue
            inside = self._both(cell, i)
            yield from self._tell(inside, fixed, i)
            if inside is not None and not isolated:
                for j in self.adding:
                    yield from self._tell(self._both(inside, j), [*fixed, i], j)

    def _both(self, region: Region, number: int) -> Region | None:
        return self.homes.settle(region & self.subjects.regions[number])

    def _tell(
        self, region: Region | None, chosen: Sequence[int], more: int | None = None
    ) -> Iterator[Part]:
        """Iterate over what policies do in a region, rule by rule of the last one."""
        if region is None:
            return
        selecting = sorted([*chosen, *([] if more is None else [more])])
        fixed = [m for i in selecting if i in self.apart for m in self.matches[i]]
        allowing = [m for m in fixed if m.rule.rule.action is Action.ALLOW]
        stands = frozenset(c for m in allowing for c in m.caveats)
        opaque = (self.policies[i].opaque for i in selecting)
        doubts = frozenset(o.caveat for o in opaque if o is not None)
        doubts = doubts.union(*(by_name(m.rule) for m in fixed))
        base = self._judge(selecting, fixed)
        yield Part(region, base, stands, doubts)
        for match in self.matches[more] if more is not None else ():
            outcome = self._judge(selecting, [*fixed, match])
            if outcome != base:
                yield Part(region, outcome, stands | match.caveats, doubts | by_name(match.rule))

    def _judge(self, selecting: Sequence[int], matches: Iterable[Match]) -> Outcome:
        taken = {id(m) for m in matches}
        matched = tuple(
            (m.rule, m.sure) for i in selecting for m in self.matches[i] if id(m) in taken
        )
        policies = tuple(self.policies[i] for i in selecting)
        return seen(self.subjects.engine.judge(self.subjects.direction, policies, matched))
