"""Listeners: any number of them, in any number of namespaces, held by one process."""

import asyncio
import errno
import os
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress

from cloison.probe.lab.answers import AT_ONCE, ROOM, asks, greeting, line, roomy
from cloison.probe.lab.enter import HERE, raise_limit, socket_in
from cloison.probe.lab.rawsctp import IPPROTO_SCTP, Sctp

BACKLOG = 4096
"""Connections that may wait to be accepted: a whole matrix can arrive in one turn."""

GRACE = 2.0
"""Seconds after which who said nothing is hung up on: people use `nc`."""

_PKTINFO_6 = struct.Struct("=16sI")  # struct in6_pktinfo


class Listeners:
    """Everything that listens in a lab.

    Whoever connects by TCP or sends a datagram is told `STATION ADDRESS PORT`: who answered and
    which peer was seen. What is said on a connection afterwards is echoed.

    Args:
        namespaces: An open file of the namespace of each station; read when somebody listens.
        loop: The event loop that attends.

    Attributes:
        sctp: What speaks SCTP where the kernel does not; a prober in the same lab shares it.
    """

    def __init__(self, namespaces: Mapping[str, int], loop: asyncio.AbstractEventLoop) -> None:
        raise_limit()
        self._namespaces = namespaces
        self._loop = loop
        self._home = os.open(HERE, os.O_RDONLY | os.O_CLOEXEC)
        self._listening: dict[tuple[int, str, int], socket.socket] = {}
        self._connected: dict[socket.socket, asyncio.TimerHandle] = {}
        self.sctp = Sctp(namespaces, loop)

    def listen(self, station: str, protocol: str, port: int) -> None:
        """Listen on a port of a station, on all its addresses; again is no harm.

        Args:
            station: Its name.
            protocol: `TCP`, `UDP` or `SCTP`.
            port: Its number.

        Raises:
            KeyError: There is no such station.
            OSError: Something else listens there.
        """
        key = os.fstat(self._namespaces[station]).st_ino, protocol, port
        if key in self._listening:
            return
        if protocol == "SCTP" and not self.sctp.in_kernel:
            self.sctp.listen(station, port)
            return
        kind = socket.SOCK_DGRAM if protocol == "UDP" else socket.SOCK_STREAM
        file = self._open(self._namespaces[station], kind, IPPROTO_SCTP * (protocol == "SCTP"))
        try:
            file.bind(("", port))
            if kind == socket.SOCK_STREAM:
                file.listen(BACKLOG)
        except OSError:
            file.close()
            raise
        self._listening[key] = file
        if kind == socket.SOCK_STREAM:
            self._loop.add_reader(file, self._accept, file, station)
        else:
            self._loop.add_reader(file, self._reply, file, station)

    def close(self) -> None:
        """Stop listening and hang up."""
        for file in self._listening.values():
            self._loop.remove_reader(file)
            file.close()
        self._listening.clear()
        for file in tuple(self._connected):
            self._hang_up(file)
        self.sctp.close()
        os.close(self._home)

    def _open(self, namespace: int, kind: int, protocol: int) -> socket.socket:
        """One socket for both versions of IP where the kernel has both."""
        try:
            file = socket_in(namespace, socket.AF_INET6, kind, protocol, home=self._home)
        except OSError as error:
            if error.errno != errno.EAFNOSUPPORT:
                raise
            file = socket_in(namespace, socket.AF_INET, kind, protocol, home=self._home)
        if file.family == socket.AF_INET6:
            file.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if kind == socket.SOCK_STREAM:
            file.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            roomy(file)
            if file.family == socket.AF_INET6:
                file.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        return file

    def _accept(self, file: socket.socket, station: str) -> None:
        for _ in range(AT_ONCE):
            try:
                connection, peer = file.accept()
            except OSError:  # none left; or no files left, and then the next turn may have some
                return
            connection.setblocking(False)
            try:
                connection.send(greeting(station, peer[0], peer[1]))
            except OSError:
                connection.close()
                continue
            self._connected[connection] = self._loop.call_later(GRACE, self._hang_up, connection)
            self._loop.add_reader(connection.fileno(), self._echo, connection)

    def _echo(self, connection: socket.socket) -> None:
        try:
            said = connection.recv(ROOM)
            if asks(said):  # the answer is there already
                connection.shutdown(socket.SHUT_WR)
                return
            if said and connection.send(said) == len(said):
                self._connected[connection].cancel()
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._hang_up(connection)

    def _hang_up(self, connection: socket.socket) -> None:
        self._connected.pop(connection).cancel()
        self._loop.remove_reader(connection.fileno())
        connection.close()

    def _reply(self, file: socket.socket, station: str) -> None:
        for _ in range(AT_ONCE):
            try:
                _, extra, _, peer = file.recvmsg(ROOM, socket.CMSG_SPACE(_PKTINFO_6.size))
            except OSError:
                return
            # From the address that was asked, whichever of the station's that was.
            asked = [
                (level, kind, _PKTINFO_6.pack(_PKTINFO_6.unpack(data)[0], 0))
                for level, kind, data in extra
                if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO)
            ]
            with suppress(OSError):
                file.sendmsg([line(station, peer[0], peer[1])], asked, 0, peer)
