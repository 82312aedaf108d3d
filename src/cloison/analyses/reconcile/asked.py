"""How `cloison why` is asked about what is in the cube, so that it says the same."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product
from typing import Final

from cloison.algebra import AddressSet, TrafficSet, address_text
from cloison.analyses.application import Application
from cloison.analyses.connectivity import EndRef
from cloison.analyses.explain import Decider
from cloison.analyses.reconcile.kinds import Cell, State
from cloison.ir.fidelity import Caveat, Verdict
from cloison.resources.world import APART, World


@dataclass(frozen=True, slots=True)
class Asked:
    """How `cloison why` is asked about a cell.

    Args:
        words: Its arguments; empty where no question is answered as the cell says.
        deciders: What decides, as it says.
        caveats: Why nobody can say, where that is so.
        denied: Which part of it the question is about, as `::/0 -> s/w`, where no question has the
            answer that some of it passes: one that is denied.
    """

    words: tuple[str, ...] = ()
    deciders: tuple[Decider, ...] = ()
    caveats: tuple[Caveat, ...] = ()
    denied: str = ""


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
    sources = called_as(cell.source, cell, world, shared)
    destinations = called_as(cell.destination, cell, world, shared)
    outside = cell.destination.addresses is not None
    for source, to, request in product(sources, destinations, (*cell.requests, None)):
        said = Application() if request is None else Application.saying(request)
        yield source, f"[{to}]:{port}" if outside and ":" in to else f"{to}:{port}", said


_BLOCKS: Final = 64
"""Blocks of an end outside that are tried to ask about it."""


def called_as(
    end: EndRef, cell: Cell, world: World, shared: frozenset[tuple[str, str]]
) -> tuple[str, ...]:
    """Return what questions may call an end of a cell, the likeliest first."""
    if end.addresses is not None:
        seen = cell.evidence.address
        first = (seen,) if seen is not None and _holds(end, seen) else ()
        blocks = [each for each in islice(end.addresses.blocks(), _BLOCKS) if "-" not in each]
        if cell.state is State.PARTLY:
            # One family may be denied as a whole, however many blocks the other one has.
            families = (end.addresses.family(family) for family in (4, 6))
            blocks = [text for each in families for text in islice(each.blocks(), 1)] + blocks
            blocks = [each for each in blocks if "-" not in each]
        one = address_text(end.addresses.spans[0][0])
        return tuple(dict.fromkeys((*first, *blocks, one)))
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


def shows_denied(cell: Cell, verdict: Verdict) -> bool:
    """Return whether an answer to a question about a part of a cell says what is denied of it."""
    return cell.state is State.PARTLY and verdict is Verdict.DENIED


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
