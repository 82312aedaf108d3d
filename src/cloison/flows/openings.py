"""Connections by what their records show of how they began: opened meanwhile, or earlier.

An enforcement that asks about first packets only lets go on what was open before a policy changed.
Whoever holds flows against policies therefore has to tell new connections from old ones. Roll-ups
do not say which are which, so that flows themselves are read: of hours of which only sums are left
nothing is told.
"""

from collections.abc import Callable, Collection
from pathlib import Path

import ibis
import pyarrow as pa
from ibis.expr.types import BooleanValue, Table, Value

from cloison.flows.edges import by_edge, labels, within
from cloison.flows.engines.duck import Duck
from cloison.flows.expressions.roll import by_hour
from cloison.flows.store.manifest import Manifest, Part
from cloison.flows.store.place import SCRATCH, reading
from cloison.flows.store.rolling import Hour, batches, rolled

Ports = Collection[tuple[str, int]]
"""Protocols, and ports at the destination."""


def openings(
    store: Path, ports: Ports, since: int | None = None, until: int | None = None
) -> tuple[pa.Table, pa.Table]:
    """Return the connections to some ports that were opened in their hour, and that go on in it.

    Both have the columns of `edges.courses`. Opened in its hour is a connection of which a record
    shows the first packet. One goes on of which every record of that hour says that it shows none.
    What records do not say it of, as those of sources without flags of TCP, is in neither.

    Args:
        store: The store.
        ports: Which ports.
        since: Time in microseconds from which on, at the start of its hour; None for everything.
        until: Time before which, at the end of its hour.

    Raises:
        SourceError: There is no such store, or it cannot be read.
    """
    with reading(store) as manifest:
        parts = _parts(manifest, (since, until))
        engine = Duck(store / SCRATCH)
        try:
            found = [
                [
                    engine.run(by_hour(rolled(store, manifest, engine, some, choose(ports))))
                    for some in batches(parts, engine.at_once)
                ]
                for choose in (_opened, _going_on)
            ]
            empty = engine.run(
                by_hour(rolled(store, manifest, engine, (), _opened(ports))).limit(0)
            )
        finally:
            engine.close()
        sets = labels(store, manifest)
    opened, going_on = (by_edge(pa.concat_tables([empty, *some]), sets) for some in found)
    return opened, going_on


def _parts(manifest: Manifest, span: tuple[int | None, int | None]) -> dict[Hour, tuple[Part, ...]]:
    found: dict[Hour, tuple[Part, ...]] = {}
    for part in manifest.of("flows"):
        if part.hour is not None and within(part.hour, span):
            key = (part.source, part.hour)
            found[key] = (*found.get(key, ()), part)
    return found


def _opened(ports: Ports) -> Callable[[Table], Table]:
    def choose(flows: Table) -> Table:
        flows = _of(flows, ports)
        shown = flows.opens.fill_null(False)
        return flows.filter(_of_connection(flows, shown))

    return choose


def _going_on(ports: Ports) -> Callable[[Table], Table]:
    def choose(flows: Table) -> Table:
        flows = _of(flows, ports)
        not_said = flows.opens.fill_null(True)
        return flows.filter(~_of_connection(flows, not_said))

    return choose


def _of(flows: Table, ports: Ports) -> Table:
    """Return the flows to some ports, and back."""
    asked: BooleanValue = ibis.literal(False)
    for proto in sorted({proto for proto, _ in ports}):
        some = sorted(port for name, port in ports if name == proto)
        asked = asked | (
            (flows.proto == proto) & (flows.dst_port.isin(some) | flows.src_port.isin(some))
        )
    return flows.filter(asked.fill_null(False))


def _of_connection(flows: Table, so: BooleanValue) -> BooleanValue:
    """Return whether something is so of any record of a row's connection, and hour.

    Rows that do not tell both addresses and ports stand for themselves.
    """
    flip = (flows.src_ip > flows.dst_ip) | (
        (flows.src_ip == flows.dst_ip) & (flows.src_port > flows.dst_port)
    )
    ends: list[Value] = [
        flip.ifelse(flows[f"{one}_{column}"], flows[f"{other}_{column}"])
        for one, other in (("dst", "src"), ("src", "dst"))
        for column in ("ip", "port")
    ]
    hour = flows.time.truncate("h")
    whole: BooleanValue = flows.src_ip.notnull()
    for column in ("src_port", "dst_ip", "dst_port"):
        whole = whole & flows[column].notnull()
    same = ibis.window(group_by=[flows.adapter, hour, flows.proto, *ends])
    return whole.ifelse(so.cast("int8").max().over(same), so.cast("int8")) == 1
