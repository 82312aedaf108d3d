"""Building what a plan lays out: namespaces, links, routes, packet filters."""

import ctypes
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cloison.base import SourceError
from cloison.probe.lab.enter import CLONE_NEWNET, HERE, entered, prepare
from cloison.probe.lab.layout import TO_PROXIES, layout
from cloison.probe.lab.plan import Plan
from cloison.probe.lab.services import service_script
from cloison.probe.lab.start import run

if TYPE_CHECKING:
    from cloison.dialects.nftables import Loading

_MS_BIND = 0x1000
_NODEV_NOEXEC_NOSUID = 0xE
_AT_ONCE = 4
"""Programs that run at the same time; they mostly wait for the kernel."""

_ROUTER = (
    ("ipv4/ip_forward", "1"),
    ("ipv6/conf/all/forwarding", "1"),
    # A packet may leave by the link it came in by: a Service led it back.
    ("ipv4/conf/all/send_redirects", "0"),
    ("ipv4/conf/default/send_redirects", "0"),
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv4/conf/default/rp_filter", "0"),
)
"""What makes a router of a namespace: names below `/proc/sys/net`, to be set before links are."""

_ALL_USERS = ["0", "0", "4294967295"]
"""What the map of users says where they are who they are outside."""

_Call = Callable[..., int]


def _every_user() -> bool:
    """Whether this is the namespace of all users, whose root may send as much as it likes."""
    return Path("/proc/self/uid_map").read_text(encoding="ascii").split() == _ALL_USERS


def _libc(name: str, *types: type) -> _Call:
    prototype = ctypes.CFUNCTYPE(ctypes.c_int, *types, use_errno=True)
    return prototype((name, ctypes.CDLL(None)))


_UNSHARE = _libc("unshare", ctypes.c_int)
_MOUNT = _libc(
    "mount",
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_ulong,
    ctypes.c_char_p,
)


