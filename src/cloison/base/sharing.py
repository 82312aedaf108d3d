"""One object for equal values, so that what repeats is held once."""

from collections import defaultdict
from collections.abc import Hashable
from typing import Any, TypeVar

T = TypeVar("T", bound=Hashable)


class Sharing:
    """Remembers values and hands back the first that equals.

    It only grows, so it lives as long as one piece of work. Give it values all of whose
    fields take part in equality: what else the second one holds is lost.

    >>> one_of = Sharing()
    >>> first = one_of(("TCP", 80))
    >>> one_of(("TCP", 80)) is first
    True
    """

    __slots__ = ("_known",)

    def __init__(self) -> None:
        # By type, because sets of different axes are equal when both are empty.
        self._known: defaultdict[type, dict[Any, Any]] = defaultdict(dict)

    def __call__(self, value: T) -> T:
        """Return the first value that has this one's type and equals it."""
        known: dict[T, T] = self._known[type(value)]
        return known.setdefault(value, value)
