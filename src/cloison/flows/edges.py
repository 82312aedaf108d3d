"""Who was seen to talk to whom: the observed side of every comparison."""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr.types import Table

from cloison.flows.engines.columns import plain
from cloison.flows.engines.duck import Duck
from cloison.flows.engines.engine import Engine
from cloison.flows.expressions import roll as expressions
from cloison.flows.schema import LABELS, Labels
from cloison.flows.store.manifest import Manifest
from cloison.flows.store.parts import HOUR
from cloison.flows.store.place import SCRATCH, reading
from cloison.flows.store.rolling import batches, hours, roll, rolled, schema

_LABELS: Final = pa.list_(pa.string())


def edges(
    store: Path,
    since: int | None = None,
    until: int | None = None,
    *,
    engine: Engine | None = None,
    told: Callable[[int], None] = lambda _: None,
) -> pa.Table:
    """Return the edges that a store has seen: one row for each, in a fixed order.

    Columns:
        adapter: Which reader told of it.
        src_*, dst_*: The ends: `cluster`, `ns`, `workload` (the pod's name where no workload
            is known; then `kind` is `Pod`), `kind`, `entity` as in `schema.Entity`, `labels` (a
            list of `key=value`; null where not told), `ip` (only where no name is known), and
            `pod`, one of those it stands for. `src` opened the connection unless `initiator` is
            `unknown`.
        dst_name: A DNS name the destination was looked up by.
        proto, port, icmp_type: What was asked for; `port` is null for ICMP and where nobody knows
            who opened.
        verdict: As in `schema.Verdict`. `allowed` only where the side that decides last said so.
        initiator: `known`, `inferred` or `unknown`.
        count: Connections; where a source tells no connections, events.
        halfway: Those of an `unknown` verdict that the source's side let go, and of which the
            destination's side said nothing.
        refused: Requests in allowed connections that a proxy refused.
        ambiguous: Connections with an address that several held at that time.
        bytes: Of both directions, as far as told.
        windows, hours: In how many stretches of five minutes and in how many hours it was seen.
        first, last: When it was seen first and last, UTC.
        svc_ns, svc_name, svc_port: A Service it was seen to go through.
        sample: The source's own id of one record of it.
        sample_rate: One of this many was recorded.

    Args:
        store: The store.
        since: Time in microseconds from which on, at the start of its hour; `None` for everything.
        until: Time before which, at the end of its hour. Flows without a time are left out when
            either is given.
        engine: What works it out; DuckDB by default.
        told: Is told how many more hours have been read.

    Raises:
        SourceError: there is no such store, or it cannot be read.
    """
    with reading(store) as manifest:
        used = engine or Duck(store / SCRATCH)
        try:
            found = _summed(store, manifest, used, (since, until), expressions.edges, told)
        finally:
            if engine is None:
                used.close()
        sets = labels(store, manifest)
    return _with_labels(found, sets).sort_by([(name, "ascending") for name in _ORDER])


def courses(store: Path, since: int | None = None, until: int | None = None) -> pa.Table:
    """Return the edges that a store has seen, each with the hours it was seen in.

    Columns are those of `edges`, and besides:
        at: The hours since 1970, ascending; null for flows without a time.
        each: The connections of each of these hours.

    Takes memory in proportion to edges times hours.

    Args:
        store: The store.
        since: As of `edges`.
        until: Likewise.

    Raises:
        SourceError: there is no such store, or it cannot be read.
    """
    with reading(store) as manifest:
        engine = Duck(store / SCRATCH)
        try:
            found = _summed(
                store, manifest, engine, (since, until), expressions.by_hour, lambda _: None
            )
        finally:
            engine.close()
        sets = labels(store, manifest)
    return by_edge(found, sets)