def _done(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def mount_tmpfs(path: Path) -> None:
    """Mount an empty file system, for this mount namespace alone."""
    _done(_MOUNT(b"lab", os.fsencode(path), b"tmpfs", _NODEV_NOEXEC_NOSUID, b"mode=700"))


def mount_proc() -> None:
    """Show the processes of this process namespace under `/proc`."""
    _done(_MOUNT(b"proc", b"/proc", b"proc", _NODEV_NOEXEC_NOSUID, None))


def bind(source: Path, target: Path) -> None:
    """Let a file or directory be seen in another place, by this mount namespace alone."""
    _done(_MOUNT(os.fsencode(source), os.fsencode(target), None, _MS_BIND, None))


class _Counter(msgspec.Struct):
    name: str
    packets: int


class _Item(msgspec.Struct):
    counter: _Counter | None = None


class _Listed(msgspec.Struct):
    """What `nft -j` prints, as far as we ask."""

    nftables: list[_Item]


class Network:
    """The namespaces of one plan, and what is in them.

    Args:
        plan: The plan.
        directory: Where namespaces have names; an empty private file system.
    """

    def __init__(self, plan: Plan, directory: Path) -> None:
        self.plan = plan
        self.directory = directory
        self.layout = layout(plan, str(directory))
        self.wire = os.open(HERE, os.O_RDONLY | os.O_CLOEXEC)
        self.open: dict[str, int] = {}
        """An open file of each station's namespace."""

    def build(self) -> None:
        """Make it all.

        Raises:
            SourceError: The kernel, or a program, refuses.
        """
        self._namespaces()
        everywhere = [*self.open.values(), self.wire]
        routers = [*(self.open[node.name] for node in self.plan.nodes), self.wire]
        for namespace in everywhere:
            prepare(namespace)
        for namespace in routers:
            self._router(namespace)
        self._ip(self.wire, self.layout.wire, "the wire")
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for each in (self.layout.nodes, self.layout.pods):
                done = pool.map(
                    lambda pair: self._ip(self.open[pair[0]], pair[1], pair[0]), each.items()
                )
                for _ in done:
                    pass
            for _ in pool.map(self._to_proxy, (node.name for node in self.plan.nodes)):
                pass
            scripts = {node.name: service_script(self.plan, node) for node in self.plan.nodes}
            for _ in pool.map(lambda pair: self.load(*pair), scripts.items()):
                pass
        if self.plan.rulesets:
            self.apply(self.plan.rulesets)

    def apply(self, rulesets: Mapping[str, str]) -> None:
        """Load packet filters: all of them are read first, and none is loaded if one is wrong.

        Args:
            rulesets: An nftables script by node, as people call that or as the plan does.

        Raises:
            SourceError: There is no such node, or a script is not accepted.
        """
        scripts = {self.node(name): text for name, text in rulesets.items()}
        planned: dict[str, tuple[tuple[str, ...], str, str]] = {}
        try:
            for node, text in scripts.items():
                before, last, _ = planned[node] = self._plan(node, text)
                for part in before:
                    self.load(node, part)
                self.load(node, last, check=True)
        except SourceError:
            for node, (_, _, undo) in planned.items():
                self.load(node, undo)
            raise
        for node, (_, last, _) in planned.items():
            self.load(node, last)

    def _plan(self, node: str, script: str) -> tuple[tuple[str, ...], str, str]:
        """Return what of a script is loaded first, what last, and what undoes the first.

        That depends on who is root and on what the node has.
        """
        if _every_user():
            return (), script, ""
        tables = self._run(self.open[node], ["nft", "list", "tables"], "", node)
        # Imported only where it is needed: a lab starts quicker without the IR.
        found: Loading = import_module("cloison.dialects.nftables").loading(script, tables)
        return found.before, found.last, found.undo

    def load(self, node: str, script: str, *, check: bool = False) -> None:
        """Load one script, whole or not at all.

        Raises:
            SourceError: It is not accepted.
        """
        command = ["nft", "-c", "-f", "-"] if check else ["nft", "-f", "-"]
        self._run(self.open[node], command, script, f"the packet filter of {node}")

    def counters(self, node: str) -> dict[str, int]:
        """Return how many packets each named counter of a node's filter has seen.

        Raises:
            SourceError: There is no such node.
        """
        node = self.node(node)
        text = self._run(self.open[node], ["nft", "-j", "list", "counters"], "", node)
        listed = msgspec.json.decode(text, type=_Listed).nftables
        return {each.counter.name: each.counter.packets for each in listed if each.counter}

    def _run(self, namespace: int, command: list[str], text: str, what: str) -> str:
        """Run a program in a namespace, and return what it prints.

        Raises:
            SourceError: It fails.
        """
        with entered(namespace):
            done = run(command, text)
        if done.code != 0:
            said = done.errors.strip().splitlines() or [f"exit code {done.code}"]
            msg = f"{what} could not be set up: {command[0]} says {said[0]}"
            raise SourceError(msg, "this is a defect of Cloison, or the kernel lacks something")
        return done.printed

    def node(self, name: str) -> str:
        """Return the station of a node, by its own name or as people call the node.

        Raises:
            SourceError: There is no such node.
        """
        for known in (name, f"node:{name}"):
            if known in self.open and any(node.name == known for node in self.plan.nodes):
                return known
        msg = f"the lab has no node {name!r}"
        raise SourceError(msg, f"it has {', '.join(node.name for node in self.plan.nodes)}")

    def _namespaces(self) -> None:
        """Make a namespace for each station, and give it a name on the file system."""
        failed: list[OSError] = []

        def make() -> None:
            try:
                for station, name in self.layout.files.items():
                    _done(_UNSHARE(CLONE_NEWNET))
                    path = self.directory / name
                    path.touch()
                    bind(Path(HERE), path)
                    self.open[station] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                failed.append(error)

        # A thread of its own: whoever makes a namespace is in it from then on.
        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if failed:
            made = len(self.open)
            msg = f"network namespace {made + 1} could not be made: {failed[0].strerror}"
            raise SourceError(msg, "a smaller world may fit: leave sources out with -f")

    def _router(self, namespace: int) -> None:
        with entered(namespace):
            for name, value in _ROUTER:
                Path("/proc/sys/net", name).write_text(value, encoding="ascii")

    def _to_proxy(self, node: str) -> None:
        for option, lines in TO_PROXIES.items():
            self._run(self.open[node], ["ip", option, "-batch", "-"], lines, node)

    def _ip(self, namespace: int, lines: str, what: str) -> None:
        self._run(namespace, ["ip", "-batch", "-"], lines, what)
