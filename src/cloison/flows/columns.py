"""Records gathered into Arrow columns. Label sets become ids, the same in every run."""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec
import pyarrow as pa

from cloison.flows.schema import (
    TABLES,
    Change,
    Coverage,
    Decision,
    Flow,
    Identity,
    Labels,
    Listener,
    Record,
)

_TABLE_OF: dict[type, str] = {
    Flow: "flows",
    Identity: "identity",
    Coverage: "coverage",
    Change: "changes",
    Listener: "listeners",
}


def gather(records: Iterable[Record]) -> dict[str, pa.RecordBatch]:
    """Return records as one batch for each table that got any.

    Args:
        records: Records of one batch: as many as one is ready to hold at once.
    """
    rows: dict[str, list[tuple[object, ...]]] = {}
    for record in records:
        rows.setdefault(_TABLE_OF[type(record)], []).append(msgspec.structs.astuple(record))
    labels: dict[int, Labels] = {}
    batches = {name: _batch(name, of, labels) for name, of in rows.items()}
    if labels:
        ids = sorted(labels)
        batches["labels"] = pa.record_batch(
            [
                pa.array(ids, pa.int64()),
                pa.array([labels[known] for known in ids], pa.list_(pa.string())),
            ],
            schema=TABLES["labels"],
        )
    return batches


@lru_cache(maxsize=1 << 16)
def labels_id(labels: Labels) -> int:
    """Return the id of a label set: the same wherever and whenever it is seen.

    >>> labels_id(("app=web",)) == labels_id(("app=web",))
    True
    """
    # Separated by what no label may hold.
    digest = blake2b("\0".join(labels).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _batch(name: str, rows: list[tuple[object, ...]], labels: dict[int, Labels]) -> pa.RecordBatch:
    schema = TABLES[name]
    arrays: list[pa.Array[Any]] = []
    for field, values in zip(schema, zip(*rows, strict=True), strict=True):
        if field.type == pa.int64() and _holds_labels(field.name):
            arrays.append(pa.array([_id(value, labels) for value in values], pa.int64()))
        elif pa.types.is_list(field.type) and pa.types.is_struct(field.type.value_type):
            told = [[_told(one) for one in value] for value in values]
            arrays.append(pa.array(told, field.type))
        else:
            arrays.append(pa.array(values, field.type))
    return pa.record_batch(arrays, schema=schema)


@lru_cache(maxsize=1 << 14)
def _told(one: Decision) -> dict[str, str]:
    return msgspec.structs.asdict(one)


def _holds_labels(column: str) -> bool:
    return column in {"labels", "before", "src_labels", "dst_labels"}


def _id(labels: Labels | None, seen: dict[int, Labels]) -> int | None:
    if labels is None:
        return None
    known = labels_id(labels)
    seen.setdefault(known, labels)
    return known
