"""A stream of records read into a store, committed as it goes."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cloison.flows.answers import Ingested
from cloison.flows.engines.columns import plain
from cloison.flows.schema import COVERAGE, Coverage, Flow, Record
from cloison.flows.store.manifest import Counts, Input, Part
from cloison.flows.store.writer import Writer

OVERLAP: Final = 10_000_000
"""Microseconds before the last flow from which on a stream is asked for again."""

AT_ONCE: Final = 50_000
"""Rows after which they are committed."""

PAUSE: Final = 5.0
"""Seconds after which they are committed."""

_READER: Final = "hubble"
_DAY: Final = 24 * 3_600_000_000


def since(writer: Writer, address: str) -> int | None:
    """Return the time from which to ask for flows of an address; `None` if it is a new one."""
    known = _known(writer, address)
    last = _last(writer) if known is not None else None
    return None if last is None else last - OVERLAP


def earlier(writer: Writer) -> dict[str, tuple[int, tuple[bytes, ...]]]:
    """Return what a stream told of each node before: the time of its newest flow, and last ids.

    Times are nanoseconds since 1970; ids are those of flows since `OVERLAP` before that time. Nodes
    that have been silent for a day are left out.
    """
    last = _last(writer)
    if last is None:
        return {}
    parts = [
        part
        for part in writer.manifest.of("flows")
        if part.source == _READER and part.until is not None and part.until >= last - _DAY
    ]
    newest: dict[str, int] = {}
    for part in parts:
        rows = _rows(writer, part, ["node", "time"])
        found = rows.group_by("node").aggregate([("time", "max")]).to_pydict()
        for node, time_ in zip(found["node"], found["time_max"], strict=True):
            if node is not None and time_ is not None:
                newest[node] = max(time_, newest.get(node, time_))
    if not newest:
        return {}
    ids: dict[str, list[bytes]] = {node: [] for node in newest}
    oldest = min(newest.values()) - OVERLAP
    for part in parts:
        if part.until is not None and part.until >= oldest:
            rows = _rows(writer, part, ["node", "time", "obs_id"])
            recent = rows.filter(pc.greater_equal(rows["time"], pa.scalar(oldest))).to_pylist()
            for row in recent:
                node, name = row["node"], row["obs_id"]
                if node is not None and name and row["time"] >= newest[node] - OVERLAP:
                    ids[node].append(name.encode())
    return {node: (at * 1000, tuple(ids[node])) for node, at in newest.items()}


def _rows(writer: Writer, part: Part, names: list[str]) -> pa.Table:
    """Return columns of a part, times as microseconds."""
    rows = pq.read_table(writer.store / part.path, columns=names, partitioning=None)
    at = rows.schema.get_field_index("time")
    return rows.set_column(at, "time", rows["time"].cast(pa.int64()))


def follow(
    writer: Writer,
    address: str,
    stream: Iterable[Sequence[Record]],
    told: Callable[[int], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    pause: float = PAUSE,
) -> Ingested:
    """Read a stream into a store until it ends, or somebody stops it (Ctrl-C).

    What is in the store already, from the end of an earlier run, is left out: a flow with an id
    that is there, and a loss of which every word is.

    Args:
        writer: The store.
        address: Where the stream is from; it is the name of the input.
        stream: What each message says; nothing where there was none, and only time has passed.
        told: Is told how many more messages have been read.
        clock: Tells seconds.
        pause: Seconds after which what was read is committed.
    """
    known = _known(writer, address)
    number = max((each.id for each in writer.manifest.inputs), default=0) + 1
    found = known or Input(number, address, _READER)
    before, seen, losses = found.open, _seen(writer), _losses(writer)
    counts = before
    begun = clock()
    try:
        for records in stream:
            new = [
                each
                for each in records
                if not (isinstance(each, Flow) and each.obs_id in seen)
                and not (isinstance(each, Coverage) and msgspec.structs.astuple(each) in losses)
            ]
            if records:
                flows = sum(isinstance(each, Flow) for each in new)
                counts += Counts(1, flows, len(new) - flows, skipped=int(not new))
                writer.add(new, _READER)
                told(1)
            late = clock() - begun >= pause and (records or writer.rows)
            if writer.rows >= AT_ONCE or late:
                # A stream has no place to go on at: its counts are all there is to keep.
                found = msgspec.structs.replace(found, open=counts)
                writer.commit(found)
                begun = clock()
    except KeyboardInterrupt:
        # Whoever follows a stream stops it so; what was read counts.
        found = msgspec.structs.replace(found, open=counts)
    writer.commit(msgspec.structs.replace(found, open=counts))
    return Ingested(address, _READER, new=counts - before, before=before)


def _known(writer: Writer, address: str) -> Input | None:
    return next((each for each in writer.manifest.inputs if each.path == address), None)


def _last(writer: Writer) -> int | None:
    times = [
        part.until
        for part in writer.manifest.of("flows")
        if part.source == _READER and part.until is not None
    ]
    return max(times, default=None)


def _losses(writer: Writer) -> set[tuple[object, ...]]:
    """Return the losses that the store knows of."""
    found: set[tuple[object, ...]] = set()
    for part in writer.manifest.of("coverage"):
        rows = pq.read_table(writer.store / part.path, schema=COVERAGE, partitioning=None)
        for name in ("since", "until"):
            at = rows.schema.get_field_index(name)
            rows = rows.set_column(at, name, rows[name].cast(pa.int64()))
        found.update(
            tuple(row[name] for name in Coverage.__struct_fields__) for row in rows.to_pylist()
        )
    return found


def _seen(writer: Writer) -> set[str]:
    """Return the ids of the store's newest flows."""
    last = _last(writer)
    if last is None:
        return set()
    found: set[str] = set()
    for part in writer.manifest.of("flows"):
        if part.source == _READER and part.until is not None and part.until >= last - OVERLAP:
            rows = pq.read_table(writer.store / part.path, columns=["obs_id"], partitioning=None)
            found.update(each for each in plain(rows["obs_id"]) if each is not None)
    return found
