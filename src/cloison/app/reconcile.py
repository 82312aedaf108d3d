"""The cube of a session: its contract, its policies, and the flows of a store."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import repeat, starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from cloison.analyses.connectivity import EndRef, MapOptions
from cloison.analyses.ends import AddressEnd
from cloison.analyses.past.course import Course
from cloison.analyses.question import split_port
from cloison.analyses.reconcile.asked import Asked, asked_as, fits, namesakes, shows_denied
from cloison.analyses.reconcile.cube import Observed
from cloison.analyses.reconcile.cube import reconcile as put_together
from cloison.analyses.reconcile.kinds import Cell, Kind
from cloison.analyses.reconcile.marks import marks
from cloison.analyses.reconcile.meant import meant
from cloison.analyses.reconcile.measures import measures
from cloison.analyses.reconcile.pairs import placed
from cloison.analyses.reconcile.reconciled import Reconciled
from cloison.analyses.reconcile.seen import (
    NODES,
    Finder,
    Loss,
    Seen,
    SeenEnd,
    missed,
    ref,
)
from cloison.analyses.reconcile.sources import Assumed, assumed
from cloison.analyses.reconcile.surplus import surplus
from cloison.analyses.reconcile.translated import Legs, egress_gateways, translation
from cloison.app.contract import Agreed, agreed, edges, ends, for_contract
from cloison.app.egress import translation as leaves_as
from cloison.app.evidence import of_node, with_evidence
from cloison.app.seennames import names_said, taught
from cloison.base import QuestionError, SourceError, unhurried
from cloison.ir.fidelity import Caveat

if TYPE_CHECKING:
    import pyarrow as pa

    from cloison.analyses.ask import Explanation
    from cloison.app.session import Session

Span = tuple[int | None, int | None]
"""From when on and until when, in microseconds since 1970."""


def reconcile(
    session: "Session",
    contracts: Sequence[str] = (),
    store: Path | None = None,
    span: Span = (None, None),
) -> tuple[Reconciled, bool]:
    """Return what is intended, permitted and observed, side by side.

    Also returns whether all of the contract could be read.

    Args:
        session: A session that was read with `runtime`.
        contracts: Files of contracts besides those among its sources.
        store: The store of flows; without one, nobody knows what was observed.
        span: When flows count.

    Raises:
        SourceError: A contract or the store cannot be read.
        QuestionError: There is no contract.
    """
    found = agreed(session, contracts)
    session = for_contract(session, found.contract)
    seen = () if store is None else observed(store, span)
    with unhurried():
        lost = () if store is None else losses(store, span)
        return put(session, found, seen, store, span, lost), found.whole


def observed(store: Path, span: Span = (None, None)) -> tuple[Seen, ...]:
    """Return the edges that a store has seen.

    Raises:
        SourceError: There is no such store, or it cannot be read.
    """
    try:
        from cloison.flows.edges import edges as table  # noqa: PLC0415 - only with the extra
    except ImportError as error:
        msg = f"flows need {error.name}, which is not installed"
        raise SourceError(msg, "pip install 'cloison[flows]'") from None
    return tuple(seen_edges(table(store, *span)))


def losses(store: Path, span: Span = (None, None)) -> tuple[Loss, ...]:
    """Return what the sources of a store say they lost, and hours of which they tell nothing.

    Raises:
        SourceError: There is no such store, or it cannot be read.
    """
    from cloison.flows.silence import silences  # noqa: PLC0415 - only with the extra
    from cloison.flows.status import losses as told  # noqa: PLC0415 - only with the extra

    said = tuple(
        Loss(e.events, e.reason, e.node, e.sampled, _time(e.since), _time(e.until))
        for e in told(store, *span)
        if e.events or e.sampled > 1
    )
    quiet = (
        Loss(0, e.source, e.node, since=e.since, until=e.until, gap=True)
        for e in silences(store, *span)
    )
    # What a source says itself is told once.
    return (*said, *(e for e in quiet if not any(_within(e, other) for other in said)))


def _within(one: Loss, other: Loss) -> bool:
    """Return whether a source itself says that it lost something in all of a gap."""
    if None in (one.since, one.until, other.since, other.until) or other.sampled > 1:
        return False
    spans = (other.since or 0) <= (one.since or 0) and (one.until or 0) <= (other.until or 0)
    return spans and other.node in (None, one.node)


def put(
    session: "Session",
    found: Agreed,
    seen: tuple[Seen, ...],
    store: Path | None,
    span: Span,
    lost: tuple[Loss, ...] = (),
) -> Reconciled:
    """Return what is intended, permitted and observed, of what was read already.

    Args:
        session: The session, with the ends that the contract names.
        found: Its contract.
        seen: Observed edges.
        store: Where they are from; None where nobody watched.
        span: When they count.
        lost: What sources say they lost.
    """
    session, learned = taught(session, found.contract, seen)
    engine, site = session.engine, session.site
    sources = (*assumed(engine, site), *egress_gateways(engine, site), *_translation(session))
    wanted, unmet = meant(engine, site, found.contract, edges(session, found), sources)
    here, strangers = placed(seen, Finder(session.names, engine.world))
    legs = Legs(here, strangers)
    wanted = (*wanted, *legs.meant(sources))
    # What pods of a workload may send each other is permitted as well.
    permitted = session.map(MapOptions(self_edges=True))
    shared = namesakes(engine.world)
    cube = put_together(
        engine,
        wanted,
        Observed(here, strangers, store is not None and bool(seen), missed(engine.world, lost)),
        permitted,
        unmet,
        _named(session, found),
    )
    return Reconciled(
        cube,
        measures(cube.cells, permitted, engine.world, _data(session, found)),
        marks(sources, here, strangers),
        tuple(_asked(session, each, shared, learned) for each in cube.cells),
        with_evidence(session, surplus(cube), learned),
        found.contract.names,
        None if store is None else str(store),
        span,
        tuple(sorted({name for each in seen for name in each.adapters})),
        sum(each.count for each in seen),
        lost,
        learned,
    )


def _translation(session: "Session") -> Iterator[Assumed]:
    """Yield the source that what leaves by a pod's own node is taken to have."""
    seen = leaves_as(session)
    ways = {"its node's": True, "its own": False}
    shows = next((node for text, node in ways.items() if seen.text.startswith(text)), None)
    return translation(shows_node=shows, why=f"a pod shows {seen.text}")


