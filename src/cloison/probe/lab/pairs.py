"""Rows for those who have written none: who could talk to whom, on the ports that are declared."""

from collections.abc import Iterable, Iterator

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
    found = list(_pairs(engine))
    said = "every pair of workloads on the ports they declare, and one address outside for each "
    said += f"block that policies tell apart, up to {_BLOCKS}: nothing is expected but what is "
    said += "predicted"
    if len(found) <= most:
        return tuple(found), (said,)
    chosen = tuple(found[number * len(found) // most] for number in range(most))
    return chosen, (f"{said}; of {len(found)} such rows {most} were taken, evenly spread",)


def _pairs(engine: Engine) -> Iterator[Row]:
    workloads = [w for w in engine.world.workloads.values() if w.endpoints]
    blocks = blocks_outside(engine, _BLOCKS)
    names = {w.id: _name(w.id) for w in workloads}
    for destination in workloads:
        sources = [names[w.id] for w in workloads if w.id != destination.id or _many(w)]
        for source in (*sources, *_shared(blocks, destination)):
            for port, protocol in _ports(destination):
                yield _row(source, names[destination.id], port, protocol)
    for workload in workloads:
        for block in _shared(blocks, workload):
            yield _row(names[workload.id], block, None, "TCP")


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
