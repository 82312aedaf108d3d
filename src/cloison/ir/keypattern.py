"""Patterns that label keys begin with: a small part of regular expressions, without surprises.

What a pattern takes is looked for as Go's `regexp` does (leftmost first, as much as each piece can
get), in time proportional to key times pattern, whoever wrote it.
"""

from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, NamedTuple

LONGEST: Final = 253 + 1 + 63
"""Characters of a pattern: those of the longest label key."""
MOST_REPEATS: Final = 16
"""Pieces of a pattern that may stand there more or less often."""

_REPEATS = {"": (1, 1), "?": (0, 1), "*": (0, LONGEST * 2), "+": (1, LONGEST * 2)}
_SYNTAX = frozenset("|()[]{}^$")
_MARGIN = 128
"""Classes are of ASCII characters, which label keys are written with."""


class KeyPatternError(ValueError):
    """A pattern uses more than is understood."""


class _Piece(NamedTuple):
    """Characters, any of which, or None for any at all, and how often they may stand there."""

    chars: str | None
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class KeyPattern:
    r"""What a key may begin with.

    Args:
        text: As written: characters, `.` for any one, `[a-z]` for one of these, each perhaps
            followed by `?`, `*` or `+`, and a backslash before what stands for itself. `$` at the
            end is the end of the key.

    >>> [KeyPattern(t).taken("app.kubernetes.io/name") for t in ("app", r"k8s\.io", ".*io", "a.*")]
    [3, None, 17, 22]
    >>> [KeyPattern(t).taken("kind") for t in ("kin$", "^kind$", "[a-k]in[dD]")]
    [None, 4, 4]
    """

    text: str
    _pieces: "tuple[_Piece, ...]" = field(init=False, repr=False, compare=False)
    _ends: bool = field(init=False, repr=False, compare=False)
    """Whether the key ends where the pattern does."""
    _core: str = field(init=False, repr=False, compare=False)
    """A text that is part of everything it takes: most keys are told from it by that alone."""

    def __post_init__(self) -> None:
        """Take the pattern to pieces.

        Raises:
            KeyPatternError: it uses more than is understood.
        """
        pieces, ends = _pieces(self.text)
        object.__setattr__(self, "_pieces", pieces)
        object.__setattr__(self, "_ends", ends)
        object.__setattr__(self, "_core", _core(pieces))

    def taken(self, key: str) -> int | None:
        """Return how many characters at the front of `key` it takes; None when it does not match.

        >>> KeyPattern("app").taken("my-app") is None
        True
        """
        if self._core not in key:
            return None
        pieces = self._pieces
        failed: set[tuple[int, int]] = set()
        # Where a piece began, and how much it may still be made to give back.
        tried: list[tuple[int, int]] = []
        at = number = 0
        while True:
            got = None
            if number < len(pieces):
                got = _got(pieces[number], key, at)
            elif at == len(key) or not self._ends:
                return at
            if got is not None and (number, at) not in failed:
                tried.append((at, got))
                at, number = at + got, number + 1
                continue
            failed.add((number, at))
            while tried:
                began, took = tried.pop()
                number -= 1
                if took > pieces[number].least:
                    tried.append((began, took - 1))
                    at, number = began + took - 1, number + 1
                    break
                failed.add((number, began))
            else:
                return None


def _got(piece: _Piece, key: str, at: int) -> int | None:
    """Return how often a piece can stand at a place; None where that is too seldom."""
    rest = key[at : at + piece.most]
    chars = piece.chars
    if chars is None:
        count = len(rest)
    else:
        count = next((n for n, char in enumerate(rest) if char not in chars), len(rest))
    return count if count >= piece.least else None


def _core(pieces: tuple[_Piece, ...]) -> str:
    """Return the longest run of characters that stand there once each."""
    fixed = (each.chars if each.least == each.most == 1 else None for each in pieces)
    runs = groupby(fixed, key=lambda chars: chars is not None and len(chars) == 1)
    return max(("".join(map(str, run)) for known, run in runs if known), key=len, default="")


def _class(text: str, at: int) -> tuple[str, int]:
    """Return the characters of the class that starts at a place, and where it ends.

    Raises:
        KeyPatternError: it uses more than is understood.
    """
    end = text.find("]", at + 2)
    inner = text[at + 1 : end] if end > 0 else ""
    if not inner or set(inner) & {"\\", "[", "^"}:
        msg = f"`[` in {text!r} is not understood"
        raise KeyPatternError(msg)
    found, place = set(), 0
    while place < len(inner):
        first = inner[place]
        ranged = inner[place + 1 : place + 2] == "-" and place + 2 < len(inner)
        last = inner[place + 2] if ranged else first
        if not first <= last or ord(last) >= _MARGIN:
            msg = f"`[{inner}]` in {text!r} is not understood"
            raise KeyPatternError(msg)
        found |= {chr(code) for code in range(ord(first), ord(last) + 1)}
        place += 3 if ranged else 1
    return "".join(sorted(found)), end


def _pieces(text: str) -> tuple[tuple[_Piece, ...], bool]:
    """Return the pieces of a pattern, and whether a key ends with them.

    Raises:
        KeyPatternError: it uses more than is understood.
    """
    if len(text) > LONGEST:
        msg = f"a pattern of {len(text)} characters is longer than any key"
        raise KeyPatternError(msg)
    found: list[_Piece] = []
    at = 1 if text.startswith("^") else 0
    slashes = len(text[:-1]) - len(text[:-1].rstrip("\\"))
    ends = text.endswith("$") and slashes % 2 == 0
    while at < len(text) - ends:
        char: str | None = text[at]
        if char == "[":
            char, at = _class(text, at)
        elif char == "\\":
            at += 1
            char = text[at : at + 1]
            if not char or char.isalnum():
                msg = f"`\\{char}` in {text!r} is not understood"
                raise KeyPatternError(msg)
        elif char in _SYNTAX or char in _REPEATS:
            msg = f"`{char}` in {text!r} is not understood"
            raise KeyPatternError(msg)
        elif char == ".":
            char = None
        at += 1
        sign = text[at : at + 1]
        repeat = sign if sign in _REPEATS else ""
        at += len(repeat)
        found.append(_Piece(char, *_REPEATS[repeat]))
    if sum(each.least != each.most for each in found) > MOST_REPEATS:
        msg = f"{text!r} repeats more than {MOST_REPEATS} pieces"
        raise KeyPatternError(msg)
    return tuple(found), ends
