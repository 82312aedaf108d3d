"""Folds the rules of an enforcement point into a decision.

What rules come to is worked out once for all peers that they match alike, and what many decisions
have in common once for all of them.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloison.algebra import TrafficSet
from cloison.algebra.bitmaps import BitMap, union
from cloison.engine.decide import Decision, Piece, Terms
from cloison.engine.evaluate import Able, Notes
from cloison.engine.judge import Judge, Matter
from cloison.engine.partition import Key, apart, partition
from cloison.engine.related import UNRELATED, Relations
from cloison.engine.spectrum import Spectrum
from cloison.engine.steps import Step
from cloison.ir.policy import Combine, LayerSpec, Policy
from cloison.ir.ruleset import BoundRule, Outcome

if TYPE_CHECKING:
    from cloison.algebra import Request


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    """Rules that many subjects have in common.

    Args:
        rules: The rules, kept for as long as anybody goes by what they are.
        always: Places of those that match everybody.
        groups: Units sorted by which of the others match them.
        pieces: Pieces of whole groups, by what else counts, then by place.
    """

    rules: tuple[BoundRule, ...]
    always: list[int]
    groups: list[tuple[Key, BitMap]]
    pieces: dict[tuple[Able, tuple[BoundRule, ...]], dict[int, Piece]] = field(default_factory=dict)


def _merged(
    rules: Sequence[BoundRule],
    always: Sequence[int],
    matched: Sequence[tuple[BoundRule, bool]],
    *found: tuple[Sequence[int], Key],
) -> tuple[tuple[BoundRule, bool], ...]:
    """Return rules that match in the order they are evaluated.

    Args:
        rules: All of them, in that order.
        always: Places of some that match everybody, ascending.
        matched: Those.
        found: Places of others, and which of those match.
    """
    merged: list[tuple[BoundRule, bool]] = []
    last = 0
    for place, sure in sorted((places[i], sure) for places, key in found for i, sure in key):
        at = bisect_left(always, place, last)
        merged += matched[last:at]
        merged.append((rules[place], sure))
        last = at
    merged += matched[last:]
    return tuple(merged)


class Folder:
    """Folds bound rules into decisions under the layers of a profile.

    Args:
        layers: The layers.
        everybody: Every unit.
        policies: The policies whose rules are folded.
        asked: The request in question, as far as it is told; None for all there are.
    """

    def __init__(
        self,
        layers: Sequence[LayerSpec],
        everybody: BitMap,
        policies: Sequence[Policy] = (),
        asked: "Request | None" = None,
    ) -> None:
        self.everybody = everybody
        self._known: dict[tuple[object, ...], Outcome] = {}
        self._judge = Judge(layers, asked)
        self._spectra: dict[frozenset[TrafficSet], Spectrum] = {}
        self._grounds: dict[tuple[BoundRule, ...], _Ground] = {}
        self._ordered = {
            (tier.name, band)
            for layer in layers
            for tier in layer.tiers
            for band, combine in enumerate(tier.bands)
            if combine is Combine.FIRST_MATCH
        }
        self._sorts: dict[tuple[object, ...], int] = {}
        self._sort_of: dict[BoundRule, int] = {}
        self._in_order = self._with_order(policies)
        self._alone = on_their_own(self._in_order)

    def _with_order(self, policies: Iterable[Policy]) -> list[Policy]:
        """Return those of some policies whose order counts."""
        return [p for p in policies if (p.tier, p.band) in self._ordered]

    def among(self, gone: Iterable[Policy], new: Iterable[Policy]) -> "Folder":
        """Return a folder for changed policies, which knows what goes by no rule of those gone."""
        without = {id(policy) for policy in gone}
        in_order = [p for p in self._in_order if id(p) not in without] + self._with_order(new)
        other = copy(self)
        vars(other).update(
            _in_order=in_order,
            _alone=on_their_own(in_order),
            _sort_of={},
            _grounds={
                rules: ground
                for rules, ground in self._grounds.items()
                if not any(id(rule.policy) in without for rule in rules)
            },
        )
        return other

    def _spectrum(self, rules: Iterable[BoundRule]) -> Spectrum:
        """Return a spectrum for all that the layers and some rules say of traffic."""
        said = self._judge.said.union(t for r in rules for t in (r.traffic, r.may_traffic))
        found = self._spectra.get(said)
        if found is None:
            found = self._spectra[said] = Spectrum(said)
        return found

    def fold(
        self, terms: Terms, rules: Sequence[BoundRule], shared: Sequence[int] = ()
    ) -> Decision:
        """Fold the rules of one subject and direction.

        Args:
            terms: Who has a say.
            rules: The bound rules of the governing policies, policy by policy in their order.
                They live as long as this folder.
            shared: Places of those rules that many subjects have in common, ascending. What is
                theirs alone is sorted once for all of them.
        """
        held = tuple(rules)
        return Decision(terms, held, _Folding(self, terms.able, held, tuple(shared)))

    def pieces(
        self, able: Able, rules: Sequence[BoundRule], shared: Sequence[int]
    ) -> Iterator[Piece]:
        """Iterate over the pieces of a decision.

        Args:
            able: Who has a say, as much of it as counts.
            rules: As for `fold`.
            shared: As for `fold`.
        """
        if shared:
            yield from self._upon(able, rules, shared)
            return
        spectrum = self._spectrum(rules)
        for key, peers in partition(rules, self.everybody):
            matched = tuple((rules[place], sure) for place, sure in key)
            yield Piece(peers, matched, self._outcome(able, matched, UNRELATED, spectrum))

    def piece(self, able: Able, rules: Sequence[BoundRule], unit: int) -> Piece:
        """Return what becomes of one unit: no other one is looked at."""
        matched = tuple(
            (rule, sure)
            for rule in rules
            if (sure := unit in rule.must) or (rule.may and unit in rule.may)
        )
        return Piece(BitMap((unit,)), matched, self._outcome(able, matched, UNRELATED))

    def _upon(
        self, able: Able, rules: Sequence[BoundRule], shared: Sequence[int]
    ) -> Iterator[Piece]:
        """Iterate over the pieces of rules, most of which other subjects have as well."""
        among = set(shared)
        own = [place for place in range(len(rules)) if place not in among]
        common = tuple(rules[place] for place in shared)
        ground = self._grounds.get(common)
        if ground is None:
            ground = _Ground(common, *apart(common, self.everybody))
            self._grounds[common] = ground
        spectrum = self._spectrum(rules)
        own_always, parts = apart([rules[place] for place in own], self.everybody)
        touched = union(peers for key, peers in parts if key)
        always = sorted([*(shared[i] for i in ground.always), *(own[i] for i in own_always)])
        # A later one of a sort has nothing left to do.
        telling = sorted({self._sort(rules[i]): i for i in reversed(always)}.values())
        every_rule = [(rules[i], True) for i in always]
        telling_rules = [(rules[i], True) for i in telling]
        # Who is matched by no rules of its own but these is so for others too.
        places = sorted((*shared, *(own[i] for i in own_always)))
        pieces = ground.pieces.setdefault((able, tuple(rules[i] for i in places)), {})

        def piece(peers: BitMap, *found: tuple[Sequence[int], Key]) -> Piece:
            matched = _merged(rules, telling, telling_rules, *found)
            outcome = self._outcome(able, matched, UNRELATED, spectrum)
            if len(telling) < len(always):
                matched = _merged(rules, always, every_rule, *found)
            return Piece(peers, matched, outcome)

        for number, (key, group) in enumerate(ground.groups):
            if touched.intersect(group):
                for own_key, peers in parts:
                    both = peers & group
                    if both:
                        yield piece(both, (shared, key), (own, own_key))
                continue
            if number not in pieces:
                pieces[number] = piece(group, (shared, key))
            yield pieces[number]

    def outcome(
        self,
        terms: Terms,
        matched: tuple[tuple[BoundRule, bool], ...],
        relations: Relations = UNRELATED,
    ) -> Outcome:
        """Return what becomes of the traffic of peers that `matched` matches.

        Args:
            terms: Who has a say.
            matched: Rules that match the peers, each with whether it certainly does. They live
                as long as this folder.
            relations: How the peers stand to the subject.
        """
        return self._outcome(terms.able, matched, relations)

    def _outcome(
        self,
        able: Able,
        matched: tuple[tuple[BoundRule, bool], ...],
        relations: Relations,
        spectrum: Spectrum | None = None,
    ) -> Outcome:
        telling: dict[int, tuple[BoundRule, bool]] = {}
        for rule, sure in matched:
            # What an earlier one of its sort does leaves nothing to do for a later one.
            telling.setdefault(2 * self._sort(rule) + sure, (rule, sure))
        key = (able, tuple(telling), relations)
        found = self._known.get(key)
        if found is None:
            matched = tuple(telling.values())
            spectrum = spectrum or self._spectrum(r for r, _ in matched)
            matter = Matter(able, matched, relations)
            found = self._known[key] = self._judge.outcome(matter, spectrum, self._come_to)
        return found

    def _come_to(self, matched: tuple[tuple[BoundRule, bool], ...]) -> tuple[int, ...]:
        return tuple(2 * self._sort(rule) + sure for rule, sure in matched)

    def _sort(self, rule: BoundRule) -> int:
        """Number what a rule comes to for whom it matches: the same for rules that are alike."""
        found = self._sort_of.get(rule)
        if found is None:
            policy, declared = rule.policy, rule.rule
            place: tuple[object, ...] = (policy.tier, policy.band)
            if place in self._ordered and id(policy) not in self._alone:
                # Which rules are of one policy, and which policies of one order, counts.
                place = (*place, policy.order, policy.id)
            asks = declared.condition is not None or declared.sources is not None
            asked = declared.request
            does = (declared.action, rule.traffic, rule.may_traffic)
            key = (place, *does, asks, asked, declared.given)
            found = self._sort_of[rule] = self._sorts.setdefault(key, len(self._sorts))
        return found

    def steps(
        self,
        terms: Terms,
        matched: tuple[tuple[BoundRule, bool], ...],
        relations: Relations = UNRELATED,
    ) -> tuple[tuple[Outcome, tuple[Step, ...]], ...]:
        """Return for each layer what comes of it, and what led to that, in order.

        Args:
            terms: Who has a say.
            matched: Rules that match the peers, each with whether it certainly does.
            relations: How the peers stand to the subject.
        """
        noted = self._noted(terms, matched, relations)
        return tuple((outcome, tuple(notes.steps)) for outcome, notes in noted)

    def ties(
        self,
        terms: Terms,
        matched: tuple[tuple[BoundRule, bool], ...],
        relations: Relations = UNRELATED,
    ) -> tuple[tuple[Policy, TrafficSet], ...]:
        """Return policies that nothing puts in order and that do different things.

        Args:
            terms: Who has a say.
            matched: Rules that match the peers, each with whether it certainly does.
            relations: How the peers stand to the subject.

        Returns:
            Each with the traffic that another one of equal order would treat differently.
        """
        noted = self._noted(terms, matched, relations)
        return tuple(tie for _, notes in noted for tie in notes.ties)

    def _noted(
        self,
        terms: Terms,
        matched: tuple[tuple[BoundRule, bool], ...],
        relations: Relations,
    ) -> Iterator[tuple[Outcome, Notes]]:
        """Evaluate every layer once more, and take notes."""
        matter = Matter(terms.able, matched, relations)
        return self._judge.noted(matter, self._spectrum(r for r, _ in matched))


@dataclass(frozen=True, slots=True)
class _Folding:
    """Folds a decision when it is asked to."""

    folder: Folder = field(repr=False)
    able: Able
    rules: tuple[BoundRule, ...]
    shared: tuple[int, ...]

    def whole(self) -> tuple[Piece, ...]:
        """Return all pieces."""
        return tuple(self.folder.pieces(self.able, self.rules, self.shared))

    def one(self, unit: int) -> Piece:
        """Return what becomes of one unit."""
        return self.folder.piece(self.able, self.rules, unit)


def on_their_own(policies: Iterable[Policy]) -> frozenset[int]:
    """Return which policies, by identity, have an order that no other one has."""
    held = list(policies)
    places = Counter((p.tier, p.band, p.order) for p in held)
    return frozenset(id(p) for p in held if places[p.tier, p.band, p.order] == 1)
