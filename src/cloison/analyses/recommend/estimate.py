"""What was not seen, told from how often the rest was: estimators of species, of edges.

An hour in which anybody watched is a sample, and an edge seen in it an incidence, however many
connections there were. A. Chao and L. Jost, "Coverage-based rarefaction and extrapolation",
Ecology 93 (2012); A. Chao, "Estimating the population size for capture-recapture data with unequal
catchability", Biometrics 43 (1987).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_LEAST: Final = 0.0001
"""Shares below which numbers for people say no more than that."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How much was seen of what there is.

    Args:
        windows: Hours in which anybody watched, t.
        edges: Edges seen, S.
        once: Those seen in exactly one hour, Q1.
        twice: Those seen in exactly two, Q2.
        incidences: Hours in which each edge was seen, summed up, U.
    """

    windows: int
    edges: int = 0
    once: int = 0
    twice: int = 0
    incidences: int = 0

    @property
    def unseen(self) -> float | None:
        """The share of what happens that is of edges never seen; None where none was seen.

        Q1/U · (t-1)·Q1 / ((t-1)·Q1 + 2·Q2). Where no edge was seen just twice that is Good and
        Turing's Q1/U, which is on the safe side.
        """
        if not self.incidences:
            return None
        share = self.once / self.incidences
        if not self.once or not self.twice:
            return share
        weight = (self.windows - 1) * self.once
        return share * weight / (weight + 2 * self.twice)

    @property
    def coverage(self) -> float | None:
        """The share of what happens that is of edges that were seen, by Chao and Jost."""
        return None if self.unseen is None else 1 - self.unseen

    @property
    def richness(self) -> float:
        """How many edges there are at least, seen or not: Chao2, with its bias taken out.

        S + (t-1)/t · Q1·(Q1-1) / (2·(Q2+1)).
        """
        if not self.windows:
            return float(self.edges)
        pairs = self.once * (self.once - 1) / (2 * (self.twice + 1))
        return self.edges + (self.windows - 1) / self.windows * pairs


def estimate(seen: Iterable[int], windows: int) -> Estimate:
    """Return how much was seen.

    Args:
        seen: Of each edge, in how many of the watched hours it was seen; zeros do not count.
        windows: How many hours were watched.

    >>> known = estimate([8, 1, 1, 2], 10)
    >>> known.unseen, known.richness
    (0.15, 4.45)
    """
    counts = [each for each in seen if each]
    return Estimate(windows, len(counts), counts.count(1), counts.count(2), sum(counts))


def percent(share: float) -> str:
    """Return a share for people, never as nothing where it is something.

    >>> percent(0.12), percent(0.0004), percent(1e-7), percent(0)
    ('12 %', '0.04 %', 'less than 0.01 %', '0 %')
    """
    if 0 < share < _LEAST:
        return "less than 0.01 %"
    return f"{share * 100:.2f}".rstrip("0").rstrip(".") + " %"
