"""Files of records: opened, cut into records, read from where an earlier run stopped."""

import bz2
import gzip
import io
import lzma
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, Protocol, cast
from zlib import crc32

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

DOCUMENT: Final = 1 << 25
"""Bytes a file may have that is one document, decompressed."""

_BLOCK: Final = 1 << 20
_FEW: Final = 64
_ZEROS: Final = bytes(8)
_ROWS: Final = 10_000
_HELD: Final = 50_000
"""Records of a document that are held at once."""

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

    @property
    def sum(self) -> int:
        """CRC of everything before it."""


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
        sums: Of each whole line, blank ones too, the CRC of everything up to its end.
        sum: CRC of everything before `upto`.
    """

    upto: int
    line: int = 1
    lines: int = 0
    records: list[Record] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    skipped: int = 0
    last: bytes = b""
    ended: bool = True
    sums: "array[int]" = field(default_factory=lambda: array("I"))
    sum: int = 0


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


@contextmanager
def pinned(path: Path) -> Iterator[Path]:
    """Yield a path under which a file stays the same one, whatever becomes of its name.

    Logs are rotated while they are read. Where the system knows no such path, it is the file's own.

    Raises:
        OSError: It cannot be opened.
    """
    with path.open("rb") as handle:
        held = Path(f"/proc/self/fd/{handle.fileno()}")
        yield held if held.exists() else path


def head(path: Path, name: str | None = None) -> Head:
    """Return how a file begins.

    Args:
        path: The file.
        name: What to call it; `None` for its own name.

    Raises:
        OSError: it cannot be read, or is damaged.
    """
    with opened(path) as handle:
        data = handle.read(HEAD)
    # The last line may be cut off here.
    whole = data.split(b"\n") if len(data) < HEAD else data.split(b"\n")[:-1]
    return Head(name or path.name, data, tuple(line for line in whole if line.strip()))


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
            yield from _document(handle, decode)
        else:
            yield from chunks(handle, decode, place, grows=not _packed(path))


def _document(handle: BinaryIO, decode: Decode) -> Iterator[Chunk]:
    """Yield what a file holds that is one document."""
    data = handle.read(DOCUMENT + 1)
    whole = Chunk(len(data), lines=1, last=data[-LAST:], sum=crc32(data))
    if len(data) > DOCUMENT:
        why = f"the document has more than {DOCUMENT >> 20} MiB: write it in several files"
        whole.bad.append(Bad(1, 0, why, data[:_KEPT]))
        yield whole
        return
    told = 0
    try:
        for record in decode(data):
            told += 1
            if told <= _HELD:
                whole.records.append(record)
    except (BadRecordError, RecursionError) as error:
        whole.records.clear()
        whole.bad.append(Bad(1, 0, _why(error), data[:_KEPT]))
        yield whole
        return
    if told > _HELD:
        # It counts whole or not at all; now that all of it can be read, a part at a time is held.
        records = iter(decode(data))
        whole.records.clear()
        while len(some := list(islice(records, _HELD))) == _HELD:
            yield Chunk(0, records=some)
        whole.records += some
    whole.skipped = int(not told)
    yield whole


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
        total = 0
        while data := handle.read(_BLOCK):
            total = crc32(data, total)
        handle.seek(max(0, size - LAST))
        yield Chunk(size, number, last=handle.read(), sum=total)


def _packed(path: Path) -> bool:
    with path.open("rb") as handle:
        return packed(handle.read(6))


def chunks(
    handle: BinaryIO, decode: Decode, place: Place | None = None, *, grows: bool = True
) -> Iterator[Chunk]:
    """Yield what a file's lines hold: some at first, then some thousand lines at once.

    A last line without an end is read if it can be, in a chunk of its own: it may be all there is,
    or somebody is still writing it.

    Args:
        handle: The file, opened.
        decode: What reads a line.
        place: Where to begin; `None` at the beginning.
        grows: Whether somebody may be writing it: nobody goes on with a compressed line.
    """
    start, line, total = (place.upto, place.line, place.sum) if place is not None else (0, 1, 0)
    if start:
        skip(handle, start)
    chunk = Chunk(start, line)
    wanted = _FEW
    while read := handle.readline(LONGEST + 1):
        size, last, total = _whole(handle, read, total)
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
        chunk.last, chunk.ended, chunk.sum = last[-LAST:], ended, total
        if ended:
            chunk.sums.append(total)
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
    if _ZEROS in line:
        # Where a machine lost power, a log goes on after zeros that nobody wrote over.
        torn, _, line = line.rpartition(_ZEROS)
        line = line.lstrip(b"\0")
        if torn := torn.strip(b"\0"):
            chunk.lines += 1
            why = "the line breaks off in zeros, as after a loss of power"
            chunk.bad.append(Bad(chunk.line, chunk.upto, why, torn[:_KEPT]))
    held = len(chunk.records)
    try:
        chunk.records += decode(line)
    except (BadRecordError, RecursionError) as error:
        # A line counts whole or not at all.
        del chunk.records[held:]
        return Bad(chunk.line, chunk.upto, _why(error), line[:_KEPT])
    chunk.skipped += len(chunk.records) == held
    return None


def _why(error: Exception) -> str:
    return "it nests too deeply" if isinstance(error, RecursionError) else str(error)


def _whole(handle: BinaryIO, line: bytes, total: int) -> tuple[int, bytes, int]:
    """Return how many bytes a line has, its last ones, and the CRC after it; read on to its end."""
    size, last, total = len(line), line, crc32(line, total)
    if size > LONGEST:
        while not last.endswith(b"\n") and (more := handle.readline(LONGEST)):
            size, total = size + len(more), crc32(more, total)
            last = (last + more)[-LAST:]
    return size, last, total


def skip(handle: BinaryIO, start: int) -> None:
    """Move on by some bytes from where a file begins."""
    if handle.seekable():
        handle.seek(start)
        return
    while start:
        start -= len(handle.read(min(start, 1 << 20))) or start
