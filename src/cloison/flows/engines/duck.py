"""DuckDB, in this process: with bounded memory, spilling into the store's own directory."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import ibis
import pyarrow as pa
from ibis.expr.types import Table

from cloison.flows.engines.columns import fitted, loose

MEMORY: Final = "400MB"
"""What DuckDB may hold; more it puts on disk."""


class Duck:
    """DuckDB.

    Args:
        scratch: Where to put what does not fit into memory.
        memory: How much does.
        threads: How many threads to use; all there are for `None`.
    """

    name = "duckdb"

    def __init__(self, scratch: Path, memory: str = MEMORY, threads: int | None = None) -> None:
        more = {} if threads is None else {"threads": threads}
        self._connection = ibis.duckdb.connect(
            memory_limit=memory,
            temp_directory=str(scratch),
            preserve_insertion_order=False,
            # Nothing here needs the network, and a file's content must not ask for it.
            autoinstall_known_extensions=False,
            autoload_known_extensions=False,
            **more,
        )
        self._connection.raw_sql("SET enable_progress_bar = false")

    def read(self, paths: Sequence[Path], schema: pa.Schema) -> Table:
        """Return the rows of Parquet files as a table."""
        if not paths:
            return self.table(schema.empty_table())
        return self._connection.read_parquet(
            [str(path) for path in paths], union_by_name=True, hive_partitioning=False
        )

    def table(self, rows: pa.Table) -> Table:
        """Return rows as a table."""
        return ibis.memtable(rows.cast(loose(rows.schema)))

    def run(self, expression: Table) -> pa.Table:
        """Return what an expression comes to."""
        return fitted(self._connection.to_pyarrow(expression), expression)

    def close(self) -> None:
        """Let go of everything."""
        self._connection.disconnect()
