"""Comments of YAML text, line by line: what parsers leave out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

import yaml
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, ScalarEvent

from cloison.sources.text import BadTextError, Chunks, Resume, as_utf8
from cloison.sources.yaml import EventSource, parser_events

LARGEST: Final = 4 << 20
"""Bytes of text whose comments are looked for."""
_BLOCK: Final = ("|", ">")
_SIGN: Final = " #"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of YAML text.

    Args:
        content: Whether it says anything.
        comment: What follows the sign of a comment; None where there is none.
        marker: Whether it ends a document and starts the next.
    """

    content: bool = False
    comment: str | None = None
    marker: bool = False


def comments(handle: BinaryIO) -> tuple[Line, ...]:
    """Return the lines of a YAML stream.

    Text that is too large, or that does not parse, has no comments from there on.

    Args:
        handle: The stream; must be able to seek.
    """
    if handle.seek(0, 2) > LARGEST:
        return ()
    handle.seek(0)
    try:
        handle = as_utf8(handle)
        handle.seek(0)
        text = handle.read().decode("utf-8-sig")
    except (BadTextError, UnicodeDecodeError):
        return ()
    handle.seek(0)
    said = _Said()
    try:
        for event in _events(parser_events(Chunks(handle, Resume(0, 0), lambda _: None))):
            said.take(event)
    except (BadTextError, yaml.YAMLError):
        return tuple(_lines(text, said))[: said.reached]
    return tuple(_lines(text, said))


def _events(get: EventSource) -> Iterator[yaml.Event]:
    while (event := get()) is not None:
        yield event
        if isinstance(event, yaml.StreamEndEvent):
            return


class _Said:
    """Which columns of which lines hold content; lives for one text."""

    def __init__(self) -> None:
        self.ends: dict[int, int] = {}
        self.inside: set[int] = set()
        self.reached = 0

    def take(self, event: yaml.Event) -> None:
        """Note what an event covers."""
        if not isinstance(
            event, ScalarEvent | AliasEvent | CollectionStartEvent | CollectionEndEvent
        ):
            return
        first, last = event.start_mark, event.end_mark
        if first is None or last is None:
            return
        self.reached = max(self.reached, first.line)
        if isinstance(event, ScalarEvent) and event.style in _BLOCK:
            self.inside.update(range(first.line, max(last.line, first.line + 1)))
        elif isinstance(event, ScalarEvent):
            self.inside.update(range(first.line, last.line))
            self._end(last.line, last.column)
        elif isinstance(event, AliasEvent) or last.column > first.column:
            self._end(last.line, last.column)

    def _end(self, line: int, column: int) -> None:
        self.ends[line] = max(self.ends.get(line, 0), column)


def _lines(text: str, said: _Said) -> Iterator[Line]:
    for number, line in enumerate(text.split("\n")):
        if number in said.inside:
            yield Line(content=True)
            continue
        end = said.ends.get(number, 0)
        rest = line[end:].rstrip("\r")
        stripped = rest.strip()
        if not end and stripped.startswith("#"):
            yield Line(comment=stripped[1:])
        elif not end and (stripped == "---" or stripped.startswith("--- ")):
            yield Line(comment=_after(rest), marker=True)
        else:
            yield Line(content=bool(end or stripped), comment=_after(rest))


def _after(rest: str) -> str | None:
    """Return the comment at the end of a line, after its content."""
    before, sign, comment = rest.partition(_SIGN)
    del before
    return comment.rstrip() if sign else None
