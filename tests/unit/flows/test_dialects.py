"""Expressions are written once: they compile for every engine that flows may lie in."""

import ibis
import pytest

from tests.support.flows import case
from tests.unit.flows.run import expression, held, stored


@pytest.mark.parametrize("dialect", ["duckdb", "clickhouse", "pyspark", "trino"])
def test_edges_compile_for(dialect: str) -> None:
    cases = [case(0)]
    flows, identities = (
        ibis.table(ibis.Schema.from_pyarrow(rows.schema), name=name)
        for name, rows in (("flows", stored(cases)), ("identity", held(cases)))
    )
    query = str(ibis.to_sql(expression(flows, identities), dialect=dialect)).upper()
    assert query.count("GROUP BY") >= 4
    assert "JOIN" in query
