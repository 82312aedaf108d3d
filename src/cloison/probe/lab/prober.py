"""Trying connections: all at once, from inside the namespaces of their sources."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from itertools import count
from pathlib import Path

import msgspec

from cloison.probe.lab.answers import AT_ONCE
from cloison.probe.lab.attempt import Attempts
from cloison.probe.lab.attention import Attention, Patience, Turnstile
from cloison.probe.lab.enter import raise_limit
from cloison.probe.lab.held import Held
from cloison.probe.lab.plan import Measured, Probe
from cloison.probe.lab.rawsctp import Sctp

MOST = 1024
"""Probes under way at a time, where there are files for so many. More only slow the answers."""

SPARE = 128
"""Files left to everybody else."""


class Prober:
    """Tries connections in a lab, and keeps some of them.

    Everything is awaited in one event loop, the one that also serves the listeners: an answer
    and the wait for it then depend on the same loop, whose delays the wait takes into account.

    Args:
        namespaces: An open file of the namespace of each station; read with each attempt.
        loop: The event loop.
        sctp: That of the lab's listeners; without, SCTP is only asked, and nothing listens.
    """

    def __init__(
        self,
        namespaces: Mapping[str, int],
        loop: asyncio.AbstractEventLoop,
        sctp: Sctp | None = None,
    ) -> None:
        self._loop = loop
        self._clock = Attention(loop)
        self._turnstile = Turnstile(loop, AT_ONCE)
        self._sctp = Sctp(namespaces, loop) if sctp is None else sctp
        self._attempts = Attempts(namespaces, loop, self._clock, self._sctp)
        self._held: dict[int, Held] = {}
        self._ids = count(1)

    async def probe(
        self, probes: Sequence[Probe], patience: float = 1.0, attempts: int = 2
    ) -> list[Measured]:
        """Try connections, as many at a time as there are files for.

        Args:
            probes: What to try.
            patience: The longest wait before silence is doubted, in seconds.
            attempts: How often to try what is not answered; the last time takes longest. With 1,
                counters move by the packets of one attempt.

        Returns:
            What came of each, in the same order. Nothing is raised for a probe.
        """
        wait = Patience(patience, self._clock)
        measured = [Measured("failed", "not tried")] * len(probes)
        rest = iter(enumerate(probes))
        # Two of the same from the same port would hear each other's answers.
        alone: defaultdict[Probe, asyncio.Lock] = defaultdict(asyncio.Lock)

        async def work() -> None:
            for place, probe in rest:
                async with alone[probe] if probe.source_port else nullcontext():
                    measured[place] = await self._measure(probe, wait, attempts)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(len(probes), files_at_hand() // 2)):
                group.create_task(work())
        return measured

    async def hold(self, probes: Sequence[Probe], patience: float = 1.0) -> list[int]:
        """Open connections, or for UDP exchange a first datagram, and keep them.

        Args:
            probes: What to connect; TCP and UDP only.
            patience: The longest wait before silence is doubted, in seconds.

        Returns:
            A number for each, and 0 for what did not come about.
        """
        wait = Patience(patience, self._clock)
        return list(await asyncio.gather(*(self._hold(probe, wait) for probe in probes)))

    async def still(self, ids: Sequence[int], patience: float = 1.0) -> list[bool]:
        """Whether what is held still works: something is sent, and comes back or does not.

        Args:
            ids: From `hold`; a number that is not held does not work.
            patience: The longest wait before silence is doubted, in seconds.
        """
        wait = Patience(patience, self._clock)
        known = dict.fromkeys(ids)
        told = await asyncio.gather(*(self._works(self._held.get(i), wait) for i in known))
        works = dict(zip(known, told, strict=True))
        return [works[i] for i in ids]

    def release(self, ids: Sequence[int]) -> None:
        """Let go of what is held.

        Args:
            ids: From `hold`; others are no harm.
        """
        for number in ids:
            held = self._held.pop(number, None)
            if held is not None:
                held.file.close()

    def close(self) -> None:
        """Let go of everything."""
        self.release(tuple(self._held))
        self._clock.close()
        self._attempts.close()
        self._sctp.close()

    async def _measure(self, probe: Probe, wait: Patience, attempts: int) -> Measured:
        if fault := self._attempts.fault(probe):
            return Measured("failed", fault)
        result, tried, began = Measured("dropped"), 0, self._loop.time()
        for attempt in range(1, attempts + 1):
            await self._turnstile.passed()
            began = self._loop.time()
            try:
                result = await self._attempts.attempt(probe, wait, last=attempt == attempts)
            except OSError as error:
                result = Measured("failed", error.strerror or str(error))
            tried += result.attempts
            if result.outcome != "dropped" or result.detail:
                break
        took = round((self._loop.time() - began) * 1000, 3)
        return msgspec.structs.replace(result, milliseconds=took, attempts=tried)

    async def _hold(self, probe: Probe, wait: Patience) -> int:
        if probe.protocol not in {"TCP", "UDP"} or self._attempts.fault(probe):
            return 0
        try:
            held = Held(self._attempts.open(probe))
        except OSError:
            return 0
        number = 0
        try:
            held.insist()
            result = await self._attempts.converse(held.file, probe, wait, last=True)
            if result.outcome == "open" and await self._works(held, wait):
                number = next(self._ids)
                self._held[number] = held
        finally:
            if not number:
                held.file.close()
        return number

    async def _works(self, held: Held | None, wait: Patience) -> bool:
        return held is not None and await held.works(self._attempts, self._clock, wait)


def files_at_hand() -> int:
    """How many files this process may open for probes."""
    taken = sum(1 for _ in Path("/proc/self/fd").iterdir())
    return max(2, min(2 * MOST, raise_limit() - taken - SPARE))
