"""Starting a lab, asking it things, ending it."""

import fcntl
import os
import secrets
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from cloison.base import QuestionError, SourceError
from cloison.probe.lab.plan import Measured, Plan, Probe, Station
from cloison.probe.lab.protocol import (
    PATIENCE,
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
from cloison.probe.lab.rulings import NodeProxy
from cloison.probe.lab.start import command, started
from cloison.probe.lab.state import Owner, Place, Record, claim, find, places, reachable

MOST = 10_000
"""So many pods and nodes fit in a lab: each costs the kernel memory, and time."""

TIMEOUT = 300.0
"""Seconds that building may take."""

_ENDING = 10.0
_PEER = struct.Struct("3i")  # struct ucred
_ANSWERS = msgspec.json.Decoder(Answer)
"""Made here, once: msgspec crashes where two threads meet a type for the first time."""


class Lab:
    """A lab that runs.

    One that was started here ends with the block that it is the context of, and, too, when this
    process does, however that happens. Unless it is told to stay.

    Args:
        place: Its directory.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def up(cls, plan: Plan, name: str | None = None, *, timeout: float = TIMEOUT) -> Self:
        """Build a lab.

        Args:
            plan: What of.
            name: What it is called; one that nobody else has when not given.
            timeout: Seconds that it may take.

        Raises:
            QuestionError: The name is none, or a lab has it, or the plan is too large.
            SourceError: This machine cannot hold labs, or not this one.
        """
        line = command()
        have_room(plan)
        place = claim(name or f"once-{secrets.token_hex(8)}")
        lab = cls(place)
        try:
            lab._start(line)
            lab._build(plan, time.monotonic() + timeout)
        except BaseException:
            lab.down()
            raise
        return lab

    @classmethod
    def find(cls, name: str, *, built: bool = True) -> Self:
        """Return a lab that runs.

        Args:
            name: Its name.
            built: Whether it must have been built.

        Raises:
            QuestionError: There is none of that name, or it is still being built.
        """
        place = find(name)
        if place is None:
            others = ", ".join(each.name for each in places() if _stays(each))
            msg = f"there is no lab called {name!r}"
            help_ = f"there are {others}" if others else "start one with `cloison lab up -f ...`"
            raise QuestionError(msg, help_)
        record = place.record()
        if built and (record is None or not record.ready):
            msg = f"the lab {name!r} is still being built"
            raise QuestionError(msg, "wait until `cloison lab up` says that it is ready")
        return cls(place)

    @classmethod
    def all(cls) -> tuple[Self, ...]:
        """Return the labs that were left running, by name; not those that a command uses now."""
        return tuple(cls(place) for place in places() if _stays(place))

    @property
    def name(self) -> str:
        """Its name."""
        return self.place.name

    @property
    def pid(self) -> int:
        """The number of the process that holds it, as seen from here.

        Raises:
            SourceError: It has ended.
        """
        with self._connected() as file:
            found = file.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        pid: int = _PEER.unpack(found)[0]
        return pid

    @cached_property
    def plan(self) -> Plan:
        """What was built, when first asked."""
        return self.status().plan or Plan((), ())

    def status(self) -> Answer:
        """Return what it consists of.

        Raises:
            SourceError: It has ended.
        """
        return self._ask(Status())

    def probe(
        self, probes: Sequence[Probe], patience: float = PATIENCE, attempts: int = 2
    ) -> tuple[Measured, ...]:
        """Try connections.

        Args:
            probes: Which.
            patience: The longest wait before silence is doubted, in seconds.
            attempts: How often to try what is not answered.

        Returns:
            What came of each, in the same order.

        Raises:
            SourceError: It has ended.
        """
        return self._ask(Try(tuple(probes), patience, attempts)).measured

    def hold(self, probes: Sequence[Probe], patience: float = PATIENCE) -> tuple[int, ...]:
        """Open connections and keep them; return a number for each, 0 where none came about.

        Raises:
            SourceError: It has ended.
        """
        return self._ask(Hold(tuple(probes), patience)).held

    def still(self, held: Sequence[int], patience: float = PATIENCE) -> tuple[bool, ...]:
        """Return whether connections that are kept still work.

        Raises:
            SourceError: It has ended.
        """
        return self._ask(Still(tuple(held), patience)).still

    def release(self, held: Sequence[int]) -> None:
        """Let go of connections that are kept.

        Raises:
            SourceError: It has ended.
        """
        self._ask(Release(tuple(held)))

    def apply(
        self, rulesets: Mapping[str, str], proxies: Mapping[str, NodeProxy] | None = None
    ) -> None:
        """Replace packet filters, each in one step; none where one of them is wrong.

        Args:
            rulesets: An nftables script by node.
            proxies: What the proxies of these nodes are told; nothing where a node is not named.

        Raises:
            SourceError: A script is not accepted, or there is no such node.
        """
        self._ask(Apply(dict(rulesets), dict(proxies or {})))

    def counters(self, nodes: Iterable[str] = ()) -> dict[str, dict[str, int]]:
        """Return packets by counter by node.

        Args:
            nodes: Which; all when none is named.

        Raises:
            SourceError: There is no such node.
        """
        return self._ask(Counters(tuple(nodes))).counters

    def listen(self, station: str, protocol: str, port: int) -> None:
        """Listen on one more port.

        Raises:
            SourceError: There is no such station, or something else listens there.
        """
        self._ask(Open(station, protocol, port))

    def station(self, name: str) -> Station:
        """Return a station by its name, or that of its workload.

        Raises:
            QuestionError: There is none.
        """
        plan = self.plan
        stations = (*plan.pods, *plan.nodes, Station("outside", "", plan.outside))
        for said in ("name", "workload"):
            for each in stations:
                if getattr(each, said) == name:
                    return each
        msg = f"the lab has no {name!r}"
        raise QuestionError(msg, "`cloison lab status` lists what it has")

    def inside(self, station: str, words: Sequence[str]) -> list[str]:
        """Return the command line that runs a program in a station.

        Args:
            station: Its name, or that of its workload.
            words: The program and its arguments.

        Raises:
            QuestionError: There is no such station.
            SourceError: The lab has ended.
        """
        found = self.station(station)
        name, pid = self.status().namespaces[found.name], self.pid
        file, resolver = self.place.namespaces / name, self.place.resolvers / name
        entering = ["nsenter", "--target", str(pid), "--mount", "--pid"]
        if not Path(f"/proc/{pid}/ns/user").samefile("/proc/self/ns/user"):
            entering += ["--user", "--preserve-credentials"]
        given = [str(Path.cwd()), str(resolver) if resolver.exists() else "", str(file)]
        return [*entering, "unshare", "--mount", "sh", "-c", _INSIDE, "lab", *given, *words]

    @contextmanager
    def turn(self, waiting: Callable[[str], None]) -> Iterator[None]:
        """Have the lab to oneself: what is counted meanwhile, or replaced, is nobody else's.

        Commands that only look do not ask for it.

        Args:
            waiting: Told the lab's name when somebody else has it, before that is waited for.

        Raises:
            SourceError: The lab has ended.
        """
        try:
            file = os.open(self.place.turn, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            msg = f"the lab {self.name!r} has ended"
            raise SourceError(msg, "start another one with `cloison lab up`") from None
        try:
            # The kernel lets go of it when the process ends, however that happens.
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting(self.name)
                fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)

    def stay(self) -> None:
        """Let the lab live on when this process has ended; `down` ends it."""
        process, record = self._process, self.place.record()
        self._process = None
        if process is None or process.stdin is None or process.stdout is None or record is None:
            return
        self.place.write(msgspec.structs.replace(record, stays=True))
        process.stdin.write(STAY)
        process.stdin.close()
        process.stdout.close()
        # Nobody here waits for it; that is no oversight to warn about.
        process.returncode = 0

    def down(self) -> None:
        """End it, and wait until it is gone. One that has ended already is no harm."""
        record = self.place.record()
        process = self._process
        if process is not None:
            # Also one that is half built, and listens to nobody, ends when its input does.
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
            try:
                process.wait(_ENDING)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        elif record is not None:
            with suppress(SourceError):
                self._ask(Down())
            # One that is still being built listens to nobody yet.
            _end(record.owner, _ENDING if record.ready else 0)
        self.place.remove()

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it, if it was started here and not told to stay."""
        if self._process is not None:
            self.down()

    def _start(self, line: Sequence[str]) -> None:
        """Start the lab's process, and put it down as the owner of the directory."""
        with self.place.log.open("wb") as log:
            words = [*line, sys.executable, "-P", "-m", "cloison.probe.lab.host"]
            self._process = started(words, stderr=log, apart=True)
        owner = Owner.of(self._process.pid)
        if owner is not None:
            self.place.write(Record(owner))

    def _build(self, plan: Plan, until: float) -> None:
        """Tell the process what to build, and wait until it has.

        Raises:
            SourceError: It has not.
        """
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return
        start = Start(plan, str(self.place.path))
        with suppress(OSError):  # it has ended; what it said last is what counts
            process.stdin.write(msgspec.json.encode(start) + b"\n")
            process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], max(until - time.monotonic(), 0))
        if not ready:
            msg = "the lab was not built in time"
            raise SourceError(msg, "a smaller world may be; name fewer sources with -f")
        line = process.stdout.readline()
        if not line:
            said = self.place.log.read_text(encoding="utf-8", errors="replace").split("\n")
            last = next((each.strip() for each in reversed(said) if each.strip()), "nothing")
            msg = f"the lab's process ended while it was building; it said: {last}"
            raise SourceError(msg)
        answer = _ANSWERS.decode(line)
        if not answer.ok:
            raise SourceError(answer.error or "the lab could not be built", answer.help)
        record = self.place.record()
        if record is not None:
            self.place.write(msgspec.structs.replace(record, ready=True))

    def _connected(self) -> socket.socket:
        file = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with reachable(self.place.control) as path:
                file.connect(path)
        except OSError:
            file.close()
            msg = f"the lab {self.name!r} does not answer"
            raise SourceError(msg, "it may have ended; see `cloison lab status`") from None
        return file

    def _ask(self, request: Request) -> Answer:
        line = b""
        with self._connected() as file, file.makefile("rb") as answers, suppress(OSError):
            file.sendall(msgspec.json.encode(request) + b"\n")
            line = answers.readline()
        if not line:
            msg = f"the lab {self.name!r} ended before it answered"
            raise SourceError(msg, "start another one with `cloison lab up`")
        answer = _ANSWERS.decode(line)
        if not answer.ok:
            raise SourceError(answer.error or "the lab could not do that", answer.help)
        return answer


