"""Files known again by what they hold: rotated, renamed, compressed, cut off or grown since.

A file is an input that was read if it begins with every byte that was read of it. Its name says
nothing. A file that agrees with an input up to some line, and then ends, is a shorter copy. One
that goes on differently is an input of its own, of which the lines in common are counted already.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final
from zlib import crc32

import msgspec

from cloison.flows.files import HEAD, LAST, opened, packed
from cloison.flows.store.lines import Lines, read, total
from cloison.flows.store.manifest import Counts, Input, Mark

_MARKS: Final = 48


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a file.

    Args:
        input: The input it is; `None` for a new one.
        mark: Where to go on; `None` at the beginning.
        whole: Whether all of it has been read.
        like: Of a new one, the input of which it has all lines before `mark`.
        unsure: How many lines from there on may be counted already.
    """

    input: Input | None = None
    mark: Mark | None = None
    whole: bool = False
    like: Input | None = None
    unsure: int = 0


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


def mark(start: bytes, place: tuple[int, int, int], counts: Counts, last: bytes) -> Mark:
    """Return the mark of a place.

    Args:
        start: First bytes of the file: at least those before the place, or `files.HEAD`.
        place: Where it is, the number of the line there, and the CRC of everything before it.
        counts: What was read up to it.
        last: Bytes right before it.
    """
    upto, line, sum_ = place
    return Mark(upto, line, counts, digest(start[:upto]), digest(last), len(last), sum_)


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


def recognise(path: Path, start: bytes, inputs: Iterable[Input], store: Path) -> Known:
    """Return what is known of a file.

    Args:
        path: The file.
        start: Its first bytes, decompressed.
        inputs: What was read before.
        store: The store.

    Raises:
        OSError: it cannot be read.
    """
    inputs = tuple(each for each in inputs if each.marks)
    disk = on_disk(path)
    for each in inputs:
        if disk and each.disk == disk:
            return Known(each, each.marks[-1], whole=True)
    if not start or not inputs:
        return Known()
    with opened(path) as handle:
        grown = _grown(handle, start, inputs, compressed=bool(disk))
        if grown is not None:
            return grown
        known = _in_common(handle, start, inputs, store)
        # Of what an earlier version of this program read there are marks only.
        old = _marked(handle, start, [each for each in inputs if each.marks[-1].sum == -1])
    return old if old.mark and (not known.mark or old.mark.upto > known.mark.upto) else known


def _grown(
    handle: BinaryIO, start: bytes, inputs: Sequence[Input], *, compressed: bool
) -> Known | None:
    """Return what is known of a file that begins with all that was read of an input."""
    for each, place in reversed(_alike(start, [(each, each.marks[-1]) for each in inputs])):
        if not _found(handle, place):
            continue
        handle.seek(0)
        sum_ = total(handle, place.upto)
        if place.sum not in (-1, sum_):
            continue
        here = msgspec.structs.replace(place, sum=sum_)
        size, rest = each.rest
        if not size:
            return Known(each, here)
        # Its last line had no end, and is read anew where it still begins so.
        data = handle.read(size)
        if not data:
            return Known(each, here, whole=True)
        if len(data) == size and crc32(data, sum_) == rest:
            return Known(each, here, whole=not compressed and not handle.read(1))
    return None


def _in_common(handle: BinaryIO, start: bytes, inputs: Sequence[Input], store: Path) -> Known:
    """Return what is known of a file by the lines it has in common with inputs."""
    handle.seek(0)
    own, far = Lines(handle), 0
    best: list[Input] = []
    left = [each for each in inputs if each.steps]
    while left and own.to(1 << far):
        sum_ = own.sums[(1 << far) - 1]
        left = [each for each in left if len(each.steps) > far and each.steps[far] == sum_]
        if left:
            best, far = left, far + 1
    if not best:
        return Known()
    # They agree up to line 1, 2, 4 ..., and differ or end before twice as many.
    agreed = 1 << (far - 1)
    own.to(2 * agreed - 1)
    line, unsure, each = max(
        ((*_agreed(own, agreed, each, store), each) for each in best),
        key=lambda row: (row[0], -row[1], -row[2].id),
    )
    if not unsure and own.ends(line):
        return Known(each, each.marks[-1], whole=True)
    upto = own.at(line)
    size = min(upto, LAST)
    handle.seek(upto - size)
    place = (upto, line + 1, own.sums[line - 1])
    return Known(None, mark(start, place, Counts(), handle.read(size)), like=each, unsure=unsure)


def _agreed(own: Lines, line: int, each: Input, store: Path) -> tuple[int, int]:
    """Return up to which line a file is an input, and of how many more that is not known.

    Args:
        own: The file.
        line: A line up to which it is.
        each: The input.
        store: The store.
    """
    last = min(len(own.sums), each.lines)
    sums = read(store, each.id, line, last)
    # From the first line that differs on they never agree again.
    low, high = 0, len(sums)
    while low < high:
        middle = (low + high + 1) // 2
        if sums[middle - 1] == own.sums[line + middle - 1]:
            low = middle
        else:
            high = middle - 1
    line += low
    if low < len(sums):
        return line, 0
    for place in each.marks:
        told = place.line - 1
        if place.sum == -1 or not line < told <= last:
            continue
        if own.sums[told - 1] != place.sum:
            return line, told - 1 - line
        line = told
    return line, last - line


def _marked(handle: BinaryIO, start: bytes, inputs: Sequence[Input]) -> Known:
    """Return what is known of a file by the marks of inputs of which nothing else is known."""
    places = [(each, place) for each in inputs for place in each.marks]
    for each, place in reversed(_alike(start, places)):
        if not _found(handle, place):
            continue
        handle.seek(0)
        here = msgspec.structs.replace(place, sum=total(handle, place.upto), counts=Counts())
        if not handle.read(1):
            return Known(each, here, whole=True)
        after = [other.line for other in each.marks if other.line > place.line]
        unsure = after[0] - place.line if after else 0
        return Known(None, here, like=each, unsure=unsure)
    return Known()


def _alike(start: bytes, places: Iterable[tuple[Input, Mark]]) -> list[tuple[Input, Mark]]:
    """Return the places of inputs that begin as a file does, the nearest first."""
    digests: dict[int, str] = {}
    found = []
    for each, place in places:
        size = min(place.upto, HEAD)
        if size > len(start):
            continue
        if size not in digests:
            digests[size] = digest(start[:size])
        if digests[size] == place.head:
            found.append((each, place))
    # Of places that are as far, the one where reading can simply go on.
    return sorted(found, key=lambda row: (row[1].upto, row[1] is row[0].marks[-1], row[0].id))


def _found(handle: BinaryIO, place: Mark) -> bool:
    """Return whether a file has the same bytes right before a place."""
    handle.seek(place.upto - place.size)
    return digest(handle.read(place.size)) == place.last
