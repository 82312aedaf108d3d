"""The cube of a session: its contract, its policies, and the flows of a store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cloison.analyses.reconcile.cube import Cube
from cloison.analyses.reconcile.cube import reconcile as put_together
from cloison.analyses.reconcile.measures import Measures, measures
from cloison.analyses.reconcile.seen import Became, Finder, Seen, SeenEnd
from cloison.app.contract import agreed, edges, for_contract

if TYPE_CHECKING:
    import pyarrow as pa

    from cloison.app.session import Session


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The answer to `reconcile`.

    Args:
        cube: The cube.
        measures: What it comes to in numbers.
        store: Where the flows are from.
    """

    cube: Cube
    measures: Measures
    store: str


def reconcile(
    session: "Session",
    contracts: Sequence[str],
    store: Path,
    span: tuple[int | None, int | None] = (None, None),
) -> Reconciled:
    """Return what is intended, permitted and observed, side by side.

    Args:
        session: A session that was read with `runtime`.
        contracts: Files of contracts besides those among its sources.
        store: The store of flows.
        span: From when on and until when flows count, in microseconds since 1970.

    Raises:
        SourceError: A contract or the store cannot be read.
        QuestionError: There is no contract.
    """
    from cloison.flows.edges import edges as observed

    found = agreed(session, contracts)
    session = for_contract(session, found.contract)
    meant = edges(session, found)
    seen = tuple(seen_edges(observed(store, *span)))
    permitted = session.map()
    cube = put_together(
        session.engine,
        Finder(session.names, session.world),
        meant.edges,
        seen,
        permitted,
        meant.unmet,
    )
    return Reconciled(cube, measures(cube, permitted, session.world), str(store))


def seen_edges(table: "pa.Table") -> Iterator[Seen]:
    """Yield the rows of a table of edges (`flows.edges`) as observed edges."""
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
        )


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


def _time(value: Any) -> int | None:  # noqa: ANN401 - a datetime without a zone, in UTC
    return None if value is None else round(value.timestamp() * 1_000_000)
