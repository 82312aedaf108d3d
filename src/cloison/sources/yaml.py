"""YAML documents as located nodes, one document at a time.

PyYAML's C parser gives events; the nodes, the types of scalars and the limits are ours. A document
that does not parse costs that document only: reading goes on at the next line that starts with
`---`, which is where `kubectl` cuts a stream too.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, TypeAlias

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from cloison.base import Diagnostic, Span
from cloison.resources.documents import Node
from cloison.sources import faults, scalars
from cloison.sources.advice import explain
from cloison.sources.text import BadTextError, Chunks, Resume, as_utf8, resume_after

MAX_DEPTH: Final = 100
"""Levels of nesting; the deepest real objects (CRD schemas) stay below 40."""
MAX_ALIASES: Final = 10_000
"""Aliases in one document."""
MAX_ALIAS_WEIGHT: Final = 400_000
"""Nodes, and 64-character stretches of text, that all aliases of one document may add."""
_MEMO_SIZE: Final = 20_000
_MEMO_LENGTH: Final = 64
_CHARACTERS_PER_WEIGHT: Final = 64
_MERGE: Final = "<<"
_MERGE_TAG: Final = scalars.TAG_PREFIX + "merge"

EventSource: TypeAlias = Callable[[], Any]
"""Gives the next parsing event, None at the end; PyYAML's `get_event`. Its events are dispatched
on by class in the hot loop, which a checker cannot follow without a test per event."""


def parser_events(stream: Chunks) -> EventSource:
    """Return PyYAML's events of `stream`: the C parser's, or the slow one's where C is missing."""
    try:
        from yaml._yaml import CParser  # noqa: PLC0415 - missing without libyaml
    except ImportError:
        return pure_events(stream)
    return CParser(stream).get_event


def pure_events(stream: Chunks) -> EventSource:
    """Return the events of PyYAML's parser in Python, thirty times slower than the one in C."""
    return yaml.SafeLoader(stream).get_event


def documents(
    handle: BinaryIO,
    file: str,
    *,
    consumed: Callable[[int], None] = lambda _: None,
    events: Callable[[Chunks], EventSource] = parser_events,
) -> Iterator[Node | Diagnostic]:
    """Yield the root of each document of a stream, and what is wrong with it before it.

    Empty documents are skipped, as `kubectl` skips them. One tree is held at a time.

    Args:
        handle: The stream; must be able to seek.
        file: Its name in diagnostics.
        consumed: Called with the byte offset reached; offsets fall when reading goes back.
        events: Makes a parser.
    """
    said_template = False
    memo = _Memo()
    try:
        handle = as_utf8(handle)
    except BadTextError as bad:
        yield faults.unreadable_text(Span(file, 1), bad.what)
        return
    start: Resume | None = Resume(0, 0)
    while start is not None:
        builder = _Builder(file, start.line + 1, memo)
        try:
            for root in builder.trees(events(Chunks(handle, start, consumed))):
                yield from builder.notes
                if root.value is not None:
                    yield root
        except (BadTextError, _RefusedError, yaml.YAMLError) as error:
            failure = error
        else:
            return
        at = _line_of(failure, start, builder.document_line - 1)
        found = resume_after(handle, start, builder.document_line - 1, at)
        if found.template is None:
            yield _blame(failure, file, start, at, found.text)
        elif not said_template:
            said_template = True
            line, column = found.template
            yield faults.template(Span(file, line + 1, column + 1))
        start = found.resume


def _line_of(failure: Exception, start: Resume, document: int) -> int:
    """Return the 0-based line at which a parse ended."""
    if isinstance(failure, _RefusedError) and failure.diagnostic.span is not None:
        return failure.diagnostic.span.line - 1
    if isinstance(failure, BadTextError):
        return failure.line
    if isinstance(failure, yaml.MarkedYAMLError) and failure.problem_mark is not None:
        return int(failure.problem_mark.line) + start.line
    return document


def _blame(failure: Exception, file: str, start: Resume, at: int, text: str) -> Diagnostic:
    """Return the diagnostic for what ended a parse at 0-based line `at`, which reads `text`."""
    if isinstance(failure, _RefusedError):
        return failure.diagnostic
    if isinstance(failure, BadTextError):
        return faults.unreadable_text(Span(file, at + 1, failure.column + 1), failure.what)
    if isinstance(failure, yaml.MarkedYAMLError):
        return explain(failure, file, start.line, text)
    return faults.unreadable_text(Span(file, at + 1), f"not YAML: {str(failure).splitlines()[0]}")


class _RefusedError(Exception):
    """A document that parses but is refused."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class _Memo(dict[str, scalars.Scalar]):
    """Values of unquoted scalars: manifests repeat their words, and this shares them in memory."""

    __slots__ = ()

    def __missing__(self, text: str) -> scalars.Scalar:
        value = scalars.plain(text)
        if len(text) <= _MEMO_LENGTH:
            if len(self) >= _MEMO_SIZE:
                self.clear()
            self[text] = value
        return value


class _MergeKey(str):
    """A `<<` key until its mapping is complete; equal to nothing but itself."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


