"""Bytes on their way into the YAML parser, and where to go on after a document that is broken."""

import codecs
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

_CHUNK: Final = 1 << 16
_HEAD: Final = 4096
"""Bytes of a line that are looked at: a line of any length is passed over in bounded memory."""
_CONTROL_BYTES: Final = bytes(set(range(32)) - set(b"\t\n\r")) + b"\x7f"
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]"  # YAML 1.1, c-printable
)
_BREAK: Final = re.compile(rb"\r\n?|\n|\xc2\x85|\xe2\x80[\xa8\xa9]")
"""What YAML 1.1 takes for a line break, so that lines are counted as the parser counts them."""
_HALF_BREAK: Final = (b"\r", b"\xc2", b"\xe2", b"\xe2\x80")
_DOCUMENT: Final = re.compile(rb"---(?:[ \t\r\n]|$)")
_ACTION: Final = re.compile(rb"^\s*(?:-\s+)*(?:[\w./-]+:\s+)?\{\{|^\s*\{%")
"""A template action where YAML expects a value or a key; one inside quotes is plain text."""


class BadTextError(Exception):
    """Bytes that are no text; raised through the parser, caught by its caller.

    Args:
        what: What is wrong, for a message.
        line: 0-based line.
        column: 0-based column.
    """

    def __init__(self, what: str, line: int, column: int) -> None:
        super().__init__(what)
        self.what = what
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Resume:
    """A place in a stream where a parser may start: byte offset and 0-based line."""

    offset: int
    line: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at a broken document found.

    Args:
        resume: The next document, or None at the end of the stream.
        text: The line of the error.
        template: 0-based line and column of the template action that explains the error, if any.
    """

    resume: Resume | None
    text: str
    template: tuple[int, int] | None


class Chunks:
    """A stream for PyYAML that checks text before the parser buffers it.

    The parser would complain of a bad byte while it still has the documents before it in its
    buffer, and lose them. Here the good text goes out first.

    Args:
        handle: The bytes.
        start: Where to begin.
        consumed: Called with the offset reached.
    """

    __slots__ = ("_bad", "_consumed", "_handle", "_offset", "_start")

    def __init__(self, handle: BinaryIO, start: Resume, consumed: Callable[[int], None]) -> None:
        self._handle = handle
        self._start = start
        self._offset = start.offset
        self._consumed = consumed
        self._bad: tuple[str, int] | None = None
        handle.seek(start.offset)

    def read(self, size: int = -1) -> bytes:
        """Return the next piece of good text, empty at the end.

        Raises:
            BadTextError: The next byte is no text.
        """
        del size  # PyYAML keeps what it cannot use yet
        self._consumed(self._offset)
        if self._bad is None:
            data = self._handle.read(_CHUNK)
            if data.isascii() and len(data.translate(None, _CONTROL_BYTES)) == len(data):
                self._offset += len(data)
                return data
            good = self._checked(data)
            self._offset += len(good)
            if good:
                return good
        what, offset = self._bad or ("", 0)
        raise BadTextError(what, *position(self._handle, offset, self._start))

    def _checked(self, data: bytes) -> bytes:
        """Return the good text at the start of `data`, completed to a whole character."""
        for _ in range(3):
            try:
                codecs.utf_8_decode(data, "strict", False)
                if codecs.utf_8_decode(data, "strict", False)[1] == len(data):
                    break
            except UnicodeDecodeError:
                break
            data += self._handle.read(1)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            self._bad = (f"byte 0x{data[error.start]:02x} is not UTF-8", self._offset + error.start)
            data = data[: error.start]
            text = data.decode("utf-8")
        match = _UNPRINTABLE.search(text)
        if match:
            data = text[: match.start()].encode("utf-8")
            self._bad = (
                f"control character U+{ord(match[0]):04X} is not allowed",
                self._offset + len(data),
            )
        return data


def as_utf8(handle: BinaryIO) -> BinaryIO:
    """Return the stream as UTF-8; only UTF-16, which YAML allows, is converted, and in memory.

    Raises:
        BadTextError: The stream says it is UTF-16 and is not.
    """
    handle.seek(0)
    mark = handle.read(2)
    handle.seek(0)
    if mark not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return handle
    try:
        return io.BytesIO(handle.read().decode("utf-16").encode("utf-8"))
    except UnicodeError:
        raise BadTextError("the file starts as UTF-16 text but is not", 0, 0) from None


def resume_after(handle: BinaryIO, start: Resume, document: int, error: int) -> Found:
    """Look for the next document after a broken one.

    Args:
        handle: The stream.
        start: Where the parser that failed had started.
        document: 0-based line where the broken document starts.
        error: 0-based line of the error.
    """
    target = max(error, document + 1)
    text = ""
    template = None
    for number, (offset, head) in enumerate(_lines(handle, start.offset), start.line):
        if number >= target and _DOCUMENT.match(head):
            return Found(Resume(offset, number), text, template)
        if number == error:
            text = head.decode("utf-8", "replace")
        if template is None and document <= number <= error:
            match = _ACTION.search(head)
            at = match.end() - 2 if match else (head.find(b"{{") if number == error else -1)
            if at >= 0:
                template = (number, len(head[:at].decode("utf-8", "replace")))
    return Found(None, text, template)


def position(handle: BinaryIO, offset: int, start: Resume | None = None) -> tuple[int, int]:
    """Return the 0-based line and column of a byte offset that is not before `start`."""
    start = start or Resume(0, 0)
    line, line_offset, line_head = start.line, start.offset, b""
    for number, (begin, head) in enumerate(_lines(handle, start.offset), start.line):
        if begin > offset:
            break
        line, line_offset, line_head = number, begin, head
    before = line_head[: offset - line_offset]
    return line, len(before.decode("utf-8", "replace")) + (offset - line_offset - len(before))


def _lines(handle: BinaryIO, offset: int) -> Iterator[tuple[int, bytes]]:
    """Yield the offset and the first bytes of each line from `offset` on."""
    handle.seek(offset)
    head = b""
    begin = offset
    while chunk := handle.read(_CHUNK):
        for _ in range(3):
            if not chunk.endswith(_HALF_BREAK):
                break
            chunk += handle.read(1)
        done = 0
        for match in _BREAK.finditer(chunk):
            yield begin, head + chunk[done : min(match.start(), done + _HEAD)]
            head = b""
            done = match.end()
            begin = offset + done
        if len(head) < _HEAD:
            head += chunk[done : done + _HEAD]
        offset += len(chunk)
    yield begin, head
