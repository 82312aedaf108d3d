"""Excess, line by line: what is permitted beyond all cells, and how each line is asked about.

A line is of many pairs of ends. What lets it through is read from a few of them, and the command
asks about one: of an open cluster, lines are few and pairs are millions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from cloison.algebra import TrafficSet
from cloison.analyses.connectivity import EndRef, Line
from cloison.analyses.reconcile.asked import Asked
from cloison.analyses.reconcile.cube import Cube
from cloison.ir.fidelity import Verdict


@dataclass(frozen=True, slots=True)
class Surplus:
    """What is permitted, neither meant nor seen: every source to every destination.

    Args:
        sources: Who may call.
        destinations: Who may be called.
        verdict: Whether it is permitted, or may be.
        traffic: With what.
        unobserved: Whether nobody knows if it is used.
        itself: Whether each source may call pods of its own, and nobody else.
        asked: How one of the pairs is asked about, and what decides for a few of them.
    """

    sources: tuple[EndRef, ...]
    destinations: tuple[EndRef, ...]
    verdict: Verdict
    traffic: TrafficSet
    unobserved: bool = False
    itself: bool = False
    asked: Asked = field(default_factory=Asked)

    @property
    def permitted(self) -> bool:
        """Whether it is permitted for certain."""
        return self.verdict is Verdict.ALLOWED

    @property
    def ends(self) -> frozenset[EndRef]:
        """Everybody who is at an end of it."""
        return frozenset((*self.sources, *self.destinations))

    def pairs(self, most: int) -> tuple[tuple[EndRef, EndRef], ...]:
        """Return some of its pairs, in which each end is once as long as there is room."""
        return tuple(islice(self._pairs(), most))

    def _pairs(self) -> Iterator[tuple[EndRef, EndRef]]:
        if self.itself:
            yield from zip(self.sources, self.destinations, strict=True)
            return
        sources, destinations = self.sources, self.destinations
        for at in range(max(len(sources), len(destinations))):
            source = sources[at % len(sources)]
            # Nobody is in a pair with itself here.
            for more in range(len(destinations)):
                destination = destinations[(at + more) % len(destinations)]
                if destination != source:
                    yield source, destination
                    break


def surplus(cube: Cube) -> tuple[Surplus, ...]:
    """Return the excess of a cube; what is of workloads with themselves comes last, together."""
    found = [each for line in cube.excess.lines for each in _parts(cube, line)]
    own: dict[tuple[Verdict, TrafficSet, bool], list[EndRef]] = {}
    for each in found:
        if each.itself:
            own.setdefault((each.verdict, each.traffic, each.unobserved), []).extend(each.sources)
    folded = (
        Surplus(tuple(ends), tuple(ends), verdict, traffic, unobserved, itself=True)
        for (verdict, traffic, unobserved), ends in own.items()
    )
    return (*(each for each in found if not each.itself), *folded)


def _parts(cube: Cube, line: Line) -> Iterator[Surplus]:
    itself = line.sources == line.destinations and len(line.sources) == 1
    unobserved = not cube.tells_use(line)
    known: Sequence[tuple[Verdict, TrafficSet]] = (
        (Verdict.ALLOWED, line.allowed),
        (Verdict.UNDETERMINED, line.undetermined),
    )
    for verdict, traffic in known:
        if traffic:
            yield Surplus(
                line.sources, line.destinations, verdict, traffic, unobserved, itself=itself
            )


_COMMON: Final = (("TCP", 443), ("TCP", 80), ("UDP", 53))


def one_port(traffic: TrafficSet, declared: TrafficSet) -> TrafficSet:
    """Return one port of some traffic: one that is declared, or else a usual one.

    Args:
        traffic: What is permitted.
        declared: The ports that the destination declares.
    """
    first = next((traffic & declared).entries(), None)
    if first is None or first.low is None:
        for protocol, number in _COMMON:
            if TrafficSet.ports(protocol, number) <= traffic:
                return TrafficSet.ports(protocol, number)
        first = next(traffic.entries())
    if first.protocol.startswith("ICMP"):
        return TrafficSet.protocol(first.protocol) & traffic
    return TrafficSet.ports(first.protocol, first.low or 1)


def with_asked(found: Surplus, asked: Asked) -> Surplus:
    """Return excess with how it is asked about."""
    return replace(found, asked=asked)
