"""What the policies of a namespace do with pods that are not in the input, as their subjects.

Told for one peer at a time, in parts, as `peers` does for the other end. A pod that no policy
isolates is let through, so pods are told apart by that; once isolated, what each policy and rule
allows adds up.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import chain, combinations

from cloison.algebra import AddressSet
from cloison.analyses.exposure.cells import Splitter, TooManyError, cells, without
from cloison.analyses.exposure.faces import LOOKED_INTO, Caveats, Face, Faces, Seat
from cloison.analyses.exposure.layers import entangled
from cloison.analyses.exposure.parts import Part, left_open
from cloison.analyses.exposure.peers import by_name, seen, takes_away
from cloison.analyses.exposure.regions import Homes, Region
from cloison.engine import Engine
from cloison.ir.policy import Action, Direction, LayerSpec, Policy, Rule, TierSpec
from cloison.ir.ruleset import BoundRule, Outcome

_UNSURE = 6
"""Policies that may or may not select a pod, up to which every combination is tried."""


_Rank = tuple[LayerSpec, int, TierSpec]


def _ranks(engine: Engine) -> dict[str, _Rank]:
    """Return the layer and place of each tier, by name."""
    return {
        tier.name: (layer, place, tier)
        for layer in engine.policies.layers
        for place, tier in enumerate(layer.tiers)
    }


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
        place: Where the pods' addresses are known to lie.
    """

    def __init__(
        self,
        engine: Engine,
        homes: Homes,
        whole: Region,
        direction: Direction,
        policies: Sequence[Policy],
        place: AddressSet | None = None,
    ) -> None:
        self.engine = engine
        self.homes = homes
        self.whole = whole
        self.direction = direction
        self.policies = policies
        self.layered = entangled(engine)
        self.number = {id(policy): i for i, policy in enumerate(policies)}
        self.regions: dict[int, list[Region]] = {}
        self.perhaps: dict[int, list[Region]] = {}
        for i, policy in enumerate(policies):
            told = [found for subject in policy.subjects for found in homes.told(subject)]
            here = [(homes.settle(whole & region), sure) for region, sure in told]
            surely = homes.widest(region for region, sure in here if sure)
            perhaps = homes.widest(region for region, sure in here if not sure)
            if surely or perhaps:
                self.regions[i] = surely
            if perhaps:
                self.perhaps[i] = perhaps
        self._ranks = _ranks(engine)
        self.ending = {i for i in self.regions if self._ends(i)}
        for i in self._idle() - self.ending:
            del self.regions[i]
            self.perhaps.pop(i, None)
        self.isolating = {i for i in self.regions if direction in policies[i].isolates}
        self._faces = Faces(engine, homes)
        self._seat = Seat(place)
        self._about: dict[int, tuple[Face, ...] | None] = {}
        self._free: dict[object, list[Region]] = {}

    def _idle(self) -> set[int]:
        """Return the policies that say nothing in this direction: they only end their tier."""
        return {
            i
            for i in self.regions
            if self.direction not in self.policies[i].isolates
            and not self.policies[i].rules_for(self.direction)
        }

    def _ends(self, number: int) -> bool:
        """Whether a policy ends its tier in a direction that it does not isolate, to any effect."""
        policy = self.policies[number]
        found = self._ranks.get(policy.tier)
        if found is None or not policy.isolates or self.direction in policy.isolates:
            return False
        layer, rank, tier = found
        later = (self._ranks.get(self.policies[i].tier) for i in self.regions)
        followed = any(o is not None and o[0] is layer and o[1] > rank for o in later)
        return tier.ends_both and (followed or layer.default is not Action.ALLOW)

    def parts(self, matches: Iterable[Match]) -> tuple[Part, ...]:
        """Return what passes between these pods and one peer.

        Args:
            matches: Rules that match the peer, in the order of evaluation; those of other
                policies do not count.
        """
        try:
            return tuple(p for p in _Meeting(self, matches).parts() if p.outcome.passing)
        except TooManyError:
            return (left_open(self.whole),)

    def about(self, rule: Rule) -> tuple[Face, ...] | None:
        """Return which of these pods a rule is about; None for all that its policy selects.

        Raises:
            TooManyError: It takes too many regions to say.
        """
        key = id(rule)
        if key not in self._about:
            found = None
            if rule.subjects is not None:
                faces = self._faces.any_of(rule.subjects, self._seat)
                settled = ((f, self.homes.settle(self.whole & f.region)) for f in faces)
                found = tuple(replace(f, region=r) for f, r in settled if r is not None)
            self._about[key] = found
        return self._about[key]

    def free(self, cell: Region, closing: Sequence[int]) -> list[Region]:
        """Return the pods of a region that none of some policies selects."""
        key = (cell, tuple(closing))
        found = self._free.get(key)
        if found is None:
            taken = (region for i in closing for region in self.regions[i])
            found = self._free[key] = without(self.homes, [cell], taken)
        return found


