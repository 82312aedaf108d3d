"""What a store of flows holds, hour by hour, and when anybody watched."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from cloison.analyses.past.watch import Watch
from cloison.analyses.reconcile.seen import Seen
from cloison.app.reconcile import Span, losses, seen_edges
from cloison.base import SourceError, unhurried


def past(store: Path, span: Span = (None, None)) -> tuple[tuple[Seen, ...], Watch]:
    """Return the edges that a store has seen, each with its course, and when anybody watched.

    Args:
        store: The store.
        span: When flows count.

    Raises:
        SourceError: There is no such store, or it cannot be read.
    """
    try:
        from cloison.flows import health  # noqa: PLC0415 - only with the extra
        from cloison.flows.edges import courses  # noqa: PLC0415 - only with the extra
        from cloison.flows.status import watched  # noqa: PLC0415 - only with the extra
    except ImportError as error:
        msg = f"flows need {error.name}, which is not installed"
        raise SourceError(msg, "pip install 'cloison[flows]'") from None
    table = courses(store, *span)
    with unhurried():
        seen = tuple(seen_edges(table))
    lost = losses(store, span)
    known = Watch(watched(store, *span), lost)
    if not any(each.events for each in lost):
        return seen, known
    # What a loss is a share of. Of hours of which only sums are left, no node's is known.
    told = health.told(store, *span)
    counted = frozenset(known.hours) & {each.hour for each in told if each.events}
    recorded: dict[str, int] = defaultdict(int)
    dropped: dict[str | None, int] = defaultdict(int)
    for each in told:
        if each.hour in counted:
            dropped[each.node] += each.lost
            if each.node is not None:
                recorded[each.node] += each.events
    known = replace(known, recorded=dict(recorded))
    if len(counted) < len(known.hours):
        known = replace(known, counted=counted, dropped=dict(dropped))
    return seen, known


def span_of(store: Path) -> tuple[int, int] | None:
    """Return the first hour and the last that a store has anything of; None where it has nothing.

    Raises:
        SourceError: There is no such store, or it cannot be read.
    """
    from cloison.flows.status import watched  # noqa: PLC0415 - only with the extra

    hours = [hour for some in watched(store).values() for hour in some]
    return (min(hours), max(hours)) if hours else None
