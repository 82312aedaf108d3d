"""What an engine must do, so that expressions run on it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa
from ibis.expr.types import Table


class Engine(Protocol):
    """Where expressions run."""

    @property
    def name(self) -> str:
        """What it is called with `--engine`."""

    @property
    def at_once(self) -> int:
        """Flows that it rolls up at once, if one hour has no more.

        Fewer are less to hold. More are faster where each question has a cost of its own.
        """

    def read(self, paths: Sequence[Path], schema: pa.Schema) -> Table:
        """Return the rows of Parquet files as a table.

        Args:
            paths: The files; none for a table without rows.
            schema: Columns that they have.
        """

    def table(self, rows: pa.Table) -> Table:
        """Return rows as a table."""

    def run(self, expression: Table) -> pa.Table:
        """Return what an expression comes to."""

    def forget(self) -> None:
        """Let go of the tables that it was given: what was asked of them is not asked again."""

    def close(self) -> None:
        """Let go of everything."""
