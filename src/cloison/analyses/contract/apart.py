"""Pairs of which the engine's rectangles say too little: where only one end's family is known.

A pod of unknown address lies in `0.0.0.0/0` and in `::/0`, since it may have addresses of either
family. What it exchanges with an end of one family is of that family, and then only one of the two
blocks counts. Rectangles speak of both families at once; such pairs are asked one by one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cloison.algebra.bitmaps import BitMap
from cloison.engine import Engine, UnitKind
from cloison.ir.peers import BlockMatch, plain_matches
from cloison.ir.ruleset import Outcome


@dataclass(frozen=True, slots=True)
class Apart:
    """Ends inside the cluster, by whether their family is known.

    Args:
        unknown: Units of unknown family; empty where no policy could tell.
        known: Units of one family.
    """

    unknown: BitMap
    known: BitMap

    @classmethod
    def of(cls, engine: Engine) -> "Apart":
        """Return the ends of a world."""
        matches = (
            match
            for policy in engine.ordered
            for rule in policy.rules
            for peer in rule.peers
            for match in plain_matches(peer.match)
        )
        if not any(isinstance(match, BlockMatch) and match.whole for match in matches):
            return cls(BitMap(), BitMap())
        table = engine.table
        inside = table.kinds[UnitKind.POD] | table.kinds[UnitKind.HOST]
        inside |= table.kinds[UnitKind.NODE]
        unknown = inside & table.families[4] & table.families[6]
        return cls(unknown, inside - unknown)

    def together(self, here: BitMap, there: BitMap) -> Iterator[tuple[BitMap, BitMap]]:
        """Yield the pairs of which rectangles say all."""
        if not self.unknown:
            yield here, there
            return
        parts = (
            (here & self.unknown, there - self.known),
            (here & self.known, there - self.unknown),
            (here - self.unknown - self.known, there),
        )
        yield from ((some, others) for some, others in parts if some and others)

    def pairs(
        self, engine: Engine, here: BitMap, there: BitMap
    ) -> Iterator[tuple[Outcome, BitMap, BitMap]]:
        """Yield the other pairs, one for each that policies tell apart, with what passes."""
        for some, others in (
            (here & self.unknown, there & self.known),
            (here & self.known, there & self.unknown),
        ):
            if not (some and others):
                continue
            destinations = engine.alike(others)
            for source in engine.alike(some):
                for destination in destinations:
                    units = engine.table.units
                    family = units[source].family or units[destination].family
                    outcome = engine.outcome(source, destination, family=family)
                    if outcome.passing:
                        yield outcome, BitMap([source]), BitMap([destination])
