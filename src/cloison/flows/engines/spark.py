"""Spark: in this machine, or the cluster of a Spark Connect server."""

from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from socket import create_connection
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr.types import Table

from cloison.base import SourceError
from cloison.flows.engines.columns import fitted

_SETTINGS: Final = {
    # Times have no zone, and are UTC.
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # Of what fits into a machine, two hundred pieces are far too many.
    "spark.sql.shuffle.partitions": "16",
}
_HERE: Final = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}
"""What a cluster decides for itself."""

_PORT: Final = 15002
_PATIENCE: Final = 10.0
"""Seconds within which a server is there."""


class Spark:
    """Spark.

    Args:
        scratch: Where to put small tables for it to read.
        remote: Address of a Spark Connect server, which must see the store's files under the same
            paths; `None` for one in this machine.

    Raises:
        SourceError: it is not installed, or does not answer.
    """

    name = "spark"
    # Each question costs it seconds, and what does not fit into memory it puts on disk itself.
    at_once = 16_000_000

    def __init__(self, scratch: Path, remote: str | None = None) -> None:
        try:
            session = import_module("pyspark.sql").SparkSession
            refused = import_module("pyspark.errors").PySparkException
        except ImportError:
            msg = "Spark needs pyspark, which is not installed"
            raise SourceError(msg, "pip install 'cloison[spark]'; it needs Java as well") from None
        if remote:
            reach(remote)
        built = session.builder.appName("cloison")
        built = built.remote(remote) if remote else built.master("local[*]")
        for key, value in (_SETTINGS if remote else {**_SETTINGS, **_HERE}).items():
            built = built.config(key, value)
        try:
            self._session: Any = built.getOrCreate()
        except (refused, OSError, RuntimeError) as error:
            msg = f"Spark does not start: {str(error).splitlines()[0]}"
            remedy = (
                "pip install 'cloison[spark]' brings what it takes; see what the server says"
                if remote
                else "it needs Java 17 or newer; see JAVA_HOME"
            )
            raise SourceError(msg, remedy) from None
        self._connection: Any = ibis.pyspark.connect(self._session)
        self._scratch = scratch
        self._written: list[Path] = []
        self._views: list[str] = []

    def read(self, paths: Sequence[Path], schema: pa.Schema) -> Table:
        """Return the rows of Parquet files as a table."""
        if not paths:
            return self.table(schema.empty_table())
        name = f"rows_{uuid4().hex}"
        files = [f"file://{path.absolute()}" for path in paths]
        read = self._session.read.option("mergeSchema", "true").parquet(*files)
        read.createOrReplaceTempView(name)
        self._views.append(name)
        found: Table = self._connection.table(name)
        return found

    def table(self, rows: pa.Table) -> Table:
        """Return rows as a table."""
        self._scratch.mkdir(parents=True, exist_ok=True)
        path = self._scratch / f"rows-{uuid4().hex}.parquet"
        pq.write_table(rows, path)
        self._written.append(path)
        return self.read([path], rows.schema)

    def run(self, expression: Table) -> pa.Table:
        """Return what an expression comes to."""
        # Ibis would go by way of pandas, where whole numbers beside nulls become inexact.
        sql = self._connection.compile(expression)
        return fitted(self._session.sql(sql).toArrow(), expression)

    def forget(self) -> None:
        """Let go of the tables that it has been given."""
        for name in self._views:
            self._session.catalog.dropTempView(name)
        self._views.clear()
        self._unlink()

    def close(self) -> None:
        """Let go of everything."""
        self._session.stop()
        self._unlink()

    def _unlink(self) -> None:
        for path in self._written:
            with suppress(OSError):
                path.unlink()
        self._written.clear()


def reach(remote: str) -> None:
    """Refuse a server that is not there: Spark's own client would try again for minutes."""
    found = urlsplit(remote)
    try:
        with create_connection((found.hostname or "", found.port or _PORT), _PATIENCE):
            return
    except (OSError, ValueError) as error:
        msg = f"no Spark Connect server answers at {found.netloc}: {error}"
        raise SourceError(msg, "an address is sc://HOST:PORT") from None
