"""When somebody stops watching who takes ten minutes without a new edge for enough."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.recommend.score import Past, edge_of, read_in
from cloison.flows.generator.model import Connection

TEN_MINUTES: Final = 600_000_000


def stopped_after(happened: Iterable[Connection], quiet: int = TEN_MINUTES) -> int:
    """Return the time at which no edge was new for a while, for the first time.

    Args:
        happened: What happened, in order of time.
        quiet: For how long, in microseconds.
    """
    known = set()
    last = None
    for each in happened:
        edge = edge_of(each.call)
        if last is not None and each.time > last + quiet:
            return last + quiet
        if edge not in known:
            known.add(edge)
            last = each.time
    return (last or 0) + quiet


def cut(past: Past, place: Path) -> tuple[Past, int]:
    """Return a world of which only the time until then was seen, and that time.

    A store counts whole hours; this one holds the records until then and no others.
    """
    until = stopped_after(past.happened)
    before = tuple(each for each in past.happened if each.time < until)
    store = read_in(past.world, before, place / f"{past.world.name}-ten-minutes")
    return replace(past, store=store), until
