"""One connection followed through packet filters, beside the way that was predicted for it."""

from dataclasses import dataclass

from cloison.analyses.explain import Decider
from cloison.analyses.measured import Cell, Counted
from cloison.ir.policy import Direction


@dataclass(frozen=True, slots=True)
class Met:
    """A place on the way where packets are counted.

    Args:
        direction: Seen from the end whose policies are asked.
        predicted: Rules, or the end of a tier, any of which may count them: whichever is asked
            first does. Empty where nothing was predicted.
        counted: What counted them. Empty where nothing did.
    """

    direction: Direction | None
    predicted: tuple[Decider, ...]
    counted: tuple[Counted, ...]

    @property
    def agrees(self) -> bool:
        """Whether something that was predicted counted."""
        return bool(self.predicted and self.counted)


@dataclass(frozen=True, slots=True)
class Trace:
    """The answer to `lab trace`.

    Args:
        cell: The flow: predicted and measured.
        met: What its packets met, and should have met, in order.
        compared: Whether the rules on the way could be predicted: of a Service with several
            pods behind it nobody knows whose they are.
        others: How many other flows the question means; only this one was sent.
        notes: How the question was understood.
    """

    cell: Cell
    met: tuple[Met, ...] = ()
    compared: bool = True
    others: int = 0
    notes: tuple[str, ...] = ()

    @property
    def same_way(self) -> bool:
        """Whether its packets met what was predicted, where that was."""
        return not self.compared or all(each.agrees for each in self.met)

    @property
    def agrees(self) -> bool:
        """Whether its packets went the way that was predicted, to the end that was predicted."""
        return self.cell.measured is self.cell.predicted and self.same_way
