"""Rows held equal across engines: a digest that no order of rows changes."""

from hashlib import blake2b

import msgspec
import pyarrow as pa


def digest(rows: pa.Table) -> str:
    """Return a digest of rows: the same for the same ones in any order, each counted.

    Columns are taken in the order of their names, times in microseconds.
    """
    names = sorted(rows.column_names)
    columns = []
    for name in names:
        column = rows[name]
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us")).cast(pa.int64())
        columns.append(column.to_pylist())
    total = 0
    for row in zip(*columns, strict=True):
        one = blake2b(msgspec.json.encode(row), digest_size=16).digest()
        total += int.from_bytes(one, "big")
    return f"{total % (1 << 128):032x}"
