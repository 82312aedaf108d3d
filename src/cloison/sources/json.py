"""JSON documents as located nodes, through the standard library's own scanner.

For input of moderate size; `bulk` reads the large Lists. The scanner calls our `parse_object` and
`parse_array`, which note where each value starts.
"""

import json
import math
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]
from json.scanner import py_make_scanner  # type: ignore[attr-defined]
from typing import Any, Final, TypeAlias

from cloison.base import Diagnostic, Span
from cloison.resources.documents import Node, Value
from cloison.sources import faults

MAX_DEPTH: Final = 100
"""Levels of nesting, as in YAML."""
_BLANKS: Final = re.compile(r"[ \t\n\r]*")
_SURROGATE_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_LINE: Final = re.compile(r"\n")
_LONGEST_INTEGER: Final = 400
"""Digits beyond which a number is no float64 either."""
_INT64: Final = range(-(2**63), 2**63)

_Scan: TypeAlias = Callable[[str, int], tuple[Any, int]]


def documents(
    text: str, file: str, *, line: int = 1, column: int = 1
) -> Iterator[Node | Diagnostic]:
    """Yield the root of each JSON document in `text`; several may follow one another.

    Args:
        text: The JSON.
        file: Its name in diagnostics.
        line: 1-based line of the first character.
        column: 1-based column of the first character.
    """
    decoder = _LocatedDecoder(text, file, line, column)
    position = _skip(text, 0)
    while position < len(text):
        start = position
        try:
            value, position = decoder.scan_once(text, position)
        except _RefusedError as refused:
            yield refused.diagnostic
            return
        except StopIteration as stop:
            yield faults.broken_json(decoder.span(stop.value), "a JSON value is expected here")
            return
        except json.JSONDecodeError as error:
            yield faults.broken_json(decoder.span(error.pos), _words(error.msg))
            return
        yield from decoder.notes
        decoder.notes.clear()
        yield decoder.node(value, start)
        position = _skip(text, position)


def parses(text: str) -> bool:
    """Return whether `text` is JSON documents and nothing else."""
    decoder = json.JSONDecoder()
    position = _skip(text, 0)
    try:
        while position < len(text):
            _, position = decoder.raw_decode(text, position)
            position = _skip(text, position)
    except (ValueError, RecursionError):
        return False
    return True


