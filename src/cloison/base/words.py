"""Lists of names in sentences."""

from collections.abc import Iterable, Sequence


def listed(names: Sequence[str]) -> str:
    """Return names as one phrase.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    if not names:
        return ""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def some(names: Sequence[str], shown: int = 3) -> str:
    """Return names as a phrase that stays short.

    >>> some(["a", "b", "c"]), some(["a", "b", "c", "d", "e"])
    ('a, b and c', 'a, b, c and 2 more')
    """
    if len(names) <= shown:
        return listed(names)
    return f"{', '.join(names[:shown])} and {len(names) - shown} more"


def begun(names: Sequence[str], shown: int = 6) -> str:
    """Return the first of names, and dots where there are more.

    >>> begun(["a", "b", "c"]), begun(["a", "b", "c"], 2)
    ('a, b, c', 'a, b, ...')
    """
    return ", ".join([*names[:shown], "..."] if len(names) > shown else names)


def few(names: Iterable[str], shown: int = 3) -> str:
    """Return the first of names in order, each once, and how many more there are.

    >>> few(["b", "a", "b"]), few("dcba", 1)
    ('a, b', 'a and 3 more')
    """
    ordered = sorted(set(names))
    return ", ".join(ordered) if len(ordered) <= shown else some(ordered, shown)


def plural(number: int, noun: str) -> str:
    """Return how many there are of something that is one without an `s`.

    >>> plural(1, "hour"), plural(1200, "hour")
    ('1 hour', '1,200 hours')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
