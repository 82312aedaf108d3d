"""The answer to `reconcile`."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cloison.analyses.connectivity import EndRef
from cloison.analyses.reconcile.asked import Asked
from cloison.analyses.reconcile.cube import Cube
from cloison.analyses.reconcile.kinds import Cell, Kind
from cloison.analyses.reconcile.marks import Mark
from cloison.analyses.reconcile.measures import Measures
from cloison.analyses.reconcile.seen import Loss
from cloison.analyses.reconcile.surplus import Surplus


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The answer to `reconcile`.

    Args:
        cube: The cube.
        measures: What it comes to in numbers.
        marks: Sources that the path model assumes, and what flows say of them.
        asked: How each cell is asked about, in their order.
        surplus: What is permitted beyond all cells, or may be, in lines.
        contracts: Names of the contracts.
        store: Where the flows are from; None where there are none.
        span: From when on and until when flows count; microseconds since 1970.
        adapters: Which sources flows are from.
        seen: How many connections they tell of.
        lost: What these sources say they lost.
        learned: Names whose addresses are taken from flows, as nobody else says them.
        kinds: The kinds of cells that are told; all where none is named.
        namespace: Only cells and excess with an end in it are told.
        options: Options that name the same cluster to another command.
    """

    cube: Cube
    measures: Measures
    marks: tuple[Mark, ...]
    asked: tuple[Asked, ...]
    surplus: tuple[Surplus, ...] = ()
    contracts: tuple[str, ...] = ()
    store: str | None = None
    span: tuple[int | None, int | None] = (None, None)
    adapters: tuple[str, ...] = ()
    seen: int = 0
    lost: tuple[Loss, ...] = ()
    learned: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    namespace: str | None = None
    options: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[Kind, int]:
        """How many cells there are of each kind, of all cells."""
        found = Counter(each.kind for each in self.cube.cells)
        return {kind: found[kind] for kind in Kind}

    def count(self, kind: str) -> int:
        """Return how many cells there are of a kind; of excess, lines of its map."""
        return len(self.excess) if kind == EXCESS else self.counts[Kind(kind)]

    @property
    def excess(self) -> tuple[Surplus, ...]:
        """What is permitted for certain beyond all cells, in lines."""
        return tuple(each for each in self.surplus if each.permitted)

    def told_excess(self) -> tuple[Surplus, ...]:
        """Return the lines of excess that are asked for: first those that are known to be unused.

        Those that may be permitted are among them.
        """
        found = [each for each in self.surplus if self.with_excess and self._here(each.ends)]
        return tuple(sorted(found, key=lambda each: each.unobserved))

    def told(self) -> tuple[tuple[Cell, Asked], ...]:
        """Return the cells that are asked for with how to ask about them, the worst first."""
        rank = {kind: place for place, kind in enumerate(Kind)}
        found = [
            (cell, asked)
            for cell, asked in zip(self.cube.cells, self.asked, strict=True)
            if (not self.kinds or cell.kind in self.kinds)
            and self._here((cell.source, cell.destination))
        ]
        return tuple(sorted(found, key=lambda item: rank[item[0].kind]))

    def _here(self, ends: Iterable[EndRef]) -> bool:
        return self.namespace is None or any(end.namespace == self.namespace for end in ends)

    @property
    def with_excess(self) -> bool:
        """Whether excess is among what is asked for."""
        return not self.kinds or EXCESS in self.kinds


EXCESS: Final = "excess"
"""What the cells are called that are told as a map."""
