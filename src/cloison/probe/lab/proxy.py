"""The HTTP proxy of each node, to which the packet filter hands connections.

It is where Cilium's would be: on the node, between the filter and whoever listens. It connects
with the address of who asked, so that policies on the way and listeners see that.
"""

import asyncio
import os
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain

from cloison.algebra import parse_address
from cloison.algebra.paths import Answered
from cloison.ir.counters import FROM_PROXY, PROXY_PORT, counter_name
from cloison.probe.lab.answers import plain
from cloison.probe.lab.enter import HERE, socket_in
from cloison.probe.lab.http import END_OF_HEAD, MOST, Asked, NotHttpError, answer, read_request
from cloison.probe.lab.judge import Connection, Decision, Judge
from cloison.probe.lab.rulings import NodeProxy

SECONDS = 30.0
"""How long one request may take, from the first byte to the last."""

_TRANSPARENT = ((socket.SOL_IP, 19), (socket.IPPROTO_IPV6, 75))  # IP_ and IPV6_TRANSPARENT
_MARK = 36  # SO_MARK
_RESET = bytes((1, 0, 0, 0, 0, 0, 0, 0))  # struct linger, no time: a reset leaves no TIME_WAIT
_FIRST, _SECOND, _END = 61001, 63000, 64998
_LOOPBACKS = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


class Proxies:
    """The proxies of a lab.

    Args:
        namespaces: An open file of the namespace of each station.
        loop: The event loop that attends.
    """

    def __init__(self, namespaces: Mapping[str, int], loop: asyncio.AbstractEventLoop) -> None:
        self._namespaces = namespaces
        self._loop = loop
        self._judges: dict[str, Judge] = {}
        self._counted: dict[str, Counter[str]] = {}
        self._listening: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._home = os.open(HERE, os.O_RDONLY | os.O_CLOEXEC)
        self._turn = 0

    def tell(self, node: str, told: NodeProxy | None) -> None:
        """Tell the proxy of a node what to decide by.

        Args:
            node: The node's station.
            told: What; None for nothing, and then no connection comes to it.

        Raises:
            OSError: It cannot listen.
        """
        if told is None:
            self._judges.pop(node, None)
            return
        self._judges[node] = Judge(told)
        if node not in self._listening:
            for family, address in _LOOPBACKS:
                with suppress(_NoFamilyError):
                    self._listen(node, family, address)
            self._listening.add(node)

    def counted(self, node: str) -> dict[str, int]:
        """Return how many requests each rule of a node's proxy has decided, by counter."""
        return dict(self._counted.get(node, ()))

    def _listen(self, node: str, family: int, address: str) -> None:
        file = self._open(node, family)
        try:
            file.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            file.bind((address, PROXY_PORT))
            file.listen(4096)
        except OSError:
            file.close()
            raise
        self._loop.add_reader(file, self._accept, file, node)

    def _open(self, node: str, family: int) -> socket.socket:
        """A socket of any address, of a node's namespace."""
        try:
            file = socket_in(self._namespaces[node], family, socket.SOCK_STREAM, 0, home=self._home)
        except OSError as error:
            raise _NoFamilyError from error
        level, option = _TRANSPARENT[family == socket.AF_INET6]
        file.setsockopt(level, option, 1)
        return file

    def _accept(self, file: socket.socket, node: str) -> None:
        with suppress(OSError):
            connection, _ = file.accept()
            connection.setblocking(False)
            task = self._loop.create_task(self._serve(connection, node))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, client: socket.socket, node: str) -> None:
        """Hear one request, and see to it that it is answered."""
        try:
            reader, writer = await asyncio.open_connection(sock=client, limit=MOST)
        except OSError:
            client.close()
            return
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(SECONDS):
                said = await self._answered(reader, writer, client, node)
                writer.write(said)
                await writer.drain()
        with suppress(OSError):
            writer.close()
            await writer.wait_closed()

    async def _answered(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        client: socket.socket,
        node: str,
    ) -> bytes:
        """Return what the proxy itself answers; nothing where the listener has."""
        peer, asked_for = client.getpeername(), client.getsockname()
        try:
            asked = read_request(await reader.readuntil(END_OF_HEAD))
        except (NotHttpError, asyncio.LimitOverrunError, asyncio.IncompleteReadError) as error:
            said = str(error) if isinstance(error, NotHttpError) else "that is no request"
            return answer(400, said)
        judge = self._judges.get(node)
        if judge is None:
            return answer(503, "the policies have changed")
        match judge.answers(asked.request):
            case Answered.REDIRECTED:
                to = judge.path(asked.request)
                return answer(307, f"the path is {to}", f"{node}, redirected", location=to)
            case Answered.REJECTED:
                return answer(400, "the path is none", f"{node}, rejected")
            case None:
                pass
        ends = Connection(
            parse_address(plain(peer[0])),
            peer[1],
            parse_address(plain(asked_for[0])),
            asked_for[1],
        )
        decision = judge.decide(asked.request, ends)
        self._count(node, decision)
        if decision.passes is None:
            return answer(501, "whether a rule means this request is not known to Cloison")
        if not decision.passes:
            return answer(403, "Access denied", f"{node}, {decision.direction}")
        body = await reader.readexactly(asked.body) if asked.body <= MOST else b""
        if len(body) < asked.body:
            return answer(501, "the body is too long")
        return await self._passed(asked, judge.path(asked.request), body, client, writer, node)

    async def _passed(
        self,
        asked: Asked,
        path: str,
        body: bytes,
        client: socket.socket,
        writer: asyncio.StreamWriter,
        node: str,
    ) -> bytes:
        """Ask who listens, and hand on what that says; return an answer where nothing listens."""
        peer, target = client.getpeername(), client.getsockname()
        file = self._open(node, client.family)
        try:
            file.setsockopt(socket.SOL_SOCKET, _MARK, FROM_PROXY)
            file.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._bind(file, peer)
            await self._loop.sock_connect(file, target[:2])
            await self._loop.sock_sendall(file, asked.sent_on(path) + body)
            while piece := await self._loop.sock_recv(file, MOST):
                writer.write(piece)
                await writer.drain()
        except ConnectionRefusedError:
            return answer(503, "nothing listens there", f"{node}, refused")
        except ConnectionResetError:
            return b""
        except TimeoutError:
            raise
        except OSError:
            # As if the packets had got lost: that is what became of them.
            await asyncio.sleep(SECONDS)
        finally:
            file.close()
        return b""

    def _bind(self, file: socket.socket, peer: tuple[str, int]) -> None:
        """Give a socket the address of who asked, and a port that no other proxy on the way has."""
        for port in self._ports(second=peer[1] >= _FIRST):
            try:
                file.bind((peer[0], port))
            except OSError:
                continue
            return
        raise OSError("no port is free")

    def _ports(self, *, second: bool) -> Iterator[int]:
        low, high = (_SECOND, _END) if second else (_FIRST, _SECOND)
        self._turn += 1
        start = low + self._turn % (high - low)
        return chain(range(start, high), range(low, start))

    def _count(self, node: str, decision: Decision) -> None:
        counted = self._counted.setdefault(node, Counter())
        counted.update(counter_name(key) for key in decision.keys if key)


class _NoFamilyError(Exception):
    """The kernel has no such version of IP."""
