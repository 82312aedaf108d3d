"""Who held an address when it was used."""

from typing import Final

import ibis
from ibis.expr.types import BooleanValue, Table, Value

from cloison.flows.expressions.identities import ANY, MARK, OTHER

OUTSIDE: Final = ("world", "set", "host", "apiserver")
"""Ends where no pod's policy decides: what the source let go there was allowed."""

_UNNAMED: Final = ("", "default")
"""What a cluster is called that nobody named, in Cilium too."""

_ASKS: Final = ("unknown", "pod", "service")
_STEP: Final = 10
"""Seconds within which a connection to a Service goes on to who answers for it."""

_TAKEN: Final = ("cluster", "ns", "pod", "workload", "kind", "labels")


def of_services(flows: Table) -> Table:
    """Return one row: whether an end of flows may be a Service by what they tell themselves."""
    ends = (flows.src_entity == "service") | (flows.dst_entity == "service")
    # An address outside becomes a Service where another row of its connection names one.
    outside = (flows.src_entity == "world") | (flows.dst_entity == "world")
    said: Table = flows.agg(
        ends=ends.any(), outside=outside.any(), names=flows.svc_name.notnull().any()
    )
    whether = said.ends | (said.outside & said["names"])
    return said.select(services=whether.fill_null(False))


def attributed(
    connections: Table, identities: Table, *, services: bool = True, held: bool = True
) -> Table:
    """Return connections with the names of ends of which only the address was told.

    Names that a record tells itself stay. Where several held an address at that time it is left
    without a name, and counted in `ambiguous`. What the source let go to an end that turns out to
    lie outside is allowed. An address of a Service does not lie outside: where the same source port
    was seen to reach who answers for it, that is the connection.

    Args:
        connections: What `connect.connections` returns.
        identities: What `identities.segments` returns: intervals of one address do not overlap.
        services: Whether an end may be a Service. Where none is, what goes on to one need not be
            looked for, which is a third of all work.
        held: Whether there are any identities.
    """
    source, target = connections.src_cluster, connections.dst_cluster
    # An end whose cluster is not told is taken to be of the other's.
    connections = connections.mutate(
        src_home=ibis.coalesce(source, target), dst_home=ibis.coalesce(target, source)
    )
    if held:
        found = _named(_named(connections, identities, "src"), identities, "dst")
    else:
        nobody = ibis.literal(False)
        found = connections.mutate(src_ambiguous=nobody, dst_ambiguous=nobody)
    through = _nameless(found, "dst") & (found.dst_entity == "world") & found.svc_name.notnull()
    found = found.mutate(
        dst_ns=through.ifelse(found.svc_ns, found.dst_ns),
        dst_workload=through.ifelse(found.svc_name, found.dst_workload),
        dst_kind=through.ifelse("Service", found.dst_kind),
        dst_entity=through.ifelse("service", found.dst_entity),
    )
    outside = (found.halfway > 0) & found.dst_entity.isin(OUTSIDE)
    found = found.mutate(
        verdict=outside.ifelse("allowed", found.verdict),
        halfway=outside.ifelse(0, found.halfway).cast("int64"),
        ambiguous=(found.src_ambiguous | found.dst_ambiguous).ifelse(found["count"], 0),
    )
    found = _once(found) if services else found
    return found.drop("src_ambiguous", "dst_ambiguous", "src_port", "src_home", "dst_home")


def _once(rows: Table) -> Table:
    """Return rows without those to a Service that were seen to go on to who answers for it."""
    service = rows.dst_entity == "service"
    first = rows["first"]
    there = (~service & rows.src_port.notnull()).ifelse(first, ibis.null(first.type()))
    same = ibis.window(group_by=["adapter", "hour", "proto", "src_home", "src_ip", "src_port"])
    rows = rows.mutate(earliest=there.min().over(same), latest=there.max().over(same))
    step = ibis.interval(seconds=_STEP)
    near = (rows.latest >= rows["first"] - step) & (rows.earliest <= rows["first"] + step)
    seen = (rows.dst_entity == "service") & (rows.halfway > 0) & near.fill_null(False)
    return rows.filter(~seen).drop("earliest", "latest")


def _nameless(rows: Table, side: str) -> BooleanValue:
    found: BooleanValue = rows[f"{side}_ns"].isnull() & rows[f"{side}_workload"].isnull()
    return found


def _named(rows: Table, identities: Table, side: str) -> Table:
    ns, pod, workload = (rows[f"{side}_{column}"] for column in ("ns", "pod", "workload"))
    entity = rows[f"{side}_entity"]
    # Sources take addresses of Services for such of the world.
    asks = (*_ASKS, "world") if side == "dst" else _ASKS
    nameless = ns.isnull() & workload.isnull() & entity.isin(asks)
    asked = nameless | (pod.notnull() & workload.isnull())
    home, known = rows[f"{side}_home"], identities.known.max().as_scalar()
    within = known.contains(ibis.literal(MARK) + home + MARK).fill_null(False)
    nowhere = home.isnull() | home.isin(_UNNAMED) | known.isnull()
    rows = rows.mutate(
        asked=asked.ifelse(rows[f"{side}_ip"], ibis.null("string")),
        asked_of=ibis.cases((within, home), (nowhere, ANY), else_=OTHER),
    )
    held = identities.rename({f"held_{name}": name for name in identities.columns})
    found = rows.left_join(
        held,
        [
            rows.asked == held.held_ip,
            rows.asked_of == held.held_of,
            rows["first"] >= held.held_since,
            rows["first"] < held.held_until,
        ],
    )
    ns, pod, workload = (found[f"{side}_{column}"] for column in ("ns", "pod", "workload"))
    entity = found[f"{side}_entity"]
    nobody = ns.isnull() & workload.isnull()
    single = (found.held_holders == 1).fill_null(False)
    same = (found.held_ns == ns) & (found.held_pod == pod)
    world = entity == "world"
    fits = ~world | (found.held_entity == "service").fill_null(False)
    takes = single & ((nobody & fits) | same.fill_null(False))
    several = nobody & ~world & (found.held_holders > 1).fill_null(False)

    def taken(column: str) -> Value:
        own = found[f"{side}_{column}"]
        return takes.ifelse(ibis.coalesce(own, found[f"held_{column}"]), own)

    columns: dict[str, Value] = {f"{side}_{column}": taken(column) for column in _TAKEN}
    columns[f"{side}_entity"] = (takes & nobody).ifelse(found.held_entity, entity)
    columns[f"{side}_ambiguous"] = several
    if side == "dst":
        service = takes & nobody & (found.held_entity == "service")
        columns["svc_ns"] = service.ifelse(found.held_ns, found.svc_ns)
        columns["svc_name"] = service.ifelse(found.held_workload, found.svc_name)
        columns["svc_port"] = service.ifelse(found["port"], found.svc_port)
    return found.mutate(**columns).drop("asked", "asked_of", *held.columns)
