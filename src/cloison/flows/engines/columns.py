"""Results of any engine with the same columns."""

from typing import Any

import pyarrow as pa
from ibis.expr.types import Table


def loose(strict: pa.Schema) -> pa.Schema:
    """Return columns as engines have them, to which any may be null."""
    columns: list[pa.Field[Any]] = [pa.field(each.name, each.type) for each in strict]
    return pa.schema(columns)


def plain(column: "pa.ChunkedArray[Any] | pa.Array[Any]") -> list[Any]:
    """Return the values of a column as Python has them, `None` for what is null."""
    found: list[Any] = column.to_pylist()
    return found


def fitted(rows: pa.Table, expression: Table) -> pa.Table:
    """Return rows with the columns that an expression says it has."""
    schema = loose(expression.schema().to_pyarrow())
    return rows.select(schema.names).cast(schema)
