"""Large JSON Lists, item by item, without reading what is in the items.

`msgspec` cuts the List into raw items; the items point into the mapped file. Where an item stands
is found by walking over the blanks and commas between the items, whose lengths are known.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

import msgspec

from cloison.base import Diagnostic, Severity, Span
from cloison.resources.documents import Document, Node, RawObject
from cloison.sources import faults
from cloison.sources.json import documents
from cloison.sources.lists import MAX_LIST_DEPTH, completed, is_list, item_fault, item_kind

_BLANKS: Final = re.compile(rb"[ \t\n\r]*")
_KEY: Final = re.compile(rb'[ \t\n\r,{]*("(?:[^"\\]|\\.)*")[ \t\n\r]*:[ \t\n\r]*')
_BYTE: Final = re.compile(r" \(byte (\d+)\)")
_CONTINUATION: Final = bytes(range(0x80, 0xC0))
_COMPARED: Final = 4096
_SLICE: Final = 1 << 20

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])
_text = msgspec.json.Decoder(str)


class _Header(msgspec.Struct):
    """What tells a reader which type an item has."""

    api_version: object = msgspec.field(default=None, name="apiVersion")
    kind: object = None


_header = msgspec.json.Decoder(_Header)


class NotBulkError(Exception):
    """The input is no List that could be read in bulk: the other reader's turn.

    Args:
        why: What it is, for a message.
        offset: Byte offset of the trouble, if it is at a place.
    """

    def __init__(self, why: str, offset: int = 0) -> None:
        super().__init__(why)
        self.why = why
        self.offset = offset


class Cursor:
    """Counts lines and columns while moving forward over bytes.

    Args:
        data: The bytes.
        line: 1-based line of the first byte.
        column: 1-based column of the first byte.
    """

    __slots__ = ("column", "data", "line", "offset")

    def __init__(self, data: memoryview, line: int = 1, column: int = 1) -> None:
        self.data = data
        self.offset = 0
        self.line = line
        self.column = column

    def move(self, offset: int) -> None:
        """Move forward to a byte offset."""
        while self.offset < offset:
            piece = bytes(self.data[self.offset : min(offset, self.offset + _SLICE)])
            breaks = piece.count(b"\n")
            if breaks:
                self.line += breaks
                self.column = 1
            rest = piece[piece.rfind(b"\n") + 1 :]
            # Columns count characters, and only the first byte of one is no continuation byte.
            self.column += len(rest if rest.isascii() else rest.translate(None, _CONTINUATION))
            self.offset += len(piece)

    def skip(self, pattern: re.Pattern[bytes]) -> None:
        """Move over what a pattern matches here."""
        match = pattern.match(self.data, self.offset)
        if match:
            self.move(match.end())


def objects(
    data: memoryview,
    file: str,
    consumed: Callable[[int], None] = lambda _: None,
) -> Iterator[RawObject | Diagnostic]:
    """Yield the items of a JSON List.

    A key that an item repeats is not reported here: the bulk decoder takes the last, silently.

    Args:
        data: The whole input. It must stay valid as long as any item is in use.
        file: Its name in diagnostics.
        consumed: Called with the byte offset reached.

    Raises:
        NotBulkError: The input is not one well-formed object with `kind`, `apiVersion` and `items`.
            Raised before anything is yielded.
    """
    members = _split(data)
    return _list_items(members, Cursor(data), file, 0, consumed)


class _List(msgspec.Struct, frozen=True):
    """What the items of a List share: its file, version and kind, and how deep it stands."""

    file: str
    api_version: str
    kind: str
    depth: int


def _split(data: memoryview) -> Mapping[str, msgspec.Raw]:
    """Return the members of the List, checked to be one."""
    try:
        members = _members.decode(data)
    except msgspec.ValidationError as error:
        raise NotBulkError(str(error)) from None
    except msgspec.DecodeError as error:
        place = _BYTE.search(str(error))
        what = str(error).removeprefix("JSON is malformed: ")
        raise NotBulkError(_BYTE.sub("", what), int(place[1]) if place else 0) from None
    except UnicodeDecodeError:
        raise NotBulkError("bytes that are not UTF-8") from None
    except RecursionError:
        raise NotBulkError("nested too deeply") from None
    if not is_list(_named(members, "kind")) or not _named(members, "apiVersion"):
        raise NotBulkError("not a List")
    items = members.get("items")
    if items is None or bytes(memoryview(items)[:1]) != b"[":
        raise NotBulkError("a List without `items`")
    if not _to_items(Cursor(data), members):
        raise NotBulkError("a key of the List is repeated")
    return members


def _named(members: Mapping[str, msgspec.Raw], name: str) -> str:
    """Return a member that is text, or nothing."""
    try:
        return _text.decode(members[name])
    except (KeyError, msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _list_items(
    members: Mapping[str, msgspec.Raw],
    cursor: Cursor,
    file: str,
    depth: int,
    consumed: Callable[[int], None],
) -> Iterator[RawObject | Diagnostic]:
    """Yield the items of a List whose members are known; `cursor` stands at its start."""
    this = _List(file, _named(members, "apiVersion"), _named(members, "kind"), depth)
    _to_items(cursor, members)
    cursor.move(cursor.offset + 1)
    for item in _items.decode(members["items"]):
        cursor.skip(_BLANKS)
        start = cursor.offset
        view = memoryview(item)
        yield from _item(view, cursor.line, cursor.column, this)
        cursor.move(start + len(view))
        cursor.skip(_BLANKS)
        cursor.move(cursor.offset + 1)
        consumed(cursor.offset)


def _to_items(cursor: Cursor, members: Mapping[str, msgspec.Raw]) -> bool:
    """Move to the value of `items`, over the members before it. False when a key is repeated."""
    seen = set()
    while match := _KEY.match(cursor.data, cursor.offset):
        name = _text.decode(match[1])
        value = memoryview(members[name])
        here = cursor.data[match.end() : match.end() + len(value)]
        if name in seen or here[:_COMPARED] != value[:_COMPARED] or len(here) != len(value):
            return False
        seen.add(name)
        cursor.move(match.end())
        if name == "items":
            return True
        cursor.move(match.end() + len(value))
    return False


def _item(
    view: memoryview, line: int, column: int, this: _List
) -> Iterator[RawObject | Diagnostic]:
    """Yield what one item stands for."""
    span = Span(this.file, line, column)
    try:
        header = _header.decode(view)
    except msgspec.ValidationError:
        again = _read_again(view, line, column, this)
        fault = item_fault(this.file, again) if isinstance(again, Node) else again
        if fault is not None:
            yield fault
        return
    except (msgspec.DecodeError, UnicodeDecodeError):
        yield _not_text(span)
        return
    except RecursionError:
        yield faults.too_deep(span, 100)
        return
    kind = header.kind or item_kind(this.kind)
    version = header.api_version or (this.api_version if item_kind(this.kind) else "")
    if not (isinstance(kind, str) and kind):
        yield faults.list_item(span, "it has no `kind`")
    elif not (isinstance(version, str) and version):
        yield faults.list_item(span, "it has no `apiVersion`")
    elif is_list(kind) and (inner := _inner(view)):
        if this.depth + 1 >= MAX_LIST_DEPTH:
            yield faults.lists_too_deep(span, MAX_LIST_DEPTH)
            return
        cursor = Cursor(view, line, column)
        yield from _list_items(inner, cursor, this.file, this.depth + 1, lambda _: None)
    else:
        found: list[Diagnostic] = []
        locate = partial(_locate, view, line, column, this, found)
        yield RawObject(this.file, line, column, version, kind, view, locate)
        yield from found


def _inner(view: memoryview) -> Mapping[str, msgspec.Raw] | None:
    try:
        return _split(view)
    except NotBulkError:
        return None


def _locate(
    view: memoryview, line: int, column: int, this: _List, faults_found: list[Diagnostic]
) -> Document:
    """Read one item again, with the position of everything in it.

    What passed the bulk decoder may be refused all the same: nested too deeply, a number out of
    range, bytes that are no text. Then the item comes back with nothing but its version and kind,
    and the reason goes to `faults_found`, which whoever reads the List is given next.
    """
    found = _read_again(view, line, column, this)
    if isinstance(found, Node):
        return Document(this.file, completed(found, this.api_version, item_kind(this.kind)))
    faults_found.append(found)
    header = _header.decode(view)
    said = {
        "apiVersion": header.api_version or this.api_version,
        "kind": header.kind or item_kind(this.kind),
    }
    members = {key: Node(str(text), line, column) for key, text in said.items()}
    return Document(this.file, Node(members, line, column))


def _read_again(view: memoryview, line: int, column: int, this: _List) -> Node | Diagnostic:
    """Return an item as a located node, or why it is refused."""
    try:
        text = str(view, "utf-8")
    except UnicodeDecodeError:
        return _not_text(Span(this.file, line, column))
    found = documents(text, this.file, line=line, column=column)
    return next(one for one in found if isinstance(one, Node) or one.severity is Severity.ERROR)


def _not_text(span: Span) -> Diagnostic:
    return faults.unreadable_text(span, "this item holds bytes that are not UTF-8")
