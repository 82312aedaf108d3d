"""Files of records: opened, cut into records, read from where an earlier run stopped."""

import bz2
import gzip
import io
import lzma
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, Protocol, cast

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from cloison.flows.reader import BadRecordError, Decode, Head, Options, Reader
from cloison.flows.schema import Record
from cloison.flows.zstd import Zstd

HEAD: Final = 1 << 16
"""Bytes by which a format is told."""

LONGEST: Final = 1 << 20
"""Bytes a line may have; a longer one is kept aside as bad."""

BATCH: Final = 50_000
"""Lines that are read at once."""

LAST: Final = 4096
"""Bytes by which a place in a file is found again."""

DOCUMENT: Final = 1 << 28
"""Bytes a file may have that is one document."""

_FEW: Final = 64
_ROWS: Final = 10_000

_KEPT: Final = 4096
_OPENERS: Final[dict[bytes, Callable[[Path], object]]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
    b"\x28\xb5\x2f\xfd": Zstd,
}


@dataclass(frozen=True, slots=True)
class Bad:
    """A record that could not be read.

    Args:
        line: Number of its line; the first is 1.
        offset: Where it begins, in decompressed bytes.
        why: What is wrong with it.
        data: Its first bytes.
    """

    line: int
    offset: int
    why: str
    data: bytes


class Place(Protocol):
    """Where reading may go on."""

    @property
    def upto(self) -> int:
        """The place, in decompressed bytes."""

    @property
    def line(self) -> int:
        """Number of the line there."""


@dataclass(slots=True)
class Chunk:
    """What some lines of a file hold.

    Args:
        upto: Where the next line begins, in decompressed bytes: reading may go on there.
        line: Number of that line; the first is 1.
        lines: Lines in it that were not blank.
        records: What they say.
        bad: Those that could not be read.
        skipped: How many are right and tell of nothing that is kept.
        last: The last bytes before `upto`: by them the place is found again.
        ended: Whether its last line is at its end. The one that is not may still be written to;
            it is alone in its chunk, the last one.
    """

    upto: int
    line: int = 1
    lines: int = 0
    records: list[Record] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    skipped: int = 0
    last: bytes = b""
    ended: bool = True


def packed(start: bytes) -> bool:
    """Return whether a file that begins so is compressed, and is read decompressed."""
    return start.startswith(tuple(_OPENERS))


def opened(path: Path) -> BinaryIO:
    """Return a file's bytes, decompressed where its first bytes say that it is compressed."""
    handle = path.open("rb")
    start = handle.read(6)
    for magic, opener in _OPENERS.items():
        if start.startswith(magic):
            handle.close()
            return io.BufferedReader(cast("io.RawIOBase", opener(path)))
    handle.seek(0)
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


def cut(
    path: Path, reader: Reader, start: Head, options: Options, place: Place | None
) -> Iterator[Chunk]:
    """Yield what a file holds, however it is framed.

    Args:
        path: The file.
        reader: What reads it.
        start: How it begins.
        options: What the reader is told.
        place: Where to go on in a file of lines; `None` at the beginning.

    Raises:
        OSError: it cannot be read; what else a damaged archive raises besides.
    """
    decode = reader.open(start, options)
    if reader.framing == "parquet":
        yield from _rows(path, decode)
        return
    with opened(path) as handle:
        if reader.framing == "whole":
            yield _document(handle, decode)
        else:
            upto, line = (0, 1) if place is None else (place.upto, place.line)
            yield from chunks(handle, decode, upto, line, grows=not _packed(path))


def _document(handle: BinaryIO, decode: Decode) -> Chunk:
    """Return what a file holds that is one document."""
    data = handle.read(DOCUMENT + 1)
    chunk = Chunk(len(data), lines=1, last=data[-LAST:])
    if len(data) > DOCUMENT:
        chunk.bad.append(Bad(1, 0, "the document is too long", data[:_KEPT]))
        return chunk
    try:
        chunk.records += decode(data)
    except BadRecordError as error:
        chunk.records.clear()
        chunk.bad.append(Bad(1, 0, str(error), data[:_KEPT]))
        return chunk
    chunk.skipped = int(not chunk.records)
    return chunk


