"""The answer to `reconcile`, and how each cell of it is asked about."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product
from typing import Final

from cloison.algebra import AddressSet, TrafficSet
from cloison.analyses.application import Application
from cloison.analyses.connectivity import EndRef, Line
from cloison.analyses.explain import Decider
from cloison.analyses.reconcile.cube import Cube
from cloison.analyses.reconcile.kinds import Cell, Kind, State
from cloison.analyses.reconcile.marks import Mark
from cloison.analyses.reconcile.measures import Measures
from cloison.analyses.reconcile.seen import Loss
from cloison.ir.fidelity import Caveat, Verdict
from cloison.resources.world import APART, World


@dataclass(frozen=True, slots=True)
class Asked:
    """How `cloison why` is asked about a cell.

    Args:
        words: Its arguments; empty where no question is answered as the cell says.
        deciders: What decides, as it says.
        caveats: Why nobody can say, where that is so.
    """

    words: tuple[str, ...] = ()
    deciders: tuple[Decider, ...] = ()
    caveats: tuple[Caveat, ...] = ()


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The answer to `reconcile`.

    Args:
        cube: The cube.
        measures: What it comes to in numbers.
        marks: Sources that the path model assumes, and what flows say of them.
        asked: How each cell is asked about, in their order.
        contracts: Names of the contracts.
        store: Where the flows are from; None where there are none.
        span: From when on and until when flows count; microseconds since 1970.
        adapters: Which sources flows are from.
        seen: How many connections they tell of.
        lost: What these sources say they lost.
        learned: Names whose addresses are taken from flows, as nobody else says them.
        kinds: The kinds of cells that are told; all where none is named.
        namespace: Only cells with an end in it are told.
        options: Options that name the same cluster to another command.
    """

    cube: Cube
    measures: Measures
    marks: tuple[Mark, ...]
    asked: tuple[Asked, ...]
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
    def excess(self) -> tuple[Line, ...]:
        """What is permitted beyond all cells, in lines."""
        return tuple(line for line in self.cube.excess.lines if line.allowed)

    def told(self) -> tuple[tuple[Cell, Asked], ...]:
        """Return the cells that are asked for with how to ask about them, the worst first."""
        rank = {kind: place for place, kind in enumerate(Kind)}
        found = [
            (cell, asked)
            for cell, asked in zip(self.cube.cells, self.asked, strict=True)
            if (not self.kinds or cell.kind in self.kinds) and self._here(cell)
        ]
        return tuple(sorted(found, key=lambda item: rank[item[0].kind]))

    def _here(self, cell: Cell) -> bool:
        ends = (cell.source, cell.destination)
        return self.namespace is None or any(end.namespace == self.namespace for end in ends)

    @property
    def with_excess(self) -> bool:
        """Whether excess is among what is asked for."""
        return not self.kinds or EXCESS in self.kinds


EXCESS = "excess"
"""What the cells are called that are told as a map."""


def namesakes(world: World) -> frozenset[tuple[str, str]]:
    """Return the names, with their namespaces, that several workloads have."""
    found = Counter((each.namespace, each.name) for each in world.workloads)
    return frozenset(name for name, number in found.items() if number > 1)


def asked_as(
    cell: Cell, world: World, shared: frozenset[tuple[str, str]] = frozenset()
) -> Iterator[tuple[str, str, Application]]:
    """Yield what `cloison why` may take to show a cell, the likeliest first; nothing for some.

    A cell is of many addresses, and may be of several requests: each of these asks about a part,
    and whoever asks sees whether it is answered as the cell says.

    Args:
        cell: The cell; of many ports, one is asked about.
        world: The inventory.
        shared: Its `namesakes`.
    """
    port = _port(cell.traffic)
    if port is None:
        return
    sources = _names(cell.source, cell, world, shared)
    destinations = _names(cell.destination, cell, world, shared)
    outside = cell.destination.addresses is not None
    for source, to, request in product(sources, destinations, (*cell.requests, None)):
        said = Application() if request is None else Application.saying(request)
        yield source, f"[{to}]:{port}" if outside and ":" in to else f"{to}:{port}", said


_BLOCKS: Final = 64
"""Blocks of an end outside that are tried to ask about it."""


def _names(
    end: EndRef, cell: Cell, world: World, shared: frozenset[tuple[str, str]]
) -> tuple[str, ...]:
    if end.addresses is not None:
        seen = cell.evidence.address
        first = (seen,) if seen is not None and _holds(end, seen) else ()
        blocks = islice(map(str, end.addresses.blocks()), _BLOCKS)
        return tuple(dict.fromkeys((*first, *blocks)))
    if end.kind == "node" and not end.name:
        return tuple(f"node:{name}" for name in sorted(world.nodes)[:1])
    if end.namespace == APART:
        return (f"{APART}{end.name}",)
    if end.kind in ("workload", "pod") and (end.namespace, end.name) in shared:
        return (f"{end.namespace}/{end.type or 'Pod'}/{end.name}",)
    return (str(end),)


def fits(cell: Cell, verdict: Verdict, *, requested: bool = False) -> bool:
    """Return whether an answer to a question about a cell says what the cell says.

    Args:
        cell: The cell.
        verdict: The verdict.
        requested: Whether it was asked about one request.
    """
    match cell.state:
        case State.YES if cell.conditional and not requested:
            return verdict in (Verdict.MIXED, Verdict.ALLOWED)
        case State.YES:
            return verdict is Verdict.ALLOWED
        case State.PARTLY:
            return verdict is Verdict.MIXED
        case State.UNCLEAR:
            return verdict in (Verdict.UNDETERMINED, Verdict.MIXED)
        case State.NO:
            return verdict is Verdict.DENIED


def _holds(end: EndRef, address: str) -> bool:
    return end.addresses is not None and AddressSet.address(address) <= end.addresses


def _port(traffic: TrafficSet) -> str | None:
    entry = next(traffic.entries(), None)
    if entry is None:
        return None
    if entry.protocol.startswith("ICMP"):
        types = "" if entry.low is None or entry.low != entry.high else f"/{entry.low // 256}"
        return entry.protocol.lower() + types
    if entry.low is None:
        return None
    return f"{entry.low or 1}/{entry.protocol}"
