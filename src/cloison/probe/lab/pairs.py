"""Rows for those who have written none: who could talk to whom, on the ports that are declared."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from cloison.algebra import family_of, parse_address
from cloison.analyses.matrix import Row
from cloison.engine import Engine
from cloison.probe.lab.stations import blocks_outside
from cloison.resources.world import Workload, WorkloadId

MOST_PAIRS = 4000
"""Rows at most."""
_BLOCKS = 8
"""Addresses outside, each of another block that policies tell apart."""


def pairs(engine: Engine, most: int = MOST_PAIRS) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """Return rows for every pair of workloads, and notes on what they are.

    Each asks about one declared port of the destination, or about TCP where it declares none, and
    expects nothing but what is predicted. Addresses outside stand at both ends, too.

    Args:
        engine: Policies bound to the world as built.
        most: How many rows to return; of more, an even sample.
    """
    every = _Pairs(engine)
    said = "every pair of workloads on the ports they declare, and one address outside for each "
    said += f"block that policies tell apart, up to {_BLOCKS}: nothing is expected but what is "
    said += "predicted"
    total = len(every)
    if total <= most:
        return tuple(map(every.row, range(total))), (said,)
    chosen = tuple(every.row(number * total // most) for number in range(most))
    return chosen, (f"{said}; of {total} such rows {most} were taken, evenly spread",)


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows that end at one workload, or that lead from it to the outside.

    Args:
        name: The workload.
        place: Which of the workloads it is.
        others: How many workloads are at the other end.
        blocks: Addresses that are there besides.
        ports: What is asked about; of rows to the outside nothing.
        itself: Whether the workload is among the others.
    """

    name: str
    place: int
    others: int
    blocks: tuple[str, ...]
    ports: tuple[tuple[str | None, str], ...]
    itself: bool = False

    def __len__(self) -> int:
        """Return how many rows there are."""
        return (self.others + len(self.blocks)) * (len(self.ports) or 1)

    def row(self, number: int, names: Sequence[str]) -> Row:
        """Return one of the rows."""
        if not self.ports:
            return _row(self.name, self.blocks[number], None, "TCP")
        other, port = divmod(number, len(self.ports))
        if other >= self.others:
            source = self.blocks[other - self.others]
        else:
            source = names[other if self.itself or other < self.place else other + 1]
        return _row(source, self.name, *self.ports[port])


class _Pairs:
    """Every row there could be, by its number: there are too many to make them all.

    Args:
        engine: Policies bound to the world as built.
    """

    def __init__(self, engine: Engine) -> None:
        workloads = [w for w in engine.world.workloads.values() if w.endpoints]
        blocks = blocks_outside(engine, _BLOCKS)
        self._names = [_name(w.id) for w in workloads]
        within = [tuple(_shared(blocks, w)) for w in workloads]
        entering = (
            _Part(
                self._names[place],
                place,
                len(workloads) - (not _many(each)),
                within[place],
                tuple(_ports(each)),
                _many(each),
            )
            for place, each in enumerate(workloads)
        )
        leaving = (_Part(name, 0, 0, within[place], ()) for place, name in enumerate(self._names))
        self._parts = [*entering, *leaving]
        self._ends = list(accumulate(map(len, self._parts)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def row(self, number: int) -> Row:
        """Return the row of a number."""
        place = bisect_right(self._ends, number)
        part = self._parts[place]
        return part.row(number - (self._ends[place] - len(part)), self._names)


def _shared(blocks: Iterable[str], workload: Workload) -> Iterator[str]:
    """Yield the addresses of a family that a workload has addresses of."""
    families = {family_of(point) for e in workload.endpoints for point in e.addresses}
    return (text for text in blocks if family_of(parse_address(text)) in families)


def _name(workload: WorkloadId) -> str:
    """Return the name of a workload, with its kind: others may be called the same."""
    return f"{workload.namespace}/{workload.kind.lower()}/{workload.name}"


def _many(workload: Workload) -> bool:
    """Whether there are several pods of a workload, which may talk to one another."""
    return len(workload.endpoints) > 1 or (workload.replicas or 1) > 1


def _ports(workload: Workload) -> Iterator[tuple[str | None, str]]:
    said = {(p.number, p.protocol) for e in workload.endpoints for p in e.ports}
    if not said:
        yield None, "TCP"
    for number, protocol in sorted(said):
        yield str(number), protocol


def _row(source: str, destination: str, port: str | None, protocol: str) -> Row:
    on = f"{protocol}/{port}" if port else protocol
    return Row(f"{source} to {destination} on {on}", source, destination, None, port, protocol)
