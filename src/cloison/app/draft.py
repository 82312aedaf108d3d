"""A contract drafted from a session, and from the flows of a store."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cloison.analyses.ask import Explanation, Question
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.draft.make import drafted
from cloison.analyses.draft.model import Draft
from cloison.analyses.draft.seen import End, Observed
from cloison.app.answers import hop
from cloison.app.made import furnished
from cloison.engine import Engine

if TYPE_CHECKING:
    from cloison.app.session import Session


def draft(
    session: "Session",
    seen: Iterable[Observed] = (),
    *,
    accept: bool = False,
    name: str = "",
) -> Draft:
    """Return a contract drafted from a session.

    Args:
        session: A session that was read with `runtime`.
        seen: Edges that were seen.
        accept: Whether suggestions count at once.
        name: What to call the contract.
    """
    session, made = furnished(session)

    def ask(question: Question, engine: Engine | None = None) -> Explanation:
        return hop(session, question, engine)

    clinic = Clinic(session.engine, session.site, ask, assumed=made)
    return drafted(clinic, seen, accept=accept, name=name)


def observed(rows: Iterable[dict[str, Any]]) -> Iterator[Observed]:
    """Yield the edges that a store has seen.

    Args:
        rows: Rows of `cloison.flows.edges.edges`.
    """
    for row in rows:
        yield Observed(
            _end(row, "src"),
            _end(row, "dst"),
            (row["proto"] or "").upper(),
            row["port"],
            row["verdict"],
            row["initiator"],
            row["count"],
            row["windows"],
            _day(row["first"]),
            _day(row["last"]),
        )


def _end(row: dict[str, Any], side: str) -> End:
    return End(
        row[f"{side}_ns"] or "",
        row[f"{side}_workload"] or "",
        row[f"{side}_kind"] or "",
        row[f"{side}_entity"] or "unknown",
        row[f"{side}_ip"] or "",
        (row.get("dst_name") or "") if side == "dst" else "",
    )


def _day(time: datetime | None) -> str:
    return "at an unknown time" if time is None else f"{time:%Y-%m-%d %H:%M}"
