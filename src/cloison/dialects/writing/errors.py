"""What stops a writer in the middle of an object."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from cloison.base import Span

BY_HAND: Final = "leave the object as it is, or write by hand what it is for"

NO_PEER: Final = (
    "the language has no peer like this one",
    "notSelector",
    "ipVersion",
    "notIPVersion",
    "source",
    "destination",
    "from",
    "to",
)
"""What is wrong with a peer of several parts, and the fields that may have made it one."""


GROUPS: Final = (
    "network sets match, whose addresses could only be copied",
    "selector",
    "namespaceSelector",
    "notSelector",
)
"""What is wrong with a peer that is address groups by label, and the fields that say it."""


class UnsayableError(Exception):
    """A part of an object that cannot be written. Caught by the writer, which says so.

    Args:
        what: What it is, as a sentence without the object.
        keys: Names of the fields that say it, the likeliest first.
        help_: What to do.
        choose: Whether it could be written for today's inventory.
    """

    def __init__(self, what: str, *keys: str, help_: str = BY_HAND, choose: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.keys = keys
        self.help = help_
        self.choose = choose
        self.within: Span | None = None


@contextmanager
def within(span: Span | None) -> Iterator[None]:
    """Say of what cannot be written in this block that it stands at a place, if nobody has yet."""
    try:
        yield
    except UnsayableError as error:
        error.within = error.within or span
        raise
