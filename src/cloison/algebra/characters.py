"""Sets of characters, as regular expressions name them.

Characters are Unicode scalar values. They are numbered without the gap that surrogates leave, so
that every interval of numbers is one of characters. A lone surrogate, which no encoded text can
hold, counts as U+FFFD, which is what decoders put in its place.
"""

from functools import cache
from typing import Self

from cloison.algebra.intervals import IntervalSet

_FIRST_SURROGATE = 0xD800
_AFTER_SURROGATES = 0xE000
_GAP = _AFTER_SURROGATES - _FIRST_SURROGATE
_REPLACEMENT = 0xFFFD - _GAP
LAST = 0x10FFFF - _GAP
"""The number of the last character."""


def number(char: str) -> int:
    """Return the number of a character."""
    code = ord(char)
    if code < _FIRST_SURROGATE:
        return code
    return code - _GAP if code >= _AFTER_SURROGATES else _REPLACEMENT


def character(index: int) -> str:
    """Return the character of a number."""
    return chr(index if index < _FIRST_SURROGATE else index + _GAP)


class CharSet(IntervalSet):
    """A set of characters, canonical; its intervals are of their numbers.

    >>> CharSet.of("cab") == CharSet.between("a", "c")
    True
    """

    __slots__ = ()

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the characters of a text."""
        return cls((number(c), number(c)) for c in text)

    @classmethod
    def between(cls, low: str, high: str) -> Self:
        """Return the characters from one to another, both included."""
        return cls.codes(ord(low), ord(high))

    @classmethod
    def codes(cls, low: int, high: int) -> Self:
        """Return the characters of a range of code points; surrogates are none."""
        if low >= _FIRST_SURROGATE:
            low = max(low, _AFTER_SURROGATES) - _GAP
        if high >= _FIRST_SURROGATE:
            high = max(high, _AFTER_SURROGATES - 1) - _GAP
        return cls([(low, high)])

    def __invert__(self) -> "CharSet":
        """Return all other characters."""
        return EVERY_CHARACTER - self

    def any_case(self) -> "CharSet":
        """Return these characters and those that differ from them in case alone.

        Source: Unicode, simple case folding, which is what `(?i)` means to RE2 and Go.
        """
        orbits = _orbits()
        if self.size() <= _FEW:
            members = (i for low, high in self for i in range(low, high + 1))
            same = [orbits[i] for i in members if i in orbits]
        else:
            same = [each for each in set(orbits.values()) if not self.isdisjoint(each)]
        return CharSet((*self, *(span for each in same for span in each)))


_FEW = 128
"""Characters that are looked up one by one."""


@cache
def _orbits() -> dict[int, CharSet]:
    """Return for the number of each character that has case those that are the same but for it."""
    by_fold: dict[str, set[str]] = {}
    for start in range(0, _LAST_CASED, _BLOCK):
        block = "".join(map(chr, range(start, start + _BLOCK)))
        if block.casefold() == block:
            continue  # most scripts have no case
        for char in block:
            folded = char.casefold()
            if len(folded) > 1:
                # It folds into several characters; its simple folding is its small letter, if any.
                folded = char.lower()
            if len(folded) == 1 and folded != char:
                by_fold.setdefault(folded, {folded}).add(char)
    sets = [CharSet.of("".join(sorted(each))) for each in by_fold.values()]
    return {index: each for each in sets for low, high in each for index in range(low, high + 1)}


_BLOCK = 0x100
_LAST_CASED = 0x1F000
"""No character from here on has another case."""

EVERY_CHARACTER = CharSet([(0, LAST)])
"""All characters."""
DIGIT = CharSet.between("0", "9")
LOWER = CharSet.between("a", "z")
UPPER = CharSet.between("A", "Z")
WORD = DIGIT | LOWER | UPPER | CharSet.of("_")

PERL = {"d": DIGIT, "s": CharSet.of("\t\n\f\r "), "w": WORD}
"""What `\\d`, `\\s` and `\\w` mean: ASCII alone, and no vertical tab."""

POSIX = {
    "alnum": DIGIT | LOWER | UPPER,
    "alpha": LOWER | UPPER,
    "ascii": CharSet.codes(0, 0x7F),
    "blank": CharSet.of("\t "),
    "cntrl": CharSet.codes(0, 0x1F) | CharSet.codes(0x7F, 0x7F),
    "digit": DIGIT,
    "graph": CharSet.between("!", "~"),
    "lower": LOWER,
    "print": CharSet.between(" ", "~"),
    "punct": CharSet.between("!", "~") - DIGIT - LOWER - UPPER,
    "space": CharSet.of("\t\n\v\f\r "),
    "upper": UPPER,
    "word": WORD,
    "xdigit": DIGIT | CharSet.between("a", "f") | CharSet.between("A", "F"),
}
"""What `[:name:]` means within brackets."""
