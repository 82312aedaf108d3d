"""The edges that were seen most, and what else there is to count them by."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from cloison.flows.answers import Counted, Top

Row = dict[str, Any]


BY: Final[dict[str, tuple[str, ...]]] = {
    "edge": ("src", "dst", "port", "verdict"),
    "source": ("src",),
    "destination": ("dst",),
    "pair": ("src", "dst"),
    "port": ("port",),
    "verdict": ("verdict",),
}
"""What lines can be about, and of which columns these are."""


def top(edges: pa.Table, by: str, number: int | None, verdicts: Sequence[str] = ()) -> Top:
    """Return the lines with the most connections.

    Args:
        edges: What `edges.edges` returns.
        by: What a line is about: one of `BY`.
        number: How many lines; `None` for all.
        verdicts: Only edges with one of these; all for none.
    """
    if verdicts:
        edges = edges.filter(pc.is_in(edges["verdict"], pa.array(verdicts)))
    columns = (*BY[by], "oriented")
    rows = edges.select(_READ).to_pylist()
    lines: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        said = _said(row)
        lines.setdefault(tuple(said[name] for name in columns), []).append(row)
    ranked = sorted(
        (_counted(dict(zip(columns, key, strict=True)), some) for key, some in lines.items()),
        key=lambda line: (
            -line.count,
            line.src or "",
            line.dst or "",
            line.port or "",
            line.verdict or "",
        ),
    )
    return Top(
        tuple(ranked[:number]),
        len(ranked),
        _sum(edges, "count"),
        sum(row["count"] for row in rows if row["initiator"] == "unknown"),
        _sum(edges, "halfway"),
        _sum(edges, "ambiguous"),
    )


_READ: Final = [
    "src_ns", "src_workload", "src_entity", "src_ip", "dst_ns", "dst_workload", "dst_entity",
    "dst_ip", "dst_name", "proto", "port", "icmp_type", "verdict", "initiator", "count", "hours",
    "first", "last",
]  # fmt: skip


def end(row: Row, side: str) -> str:
    """Return what an end is called: its name, else what it is and its address."""
    ns, workload, entity = (row[f"{side}_{name}"] for name in ("ns", "workload", "entity"))
    if workload is not None:
        name = f"{ns}/{workload}" if ns else f"{workload}"
        return f"node:{name}" if entity == "host" else name
    if ns is not None and entity == "pod":
        return f"{ns}/?"
    name = (side == "dst" and row["dst_name"]) or row[f"{side}_ip"]
    if entity in {"unknown", "world"} and name:
        return str(name)
    return f"{entity} {name}" if name else str(entity)


def _said(row: Row) -> dict[str, str | bool | None]:
    proto = row["proto"] or "any"
    if row["icmp_type"] is not None:
        port: str | None = f"{proto}/type {row['icmp_type']}"
    else:
        port = f"{proto}/{row['port']}" if row["port"] is not None else None
    return {
        "src": end(row, "src"),
        "dst": end(row, "dst"),
        "port": port,
        "verdict": row["verdict"],
        "oriented": row["initiator"] != "unknown",
    }


def _counted(said: dict[str, Any], rows: list[Row]) -> Counted:
    return Counted(
        said.get("src"),
        said.get("dst"),
        said.get("port"),
        said.get("verdict"),
        said["oriented"],
        sum(row["count"] for row in rows),
        max(row["hours"] for row in rows),
        _edge(rows, "first", min),
        _edge(rows, "last", max),
    )


def _edge(
    rows: list[Row], column: str, pick: Callable[[list[datetime]], datetime]
) -> datetime | None:
    told = [row[column] for row in rows if row[column] is not None]
    return pick(told) if told else None


def _sum(edges: pa.Table, column: str) -> int:
    return int(pc.sum(edges[column]).as_py() or 0)
