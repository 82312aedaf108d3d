"""One attempt at a connection: a socket in the source's namespace, and what comes back."""

import asyncio
import errno
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus

from cloison.probe.lab.answers import GREETING, ROOM, words
from cloison.probe.lab.attention import Attention, Patience
from cloison.probe.lab.enter import HERE, socket_in
from cloison.probe.lab.http import Reply, read_reply, written
from cloison.probe.lab.plan import Ask, Measured, Probe
from cloison.probe.lab.rawsctp import IPPROTO_SCTP, Sctp, family_of
from cloison.probe.lab.unreachable import ask_for_errors, from_error, notice

SOURCE_PORTS = range(32768, 61000)
"""Taken in turn rather than at random. A port that comes back soon could find what a connection
tracker remembers of the last one, and be let through for that."""

TRIES = 512
"""How many of them may be taken before we give up."""

# Type, code, checksum, identifier, sequence number: the kernel fills in what is missing.
_ECHO = {
    socket.AF_INET: bytes((8, 0, 0, 0, 0, 0, 0, 1)),
    socket.AF_INET6: bytes((128, 0, 0, 0, 0, 0, 0, 1)),
}
_SOCKETS = {
    ("TCP", socket.AF_INET): (socket.SOCK_STREAM, socket.IPPROTO_TCP),
    ("TCP", socket.AF_INET6): (socket.SOCK_STREAM, socket.IPPROTO_TCP),
    ("UDP", socket.AF_INET): (socket.SOCK_DGRAM, socket.IPPROTO_UDP),
    ("UDP", socket.AF_INET6): (socket.SOCK_DGRAM, socket.IPPROTO_UDP),
    ("SCTP", socket.AF_INET): (socket.SOCK_STREAM, IPPROTO_SCTP),
    ("SCTP", socket.AF_INET6): (socket.SOCK_STREAM, IPPROTO_SCTP),
    ("ICMP", socket.AF_INET): (socket.SOCK_DGRAM, socket.IPPROTO_ICMP),
    ("ICMP", socket.AF_INET6): (socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6),
}
PROTOCOLS = frozenset(protocol for protocol, _ in _SOCKETS)
HIGHEST_PORT = 65535

_RESET = bytes((1, 0, 0, 0, 0, 0, 0, 0))  # struct linger, no time: a reset leaves no TIME_WAIT
_TCP_INFO = 8  # bytes of struct tcp_info that we read
_RETRANSMITS = 2  # place of tcpi_retransmits in it


