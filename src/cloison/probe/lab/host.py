"""The lab's process: everything in a lab is held by it, and ends with it.

It is started by `client.py` through `unshare`, in mount, network and process namespaces of its
own, and reads what to build from standard input. Once everything is there it says so on standard
output, and answers requests on a socket. It ends when standard input does, unless it was told to
stay; and with it, by the kernel, everything that runs in its process namespace.
"""

import asyncio
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from cloison.base import CloisonError, SourceError
from cloison.probe.lab.layout import OUTSIDE
from cloison.probe.lab.listeners import Listeners
from cloison.probe.lab.namespaces import Network, bind, mount_proc, mount_tmpfs
from cloison.probe.lab.prober import Prober
from cloison.probe.lab.protocol import (
    LONGEST,
    STAY,
    Answer,
    Apply,
    Counters,
    Down,
    Hold,
    Open,
    Release,
    Request,
    Start,
    Status,
    Still,
    Try,
)
from cloison.probe.lab.proxy import Proxies
from cloison.probe.lab.rulings import NodeProxy
from cloison.probe.lab.state import Place, reachable

_RUN_NETNS = Path("/run/netns")
_FILES = 1 << 18
_ROOM = "a smaller world may fit; so may this one with more open files: ulimit -Hn"


class Host:
    """One lab.

    Args:
        start: What to build, and where.
    """

    def __init__(self, start: Start) -> None:
        self.place = Place(Path(start.directory))
        self.plan = start.plan
        self.seconds = 0.0
        self.listening = 0
        self.answering: frozenset[tuple[str, int]] = frozenset()
        self.network = Network(start.plan, self.place.namespaces)
        self.done = asyncio.Event()
        self._busy = asyncio.Lock()
        loop = asyncio.get_running_loop()
        self.listeners = Listeners(self.network.open, loop)
        self.proxies = Proxies(self.network.open, loop)
        self.prober = Prober(self.network.open, loop, self.listeners.sctp)

    async def build(self) -> None:
        """Make everything.

        Raises:
            SourceError: The kernel, or a program, refuses.
        """
        began = time.monotonic()
        await asyncio.to_thread(self._make)
        self._resolvers()
        await self._listen()
        self.seconds = round(time.monotonic() - began, 3)

    def _make(self) -> None:
        self.place.namespaces.mkdir()
        mount_tmpfs(self.place.namespaces)
        if _RUN_NETNS.is_dir():
            # So that `ip netns`, run inside, shows the lab's namespaces and no others.
            bind(self.place.namespaces, _RUN_NETNS)
        self.network.build()

    async def serve(self) -> None:
        """Answer requests until one says that it was the last."""
        file = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with reachable(self.place.control) as path:
            file.bind(path)
        server = await asyncio.start_unix_server(self._converse, sock=file, limit=LONGEST)
        async with server:
            _say(Answer(ok=True))
            await self.done.wait()

    async def _listen(self) -> None:
        self.answering = await self._answer_names()
        for station in (*self.plan.nodes, *self.plan.pods):
            for each in station.listens:
                self._open(station.name, each.protocol, each.port)
        self._tell_proxies(self.plan.rulesets, self.plan.proxies)

    def _tell_proxies(self, nodes: Iterable[str], told: Mapping[str, NodeProxy]) -> None:
        for node in nodes:
            try:
                self.proxies.tell(self.network.node(node), told.get(node))
            except OSError as error:
                msg = f"the proxy of {node} cannot listen: {error.strerror}"
                raise SourceError(msg, "the kernel may lack transparent sockets") from None

    async def _answer_names(self) -> frozenset[tuple[str, int]]:
        """Answer for names, where that library is there; return on which ports of whom."""
        try:
            from cloison.probe.lab.nameserver import Names, NameServer  # noqa: PLC0415
        except ImportError:
            return frozenset()
        names = Names(self.plan.names)
        server = NameServer(self.network.open, names, asyncio.get_running_loop())
        for station, port in self.plan.answering:
            await server.serve(station, port)
            self.listening += 2
        return frozenset(self.plan.answering)

    def _open(self, station: str, protocol: str, port: int) -> None:
        if (station, port) in self.answering and protocol != "SCTP":
            return  # the lab's name server listens there, and answers whoever asks
        try:
            self.listeners.listen(station, protocol, port)
        except (OSError, KeyError) as error:
            why = error.strerror if isinstance(error, OSError) else "there is no such station"
            msg = f"{station} cannot listen on {protocol}/{port}: {why}"
            raise SourceError(msg, f"stations are {OUTSIDE}, nodes and pods") from None
        self.listening += 1

    def _resolvers(self) -> None:
        """Write what programs in pods find as `/etc/resolv.conf`."""
        if not self.plan.dns:
            return
        self.place.resolvers.mkdir()
        servers = "".join(f"nameserver {address}\n" for address in self.plan.dns)
        for pod in self.plan.pods:
            namespace = pod.name.partition("/")[0]
            search = f"search {namespace}.svc.cluster.local svc.cluster.local cluster.local\n"
            text = f"{servers}{search}options ndots:5\n"
            path = self.place.resolvers / self.network.layout.files[pod.name]
            path.write_text(text, encoding="utf-8")

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ValueError):
            while line := await reader.readline():
                writer.write(msgspec.json.encode(await self._answer(line)) + b"\n")
                await writer.drain()
        with suppress(OSError):
            writer.close()

    async def _answer(self, line: bytes) -> Answer:
        try:
            request = msgspec.json.decode(line, type=Request)
        except msgspec.DecodeError as error:
            return Answer(ok=False, error=f"that is no request: {error}")
        try:
            if isinstance(request, Status | Down):
                return self._at_once(request)
            async with self._busy:
                return await self._in_turn(request)
        except CloisonError as error:
            return Answer(ok=False, error=error.message, help=error.help)

    def _at_once(self, request: Status | Down) -> Answer:
        if isinstance(request, Down):
            self.done.set()
            return Answer(ok=True)
        return Answer(
            ok=True,
            plan=self.plan,
            namespaces=self.network.layout.files,
            listening=self.listening,
            seconds=self.seconds,
            answering=bool(self.answering),
        )

    async def _in_turn(
        self, request: Try | Hold | Still | Release | Apply | Counters | Open
    ) -> Answer:
        match request:
            case Try():
                found = await self.prober.probe(request.probes, request.patience, request.attempts)
                return Answer(ok=True, measured=tuple(found))
            case Hold():
                return Answer(
                    ok=True, held=tuple(await self.prober.hold(request.probes, request.patience))
                )
            case Still():
                return Answer(
                    ok=True, still=tuple(await self.prober.still(request.held, request.patience))
                )
            case Release():
                self.prober.release(request.held)
                return Answer(ok=True)
            case Apply():
                await asyncio.to_thread(self.network.apply, request.rulesets)
                self._tell_proxies(request.rulesets, request.proxies)
                proxies = {n: p for n, p in self.plan.proxies.items() if n not in request.rulesets}
                self.plan = msgspec.structs.replace(
                    self.plan,
                    rulesets={**self.plan.rulesets, **request.rulesets},
                    proxies={**proxies, **request.proxies},
                )
                return Answer(ok=True)
            case Counters():
                return Answer(
                    ok=True, counters=await asyncio.to_thread(self._counters, request.nodes)
                )
            case Open():
                self._open(request.station, request.protocol, request.port)
                return Answer(ok=True)

    def _counters(self, nodes: tuple[str, ...]) -> dict[str, dict[str, int]]:
        named = nodes or tuple(node.name for node in self.plan.nodes)
        return {name: self._counted(name) for name in named}

    def _counted(self, name: str) -> dict[str, int]:
        """What the packet filter of a node has counted, and its proxy."""
        found = self.network.counters(name)
        for counter, requests in self.proxies.counted(self.network.node(name)).items():
            found[counter] = found.get(counter, 0) + requests
        return found


