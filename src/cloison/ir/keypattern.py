"""Patterns that label keys begin with: a small part of regular expressions, without surprises.

What a pattern takes is looked for as Go's `regexp` does (leftmost first, as much as each piece can
get), in time proportional to key times pattern, whoever wrote it.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

LONGEST: Final = 253 + 1 + 63
"""Characters of a pattern: those of the longest label key."""
MOST_REPEATS: Final = 16
"""Pieces of a pattern that may stand there more or less often."""

_REPEATS = {"": (1, 1), "?": (0, 1), "*": (0, LONGEST * 2), "+": (1, LONGEST * 2)}
_SYNTAX = frozenset("|()[]{}^$")


class KeyPatternError(ValueError):
    """A pattern uses more than is understood."""


class _Piece(NamedTuple):
    """A character, or None for any, and how often it may stand there."""

    char: str | None
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class KeyPattern:
    r"""What a key may begin with.

    Args:
        text: As written: characters, `.` for any one, each perhaps followed by `?`, `*` or `+`, and
            a backslash before what stands for itself.

    >>> [KeyPattern(t).taken("app.kubernetes.io/name") for t in ("app", r"k8s\.io", ".*io", "a.*")]
    [3, None, 17, 22]
    """

    text: str
    _pieces: "tuple[_Piece, ...]" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Take the pattern to pieces.

        Raises:
            KeyPatternError: it uses more than is understood.
        """
        object.__setattr__(self, "_pieces", _pieces(self.text))

    def taken(self, key: str) -> int | None:
        """Return how many characters at the front of `key` it takes; None when it does not match.

        >>> KeyPattern("app").taken("my-app") is None
        True
        """
        pieces = self._pieces
        failed: set[tuple[int, int]] = set()
        # Where a piece began, and how much it may still be made to give back.
        tried: list[tuple[int, int]] = []
        at = number = 0
        while True:
            if number == len(pieces):
                return at
            got = _got(pieces[number], key, at)
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
    if piece.char is None:
        count = len(rest)
    else:
        count = next((n for n, char in enumerate(rest) if char != piece.char), len(rest))
    return count if count >= piece.least else None


def _pieces(text: str) -> tuple[_Piece, ...]:
    """Return the pieces of a pattern.

    Raises:
        KeyPatternError: it uses more than is understood.
    """
    if len(text) > LONGEST:
        msg = f"a pattern of {len(text)} characters is longer than any key"
        raise KeyPatternError(msg)
    found: list[_Piece] = []
    at = 1 if text.startswith("^") else 0
    while at < len(text):
        char: str | None = text[at]
        if char == "\\":
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
    return tuple(found)
