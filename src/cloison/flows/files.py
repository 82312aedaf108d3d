"""Files of records: opened, cut into records, read from where an earlier run stopped."""

import bz2
import gzip
import io
import lzma
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, cast

from cloison.flows.reader import BadRecordError, Decode, Head
from cloison.flows.schema import Record

HEAD: Final = 1 << 16
"""Bytes by which a format is told."""

LONGEST: Final = 1 << 20
"""Bytes a line may have; a longer one is kept aside as bad."""

BATCH: Final = 50_000
"""Lines that are read at once."""

_KEPT: Final = 4096
_OPENERS: Final[dict[bytes, Callable[[BinaryIO], object]]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}


@dataclass(frozen=True, slots=True)
class Bad:
    """A record that could not be read.

    Args:
        line: Its line, counted from the first that this run read, which is 1.
        offset: Where it begins, in decompressed bytes.
        why: What is wrong with it.
        data: Its first bytes.
    """

    line: int
    offset: int
    why: str
    data: bytes


@dataclass(slots=True)
class Chunk:
    """What some lines of a file hold.

    Args:
        upto: Where the next line begins, in decompressed bytes: reading may go on there.
        lines: Lines in it that were not blank.
        records: What they say.
        bad: Those that could not be read.
    """

    upto: int
    lines: int = 0
    records: list[Record] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)


def opened(path: Path) -> BinaryIO:
    """Return a file's bytes, decompressed where its first bytes say that it is compressed."""
    handle = path.open("rb")
    start = handle.read(6)
    handle.seek(0)
    for magic, opener in _OPENERS.items():
        if start.startswith(magic):
            return io.BufferedReader(cast("io.RawIOBase", opener(handle)))
    return handle


def head(path: Path) -> Head:
    """Return how a file begins.

    Raises:
        OSError: it cannot be read, or is damaged.
    """
    with opened(path) as handle:
        data = handle.read(HEAD)
    # The last line may be cut off here.
    whole = data.split(b"\n") if len(data) < HEAD else data.split(b"\n")[:-1]
    return Head(path.name, data, tuple(line for line in whole if line.strip()))


def chunks(handle: BinaryIO, decode: Decode, start: int = 0) -> Iterator[Chunk]:
    """Yield what a file's lines hold, some thousand lines at once.

    A last line without an end is read if it can be: one that is still being written is left for
    the next run, which finds it at `upto`.

    Args:
        handle: The file, opened.
        decode: What reads a line.
        start: Where to begin: 0, or the `upto` of a chunk.
    """
    if start:
        _skip(handle, start)
    chunk = Chunk(start)
    number = 0
    offset = start
    while line := handle.readline(LONGEST + 1):
        number += 1
        size = len(line)
        if size > LONGEST:
            while rest := handle.readline(LONGEST):
                size += len(rest)
                if rest.endswith(b"\n"):
                    break
            chunk.bad.append(Bad(number, offset, "the line is too long", line[:_KEPT]))
            chunk.lines += 1
        elif line.strip():
            ended = line.endswith(b"\n")
            try:
                chunk.records += decode(line)
            except BadRecordError as error:
                if not ended:
                    break
                chunk.bad.append(Bad(number, offset, str(error), line[:_KEPT]))
            chunk.lines += 1
        offset += size
        chunk.upto = offset
        if chunk.lines >= BATCH:
            yield chunk
            chunk = Chunk(offset)
    if chunk.upto > start or chunk.lines:
        yield chunk


def _skip(handle: BinaryIO, start: int) -> None:
    if handle.seekable():
        handle.seek(start)
        return
    while start:
        start -= len(handle.read(min(start, 1 << 20))) or start
