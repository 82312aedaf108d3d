"""Expressions are written once: they compile for every engine that flows may lie in."""

from pathlib import Path

import ibis
import pytest

from cloison.flows.engines.duck import Duck
from tests.support.flows import case
from tests.unit.flows.run import expression, held, stored


@pytest.mark.parametrize("dialect", ["duckdb", "clickhouse", "pyspark", "trino"])
def test_edges_compile_for(dialect: str, tmp_path: Path) -> None:
    cases, engine = [case(0)], Duck(tmp_path / "scratch", threads=1)
    flows, identities = (
        ibis.table(engine.table(rows).schema(), name=name)
        for name, rows in (("flows", stored(cases)), ("identity", held(cases).combine_chunks()))
    )
    engine.close()
    query = str(ibis.to_sql(expression(flows, identities), dialect=dialect)).upper()
    assert query.count("GROUP BY") >= 4
    assert "JOIN" in query
