"""What a store knows, and what it cannot know: what was read, when, where, and what was lost."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from ibis import _

from cloison.flows.answers import Gap, Lost, Node, Source, Status
from cloison.flows.edges import edges, within
from cloison.flows.engines.columns import plain
from cloison.flows.engines.duck import Duck
from cloison.flows.schema import COVERAGE
from cloison.flows.store.manifest import Counts, Input, Manifest, Part
from cloison.flows.store.parts import BAD, HOUR, STORED
from cloison.flows.store.place import SCRATCH, reading
from cloison.resources.names import printable

_SHOWN = 200


def status(store: Path) -> Status:
    """Return what a store knows.

    Raises:
        SourceError: there is no such store, or it cannot be read.
    """
    seen = edges(store)
    with reading(store) as manifest:
        names = sorted({each.reader for each in manifest.inputs})
        nodes = _nodes(store, manifest)
        lost = _lost(store, manifest)
    ends = {
        (row[f"{side}_ns"], row[f"{side}_workload"])
        for row in seen.select(["src_ns", "src_workload", "dst_ns", "dst_workload"]).to_pylist()
        for side in ("src", "dst")
        if row[f"{side}_workload"] is not None and row[f"{side}_ns"] is not None
    }
    return Status(
        str(store),
        sum(part.size for part in manifest.parts),
        len(manifest.parts),
        tuple(_source(manifest, name) for name in names),
        nodes,
        lost,
        len(ends),
        seen.num_rows,
        _by(seen, "verdict"),
        _by(seen, "initiator"),
        sum(plain(seen["halfway"])),
        sum(plain(seen["ambiguous"])),
        sum(part.rows for part in manifest.of("identity")),
    )


def _by(seen: pa.Table, column: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for key, number in zip(plain(seen[column]), plain(seen["count"]), strict=True):
        found[key] = found.get(key, 0) + number
    return dict(sorted(found.items()))


def _source(manifest: Manifest, name: str) -> Source:
    inputs = [each for each in manifest.inputs if each.reader == name]
    flows = [part for part in manifest.of("flows") if part.source == name]
    rolled = [part for part in manifest.of("rollups") if part.source == name]
    hours = sorted({part.hour for part in (*flows, *rolled) if part.hour is not None})
    gaps = tuple(
        Gap(moment((before + 1) * HOUR), moment(after * HOUR))
        for before, after in pairwise(hours)
        if after > before + 1
    )
    return Source(
        name,
        len(inputs),
        _total(inputs),
        sum(part.rows for part in flows if part.hour is None),
        len(hours),
        moment(hours[0] * HOUR) if hours else None,
        moment((hours[-1] + 1) * HOUR) if hours else None,
        gaps,
        sum(part.rows for part in flows),
    )


def _total(inputs: Iterable[Input]) -> Counts:
    found = Counts()
    for each in inputs:
        found += each.counts
    return found


def moment(micros: int) -> datetime:
    """Return a time in microseconds as a time of UTC."""
    return datetime.fromtimestamp(micros // 1_000_000, UTC)


def _nodes(store: Path, manifest: Manifest) -> tuple[Node, ...]:
    parts: tuple[Part, ...] = manifest.of("flows")
    if not parts:
        return ()
    engine = Duck(store / SCRATCH)
    try:
        flows = engine.read([store / part.path for part in parts], STORED)
        told = flows.filter(flows.node.notnull()).mutate(hour=flows.time.truncate("h"))
        hours = told.group_by(["node", "hour"]).agg(
            flows=_.count(), first=_.time.min(), last=_.time.max()
        )
        nodes = hours.group_by("node").agg(
            flows=_.flows.sum(), hours=_.count(), first=_["first"].min(), last=_["last"].max()
        )
        rows = engine.run(nodes.order_by("node")).to_pylist()
    finally:
        engine.close()
    return tuple(
        Node(row["node"], int(row["flows"]), row["hours"], _utc(row["first"]), _utc(row["last"]))
        for row in rows
    )


def watched(
    store: Path, since: int | None = None, until: int | None = None
) -> dict[str, tuple[int, ...]]:
    """Return the hours since 1970 in which each reader's sources told of flows, ascending.

    Args:
        store: The store.
        since: Only hours that end after this time, in microseconds; None for everything.
        until: Only hours that begin before it.

    Raises:
        SourceError: there is no such store, or it cannot be read.
    """
    with reading(store) as manifest:
        parts = (*manifest.of("flows"), *manifest.of("rollups"))
    found: dict[str, set[int]] = {}
    for part in parts:
        if part.hour is not None and within(part.hour, (since, until)):
            found.setdefault(part.source, set()).add(part.hour)
    return {name: tuple(sorted(hours)) for name, hours in sorted(found.items())}


def losses(store: Path, since: int | None = None, until: int | None = None) -> tuple[Lost, ...]:
    """Return what sources say they lost.

    Args:
        store: The store.
        since: Only what was lost after this time, in microseconds; None for everything.
        until: Only what was lost before it.

    Raises:
        SourceError: there is no such store, or it cannot be read.
    """
    with reading(store) as manifest:
        return _lost(store, manifest, (since, until))


def _within(row: Mapping[str, Any], span: tuple[int | None, int | None]) -> bool:
    # Hours that a span begins or ends in count as a whole, as they do for edges.
    first, last = span
    began, ended = _utc(row["since"]), _utc(row["until"] or row["since"])
    early = first is not None and ended is not None and ended < moment(first // HOUR * HOUR)
    late = last is not None and began is not None and began >= moment(-(-last // HOUR) * HOUR)
    return not (early or late)


def _lost(
    store: Path, manifest: Manifest, span: tuple[int | None, int | None] = (None, None)
) -> tuple[Lost, ...]:
    found: dict[tuple[str, str, int], Lost] = {}
    for part in manifest.of("coverage"):
        read = pq.read_table(store / part.path, schema=COVERAGE, partitioning=None)
        for row in read.to_pylist():
            if not _within(row, span):
                continue
            key = (row["node"] or "", row["reason"], row["sampled"])
            since, until = _utc(row["since"]), _utc(row["until"] or row["since"])
            old = found.get(key)
            events = row["lost"]
            if old is not None and old.since and old.until and since and until:
                events += old.events
                since, until = min(old.since, since), max(old.until, until)
            found[key] = Lost(row["node"], row["reason"], events, row["sampled"], since, until)
    return tuple(found[key] for key in sorted(found))


def _utc(time: datetime | None) -> datetime | None:
    return None if time is None else time.replace(tzinfo=UTC)


def rejected(store: Path) -> Iterator[str]:
    """Yield the first lines of each input that could not be read, with where and why, as text.

    Raises:
        SourceError: there is no such store, or it cannot be read.
    """
    with reading(store) as manifest:
        for part in manifest.of("bad"):
            read = pq.read_table(store / part.path, schema=BAD, partitioning=None)
            for row in read.to_pylist():
                place = f"{row['path']}:{row['line']}"
                yield f"{printable(place)}: {printable(row['why'])} (byte {row['offset']:,})\n"
                data = row["data"][:_SHOWN].decode("utf-8", "backslashreplace").rstrip()
                more = " ..." if len(row["data"]) > _SHOWN else ""
                yield f"    {printable(data)}{more}\n"
