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
    sorts: dict[type, list[Record]] = {}
    for record in records:
        kept = sorts.get(type(record))
        if kept is None:
            kept = sorts[type(record)] = []
        kept.append(record)
    labels: dict[int, Labels] = {}
    batches = {
        _TABLE_OF[sort]: _batch(_TABLE_OF[sort], list(map(msgspec.structs.astuple, of)), labels)
        for sort, of in sorts.items()
    }
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
            ids = {each: labels_id(each) for each in set(values) if each is not None}
            labels.update((known, each) for each, known in ids.items())
            arrays.append(pa.array(list(map(ids.get, values)), pa.int64()))
        elif len(values) > 1 and values.count(values[0]) == len(values):
            # Most of what a source does not tell, none of its records tells.
            arrays.append(_alike(values[0], len(values), field.type))
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


def _alike(value: object, size: int, sort: "pa.DataType") -> "pa.Array[Any]":
    """Return a column that has one value everywhere."""
    if isinstance(value, tuple):
        value = [_told(one) if isinstance(one, Decision) else one for one in value]
    one: pa.Array[Any] = pa.array([value], sort)
    # A hundred times as fast for lists as `pa.repeat`.
    return one.take(pa.array(bytes(size), pa.uint8()))
