"""SCTP by raw sockets: one of each version of IP in a namespace, for both asking and answering."""

import asyncio
import errno
import os
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from cloison.probe.lab import sctp
from cloison.probe.lab.answers import AT_ONCE, ROOM, line, roomy, words
from cloison.probe.lab.attention import Attention
from cloison.probe.lab.enter import HERE, socket_in
from cloison.probe.lab.plan import Measured, Probe
from cloison.probe.lab.unreachable import Notice, ask_for_errors, from_error, notice

IPPROTO_SCTP = 132
IP_PKTINFO = 8
"""From `<linux/in.h>`."""

_PKTINFO_4 = struct.Struct("=I4s4s")  # struct in_pktinfo
_PKTINFO_6 = struct.Struct("=16sI")  # struct in6_pktinfo

Key = tuple[bytes, int, bytes, int]
"""Local address and port, remote address and port."""


@dataclass(slots=True)
class _Asked:
    """An INIT that waits for an answer.

    Args:
        target: The address that was tried.
        tag: What the answer has to carry.
        heard: Settled with True when it came.
        result: What it said.
    """

    target: bytes
    tag: int
    heard: asyncio.Future[bool]
    result: Measured


@dataclass(frozen=True, slots=True)
class _Raw:
    """The raw socket of a namespace.

    Args:
        space: Identity of the namespace.
        family: `AF_INET` or `AF_INET6`.
        file: The socket.
        asked: What waits for an answer.
    """

    space: int
    family: int
    file: socket.socket
    asked: dict[Key, _Asked]

    def send(self, local: bytes, remote: str, packet: sctp.Packet) -> None:
        """Send from an address of the namespace."""
        if self.family == socket.AF_INET:
            source = socket.IPPROTO_IP, IP_PKTINFO, _PKTINFO_4.pack(0, local, bytes(4))
        else:
            source = socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, _PKTINFO_6.pack(local, 0)
        self.file.sendmsg([packet.encoded()], [source], 0, (remote, 0))

    def take(self) -> tuple[bytes, str, bytes] | None:
        """The next packet: where it went, where it came from, and what it says."""
        data, extra, _, peer = self.file.recvmsg(ROOM, socket.CMSG_SPACE(_PKTINFO_6.size))
        if self.family == socket.AF_INET:  # comes with its header: RFC 791, section 3.1
            return data[16:20], peer[0], data[(data[0] & 15) * 4 :]
        for level, kind, value in extra:
            if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
                return _PKTINFO_6.unpack(value)[0], peer[0], data
        return None


