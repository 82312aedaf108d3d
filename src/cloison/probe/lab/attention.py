"""How long to wait for an answer: clocks and time-outs that a busy machine does not falsify."""

import asyncio
import heapq
from collections import deque
from itertools import count

TICK = 0.002
"""Seconds between two looks at the clock."""

RECENT = 64
"""How many answers, and how many looks at the clock, count as recent."""

FLOOR = 0.03
"""The shortest wait, in seconds. A pair of virtual interfaces answers within a millisecond."""

UNKNOWN = 0.1
"""The wait before anything was answered, in seconds."""

CAUTION = 8
"""How many times longer than the slowest of recent answers silence lasts before it is doubted."""

LAST = 4
"""How many times longer again it lasts before it is believed."""


class Attention:
    """A clock that counts only the time in which this process was attending.

    Listeners and probes share one event loop, and the machine may be busy with other things. A
    wait by the wall clock could pass while nobody looked. So each turn of the loop counts for at
    most two ticks, however long it took: a wait of `n` ticks has seen at least `n / 2` whole turns,
    in each of which every socket was looked at.

    Args:
        loop: The event loop that attends.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._order = count()
        self._alarms: list[tuple[float, int, asyncio.Future[bool]]] = []
        self._late: deque[float] = deque(maxlen=RECENT)
        self._seen = 0.0
        self._ticking: asyncio.TimerHandle | None = None
        self.now = 0.0

    @property
    def lateness(self) -> float:
        """How late the loop recently woke at worst, in seconds."""
        return max(self._late, default=0.0)

    def alarm(self, seconds: float, future: asyncio.Future[bool]) -> None:
        """Answer a future with False when so much attended time has passed.

        Args:
            seconds: From now on.
            future: Left alone if it has an answer by then.
        """
        heapq.heappush(self._alarms, (self.now + seconds, next(self._order), future))
        if self._ticking is None:
            self._seen = self._loop.time()
            self._ticking = self._loop.call_later(TICK, self._tick)

    def close(self) -> None:
        """Stop the clock."""
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None

    def _tick(self) -> None:
        elapsed = self._loop.time() - self._seen
        self._seen += elapsed
        self._late.append(max(0.0, elapsed - TICK))
        self.now += min(elapsed, 2 * TICK)
        while self._alarms and (self._alarms[0][0] <= self.now or self._alarms[0][2].done()):
            future = heapq.heappop(self._alarms)[2]
            if not future.done():
                future.set_result(False)
        self._ticking = self._loop.call_later(TICK, self._tick) if self._alarms else None


class Turnstile:
    """Lets so many tasks through in each turn of the loop, so that others have their turn.

    Args:
        loop: The event loop.
        at_once: How many.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, at_once: int) -> None:
        self._loop = loop
        self._at_once = at_once
        self._passed = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def passed(self) -> None:
        """Wait for one's turn."""
        if self._passed == 0:
            self._loop.call_soon(self._turn)
        self._passed += 1
        if self._passed > self._at_once:
            mine = self._loop.create_future()
            self._waiting.append(mine)
            await mine

    def _turn(self) -> None:
        self._passed = 0
        while self._waiting and self._passed < self._at_once:
            mine = self._waiting.popleft()
            if not mine.done():
                mine.set_result(None)
                self._passed += 1
        if self._passed:
            self._loop.call_soon(self._turn)


class Patience:
    """How long the probes of one run wait.

    Args:
        ceiling: The longest wait before silence is doubted, in seconds.
        clock: Tells how late the loop wakes, which is added.
    """

    def __init__(self, ceiling: float, clock: Attention) -> None:
        self._ceiling = ceiling
        self._clock = clock
        self._recent: deque[float] = deque(maxlen=RECENT)

    def answered(self, seconds: float) -> None:
        """Learn from an answer.

        Args:
            seconds: How long it took, by the clock that counts attended time.
        """
        self._recent.append(seconds)

    def wait(self, *, last: bool) -> float:
        """Attended seconds to wait for an answer.

        Args:
            last: Whether silence will be believed afterwards; it takes longer then.
        """
        usual = CAUTION * max(self._recent) if self._recent else UNKNOWN
        first = max(FLOOR, min(usual, self._ceiling))
        return LAST * first + self._clock.lateness if last else first