_INSIDE = """\
cd -- "$1" 2>/dev/null || cd /
if [ -n "$2" ] && [ -e /etc/resolv.conf ]; then mount --bind -- "$2" /etc/resolv.conf; fi
net=$3; shift 3
exec nsenter "--net=$net" -- "$@"
"""


def have_room(plan: Plan) -> None:
    """Make sure that a lab has room for a plan: before anything else is made of it.

    Raises:
        QuestionError: It is too large.
    """
    size = len(plan.nodes) + len(plan.pods)
    if size > MOST:
        msg = f"{size:,} pods and nodes are more than a lab has room for: {MOST:,}"
        raise QuestionError(msg, "name fewer sources with -f: a namespace of the cluster, say")


def _stays(place: Place) -> bool:
    record = place.record()
    return record is not None and record.stays


def _end(owner: Owner, patience: float) -> None:
    """Wait until a process has ended; end it if it takes long.

    Args:
        owner: The process.
        patience: For how many seconds it may end by itself.
    """
    try:
        file = os.pidfd_open(owner.pid)
    except OSError:
        return
    try:
        # The number may have been given to another process before we opened it.
        if owner.alive and not select.select([file], [], [], patience)[0]:
            signal.pidfd_send_signal(file, signal.SIGKILL)
            select.select([file], [], [], _ENDING)
    finally:
        os.close(file)
    with suppress(ChildProcessError):  # most labs were started by a command that ended long ago
        os.waitpid(owner.pid, os.WNOHANG)
