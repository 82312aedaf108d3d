"""What a short look at a few calls tells: how few a person makes, and who is behind a front."""

from collections.abc import Collection, Hashable, Mapping
from typing import Final, TypeVar

from cloison.analyses.ends import End, PodsEnd
from cloison.analyses.reconcile.seen import Outside

FEW: Final = 10
"""Connections that somebody could have made by hand."""

_T = TypeVar("_T", bound=Hashable)


def below(calls: Mapping[_T, Collection[_T]], start: _T) -> set[_T]:
    """Return whom a party was seen to call, by way of others too.

    >>> sorted(below({"web": {"api"}, "api": {"db"}, "job": {"db"}}, "web"))
    ['api', 'db']
    """
    reached, waiting = set[_T](), [start]
    while waiting:
        new = set(calls.get(waiting.pop(), ())) - reached
        reached |= new
        waiting += new
    return reached


def again(hours: Collection[int]) -> bool:
    """Return whether hours are more than one moment, which may lie in two.

    >>> again([5, 6]), again([5, 7])
    (False, True)
    """
    return bool(hours) and max(hours) - min(hours) > 1


def stretches(hours: Collection[int]) -> int:
    """Return how many stretches hours are in; those next to each other are in one.

    >>> stretches({5, 6, 9})
    2
    """
    return sum(hour - 1 not in hours for hour in hours)


def by_hand(end: End | Outside) -> bool:
    """Return whether an end is a pod that no controller made, nor a node's own settings."""
    return (
        isinstance(end, PodsEnd)
        and end.workload.id.kind == "Pod"
        and not any(each.shape.host_network for each in end.workload.endpoints)
    )
