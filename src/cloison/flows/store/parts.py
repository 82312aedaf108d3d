"""Rows become parts: sorted into hours, written beside the store, then moved into it."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cloison.flows.engines.columns import plain
from cloison.flows.schema import FLOWS, TABLES
from cloison.flows.store.manifest import Part, settle
from cloison.flows.store.place import SCRATCH

HOUR: Final = 3_600_000_000
"""Microseconds."""

STORED: Final = pa.schema([pa.field("adapter", pa.string(), nullable=False), *FLOWS])
"""Columns of flows in a store: those that readers fill, and which reader did."""

_BAD: "list[pa.Field[Any]]" = [
    pa.field("input", pa.int64(), nullable=False),
    pa.field("path", pa.string(), nullable=False),
    pa.field("reader", pa.string(), nullable=False),
    pa.field("line", pa.int64(), nullable=False),
    pa.field("offset", pa.int64(), nullable=False),
    pa.field("why", pa.string(), nullable=False),
    pa.field("data", pa.binary(), nullable=False),
]
BAD: Final = pa.schema(_BAD)
"""Columns of the table `bad`: lines that could not be read, the first of each input."""

_GROUP: Final = 122_880
"""Rows of a Parquet row group: what DuckDB reads at once."""

_FEW: Final = 200
"""Rows of a part that is written without dictionaries, and packed the quicker way."""

_AT_ONCE: Final = 8
"""Parts that are written at the same time; each mostly waits for the disk to have it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What parts have in common that are written together.

    Args:
        born: The commit that brings them.
        source: Reader of their flows.
        input: Input of which they hold a last line without an end; 0 for any other.
    """

    born: int
    source: str = ""
    input: int = 0


def hour_name(hour: int | None) -> str:
    """Return the name of an hour's directory.

    >>> hour_name(0), hour_name(None)
    ('hour=1970-01-01T00', 'hour=undated')
    """
    if hour is None:
        return "hour=undated"
    return f"hour={datetime.fromtimestamp(hour * 3600, UTC):%Y-%m-%dT%H}"


@dataclass(frozen=True, slots=True)
class Rows:
    """What goes into one part.

    Args:
        table: The table.
        rows: The rows, with the table's columns.
        kind: What the part is.
        hour: Hour of its flows.
    """

    table: str
    rows: pa.Table
    kind: Kind
    hour: int | None = None


def stage_all(store: Path, wanted: Iterable[Rows]) -> list[Part]:
    """Write parts, several at the same time, and return them in order.

    Weeks of few flows are hundreds of small parts, of which each is to be on the disk for good:
    that takes the disk hardly longer for eight than for one.

    Raises:
        OSError: one cannot be written; which of the others were is not known then.
    """

    def staged(each: Rows) -> Part:
        return stage(store, each.table, each.rows, each.kind, each.hour)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(staged, wanted))


def stage(store: Path, table: str, rows: pa.Table, kind: Kind, hour: int | None = None) -> Part:
    """Write rows into a part: a file that does not belong to the store until a manifest says so.

    Args:
        store: The store.
        table: The table.
        rows: The rows, with the table's columns.
        kind: What the part is.
        hour: Hour of its flows.

    Raises:
        OSError: it cannot be written.
    """
    place = Path(table)
    if table in {"flows", "rollups"}:
        place = place / f"source={kind.source}" / hour_name(hour)
    name = f"part-{kind.born:08d}-{uuid4().hex[:12]}.parquet"
    staged = store / SCRATCH / name
    with staged.open("wb") as handle:
        # A dictionary of a few values is longer than they are, and takes longer to write. To set
        # zstd up for each of fifty columns takes as long as all the rest, and saves a few bytes.
        many = rows.num_rows > _FEW
        pq.write_table(
            rows,
            handle,
            compression="zstd" if many else "snappy",
            row_group_size=_GROUP,
            use_dictionary=many,
        )
        handle.flush()
        os.fsync(handle.fileno())
        size = handle.tell()
    target = store / place
    target.mkdir(parents=True, exist_ok=True)
    staged.replace(target / name)
    settle(target)
    since, until = span(table, rows)
    return Part(
        table,
        str(place / name),
        rows.num_rows,
        size,
        kind.born,
        kind.source,
        hour,
        since,
        until,
        kind.input,
    )


def span(table: str, rows: pa.Table) -> tuple[int | None, int | None]:
    """Return the first and the last time in rows; the last is `None` where one is open."""
    if table in {"flows", "changes"}:
        first = last = rows["time"]
    elif "since" in rows.column_names:
        first, last = rows["since"], rows["until"]
    elif "first" in rows.column_names:
        first, last = rows["first"], rows["last"]
    else:
        return None, None
    since = _micros(pc.min(first))
    return since, None if last.null_count else _micros(pc.max(last))


def _micros(value: Any) -> int | None:  # noqa: ANN401 - a scalar of any type
    return None if not value.is_valid else int(value.value)


def by_hour(flows: pa.Table, adapter: str) -> Iterator[tuple[int | None, pa.Table]]:
    """Yield flows hour by hour, those without a time last, with the column that says who read them.

    Args:
        flows: Rows with the columns of `schema.FLOWS`.
        adapter: Name of their reader.
    """
    named = pa.array([adapter], pa.string())
    column = pc.take(named, pa.array([0] * flows.num_rows, pa.int32()))
    flows = pa.table([column, *flows.columns], schema=STORED)
    # Hours before 1970 are hours too: division must go down.
    hours = pc.cast(
        pc.floor(pc.divide(pc.cast(pc.cast(flows["time"], pa.int64()), pa.float64()), HOUR)),
        pa.int64(),
    )
    if not _in_order(hours):
        order = pc.array_sort_indices(hours)
        flows, hours = flows.take(order), hours.take(order)
    counted = pc.value_counts(hours)
    at = 0
    sizes = sorted(
        ((row["values"], row["counts"]) for row in plain(counted)),
        key=lambda row: (row[0] is None, row[0] or 0),
    )
    for hour, size in sizes:
        yield hour, flows.slice(at, size)
        at += size


def _in_order(hours: "pa.ChunkedArray[Any]") -> bool:
    """Return whether hours are all known, and none before an earlier one."""
    if hours.null_count:
        return False
    # Of one or none there is nothing to say, which is not that they are not.
    return pc.all(pc.less_equal(hours[:-1], hours[1:])).as_py() is not False


def joined(batches: Iterable[pa.RecordBatch], table: str) -> pa.Table:
    """Return batches of a table as one."""
    return pa.Table.from_batches(list(batches), schema=TABLES[table])
