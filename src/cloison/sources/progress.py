"""How far reading has come, for whoever draws it."""

from typing import Protocol


class Progress(Protocol):
    """Receives the progress of one `read`; the command line draws it, the readers only call it."""

    def start(self, total_bytes: int | None) -> None:
        """Begin; `total_bytes` is None when standard input or a pipe is among the sources."""

    def advance(self, n: int) -> None:
        """Note that `n` more bytes have been consumed."""

    def finish(self) -> None:
        """End, also when reading stopped early."""


class Silent:
    """Progress that nobody watches."""

    __slots__ = ()

    def start(self, total_bytes: int | None) -> None:
        """Do nothing."""

    def advance(self, n: int) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""


class Meter:
    """Turns positions in one input into advances that never count a byte twice.

    Reading goes back after an error, so positions may fall.

    Args:
        progress: Whom to tell.
    """

    __slots__ = ("_progress", "_reached")

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._reached = 0

    def at(self, offset: int) -> None:
        """Note that everything before byte `offset` has been consumed."""
        if offset > self._reached:
            self._progress.advance(offset - self._reached)
            self._reached = offset
