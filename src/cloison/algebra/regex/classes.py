"""Reads escapes and classes in brackets."""

from cloison.algebra.budget import UnsupportedPatternError
from cloison.algebra.characters import PERL, POSIX, CharSet
from cloison.algebra.regex.faults import PatternError

_LETTERS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_OCTAL = "01234567"
_HEX = "0123456789abcdefABCDEF"
_LAST_CODE = 0x10FFFF
_OCTAL_DIGITS = 3
_LONGEST_COUNT = 9
"""Digits of a count; longer ones need no reading to be too large."""


class Reader:
    """A text, and how far it has been read."""

    __slots__ = ("at", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def __bool__(self) -> bool:
        """Return whether anything is left."""
        return self.at < len(self.text)

    def peek(self) -> str:
        """Return the next character, or nothing at the end."""
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        """Read the next character, or nothing at the end."""
        char = self.peek()
        self.at += len(char)
        return char

    def skip(self, text: str) -> bool:
        """Read a text if it comes next, and return whether it did."""
        found = self.after(self.at, text)
        self.at += len(text) if found else 0
        return found

    def after(self, at: int, text: str) -> bool:
        """Return whether a text is at a place."""
        return self.text.startswith(text, at)

    def looks_back(self) -> bool:
        """Return whether `<` starts an assertion, not a name."""
        return self.text[self.at + 1 : self.at + 2] in ("=", "!")

    def upto(self, end: str, *, needed: bool = False) -> str:
        """Read up to a text and over it; where there is none, to the end.

        Raises:
            PatternError: It is needed and not there.
        """
        start, place = self.at, self.text.find(end, self.at)
        if place < 0:
            if needed:
                raise PatternError(f"no `{end}` follows", start + 1)
            place = len(self.text)
        self.at = min(place + len(end), len(self.text))
        return self.text[start:place]

    def integer(self) -> int | None:
        """Read a number without zeros in front; None where there is none."""
        start = self.at
        while self.peek() in tuple("0123456789"):
            self.at += 1
        digits = self.text[start : self.at]
        if not digits or (digits[0] == "0" and len(digits) > 1):
            return None
        return int(digits[:_LONGEST_COUNT])


def perl(reader: Reader, *, any_case: bool) -> CharSet | None:
    r"""Read the letter of a class such as `\d`, if it is one, after its backslash."""
    letter = reader.peek()
    found = PERL.get(letter.lower())
    if found is None:
        return None
    reader.take()
    return _class(found, any_case=any_case, negated=letter.isupper())


def _class(chars: CharSet, *, any_case: bool, negated: bool) -> CharSet:
    """Return a class; what differs in case alone is taken in first, and then left out."""
    found = chars.any_case() if any_case else chars
    return ~found if negated else found


def escaped(reader: Reader, at: int) -> str:
    """Read an escaped character, after its backslash.

    Raises:
        PatternError: It is no escape; `at` is where it began.
    """
    char = reader.take()
    if char == "x":
        return _hexadecimal(reader, at)
    if char == "0" or (char in tuple(_OCTAL) and reader.peek() in tuple(_OCTAL)):
        digits = char
        while len(digits) < _OCTAL_DIGITS and reader.peek() in tuple(_OCTAL):
            digits += reader.take()
        return chr(int(digits, 8))
    if char in _LETTERS:
        return _LETTERS[char]
    if not char:
        raise PatternError("a backslash at the end", at + 1)
    if char in tuple("123456789"):
        raise PatternError("a backreference, which neither Go nor RE2 knows", at + 1)
    if not char.isascii() or char.isalnum():
        raise PatternError(f"`\\{char}` is no escape", at + 1)
    return char


def _hexadecimal(reader: Reader, at: int) -> str:
    if reader.skip("{"):
        digits = reader.upto("}", needed=True)
    else:
        digits = reader.take() + reader.take()
        if len(digits) < len("00"):
            digits = ""
    if not digits or not set(digits) <= set(_HEX):
        raise PatternError("`\\x` wants hexadecimal digits", at + 1)
    significant = digits.lstrip("0") or "0"
    if len(significant) > len("10FFFF") or int(significant, 16) > _LAST_CODE:
        raise PatternError("no character has such a number", at + 1)
    return chr(int(significant, 16))


def bracketed(reader: Reader, at: int, *, any_case: bool) -> CharSet:
    """Read a class in brackets, after the first of them.

    Raises:
        PatternError: It is none; `at` is where it began.
        UnsupportedPatternError: It names a Unicode class.
    """
    negated = reader.skip("^")
    found: list[tuple[int, int]] = []
    first = True
    while first or reader.peek() != "]":
        first = False
        if not reader:
            raise PatternError("a `[` that is not closed", at + 1)
        part = _named(reader, any_case=any_case)
        if part is None:
            part = _class(_ranged(reader, at), any_case=any_case, negated=False)
        found += part
    reader.take()
    return ~CharSet(found) if negated else CharSet(found)


def _named(reader: Reader, *, any_case: bool) -> CharSet | None:
    r"""Read `[:alpha:]` or `\d`, if it comes next."""
    at = reader.at
    if reader.after(at, "[:") and reader.text.find(":]", at + 2) >= 0:
        reader.at += 2
        name = reader.upto(":]")
        chars = POSIX.get(name.removeprefix("^"))
        if chars is None:
            raise PatternError(f"no class is called `{name}`", at + 1)
        return _class(chars, any_case=any_case, negated=name.startswith("^"))
    if reader.skip("\\"):
        if reader.peek() in ("p", "P"):
            raise UnsupportedPatternError("Unicode classes")
        found = perl(reader, any_case=any_case)
        if found is None:
            reader.at = at
        return found
    return None


def _ranged(reader: Reader, at: int) -> CharSet:
    """Read a character, or a range from one to another."""
    low = high = _member(reader, at)
    if reader.peek() == "-" and reader.text[reader.at + 1 : reader.at + 2] not in ("", "]"):
        reader.take()
        high = _member(reader, at)
    if high < low:
        raise PatternError(f"a range that ends before it starts, {low}-{high}", at + 1)
    return CharSet.between(low, high)


def _member(reader: Reader, at: int) -> str:
    char = reader.take()
    if not char:
        raise PatternError("a `[` that is not closed", at + 1)
    return escaped(reader, reader.at - 1) if char == "\\" else char
