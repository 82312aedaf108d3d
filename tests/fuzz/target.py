"""What a reader under fuzzing is, and what holds of everything it may answer."""

import os
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cloison.base import Diagnostic

LONGEST = 1 << 16
"""Bytes of the longest input."""


@dataclass(frozen=True, slots=True)
class Target:
    """One reader, and how to feed it.

    Args:
        name: What `make fuzz TARGET=` calls it.
        check: Reads an input and raises unless the answer is one the reader may give.
        seeds: Inputs to start from, besides those kept.
        code: Packages and modules whose branches guide the search.
        lines: The input is lines of text, not manifests; that is how it is mutated.
        words: What is worth writing into an input, besides what manifests hold.
    """

    name: str
    check: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    code: tuple[str, ...]
    lines: bool = False
    words: tuple[str, ...] = ()


def sampled(data: bytes, one_in: int) -> bool:
    """Return whether an input is of the share that gets the costly checks; always the same."""
    return zlib.crc32(data) % one_in == 0


def sound(diagnostics: Iterable[object], file: str | None = None) -> None:
    """Hold everything that is said to its form: one printable line each, at a real place."""
    for each in diagnostics:
        assert isinstance(each, Diagnostic), each
        for words in (each.message, each.effect, each.help, each.source, each.object):
            (words or "").encode("utf-8")
        assert each.code[:3].isupper(), each
        assert each.code[3:].isdigit(), each
        assert each.message, each
        assert "\n" not in each.message, each
        if each.span is not None:
            assert each.span.line >= 1, each
            assert each.span.column >= 1, each
            assert file is None or each.span.file == file, each


class Escape(BaseException):
    """Reading reached for the world outside: no `except Exception` may hide it."""


_FORBIDDEN = (
    "ctypes.",
    "ftplib.",
    "http.",
    "os.chmod",
    "os.chown",
    "os.exec",
    "os.fork",
    "os.link",
    "os.mkdir",
    "os.posix_spawn",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.spawn",
    "os.symlink",
    "os.system",
    "os.truncate",
    "shutil.",
    "smtplib.",
    "socket.",
    "subprocess.",
    "urllib.",
    "webbrowser.",
)


@dataclass(slots=True)
class Guard:
    """Refuses writing, the network and other programs while an input is read.

    Python cannot take an audit hook out again, so there is one, and it sleeps outside `watch`.
    """

    armed: bool = field(default=False)

    def install(self) -> "Guard":
        """Start listening to what the interpreter is about to do."""
        tempfile.gettempdir()  # found by writing into it, once
        # What is imported only now would leave its bytecode behind, which is no input's doing.
        sys.dont_write_bytecode = True
        sys.addaudithook(self._hook)
        return self

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Refuse what reading has no business with."""
        self.armed = True
        try:
            yield
        finally:
            self.armed = False

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        # Imports on demand leave compiled files behind, which are the interpreter's own.
        if not self.armed or "__pycache__" in repr(arguments[:1]):
            return
        if event == "open":
            path, mode, flags = arguments
            writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
            # A file without a name, which leaves nothing, is opened by its directory.
            if writes and path != tempfile.gettempdir():
                raise Escape(f"open {path!r} {mode!r}")
        elif event.startswith(_FORBIDDEN):
            raise Escape(f"{event} {arguments!r}")