class Attempts:
    """Makes attempts: with one socket each, or for SCTP perhaps one for all.

    Args:
        namespaces: An open file of the namespace of each station; read with each attempt.
        loop: The event loop.
        clock: Measures how long answers take, and wakes who waits in vain.
        sctp: Asks where the kernel cannot.
    """

    def __init__(
        self,
        namespaces: Mapping[str, int],
        loop: asyncio.AbstractEventLoop,
        clock: Attention,
        sctp: Sctp,
    ) -> None:
        self._namespaces = namespaces
        self._loop = loop
        self._clock = clock
        self._sctp = sctp
        self._home = os.open(HERE, os.O_RDONLY | os.O_CLOEXEC)
        self._next: dict[tuple[str, str, str], int] = {}

    def close(self) -> None:
        """Let go of the namespace we came from."""
        os.close(self._home)

    def fault(self, probe: Probe) -> str:
        """Why a probe cannot be made; nothing where it can.

        Args:
            probe: What is to be tried.
        """
        if probe.source not in self._namespaces:
            return f"there is no station {probe.source}"
        if probe.protocol not in PROTOCOLS:
            return f"no protocol that is tried: {probe.protocol}"
        for port in (probe.port, probe.source_port):
            if not 0 <= port <= HIGHEST_PORT:
                return f"no port: {port}"
        for address in (probe.target, probe.address):
            # Nothing must be taken for a name, and looked up who knows where.
            try:
                socket.inet_pton(family_of(probe.target), address)
            except (OSError, ValueError):
                return f"no address, or not of the version of the target's: {address}"
        return ""

    async def attempt(self, probe: Probe, wait: Patience, *, last: bool) -> Measured:
        """Try once; `dropped` without words is silence.

        Args:
            probe: What to try, without fault.
            wait: How long answers may take.
            last: Whether silence will be believed.

        Raises:
            OSError: No socket, or none with that source address.
        """
        if probe.protocol == "SCTP" and not self._sctp.in_kernel:
            return await self._ask(probe, wait, last=last)
        file = self.open(probe)
        try:
            return await self.converse(file, probe, wait, last=last)
        finally:
            file.close()

    def open(self, probe: Probe) -> socket.socket:
        """A socket for a probe, bound to its source.

        Args:
            probe: What will be tried, without fault.

        Raises:
            OSError: No socket, or none with that source address.
        """
        family = family_of(probe.target)
        kind, protocol = _SOCKETS[probe.protocol, family]
        space = self._namespaces[probe.source]
        file = socket_in(space, family, kind, protocol, home=self._home)
        try:
            ask_for_errors(file)
            if kind == socket.SOCK_STREAM:
                file.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._bind(file, probe)
        except OSError:
            file.close()
            raise
        return file

    async def converse(
        self, file: socket.socket, probe: Probe, wait: Patience, *, last: bool
    ) -> Measured:
        """Connect, and say something where the other end waits for it.

        Args:
            file: A socket from `open`.
            probe: What to try.
            wait: How long answers may take.
            last: Whether silence will be believed.

        Returns:
            `open` with the words that were answered. The socket is left to the caller.
        """
        began = self._clock.now
        number = file.connect_ex((probe.target, probe.port))
        if number not in {0, errno.EINPROGRESS}:
            return _failed(file, probe, number)
        if file.type == socket.SOCK_DGRAM:
            try:
                file.send(_hello(probe))
            except OSError as error:
                return _failed(file, probe, error.errno or 0)
        patience = wait.wait(last=last)
        until = began + patience
        if probe.ask is not None:
            return await self._request(file, probe, probe.ask, wait, until)
        while await self.readable(file, until - self._clock.now):
            try:
                said = file.recv(ROOM)
            except BlockingIOError:
                seen = notice(file)
                if seen is None:
                    continue
                wait.answered(self._clock.now - began)
                return seen.measured(probe.target)
            except OSError as error:
                wait.answered(self._clock.now - began)
                return _failed(file, probe, error.errno or 0)
            wait.answered(self._clock.now - began)
            return Measured("open", "" if probe.protocol == "ICMP" else words(said))
        return _silence(file, probe)

    async def _request(
        self, file: socket.socket, probe: Probe, ask: Ask, wait: Patience, until: float
    ) -> Measured:
        """Ask by HTTP, on a socket that is being connected; silence is `dropped`, connected or not.

        A proxy connects at once, whether what is behind it can be reached or not.
        """
        began = self._clock.now
        said, sent = b"", False
        while await self._ready(file, until - self._clock.now, write=not sent):
            try:
                if not sent:
                    file.send(written(ask))
                    sent = True
                    continue
                piece = file.recv(ROOM)
            except BlockingIOError:
                seen = notice(file)
                if seen is None:
                    continue
                return seen.measured(probe.target)
            except OSError as error:
                return _failed(file, probe, error.errno or 0)
            said += piece
            reply = read_reply(said)
            if reply is not None:
                wait.answered(self._clock.now - began)
                return _replied(reply)
            if not piece:
                return Measured("failed", "it hung up before it had answered")
        return Measured("dropped")

    async def readable(self, file: socket.socket, seconds: float) -> bool:
        """Wait until there is something to read, an error perhaps; False when time is up.

        Args:
            file: A socket nobody else waits for.
            seconds: Attended time.
        """
        return await self._ready(file, seconds, write=False)

    async def _ready(self, file: socket.socket, seconds: float, *, write: bool) -> bool:
        # By number: the loop looks sockets up by their repr, which asks the kernel twice.
        future, number = self._loop.create_future(), file.fileno()
        add, remove = (
            (self._loop.add_writer, self._loop.remove_writer)
            if write
            else (self._loop.add_reader, self._loop.remove_reader)
        )
        add(number, _wake, future)
        self._clock.alarm(seconds, future)
        try:
            return bool(await future)
        finally:
            remove(number)

    async def _ask(self, probe: Probe, wait: Patience, *, last: bool) -> Measured:
        port = probe.source_port or SOURCE_PORTS[self._turn(probe)]
        began = self._clock.now
        result = await self._sctp.ask(probe, port, self._clock, wait.wait(last=last))
        if result != Measured("dropped"):
            wait.answered(self._clock.now - began)
        return result

    def _turn(self, probe: Probe) -> int:
        """Whose turn it is among the source ports."""
        key = probe.source, probe.address, probe.protocol
        place = self._next.get(key, 0)
        self._next[key] = (place + 1) % len(SOURCE_PORTS)
        return place

    def _bind(self, file: socket.socket, probe: Probe) -> None:
        if probe.source_port:
            file.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            file.bind((probe.address, probe.source_port))
            return
        for _ in range(TRIES):
            try:
                file.bind((probe.address, SOURCE_PORTS[self._turn(probe)]))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


_NOT_SENT_ON = (HTTPStatus.FORBIDDEN, HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.BAD_REQUEST)
"""What a proxy answers instead of sending a request on."""


def _replied(reply: Reply) -> Measured:
    if reply.status in _NOT_SENT_ON and reply.by:
        return Measured("forbidden", f"{reply.status} {reply.text}, by the proxy of {reply.by}")
    if reply.by:
        return Measured("refused", reply.text)
    return Measured("open", reply.text)


def _wake(future: asyncio.Future[bool]) -> None:
    if not future.done():
        future.set_result(True)


def _hello(probe: Probe) -> bytes:
    return _ECHO[family_of(probe.target)] if probe.protocol == "ICMP" else GREETING


def _failed(file: socket.socket, probe: Probe, number: int) -> Measured:
    """An error of the system's, or better the ICMP error behind it."""
    seen = notice(file)
    return from_error(number) if seen is None else seen.measured(probe.target)


def _silence(file: socket.socket, probe: Probe) -> Measured:
    if file.type != socket.SOCK_STREAM:
        return Measured("dropped")
    with suppress(OSError):
        file.getpeername()
        return Measured("open", "connected; nothing was said")
    if probe.protocol != "TCP":
        return Measured("dropped")
    again = file.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO)[_RETRANSMITS]
    return Measured("dropped", attempts=1 + again)