def main() -> int:
    """Run a lab; return its exit code."""
    start = msgspec.json.decode(_line(sys.stdin.fileno()), type=Start)
    child = os.fork()
    if child:
        return _reap(child)
    threading.Thread(target=_end_with_starter, daemon=True).start()
    _more_files()
    with suppress(OSError):  # some containers forbid it, and the outer one will do
        mount_proc()
    return asyncio.run(_run(start))


async def _run(start: Start) -> int:
    host = Host(start)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, host.done.set)
    try:
        await host.build()
    except CloisonError as error:
        _say(Answer(ok=False, error=error.message, help=error.help))
        return 1
    except OSError as error:
        said = f"the lab could not be built: {error.strerror or error}"
        _say(Answer(ok=False, error=said, help=_ROOM))
        return 1
    await host.serve()
    return 0


def _reap(child: int) -> int:
    """Be the first process of the namespace: bury whoever ends, until the lab itself does."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (sys.stdin.fileno(), sys.stdout.fileno()):
        os.dup2(null, number)
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda number, _frame: os.kill(child, number))
    while True:
        ended, status = os.wait()
        if ended == child:
            return os.waitstatus_to_exitcode(status)


def _end_with_starter() -> None:
    """End when standard input does: whoever started the lab is gone, and nobody else knows of it.

    At once, whatever is being built: the kernel takes it back.
    """
    if _line(sys.stdin.fileno()) != STAY:
        os._exit(1)


def _line(file: int) -> bytes:
    """Read one line; what there is of it where input ends before."""
    found = bytearray()
    while not found.endswith(b"\n"):
        piece = os.read(file, 1 << 16)
        if not piece:
            break
        found += piece
    return bytes(found)


def _more_files() -> None:
    """Allow as many open files as may be: each namespace and each listener is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = (max(most, _FILES), most)
    for limit in wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            return


def _say(answer: Answer) -> None:
    """Tell who started this process how it went; there may be nobody left."""
    with suppress(OSError):
        os.write(sys.stdout.fileno(), msgspec.json.encode(answer) + b"\n")


if __name__ == "__main__":
    sys.exit(main())
