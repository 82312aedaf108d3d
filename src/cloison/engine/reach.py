"""Reachability of everybody to everybody, without a loop over pairs.

The egress pieces of every source and the ingress pieces of every destination are products
of a set of units and an outcome; those of several units that come to the same are one. Two such
products meet in another one; only those that can meet are brought together.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from cloison.algebra import L4
from cloison.algebra.bitmaps import BitMap, FrozenBitMap, union
from cloison.engine.decide import Decision, Piece
from cloison.engine.spectrum import Spectrum
from cloison.ir.caveats import POD_ADDRESS_UNKNOWN
from cloison.ir.fidelity import Caveat
from cloison.ir.policy import Action
from cloison.ir.ruleset import Outcome

HORIZON = L4
"""What is undetermined beyond this is left out of the whole picture: isolation leaves every
protocol that NetworkPolicy does not define undetermined, between every two pods."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """All of `sources` reach all of `destinations` with one outcome.

    Args:
        sources: Units that connect.
        destinations: Units that listen.
        outcome: What passes; never nothing. Undetermined traffic only within `HORIZON`.
        to_address: Those destinations that egress rules match by their address only.
        from_address: Those sources that ingress rules match by their address only.
        caveats: What it stands on, and why some of it is undetermined.
    """

    sources: BitMap
    destinations: BitMap
    outcome: Outcome
    to_address: BitMap
    from_address: BitMap
    caveats: frozenset[Caveat] = frozenset()


@dataclass(frozen=True, slots=True)
class Passing:
    """Some units let the same pass towards the same peers.

    Args:
        units: The units whose decisions are asked.
        peers: The other ends.
        outcome: What passes.
        by_address: Those peers that are matched by their address only.
        caveats: What it stands on, and why some of it is undetermined.
    """

    units: BitMap
    peers: BitMap
    outcome: Outcome
    by_address: BitMap
    caveats: frozenset[Caveat] = frozenset()


_Said = tuple[Outcome, frozenset[Caveat]]
"""What passes, and what that stands on."""
_Content = tuple[FrozenBitMap, FrozenBitMap, _Said]
"""Peers, those of them that are matched by their address only, and what is said of them."""


class Side:
    """What one direction lets pass, for every unit. What lets nothing pass is left out.

    Products are disjoint: a unit and a peer occur together in one of them at most.

    Args:
        decisions: Each decision with its units; no unit has two.
        size: How many units there are.
    """

    def __init__(self, decisions: Iterable[tuple[Decision, BitMap]], size: int) -> None:
        # One object stands for each content, so that its id does.
        units: dict[int, tuple[_Content, BitMap]] = {}
        contents = _Contents()
        self._group_of = [-1] * size
        self._members: list[BitMap] = []
        held: list[tuple[int, ...]] = []
        places: dict[tuple[int, ...], int] = {}
        for decision, members in decisions:
            found = tuple(contents.of(decision))
            if not found:
                continue
            for content in found:
                if id(content) not in units:
                    units[id(content)] = (content, BitMap())
                units[id(content)][1].update(members)
            ids = tuple(map(id, found))
            group = places.setdefault(ids, len(held))
            if group == len(held):
                held.append(ids)
                self._members.append(BitMap())
            self._members[group].update(members)
            for unit in members:
                self._group_of[unit] = group
        self.passing: tuple[Passing, ...]
        self.passing, number = _joined(units)
        self._held = [BitMap([number[content] for content in ids]) for ids in held]

    @cached_property
    def outcomes(self) -> list[tuple[Outcome, BitMap]]:
        """What passes anywhere, each with the places in `passing` where it does."""
        found: dict[Outcome, BitMap] = {}
        for place, each in enumerate(self.passing):
            found.setdefault(each.outcome, BitMap()).add(place)
        return list(found.items())

    @cached_property
    def alike(self) -> list[int]:
        """A number for each of `passing`, the same where units and caveats are."""
        numbers: dict[object, int] = {}
        keys = ((FrozenBitMap(each.units), each.caveats) for each in self.passing)
        return [numbers.setdefault(key, len(numbers)) for key in keys]

    def of(self, units: BitMap) -> BitMap:
        """Return the places in `passing` that hold any of `units`."""
        if len(units) < len(self._held):
            groups = {self._group_of[unit] for unit in units} - {-1}
            return union(self._held[group] for group in groups)
        some = (i for i, members in enumerate(self._members) if members.intersect(units))
        return union(self._held[i] for i in some)


class _Contents:
    """Tells what decisions let pass. Pieces and contents are shared between them."""

    def __init__(self) -> None:
        self._known: dict[_Content, _Content] = {}
        self._of: dict[tuple[int, frozenset[Caveat]], _Content | None] = {}
        self._kept: list[Decision] = []

    def of(self, decision: Decision) -> Iterator[_Content]:
        """Iterate over what a decision lets pass; the same object is the same content."""
        # Pieces go by their ids here.
        self._kept.append(decision)
        opaque = frozenset(p.opaque.caveat for p in decision.policies if p.opaque is not None)
        for piece in decision.pieces:
            key = (id(piece), opaque)
            if key not in self._of:
                self._of[key] = self._content(piece, opaque)
            found = self._of[key]
            if found is not None:
                yield found

    def _content(self, piece: Piece, opaque: frozenset[Caveat]) -> _Content | None:
        undetermined = piece.outcome.undetermined & HORIZON
        if not piece.outcome.allowed and not undetermined:
            return None
        outcome = piece.outcome.within(HORIZON)
        carried = {r.caveats for r, _ in piece.rules if r.caveats and r.rule.action is Action.ALLOW}
        caveats = frozenset[Caveat]().union(*carried)
        if undetermined:
            caveats |= _doubts(piece, opaque)
        peers, addressed = FrozenBitMap(piece.peers), FrozenBitMap(by_address(piece))
        content = (peers, addressed, (outcome, caveats))
        return self._known.setdefault(content, content)


def _joined(
    units: Mapping[int, tuple[_Content, BitMap]],
) -> tuple[tuple[Passing, ...], dict[int, int]]:
    """Join what holds for the same units, and say where each content, by its id, went."""
    found: dict[tuple[FrozenBitMap, _Said], list[_Content]] = {}
    for content, members in units.values():
        found.setdefault((FrozenBitMap(members), content[2]), []).append(content)
    passing = []
    number = {}
    for place, ((units_alike, said), contents) in enumerate(found.items()):
        peers, addressed = BitMap(), BitMap()
        for content in contents:
            number[id(content)] = place
            peers.update(content[0])
            addressed.update(content[1])
        passing.append(Passing(BitMap(units_alike), peers, said[0], addressed, said[1]))
    return tuple(passing), number


def _doubts(piece: Piece, opaque: frozenset[Caveat]) -> frozenset[Caveat]:
    """Return why traffic of a piece is undetermined."""
    if any(not sure and rule.blocks for rule, sure in piece.rules):
        return opaque | {POD_ADDRESS_UNKNOWN}
    return opaque


def by_address(piece: Piece) -> BitMap:
    """Return the peers of a piece that every allowing rule matches by their address only."""
    found: BitMap | None = None
    for rule, _ in piece.rules:
        if rule.rule.action is not Action.ALLOW:
            continue
        if not rule.blocks:
            return BitMap()
        found = rule.blocks & (piece.peers if found is None else found)
    return BitMap() if found is None else found


def rectangles(
    egress: Side,
    ingress: Side,
    members: BitMap,
    outside: BitMap,
    fresh: BitMap | None = None,
) -> Iterator[Rectangle]:
    """Iterate over what passes among `members`.

    Args:
        egress: Units by what may leave them.
        ingress: Units by what may enter them.
        members: Units that take part.
        outside: Units that are never both ends of one connection.
        fresh: When given, only pairs with at least one end among these.
    """
    meeting = _Meeting(egress, ingress)
    for leaving in egress.passing:
        sources, targets = leaving.units & members, leaving.peers & members
        if fresh is not None:
            sources, targets = _towards(sources, targets, fresh), _towards(targets, sources, fresh)
        if not sources or not targets:
            continue
        met = meeting.of(leaving.outcome)
        found: dict[tuple[int, int], list[Passing]] = {}
        for place in ingress.of(targets) & met.places:
            entering = ingress.passing[place]
            if sources.intersect(entering.peers):
                key = (ingress.alike[place], id(met.outcome(entering.outcome)))
                found.setdefault(key, []).append(entering)
        for same in found.values():
            # They differ in what they let pass besides, and to whom.
            first = same[0]
            from_address = union(entering.by_address for entering in same)
            able = sources & union(entering.peers for entering in same)
            for s, d in _parts(able, targets & first.units, outside, fresh):
                yield Rectangle(
                    s,
                    d,
                    met.outcome(first.outcome),
                    leaving.by_address & d,
                    from_address & s,
                    leaving.caveats | first.caveats,
                )


def _towards(units: BitMap, others: BitMap, fresh: BitMap) -> BitMap:
    """Return the units that are fresh or meet fresh ones."""
    return units if others.intersect(fresh) else units & fresh


class _Met:
    """What may pass one end, met with what may pass others.

    Args:
        leaving: What may pass the one.
        places: Where something passes both.
    """

    def __init__(self, leaving: Outcome, places: BitMap) -> None:
        self._leaving = leaving
        self._known: dict[int, Outcome] = {}
        self._outcomes: dict[Outcome, Outcome] = {}
        self.places = places

    def outcome(self, entering: Outcome) -> Outcome:
        """Return what passes both, always the same object for the same.

        The other one lives as long as its side.
        """
        found = self._known.get(id(entering))
        if found is None:
            met = self._leaving.meet(entering)
            found = self._known[id(entering)] = self._outcomes.setdefault(met, met)
        return found


class _Meeting:
    """Finds where something passes both ends; lives for one call."""

    def __init__(self, egress: Side, ingress: Side) -> None:
        outcomes = (*egress.outcomes, *ingress.outcomes)
        self._spectrum = Spectrum(outcome.passing for outcome, _ in outcomes)
        self._entering = [
            (self._spectrum.mask(outcome.passing), places) for outcome, places in ingress.outcomes
        ]
        self._known: dict[Outcome, _Met] = {}

    def of(self, leaving: Outcome) -> _Met:
        """Return what of what enters meets something that leaves."""
        found = self._known.get(leaving)
        if found is None:
            out = self._spectrum.mask(leaving.passing)
            some = (places for passing, places in self._entering if passing & out)
            found = self._known[leaving] = _Met(leaving, union(some))
        return found


def _parts(
    sources: BitMap, destinations: BitMap, outside: BitMap, fresh: BitMap | None
) -> Iterator[tuple[BitMap, BitMap]]:
    """Split a product so that no pair is wholly outside, or wholly without a fresh end."""
    inner, outer = sources - outside, sources & outside
    for ours, theirs in ((inner, destinations), (outer, destinations - outside)):
        if not ours or not theirs:
            continue
        if fresh is None:
            yield ours, theirs
            continue
        new = ours & fresh
        if new:
            yield new, theirs
        old, rest = ours - fresh, theirs & fresh
        if old and rest:
            yield old, rest
