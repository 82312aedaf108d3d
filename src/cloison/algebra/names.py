"""Sets of names of hosts and of paths, from patterns that are no regular expressions."""

from cloison.algebra.strings import StringSet

_LABEL = "[-a-zA-Z0-9_]*"
_LABELS = r"([-a-zA-Z0-9_]+\.)+"
_SEGMENT = "[^/?#]+"
_SEGMENTS = "[^?#]*"


def host_names(pattern: str, *, deep: bool = True) -> StringSet:
    r"""Return the names of a pattern in which `*` is any number of characters of one label.

    Names are compared in small letters, and one dot at the end says nothing. `*` or `**` alone is
    every name.

    Args:
        pattern: The pattern.
        deep: Whether `**.` at the start is one or more labels; otherwise it is as `*.`.

    >>> str(host_names("**.Example.com"))
    '([-0-9A-Z_a-z]+\\.)+example\\.com'
    """
    text = pattern.lower().removesuffix(".")
    if text in ("*", "**"):
        return StringSet.pattern(".*")
    start = "**." if deep and text.startswith("**.") else ""
    # The rest first has its stars: only the one at the start may be several labels.
    rest = StringSet.glob(text[len(start) :], {"**": _LABEL, "*": _LABEL})
    return StringSet.pattern(_LABELS) + rest if start else rest


def starred(pattern: str) -> StringSet:
    """Return the texts of a pattern that may start or end with `*`; that alone is any but none.

    >>> [t in starred("/a/*") for t in ("/a/", "/a/b/c", "/b")]
    [True, True, False]
    """
    if pattern == "*":
        return StringSet.pattern(".+")
    if pattern.startswith("*"):
        return StringSet.suffix(pattern[1:])
    return StringSet.prefix(pattern[:-1]) if pattern.endswith("*") else StringSet.of(pattern)


def path_template(template: str) -> StringSet:
    """Return the paths of a template: `{*}` is one segment, `{**}` is any number of them.

    >>> paths = path_template("/users/{*}/files/{**}")
    >>> [p in paths for p in ("/users/me/files/a/b", "/users/a/b/files/x", "/users//files/x")]
    [True, False, False]
    """
    return StringSet.glob(template, {"{*}": _SEGMENT, "{**}": _SEGMENTS})
