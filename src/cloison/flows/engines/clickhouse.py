"""ClickHouse, in this process: chDB runs what expressions are compiled to."""

import shutil
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr.types import Table

from cloison.base import SourceError
from cloison.flows.engines.columns import fitted, loose

_SETTINGS: Final = {
    "session_timezone": "'UTC'",
    # A row without a partner has nulls, as everywhere else.
    "join_use_nulls": "1",
    "schema_inference_make_columns_nullable": "1",
    "output_format_arrow_string_as_string": "1",
    "max_bytes_before_external_group_by": "400000000",
}


class ClickHouse:
    """ClickHouse within this process.

    Args:
        scratch: Where to put small tables for it to read.

    Raises:
        SourceError: it is not installed.
    """

    name = "clickhouse"
    at_once = 2_000_000

    def __init__(self, scratch: Path) -> None:
        try:
            session = import_module("chdb.session").Session
        except ImportError:
            msg = "ClickHouse in this process needs chdb, which is not installed"
            raise SourceError(msg, "pip install 'cloison[clickhouse]'") from None
        self._session: Any = session()
        self._scratch = scratch
        self._made: list[Path] = []
        self._views: list[str] = []

    def read(self, paths: Sequence[Path], schema: pa.Schema) -> Table:
        """Return the rows of Parquet files as a table."""
        if not paths:
            return self.table(schema.empty_table())
        name = f"rows_{uuid4().hex}"
        # Patterns cannot list files of several directories, so they are gathered in one.
        place = self._scratch.absolute() / name
        place.mkdir(parents=True)
        self._made.append(place)
        for number, path in enumerate(paths):
            (place / f"{number}.parquet").symlink_to(path.absolute())
        columns = ", ".join(f'"{column}"' for column in schema.names)
        rows = f"file({_quoted(place / '*.parquet')}, Parquet)"
        self._session.query(f"CREATE VIEW {name} AS FROM {rows} SELECT {columns}{_settings()}")
        self._views.append(name)
        return ibis.table(ibis.Schema.from_pyarrow(loose(schema)), name=name)

    def table(self, rows: pa.Table) -> Table:
        """Return rows as a table."""
        place = self._scratch / f"table_{uuid4().hex}"
        place.mkdir(parents=True)
        self._made.append(place)
        pq.write_table(rows, place / "rows.parquet")
        return self.read([place / "rows.parquet"], rows.schema)

    def run(self, expression: Table) -> pa.Table:
        """Return what an expression comes to."""
        # Spaces count: it takes no more than a quarter of a million characters.
        sql = ibis.to_sql(expression, dialect="clickhouse", pretty=False)
        answer = self._session.query(f"{sql}{_settings()}", "ArrowStream")
        with pa.ipc.open_stream(answer.bytes()) as stream:
            return fitted(stream.read_all(), expression)

    def forget(self) -> None:
        """Let go of the tables that it has been given."""
        for name in self._views:
            self._session.query(f"DROP VIEW {name}")
        self._views.clear()
        self._remove()

    def close(self) -> None:
        """Let go of everything."""
        self._session.close()
        self._remove()

    def _remove(self) -> None:
        for place in self._made:
            shutil.rmtree(place, ignore_errors=True)
        self._made.clear()


def _settings() -> str:
    return " SETTINGS " + ", ".join(f"{key} = {value}" for key, value in _SETTINGS.items())


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("\\", "\\\\").replace("'", "\\'") + "'"
