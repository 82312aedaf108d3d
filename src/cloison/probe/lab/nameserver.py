"""The lab's DNS server: it answers for the names of its plan, and knows of no others."""

import asyncio
import os
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from cloison.probe.lab.enter import HERE, socket_in

TTL = 5
"""Seconds for which an answer may be kept."""

ROOM = 4096
"""Bytes of the longest question."""

_SHORT = 512
"""Bytes of the longest answer by UDP to who does not say that more will do."""
_AT_ONCE = 64
_GRACE = 10.0
_LENGTH = struct.Struct(">H")
_PKTINFO_6 = struct.Struct("=16sI")  # struct in6_pktinfo
_KINDS = {dns.rdatatype.A: False, dns.rdatatype.AAAA: True}


class Names:
    """What is answered.

    Args:
        names: Addresses by name, in small letters without the final dot.
    """

    def __init__(self, names: Mapping[str, tuple[str, ...]]) -> None:
        self._names = names

    def answer(self, asked: bytes) -> dns.message.Message | None:
        """Return the answer to a question; None for what is none.

        Args:
            asked: What was received.
        """
        try:
            query = dns.message.from_wire(asked)
        except (dns.exception.DNSException, ValueError, struct.error):
            return None
        if query.flags & dns.flags.QR or not query.question:
            return None
        answer = dns.message.make_response(query, recursion_available=True)
        answer.flags |= dns.flags.AA
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        addresses = self._names.get(name)
        if addresses is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
            return answer
        six = _KINDS.get(question.rdtype)
        wanted = [] if six is None else [a for a in addresses if (":" in a) == six]
        if wanted:
            answer.answer.append(
                dns.rrset.from_text_list(
                    question.name, TTL, dns.rdataclass.IN, question.rdtype, wanted
                )
            )
        return answer


class NameServer:
    """Answers on a port of a station, by UDP and TCP.

    Args:
        namespaces: An open file of the namespace of each station.
        names: What is answered.
        loop: The event loop that attends.
    """

    def __init__(
        self, namespaces: Mapping[str, int], names: Names, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._namespaces = namespaces
        self._names = names
        self._loop = loop
        self._home = os.open(HERE, os.O_RDONLY | os.O_CLOEXEC)
        self._files: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []

    async def serve(self, station: str, port: int) -> None:
        """Answer on a port, by UDP and TCP.

        Args:
            station: Whose.
            port: Its number.

        Raises:
            KeyError: There is no such station.
            OSError: Something else listens there.
        """
        namespace = self._namespaces[station]
        datagrams = self._bound(namespace, socket.SOCK_DGRAM, port)
        datagrams.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        self._files.append(datagrams)
        self._loop.add_reader(datagrams, self._datagram, datagrams)
        stream = self._bound(namespace, socket.SOCK_STREAM, port)
        self._servers.append(await asyncio.start_server(self._stream, sock=stream))

    def close(self) -> None:
        """Answer no more."""
        for file in self._files:
            self._loop.remove_reader(file)
            file.close()
        for server in self._servers:
            server.close()
        os.close(self._home)

    def _bound(self, namespace: int, kind: int, port: int) -> socket.socket:
        file = socket_in(namespace, socket.AF_INET6, kind, home=self._home)
        file.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        file.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        file.bind(("::", port))
        return file

    def _datagram(self, file: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                asked, extra, _, peer = file.recvmsg(ROOM, socket.CMSG_SPACE(_PKTINFO_6.size))
            except OSError:
                return
            answer = self._names.answer(asked)
            # Whoever only tries whether somebody is here gets an answer too.
            text = asked if answer is None else _short(answer)
            # From the address that was asked, whichever of the station's that was.
            here = [
                (level, kind, _PKTINFO_6.pack(_PKTINFO_6.unpack(data)[0], 0))
                for level, kind, data in extra
                if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO)
            ]
            with suppress(OSError):
                file.sendmsg([text], here, 0, peer)

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(_GRACE):
                while True:
                    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
                    answer = self._names.answer(await reader.readexactly(length))
                    if answer is None:
                        break
                    text = answer.to_wire()
                    writer.write(_LENGTH.pack(len(text)) + text)
                    await writer.drain()
        with suppress(OSError):
            writer.close()


def _short(answer: dns.message.Message) -> bytes:
    """Return an answer that fits a datagram; cut, and marked as such, where it does not."""
    room = max(_SHORT, answer.request_payload or 0)
    try:
        return answer.to_wire(max_size=room)
    except dns.exception.TooBig:
        answer.answer.clear()
        answer.flags |= dns.flags.TC
        return answer.to_wire(max_size=room)
