"""One text and one pattern: what needs no set of texts, and no automaton of all of them."""

from functools import lru_cache

from cloison.algebra.budget import Budget
from cloison.algebra.regex import accepts, parse
from cloison.algebra.regex.syntax import Node

MOST_STATES = 10_000
"""A fourth of the places that a pattern may have: one of 10 000 characters has half of them."""
MOST_STEPS = 300_000
_REMEMBERED = 64


@lru_cache(_REMEMBERED)
def _tree(pattern: str) -> Node:
    return parse(pattern)


def matches(pattern: str, text: str) -> bool:
    """Return whether a regular expression of Go or RE2 matches a text as a whole.

    It answers as `StringSet.pattern` does, and also where the set of all texts is too large.

    Raises:
        PatternError: It is no regular expression.
        UndecidedError: It is one, but uses what is not supported, or is too large even so.

    >>> matches("(a|b)*a(a|b){20}", "b" * 5000 + "a" + "b" * 20)
    True
    """
    return accepts(_tree(pattern), text, Budget(MOST_STEPS, MOST_STATES))
