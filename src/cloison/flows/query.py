"""Flows one by one, as they were recorded, picked by plain filters."""

from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Final

import ibis
import pyarrow as pa
from ibis.expr.types import BooleanValue, StringColumn, Table

from cloison.base import QuestionError
from cloison.flows.edges import labels
from cloison.flows.engines.duck import Duck
from cloison.flows.engines.engine import Engine
from cloison.flows.reader import BadRecordError
from cloison.flows.readers.values import protocol
from cloison.flows.store.parts import HOUR, STORED
from cloison.flows.store.place import SCRATCH, reading

_LABELS: Final = pa.list_(pa.string())


@dataclass(frozen=True, slots=True)
class Filters:
    """Which flows are wanted.

    Args:
        src: Sender: a namespace, `NAMESPACE/NAME` of a workload or a pod, an address or a block.
        dst: Receiver, likewise.
        port: Port of the receiver.
        protocol: Protocol: `TCP`, `UDP`, ..., in either case, or its number.
        verdicts: What became of it: any of these.
        since: Not before this time, in microseconds.
        until: Before this time.
        limit: At most so many, the first in time.
    """

    src: str | None = None
    dst: str | None = None
    port: int | None = None
    protocol: str | None = None
    verdicts: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None
    limit: int | None = None


def query(store: Path, wanted: Filters, *, engine: Engine | None = None) -> pa.Table:
    """Return the flows that pass filters, the first in time first, with the columns of `FLOWS`.

    Labels are lists of `key=value`.

    Raises:
        SourceError: there is no such store, or it cannot be read.
        QuestionError: an end is not well formed, or there is no such protocol.
    """
    wanted = replace(wanted, protocol=_protocol(wanted.protocol))
    with reading(store) as manifest:
        used = engine or Duck(store / SCRATCH)
        try:
            parts = [part for part in manifest.of("flows") if _hour_within(part.hour, wanted)]
            flows = used.read([store / part.path for part in parts], STORED)
            found = used.run(_ordered(picked(flows, wanted, used), wanted.limit))
        finally:
            if engine is None:
                used.close()
        sets = labels(store, manifest)
    for name in ("src_labels", "dst_labels"):
        lists = [None if x is None else list(sets.get(x, ())) for x in found[name].to_pylist()]
        at = found.schema.get_field_index(name)
        found = found.set_column(at, name, pa.array(lists, _LABELS))
    return found


def picked(flows: Table, wanted: Filters, engine: Engine) -> Table:
    """Return the flows that pass filters."""
    found: list[BooleanValue] = []
    if wanted.src is not None:
        found.append(_end(flows, "src", wanted.src, engine))
    if wanted.dst is not None:
        found.append(_end(flows, "dst", wanted.dst, engine))
    if wanted.port is not None:
        found.append(flows.dst_port == wanted.port)
    if wanted.protocol is not None:
        found.append(flows.proto == wanted.protocol)
    if wanted.verdicts:
        found.append(flows.verdict.isin(wanted.verdicts))
    if wanted.since is not None:
        found.append(flows.time >= _time(wanted.since))
    if wanted.until is not None:
        found.append(flows.time < _time(wanted.until))
    return flows.filter(found) if found else flows


def _time(micros: int) -> ibis.expr.types.TimestampValue:
    return ibis.timestamp("1970-01-01") + ibis.interval(microseconds=micros)


def _ordered(flows: Table, limit: int | None) -> Table:
    order = ["time", "adapter", "src_ip", "src_port", "dst_ip", "dst_port", "obs_id"]
    found = flows.order_by([ibis.asc(name, nulls_first=False) for name in order])
    return found if limit is None else found.limit(limit)


def _hour_within(hour: int | None, wanted: Filters) -> bool:
    if hour is None:
        return wanted.since is None and wanted.until is None
    begins, ends = hour * HOUR, (hour + 1) * HOUR
    return (wanted.since is None or ends > wanted.since) and (
        wanted.until is None or begins < wanted.until
    )


def _protocol(text: str | None) -> str | None:
    """Return a protocol as flows have it.

    Raises:
        QuestionError: there is none of that name or number.
    """
    if text is None:
        return None
    try:
        found = protocol(text)
    except BadRecordError:
        found = None
    if found is None:
        msg = f"{text!r} is no protocol"
        raise QuestionError(msg, "write TCP, UDP, SCTP, ICMP, ICMPv6 or a number from 0 to 255")
    return found


def _end(flows: Table, side: str, text: str, engine: Engine) -> BooleanValue:
    """Return whether an end is the one that is named.

    Raises:
        QuestionError: it is no name of an end.
    """
    try:
        block = ip_network(text, strict=False)
    except ValueError:
        pass
    else:
        if block.num_addresses == 1:
            return flows[f"{side}_ip"] == str(block.network_address)
        return flows[f"{side}_ip"].isin(_within(flows, f"{side}_ip", block, engine))
    ns, slash, name = text.partition("/")
    # No namespace is called like an address: that is a block with a mask that cannot be.
    if not ns or (slash and not name) or "/" in name or (slash and _is_address(ns)):
        msg = f"{text!r} names no end of a flow"
        raise QuestionError(msg, "write NAMESPACE, NAMESPACE/NAME, an address or a block of them")
    within = flows[f"{side}_ns"] == ns
    if not slash:
        return within
    return within & ((flows[f"{side}_workload"] == name) | (flows[f"{side}_pod"] == name))


def _within(
    flows: Table, column: str, block: IPv4Network | IPv6Network, engine: Engine
) -> StringColumn:
    """Return the addresses of a block that flows have, as a column of the engine's."""
    told = engine.run(flows.filter(flows[column].notnull()).select(column).distinct())
    some = [text for text in told[column].to_pylist() if _is_in(str(text), block)]
    column_: StringColumn = engine.table(pa.table({"ip": pa.array(some, pa.string())})).ip
    return column_


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_in(text: str, block: IPv4Network | IPv6Network) -> bool:
    return _is_address(text) and ip_address(text) in block