class _RefusedError(Exception):
    """A document that is JSON, or nearly, but is not read."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class _LocatedDecoder(json.JSONDecoder):
    """A decoder whose containers hold nodes."""

    def __init__(self, text: str, file: str, line: int, column: int) -> None:
        super().__init__(
            parse_constant=self._constant, parse_int=self._integer, parse_float=self._float
        )
        self.file = file
        self.notes: list[Diagnostic] = []
        self._line = line
        self._column = column
        self._starts = [0, *(match.end() for match in _LINE.finditer(text))]
        self._depth = 0
        self._value_at = 0
        if _SURROGATE_ESCAPE.search(text):
            self.parse_string = _whole_characters
        self.parse_object = self._object
        self.parse_array = self._array
        self.scan_once = py_make_scanner(self)

    def place(self, position: int) -> tuple[int, int]:
        """Return the line and column of a position in the text."""
        row = bisect_right(self._starts, position) - 1
        column = position - self._starts[row] + 1
        return self._line + row, column + self._column - 1 if row == 0 else column

    def span(self, position: int) -> Span:
        """Return a position in the text as a span."""
        return Span(self.file, *self.place(position))

    def node(self, value: Value, at: int) -> Node:
        """Return the node of a value that starts at `at`."""
        return Node(value, *self.place(at))

    def _constant(self, name: str) -> float:
        raise _RefusedError(
            faults.unusable_value(self.span(self._value_at), f"`{name}` is not JSON")
        )

    def _integer(self, digits: str) -> int | float:
        """Return an integer as Go's JSON gives it: beyond an int64 it is a float64."""
        if len(digits) > _LONGEST_INTEGER or (value := int(digits)) not in _INT64:
            return self._float(digits)
        return value

    def _float(self, digits: str) -> float:
        value = float(digits)
        if math.isinf(value):
            raise _RefusedError(
                faults.unusable_value(self.span(self._value_at), "this number is out of range")
            )
        return value

    def _enter(self, at: int) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _RefusedError(faults.too_deep(self.span(at), MAX_DEPTH))

    def _object(
        self,
        text_and_end: tuple[str, int],
        strict: bool,  # noqa: FBT001 - the scanner's own signature
        scan_once: _Scan,
        _hook: object,
        _pairs_hook: object,
        memo: dict[str, str] | None = None,
        _blanks: object = None,
    ) -> tuple[dict[str, Node], int]:
        """Parse an object after its `{`; the standard library's JSONObject with positions."""
        text, end = text_and_end
        self._enter(end - 1)
        members: dict[str, Node] = {}
        shared = memo.setdefault if memo is not None else dict[str, str]().setdefault
        position = _skip(text, end)
        if text[position : position + 1] == "}":
            self._depth -= 1
            return members, position + 1
        while True:
            if text[position : position + 1] != '"':
                message = "Expecting property name enclosed in double quotes"
                raise json.JSONDecodeError(message, text, position)
            key_line, key_column = self.place(position)
            key, position = self.parse_string(text, position + 1, strict)
            key = shared(key, key)
            position = _skip(text, position)
            if text[position : position + 1] != ":":
                raise json.JSONDecodeError("Expecting ':' delimiter", text, position)
            position = self._value_at = _skip(text, position + 1)
            line, column = self.place(position)
            value, position = self._scan(scan_once, text, position)
            if key in members:
                first = members[key].key_span(self.file)
                here = Span(self.file, key_line, key_column)
                self.notes.append(faults.duplicate_key(here, key, first))
            members[key] = Node(value, line, column, key_line, key_column)
            position = _skip(text, position)
            mark = text[position : position + 1]
            if mark == "}":
                self._depth -= 1
                return members, position + 1
            if mark != ",":
                raise json.JSONDecodeError("Expecting ',' delimiter", text, position)
            position = _skip(text, position + 1)

    def _array(
        self, text_and_end: tuple[str, int], scan_once: _Scan, _blanks: object = None
    ) -> tuple[list[Node], int]:
        """Parse an array after its `[`; the standard library's JSONArray with positions."""
        text, end = text_and_end
        self._enter(end - 1)
        items: list[Node] = []
        position = _skip(text, end)
        if text[position : position + 1] == "]":
            self._depth -= 1
            return items, position + 1
        while True:
            self._value_at = position
            line, column = self.place(position)
            value, position = self._scan(scan_once, text, position)
            items.append(Node(value, line, column))
            position = _skip(text, position)
            mark = text[position : position + 1]
            if mark == "]":
                self._depth -= 1
                return items, position + 1
            if mark != ",":
                raise json.JSONDecodeError("Expecting ',' delimiter", text, position)
            position = _skip(text, position + 1)

    @staticmethod
    def _scan(scan_once: _Scan, text: str, position: int) -> tuple[Any, int]:
        try:
            return scan_once(text, position)
        except StopIteration as stop:
            raise json.JSONDecodeError("Expecting value", text, stop.value) from None


def _whole_characters(text: str, end: int, strict: bool = True) -> tuple[str, int]:  # noqa: FBT001, FBT002 - the scanner's own signature
    """Parse a string; half a character becomes U+FFFD, as in Go, or it could not be printed."""
    value, position = scanstring(text, end, strict)
    return _SURROGATE.sub("\ufffd", value), position


def _skip(text: str, position: int) -> int:
    """Return the position of the next character that is not blank."""
    match = _BLANKS.match(text, position)
    return match.end() if match else position


def _words(message: str) -> str:
    """Return the standard library's message in the words of ours."""
    return f"this is not JSON: {message[:1].lower()}{message[1:]}"
