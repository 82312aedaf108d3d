"""A store of generated flows, written by DuckDB: as many as one likes in a minute or two."""

from pathlib import Path
from typing import Final

import duckdb

from cloison.flows.store.manifest import Manifest, Part, save
from cloison.flows.store.parts import STORED, hour_name
from cloison.flows.store.place import LOCK, SCRATCH

START: Final = 472_224
"""Hours since 1970 of the first flow."""
READER: Final = "bench"
WORKLOADS: Final = 2_000
EDGES: Final = 45_000

# Four records of a connection: the request as either side saw it, then the answer. Of some, either
# side denies, and nobody answers; of some records nobody knows the direction.
_FLOWS: Final = """
WITH connection AS (
    SELECT i, i // 4 AS c, i % 4 AS k, hash(i // 4, {hour}) AS h FROM range({rows}) t(i)
), edge AS (
    SELECT *, (h % {edges})::BIGINT AS e, (h >> 20) % 1000 AS luck FROM connection
), ends AS (
    SELECT *, (hash(e, 1) % {workloads})::BIGINT AS s, (hash(e, 2) % {workloads})::BIGINT AS d,
        luck < 15 AS refused, k >= 2 AND luck >= 15 AS back FROM edge
), packet AS (
    SELECT *,
        (h >> 32) % 3 AS s_pod, (h >> 36) % 3 AS d_pod,
        [80, 443, 5432, 6379, 8080, 9090, 9092, 3000][1 + (hash(e, 3) % 8)::INT] AS port
    FROM ends
), dialled AS (
    -- No source port is used twice in an hour: SQL by hand knows one verdict for each.
    SELECT *, 32768 + (hash(s, d) % 28000 + dense_rank() OVER (
        PARTITION BY s, d, port, s_pod, d_pod ORDER BY c)) % 28000 AS ephemeral
    FROM packet
), side AS (
    SELECT *,
        CASE WHEN back THEN d ELSE s END AS a, CASE WHEN back THEN s ELSE d END AS b,
        CASE WHEN back THEN d_pod ELSE s_pod END AS a_pod,
        CASE WHEN back THEN s_pod ELSE d_pod END AS b_pod
    FROM dialled
)
SELECT {columns} FROM side
"""
_VALUES: Final = {
    "adapter": f"'{READER}'",
    "time": "make_timestamp({micros} + (c * 3600000000 // ({rows} // 4 + 1)) + k * 50)",
    "verdict": "CASE WHEN refused AND (k % 2 = 1 OR luck < 5) THEN 'denied' ELSE 'allowed' END",
    "observer": "CASE WHEN (k % 2 = 0) != back THEN 'src' ELSE 'dst' END",
    "proto": "'TCP'",
    "count": "1::BIGINT",
    "sample_rate": "1::INTEGER",
    "src_port": "(CASE WHEN back THEN port ELSE ephemeral END)::INTEGER",
    "dst_port": "(CASE WHEN back THEN ephemeral ELSE port END)::INTEGER",
    "names": "[]::VARCHAR[]",
    "node": "'node-' || (a % 40)",
    "direction": "CASE WHEN k % 2 = 0 THEN 'egress' ELSE 'ingress' END",
    "is_reply": "CASE WHEN luck % 20 = 7 AND k = 3 THEN NULL ELSE back END",
    "opens": "CASE WHEN k < 2 THEN true END",
    "initiator": "'unknown'",
    "bytes": "(60 + h % 1400)::BIGINT",
    "packets": "1::BIGINT",
}
_END: Final = {
    "cluster": "'east'",
    "ns": "'team-' || ({x} % 40)",
    "workload": "'app-' || {x}",
    "kind": "'Deployment'",
    "pod": "'app-' || {x} || '-' || {x}_pod",
    "labels": "{x}::BIGINT",
    "entity": "'pod'",
    "ip": "'10.' || ({x} // 250) || '.' || ({x} % 250) || '.' || (1 + {x}_pod)",
}


def build(store: Path, rows: int, hours: int) -> int:
    """Write a store of so many flows in so many hours; return how many bytes it has.

    Args:
        store: An empty directory, or none.
        rows: How many flows.
        hours: In how many hours.
    """
    (store / SCRATCH).mkdir(parents=True)
    (store / LOCK).touch()
    with duckdb.connect(config={"temp_directory": str(store / SCRATCH)}) as connection:
        parts = tuple(_hour(connection, store, START + at, rows // hours) for at in range(hours))
    save(store, Manifest(commit=1, parts=parts))
    return sum(part.size for part in parts)


def _hour(connection: duckdb.DuckDBPyConnection, store: Path, hour: int, rows: int) -> Part:
    place = Path("flows") / f"source={READER}" / hour_name(hour)
    (store / place).mkdir(parents=True)
    path = place / "part-00000001-000000000000.parquet"
    micros = hour * 3_600_000_000
    columns = ", ".join(_column(name) for name in STORED.names)
    sql = _FLOWS.replace("{columns}", columns)
    sql = sql.format(rows=rows, hour=hour, edges=EDGES, workloads=WORKLOADS, micros=micros)
    target = str(store / path).replace("'", "''")
    connection.execute(f"COPY ({sql}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
    size = (store / path).stat().st_size
    last = micros + 3_600_000_000 - 1
    return Part("flows", str(path), rows, size, 1, READER, hour, micros, last)


def _column(name: str) -> str:
    side, _, rest = name.partition("_")
    if name in _VALUES:
        return f"{_VALUES[name]} AS {name}"
    if side in {"src", "dst"} and rest in _END:
        return f"{_END[rest].replace('{x}', 'a' if side == 'src' else 'b')} AS {name}"
    kind = str(STORED.field(name).type)
    return f"NULL::{_KINDS.get(kind, 'VARCHAR')} AS {name}"


_KINDS: Final = {
    "timestamp[us]": "TIMESTAMP",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "bool": "BOOLEAN",
}
