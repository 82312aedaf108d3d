"""A progress bar on the terminal, for reading that takes long enough to wonder."""

from time import monotonic
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Drawn
    from rich.progress import TaskID

_PATIENCE = 0.5
"""Seconds before anything is drawn."""
_WORTH = 2.0
"""Seconds that reading must be expected to take."""


class Bar:
    """Draws how much has been read; a `cloison.sources.Progress`.

    Args:
        stream: Where to draw; a terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._total: int | None = None
        self._done = 0
        self._begun = 0.0
        self._drawn: Drawn | None = None
        self._task: TaskID | None = None

    def start(self, total_bytes: int | None) -> None:
        """Begin; nothing is drawn yet."""
        self._total = total_bytes
        self._begun = monotonic()

    def advance(self, n: int) -> None:
        """Note that `n` more bytes have been read."""
        self._done += n
        if self._drawn is not None and self._task is not None:
            self._drawn.update(self._task, completed=self._done)
            return
        spent = monotonic() - self._begun
        if spent < _PATIENCE:
            return
        if self._total is None or spent * self._total / max(self._done, 1) > _WORTH:
            self._draw()

    def _draw(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

        self._drawn = Progress(
            "reading",
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=Console(file=self._stream, force_terminal=True),
            transient=True,
        )
        self._task = self._drawn.add_task("reading", total=self._total, completed=self._done)
        self._drawn.start()

    def finish(self) -> None:
        """Take the bar away."""
        if self._drawn is not None:
            self._drawn.stop()
            self._drawn = None