def by_edge(found: pa.Table, sets: dict[int, Labels]) -> pa.Table:
    """Return rows of edges and hours (`expressions.by_hour`) as `courses` does: one for each edge.

    Args:
        found: The rows.
        sets: The label sets of their store (`labels`).
    """
    found = found.sort_by([("hour", "ascending"), ("count", "ascending"), ("first", "ascending")])
    sums = (*expressions.SUMS, "windows")
    greatest = expressions.EXAMPLES
    grouped = found.group_by(list(expressions.KEY), use_threads=False).aggregate(
        [
            *((name, "sum") for name in sums),
            *((name, "max") for name in greatest),
            ("hour", "list"),
            ("count", "list"),
            ("hour", "count"),
            ("first", "min"),
            ("last", "max"),
        ]
    )
    names = {
        **{f"{name}_sum": name for name in sums},
        **{f"{name}_max": name for name in greatest},
        "hour_list": "at",
        "count_list": "each",
        "hour_count": "hours",
        "first_min": "first",
        "last_max": "last",
    }
    told = grouped.rename_columns([names.get(name, name) for name in grouped.column_names])
    return _with_labels(told, sets).sort_by([(name, "ascending") for name in _ORDER])


_ORDER: Final = (
    *(name for name in expressions.KEY if not name.endswith("_labels")),
    "count",
    "first",
)


def labels(store: Path, manifest: Manifest) -> dict[int, Labels]:
    """Return the label sets of a store by their ids."""
    found: dict[int, Labels] = {}
    for part in manifest.of("labels"):
        rows = pq.read_table(store / part.path, schema=LABELS, partitioning=None)
        for known, each in zip(plain(rows["id"]), plain(rows["labels"]), strict=True):
            found[known] = tuple(each)
    return found


def _summed(
    store: Path,
    manifest: Manifest,
    engine: Engine,
    span: tuple[int | None, int | None],
    sums: Callable[[Table], Table],
    told: Callable[[int], None],
) -> pa.Table:
    """Return hourly rows summed up by `expressions.edges` or `expressions.by_hour`."""
    known = hours(manifest)
    of_span = {hour: parts for hour, parts in known.rolled.items() if within(hour[1], span)}
    summed = [
        part
        for hour, parts in of_span.items()
        for part in parts
        if part.kept or hour not in known.stale
    ]
    stale = {hour: parts for hour, parts in known.stale.items() if within(hour[1], span)}
    # Late flows of hours of which only sums were kept: both together are of one hour.
    both = {
        hour: parts
        for hour, parts in stale.items()
        if any(part.kept for part in of_span.get(hour, ()))
    }
    late = [roll(store, manifest, engine, parts) for parts in batches(both, engine.at_once)]
    table = engine.read([store / part.path for part in summed], schema())
    if late:
        table = table.union(engine.table(pa.concat_tables(late).combine_chunks()))
    whole = {hour: parts for hour, parts in stale.items() if hour not in both}
    if not whole:
        return engine.run(sums(table))
    # A batch holds whole hours, so what it comes to can be added up. Meanwhile it waits on disk:
    # engines keep hold of tables that they are given.
    with TemporaryDirectory(dir=_scratch(store)) as directory:
        found = engine.run(sums(table))
        paths = [_put(found, Path(directory) / "0.parquet")]
        for parts in batches(whole, engine.at_once):
            flows = rolled(store, manifest, engine, parts)
            found = engine.run(sums(flows))
            paths.append(_put(found, Path(directory) / f"{len(paths)}.parquet"))
            told(len({(part.source, part.hour) for part in parts}))
            engine.forget()
        parts = engine.read(paths, found.schema)
        return engine.run(expressions.together(parts) if sums is expressions.edges else parts)


def _scratch(store: Path) -> Path | None:
    """Return where to put what is worked with; `None` for the system's own place."""
    place = store / SCRATCH
    return place if os.access(place, os.W_OK) else None


def _put(rows: pa.Table, path: Path) -> Path:
    pq.write_table(rows, path)
    return path


def within(hour: int | None, span: tuple[int | None, int | None]) -> bool:
    """Return whether an hour, or what has none, has a part in a span of microseconds."""
    since, until = span
    if hour is None:
        return since is None and until is None
    return (since is None or (hour + 1) * HOUR > since) and (until is None or hour * HOUR < until)


def _with_labels(found: pa.Table, sets: dict[int, Labels]) -> pa.Table:
    """Return edges with their labels in place of the ids of these."""
    for name in ("src_labels", "dst_labels"):
        ids = found[name].to_pylist()
        lists: list[Any] = [None if each is None else list(sets.get(each, ())) for each in ids]
        at = found.schema.get_field_index(name)
        found = found.set_column(at, name, pa.array(lists, _LABELS))
    return found