class Sctp:
    """All SCTP of a lab where the kernel has none.

    A namespace in which nothing listens and nobody asked yet has no raw socket: its kernel then
    says by ICMP that it does not know the protocol.

    Args:
        namespaces: An open file of the namespace of each station.
        loop: The event loop that attends.

    Attributes:
        in_kernel: Whether the kernel has SCTP sockets, and nothing here is needed.
    """

    def __init__(self, namespaces: Mapping[str, int], loop: asyncio.AbstractEventLoop) -> None:
        self._namespaces = namespaces
        self._loop = loop
        self._home = os.open(HERE, os.O_RDONLY | os.O_CLOEXEC)
        self._raw: dict[tuple[int, int], _Raw] = {}
        self._listening: dict[tuple[int, int], str] = {}
        self._tags = count(1)
        self.in_kernel = _in_kernel()

    def listen(self, station: str, port: int) -> None:
        """Answer on a port of a station.

        Args:
            station: Its name.
            port: Its number.

        Raises:
            KeyError: There is no such station.
            OSError: No raw sockets may be opened there.
        """
        raw = self._open(station, socket.AF_INET)
        self._listening.setdefault((raw.space, port), station)
        try:
            self._open(station, socket.AF_INET6)
        except OSError as error:
            if error.errno != errno.EAFNOSUPPORT:
                raise

    async def ask(
        self, probe: Probe, source_port: int, clock: Attention, seconds: float
    ) -> Measured:
        """Try once whether something listens; `dropped` without words is silence.

        Args:
            probe: What to try, without fault.
            source_port: Where from; no other question may use it towards this target meanwhile.
            clock: Wakes us when time is up.
            seconds: Attended time to wait.

        Raises:
            OSError: No raw sockets there, or it has no such address.
        """
        family = family_of(probe.target)
        local = socket.inet_pton(family, probe.address)
        target = socket.inet_pton(family, probe.target)
        raw = self._open(probe.source, family)
        key = local, source_port, target, probe.port
        if key in raw.asked:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        packet = sctp.asking(source_port, probe.port, next(self._tags) & 0xFFFFFFFF or 1)
        asked = _Asked(target, packet.initiate_tag, self._loop.create_future(), Measured("dropped"))
        raw.asked[key] = asked
        try:
            raw.file.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # of an earlier packet
            raw.send(local, probe.target, packet)
            clock.alarm(seconds, asked.heard)
            await asked.heard
        except OSError as error:
            self._own(probe)
            return from_error(error.errno or 0)
        finally:
            del raw.asked[key]
        return asked.result

    def close(self) -> None:
        """Let go of every raw socket; again is no harm."""
        for raw in self._raw.values():
            self._loop.remove_reader(raw.file.fileno())
            raw.file.close()
        self._raw.clear()
        if self._home >= 0:
            os.close(self._home)
            self._home = -1

    def _open(self, station: str, family: int) -> _Raw:
        namespace = self._namespaces[station]
        space = os.fstat(namespace).st_ino
        if (space, family) not in self._raw:
            file = socket_in(namespace, family, socket.SOCK_RAW, IPPROTO_SCTP, home=self._home)
            roomy(file)
            ask_for_errors(file)
            if family == socket.AF_INET6:
                file.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            raw = _Raw(space, family, file, {})
            self._raw[space, family] = raw
            self._loop.add_reader(file.fileno(), self._read, raw)
        return self._raw[space, family]

    def _own(self, probe: Probe) -> None:
        """Raise the system's error unless the source has the address it should connect from."""
        family = family_of(probe.address)
        namespace = self._namespaces[probe.source]
        with socket_in(namespace, family, socket.SOCK_DGRAM, home=self._home) as file:
            file.bind((probe.address, 0))

    def _read(self, raw: _Raw) -> None:
        for _ in range(AT_ONCE):
            try:
                taken = raw.take()
            except BlockingIOError:
                break
            except OSError:  # an ICMP error, which waits below
                continue
            if taken is not None:
                self._take(raw, *taken)
        while (seen := notice(raw.file)) is not None:
            _tell(raw, seen)

    def _take(self, raw: _Raw, local: bytes, remote: str, data: bytes) -> None:
        packet = sctp.decode(data)
        if packet is None:
            return
        station = self._listening.get((raw.space, packet.port))
        said = None if station is None else line(station, remote, packet.source_port)
        answer = sctp.answer(packet, said)
        if answer is not None:
            try:
                raw.send(local, remote, answer)
            except OSError:
                return  # no way back: who asked will wait in vain, as it should
        asked = raw.asked.get(
            (
                local,
                packet.port,
                socket.inet_pton(raw.family, remote.partition("%")[0]),
                packet.source_port,
            )
        )
        if asked is None or asked.tag != packet.tag or asked.heard.done():
            return
        if packet.kind == sctp.INIT_ACK:
            asked.result = Measured("open", words(packet.cookie))
            asked.heard.set_result(True)
        elif packet.kind == sctp.ABORT:
            asked.result = from_error(errno.ECONNREFUSED)
            asked.heard.set_result(True)


def family_of(address: str) -> socket.AddressFamily:
    """`AF_INET` or `AF_INET6`, by the look of an address.

    Args:
        address: Not checked further.
    """
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _tell(raw: _Raw, seen: Notice) -> None:
    """Hand an ICMP error to the question that it is about."""
    places = sctp.ports(seen.about)
    if places is None:
        return
    for (_, source_port, _, port), asked in raw.asked.items():
        target = socket.inet_ntop(raw.family, asked.target)
        if (source_port, port) == places and seen.target == target and not asked.heard.done():
            asked.result = seen.measured(target)
            asked.heard.set_result(True)


def _in_kernel() -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_SCTP).close()
    except OSError:
        return False
    return True
