"""From files, directories and standard input to objects."""

import codecs
import errno
import io
import mmap
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import BinaryIO, Final

from cloison.base import Diagnostic, SourceError, Span
from cloison.resources.documents import Document, Node, RawObject
from cloison.sources import faults, yaml
from cloison.sources.inputs import OWN_GROUP, Input, Rendering
from cloison.sources.lists import Sorter
from cloison.sources.progress import Meter, Progress, Silent
from cloison.sources.text import position
from cloison.sources.tools import spool
from cloison.sources.walk import Sources, inputs

BULK_FROM: Final = 2 << 20
"""Bytes from which a JSON List is read item by item instead of as located nodes."""
LARGEST_LOCATED: Final = 32 << 20
"""Bytes of JSON that are read as located nodes at most: those take ten times the input."""
_LFS: Final = b"version https://git-lfs.github.com/spec/"
_HEAD: Final = 4096
_COPY: Final = 1 << 20

Item = Document | RawObject | Diagnostic


def read(
    names: Sequence[str],
    *,
    stdin: BinaryIO | None = None,
    progress: Progress | None = None,
    bulk_from: int = BULK_FROM,
    anything: bool = False,
    rendering: Rendering | None = None,
) -> Iterator[Item]:
    """Read the objects behind `names`, one after the other.

    Args:
        names: Files, directories (read recursively: `.yaml`, `.yml`, `.json`; hidden directories
            are skipped; those with a chart or a kustomization are rendered), `git:REV[:PATH]`
            and `-` for standard input. A file that two names reach is read once.
        stdin: What `-` reads; the process's own by default.
        progress: Told how many bytes have been consumed.
        bulk_from: Size in bytes from which a JSON List is read in bulk.
        anything: Also return mappings that are no Kubernetes objects, for files of other kinds
            that the caller knows how to read.
        rendering: How to render charts and kustomizations.

    Returns:
        Objects in the order in which they are written, files in sorted order, and diagnostics
        among them. Each YAML document is released when the next is asked for. The bytes of
        `RawObject`s stay valid as long as any of them is in use.

    Raises:
        SourceError: A name does not exist or cannot be read; before anything is read, except
            for directories that turn out not to render.
    """
    found = inputs(names, rendering)
    return _read_all(found, stdin, progress or Silent(), bulk_from, anything=anything)


def _read_all(
    found: Sources,
    stdin: BinaryIO | None,
    progress: Progress,
    bulk_from: int,
    *,
    anything: bool,
) -> Iterator[Item]:
    sizes = [
        one.size if isinstance(one, Input) else None
        for one in found.entries
        if not isinstance(one, Diagnostic)
    ]
    known = [size for size in sizes if size is not None]
    progress.start(sum(known) if len(known) == len(sizes) else None)
    try:
        for one in found.entries:
            with ExitStack() as stack:
                made = [one] if isinstance(one, Input | Diagnostic) else one.inputs(stack)
                for each in made:
                    if isinstance(each, Diagnostic):
                        yield each
                        continue
                    items = _read_one(each, stdin, Meter(progress), bulk_from, anything=anything)
                    yield from _own(items) if each.own else items
    finally:
        found.close()
        progress.finish()


def _own(items: Iterator[Item]) -> Iterator[Item]:
    """Yield what is of Cloison's own kinds, and nothing about the rest."""
    for item in items:
        if isinstance(item, Document):
            version = item.root.get("apiVersion")
            if version is not None and str(version.value).startswith(OWN_GROUP):
                yield item


def _standard_input() -> BinaryIO:
    """Return standard input; a process may have been started without one.

    Raises:
        OSError: There is none.
    """
    if sys.stdin is None:
        raise OSError(errno.EBADF, "it is closed")
    return sys.stdin.buffer


def _read_one(
    source: Input, stdin: BinaryIO | None, meter: Meter, bulk_from: int, *, anything: bool
) -> Iterator[Item]:
    """Read one file, or standard input."""
    with ExitStack() as stack:
        try:
            if source.content is not None:
                handle = source.content(stack)
            elif source.path is None:
                handle = _seekable(stdin or _standard_input(), stack)
            else:
                opened = stack.enter_context(source.path.open("rb"))
                handle = opened if source.size is not None else _seekable(opened, stack)
            handle.seek(0)
            head = handle.read(_HEAD)
            size = handle.seek(0, io.SEEK_END)
        except OSError as error:
            why = error.strerror or "input or output error"
            if source.named:
                message = f"cannot read {source.shown}: {why}"
                raise SourceError(message, "check its permissions") from None
            yield faults.unreadable_file(Span(source.shown, 1), why)
            return
        if source.content is not None and head.startswith(_LFS):
            yield faults.stored_elsewhere(Span(source.shown, 1))
            return
        sorter = Sorter(source.shown, anything=anything)
        starts_json = head.removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"{"
        if source.says_json or starts_json:
            yield from _json(handle, source, sorter, meter, bulk_from)
        else:
            yield from _yaml(handle, source, sorter, meter)
        yield from sorter.finish()
        meter.at(size)


def _yaml(handle: BinaryIO, source: Input, sorter: Sorter, meter: Meter) -> Iterator[Item]:
    for found in yaml.documents(handle, source.shown, consumed=meter.at):
        if isinstance(found, Node):
            yield from sorter.sort(found)
        else:
            yield found


def _json(
    handle: BinaryIO, source: Input, sorter: Sorter, meter: Meter, bulk_from: int
) -> Iterator[Item]:
    from cloison.sources import bulk, json  # noqa: PLC0415 - most manifests are YAML

    size = handle.seek(0, io.SEEK_END)
    if size == 0:
        return
    if size > bulk_from:
        data = _mapped(handle)
        try:
            yield from bulk.objects(data, source.shown, meter.at)
        except bulk.NotBulkError as error:
            if size > LARGEST_LOCATED:
                at = position(handle, error.offset)
                span = Span(source.shown, at[0] + 1, at[1] + 1)
                yield faults.too_large(span, error.why, LARGEST_LOCATED)
                return
        else:
            sorter.saw_objects()
            return
    handle.seek(0)
    data_read = handle.read()
    try:
        text = data_read.decode(_encoding(data_read))
    except UnicodeDecodeError as error:
        at = position(handle, error.start)
        what = f"byte 0x{data_read[error.start]:02x} is not UTF-8"
        yield faults.unreadable_text(Span(source.shown, at[0] + 1, at[1] + 1), what)
        return
    del data_read
    # What is not JSON may still be YAML in braces, or JSON documents with `---` between them.
    if (not source.says_json or "\n---" in text) and not json.parses(text):
        yield from _yaml(handle, source, sorter, meter)
        return
    for found in json.documents(text, source.shown):
        if isinstance(found, Node):
            yield from sorter.sort(found)
        else:
            yield found


def _encoding(data: bytes) -> str:
    """Return the encoding of JSON text: UTF-8, or what its byte order mark says."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


def _seekable(stream: BinaryIO, stack: ExitStack) -> BinaryIO:
    """Return a stream that can go back: a copy, in memory unless it is large."""
    copy = spool(stack)
    while piece := stream.read(_COPY):
        copy.write(piece)
    return copy


def _mapped(handle: BinaryIO) -> memoryview:
    """Return the bytes of a stream, mapped where it is a file so that they are not copied."""
    try:
        descriptor = handle.fileno()  # a copy of standard input moves to a file for this
    except (OSError, io.UnsupportedOperation):
        handle.seek(0)
        return memoryview(handle.read())
    return memoryview(mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ))
