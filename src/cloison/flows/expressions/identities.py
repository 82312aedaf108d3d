"""Who held which address from when until when, cut so that no two rows of an address overlap.

Clusters may use the same addresses, so intervals are cut for each. Somebody of whom no cluster is
told may be of any. An end of which no cluster is told is looked for in all of them: where these
differ, several held its address.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, Final

import pyarrow as pa

from cloison.flows.expressions.ends import Row, ended, holder, snapshots

_END: Final = 7_258_118_400_000_000
"""The year 2200: what is not known to have ended."""

_TIME: Final = pa.timestamp("us")
_FIELDS: "list[pa.Field[Any]]" = [
    pa.field("of", pa.string()),
    pa.field("known", pa.string()),
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
ANY: Final = ""
"""What intervals are of in which an end is looked for whose cluster is not told."""

OTHER: Final = "*"
"""What those are of in which an end of a cluster is looked for of which nobody else tells."""

MARK: Final = "\t"
"""What clusters that are known stand between."""

_NAMES: Final = ("cluster", "ns", "pod", "workload", "kind", "labels")


def segments(identity: pa.Table) -> pa.Table:
    """Return the intervals in which an address had the same holders, and how many these are.

    Several pods of a node's own network share its address, which is then the node's. Intervals
    end as `ends` says. Of what is said of one holder, the word with the latest start counts.

    Columns are those of identities, and besides:
        of: The cluster, `ANY` or `OTHER`; only `ANY` where identities tell no cluster.
        known: All clusters that identities tell of, between `MARK`s; null for none.
        holders: How many held the address.

    Args:
        identity: Rows with the columns of `schema.IDENTITY`.
    """
    micros = identity.set_column(1, "since", identity["since"].cast(pa.int64()))
    micros = micros.set_column(2, "until", micros["until"].cast(pa.int64()))
    rows = sorted(micros.to_pylist(), key=itemgetter("ip"))
    taken = snapshots(rows)
    clusters = sorted({row["cluster"] for row in rows if row["cluster"]})
    known = MARK.join(("", *clusters, "")) if clusters else None
    by_ip = groupby(rows, itemgetter("ip"))
    found = [
        {**row, "known": known}
        for _ip, held in by_ip
        for row in _of_each(list(ended(list(held), taken)), clusters)
    ]
    return pa.Table.from_pylist(found, schema=SEGMENTS)


def _of_each(held: list[Row], clusters: list[str]) -> Iterator[Row]:
    """Yield the intervals of one address as those of each cluster are to see them."""
    yield from ({**row, "of": ANY} for row in _cut(held))
    if clusters:
        anywhere = [row for row in held if not row["cluster"]]
        # Most addresses are of one cluster.
        for of in clusters if anywhere else sorted({row["cluster"] for row in held}):
            own = [row for row in held if row["cluster"] == of or not row["cluster"]]
            yield from ({**row, "of": of} for row in _cut(own))
        yield from ({**row, "of": OTHER} for row in _cut(anywhere))


def _cut(held: Sequence[Row]) -> Iterator[Row]:
    begun: dict[int, list[int]] = defaultdict(list)
    over: dict[int, list[int]] = defaultdict(list)
    for number, each in enumerate(held):
        # What ends before it begins says nothing.
        if (until := each["until"] or _END) > each["since"]:
            begun[each["since"]].append(number)
            over[until].append(number)
    here: dict[int, Row] = {}
    for since, until in pairwise(sorted({*begun, *over})):
        for number in over[since]:
            del here[number]
        here.update((number, held[number]) for number in begun[since])
        if here:
            yield {"ip": held[0]["ip"], "since": since, "until": until, **_held_by(here.values())}


def _held_by(here: Iterable[Row]) -> Row:
    here = list(here)
    nodes = [each for each in here if each["host_network"] or each["kind"] == "Node"]
    if nodes and len(nodes) == len(here):
        named = {each["workload"] for each in nodes if each["kind"] == "Node"}
        name = named.pop() if len(named) == 1 else None
        clusters = {each["cluster"] for each in nodes}
        return {
            **dict.fromkeys(_NAMES),
            "cluster": clusters.pop() if len(clusters) == 1 else None,
            "workload": name,
            "kind": "Node" if name else None,
            "entity": "host",
            "holders": 1,
        }
    who = {holder(each) for each in here}
    if len(who) > 1:
        return {**dict.fromkeys(_NAMES), "entity": "unknown", "holders": len(who)}
    last = max(each["since"] for each in here)
    told = [{each[name] for each in here if each["since"] == last} for name in _NAMES]
    # What is said at the same time, and not the same, is not known.
    names = {
        name: said.pop() if len(said) == 1 else None
        for name, said in zip(_NAMES, told, strict=True)
    }
    entity = "service" if names["kind"] == "Service" else "pod"
    return {**names, "entity": entity, "holders": 1}
