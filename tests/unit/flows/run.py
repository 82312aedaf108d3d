"""Expressions run over flows, for tests: as the store runs them, without a store."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from ibis.expr.types import Table

from cloison.flows.columns import gather
from cloison.flows.engines.columns import plain
from cloison.flows.engines.engine import Engine
from cloison.flows.expressions.attribute import attributed
from cloison.flows.expressions.connect import connections
from cloison.flows.expressions.identities import segments
from cloison.flows.expressions.orient import oriented
from cloison.flows.expressions.roll import KEY, SUMS, edges, hourly
from cloison.flows.schema import IDENTITY, TABLES, Record
from cloison.flows.store.parts import STORED
from tests.support.flows import LISTENING, Case

Edges = dict[tuple[Any, ...], tuple[Any, ...]]


def stored(cases: Sequence[Case]) -> pa.Table:
    """Return the flows of cases as a store has them; the reader of each case is its seed."""
    batch = gather([flow for case in cases for flow in case.flows])["flows"]
    adapters = pa.array([str(case.seed) for case in cases for _ in case.flows], pa.string())
    return pa.table([adapters, *batch.columns], schema=STORED)


def held(cases: Sequence[Case]) -> pa.Table:
    """Return the intervals of identities of cases, each by itself: they know the same clusters."""
    found = [segments(IDENTITY.empty_table())]
    for case in cases:
        identities: list[Record] = [*case.identities]
        if identities:
            batch = gather(identities)["identity"]
            found.append(segments(pa.Table.from_batches([batch], schema=IDENTITY)))
    return pa.concat_tables(found)


def _records(cases: Sequence[Case]) -> list[Record]:
    found: list[Record] = []
    for case in cases:
        found += case.flows
        found += case.identities
    return found


def labels(cases: Sequence[Case]) -> dict[int, tuple[str, ...]]:
    """Return the label sets of cases by id."""
    found = gather(_records(cases))
    rows = found.get("labels", TABLES["labels"].empty_table())
    ids, sets = plain(rows["id"]), plain(rows["labels"])
    return {known: tuple(each) for known, each in zip(ids, sets, strict=True)}


def expression(flows: Table, identities: Table) -> Table:
    """Return the edges of flows."""
    return edges(hourly(attributed(connections(oriented(flows, LISTENING)), identities)))


def computed(engine: Engine, cases: Sequence[Case]) -> dict[int, Edges]:
    """Return what every edge of each case comes to, as `tests.oracle.flows` does."""
    flows, identities = engine.table(stored(cases)), engine.table(held(cases).combine_chunks())
    rows = engine.run(expression(flows, identities))
    sets = labels(cases)
    micros = {name: rows[name].cast(pa.int64()).to_pylist() for name in ("first", "last")}
    found: dict[int, Edges] = {case.seed: {} for case in cases}
    for number, row in enumerate(rows.to_pylist()):
        for name in ("src_labels", "dst_labels"):
            row[name] = None if row[name] is None else sets[row[name]]
        key = tuple(row[name] for name in KEY if name != "adapter")
        times = (micros["first"][number], micros["last"][number])
        sums = (*(row[name] for name in SUMS), row["windows"], row["hours"], *times)
        found[int(row["adapter"])][key] = sums
    return found
