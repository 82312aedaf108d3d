"""Who stands how to whom, under several sets of policies at once, in sets of units.

A pane is a set of units whose policies come to the same in every set; its cells split all
other ends by what is made of them. Nothing here loops over pairs of units.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cloison.algebra import ANY, UndecidedError
from cloison.algebra.bitmaps import BitMap, FrozenBitMap
from cloison.analyses.relate.stand import FREE, HORIZON, Side, Stand
from cloison.engine.decide import Decision, Piece
from cloison.engine.related import UNRELATED
from cloison.ir.peers import BlockMatch, GroupsMatch, plain_matches
from cloison.ir.policy import Direction, Peer
from cloison.ir.ruleset import BoundRule

Twins = Sequence[tuple[int, int]] | None
"""Places of sides that are compared; None where being the same proves nothing."""
Split = list[tuple[BitMap, Stand]]


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """Ends of which each set of policies makes the same.

    Args:
        peers: The ends.
        stands: What each set makes of them.
        same: Whether the sets that are compared say the same, as far as that is asked.
    """

    peers: BitMap
    stands: tuple[Stand, ...]
    same: bool


@dataclass(frozen=True, slots=True, eq=False)
class Pane:
    """Units whose policies say the same.

    Args:
        units: The units.
        cells: Disjoint; together they hold every unit.
        decisions: The decision of each set; None where no policy applies to such ends.
    """

    units: BitMap
    cells: tuple[Cell, ...]
    decisions: tuple[Decision | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Panes:
    """All panes of one direction and address family.

    Args:
        direction: Leaving or entering.
        panes: Disjoint; together they hold every unit.
        places: For each unit, the place of its pane.
        touched: Places of panes in which sets of policies may differ.
    """

    direction: Direction
    panes: tuple[Pane, ...]
    places: tuple[int, ...]
    touched: tuple[int, ...]

    def among(self, units: BitMap) -> list[int]:
        """Return the places of panes that hold any of `units`, in order."""
        if len(units) < len(self.panes):
            return sorted({self.places[unit] for unit in units})
        return [i for i, pane in enumerate(self.panes) if pane.units.intersect(units)]


def panes(sides: Sequence[Side], direction: Direction, family: int, twins: Twins) -> Panes:
    """Return all panes.

    Args:
        sides: The sets of policies; their engines number units alike.
        direction: Leaving or entering.
        family: 4 or 6.
        twins: Which of them are compared.
    """
    groups: dict[tuple[int, ...], tuple[list[int], tuple[Decision | None, ...]]] = {}
    everybody = sides[0].engine.binder.everybody
    units = sides[0].engine.table.units
    for unit in everybody:
        decisions = tuple(side.decision(unit, direction) for side in sides)
        # Whether rules are about an end of unknown address may depend on which end it is.
        lone = units[unit].family == 0 and any(map(_floating, decisions))
        key = (unit if lone else -1, *map(id, decisions))
        groups.setdefault(key, ([], decisions))[0].append(unit)
    found = []
    for members, decisions in groups.values():
        splits = [
            split(side, decision, members[0], family)
            for side, decision in zip(sides, decisions, strict=True)
        ]
        cells = tuple(
            Cell(peers, stands, _same(stands, twins))
            for peers, stands in product(splits, everybody)
        )
        found.append(Pane(BitMap(members), cells, decisions))
    places = [0] * len(everybody)
    for number, pane in enumerate(found):
        for unit in pane.units:
            places[unit] = number
    return Panes(direction, tuple(found), tuple(places), tuple(range(len(found))))


def split(side: Side, decision: Decision | None, subject: int, family: int) -> Split:
    """Split all units by what one set makes of their traffic with a subject.

    Args:
        side: The set of policies.
        decision: The subject's decision.
        subject: A unit that has it.
        family: The address family of the traffic.
    """
    if decision is None:
        return [(side.engine.binder.everybody, FREE)]
    return [
        (piece.peers, side.stand(decision, piece))
        for whole in decision.pieces
        for piece in _of_family(side, decision, whole, subject, family)
    ]


def _floating(decision: Decision | None) -> bool:
    """Return whether rules are about their subjects because of their addresses."""
    return decision is not None and any(map(_by_address, decision.rules))


def _by_address(bound: BoundRule) -> bool:
    return bound.rule.subjects is not None and any(
        isinstance(match, BlockMatch | GroupsMatch)
        for subject in bound.rule.subjects
        for match in plain_matches(subject)
    )


def _of_family(
    side: Side, decision: Decision, piece: Piece, subject: int, family: int
) -> Iterator[Piece]:
    """Split the peers of a piece by what holds once the family of the traffic is known.

    Where rules match ends of unknown address by that, the engine looks again.
    """
    engine = side.engine
    table = engine.table
    if table.units[subject].family == 0 and _floating(decision):
        vague, bounds = piece.peers, list(decision.rules)
    else:
        vague = piece.peers & table.families[4] & table.families[6]
        bounds = [bound for bound, _ in piece.rules if bound.blocks and bound.blocks & vague]
    if not bounds:
        yield piece
        return
    rest = piece.peers - vague
    if rest:
        yield Piece(rest, piece.rules, piece.outcome)
    for members in _kinds(side, bounds, vague):
        direction = decision.direction
        again = engine.point(subject, members[0], direction, UNRELATED, family).piece
        if again is not None:
            yield Piece(members, again.rules, again.outcome)


def _kinds(side: Side, bounds: list[BoundRule], members: BitMap) -> list[BitMap]:
    """Split units so that those of one kind are the same to every match of some rules."""
    table = side.engine.table
    vague = table.families[4] & table.families[6]
    kinds = [part for part in (members & vague, members - vague) if part]
    matches = {
        match
        for bound in bounds
        for peer in bound.rule.peers
        for match in plain_matches(peer.match)
    }
    for match in matches:
        matched = side.engine.binder.peers((Peer(match),))
        for known in (matched.must, matched.may, matched.blocks):
            kinds = [part for each in kinds for part in (each & known, each - known) if part]
    return sorted(kinds, key=lambda each: each[0])


def product(splits: Sequence[Split], everybody: BitMap) -> list[tuple[BitMap, tuple[Stand, ...]]]:
    """Split all units by what each of several sets makes of them."""
    found: list[tuple[BitMap, tuple[Stand, ...]]] = [(everybody, ())]
    for each in splits:
        exactly = {FrozenBitMap(peers): stand for peers, stand in each}
        finer = []
        for peers, stands in found:
            stand = exactly.get(FrozenBitMap(peers))
            if stand is not None:
                finer.append((peers, (*stands, stand)))
                continue
            left = peers
            for others, other in each:
                both = left & others
                if both:
                    finer.append((both, (*stands, other)))
                    left = left - both
                    if not left:
                        break
        found = finer
    return found


def _same(stands: Sequence[Stand], twins: Twins) -> bool:
    return twins is not None and all(same(stands[one], stands[other]) for one, other in twins)


def same(one: Stand, other: Stand) -> bool:
    """Return whether two sets say the same of all traffic, but of what is not compared."""
    if one is other:
        return True
    nobody_knows = (one.outcome.undetermined | other.outcome.undetermined) - HORIZON
    try:
        return ANY - nobody_knows <= one.alike(other).traffic
    except UndecidedError:
        return False