@dataclass(slots=True)
class _Anchors:
    """The anchors of one document, and what its aliases have cost so far."""

    nodes: dict[str, Node] = field(default_factory=dict)
    weights: dict[int, int] = field(default_factory=dict)
    aliases: int = 0
    weight: int = 0


class _Builder:
    """Builds trees out of events.

    Args:
        file: Name for diagnostics.
        first_line: 1-based line at which the parser started counting.
    """

    __slots__ = ("document_line", "file", "first_line", "memo", "notes")

    def __init__(self, file: str, first_line: int, memo: "_Memo") -> None:
        self.memo = memo
        self.file = file
        self.first_line = first_line
        self.document_line = first_line
        self.notes: list[Diagnostic] = []

    def trees(self, get_event: EventSource) -> Iterator[Node]:
        """Yield each document's tree; `notes` holds what is to be said of it by then."""
        while True:
            event = get_event()
            kind = type(event)
            if event is None or kind is StreamEndEvent:
                return
            if kind is DocumentStartEvent:
                self.document_line = event.start_mark.line + self.first_line
                self.notes.clear()
                yield self._tree(get_event)
                self.document_line += 1

    def _tree(self, get_event: EventSource) -> Node:  # noqa: C901, PLR0912, PLR0915
        """Build one document, in one long loop: a 20 MB file passes here a million times."""
        memo: Any = self.memo
        first_line = self.first_line
        anchors = _Anchors()
        # The innermost open collection: `items` or `members` is it, the other one is None.
        top: list[Node] = []
        items: list[Node] | None = top
        members: dict[str, Node] = {}
        key: str | None = None
        key_line = key_column = 0
        merges = False
        stack: list[
            tuple[list[Node] | None, dict[str, Node], str | None, int, int, bool, Node]
        ] = []
        event = get_event()
        while True:
            kind = type(event)
            if kind is ScalarEvent:
                mark = event.start_mark
                value = event.value
                line = mark.line + first_line
                column = mark.column + 1
                if items is None and key is None:
                    # A key.
                    if value == _MERGE and (event.implicit[0] or event.tag == _MERGE_TAG):
                        key = _MergeKey(_MERGE)
                        merges = True
                    elif event.tag is not None:
                        key = self._tagged_key(event, line, column)
                    elif event.implicit[0]:
                        try:
                            key = memo[value]
                            if type(key) is not str:
                                key = self._odd_key(value, line, column)
                        except scalars.ScalarError:
                            key = self._odd_key(value, line, column)
                    else:
                        key = value
                    if key in members:
                        self._duplicate(key, members[key], line, column)
                        del members[key]
                    key_line = line
                    key_column = column
                    if event.anchor is not None:
                        anchors.nodes[event.anchor] = Node(key, line, column)
                    event = get_event()
                    kind = type(event)
                    if kind is ScalarEvent and event.tag is None and event.anchor is None:
                        # The usual case in line: a scalar value without tag or anchor.
                        mark = event.start_mark
                        value = event.value
                        if event.implicit[0]:
                            try:
                                value = memo[value]
                            except scalars.ScalarError as error:
                                raise self._refused(
                                    faults.unusable_value,
                                    mark.line + first_line,
                                    mark.column + 1,
                                    str(error),
                                ) from None
                        members[key] = Node(
                            value, mark.line + first_line, mark.column + 1, line, column
                        )
                        key = None
                        event = get_event()
                    continue
                if event.tag is not None:
                    value = self._tagged(event, line, column)
                elif event.implicit[0]:
                    try:
                        value = memo[value]
                    except scalars.ScalarError as error:
                        raise self._refused(
                            faults.unusable_value, line, column, str(error)
                        ) from None
                if items is None:
                    node = Node(value, line, column, key_line, key_column)
                    members[key] = node  # type: ignore[index]
                    key = None
                else:
                    node = Node(value, line, column)
                    items.append(node)
                if event.anchor is not None:
                    anchors.nodes[event.anchor] = node
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                mark = event.start_mark
                line = mark.line + first_line
                column = mark.column + 1
                if event.tag is not None and event.tag != "!":
                    self._check_collection_tag(event.tag, line, column)
                if len(stack) >= MAX_DEPTH:
                    raise _RefusedError(faults.too_deep(Span(self.file, line, column), MAX_DEPTH))
                inner: dict[str, Node] | list[Node] = {} if kind is MappingStartEvent else []
                if items is None:
                    if key is None:
                        raise self._refused(
                            faults.unusable_key, line, column, "a mapping or list cannot be a key"
                        )
                    node = Node(inner, line, column, key_line, key_column)
                    members[key] = node
                else:
                    node = Node(inner, line, column)
                    items.append(node)
                if event.anchor is not None:
                    anchors.nodes[event.anchor] = node
                stack.append((items, members, key, key_line, key_column, merges, node))
                key = None
                merges = False
                if kind is MappingStartEvent:
                    items = None
                    members = inner  # type: ignore[assignment]
                else:
                    items = inner  # type: ignore[assignment]
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                if merges and items is None:
                    self._merge(members)
                items, members, key, key_line, key_column, merges, node = stack.pop()
                key = None
            elif kind is AliasEvent:
                mark = event.start_mark
                line = mark.line + first_line
                column = mark.column + 1
                open_nodes = [frame[6] for frame in stack]
                node = self._alias(event.anchor, anchors, open_nodes, line, column)
                if items is not None:
                    items.append(node)
                elif key is not None:
                    members[key] = Node(node.value, node.line, node.column, key_line, key_column)
                    key = None
                else:
                    if isinstance(node.value, list | dict):
                        raise self._refused(
                            faults.unusable_key, line, column, "a mapping or list cannot be a key"
                        )
                    try:
                        key = scalars.key_of(node.value, str(node.value))
                    except scalars.ScalarError as error:
                        raise self._refused(faults.unusable_key, line, column, str(error)) from None
                    if key in members:
                        self._duplicate(key, members[key], line, column)
                        del members[key]
                    key_line = line
                    key_column = column
            elif kind is DocumentEndEvent:
                return top[0]
            event = get_event()

    def _refused(
        self, fault: Callable[[Span, str], Diagnostic], line: int, column: int, what: str
    ) -> _RefusedError:
        return _RefusedError(fault(Span(self.file, line, column), what))

    def _duplicate(self, key: str, first: Node, line: int, column: int) -> None:
        self.notes.append(
            faults.duplicate_key(Span(self.file, line, column), key, first.key_span(self.file))
        )

    def _check_collection_tag(self, tag: str, line: int, column: int) -> None:
        if tag not in scalars.COLLECTION_TAGS:
            raise self._refused(faults.tag_refused, line, column, _shown(tag))

    def _tagged(self, event: ScalarEvent, line: int, column: int) -> scalars.Scalar:
        """Return the value of a scalar with an explicit tag; `!` alone means text."""
        if event.tag == "!":
            return str(event.value)
        try:
            return scalars.tagged(str(event.tag), event.value)
        except KeyError:
            raise self._refused(faults.tag_refused, line, column, _shown(str(event.tag))) from None
        except scalars.ScalarError as error:
            raise self._refused(faults.unusable_value, line, column, str(error)) from None

    def _tagged_key(self, event: ScalarEvent, line: int, column: int) -> str:
        value = self._tagged(event, line, column)
        try:
            return scalars.key_of(value, event.value)
        except scalars.ScalarError as error:
            raise self._refused(faults.unusable_key, line, column, str(error)) from None

    def _odd_key(self, text: str, line: int, column: int) -> str:
        """Return the key for a scalar that is no text; `.inf` can be one, though it is no value."""
        try:
            return scalars.key(text)
        except scalars.ScalarError as error:
            raise self._refused(faults.unusable_key, line, column, str(error)) from None

    def _alias(
        self, name: str, anchors: _Anchors, open_nodes: list[Node], line: int, column: int
    ) -> Node:
        """Return what an alias stands for, within the limits that keep walking the tree cheap."""
        node = anchors.nodes.get(name)
        if node is None:
            raise self._refused(
                faults.alias_refused, line, column, f"alias `*{name}` has no anchor before it"
            )
        if any(node.value is outer.value for outer in open_nodes):
            raise self._refused(
                faults.alias_refused, line, column, f"alias `*{name}` stands inside its own anchor"
            )
        anchors.aliases += 1
        anchors.weight += _weight(node, anchors.weights)
        if anchors.aliases > MAX_ALIASES or anchors.weight > MAX_ALIAS_WEIGHT:
            raise self._refused(
                faults.alias_refused, line, column, "the aliases of this document expand too far"
            )
        return node

    def _merge(self, members: dict[str, Node]) -> None:
        """Replace the `<<` keys of a mapping by what they merge in, in place.

        go-yaml v2 merges where the key stands: what comes later wins, what came before loses.
        """
        merged: dict[str, Node] = {}
        for key, node in members.items():
            if not isinstance(key, _MergeKey):
                merged[key] = node
                continue
            parts = node.value if isinstance(node.value, list) else [node]
            for part in reversed(parts):
                if not isinstance(part.value, dict):
                    raise self._refused(
                        faults.unusable_value,
                        node.line,
                        node.column,
                        "`<<` merges a mapping or a list of mappings, and nothing else",
                    )
                merged.update(part.value)
        members.clear()
        members.update(merged)


def _shown(tag: str) -> str:
    """Return a tag as people write it."""
    return tag.replace(scalars.TAG_PREFIX, "!!", 1)


def _weight(root: Node, known: dict[int, int]) -> int:
    """Return what walking `root` costs, aliases included; remembered for nested anchors.

    `known` goes by the identity of the value: an aliased value is one object under many nodes.
    """
    remembered = known.get(id(root.value))
    if remembered is not None:
        return remembered
    total = 0
    pending = [root]
    while pending and total <= MAX_ALIAS_WEIGHT:
        value = pending.pop().value
        total += known.get(id(value), 1)
        if id(value) in known:
            continue
        if isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, str):
            total += len(value) // _CHARACTERS_PER_WEIGHT
    if isinstance(root.value, dict | list):
        known[id(root.value)] = total
    return total
