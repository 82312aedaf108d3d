"""What engines do besides running expressions."""

import socket
from pathlib import Path

import pyarrow as pa
import pytest

from cloison.base import SourceError
from cloison.flows.engines.duck import Duck
from cloison.flows.engines.spark import reach


def test_the_same_question_about_other_rows_is_the_same_expression(tmp_path: Path) -> None:
    engine = Duck(tmp_path / "scratch", threads=1)
    asked = []
    for rows in ([1, 2], [3]):
        table = engine.table(pa.table({"x": rows}))
        asked.append(table.agg(sum=table.x.sum()))
        assert engine.run(asked[-1])["sum"].to_pylist() == [sum(rows)]
        engine.forget()
    assert asked[0].op() == asked[1].op()
    engine.close()


def test_what_was_forgotten_cannot_be_asked(tmp_path: Path) -> None:
    engine = Duck(tmp_path / "scratch", threads=1)
    table = engine.table(pa.table({"x": [1]}))
    engine.forget()
    with pytest.raises(Exception, match="rows_0"):
        engine.run(table)
    engine.close()


def test_a_spark_server_that_is_not_there_is_told_at_once() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        address = f"sc://127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(SourceError, match="no Spark Connect server answers"):
            reach(address)
    with pytest.raises(SourceError, match="no Spark Connect server answers"):
        reach("sc://127.0.0.1:99999")
