"""Connections summed up: by hour, and over hours into edges."""

from typing import Final

import ibis
from ibis import _
from ibis.expr.types import Table, Value

SIDES: Final = tuple(
    f"{side}_{column}"
    for side in ("src", "dst")
    for column in ("cluster", "ns", "workload", "kind", "labels", "entity", "ip")
)
"""Columns that say what the ends of an edge are. An address is kept only where no name is."""

KEY: Final = (
    "adapter",
    *SIDES,
    "dst_name",
    "proto",
    "port",
    "icmp_type",
    "verdict",
    "initiator",
)
"""Columns by which connections are one edge."""

_WINDOWS: Final = 12
"""Windows of an hour, of five minutes each."""

SUMS: Final = ("count", "halfway", "refused", "ambiguous", "bytes")
EXAMPLES: Final = ("svc_ns", "svc_name", "svc_port", "sample", "src_pod", "dst_pod", "sample_rate")
"""Columns of which the greatest is kept, as an example."""


def hourly(connections: Table) -> Table:
    """Return one row for each hour and edge of attributed connections (`attribute.attributed`)."""
    connections = connections.mutate(**_ends(connections))
    at = connections["window"] - connections["hour"] * _WINDOWS
    # A column for each window: engines need much memory and time to count what is distinct.
    seen = {f"seen_{number}": (at == number).any() for number in range(_WINDOWS)}
    found = connections.group_by(["hour", *KEY]).agg(
        **_summed(), **seen, first=_["first"].min(), last=_["last"].max()
    )
    windows = [found[name].fill_null(False).cast("int64") for name in seen]
    return found.mutate(windows=sum(windows[1:], start=windows[0])).drop(*seen)


def edges(rollups: Table) -> Table:
    """Return one row for each edge of hourly rows, with in how many hours it was seen."""
    return (
        by_hour(rollups)
        .group_by(list(KEY))
        .agg(
            **_summed(),
            windows=_.windows.sum().cast("int64"),
            hours=_.hour.count(),
            first=_["first"].min(),
            last=_["last"].max(),
        )
    )


def by_hour(rollups: Table) -> Table:
    """Return one row for each hour and edge of hourly rows, of which late ones may come apart."""
    return rollups.group_by(["hour", *KEY]).agg(
        **_summed(), windows=_.windows.max(), first=_["first"].min(), last=_["last"].max()
    )


def together(parts: Table) -> Table:
    """Return one row for each edge of rows of `edges` that are of different hours."""
    return parts.group_by(list(KEY)).agg(
        **_summed(),
        windows=_.windows.sum().cast("int64"),
        hours=_.hours.sum().cast("int64"),
        first=_["first"].min(),
        last=_["last"].max(),
    )


def _summed() -> dict[str, Value]:
    return {
        **{name: _[name].sum().cast("int64") for name in SUMS},
        **{name: _[name].max() for name in EXAMPLES},
    }


def _ends(rows: Table) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for side in ("src", "dst"):
        workload, pod = rows[f"{side}_workload"], rows[f"{side}_pod"]
        named = ibis.coalesce(workload, pod)
        alone = workload.isnull() & pod.notnull()
        found[f"{side}_workload"] = named
        found[f"{side}_kind"] = alone.ifelse("Pod", rows[f"{side}_kind"])
        found[f"{side}_ip"] = named.isnull().ifelse(rows[f"{side}_ip"], ibis.null("string"))
    return found
