"""How much room text takes.

Names are set in a fixed-width font, whatever that is where the picture is looked at: of those,
every character is about 0.6 of the size wide, so no font has to be measured.
"""

from unicodedata import combining, east_asian_width

_WIDE = 0.6


def cells(text: str) -> int:
    """Return how many columns text takes in a fixed-width font.

    >>> cells("web"), cells("\u6771\u4eac")
    (3, 4)
    """
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def width(text: str, size: float) -> float:
    """Return the width of text in pixels at a font size."""
    return cells(text) * size * _WIDE


def fitted(text: str, most: int) -> str:
    """Return text of at most so many columns, shortened in the middle.

    >>> fitted("case-management-api-canary", 15)
    'case-ma\u2026-canary'
    """
    if cells(text) <= most:
        return text
    front, back = (most - 1 + 1) // 2, (most - 1) // 2
    head, tail = text[:front], text[len(text) - back :]
    while cells(head) > front:
        head = head[:-1]
    while cells(tail) > back:
        tail = tail[1:]
    return f"{head}\u2026{tail}"
