"""Ways to write one path that an enforcer which matches texts tells apart.

A server may take `/a`, `/a/`, `//a`, `/%61` and `/a?x` for one thing; a pattern that is held
against the text as it is sent need not. Each function and row here is one such question; whether
the answer matters is for those to say who know the enforcer.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from cloison.algebra.budget import Budget
from cloison.algebra.strings import StringSet
from cloison.algebra.values import ANY_TEXT

_HERE = "\ue000"
"""Stands for the place that is written in two ways; for private use, so no path has it."""
_REST = f"[^?#{_HERE}]*"


class Variant(NamedTuple):
    """Two ways to write a part of a path.

    Args:
        name: What it is called.
        plain: How it is mostly written.
        other: How it may be written, too.
        around: A regular expression of paths in which it occurs, with the place held by U+E000.
    """

    name: str
    plain: str
    other: str
    around: str


VARIANTS = (
    Variant("trailing-slash", "", "/", f"/({_REST}[^/?#{_HERE}])?{_HERE}"),
    Variant("query", "", "?q", f"/{_REST}{_HERE}"),
    Variant("double-slash", "/", "//", f"(/{_REST})?{_HERE}{_REST}"),
    Variant("dot-segment", "/", "/./", f"(/{_REST})?{_HERE}{_REST}"),
    Variant("encoded-slash", "/", "%2F", f"/{_REST}{_HERE}{_REST}"),
    Variant("encoded-letter", "a", "%61", f"/{_REST}{_HERE}{_REST}"),
)
"""What is asked of paths."""


class Trap(NamedTuple):
    """A path that is in a set, and another way to write it that is not, or the other way round.

    Args:
        name: Which variant it is.
        inside: The way to write it that the set holds.
        outside: The way to write it that the set does not hold.
    """

    name: str
    inside: str
    outside: str


def traps(paths: StringSet, variants: tuple[Variant, ...] = VARIANTS) -> Iterator[Trap]:
    """Iterate over the variants of paths that a set tells apart, with an example of each kind.

    Raises:
        TooLargeError: It takes too many steps.

    >>> [tuple(each) for each in traps(StringSet.of("/public"), VARIANTS[:1])]
    [('trailing-slash', '/public', '/public/')]
    >>> list(traps(StringSet.pattern("/public/?([?].*)?"), VARIANTS[:2]))
    []
    """
    budget = Budget()
    for name, plain, other, around in variants:
        shape = StringSet.pattern(around).meet(ANY_TEXT, budget)
        one = paths.replaced({_HERE: plain}).meet(shape, budget)
        two = paths.replaced({_HERE: other}).meet(shape, budget)
        for ways, texts in (((plain, other), one - two), ((other, plain), two - one)):
            found = texts.example()
            if found is not None:
                inside, outside = (found.replace(_HERE, way) for way in ways)
                yield Trap(name, inside, outside)


def left_out(paths: StringSet, variants: tuple[Variant, ...] = VARIANTS) -> Iterator[Trap]:
    """Iterate over those traps that are another way to write a path than people mostly do.

    The first path of a set mostly is one that is written in another way outside it, and then
    nothing is worked out of all others.

    Raises:
        TooLargeError: It takes too many steps.

    >>> [tuple(each) for each in left_out(StringSet.pattern("/a(/.*)?"), VARIANTS[:2])]
    [('query', '/a', '/a?q')]
    """
    first = paths.example()
    for each in variants:
        at_end = each.plain == ""
        if at_end and first is not None and re.fullmatch(each.around, f"{first}{_HERE}"):
            if first + each.other not in paths:
                yield Trap(each.name, first, first + each.other)
                continue
            shape = StringSet.pattern(each.around).before(_HERE)
            if paths & shape <= paths.before(each.other):
                continue
        yield from (t for t in traps(paths, (each,)) if len(t.outside) > len(t.inside))


def other_case(paths: StringSet) -> Trap | None:
    """Return a path of a set which, with small letters for capitals and back, is not in it."""
    first = paths.example()
    if first is None or first.translate(_SWAPPED) not in paths:
        return None if first is None else Trap("letter-case", first, first.translate(_SWAPPED))
    swapped = {char: char.swapcase() for char in _LETTERS}
    found = (paths - paths.replaced(swapped)).example()
    return None if found is None else Trap("letter-case", found, found.translate(_SWAPPED))


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SWAPPED = str.maketrans(_LETTERS, _LETTERS.swapcase())
