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
    """Return the time from which to ask for flows of an address; `None` if it is a new one.

    Each node has a clock and a last flow of its own: it is the earliest of these times. Nodes that
    have been silent for a day are left out; what they tell again is asked for when they do.
    """
    told = _newest(writer, address)
    last = max(told.values(), default=0)
    return min((time_ for time_ in told.values() if time_ >= last - _DAY), default=None)


def earlier(writer: Writer, address: str) -> dict[str, tuple[int, tuple[bytes, ...]]]:
    """Return what a stream told of each node before: the time of its newest flow, and last ids.

    Times are nanoseconds since 1970; ids are those of flows since `OVERLAP` before that time.
    """
    told = _newest(writer, address)
    ids: dict[str, list[bytes]] = {node: [] for node in told}
    spans = sorted((time_, time_ + OVERLAP) for time_ in told.values())
    for part in _streamed(writer):
        first, last = part.since, part.until
        if first is None or last is None:
            continue
        if not any(begin <= last and first <= end for begin, end in spans):
            continue
        for row in _rows(writer, part, ["node", "time", "obs_id"]).to_pylist():
            node, name, time_ = row["node"] or "", row["obs_id"], row["time"]
            if node not in told or not name or time_ is None:
                continue
            if told[node] <= time_ <= told[node] + OVERLAP:
                ids[node].append(name.encode())
    return {node: ((at + OVERLAP) * 1000, tuple(ids[node])) for node, at in told.items()}


def _newest(writer: Writer, address: str) -> dict[str, int]:
    """Return the time, in microseconds, from which on each node of an address is asked again."""
    known = _known(writer, address)
    if known is None:
        return {}
    told = known.newest
    if not told:
        # An earlier version of this program did not keep it: all streams of the store together.
        latest = _now() + OVERLAP
        told = {}
        for part in _streamed(writer):
            rows = _rows(writer, part, ["node", "time"])
            rows = rows.filter(pc.less_equal(rows["time"], pa.scalar(latest)))
            found = rows.group_by("node").aggregate([("time", "max")]).to_pydict()
            for node, time_ in zip(found["node"], found["time_max"], strict=True):
                told[node or ""] = max(time_, told.get(node or "", time_))
    return {node: time_ - OVERLAP for node, time_ in told.items()}


def _streamed(writer: Writer) -> list[Part]:
    return [part for part in writer.manifest.of("flows") if part.source == _READER]


def _now() -> int:
    return time.time_ns() // 1000


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
    before, seen, losses = found.open, _seen(writer, address), _losses(writer)
    counts, newest = before, dict(found.newest)
    begun = clock()
    try:
        for records in stream:
            new = [
                each
                for each in records
                if not (isinstance(each, Flow) and each.obs_id in seen)
                and not (isinstance(each, Coverage) and msgspec.structs.astuple(each) in losses)
            ]
            latest = _now() + OVERLAP
            for each in new:
                if not isinstance(each, Flow) or each.time is None:
                    continue
                node = each.node or ""
                if each.time <= latest:
                    newest[node] = max(each.time, newest.get(node, each.time))
                elif each.obs_id:
                    # A clock that is ahead says nothing of what is still to come.
                    seen.add(each.obs_id)
            if records:
                flows = sum(isinstance(each, Flow) for each in new)
                counts += Counts(1, flows, len(new) - flows, skipped=int(not new))
                writer.add(new, _READER)
                told(1)
            late = clock() - begun >= pause and (records or writer.rows)
            if writer.rows >= AT_ONCE or late:
                # A stream has no place to go on at: its counts are all there is to keep.
                found = msgspec.structs.replace(found, open=counts, newest=dict(newest))
                writer.commit(found)
                begun = clock()
    except KeyboardInterrupt:
        # Whoever follows a stream stops it so; what was read counts.
        pass
    writer.commit(msgspec.structs.replace(found, open=counts, newest=newest))
    return Ingested(address, _READER, new=counts - before, before=before)


def _known(writer: Writer, address: str) -> Input | None:
    return next((each for each in writer.manifest.inputs if each.path == address), None)


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


def _seen(writer: Writer, address: str) -> set[str]:
    """Return the ids of the flows that an address may tell again."""
    oldest = since(writer, address)
    found: set[str] = set()
    for part in _streamed(writer) if oldest is not None else ():
        if part.until is not None and oldest is not None and part.until >= oldest:
            rows = pq.read_table(writer.store / part.path, columns=["obs_id"], partitioning=None)
            found.update(each for each in plain(rows["obs_id"]) if each is not None)
    return found
