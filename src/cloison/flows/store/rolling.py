"""Hours rolled up: what is asked again and again, in a thousandth of the rows.

A roll-up is built of all flows of an hour, and again when more of them arrive, or when more is
known of who held the addresses then. Until it is, the hour's flows themselves are read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr.operations import Node
from ibis.expr.types import Table

from cloison.flows.engines.columns import loose, plain
from cloison.flows.engines.engine import Engine
from cloison.flows.expressions.attribute import attributed, of_services
from cloison.flows.expressions.connect import connections
from cloison.flows.expressions.holders import reused
from cloison.flows.expressions.identities import SEGMENTS, segments
from cloison.flows.expressions.orient import oriented
from cloison.flows.expressions.roll import hourly
from cloison.flows.schema import IDENTITY, LISTENERS
from cloison.flows.store.manifest import Manifest, Part
from cloison.flows.store.parts import HOUR, STORED, Kind, Rows, stage_all
from cloison.flows.store.writer import Writer

Hour = tuple[str, int | None]
"""A reader, and hours since 1970; `None` for flows without a time."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Where the flows of a store are to be had.

    Args:
        rolled: Parts of roll-ups, by hour.
        stale: Hours of which the flows are to be read, with the parts these are in.
    """

    rolled: Mapping[Hour, tuple[Part, ...]]
    stale: Mapping[Hour, tuple[Part, ...]]


def hours(manifest: Manifest) -> Hours:
    """Return which hours are rolled up, and which are not or no longer rightly so."""
    flows = _by_hour(manifest.of("flows"))
    rolled = _by_hour(manifest.of("rollups"))
    about = (*manifest.of("identity"), *manifest.of("listeners"))
    stale = {}
    for hour, parts in flows.items():
        last = max(part.born for part in parts)
        for part in about:
            if part.born > last and _touches(part, hour[1]):
                last = part.born
        # What is kept of flows that were removed since is never built anew.
        if not any(part.born >= last for part in rolled.get(hour, ())):
            stale[hour] = parts
    return Hours(rolled, stale)


def _all(flows: Table) -> Table:
    """Return all flows."""
    return flows


def rolled(
    store: Path,
    manifest: Manifest,
    engine: Engine,
    parts: Sequence[Part],
    chosen: Callable[[Table], Table] = _all,
) -> Table:
    """Return the hourly rows of flows, to be worked out.

    Args:
        store: The store.
        manifest: What belongs to it.
        engine: What works it out.
        parts: Parts of flows: all of every hour that they are of.
        chosen: Returns the flows that count; all rows of a connection, or none.
    """
    until = max((part.hour for part in parts if part.hour is not None), default=None)
    held = _read(store, _until(manifest.of("identity"), until), IDENTITY)
    heard = _read(store, _until(manifest.of("listeners"), until), LISTENERS)
    listening = frozenset(zip(plain(heard["proto"]), plain(heard["port"]), strict=True))
    flows = engine.read([store / part.path for part in parts], STORED)
    holders = segments(held)
    services = "service" in plain(holders["entity"].unique()) or plain(
        engine.run(of_services(flows))["services"]
    ) == [True]
    several = plain(engine.run(reused(flows))["reused"]) == [True]
    holding = engine.table(holders.combine_chunks())
    there = _There(services=services, reused=several, held=bool(holders.num_rows))
    return _expressed(chosen(flows).op(), holding.op(), listening, there).to_expr()


@dataclass(frozen=True, slots=True)
class _There:
    """What there may be among flows: what is not need not be looked for.

    Args:
        services: Ends that are Services.
        reused: Addresses that several held within an hour.
        held: Identities.
    """

    services: bool
    reused: bool
    held: bool


@lru_cache(maxsize=16)
def _expressed(
    flows: Node, holders: Node, listening: frozenset[tuple[str, int]], there: _There
) -> Node:
    """Return what hours come to. To build that takes longer than to read a few thousand rows."""
    opened = connections(oriented(flows.to_expr(), listening), reused=there.reused)
    named = attributed(opened, holders.to_expr(), services=there.services, held=there.held)
    found: Node = hourly(named).op()
    return found


def roll(store: Path, manifest: Manifest, engine: Engine, parts: Sequence[Part]) -> pa.Table:
    """Return the hourly rows of flows; takes what `rolled` does."""
    found = engine.run(rolled(store, manifest, engine, parts))
    return found.select(schema().names).cast(schema())


@cache
def schema() -> pa.Schema:
    """Return the columns of roll-ups."""
    flows = ibis.table(ibis.Schema.from_pyarrow(loose(STORED)), name="flows")
    held = ibis.table(ibis.Schema.from_pyarrow(SEGMENTS), name="identities")
    found = hourly(attributed(connections(oriented(flows, ())), held))
    return loose(found.schema().to_pyarrow())


def batches(stale: Mapping[Hour, tuple[Part, ...]], rows: int) -> Iterator[list[Part]]:
    """Yield parts of hours, whole hours together, with about so many rows at once."""
    batch: list[Part] = []
    size = 0
    for _hour, parts in sorted(stale.items(), key=lambda row: (row[0][1] or -1, row[0][0])):
        more = sum(part.rows for part in parts)
        if batch and size + more > rows:
            yield batch
            batch, size = [], 0
        batch += parts
        size += more
    if batch:
        yield batch


def refresh(writer: Writer, engine: Engine) -> int:
    """Roll up the hours that are not; return how many that were.

    Args:
        writer: The store.
        engine: What works it out.
    """
    stale = hours(writer.manifest).stale
    for parts in batches(stale, engine.at_once):
        found = roll(writer.store, writer.manifest, engine, parts)
        engine.forget()
        replaced = {(part.source, part.hour) for part in parts}
        old = [
            part
            for part in writer.manifest.of("rollups")
            if (part.source, part.hour) in replaced and not part.kept
        ]
        born, apart = writer.manifest.commit + 1, _apart(found)
        new = [
            Rows("rollups", apart.get((source, hour), found.slice(0, 0)), Kind(born, source), hour)
            for source, hour in sorted(replaced, key=lambda row: (row[0], row[1] or -1))
        ]
        writer.replace(stage_all(writer.store, new), tuple(old))
    return len(stale)


def _apart(rows: pa.Table) -> dict[Hour, pa.Table]:
    """Return hourly rows by source and hour, in one pass: weeks have hundreds of these."""
    key = ["adapter", "hour"]
    rows = rows.sort_by([(name, "ascending") for name in key])
    counted = rows.group_by(key, use_threads=False).aggregate([([], "count_all")])
    found: dict[Hour, pa.Table] = {}
    at = 0
    for row in counted.to_pylist():
        found[row["adapter"], row["hour"]] = rows.slice(at, row["count_all"])
        at += row["count_all"]
    return found


def _by_hour(parts: Iterable[Part]) -> dict[Hour, tuple[Part, ...]]:
    found: dict[Hour, list[Part]] = {}
    for part in parts:
        found.setdefault((part.source, part.hour), []).append(part)
    return {hour: tuple(some) for hour, some in found.items()}


def _touches(part: Part, hour: int | None) -> bool:
    """Return whether what a part says may change an hour, as an end does the later ones."""
    return hour is not None and part.since is not None and part.since < (hour + 1) * HOUR


def _until(parts: Iterable[Part], until: int | None) -> list[Part]:
    """Return the parts that make a difference to hours up to one."""
    return [part for part in parts if _touches(part, until)]


def _read(store: Path, parts: Iterable[Part], schema: pa.Schema) -> pa.Table:
    read = [pq.read_table(store / part.path, partitioning=None) for part in parts]
    return pa.concat_tables([schema.empty_table(), *read], promote_options="default")
