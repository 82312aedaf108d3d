"""What is kept, and for how long; small parts joined into large ones."""

import time
from collections.abc import Iterator
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from cloison.flows.store import lines
from cloison.flows.store.manifest import Part
from cloison.flows.store.parts import HOUR, Kind, stage
from cloison.flows.store.rolling import hours
from cloison.flows.store.writer import Writer

_DAY: Final = 24
"""Hours."""

_SECONDS: Final = 3600
"""Of an hour."""

LARGE: Final = 2_000_000
"""Rows of a part that is not joined with others."""


def expire(writer: Writer, raw: int | None, rollups: int | None, now: int | None = None) -> int:
    """Remove what is older than so many days; return how many flows and hourly rows that were.

    The roll-up of an hour whose flows go is kept as it is until it is too old itself: it cannot be
    built again. Flows of an hour that is not rolled up stay.

    Args:
        writer: The store.
        raw: Days for which flows are kept; `None` for ever.
        rollups: Days for which roll-ups are kept, and flows at most; `None` for ever.
        now: The time in microseconds; the clock's for `None`.
    """
    hour = (now if now is not None else time.time_ns() // 1000) // HOUR
    manifest = writer.manifest
    known = hours(manifest)
    flows = [part for part in manifest.of("flows") if part.hour is not None]
    rolled = [part for part in manifest.of("rollups") if part.hour is not None]
    gone: set[Part] = set()
    if raw is not None:
        limit = hour - raw * _DAY
        lines.expire(writer.store, limit * _SECONDS)
        gone |= {
            part
            for part in flows
            if (part.hour or 0) < limit
            and (part.source, part.hour) in known.rolled
            and (part.source, part.hour) not in known.stale
        }
    left = {(part.source, part.hour) for part in gone}
    if rollups is not None:
        limit = hour - rollups * _DAY
        gone |= {part for part in (*flows, *rolled) if (part.hour or 0) < limit}
    if not gone:
        return 0
    kept = [
        part
        for part in rolled
        if part not in gone and not part.kept and (part.source, part.hour) in left
    ]
    forever = [msgspec.structs.replace(part, kept=True) for part in kept]
    writer.replace(forever, (*gone, *kept))
    return sum(part.rows for part in gone)


def merge(writer: Writer) -> int:
    """Join small parts that hold the same; return how many parts there are less."""
    before = len(writer.manifest.parts)
    for some in list(_loads(writer.manifest.parts)):
        first = some[0]
        read = [pq.read_table(writer.store / part.path, partitioning=None) for part in some]
        kind = Kind(max(part.born for part in some), first.source)
        rows = pa.concat_tables(read, promote_options="default")
        part = stage(writer.store, first.table, rows, kind, first.hour)
        writer.replace([msgspec.structs.replace(part, kept=first.kept)], tuple(some))
    return before - len(writer.manifest.parts)


def _loads(parts: tuple[Part, ...]) -> Iterator[list[Part]]:
    """Yield parts to be joined, about so many rows at once."""
    alike: dict[tuple[str, str, int | None, bool], list[Part]] = {}
    for part in parts:
        # The last line of a file that grows is replaced one day.
        if part.rows < LARGE and not part.input:
            alike.setdefault((part.table, part.source, part.hour, part.kept), []).append(part)
    for some in alike.values():
        load: list[Part] = []
        size = 0
        for part in some:
            if load and size + part.rows > LARGE:
                yield from [load] if len(load) > 1 else []
                load, size = [], 0
            load.append(part)
            size += part.rows
        if len(load) > 1:
            yield load
