"""Files known again by what they hold: rotated, renamed, compressed, cut off or grown since.

A file is the same input if it begins with the same bytes and has the same ones right before the
place up to which it was read. Its name says nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final

from cloison.flows.files import HEAD, LAST, opened, packed, skip
from cloison.flows.store.manifest import Counts, Input, Mark

_SURE: Final = 4096
"""Bytes in common after which a shorter file is a copy, and not one that begins alike."""

_MARKS: Final = 48


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a file.

    Args:
        input: The input it is; `None` for a new one.
        mark: Where to go on; `None` at the beginning.
        whole: Whether all of it has been read.
    """

    input: Input | None = None
    mark: Mark | None = None
    whole: bool = False


def digest(data: bytes) -> str:
    """Return what bytes are known again by."""
    return blake2b(data, digest_size=16).hexdigest()


def on_disk(path: Path) -> str:
    """Return a digest of a compressed file's ends and size; empty for any other."""
    with path.open("rb") as handle:
        start = handle.read(HEAD)
        if not packed(start):
            return ""
        size = handle.seek(0, 2)
        handle.seek(max(0, size - LAST))
        return digest(start + handle.read() + size.to_bytes(8, "big"))


def mark(start: bytes, upto: int, line: int, counts: Counts, last: bytes) -> Mark:
    """Return the mark of a place.

    Args:
        start: First bytes of the file: at least those before the place, or `files.HEAD`.
        upto: The place.
        line: Number of the line there.
        counts: What was read up to it.
        last: Bytes right before it.
    """
    return Mark(upto, line, counts, digest(start[:upto]), digest(last), len(last))


def thinned(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """Return marks of which there are not too many: early ones, some between, and the last."""
    if len(marks) <= _MARKS:
        return tuple(marks)
    # Those that are not twice as far as the one before are the first to go.
    kept = [marks[0]]
    for each in marks[1:-1]:
        if each.upto >= 2 * kept[-1].upto:
            kept.append(each)
    return (*kept, marks[-1])


def recognise(path: Path, start: bytes, inputs: Iterable[Input]) -> Known:
    """Return what is known of a file.

    Args:
        path: The file.
        start: Its first bytes, decompressed.
        inputs: What was read before.

    Raises:
        OSError: it cannot be read.
    """
    inputs = tuple(inputs)
    disk = on_disk(path)
    for each in inputs:
        if disk and each.disk == disk:
            return Known(each, each.marks[-1] if each.marks else None, whole=True)
    alike = _alike(start, inputs)
    if not alike:
        return Known()
    with opened(path) as handle:
        best = _furthest(handle, alike)
        if best is None:
            return Known()
        each, found = best
        ends = not handle.read(1)
    if found is each.marks[-1]:
        return Known(each, found)
    if ends or found.upto >= _SURE:
        # Shorter than what was read, and the same as far as it goes.
        return Known(each, found, whole=True)
    # It begins alike, and then differs: an input of its own, of which the beginning is counted.
    return Known(None, found)


def _alike(start: bytes, inputs: Sequence[Input]) -> list[tuple[Input, Mark]]:
    """Return the marks of inputs that begin as a file does, the nearest first."""
    digests: dict[int, str] = {}
    found = []
    for each in inputs:
        for place in each.marks:
            size = min(place.upto, HEAD)
            if size > len(start):
                continue
            if size not in digests:
                digests[size] = digest(start[:size])
            if digests[size] == place.head:
                found.append((each, place))
    # Of places that are as far, the one where reading can simply go on.
    return sorted(found, key=lambda row: (row[1].upto, row[1] is row[0].marks[-1], row[0].id))


def _furthest(handle: BinaryIO, alike: list[tuple[Input, Mark]]) -> tuple[Input, Mark] | None:
    """Return the furthest place at which a file still holds what was read; be there."""
    best = None
    for each, place in alike:
        begin = place.upto - place.size
        if handle.seekable():
            handle.seek(begin)
        else:
            skip(handle, begin - handle.tell())
        if digest(handle.read(place.size)) == place.last:
            best = (each, place)
    if best is not None:
        handle.seek(best[1].upto)
    return best
