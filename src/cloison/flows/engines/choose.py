"""Which engine a user means."""

from pathlib import Path
from typing import Final

from cloison.base import QuestionError
from cloison.flows.engines.clickhouse import ClickHouse
from cloison.flows.engines.duck import Duck
from cloison.flows.engines.engine import Engine
from cloison.flows.engines.server import Server
from cloison.flows.engines.spark import Spark
from cloison.flows.store.place import SCRATCH

ENGINES: Final = ("duckdb", "spark", "clickhouse")
SERVERS: Final = ("clickhouse", "duckdb")
"""Schemes of addresses that Ibis connects to and the expressions run on."""


def choose(text: str, store: Path) -> Engine:
    """Return the engine of a name or an address.

    Args:
        text: `duckdb`, `spark`, `clickhouse` (chDB, in this process), or the address of a
            ClickHouse server (`clickhouse://...`) or of Spark Connect (`sc://...`).
        store: The store; what does not fit into memory is put there.

    Raises:
        QuestionError: there is no such engine, or expressions do not run on it.
        SourceError: it is not installed, or cannot be reached.
    """
    scratch = store / SCRATCH
    if text == "duckdb":
        return Duck(scratch)
    if text == "spark" or text.startswith("sc://"):
        return Spark(scratch, None if text == "spark" else text)
    if text == "clickhouse":
        return ClickHouse(scratch)
    scheme, slashes, _rest = text.partition("://")
    if slashes and scheme in SERVERS:
        return Server(text)
    if slashes:
        msg = f"the expressions are not known to run on {scheme}"
        raise QuestionError(msg, f"addresses begin with sc://, {'://, '.join(SERVERS)}://")
    msg = f"there is no engine {text!r}"
    raise QuestionError(msg, f"engines are {', '.join(ENGINES)}, or the address of one")
