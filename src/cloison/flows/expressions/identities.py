"""Who held which address from when until when, cut so that no two rows of an address overlap."""

from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, Final

import pyarrow as pa

Row = dict[str, Any]

_END: Final = 7_258_118_400_000_000
"""The year 2200: what is not known to have ended."""

_TIME: Final = pa.timestamp("us")
_FIELDS: "list[pa.Field[Any]]" = [
    pa.field("ip", pa.string()),
    pa.field("since", _TIME),
    pa.field("until", _TIME),
    pa.field("cluster", pa.string()),
    pa.field("ns", pa.string()),
    pa.field("pod", pa.string()),
    pa.field("workload", pa.string()),
    pa.field("kind", pa.string()),
    pa.field("labels", pa.int64()),
    pa.field("entity", pa.string()),
    pa.field("holders", pa.int64()),
]
SEGMENTS: Final = pa.schema(_FIELDS)
_NAMES: Final = ("cluster", "ns", "pod", "workload", "kind", "labels")


def segments(identity: pa.Table) -> pa.Table:
    """Return the intervals in which an address had the same holders, and how many these are.

    Several pods of a node's own network share its address, which is then the node's.

    Args:
        identity: Rows with the columns of `schema.IDENTITY`.
    """
    micros = identity.set_column(1, "since", identity["since"].cast(pa.int64()))
    micros = micros.set_column(2, "until", micros["until"].cast(pa.int64()))
    rows = sorted(micros.to_pylist(), key=itemgetter("ip"))
    found = [row for _ip, held in groupby(rows, itemgetter("ip")) for row in _cut(list(held))]
    return pa.Table.from_pylist(found, schema=SEGMENTS)


def _cut(held: list[Row]) -> Iterator[Row]:
    # An interval ends where a later one of somebody else is known to begin only if it says so:
    # what overlaps is ambiguous, and stays so.
    places = sorted({each["since"] for each in held} | {each["until"] or _END for each in held})
    for since, until in pairwise(places):
        here = [
            each for each in held if each["since"] <= since and (each["until"] or _END) >= until
        ]
        if here:
            yield {"ip": here[0]["ip"], "since": since, "until": until, **_holder(here)}


def _holder(here: Iterable[Row]) -> Row:
    here = list(here)
    nodes = [each for each in here if each["host_network"] or each["kind"] == "Node"]
    if nodes and len(nodes) == len(here):
        node = next((each for each in nodes if each["kind"] == "Node"), None)
        name = node["workload"] if node else None
        clusters = {each["cluster"] for each in nodes}
        return {
            **dict.fromkeys(_NAMES),
            "cluster": clusters.pop() if len(clusters) == 1 else None,
            "workload": name,
            "kind": "Node" if name else None,
            "entity": "host",
            "holders": 1,
        }
    who = {tuple(each[name] for name in _NAMES) for each in here}
    if len(who) > 1:
        return {**dict.fromkeys(_NAMES), "entity": "unknown", "holders": len(who)}
    names = dict(zip(_NAMES, who.pop(), strict=True))
    entity = "service" if names["kind"] == "Service" else "pod"
    return {**names, "entity": entity, "holders": 1}
