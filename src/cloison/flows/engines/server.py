"""An engine behind an address, through Ibis. The rows that are asked about are sent to it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.common.exceptions import IbisError
from ibis.expr.types import Table

from cloison.base import SourceError
from cloison.flows.engines.columns import fitted, loose


class Server:
    """An engine behind an address.

    Its tables are made under names of our own, and dropped in the end.

    Args:
        address: The address: `clickhouse://user@host:8443/database`.

    Raises:
        SourceError: what speaks to it is not installed, or it does not answer.
    """

    def __init__(self, address: str) -> None:
        self.at_once = 16_000_000
        self.name = address.partition("://")[0]
        try:
            self._connection: Any = ibis.connect(address)
        except ImportError:
            msg = f"{self.name} needs a client that is not installed"
            extra = "flows" if self.name == "duckdb" else self.name
            raise SourceError(msg, f"pip install 'cloison[{extra}]'") from None
        except (IbisError, OSError, RuntimeError, ValueError) as error:
            msg = f"{self.name} does not answer: {str(error).splitlines()[0]}"
            raise SourceError(msg, "check the address and that it can be reached") from None
        self._made: list[str] = []

    def read(self, paths: Sequence[Path], schema: pa.Schema) -> Table:
        """Return the rows of Parquet files as a table, once they were sent."""
        found = self.table(loose(schema).empty_table())
        for path in paths:
            rows = pq.read_table(path, partitioning=None)
            whole = pa.concat_tables([loose(schema).empty_table(), rows], promote_options="default")
            self._connection.insert(self._made[-1], whole.select(schema.names))
        return found

    def table(self, rows: pa.Table) -> Table:
        """Return rows as a table, once they were sent."""
        name = f"cloison_{uuid4().hex}"
        columns = ibis.Schema.from_pyarrow(loose(rows.schema))
        found: Table = self._connection.create_table(name, schema=columns)
        self._made.append(name)
        if rows.num_rows:
            self._connection.insert(name, rows)
        return found

    def run(self, expression: Table) -> pa.Table:
        """Return what an expression comes to."""
        return fitted(self._connection.to_pyarrow(expression), expression)

    def forget(self) -> None:
        """Drop what was made."""
        for name in self._made:
            self._connection.raw_sql(f"DROP TABLE {name}")
        self._made.clear()

    def close(self) -> None:
        """Drop what was made."""
        self.forget()
        self._connection.disconnect()
