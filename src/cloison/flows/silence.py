"""Hours of which a source should have told something, and did not.

An hour without a row means little where a source has few rows in any hour, and much where it has
many in all the others: then nobody watched, or what they wrote was never read.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from itertools import pairwise
from pathlib import Path
from statistics import median_low
from typing import Final

from ibis import _

from cloison.flows.engines.duck import Duck
from cloison.flows.store.manifest import Manifest
from cloison.flows.store.parts import HOUR, STORED
from cloison.flows.store.place import SCRATCH, reading

BUSY: Final = 20
"""Rows that a source has in its usual hour, from which on an hour without any is a gap.

Were they spread by chance, one hour in some hundred million would be without.
"""

_SECONDS: Final = HOUR // 1_000_000
_Rows = dict[int, int]
"""How many rows there are in an hour, by hours since 1970."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Hours between others in which a source told of nothing, though it usually tells of much.

    Args:
        source: The reader.
        node: The node of which it told nothing; None where it told nothing of any.
        since: Start of the first, in microseconds since 1970.
        until: End of the last.
    """

    source: str
    node: str | None
    since: int
    until: int


def silences(
    store: Path, since: int | None = None, until: int | None = None
) -> tuple[Silence, ...]:
    """Return the hours in which sources told of nothing, or of nothing on one of their nodes.

    Nodes are told apart in flows that are kept; of hours that only a roll-up is left of, the
    source as a whole counts.

    Args:
        store: The store.
        since: Only hours that end after this time, in microseconds; None for all.
        until: Only hours that begin before it.

    Raises:
        SourceError: there is no such store, or it cannot be read.
    """
    with reading(store) as manifest:
        whole = _by_source(manifest)
        nodes = _by_node(store, manifest)
    found: list[Silence] = []
    for source, rows in sorted(whole.items()):
        found += (_silence(source, None, *hours) for hours in _between(rows))
    for (source, node), rows in sorted(nodes.items()):
        found += (_silence(source, node, *hours) for hours in _alone(rows, {*whole[source]}))
    return tuple(
        each
        for each in found
        if (since is None or each.until > since) and (until is None or each.since < until)
    )


def _silence(source: str, node: str | None, first: int, last: int) -> Silence:
    return Silence(source, node, first * HOUR, (last + 1) * HOUR)


def _by_source(manifest: Manifest) -> Mapping[str, _Rows]:
    """Return the rows of each source's hours; those of its roll-up where no flow is left."""
    found: dict[str, _Rows] = defaultdict(dict)
    for table in ("rollups", "flows"):
        summed: dict[tuple[str, int], int] = defaultdict(int)
        for part in manifest.of(table):
            if part.hour is not None:
                summed[part.source, part.hour] += part.rows
        for (source, hour), rows in summed.items():
            found[source][hour] = rows
    return found


def _by_node(store: Path, manifest: Manifest) -> Mapping[tuple[str, str], _Rows]:
    parts = [part for part in manifest.of("flows") if part.hour is not None]
    if not parts:
        return {}
    engine = Duck(store / SCRATCH)
    try:
        flows = engine.read([store / part.path for part in parts], STORED)
        told = flows.filter(flows.node.notnull() & flows.time.notnull())
        hours = told.mutate(hour=told.time.truncate("h")).group_by(["adapter", "node", "hour"])
        counted = engine.run(hours.agg(rows=_.count())).to_pylist()
    finally:
        engine.close()
    found: dict[tuple[str, str], _Rows] = defaultdict(dict)
    for row in counted:
        hour = round(row["hour"].replace(tzinfo=UTC).timestamp()) // _SECONDS
        found[row["adapter"], row["node"]][hour] = row["rows"]
    return found


def _between(rows: _Rows) -> Iterator[tuple[int, int]]:
    """Yield the hours, first and last, between others that are without rows."""
    if median_low(rows.values()) >= BUSY:
        for one, other in pairwise(sorted(rows)):
            if other > one + 1:
                yield one + 1, other - 1


def _alone(rows: _Rows, others: set[int]) -> Iterator[tuple[int, int]]:
    """Yield the hours, first and last, between others that are without rows of one node.

    Args:
        rows: Its rows.
        others: Hours in which its source told of any node: one without is no gap of this alone.
    """
    for first, last in _between(rows):
        held = sorted(hour for hour in others if first <= hour <= last)
        if held:
            start = held[0]
            for one, other in pairwise((*held, last + 2)):
                if other != one + 1:
                    yield start, one
                    start = other
