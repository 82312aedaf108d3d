"""The answer to `reconcile`, and how each cell of it is asked about."""

from collections import Counter
from dataclasses import dataclass

from cloison.algebra import AddressSet, TrafficSet
from cloison.analyses.connectivity import EndRef, Line
from cloison.analyses.explain import Decider
from cloison.analyses.reconcile.cube import Cube
from cloison.analyses.reconcile.kinds import Cell, Kind
from cloison.analyses.reconcile.marks import Mark
from cloison.analyses.reconcile.measures import Measures
from cloison.analyses.reconcile.seen import Loss
from cloison.ir.fidelity import Caveat
from cloison.resources.world import APART, World


@dataclass(frozen=True, slots=True)
class Asked:
    """How `cloison why` is asked about a cell.

    Args:
        words: Its arguments; empty where it cannot be asked.
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
) -> tuple[str, ...] | None:
    """Return what `cloison why` takes to show a cell; None where it cannot be asked.

    Args:
        cell: The cell; of many addresses and ports, one is asked about.
        world: The inventory.
        shared: Its `namesakes`.
    """
    ends = (cell.source, cell.destination)
    source, destination = (_name(end, cell, world, shared) for end in ends)
    port = _port(cell.traffic)
    if source is None or destination is None or port is None:
        return None
    if ":" in destination and cell.destination.addresses is not None:
        destination = f"[{destination}]"
    return source, f"{destination}:{port}"


def _name(end: EndRef, cell: Cell, world: World, shared: frozenset[tuple[str, str]]) -> str | None:
    if end.addresses is not None:
        seen = cell.evidence.address
        if seen is not None and _holds(end, seen):
            return seen
        return next((str(block) for block in end.addresses.blocks()), None)
    if end.kind == "node" and not end.name:
        return next((f"node:{name}" for name in sorted(world.nodes)), None)
    if end.namespace == APART:
        return f"{APART}{end.name}"
    if end.kind in ("workload", "pod") and (end.namespace, end.name) in shared:
        return f"{end.namespace}/{end.type or 'Pod'}/{end.name}"
    return str(end)


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
