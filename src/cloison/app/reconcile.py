"""The cube of a session: its contract, its policies, and the flows of a store."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cloison.analyses.connectivity import EndRef
from cloison.analyses.ends import AddressEnd
from cloison.analyses.past.course import Course
from cloison.analyses.reconcile.cube import Observed
from cloison.analyses.reconcile.cube import reconcile as put_together
from cloison.analyses.reconcile.kinds import Cell, Kind
from cloison.analyses.reconcile.marks import marks
from cloison.analyses.reconcile.meant import meant
from cloison.analyses.reconcile.measures import measures
from cloison.analyses.reconcile.pairs import placed
from cloison.analyses.reconcile.reconciled import Asked, Reconciled, asked_as, namesakes
from cloison.analyses.reconcile.seen import Became, Finder, Loss, Seen, SeenEnd
from cloison.analyses.reconcile.sources import assumed
from cloison.app.contract import Agreed, agreed, edges, ends, for_contract
from cloison.app.seennames import taught
from cloison.base import QuestionError, SourceError, unhurried

if TYPE_CHECKING:
    import pyarrow as pa

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
    """Return what the sources of a store say they lost.

    Raises:
        SourceError: There is no such store, or it cannot be read.
    """
    from cloison.flows.status import losses as told  # noqa: PLC0415 - only with the extra

    return tuple(
        Loss(e.events, e.reason, e.node, e.sampled, _time(e.since), _time(e.until))
        for e in told(store, *span)
        if e.events or e.sampled > 1
    )


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
    sources = assumed(engine, site)
    wanted, unmet = meant(engine, site, found.contract, edges(session, found), sources)
    here, strangers = placed(seen, Finder(session.names, engine.world))
    permitted = session.map()
    shared = namesakes(engine.world)
    cube = put_together(
        engine,
        wanted,
        Observed(here, strangers, store is not None and bool(seen), not lost),
        permitted,
        unmet,
        _named(session, found),
    )
    return Reconciled(
        cube,
        measures(cube.cells, permitted, engine.world, _data(session, found)),
        marks(sources, here),
        tuple(_asked(session, each, shared) for each in cube.cells),
        found.contract.names,
        None if store is None else str(store),
        span,
        tuple(sorted({name for each in seen for name in each.adapters})),
        sum(each.count for each in seen),
        lost,
        learned,
    )


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


def _asked(session: "Session", cell: Cell, shared: frozenset[tuple[str, str]]) -> Asked:
    """Return how `why` is asked about a cell, and what decides there."""
    words = asked_as(cell, session.engine.world, shared)
    if words is None:
        return Asked()
    try:
        answer = session.why(*words)
    except QuestionError:
        return Asked()
    return Asked(words, answer.deciders, answer.caveats if cell.kind is Kind.UNDETERMINED else ())


def seen_edges(table: "pa.Table") -> Iterator[Seen]:
    """Yield the rows of a table of edges (`flows.edges`: `edges`, `courses`) as observed edges."""
    for row in table.to_pylist():
        yield Seen(
            _end(row, "src", None),
            _end(row, "dst", row["dst_name"]),
            row["proto"],
            row["port"],
            cast("Became", row["verdict"]),
            row["count"],
            _time(row["first"]),
            _time(row["last"]),
            (row["adapter"],),
            row["initiator"],
            row["ambiguous"],
            row["icmp_type"],
            _course(row),
        )


def _course(row: dict[str, Any]) -> Course | None:
    return Course.of(zip(row["at"], row["each"], strict=True)) if "at" in row else None


def _end(row: dict[str, Any], side: str, name: str | None) -> SeenEnd:
    labels = row[f"{side}_labels"]
    return SeenEnd(
        row[f"{side}_entity"],
        row[f"{side}_ns"],
        row[f"{side}_workload"],
        row[f"{side}_kind"],
        row[f"{side}_pod"],
        None if labels is None else tuple(sorted(labels)),
        row[f"{side}_ip"],
        name,
    )


def _time(value: datetime | None) -> int | None:
    return None if value is None else round(value.timestamp() * 1_000_000)
