"""Who was seen to talk to whom: the observed side of every comparison."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from cloison.flows.engines.duck import Duck
from cloison.flows.engines.engine import Engine
from cloison.flows.expressions import roll as expressions
from cloison.flows.schema import LABELS, Labels
from cloison.flows.store.manifest import Manifest
from cloison.flows.store.parts import HOUR
from cloison.flows.store.place import SCRATCH, reading
from cloison.flows.store.rolling import Hour, batches, hours, roll, schema

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
            of `key=value`; null where not told), `ip` (only where no name is known), and `pod`, one of
            those it stands for. `src` opened the connection unless `initiator` is `unknown`.
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
            found = _edges(store, manifest, used, (since, until), told)
        finally:
            if engine is None:
                used.close()
        sets = labels(store, manifest)
    return _with_labels(found, sets).sort_by([(name, "ascending") for name in _ORDER])


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
        for known, each in zip(rows["id"].to_pylist(), rows["labels"].to_pylist(), strict=True):
            found[known] = tuple(each)
    return found


def _edges(
    store: Path,
    manifest: Manifest,
    engine: Engine,
    span: tuple[int | None, int | None],
    told: Callable[[int], None],
) -> pa.Table:
    known = hours(manifest)
    rolled = [
        part
        for hour, parts in known.rolled.items()
        if _within(hour, span)
        for part in parts
        if part.kept or hour not in known.stale
    ]
    stale = {hour: parts for hour, parts in known.stale.items() if _within(hour, span)}
    read: list[pa.Table] = []
    for parts in batches(stale):
        read.append(roll(store, manifest, engine, parts))
        told(len({(part.source, part.hour) for part in parts}))
    table = engine.read([store / part.path for part in rolled], schema())
    if read:
        table = table.union(engine.table(pa.concat_tables(read).combine_chunks()))
    return engine.run(expressions.edges(table))


def _within(hour: Hour, span: tuple[int | None, int | None]) -> bool:
    since, until = span
    at = hour[1]
    if at is None:
        return since is None and until is None
    return (since is None or (at + 1) * HOUR > since) and (until is None or at * HOUR < until)


def _with_labels(found: pa.Table, sets: dict[int, Labels]) -> pa.Table:
    """Return edges with their labels in place of the ids of these."""
    for name in ("src_labels", "dst_labels"):
        ids = found[name].to_pylist()
        lists: list[Any] = [None if each is None else list(sets.get(each, ())) for each in ids]
        at = found.schema.get_field_index(name)
        found = found.set_column(at, name, pa.array(lists, _LABELS))
    return found