def _named(session: "Session", found: Agreed) -> tuple[AddressEnd, ...]:
    """Return the externals of a contract that have addresses."""
    known = ends(session, found)
    held = ((each.name, known.addresses(each)) for each in found.contract.externals)
    return tuple(AddressEnd(f"external:{name}", addresses) for name, addresses in held if addresses)


def _data(session: "Session", found: Agreed) -> tuple[EndRef, ...] | None:
    """Return the workloads of the zone `data`; None where the contract has none."""
    placed = ends(session, found).placed
    names = tuple(placed.members(DATA))
    return tuple(EndRef("workload", n.namespace, n.name, n.kind) for n in names) or None


DATA = "data"
"""The zone whose workloads keep data, where a contract has one of that name."""


def _asked(
    session: "Session", cell: Cell, shared: frozenset[tuple[str, str]], learned: Sequence[str]
) -> Asked:
    """Return how `why` is asked about a cell so that it says the same, and what decides there."""
    first: Explanation | None = None
    denied: Asked | None = None
    for source, destination, said in asked_as(cell, session.world, shared):
        try:
            answer = session.why(source, destination, **said.said)
        except QuestionError:
            continue
        first = first or answer
        if fits(cell, answer.verdict, requested=bool(said.said)):
            told = names_said(session, (source, split_port(destination)[0]), learned)
            words = () if told is None else (source, destination, *said.words, *told)
            return Asked(words, answer.deciders, _doubts(cell, answer))
        if denied is None and shows_denied(cell, answer.verdict):
            told = names_said(session, (source, split_port(destination)[0]), learned)
            words = () if told is None else (source, destination, *said.words, *told)
            part = f"{source} -> {split_port(destination)[0]}"
            denied = Asked(words, answer.deciders, denied=part)
    if denied is not None:
        return denied
    if cell.source == ref(NODES):
        return Asked((), of_node(session, cell, shared))
    return Asked() if first is None else Asked((), first.deciders, _doubts(cell, first))


def _doubts(cell: Cell, answer: "Explanation") -> tuple[Caveat, ...]:
    return answer.caveats if cell.kind is Kind.UNDETERMINED else ()


def seen_edges(table: "pa.Table") -> Iterator[Seen]:
    """Yield the rows of a table of edges (`flows.edges`: `edges`, `courses`) as observed edges.

    Ends of which records tell the same are one object.
    """
    ends: _Ends = {}
    hourly = "at" in table.column_names
    rows = zip(
        _side(table, "src", ends),
        _side(table, "dst", ends),
        *(_values(table, name) for name in ("proto", "port", "verdict", "count")),
        _times(table, "first"),
        _times(table, "last"),
        ((name,) for name in _values(table, "adapter")),
        *(_values(table, name) for name in ("initiator", "ambiguous", "icmp_type")),
        _courses(table) if hourly else repeat(None, table.num_rows),
        strict=True,
    )
    return starmap(Seen, rows)


_Ends: TypeAlias = dict[tuple[object, ...], SeenEnd]


def _values(table: "pa.Table", name: str) -> list[Any]:
    """Return a column: a dictionary for each row would take several times as long."""
    found: list[Any] = table[name].to_pylist()
    return found


def _times(table: "pa.Table", name: str) -> list[int | None]:
    """Return a column of times, which are in UTC, in microseconds since 1970."""
    from pyarrow import int64, timestamp  # noqa: PLC0415 - only with the extra

    found: list[int | None] = table[name].cast(timestamp("us")).cast(int64()).to_pylist()
    return found


def _courses(table: "pa.Table") -> Iterator[Course]:
    rows = zip(_values(table, "at"), _values(table, "each"), strict=True)
    return (Course.of(zip(hours, counts, strict=True)) for hours, counts in rows)


def _side(table: "pa.Table", side: str, ends: _Ends) -> Iterator[SeenEnd]:
    told = ("entity", "ns", "workload", "kind", "pod", "labels", "ip")
    names = _values(table, "dst_name") if side == "dst" else repeat(None, table.num_rows)
    columns = [_values(table, f"{side}_{name}") for name in told]
    for entity, namespace, workload, kind, pod, given, ip, name in zip(
        *columns, names, strict=True
    ):
        labels = None if given is None else tuple(given)
        key = (entity, namespace, workload, kind, pod, labels, ip, name)
        end = ends.get(key)
        if end is None:
            worn = None if labels is None else tuple(sorted(labels))
            end = SeenEnd(entity, namespace, workload, kind, pod, worn, ip, name)
            ends[key] = end
        yield end


def _time(value: datetime | None) -> int | None:
    return None if value is None else round(value.timestamp() * 1_000_000)
