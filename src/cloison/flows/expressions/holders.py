"""Rows of the same addresses and ports, told apart where these were of somebody else meanwhile.

Within an hour an address may pass on to another pod, which may use the same ports, as UDP clients
with a fixed one do; and clusters in one store may use the same addresses. What rows tell of an end
then contradicts itself: they differ in its cluster, namespace, pod or workload. Of what is told,
that beside which nobody tells more is a *holder*. A row is of the holder that it names; one that
tells less, or nothing, is of one of those that it does not contradict: of its own cluster, if any
is, and of these the last that had begun to be named by then, else the first. Where nothing is
contradicted, all rows are of the same.
"""

from functools import reduce
from operator import and_, or_
from typing import Final

import ibis
from ibis.expr.types import BooleanValue, Table, Value

_WHO: Final = ("cluster", "ns", "pod", "workload")
"""What rows tell of who an end is."""

_PLACE: Final = ("adapter", "span", "ip")
_END: Final = (*_PLACE, "proto", "port", "peer_ip", "peer_port")
"""What an end is an end of: addresses and ports, in an hour."""

_TOLD: Final = (*_END, *_WHO, "other")
_SIDES: Final = (("src", "dst"), ("dst", "src"))
_NEVER: Final = -1
"""The hour of what has none."""

# Times of stores have no zone. These are within what ClickHouse takes for a time without fractions.
_FIRST: Final = ibis.timestamp("1970-01-01T00:00:00")
_LAST: Final = ibis.timestamp("2105-01-01T00:00:00")
_OVER: Final = ibis.timestamp("2106-01-01T00:00:00")


def reused(flows: Table) -> Table:
    """Return one row: whether rows tell of several holders of an address within an hour."""
    flows = flows.filter(flows.src_ip.notnull() & flows.dst_ip.notnull())
    flows = flows.mutate(span=flows.time.truncate("h"))
    first, second = (
        flows.select(
            "adapter",
            "span",
            ip=flows[f"{side}_ip"],
            **{column: flows[f"{side}_{column}"] for column in _WHO},
        ).distinct()
        for side, _ in _SIDES
    )
    several = _several(first.union(second), _PLACE)
    found: Table = several.agg(reused=several.several.any())
    return found.select(reused=found.reused.fill_null(False))


def apart(flows: Table) -> Table:
    """Return flows with `src_turn` and `dst_turn`: numbers of holders, null where there is one.

    Args:
        flows: Flows that tell both addresses and ports, with their `hour`.
    """
    flows = flows.mutate(
        span=flows.hour.fill_null(_NEVER), at=_within(ibis.coalesce(flows.time, _FIRST))
    )
    first, second = (_ends(flows, side, other) for side, other in _SIDES)
    ends = first.union(second)
    places = _several(ends.select(*_PLACE, *_WHO).distinct(), _PLACE)
    ends = ends.semi_join(places.filter(places.several), list(_PLACE))
    told = ends.group_by(list(_TOLD)).agg(begun=ends["at"].min())
    several = _several(told, _END)
    told = told.semi_join(several.filter(several.several), list(_END))
    spans = _spans(told)
    for side, other in _SIDES:
        flows = _turned(flows, spans, side, other)
    return flows.drop("span", "at")


def _within(time: Value) -> Value:
    return ibis.greatest(ibis.least(time, _LAST), _FIRST)


def _ends(flows: Table, side: str, other: str) -> Table:
    return flows.select(
        "adapter",
        "span",
        "proto",
        "at",
        ip=flows[f"{side}_ip"],
        port=flows[f"{side}_port"],
        peer_ip=flows[f"{other}_ip"],
        peer_port=flows[f"{other}_port"],
        **{column: flows[f"{side}_{column}"] for column in _WHO},
        other=flows[f"{other}_cluster"],
    )


def _several(told: Table, key: tuple[str, ...]) -> Table:
    """Return of each key whether what is told contradicts itself."""
    differs = (told[column].min() < told[column].max() for column in _WHO)
    return told.group_by(list(key)).agg(
        several=reduce(or_, (each.fill_null(False) for each in differs))
    )


def _spans(told: Table) -> Table:
    """Return from when until when rows that tell so much are of which holder."""
    holders = told.group_by([*_END, *_WHO]).agg(begun=told.begun.min())
    order = [holders[column].fill_null("") for column in _WHO]
    order += [holders[column].notnull() for column in _WHO]
    number = ibis.row_number().over(group_by=list(_END), order_by=order)
    holders = holders.mutate(number=number.cast("int64"))
    more = _renamed(holders, "more")
    pairs = holders.join(more, [holders[each] == more[f"more_{each}"] for each in _END])
    pairs = pairs.filter(_fits(pairs, "more") & (pairs.number != pairs.more_number))
    holders = holders.anti_join(pairs.select(*_END, "number"), [*_END, "number"])

    asked = told.select(*_TOLD)
    held = _renamed(holders, "held")
    found = asked.join(held, [asked[each] == held[f"held_{each}"] for each in _END])
    found = found.filter(_fits(found, "held"))
    home = ibis.coalesce(found.cluster, found.other)
    found = found.mutate(near=(home == found.held_cluster).fill_null(False).ifelse(1, 0))
    nearest = found.near.max().over(group_by=list(_TOLD))
    found = found.mutate(nearest=nearest)
    found = found.filter(found.near == found.nearest)
    window = ibis.window(group_by=list(_TOLD), order_by=["held_begun", "held_number"])
    found = found.mutate(
        place=ibis.row_number().over(window), following=found.held_begun.lead(1, _OVER).over(window)
    )
    return found.select(
        *_TOLD,
        turn="held_number",
        since=(found.place == 0).ifelse(_FIRST, found.held_begun),
        until="following",
    )


def _renamed(holders: Table, name: str) -> Table:
    return holders.rename({f"{name}_{column}": column for column in holders.columns})


def _fits(rows: Table, name: str) -> BooleanValue:
    """Return whether what is told of an end says nothing else than what is told of another."""
    return reduce(
        and_,
        (
            rows[column].isnull() | (rows[column] == rows[f"{name}_{column}"]).fill_null(False)
            for column in _WHO
        ),
    )


def _turned(flows: Table, spans: Table, side: str, other: str) -> Table:
    held = _renamed(spans, "held")
    mine = {
        "ip": f"{side}_ip",
        "port": f"{side}_port",
        "peer_ip": f"{other}_ip",
        "peer_port": f"{other}_port",
        "other": f"{other}_cluster",
        **{column: f"{side}_{column}" for column in _WHO},
    }
    same = [
        flows[mine.get(column, column)] == held[f"held_{column}"]
        if column in _END
        else flows[mine[column]].identical_to(held[f"held_{column}"])
        for column in _TOLD
    ]
    during = [flows["at"] >= held.held_since, flows["at"] < held.held_until]
    found = flows.left_join(held, [*same, *during])
    return found.mutate(**{f"{side}_turn": found.held_turn}).drop(*held.columns)
