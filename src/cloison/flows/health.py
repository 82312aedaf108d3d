"""How well a store was told: what each node told and lost hour by hour, and what was changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from ibis import _

from cloison.flows.edges import labels, within
from cloison.flows.engines.duck import Duck
from cloison.flows.schema import BROKEN_OFF, CHANGES, COVERAGE, Labels
from cloison.flows.store.manifest import Manifest
from cloison.flows.store.parts import HOUR, STORED
from cloison.flows.store.place import SCRATCH, reading

Span = tuple[int | None, int | None]
"""From when on and until when, in microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one node's sources told in one hour.

    Args:
        node: The node; None where records do not say it.
        hour: The hour since 1970.
        events: Records of flows.
        lost: Events that it says were lost.
    """

    node: str | None
    hour: int
    events: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Unheard:
    """A span in which a live source could not be heard.

    Args:
        node: The node of which nothing was heard; None for all.
        since: Its start, in microseconds since 1970.
        until: Its end.
    """

    node: str | None
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Changed:
    """A change of an object, as an audit log tells it.

    Args:
        time: When, in microseconds since 1970.
        user: By whom.
        verb: What was done.
        kind: The kind's plural, and a part of it after a slash.
        group: Its API group.
        namespace: Where it lives; empty for one of the whole cluster.
        name: Its name.
        labels: Its labels afterwards, where the record shows them.
    """

    time: int
    user: str
    verb: str
    kind: str
    group: str
    namespace: str
    name: str
    labels: Labels | None = None


def told(store: Path, since: int | None = None, until: int | None = None) -> tuple[Told, ...]:
    """Return what each node told and lost, hour by hour, sorted.

    Of hours of which only sums are left, nobody knows what nodes told.

    Args:
        store: The store.
        since: From when on, in microseconds; None for everything.
        until: Until when.

    Raises:
        SourceError: There is no such store, or it cannot be read.
    """
    found: dict[tuple[str | None, int], list[int]] = {}
    with reading(store) as manifest:
        for node, hour, events in _events(store, manifest, (since, until)):
            found.setdefault((node, hour), [0, 0])[0] += events
        for node, hour, lost in _losses(store, manifest, (since, until)):
            found.setdefault((node, hour), [0, 0])[1] += lost
    ordered = sorted(found.items(), key=lambda item: (item[0][1], item[0][0] or ""))
    return tuple(Told(node, hour, *numbers) for (node, hour), numbers in ordered)


def gaps(store: Path, since: int | None = None, until: int | None = None) -> tuple[Unheard, ...]:
    """Return the spans in which a live source could not be heard, in order of time.

    Args:
        store: The store.
        since: Only those that end after this time, in microseconds; None for all.
        until: Only those that begin before it.

    Raises:
        SourceError: There is no such store, or it cannot be read.
    """
    found: set[tuple[int, int, str]] = set()
    with reading(store) as manifest:
        for part in manifest.of("coverage"):
            read = pq.read_table(store / part.path, schema=COVERAGE, partitioning=None)
            for row in read.to_pylist():
                if row["reason"] == BROKEN_OFF and row["until"] is not None:
                    found.add((_micros(row["since"]), _micros(row["until"]), row["node"] or ""))
    return tuple(
        Unheard(node or None, first, last)
        for first, last, node in sorted(found)
        if (since is None or last > since) and (until is None or first < until)
    )


def changes(store: Path, since: int | None = None, until: int | None = None) -> tuple[Changed, ...]:
    """Return the changes of objects that were carried out, in order of time.

    Args:
        store: The store.
        since: From when on, in microseconds; None for everything.
        until: Until when.

    Raises:
        SourceError: There is no such store, or it cannot be read.
    """
    found: list[Changed] = []
    with reading(store) as manifest:
        # Parts of changes are of no hour: their times tell.
        span = (since, until)
        parts = [p for p in manifest.of("changes") if p.hour is None or within(p.hour, span)]
        sets = labels(store, manifest) if parts else {}
        for part in parts:
            read = pq.read_table(store / part.path, schema=CHANGES, partitioning=None)
            found += (_changed(row, sets) for row in read.to_pylist() if row["allowed"])
    kept = (each for each in found if _inside(each.time, (since, until)))
    return tuple(sorted(kept, key=lambda each: (each.time, each.kind, each.namespace, each.name)))


def _changed(row: dict[str, Any], sets: dict[int, Labels]) -> Changed:
    known = None if row["labels"] is None else tuple(sets.get(row["labels"], ()))
    return Changed(
        _micros(row["time"]),
        row["user"],
        row["verb"],
        row["kind"],
        row["group"],
        row["ns"],
        row["name"],
        known,
    )


def _events(store: Path, manifest: Manifest, span: Span) -> Iterator[tuple[str | None, int, int]]:
    parts = [p for p in manifest.of("flows") if p.hour is not None and within(p.hour, span)]
    if not parts:
        return
    engine = Duck(store / SCRATCH)
    try:
        flows = engine.read([store / part.path for part in parts], STORED)
        dated = flows.filter(flows.time.notnull()).mutate(at=flows.time.truncate("h"))
        for row in engine.run(dated.group_by(["node", "at"]).agg(events=_.count())).to_pylist():
            yield row["node"], _micros(row["at"]) // HOUR, int(row["events"])
    finally:
        engine.close()


def _losses(store: Path, manifest: Manifest, span: Span) -> Iterator[tuple[str | None, int, int]]:
    """Yield what was lost; over a stretch of time, in equal parts of its hours."""
    for part in manifest.of("coverage"):
        read = pq.read_table(store / part.path, schema=COVERAGE, partitioning=None)
        for row in read.to_pylist():
            if not row["lost"]:
                continue
            first = _micros(row["since"]) // HOUR
            last = first if row["until"] is None else _micros(row["until"]) // HOUR
            hours = range(first, max(first, last) + 1)
            each, more = divmod(row["lost"], len(hours))
            for place, hour in enumerate(hours):
                if within(hour, span):
                    yield row["node"], hour, each + (place < more)


def _inside(time: int, span: Span) -> bool:
    since, until = span
    return (since is None or time >= since) and (until is None or time < until)


def _micros(time: datetime) -> int:
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1_000_000)
