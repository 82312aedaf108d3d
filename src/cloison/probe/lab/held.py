"""Connections that are kept open, so that policies can change under them."""

import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass

from cloison.probe.lab.answers import GREETING, ROOM
from cloison.probe.lab.attempt import Attempts
from cloison.probe.lab.attention import Attention, Patience
from cloison.probe.lab.unreachable import notice

LONGEST = 5.0
"""Seconds after which a stream need not have sent again before its silence is believed."""

_LINEAR_PAUSES = 16  # TCP_THIN_LINEAR_TIMEOUTS in <linux/tcp.h>
_LONGEST_PAUSE = 44  # likewise, the longest time-out in milliseconds; since Linux 6.15
_SECOND = 1000
_TOTAL_RETRANS = struct.Struct("=100xI")  # tcpi_total_retrans in struct tcp_info


@dataclass(slots=True)
class Held:
    """A connection that is kept open, or for UDP a pair of ports.

    Args:
        file: Its socket, connected.
        sent: Bytes sent since it was opened.
        received: Those that came back.
    """

    file: socket.socket
    sent: int = 0
    received: int = 0

    @property
    def stream(self) -> bool:
        """Whether all that is sent comes back, in order, or nothing."""
        return self.file.type == socket.SOCK_STREAM

    def insist(self) -> None:
        """Have a stream that was cut off for a while try again soon, where the kernel knows how."""
        if self.stream:
            for option, value in ((_LINEAR_PAUSES, 1), (_LONGEST_PAUSE, _SECOND)):
                with suppress(OSError):
                    self.file.setsockopt(socket.IPPROTO_TCP, option, value)

    async def works(self, attempts: Attempts, clock: Attention, wait: Patience) -> bool:
        """Whether what is sent comes back: on a stream all of it, by datagrams anything.

        Silence is believed after a second, longer wait. A stream must have sent again before the
        last wait: after a while without answers, it does so ever more seldom.

        Args:
            attempts: Waits for answers.
            clock: Measures the waits.
            wait: How long they are.
        """
        try:
            before, began, rounds = self._sent_again(), time.monotonic(), 0
            enough = False
            while not enough:
                rounds += 1
                late = time.monotonic() - began > LONGEST
                enough = rounds > 1 and (self._sent_again() > before or late or not self.stream)
                if rounds == 1 or not self.stream:
                    self._send()
                answer = await self._heard(attempts, clock, wait.wait(last=rounds > 1))
                if answer is not None:
                    return answer
        except OSError:
            return False
        return False

    def _send(self) -> None:
        if not self.stream:
            with suppress(BlockingIOError):
                while self.file.recv(ROOM):  # answers that came late
                    continue
        self.sent += self.file.send(b"." if self.stream else GREETING)

    async def _heard(self, attempts: Attempts, clock: Attention, seconds: float) -> bool | None:
        """What was heard within a time: an answer, the end of it all, or nothing."""
        until = clock.now + seconds
        while await attempts.readable(self.file, until - clock.now):
            try:
                said = self.file.recv(ROOM)
            except BlockingIOError:
                if notice(self.file) is not None:
                    return False
                continue
            self.received += len(said)
            if not said or not self.stream or self.received >= self.sent:
                return bool(said)
        return None

    def _sent_again(self) -> int:
        """How often the kernel sent again what was not acknowledged."""
        if not self.stream:
            return 0
        told = self.file.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TOTAL_RETRANS.size)
        return int(_TOTAL_RETRANS.unpack(told)[0]) if len(told) == _TOTAL_RETRANS.size else 0
