"""The user's own programs, run so that they can neither hang nor flood us, nor ask anything."""

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, Final, cast

if TYPE_CHECKING:
    import subprocess

SPOOL: Final = 64 << 20
"""Bytes that are kept in memory of what is in no file; more goes to an unnamed temporary one."""
LARGEST: Final = 256 << 20
"""Bytes that are taken of a program's output."""
SECONDS: Final = 120.0
"""How long a program may take."""
MEMORY: Final = 2 << 30
"""Bytes of memory of its own that a program may take, where the system can hold it to that."""
_ERRORS: Final = 1 << 16
_LINE: Final = 600
_PIECE: Final = 1 << 16
_PAINT: Final = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program left behind.

    Args:
        out: Its standard output, from the start.
        said: Its standard error, or the start of it.
        failure: Why the output cannot be used, in words; empty when it can.
    """

    out: BinaryIO
    said: str
    failure: str = ""


def spool(stack: ExitStack) -> BinaryIO:
    """Return an empty temporary file, in memory unless it grows large.

    Args:
        stack: Lets go of it.
    """
    from tempfile import SpooledTemporaryFile  # noqa: PLC0415 - imports much, files do without

    # A BinaryIO in all but name.
    return cast("BinaryIO", stack.enter_context(SpooledTemporaryFile(SPOOL)))


def find(*programs: str) -> str | None:
    """Return the path of the first of some programs that is installed.

    One that is only found relative to where we are does not count: it may be the repository's.
    """
    ways = (shutil.which(each) for each in programs)
    return next((way for way in ways if way and os.path.isabs(way)), None)  # noqa: PTH117 - text


def run(
    command: Sequence[str],
    stack: ExitStack,
    *,
    environment: Mapping[str, str],
    directory: Path | None = None,
    seconds: float = SECONDS,
    most: int = LARGEST,
    memory: int | None = None,
) -> Ran:
    """Run a program without a shell and without input.

    Args:
        command: The program, by its path, and its arguments.
        stack: Lets go of the output.
        environment: All of its environment.
        directory: Where it runs; here when not given.
        seconds: When it is ended.
        most: Bytes of output after which it is ended.
        memory: Bytes of memory that it gets, where the system can hold it to that.
    """
    import threading  # noqa: PLC0415 - most sources need no tool

    out = spool(stack)
    try:
        process = start(command, environment, directory)
    except OSError as error:
        return Ran(out, "", f"it cannot be run: {error.strerror or 'the system refuses'}")
    if memory is not None:
        _limit(process.pid, memory)
    errors: list[bytes] = []
    listener = threading.Thread(target=_listen, args=(process.stderr, errors), daemon=True)
    listener.start()
    late = threading.Event()

    def end() -> None:
        late.set()
        kill(process)

    timer = threading.Timer(seconds, end)
    timer.start()
    failure = "it was interrupted"
    try:
        taken = 0
        while piece := _from(process.stdout).read(_PIECE):
            taken += len(piece)
            if taken > most:
                failure = f"it printed more than {most >> 20} MiB"
                break
            out.write(piece)
        else:
            failure = ""
    finally:
        if failure:
            kill(process)
        _from(process.stdout).close()
        # What it started may hold its errors open, so time runs until they end too.
        listener.join()
        code = process.wait()
        timer.cancel()
        _from(process.stderr).close()
    if late.is_set():
        failure = f"it was ended after {seconds:g} seconds"
    elif not failure and code:
        failure = f"it ended with exit code {code}"
    out.seek(0)
    return Ran(out, b"".join(errors).decode("utf-8", "replace"), failure)


def start(
    command: Sequence[str],
    environment: Mapping[str, str],
    directory: Path | None = None,
    *,
    asked: bool = False,
) -> "subprocess.Popen[bytes]":
    """Start a program in a process group of its own.

    Args:
        command: The program, by its path, and its arguments.
        environment: All of its environment.
        directory: Where it runs.
        asked: Whether it is written to, and its errors do not matter.
    """
    import subprocess  # noqa: PLC0415 - likewise

    return subprocess.Popen(  # noqa: S603 - no shell, and callers build the whole command line
        list(command),
        stdin=subprocess.PIPE if asked else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if asked else subprocess.PIPE,
        cwd=directory,
        env=dict(environment),
        start_new_session=True,
    )


def kill(process: "subprocess.Popen[bytes]") -> None:
    """End a program and what it started, also where the program itself has ended already."""
    import signal  # noqa: PLC0415 - likewise

    if process.returncode is not None:  # it was waited for, and its number may be another's
        return
    with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of the dead
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _limit(pid: int, memory: int) -> None:
    """Bound the memory of a program that was just started; on Linux, others have no such call."""
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 - other systems have none

        with suppress(OSError):  # it has ended already, or has less than that
            resource.prlimit(pid, resource.RLIMIT_DATA, (memory, memory))


def _listen(stream: IO[bytes] | None, kept: list[bytes]) -> None:
    """Keep the start of a stream and let the rest go by."""
    room = _ERRORS
    while piece := _from(stream).read(_PIECE):
        kept.append(piece[:room])
        room -= len(kept[-1])


def _from(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        msg = "the stream was not asked for"
        raise ValueError(msg)
    return stream


def lines(said: str, most: int = 5) -> tuple[str, ...]:
    """Return the first lines a program said, without colours and blank lines."""
    plain = "".join(c for c in _PAINT.sub("", said) if c.isprintable() or c in "\n\t")
    kept = [line.strip() for line in plain.splitlines() if line.strip()]
    return tuple(_cut(line) for line in kept[:most])


def _cut(line: str) -> str:
    """Return a line without its middle when it is very long: tools put the cause at the end."""
    return line if len(line) <= _LINE else f"{line[: _LINE // 3]} ... {line[-_LINE * 2 // 3 :]}"