@dataclass(frozen=True, slots=True)
class _Cell:
    """Pods that are alike in what may take away.

    Args:
        region: The pods.
        fixed: Policies told apart that select them.
        unsure: Policies told apart that may.
        about: Rules told apart that are about them, by place, with whether they surely are.
    """

    region: Region
    fixed: tuple[int, ...]
    unsure: tuple[int, ...]
    about: dict[int, bool]


class _Meeting:
    """These pods and one peer; lives for one call."""

    def __init__(self, subjects: Subjects, matches: Iterable[Match]) -> None:
        self.subjects = subjects
        self.homes = subjects.homes
        self.policies = subjects.policies
        self.every = [
            m
            for m in matches
            if m.rule.rule.action is not Action.LOG and id(m.rule.policy) in subjects.number
        ]
        self.about = [subjects.about(m.rule.rule) for m in self.every]
        self.matches: dict[int, list[int]] = {i: [] for i in range(len(self.policies))}
        for place, match in enumerate(self.every):
            self.matches[subjects.number[id(match.rule.policy)]].append(place)
        isolating = subjects.isolating
        self.apart = {i for i in subjects.regions if self._takes_away(i)}
        if len({self.policies[i].tier for i in isolating}) > 1:
            self.apart |= isolating
        self.closing = sorted(isolating - self.apart)
        self.adding = sorted(subjects.regions.keys() - isolating - self.apart)

    def _takes_away(self, number: int) -> bool:
        """Whether selecting a pod may close what another policy opens, isolation aside."""
        layered = self.subjects.layered
        rules = (self.every[place].rule for place in self.matches[number])
        return (
            layered
            or number in self.subjects.perhaps
            or number in self.subjects.ending
            or self.policies[number].opaque is not None
            or any(takes_away(rule, layered=layered) for rule in rules)
        )

    def parts(self) -> Iterator[Part]:
        size = len(self.policies)
        splitters = []
        for i in sorted(self.apart):
            perhaps = self.subjects.perhaps.get(i, [])
            splitters.append(Splitter(i, self.subjects.regions[i], perhaps))
            for place in self.matches[i]:
                about = self.about[place]
                if about is not None:
                    sure = [f.region for f in about if f.sure]
                    unsure = [f.region for f in about if not f.sure]
                    splitters.append(Splitter(size + place, sure, unsure))
        for region, held in cells(self.homes, self.subjects.whole, splitters):
            cell = _Cell(
                region,
                tuple(i for i, sure in held if i < size and sure),
                tuple(i for i, sure in held if i < size and not sure),
                {i - size: sure for i, sure in held if i >= size},
            )
            yield from self._cell(cell)

    def _cell(self, cell: _Cell) -> Iterator[Part]:
        """Iterate over the parts of a cell."""
        whole = cell.region
        tiers = {self.policies[i].tier for i in cell.fixed if i in self.subjects.isolating}
        isolated = any(self.policies[i].tier in tiers for i in self.closing)
        free = [whole] if isolated else self.subjects.free(whole, self.closing)
        for region in free:
            yield from self._tell(cell, region)
            for i in self.adding:
                for both in self._both(region, i):
                    yield from self._tell(cell, both, more=i)
        bare: bool | None = None
        for i in self.closing:
            if bare is None:
                # What isolation alone leaves is the same whichever policy isolates.
                bare = any(p.outcome.passing for p in self._tell(cell, whole, (i,)))
            if not bare and not self.matches[i] and not (self.adding and not isolated):
                continue
            for inside in self._both(whole, i):
                yield from self._tell(cell, inside, more=i)
                if not isolated:
                    for j in self.adding:
                        for both in self._both(inside, j):
                            yield from self._tell(cell, both, (i,), more=j)

    def _both(self, region: Region, number: int) -> list[Region]:
        found = (self.homes.settle(region & each) for each in self.subjects.regions[number])
        return self.homes.widest(found)

    def _tell(
        self, cell: _Cell, region: Region, chosen: Sequence[int] = (), more: int | None = None
    ) -> Iterator[Part]:
        """Iterate over what policies do in a region of a cell, rule by rule of the last one.

        Args:
            cell: The cell.
            region: Pods of it that the policies below select as well.
            chosen: Policies that only close.
            more: The last one.
        """
        selecting = (*cell.fixed, *chosen, *([] if more is None else [more]))
        held = [*cell.fixed, *cell.unsure]
        fixed = {place: sure for i in held for place, sure in self._here(cell, i)}
        rules = [self.every[place] for place in fixed]
        allowing = [m for m in rules if m.rule.rule.action is Action.ALLOW]
        stands = frozenset(c for m in allowing for c in m.caveats)
        opaque = (self.policies[i].opaque for i in (*selecting, *cell.unsure))
        doubts = frozenset(o.caveat for o in opaque if o is not None)
        doubts = doubts.union(*(by_name(m.rule) for m in rules))
        if cell.unsure:
            doubts |= LOOKED_INTO
        for place, sure in fixed.items():
            if not sure:
                doubts = doubts.union(*(f.doubts for f in self.about[place] or ()))
        base = self._judge(cell, selecting, fixed)
        yield Part(region, base, stands, doubts)
        for place in self.matches[more] if more is not None else ():
            match = self.every[place]
            caveats = stands | match.caveats
            about = self.about[place]
            for face in (None,) if about is None else about:
                sure = match.sure and (face is None or face.sure)
                outcome = self._judge(cell, selecting, {**fixed, place: sure})
                inside: Region | None = region
                if face is not None:
                    inside = self.homes.settle(region & face.region)
                    caveats = caveats | face.caveats
                if inside is not None and outcome != base:
                    why = by_name(match.rule) | (face.doubts if face is not None else frozenset())
                    yield Part(inside, outcome, caveats, doubts | why)

    def _here(self, cell: _Cell, number: int) -> Iterator[tuple[int, bool]]:
        """Iterate over the matches of a policy told apart that are about a cell."""
        for place in self.matches[number]:
            if self.about[place] is None:
                yield place, self.every[place].sure
            elif place in cell.about:
                yield place, self.every[place].sure and cell.about[place]

    def _judge(self, cell: _Cell, selecting: Sequence[int], matches: dict[int, bool]) -> Outcome:
        """Return what is certain, whichever of the unsure policies select the pods."""
        if len(cell.unsure) > _UNSURE:
            return self._outcome([*selecting, *cell.unsure], matches, cell.unsure)
        sizes = range(len(cell.unsure) + 1)
        chosen = chain.from_iterable(combinations(cell.unsure, size) for size in sizes)
        return reduce(
            Outcome.either, (self._outcome([*selecting, *some], matches) for some in chosen)
        )

    def _outcome(
        self, selecting: Iterable[int], matches: dict[int, bool], unsure: Sequence[int] = ()
    ) -> Outcome:
        order = sorted(selecting)
        matched = tuple(
            (self.every[place].rule, matches[place] and i not in unsure)
            for i in order
            for place in self.matches[i]
            if place in matches
        )
        policies = tuple(self.policies[i] for i in order)
        engine, direction = self.subjects.engine, self.subjects.direction
        doubted = tuple(self.policies[i] for i in unsure)
        return seen(engine.judge(direction, policies, matched, unsure=doubted))
