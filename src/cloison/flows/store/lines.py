"""Checksums of every line that was read, so that a file that begins like another is told from it.

Of an input of lines there is a file of 32-bit numbers, one for each line: the CRC of everything
from its beginning to the end of that line. Two files agree up to a line where these agree, and from
the first line that differs on they never do again. The file only helps: without it, what two inputs
have in common is known as exactly as the manifest's marks say it.
"""

import os
import sys
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final
from zlib import crc32

from cloison.flows.files import LONGEST, opened
from cloison.flows.store.manifest import settle

DIRECTORY: Final = "lines"
WIDTH: Final = 4
"""Bytes of a checksum."""

_BLOCK: Final = 1 << 20
_EVERY: Final = 4096
"""Lines after which a place is remembered."""


def place(store: Path, number: int) -> Path:
    """Return where the checksums of an input are."""
    return store / DIRECTORY / f"input-{number:08d}.crc"


def write(store: Path, number: int, first: int, sums: Iterable["array[int]"]) -> None:
    """Write checksums for good.

    What an earlier run left there, and never committed, is overwritten.

    Args:
        store: The store.
        number: The input.
        first: How many lines come before.
        sums: The checksums.

    Raises:
        OSError: They cannot be written.
    """
    path = place(store, number)
    path.parent.mkdir(exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666), "wb") as handle:
        handle.seek(first * WIDTH)
        for some in sums:
            handle.write(_ordered(some).tobytes())
        handle.truncate()
        handle.flush()
        os.fsync(handle.fileno())
    if not first:
        settle(path.parent)


def read(store: Path, number: int, first: int, last: int) -> "array[int]":
    """Return the checksums of some lines, as many as there are.

    Args:
        store: The store.
        number: The input.
        first: How many lines come before.
        last: Number of the last line.
    """
    found = array("I")
    try:
        with place(store, number).open("rb") as handle:
            handle.seek(first * WIDTH)
            data = handle.read(max(0, last - first) * WIDTH)
    except OSError:
        return found
    found.frombytes(data[: len(data) // WIDTH * WIDTH])
    return _ordered(found)


def held(store: Path, number: int) -> int:
    """Return of how many lines there are checksums."""
    try:
        return place(store, number).stat().st_size // WIDTH
    except OSError:
        return 0


def expire(store: Path, before: float) -> None:
    """Remove the checksums of inputs that were last read before a time, in seconds since 1970."""
    for path in (store / DIRECTORY).glob("input-*.crc"):
        if path.stat().st_mtime < before:
            path.unlink(missing_ok=True)


def steps(sums: "array[int]", known: tuple[int, ...] = (), first: int = 0) -> tuple[int, ...]:
    """Return the checksums after line 1, 2, 4, 8, and so on.

    Args:
        sums: Checksums of lines.
        known: Those of the lines before.
        first: How many lines come before.
    """
    found = list(known)
    while (1 << len(found)) <= first + len(sums):
        found.append(sums[(1 << len(found)) - 1 - first])
    return tuple(found)


def total(handle: BinaryIO, upto: int) -> int:
    """Return the checksum of so many bytes, from where a file is."""
    found = 0
    while upto > 0 and (data := handle.read(min(upto, _BLOCK))):
        found = crc32(data, found)
        upto -= len(data)
    return found if not upto else -1


class Lines:
    """The lines of a file, summed as far as somebody asks.

    Args:
        handle: The file, at its beginning.
    """

    def __init__(self, handle: BinaryIO) -> None:
        self.sums = array("I")
        self.ended = False
        self._handle = handle
        self._sum = self._at = 0
        self._places = [0]

    def to(self, line: int) -> bool:
        """Sum up to a line; return whether there are so many whole lines."""
        sums, handle = self.sums, self._handle
        while len(sums) < line and not self.ended:
            piece = b""
            while (piece := handle.readline(LONGEST)) and not piece.endswith(b"\n"):
                self._sum = crc32(piece, self._sum)
                self._at += len(piece)
            if not piece:
                self.ended = True
                break
            self._sum = crc32(piece, self._sum)
            self._at += len(piece)
            sums.append(self._sum)
            if len(sums) % _EVERY == 0:
                self._places.append(self._at)
        return len(sums) >= line

    def ends(self, line: int) -> bool:
        """Return whether the file has no byte after a line that was summed."""
        return not self.to(line + 1) and self._at == self.at(line)

    def at(self, line: int) -> int:
        """Return where a line ends that was summed, in decompressed bytes; be there."""
        before = line // _EVERY
        self._handle.seek(self._places[before])
        for _ in range(line - before * _EVERY):
            while (piece := self._handle.readline(LONGEST)) and not piece.endswith(b"\n"):
                pass
        return self._handle.tell()


def summed(path: Path, line: int) -> "array[int]":
    """Return the checksums of a file's first lines.

    Raises:
        OSError: It cannot be read.
    """
    with opened(path) as handle:
        found = Lines(handle)
        found.to(line)
        return found.sums


def _ordered(sums: "array[int]") -> "array[int]":
    """Return numbers with their bytes in the order that files have, or back."""
    if sys.byteorder == "little":
        return sums
    turned = array("I", sums)
    turned.byteswap()
    return turned
