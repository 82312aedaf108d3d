"""Files read into a store, from where an earlier run stopped."""

import lzma
import zlib
from array import array
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec

from cloison.base import QuestionError
from cloison.flows.answers import Ingested, Shared
from cloison.flows.files import HEAD, Chunk, cut, head, opened, pinned, skip
from cloison.flows.reader import Head, Options, Reader
from cloison.flows.readers import READERS, detect, reader
from cloison.flows.schema import Flow
from cloison.flows.store import lines
from cloison.flows.store.known import Known, digest, mark, on_disk, recognise, thinned
from cloison.flows.store.manifest import Counts, Input, Part
from cloison.flows.store.writer import Writer

AT_ONCE: Final = 200_000
"""Rows that are gathered before they are committed."""

GONE: Final = "is gone: it was renamed or removed meanwhile"
"""What is wrong with a file that is not there any more."""

_DAMAGE: Final = (OSError, EOFError, zlib.error, lzma.LZMAError)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a user says about the files.

    Args:
        reader: Name of the reader; `None` for whichever suits a file.
        options: What the reader is told.
        at_once: Rows that are gathered before they are committed.
    """

    reader: str | None = None
    options: Options = field(default_factory=Options)
    at_once: int = AT_ONCE


Told = Callable[[int], None]
"""Is told how many more bytes of a file, decompressed, have been read."""


def ingest(
    writer: Writer,
    path: Path,
    wanted: Wanted,
    told: Told = lambda _: None,
    name: str | None = None,
) -> Ingested:
    """Read a file into a store, committing as it goes.

    Args:
        writer: The store.
        path: The file.
        wanted: What the user says about it.
        told: Is told of progress.
        name: What to call it; `None` for its path.

    Raises:
        QuestionError: there is no such reader, or it was read with another one or with other
            options, and is counted already.
    """
    if wanted.reader is not None and wanted.reader not in READERS:
        msg = f"{wanted.reader!r} is no reader"
        raise QuestionError(msg, f"readers are {', '.join(READERS)}")
    shown = name or str(path)
    with ExitStack() as stack:
        try:
            held = stack.enter_context(pinned(path))
        except FileNotFoundError:
            return Ingested(shown, None, problem=GONE)
        except OSError as error:
            return Ingested(shown, None, problem=f"cannot be read: {_why(error)}")
        return _ingest(writer, held, wanted, told, shown)


def _ingest(writer: Writer, path: Path, wanted: Wanted, told: Told, name: str) -> Ingested:
    try:
        start = head(path, Path(name).name)
        counted = filter(_counts, writer.manifest.inputs)
        known = recognise(path, start.data, counted, writer.store)
        # What gave nothing is read anew: perhaps the reader or its options were the wrong ones.
        fruitless = (each for each in writer.manifest.inputs if not _counts(each))
        again = None
        if known.input is None:
            again = recognise(path, start.data, fruitless, writer.store).input
        disk = on_disk(path)
    except _DAMAGE as error:
        return Ingested(name, None, problem=f"cannot be read: {_why(error)}")
    if not start.data:
        return Ingested(name, None, problem="is empty")
    chosen, sure, others = _chosen(start, known, wanted)
    if chosen is None:
        return Ingested(name, None, problem="no reader suits it; name one with --reader")
    if known.input is not None and chosen.name != known.input.reader:
        msg = f"{name} was read as {known.input.reader} before, and is counted already"
        raise QuestionError(msg, "read it into another store with --store")
    if known.input is not None and known.input.told != told_of(wanted.options):
        msg = f"{name} was read with other options before, and is counted already"
        raise QuestionError(msg, "give the same --cluster, --map and --format, or another --store")
    before = known.input.counts if known.input is not None else Counts()
    found = Ingested(name, chosen.name, sure, others, before=before)
    if known.whole:
        return found
    if chosen.framing != "lines" and known.mark is not None:
        if known.input is not None and _ends(path, known.mark.upto):
            return found
        # A document that differs is another one.
        known, found = Known(), replace(found, before=Counts())
    if known.like is not None and known.mark is not None:
        if (known.like.reader, known.like.told) == (chosen.name, told_of(wanted.options)):
            shared = Shared(known.like.path, known.mark.line - 1, known.unsure)
            found = replace(found, shared=shared)
        else:
            # What was read otherwise tells of something else.
            known = Known()
    run = _Run(writer, (path, name), start, known, chosen.name, wanted, told, again)
    try:
        for chunk in cut(path, chosen, start, wanted.options, known.mark):
            run.take(chunk, whole=chosen.framing != "lines")
    except _DAMAGE as error:
        # A document counts whole or not at all.
        run.end("", keep=chosen.framing == "lines")
        return replace(found, new=run.new, problem=f"is damaged: {_why(error)}")
    run.end(disk)
    return replace(found, new=run.new)


class _Run:
    """A file that is being read.

    Args:
        writer: The store.
        place: The file, and what it is called.
        start: How it begins.
        known: What is known of it.
        name: What reads it.
        wanted: What the user says about it.
        told: Is told of progress.
        again: The input it was when it gave nothing, if it is read anew.
    """

    def __init__(
        self,
        writer: Writer,
        place: tuple[Path, str],
        start: Head,
        known: Known,
        name: str,
        wanted: Wanted,
        told: Told,
        again: Input | None,
    ) -> None:
        self._writer = writer
        self._path, path = place
        self._start = start.data
        self._name = name
        self._at_once = wanted.at_once
        self._told = told
        self._before = known.input.counts if known.input is not None else Counts()
        self._without: tuple[Part, ...] = ()
        marks = (msgspec.structs.replace(known.mark, counts=Counts()),) if known.mark else ()
        number = max((each.id for each in writer.manifest.inputs), default=0) + 1
        number = again.id if again is not None else number
        self.input = Input(number, path, name, marks, told=told_of(wanted.options))
        if again is not None:
            self._without = writer.recall(again.id)
        if known.input is not None:
            self.input = msgspec.structs.replace(known.input, path=path, open=Counts())
            number = known.input.id
            parts = writer.manifest.parts
            # The last line had no end then; it is read anew.
            self.input = msgspec.structs.replace(self.input, rest=(0, 0))
            self._without = tuple(part for part in parts if part.input == number)
        last = self.input.marks[-1] if self.input.marks else None
        if last is not None:
            self._look_back(known, last.line - 1)
        self._upto, self._sofar = (last.upto, last.counts) if last else (0, Counts())
        self._changed = bool(self._without)

    @property
    def new(self) -> Counts:
        """What this run has added so far."""
        return self.input.counts - self._before

    def take(self, chunk: Chunk, *, whole: bool) -> None:
        """Add what a chunk holds, and commit if it is enough."""
        flows = sum(isinstance(each, Flow) for each in chunk.records)
        others = len(chunk.records) - flows
        counts = Counts(chunk.lines, flows, others, len(chunk.bad), chunk.skipped)
        self._writer.reject(chunk.bad, self.input)
        if chunk.ended:
            self._writer.add(chunk.records, self._name)
            self._sofar += counts
            if chunk.upto:
                at = (chunk.upto, chunk.line, chunk.sum)
                place = mark(self._head(chunk), at, self._sofar, chunk.last)
                marks = thinned((*self.input.marks, place))
                self.input = msgspec.structs.replace(self.input, marks=marks)
            if chunk.sums:
                self._summed(chunk.sums, chunk.line - 1 - len(chunk.sums))
        else:
            self._writer.add(chunk.records, self._name, open_of=self.input.id)
            rest = (chunk.upto - self._upto, chunk.sum)
            self.input = msgspec.structs.replace(self.input, open=counts, rest=rest)
        self._told(chunk.upto - self._upto)
        self._upto = chunk.upto
        self._changed = True
        if self._writer.rows >= self._at_once:
            if whole:
                self._writer.flush()
            else:
                self._commit()

    def _look_back(self, known: Known, line: int) -> None:
        """Have the checksums of the lines that were read before, if only since now."""
        held = lines.held(self._writer.store, self.input.id) if known.input is not None else 0
        if not self.input.steps or held < line:
            sums = lines.summed(self._path, line)
            self.input = msgspec.structs.replace(self.input, steps=())
            self._summed(sums, 0)

    def _summed(self, sums: "array[int]", first: int) -> None:
        """Keep the checksums of lines."""
        self._writer.summed(self.input.id, first, sums)
        steps = lines.steps(sums, self.input.steps, first)
        self.input = msgspec.structs.replace(self.input, steps=steps)

    def end(self, disk: str, *, keep: bool = True) -> None:
        """Commit the rest.

        Args:
            disk: Digest of the file as it is on disk, where that is compressed.
            keep: Whether what was read counts.
        """
        if not keep:
            self._writer.forget()
            return
        if self._changed or self.input.disk != disk:
            self.input = msgspec.structs.replace(self.input, disk=disk)
            self._commit()

    def _commit(self) -> None:
        self._writer.commit(self.input, without=self._without)
        self._without = ()
        self._changed = False

    def _head(self, chunk: Chunk) -> bytes:
        """Return the file's first bytes; it may have grown since they were read."""
        if len(self._start) < min(chunk.upto, HEAD):
            self._start = head(self._path).data
        return self._start


def told_of(options: Options) -> str:
    """Return what options are known again by; empty where none is given."""
    if options == Options():
        return ""
    said = (options.cluster, sorted(options.mapping.items()), options.format)
    return digest(msgspec.json.encode(said))


def _counts(known: Input) -> bool:
    """Return whether an input told of anything."""
    return bool(known.counts.flows or known.counts.others)


def _ends(path: Path, upto: int) -> bool:
    """Return whether a file ends at a place."""
    with opened(path) as handle:
        skip(handle, upto)
        return not handle.read(1)


def _chosen(
    start: Head, known: Known, wanted: Wanted
) -> tuple[Reader | None, float, tuple[tuple[str, float], ...]]:
    """Return the reader of a file, how sure it is, and which others it might be."""
    rated = detect(start)
    if wanted.reader is not None:
        return reader(wanted.reader), 1.0, ()
    if known.input is not None:
        return reader(known.input.reader), 1.0, ()
    if not rated:
        return None, 0.0, ()
    (sure, first), *rest = rated
    return first, sure, tuple((each.name, rate) for rate, each in rest)


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