def _rows(path: Path, decode: Decode) -> Iterator[Chunk]:
    """Yield what the rows of a Parquet file hold, each handed on as one JSON object."""
    try:
        file = pq.ParquetFile(path)
        size = path.stat().st_size
        number = 1
        for batch in file.iter_batches(_ROWS):
            chunk = Chunk(0, number)
            for row in batch.to_pylist():
                bad = _read(chunk, msgspec.json.encode(row), decode)
                chunk.bad += [] if bad is None else [bad]
                chunk.line += 1
            number = chunk.line
            # Only the end is a place where reading could go on.
            yield chunk
    except pa.ArrowException as error:
        raise EOFError(str(error)) from None
    with path.open("rb") as handle:
        handle.seek(max(0, size - LAST))
        yield Chunk(size, number, last=handle.read())


def _packed(path: Path) -> bool:
    with path.open("rb") as handle:
        return packed(handle.read(6))


def chunks(
    handle: BinaryIO, decode: Decode, start: int = 0, line: int = 1, *, grows: bool = True
) -> Iterator[Chunk]:
    """Yield what a file's lines hold: some at first, then some thousand lines at once.

    A last line without an end is read if it can be, in a chunk of its own: it may be all there is,
    or somebody is still writing it.

    Args:
        handle: The file, opened.
        decode: What reads a line.
        start: Where to begin: 0, or the `upto` of a chunk.
        line: Number of the line there.
        grows: Whether somebody may be writing it: nobody goes on with a compressed line.
    """
    if start:
        skip(handle, start)
    chunk = Chunk(start, line)
    wanted = _FEW
    while read := handle.readline(LONGEST + 1):
        size, last = _whole(handle, read)
        ended = last.endswith(b"\n")
        if not ended and chunk.upto > start:
            yield chunk
            chunk = Chunk(chunk.upto, chunk.line)
        if not read.isspace():
            bad = _read(chunk, read, decode)
            if bad is not None and not ended and grows:
                return
            chunk.bad += [] if bad is None else [bad]
        chunk.upto += size
        chunk.line += 1
        chunk.last, chunk.ended = last[-LAST:], ended
        if chunk.lines >= wanted:
            yield chunk
            chunk = Chunk(chunk.upto, chunk.line)
            wanted = min(wanted * 2, BATCH)
    if chunk.last:
        yield chunk


def _read(chunk: Chunk, line: bytes, decode: Decode) -> Bad | None:
    """Add what a line says to a chunk; return what is wrong with it."""
    chunk.lines += 1
    if len(line) > LONGEST:
        return Bad(chunk.line, chunk.upto, "the line is too long", line[:_KEPT])
    held = len(chunk.records)
    try:
        chunk.records += decode(line)
    except BadRecordError as error:
        # A line counts whole or not at all.
        del chunk.records[held:]
        return Bad(chunk.line, chunk.upto, str(error), line[:_KEPT])
    chunk.skipped += len(chunk.records) == held
    return None


def _whole(handle: BinaryIO, line: bytes) -> tuple[int, bytes]:
    """Return how many bytes a line has, and its last ones; read on to its end if it is long."""
    size, last = len(line), line
    if size > LONGEST:
        while not last.endswith(b"\n") and (more := handle.readline(LONGEST)):
            size += len(more)
            last = (last + more)[-LAST:]
    return size, last


def skip(handle: BinaryIO, start: int) -> None:
    """Move on by some bytes from where a file begins."""
    if handle.seekable():
        handle.seek(start)
        return
    while start:
        start -= len(handle.read(min(start, 1 << 20))) or start
