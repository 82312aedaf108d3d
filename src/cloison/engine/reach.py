"""Reachability of everybody to everybody, without a loop over pairs.

The egress pieces of every source and the ingress pieces of every destination are products
of a set of units and an outcome. Two such pieces meet in another product; only pieces that
can meet are brought together, and units whose decisions come to the same are one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from cloison.algebra import L4
from cloison.algebra.bitmaps import BitMap, FrozenBitMap
from cloison.engine.decide import Decision, Piece
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
    """Peers to which one end lets something pass.

    Args:
        peers: The units.
        outcome: What passes.
        by_address: Those peers that are matched by their address only.
        caveats: What it stands on, and why some of it is undetermined.
    """

    peers: BitMap
    outcome: Outcome
    by_address: BitMap
    caveats: frozenset[Caveat] = frozenset()


@dataclass(frozen=True)
class Side:
    """Every unit, grouped by what one direction lets pass. What lets nothing pass is left out."""

    groups: tuple[tuple[tuple[Passing, ...], BitMap], ...]
    size: int

    @classmethod
    def of(cls, decisions: Iterable[tuple[Decision, BitMap]], size: int) -> "Side":
        """Group units by the content of their decisions."""
        merged: dict[tuple[object, ...], tuple[tuple[Passing, ...], BitMap]] = {}
        for decision, units in decisions:
            passing = _passing(decision)
            if not passing:
                continue
            key = tuple(
                (FrozenBitMap(p.peers), p.outcome, FrozenBitMap(p.by_address), p.caveats)
                for p in passing
            )
            if key in merged:
                merged[key][1].update(units)
            else:
                merged[key] = (passing, units.copy())
        return cls(tuple(merged.values()), size)

    @cached_property
    def group_of(self) -> list[int]:
        """The place in `groups` of each unit, -1 for one that lets nothing pass."""
        found = [-1] * self.size
        for index, (_, units) in enumerate(self.groups):
            for unit in units:
                found[unit] = index
        return found

    def among(self, units: BitMap) -> list[int]:
        """Return the groups that hold any of `units`, in order."""
        if len(units) < len(self.groups):
            of = self.group_of
            return sorted({of[unit] for unit in units} - {-1})
        return [i for i, (_, members) in enumerate(self.groups) if members.intersect(units)]


def _passing(decision: Decision) -> tuple[Passing, ...]:
    found = []
    for piece in decision.pieces:
        undetermined = piece.outcome.undetermined & HORIZON
        if piece.outcome.allowed or undetermined:
            outcome = Outcome(piece.outcome.allowed, undetermined)
            caveats = frozenset(
                c
                for rule, _ in piece.rules
                if rule.rule.action is Action.ALLOW
                for c in rule.caveats
            )
            if undetermined:
                caveats |= _doubts(decision, piece)
            found.append(Passing(piece.peers, outcome, by_address(piece), caveats))
    return tuple(found)


def _doubts(decision: Decision, piece: Piece) -> frozenset[Caveat]:
    """Return why traffic of a piece is undetermined."""
    found = {p.opaque.caveat for p in decision.policies if p.opaque is not None}
    if any(not sure and rule.blocks for rule, sure in piece.rules):
        found.add(POD_ADDRESS_UNKNOWN)
    return frozenset(found)


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
    met: dict[tuple[Outcome, Outcome], Outcome] = {}
    for leaving_pieces, all_sources in egress.groups:
        sources = all_sources & members
        if not sources:
            continue
        for leaving in leaving_pieces:
            targets = leaving.peers & members
            for index in ingress.among(targets):
                entering_pieces, all_destinations = ingress.groups[index]
                destinations = targets & all_destinations
                for entering in entering_pieces:
                    able = sources & entering.peers
                    if not able:
                        continue
                    both = (leaving.outcome, entering.outcome)
                    outcome = met.get(both)
                    if outcome is None:
                        outcome = met[both] = leaving.outcome.meet(entering.outcome)
                    if not outcome.passing:
                        continue
                    for s, d in _parts(able, destinations, outside, fresh):
                        yield Rectangle(
                            s,
                            d,
                            outcome,
                            leaving.by_address & d,
                            entering.by_address & s,
                            leaving.caveats | entering.caveats,
                        )


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
