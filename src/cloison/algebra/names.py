"""Sets of names of hosts, from patterns that are no regular expressions."""

import re

from cloison.algebra.strings import StringSet

_LABEL = "[-a-zA-Z0-9_]*"
_LABELS = r"([-a-zA-Z0-9_]+\.)+"


def host_names(pattern: str, *, deep: bool = True) -> StringSet:
    r"""Return the names of a pattern in which `*` is any number of characters of one label.

    Names are compared in small letters, and one dot at the end says nothing. `*` or `**` alone is
    every name; more stars in a row are as two.

    Args:
        pattern: The pattern.
        deep: Whether `**.` at the start is one or more labels; otherwise it is as `*.`.

    >>> str(host_names("**.Example.com"))
    '([-0-9A-Z_a-z]+\\.)+example\\.com'
    """
    text = re.sub(r"\*{3,}", "**", pattern.lower().removesuffix("."))
    if text in ("*", "**"):
        return StringSet.pattern(".*")
    start = "**." if deep and text.startswith("**.") else ""
    # The rest first has its stars: only the one at the start may be several labels.
    rest = StringSet.glob(text[len(start) :], {"**": _LABEL, "*": _LABEL})
    return StringSet.pattern(_LABELS) + rest if start else rest
