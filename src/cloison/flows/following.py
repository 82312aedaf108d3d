"""A live source that is read into a store while something else is done.

One thread reads the stream and one writes the store, so that neither a slow disk nor a quiet source
holds up the other: what was read is committed even when nothing more comes. Both end with the block
that began them, and with the process: whatever kills it leaves a store that holds what was
committed, and the next stream is asked since then.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event, Thread
from types import TracebackType
from typing import Final, Protocol, Self

from cloison.flows.engines.choose import choose
from cloison.flows.schema import Flow, Record
from cloison.flows.store.keep import expire, merge
from cloison.flows.store.live import PAUSE, follow
from cloison.flows.store.manifest import NAME
from cloison.flows.store.place import sweep
from cloison.flows.store.rolling import refresh
from cloison.flows.store.writer import Writer, writer

_ROOM: Final = 20_000
"""Messages that wait to be written: with more, the source has to wait."""
_TICK: Final = 0.25
"""Seconds after which a quiet stream is looked at."""
_HOUR: Final = 3600


class Line(Protocol):
    """How a stream stands, and how it is ended: see `relay.client.Line`."""

    heard: bool
    away: tuple[float, str] | None

    def end(self) -> None:
        """End the stream."""


Opens = Callable[[Writer], Iterable[Sequence[Record]]]
"""Begins a stream where the store's last run left it."""


class Following:
    """A stream that is read into a store meanwhile; use it in a `with` block.

    Args:
        store: The store; it is held for writing.
        address: Where the stream is from; it is the name of the input.
        opens: Begins the stream.
        line: How it stands.
        keep: Days for which flows are kept, and their sums; None for ever.
        pause: Seconds after which what was read is committed.
        clock: Tells seconds since 1970.
    """

    def __init__(
        self,
        store: Path,
        address: str,
        opens: Opens,
        line: Line,
        *,
        keep: tuple[int | None, int | None] = (None, None),
        pause: float = PAUSE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self.address = address
        self.problem: BaseException | None = None
        self._opens, self._line, self._clock = opens, line, clock
        self._keep, self._pause = keep, pause
        self._queue: Queue[Sequence[Record] | None] = Queue(_ROOM)
        self._over, self._ready = Event(), Event()
        self._writing = Thread(target=self._write, name="store")

    def __enter__(self) -> Self:
        """Begin."""
        self._writing.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """End the stream, and wait until all that was read is in the store."""
        self._line.end()
        self._writing.join()

    @property
    def away(self) -> tuple[float, str] | None:
        """Since when nobody answers, in seconds since 1970, and why; None while somebody does."""
        return self._line.away

    @property
    def over(self) -> bool:
        """Whether nothing is read any more; `problem` says why."""
        return self._over.is_set()

    @property
    def caught_up(self) -> bool:
        """Whether all that the source had at the beginning is in the store."""
        return self._ready.is_set()

    def _write(self) -> None:
        try:
            with writer(self.store) as held:
                if not (self.store / NAME).is_file():
                    held.commit()
                told = self._opens(held)
                reading = Thread(target=self._read, args=(told,), name="stream")
                reading.start()
                try:
                    follow(held, self.address, self._batches(held), pause=self._pause)
                finally:
                    self._over.set()
                    self._line.end()
                    reading.join()
                self._tidy(held)
        except BaseException as error:  # noqa: BLE001 - told by whoever began it
            self.problem = self.problem or error
        finally:
            self._over.set()

    def _read(self, told: Iterable[Sequence[Record]]) -> None:
        try:
            for records in told:
                self._put(records)
        except BaseException as error:  # noqa: BLE001 - told by whoever began it
            self.problem = error
        self._put(None)

    def _put(self, records: Sequence[Record] | None) -> None:
        while not self._over.is_set():
            try:
                self._queue.put(records, timeout=_TICK)
            except Full:
                continue
            return

    def _batches(self, held: Writer) -> Iterator[Sequence[Record]]:
        """Yield what was read, and nothing now and then while it is quiet."""
        hour, began, now = self._hour(), int(self._clock() * 1_000_000), False
        while True:
            try:
                records = self._queue.get(timeout=_TICK)
            except Empty:
                yield ()
                now = self._line.heard
            else:
                if records is None:
                    return
                yield records
                now = now or any(_since(each, began) for each in records)
            if now and not held.rows:
                self._ready.set()
            if self._hour() != hour and not held.rows:
                hour = self._hour()
                self._tidy(held)

    def _hour(self) -> int:
        return int(self._clock()) // _HOUR

    def _tidy(self, held: Writer) -> None:
        """Roll up hours and join small parts: a stream is committed many times an hour."""
        engine = choose("duckdb", self.store)
        try:
            refresh(held, engine)
        finally:
            engine.close()
        expire(held, *self._keep)
        merge(held)
        sweep(self.store, held.manifest)


def _since(record: Record, time_: int) -> bool:
    """Return whether a record is of a flow that happened since a time."""
    return isinstance(record, Flow) and record.time is not None and record.time >= time_
