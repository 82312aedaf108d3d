"""Where labs leave word of themselves, and how one that is gone is told from one that lives.

A lab is a directory with a process in it: its number, and when it started, because numbers come
round again. Whatever names a process that is not there any more is swept away by the next command.
"""

import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import msgspec

from cloison.base import QuestionError, SourceError

DEFAULT_NAME = "default"
"""What a lab is called that nobody named."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_HALF_MADE = re.compile(r"\.new-([0-9]+)-([0-9]+)-[0-9a-f]+")
"""How directories are called until they are a lab's: who makes them, and since when that runs."""
_PRIVATE = 0o700


class Owner(msgspec.Struct, frozen=True):
    """A process, so that no later one of its number is taken for it.

    Args:
        pid: Its number.
        started: When it started, in clock ticks since the machine did.
        boot: The kernel's name for the time since the machine was started.
    """

    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """Return who has a number now; None for nobody, or somebody who has ended."""
        try:
            text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            return None
        # The command's name stands in parentheses and may hold anything, parentheses too.
        fields = text.rpartition(")")[2].split()
        if fields[0] in ("Z", "X"):
            return None
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return cls(pid, int(fields[19]), boot)

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return Owner.of(self.pid) == self


class Record(msgspec.Struct, frozen=True):
    """What a lab's directory says.

    Args:
        owner: The process whose end is the lab's end.
        ready: Whether the lab has been built.
        stays: Whether it lives on when the command that built it has ended.
    """

    owner: Owner
    ready: bool = False
    stays: bool = False


_RECORDS = msgspec.json.Decoder(Record)


class Place(msgspec.Struct, frozen=True):
    """A lab's directory.

    Args:
        path: Where it is.
    """

    path: Path

    @property
    def name(self) -> str:
        """The lab's name."""
        return self.path.name

    @property
    def control(self) -> Path:
        """The socket that takes requests."""
        return self.path / "control"

    @property
    def log(self) -> Path:
        """What the lab's process complained about."""
        return self.path / "log"

    @property
    def snapshot(self) -> Path:
        """What the lab was built from, and as what."""
        return self.path / "snapshot.json"

    @property
    def namespaces(self) -> Path:
        """Where, inside the lab only, its network namespaces have names."""
        return self.path / "netns"

    @property
    def resolvers(self) -> Path:
        """Files that take the place of `/etc/resolv.conf`, one for each pod."""
        return self.path / "resolv"

    @property
    def turn(self) -> Path:
        """What a command locks that must have the lab to itself."""
        return self.path / "turn"

    def record(self) -> Record | None:
        """Return what the directory says; None where it says nothing that can be read."""
        try:
            text = (self.path / "owner.json").read_bytes()
            return _RECORDS.decode(text)
        except (OSError, msgspec.DecodeError):
            return None

    def write(self, record: Record) -> None:
        """Replace what the directory says, in one step."""
        half = self.path / "owner.json.new"
        half.write_bytes(msgspec.json.encode(record))
        half.replace(self.path / "owner.json")

    def remove(self) -> None:
        """Remove the directory. It may have gone already."""
        shutil.rmtree(self.path, ignore_errors=True)


@contextmanager
def reachable(path: Path) -> Iterator[str]:
    """Give a path of a socket that is short enough for the kernel, however deep it lies.

    Args:
        path: The socket; its directory exists.
    """
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)


def home() -> Path:
    """Return the directory of this user's labs, made if need be.

    Raises:
        SourceError: It belongs to somebody else, or others may look into it.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.access(runtime, os.W_OK):
        found = Path(runtime, "cloison", "labs")
    else:
        found = Path(tempfile.gettempdir(), f"cloison-{os.getuid()}", "labs")
    for each in (found.parent, found):
        each.mkdir(mode=_PRIVATE, exist_ok=True)
        said = each.lstat()
        if not stat.S_ISDIR(said.st_mode) or said.st_uid != os.getuid() or said.st_mode & 0o077:
            msg = f"{each} is not a directory of yours alone"
            raise SourceError(msg, "remove it, or set XDG_RUNTIME_DIR to a directory of yours")
    return found


def check_name(name: str) -> str:
    """Return a name that a lab can have.

    Raises:
        QuestionError: It is not one.
    """
    if _NAME.fullmatch(name) is None:
        msg = f"{name!r} cannot be the name of a lab"
        raise QuestionError(msg, "use at most 40 small letters, digits and hyphens: team-a")
    return name


def places() -> tuple[Place, ...]:
    """Return the labs that live, by name, and sweep away what is left of others."""
    found = []
    for path in sorted(home().iterdir()):
        place = Place(path)
        half = _HALF_MADE.fullmatch(path.name)
        if half is not None:
            maker = Owner.of(int(half[1]))
            if maker is None or maker.started != int(half[2]):
                place.remove()
            continue
        record = place.record()
        if record is not None and record.owner.alive:
            found.append(place)
        else:
            place.remove()
    return tuple(found)


def find(name: str) -> Place | None:
    """Return a lab that lives; None when there is none of that name."""
    return next((place for place in places() if place.name == name), None)


def check_free(name: str) -> None:
    """Check that a lab can have a name, and none has.

    Raises:
        QuestionError: It cannot, or one has.
    """
    if find(check_name(name)) is not None:
        raise _taken(name)


def _taken(name: str) -> QuestionError:
    msg = f"there is a lab called {name!r} already"
    help_ = f"end it with `cloison lab down {name}`, or give this one another name with --name"
    return QuestionError(msg, help_)


def claim(name: str) -> Place:
    """Make the directory of a new lab, owned by this process for now.

    Raises:
        QuestionError: There is a lab of that name already.
        SourceError: The directory cannot be made.
    """
    owner = Owner.of(os.getpid())
    if owner is None:
        msg = "/proc does not show this process"
        raise SourceError(msg, "a lab needs Linux with /proc mounted")
    final = home() / check_name(name)
    once = secrets.token_hex(4)
    half = Place(final.parent / f".new-{owner.pid}-{owner.started}-{once}")
    half.path.mkdir(mode=_PRIVATE)
    try:
        half.write(Record(owner))
        check_free(name)
        # Fails if somebody was quicker: a directory that holds something stays.
        half.path.rename(final)
    except OSError:
        raise _taken(name) from None
    finally:
        half.remove()
    return Place(final)
