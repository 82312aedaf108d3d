"""DuckDB, in this process: with bounded memory, spilling into the store's own directory."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Final

import ibis
import pyarrow as pa
from ibis.expr.operations import Node
from ibis.expr.types import Table

from cloison.flows.engines.columns import fitted, loose

MEMORY: Final = "400MB"
"""What DuckDB may hold; more it puts on disk."""

_NAME: Final = "rows_{}"


class Duck:
    """DuckDB.

    Args:
        scratch: Where to put what does not fit into memory.
        memory: How much does.
        threads: How many threads to use; all there are for `None`.
    """

    name = "duckdb"
    at_once = 2_500_000

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
        self._numbers = count()

    def read(self, paths: Sequence[Path], schema: pa.Schema) -> Table:
        """Return the rows of Parquet files as a table."""
        if not paths:
            return self.table(schema.empty_table())
        found = self._named(schema)
        # Ibis would ask what columns they have, for which every file is opened once more.
        rows = self._connection.con.read_parquet(
            [str(path) for path in paths], union_by_name=True, hive_partitioning=False
        )
        rows.create_view(found.get_name())
        return found

    def table(self, rows: pa.Table) -> Table:
        """Return rows as a table."""
        found = self._named(rows.schema)
        self._connection.con.register(found.get_name(), rows.cast(loose(rows.schema)))
        return found

    def run(self, expression: Table) -> pa.Table:
        """Return what an expression comes to."""
        rows = self._connection.con.sql(_sql(expression.op())).to_arrow_table()
        return fitted(rows, expression)

    def _named(self, schema: pa.Schema) -> Table:
        """Return a table of the next number, which is of this connection only by that name.

        So the same question to another store, or about other hours, is the same expression.
        """
        columns = ibis.Schema.from_pyarrow(loose(schema))
        return ibis.table(columns, name=_NAME.format(next(self._numbers)))

    def forget(self) -> None:
        """Let go of the tables that it has been given."""
        for number in range(next(self._numbers)):
            self._connection.con.execute(f"DROP VIEW IF EXISTS {_NAME.format(number)}")
        self._numbers = count()

    def close(self) -> None:
        """Let go of everything."""
        self._connection.disconnect()


@lru_cache(maxsize=64)
def _sql(expression: Node) -> str:
    """Return an expression as DuckDB runs it: to work that out takes longer than to run it."""
    return str(ibis.to_sql(expression.to_expr(), dialect="duckdb", pretty=False))
