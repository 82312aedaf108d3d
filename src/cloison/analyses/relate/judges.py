"""What shows that a relation of two sets of policies does not hold."""

from collections.abc import Sequence

from cloison.analyses.relate.hunt import Judge, Shown, Stands
from cloison.analyses.relate.stand import FREE, HORIZON
from cloison.ir.flows import NO_FLOWS, Flows, Known


class Equivalent(Judge):
    """Flows that one permits and the other does not."""

    def shown(self, leaving: Stands, entering: Stands) -> Shown:
        """Return it."""
        first, second = allowed(leaving, entering, 0), allowed(leaving, entering, 1)
        sure = (first.allowed & second.denied) | (first.denied & second.allowed)
        doubtful = first.undetermined | second.undetermined
        return sure, _doubt(doubtful, sure, agreed(leaving, entering, [(0, 1)]))

    def quiet(self, stands: Stands) -> bool:
        """Return whether neither lets anything pass."""
        return not any(stand.outcome.passing for stand in stands)


class Contained(Judge):
    """Flows that the first permits and the second does not."""

    def shown(self, leaving: Stands, entering: Stands) -> Shown:
        """Return it."""
        first, second = allowed(leaving, entering, 0), allowed(leaving, entering, 1)
        sure = first.allowed & second.denied
        doubtful = first.passing - second.allowed
        return sure, _doubt(doubtful, sure, agreed(leaving, entering, [(0, 1)]))

    def quiet(self, stands: Stands) -> bool:
        """Return whether the first lets nothing pass."""
        return not stands[0].outcome.passing


class Permits(Judge):
    """Flows that rules of the first name and the second does not permit.

    Args:
        named: Places of the sides that say what rules of the first name.
        second: Place of the second.
    """

    def __init__(self, named: Sequence[int], second: int) -> None:
        self.named = named
        self.second = second

    def shown(self, leaving: Stands, entering: Stands) -> Shown:
        """Return it."""
        first = explicit(leaving, entering, 0, self.named)
        second = allowed(leaving, entering, self.second)
        sure = first.allowed & second.denied
        doubtful = first.passing - second.allowed
        return sure, _doubt(doubtful, sure, agreed(leaving, entering, [(0, self.second)]))

    def quiet(self, stands: Stands) -> bool:
        """Return whether the first lets nothing pass."""
        return not stands[0].outcome.passing


class Forbids(Permits):
    """Flows that rules of the first name and the second permits."""

    def shown(self, leaving: Stands, entering: Stands) -> Shown:
        """Return it."""
        first = explicit(leaving, entering, 0, self.named)
        second = allowed(leaving, entering, self.second)
        sure = first.allowed & second.allowed
        return sure, _doubt(first.passing & second.passing, sure, NO_FLOWS)

    def quiet(self, stands: Stands) -> bool:
        """Return whether one of the two lets nothing pass."""
        return not (stands[0].outcome.passing and stands[self.second].outcome.passing)


class Interferes(Permits):
    """Flows that rules of the first name and rules of the second do not.

    Args:
        named: Places of the sides that say what rules of the first name.
        second: Place of the second.
        others: Places of the sides that say what rules of the second name.
    """

    def __init__(self, named: Sequence[int], second: int, others: Sequence[int]) -> None:
        super().__init__(named, second)
        self.others = others

    def shown(self, leaving: Stands, entering: Stands) -> Shown:
        """Return it."""
        first = explicit(leaving, entering, 0, self.named)
        second = explicit(leaving, entering, self.second, self.others)
        sure = first.allowed - second.passing
        same = NO_FLOWS
        if len(self.named) == len(self.others):
            twins = [(0, self.second), *zip(self.named, self.others, strict=True)]
            same = agreed(leaving, entering, twins)
        return sure, _doubt(first.passing - second.allowed, sure, same)


def allowed(leaving: Stands, entering: Stands, place: int) -> Known:
    """Return what one side lets pass."""
    return leaving[place].outcome.meet(entering[place].outcome).flows


def explicit(leaving: Stands, entering: Stands, place: int, named: Sequence[int]) -> Known:
    """Return what one side lets pass because a rule, at one end at least, says so.

    Args:
        leaving: What each side makes of the traffic as it leaves.
        entering: What each side makes of it as it enters.
        place: The side.
        named: Sides on which only rules allow.
    """
    sure = maybe = NO_FLOWS
    for other in named:
        for strict, rest in (
            (leaving[other], entering[place]),
            (entering[other], leaving[place]),
        ):
            if strict is not FREE:
                met = strict.outcome.meet(rest.outcome).flows
                sure |= met.allowed
                maybe |= met.passing
    real = allowed(leaving, entering, place)
    sure &= real.allowed
    return Known(sure, sure | (maybe & real.passing))


def agreed(leaving: Stands, entering: Stands, twins: Sequence[tuple[int, int]]) -> Flows:
    """Return what sides agree on at both ends, whatever it is that nobody knows."""
    found = Flows(HORIZON)
    for one, other in twins:
        found &= leaving[one].alike(leaving[other]) & entering[one].alike(entering[other])
    return found


def _doubt(doubtful: Flows, sure: Flows, same: Flows) -> Flows:
    return doubtful.within(HORIZON) - sure - same
