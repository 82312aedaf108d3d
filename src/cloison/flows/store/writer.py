"""One run that writes to a store: rows gathered, then committed in one step."""

from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from cloison.flows.columns import gather
from cloison.flows.engines.columns import plain
from cloison.flows.files import Bad
from cloison.flows.schema import Record
from cloison.flows.store import lines
from cloison.flows.store.manifest import Input, Manifest, Part, save
from cloison.flows.store.parts import BAD, Kind, Rows, by_hour, joined, stage, stage_all
from cloison.flows.store.place import writing

SAMPLES: Final = 100
"""Bad lines of an input that are kept."""

_LINES: Final = 1 << 20
"""Checksums of lines that wait to be written."""


class Writer:
    """Holds a store for writing. What is added becomes part of it at the next `commit`.

    Args:
        store: The store.
        manifest: What belongs to it.
    """

    def __init__(self, store: Path, manifest: Manifest) -> None:
        self.store = store
        self.manifest = manifest
        self._batches: dict[tuple[str, str, int], list[pa.RecordBatch]] = {}
        self._bad: list[dict[str, object]] = []
        self._labels: set[int] | None = None
        self._parts: list[Part] = []
        self._sums: dict[int, tuple[int, list[array[int]]]] = {}
        self.rows = 0

    def add(self, records: list[Record], adapter: str, open_of: int = 0) -> None:
        """Add records.

        Args:
            records: The records.
            adapter: Their reader.
            open_of: Input of which they are a last line without an end; 0 for others.
        """
        for table, batch in gather(records).items():
            held = self._new_labels(batch) if table == "labels" else batch
            if held.num_rows:
                key = (table, adapter, 0 if table == "labels" else open_of)
                self._batches.setdefault(key, []).append(held)
                self.rows += held.num_rows

    def reject(self, bad: list[Bad], found: Input) -> None:
        """Keep the first lines of an input that could not be read."""
        room = SAMPLES - found.counts.bad
        self._bad += [
            {
                "input": found.id,
                "path": found.path,
                "reader": found.reader,
                "line": each.line,
                "offset": each.offset,
                "why": each.why,
                "data": each.data,
            }
            for each in bad[: max(0, room)]
        ]

    def summed(self, number: int, first: int, sums: "array[int]") -> None:
        """Add checksums of an input's lines; see `lines`.

        Args:
            number: The input.
            first: How many lines come before; all of those that were added are next to each other.
            sums: The checksums.
        """
        begun, held = self._sums.setdefault(number, (first, []))
        held.append(sums)
        if first + len(sums) - begun > _LINES:
            # Beyond what is committed nobody reads them.
            lines.write(self.store, number, begun, held)
            del self._sums[number]

    def recall(self, number: int) -> tuple[Part, ...]:
        """Return parts with bad lines of an input; what they hold of others is added again."""
        found = []
        for part in self.manifest.of("bad"):
            rows = pq.read_table(self.store / part.path, partitioning=None).to_pylist()
            others = [row for row in rows if row["input"] != number]
            if len(others) < len(rows):
                found.append(part)
                self._bad += others
        return tuple(found)

    def commit(self, *inputs: Input, without: tuple[Part, ...] = ()) -> None:
        """Make what was added part of the store.

        Args:
            inputs: Inputs as they stand now.
            without: Parts that no longer belong to it.
        """
        self.flush()
        if self._bad:
            rows = pa.Table.from_pylist(self._bad, schema=BAD)
            kind = Kind(self.manifest.commit + 1)
            self._parts.append(stage(self.store, "bad", rows, kind))
        for number, (first, sums) in self._sums.items():
            lines.write(self.store, number, first, sums)
        self.replace(self._parts, without, inputs)
        self._parts, self._bad, self._sums = [], [], {}

    def flush(self) -> None:
        """Write what was added to parts that belong to the store at the next `commit`."""
        self._parts += stage_all(self.store, self._gathered(self.manifest.commit + 1))
        self._batches, self.rows = {}, 0

    def forget(self) -> None:
        """Give up what was added since the last `commit`; the next run sweeps it."""
        self._parts, self._batches, self._bad, self.rows = [], {}, [], 0
        self._sums = {}
        self._labels = None

    def replace(
        self, parts: list[Part], without: tuple[Part, ...], inputs: tuple[Input, ...] = ()
    ) -> None:
        """Commit parts that were staged, in place of others."""
        gone = set(without)
        known = {each.id: each for each in self.manifest.inputs}
        known.update({each.id: each for each in inputs})
        manifest = msgspec.structs.replace(
            self.manifest,
            commit=self.manifest.commit + 1,
            parts=(*(part for part in self.manifest.parts if part not in gone), *parts),
            inputs=tuple(known.values()),
        )
        save(self.store, manifest)
        self.manifest = manifest

    def _gathered(self, born: int) -> Iterator[Rows]:
        for (table, adapter, open_of), batches in self._batches.items():
            rows = joined(batches, table)
            kind = Kind(born, adapter if table == "flows" else "", open_of)
            if table != "flows":
                yield Rows(table, rows, kind)
                continue
            for hour, some in by_hour(rows, adapter):
                yield Rows(table, some, kind, hour)

    def _new_labels(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows of labels that the store does not have yet."""
        if self._labels is None:
            self._labels = set()
            for part in self.manifest.of("labels"):
                read = pq.read_table(self.store / part.path, columns=["id"], partitioning=None)
                self._labels.update(plain(read["id"]))
        new = [known not in self._labels for known in plain(batch["id"])]
        held = batch.filter(pa.array(new, pa.bool_()))
        self._labels.update(plain(held["id"]))
        return held


@contextmanager
def writer(store: Path) -> Iterator[Writer]:
    """Hold a store for writing.

    Raises:
        SourceError: it cannot be made, or another run holds it.
    """
    with writing(store) as manifest:
        yield Writer(store, manifest)
