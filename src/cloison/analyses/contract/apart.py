"""Pairs of which the engine's rectangles say too little: where only one end's family is known.

A pod of unknown address lies in `0.0.0.0/0` and in `::/0`, since it may have addresses of either
family. What it exchanges with an end of one family is of that family, and then only one of the two
blocks counts. Rectangles speak of both families at once; such pairs are asked again one by one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.engine import Engine, UnitKind
from cloison.ir.peers import BlockMatch, PeerMatch, plain_matches
from cloison.ir.policy import Action, Rule
from cloison.ir.ruleset import Outcome

_MOST = 50_000
"""Pairs that are asked one by one before it is left open."""
_ENOUGH = 8
"""Pairs between which something passes, after which no more are looked for."""


@dataclass(frozen=True, slots=True)
class Apart:
    """Ends inside the cluster, by whether their family is known.

    Args:
        unknown: Units of unknown family; empty where no policy could tell.
        known: Units of one family.
        narrow: Whether a rule stops what is in such a block, so that rectangles may also let too
            little pass.
    """

    unknown: BitMap
    known: BitMap
    narrow: bool = False

    @classmethod
    def of(cls, engine: Engine) -> "Apart":
        """Return the ends of a world."""
        rules = [rule for policy in engine.ordered for rule in policy.rules if _whole(rule)]
        if not rules:
            return cls(BitMap(), BitMap())
        table = engine.table
        inside = table.kinds[UnitKind.POD] | table.kinds[UnitKind.HOST]
        inside |= table.kinds[UnitKind.NODE]
        unknown = inside & table.families[4] & table.families[6]
        return cls(unknown, inside - unknown, not all(map(_opens, rules)))

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

    def again(
        self, engine: Engine, traffic: TrafficSet, here: BitMap, there: BitMap
    ) -> Iterator[tuple[Outcome, BitMap, BitMap]]:
        """Yield some of the other pairs between which something passes; none where none is.

        Args:
            engine: Who decides.
            traffic: What is asked about.
            here: Units that send.
            there: Units that they reach.
        """
        units = engine.table.units
        found = 0
        for some, others in (
            (here & self.unknown, there & self.known),
            (here & self.known, there & self.unknown),
        ):
            if not (some and others):
                continue
            pairs = product(engine.alike(some), engine.alike(others))
            for source, destination in islice(pairs, _MOST):
                family = units[source].family or units[destination].family
                outcome = engine.outcome(source, destination, family=family)
                if outcome.passing & traffic:
                    yield outcome, BitMap([source]), BitMap([destination])
                    found += 1
                    if found == _ENOUGH:
                        return
            if next(pairs, None) is not None:
                yield Outcome(NO_TRAFFIC, traffic), some, others


def _whole(rule: Rule) -> bool:
    """Return whether a rule is about every address of a family."""
    matches = (match for peer in rule.peers for match in plain_matches(peer.match))
    return any(isinstance(match, BlockMatch) and match.whole for match in matches)


def _opens(rule: Rule) -> bool:
    """Return whether a rule only lets more pass, the more peers it is about."""
    plain = all(isinstance(p.match, BlockMatch) or not _held(p.match) for p in rule.peers)
    return rule.action is Action.ALLOW and plain


def _held(match: PeerMatch) -> bool:
    """Return whether such a block is a part of a match."""
    return any(isinstance(m, BlockMatch) and m.whole for m in plain_matches(match))
