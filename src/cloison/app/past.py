"""What a store of flows holds, hour by hour, and when anybody watched."""

from pathlib import Path

from cloison.analyses.past.watch import Watch
from cloison.analyses.reconcile.seen import Seen
from cloison.app.reconcile import Span, losses, seen_edges
from cloison.base import SourceError


def past(store: Path, span: Span = (None, None)) -> tuple[tuple[Seen, ...], Watch]:
    """Return the edges that a store has seen, each with its course, and when anybody watched.

    Args:
        store: The store.
        span: When flows count.

    Raises:
        SourceError: There is no such store, or it cannot be read.
    """
    try:
        from cloison.flows.edges import courses  # noqa: PLC0415 - only with the extra
        from cloison.flows.status import watched  # noqa: PLC0415 - only with the extra
    except ImportError as error:
        msg = f"flows need {error.name}, which is not installed"
        raise SourceError(msg, "pip install 'cloison[flows]'") from None
    seen = tuple(seen_edges(courses(store, *span)))
    return seen, Watch(watched(store, *span), losses(store, span))
