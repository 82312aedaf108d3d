"""Which connections of an edge are new, and which may be older than what they are held against."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cloison.analyses.past.watch import Watch

QUIET: Final = 3
"""Watched hours of silence after which no connection of before is taken to be alive.

Linux asks an idle peer after two hours whether it is still there, if it is to ask at all.
"""


@dataclass(frozen=True, slots=True)
class Begun:
    """What records show of how an edge's connections began.

    Args:
        opened: Hours in which a first packet was recorded.
        going_on: Hours of which the records show that they are of connections opened earlier.
    """

    opened: frozenset[int] = frozenset()
    going_on: frozenset[int] = frozenset()


NOT_TOLD: Final = Begun()
"""Records show neither, as those of sources without flags of TCP."""


@dataclass(frozen=True, slots=True)
class New:
    """The hours of an edge, by whether its connections are new.

    Args:
        surely: Hours in which they are.
        maybe: Hours in which they may have been opened before what they are held against.
    """

    surely: tuple[int, ...] = ()
    maybe: tuple[int, ...] = ()


def new(hours: Sequence[int], since: int | None, begun: Collection[Begun], watch: Watch) -> New:
    """Return which hours of an edge have new connections.

    A connection is new where its first packet was recorded. Where records do not say it, it is new
    after a silence that no old connection would have outlived (`QUIET`); from then on, all are.

    Args:
        hours: Hours in which it was seen, ascending.
        since: The first hour that counts; None for all.
        begun: What records show of its parts.
        watch: When anybody watched: what there was in its first hour may be older.
    """
    opened = frozenset[int]().union(*(each.opened for each in begun))
    going_on = frozenset[int]().union(*(each.going_on for each in begun)) - opened
    surely: list[int] = []
    maybe: list[int] = []
    fresh = False
    for hour, silent in _silences(hours, watch):
        # What happened before it counts tells nothing of what was opened since.
        counts = since is None or hour >= since
        fresh = fresh or (counts and silent >= QUIET and hour not in going_on)
        if not counts:
            continue
        if fresh or hour in opened:
            surely.append(hour)
        elif hour not in going_on:
            maybe.append(hour)
    return New(tuple(surely), tuple(maybe))


def _silences(hours: Sequence[int], watch: Watch) -> Iterator[tuple[int, int]]:
    """Yield hours, each with how many were watched in vain right before it."""
    before = watch.hours[0] - 1 if watch.hours else None
    for hour in hours:
        # Hours in a row are most of them.
        none = before is None or hour == before + 1
        yield hour, 0 if none else watch.watched((before or 0) + 1, hour - 1)
        before = hour
