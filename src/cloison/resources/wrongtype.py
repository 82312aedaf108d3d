"""What is said of a value of the wrong type."""

import re
from typing import Final

from cloison.resources.documents import Value
from cloison.resources.faults import Path, path_text
from cloison.resources.names import shown

LARGEST = (1 << 63) - 1
"""The largest whole number that an API field holds."""

_DECODER: Final = re.compile(r"Expected `([^`]+)`(?:, got `([^`]+)`)?")
_KINDS: Final[dict[str, tuple[str, type]]] = {
    "array": ("a list", list),
    "bool": ("true or false", bool),
    "float": ("a number", float),
    "int": ("a whole number", int),
    "object": ("a mapping", dict),
    "str": ("text", str),
}
"""How msgspec calls what a value is, for people; and its type."""


def message(path: Path, value: Value, expected: str) -> str:
    """Return what is wrong.

    Args:
        path: Where the value stands in its object; nothing for the object itself.
        value: The value.
        expected: What should be there, in words: `text`, `a list`.
    """
    what = f"`{shown(path_text(path))}`" if path else "the object"
    return f"{what} is {_described(value)}, not {expected}"


def remedy(value: Value, expected: str) -> str | None:
    """Return the quick remedy, where quotes are the trouble, or a list is meant.

    Args:
        value: The value.
        expected: What should be there, in words.
    """
    if expected == "text" and isinstance(value, bool | int | float):
        word = str(value).lower() if isinstance(value, bool) else _digits(value)
        return f'write it in quotes: `"{word}"`'
    if expected == "a whole number" and isinstance(value, str) and value.strip().isdigit():
        return f"write it without quotes: `{shown(value.strip())}`"
    if expected == "true or false" and isinstance(value, str):
        return "write `true` or `false`, without quotes"
    if expected == "a list" and value is not None:
        return "begin each item with `- `"
    return None


def wanted(said: str) -> str | None:
    """Return in words what a decoder's error says that it wants; None where it says something else.

    >>> wanted("Expected `int | str | null`, got `array`")
    'a whole number or text'
    """
    words = _DECODER.match(said)
    if words is None:
        return None
    names = [each for each in words[1].split(" | ") if each != "null"]
    return " or ".join(_KINDS[each][0] if each in _KINDS else each for each in names)


def given(said: str) -> type | None:
    """Return the type of what a decoder got, as its error says."""
    words = _DECODER.match(said)
    return _KINDS[words[2]][1] if words is not None and words[2] in _KINDS else None


def _described(value: Value) -> str:
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case int() | float():
            return f"the number `{_digits(value)}`"
        case str():
            return f"the text `{shown(value)}`"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return "null"


def _digits(value: float) -> str:
    """Return a number as text; Python refuses to print very large ones in full."""
    return str(value) if abs(value) <= LARGEST else "…"
