"""What a short look at a few calls tells: how few a person makes, and who is behind a front."""

from collections.abc import Collection, Hashable, Mapping
from typing import Final, TypeVar

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
