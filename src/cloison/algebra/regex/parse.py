"""Reads regular expressions as Go and RE2 do.

Both read one language, apart from corners: no backreferences, no looking around. Laziness is
read and means nothing, because what is asked is whether a whole text matches.
Source: Go, package regexp/syntax; RE2, syntax page.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from cloison.algebra.budget import TooLargeError, UnsupportedPatternError
from cloison.algebra.characters import EVERY_CHARACTER, CharSet
from cloison.algebra.regex.classes import Reader, bracketed, escaped, perl
from cloison.algebra.regex.faults import PatternError
from cloison.algebra.regex.syntax import Chars, Edge, Node, alt, cat, repeat

MOST_DEPTH = 100
"""Groups within groups; Go reads up to 1 000."""
MOST_LENGTH = 10_000
"""Characters of a regular expression."""
_MOST_REPEATS = 1000
"""More are an error to Go and RE2, also when repeats are within repeats."""
_NO_NEWLINE = EVERY_CHARACTER - CharSet.of("\n")


class _Flags(NamedTuple):
    """What `(?…)` turns on."""

    i: bool = False
    m: bool = False
    s: bool = False
    U: bool = False


class _Item(NamedTuple):
    """A part that has been read.

    Args:
        node: The part.
        weight: The largest product of counts of repeats within repeats in it.
    """

    node: Node
    weight: int = 1


@dataclass(slots=True)
class _Frame:
    """A group that is being read, and the flags to go back to after it."""

    flags: _Flags
    column: int
    items: list[_Item] = field(default_factory=list)
    choices: list[_Item] = field(default_factory=list)

    def close(self) -> _Item:
        """Return all of it as one item."""
        self.turn()
        weight = max(each.weight for each in self.choices)
        return _Item(alt(each.node for each in self.choices), weight)

    def turn(self) -> None:
        """Begin another choice."""
        weight = max((each.weight for each in self.items), default=1)
        self.choices.append(_Item(cat(each.node for each in self.items), weight))
        self.items = []


def parse(pattern: str) -> Node:
    """Return the tree of a regular expression.

    Raises:
        PatternError: Go and RE2 refuse it.
        UnsupportedPatternError: It is fine, and uses word borders, Unicode classes or lines.
        TooLargeError: It is longer or nested deeper than is put up with.
    """
    if len(pattern) > MOST_LENGTH:
        raise TooLargeError(f"a pattern of more than {MOST_LENGTH} characters")
    return _Parser(Reader(pattern)).parse()


@dataclass(slots=True)
class _Parser:
    reader: Reader
    flags: _Flags = field(default_factory=_Flags)
    frames: list[_Frame] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def parse(self) -> Node:
        self.frames.append(_Frame(self.flags, 1))
        repeated = False
        while self.reader:
            frame = self.frames[-1]
            at = self.reader.at
            counts = self._counts()
            if counts is not None:
                if repeated:
                    raise PatternError("a repeat of a repeat", at + 1)
                if not frame.items:
                    raise PatternError("a repeat of nothing", at + 1)
                frame.items[-1] = self._repeated(frame.items[-1], *counts, at)
                repeated = True
                continue
            repeated = False
            char = self.reader.take()
            if char == "(":
                self._open(at)
            elif char == ")":
                if len(self.frames) == 1:
                    raise PatternError("a `)` too many", at + 1)
                self.frames.pop()
                self.flags = frame.flags
                self.frames[-1].items.append(frame.close())
            elif char == "|":
                frame.turn()
            elif self.reader.after(at, "\\Q"):
                self._quoted(at)
            else:
                frame.items.append(_Item(self._single(char, at)))
        if len(self.frames) > 1:
            raise PatternError("a `(` that is not closed", self.frames[-1].column)
        return self.frames[0].close().node

    def _single(self, char: str, at: int) -> Node:
        """Return what one thing that is no group means."""
        if char in "^$":
            if self.flags.m:
                raise UnsupportedPatternError("line anchors")
            return Edge(char == "$")
        if char == ".":
            return Chars(EVERY_CHARACTER if self.flags.s else _NO_NEWLINE)
        if char == "[":
            return Chars(bracketed(self.reader, at, any_case=self.flags.i))
        if char == "\\":
            return self._escape(at)
        return self._chars(CharSet.of(char))

    def _chars(self, chars: CharSet) -> Chars:
        return Chars(chars.any_case() if self.flags.i else chars)

    def _escape(self, at: int) -> Node:
        word = self.reader.peek()
        if word in ("A", "z"):
            self.reader.take()
            return Edge(word == "z")
        if word in ("b", "B"):
            raise UnsupportedPatternError("word borders")
        if word in ("p", "P"):
            raise UnsupportedPatternError("Unicode classes")
        found = perl(self.reader, any_case=self.flags.i)
        if found is not None:
            return Chars(found)
        return self._chars(CharSet.of(escaped(self.reader, at)))

    def _quoted(self, at: int) -> None:
        r"""Read what stands between `\Q` and `\E`, or the end."""
        self.reader.at = at + 2
        text = self.reader.upto("\\E")
        self.frames[-1].items += [_Item(self._chars(CharSet.of(char))) for char in text]

    def _counts(self) -> tuple[int, int | None] | None:
        """Read a repeat, and whether it is lazy, if one comes next."""
        reader = self.reader
        found: tuple[int, int | None] | None = None
        at = reader.at
        match reader.peek():
            case "*":
                found = 0, None
            case "+":
                found = 1, None
            case "?":
                found = 0, 1
            case "{":
                return self._braces(at)
        if found is not None:
            reader.take()
            reader.skip("?")
        return found

    def _braces(self, at: int) -> tuple[int, int | None] | None:
        """Read `{2}`, `{2,}` or `{2,5}`; anything else is text."""
        reader = self.reader
        reader.take()
        low = reader.integer()
        high: int | None = low
        if low is not None and reader.skip(","):
            high = None if reader.peek() == "}" else reader.integer()
            if high is None and reader.peek() != "}":
                low = None
        if low is None or not reader.skip("}"):
            reader.at = at
            return None
        reader.skip("?")
        if max(low, high or 0) > _MOST_REPEATS or (high is not None and high < low):
            raise PatternError("a count of repeats that is not allowed", at + 1)
        return low, high

    def _repeated(self, item: _Item, low: int, high: int | None, at: int) -> _Item:
        weight = item.weight
        if self.reader.text[at] == "{":
            most = low if high is None else high
            weight = weight * max(most, 1) if most or high is None else 1
            if weight > _MOST_REPEATS and most > 1:
                raise PatternError("repeats within repeats, too many", at + 1)
        return _Item(repeat(item.node, low, high), weight)

    def _open(self, at: int) -> None:
        """Read the start of a group, or flags for what follows."""
        reader = self.reader
        before = self.flags
        if reader.skip("?"):
            if reader.skip("P<") or (not reader.looks_back() and reader.skip("<")):
                self._name(at)
            elif self._flags(at):
                return
        if len(self.frames) > MOST_DEPTH:
            raise TooLargeError(f"groups more than {MOST_DEPTH} deep")
        self.frames.append(_Frame(before, at + 1))

    def _name(self, at: int) -> None:
        name = self.reader.upto(">", needed=True)
        if not name or not name.isascii() or not name.replace("_", "a").isalnum():
            raise PatternError("a group's name that is none", at + 1)
        if name in self.names:
            raise PatternError(f"two groups of the name {name}", at + 1)
        self.names.add(name)

    def _flags(self, at: int) -> bool:
        """Read flags; return whether they are for what follows, and not for a group."""
        reader, found = self.reader, self.flags
        on, seen = True, True
        while reader:
            char = reader.take()
            if char in _Flags._fields:
                found = found._replace(**{char: on})
                seen = True
            elif char == "-" and on:
                on = seen = False
            elif char in ":)" and seen:
                self.flags = found
                return char == ")"
            else:
                break
        raise PatternError("a group that neither Go nor RE2 knows", at + 1)
