"""One path of an HTTP request: the form proxies bring it to, and other ways to write it."""

import re
from collections.abc import Iterator
from enum import StrEnum

_UNRESERVED = re.compile("%(2[DdEe]|3[0-9]|4[1-9A-Fa-f]|5[0-9AaFf]|6[1-9A-Fa-f]|7[0-9AaEe])")
_SLASH = re.compile("%2[Ff]")
_SLASHES = re.compile("//+")
_ESCAPED = re.compile("%(2[Ff]|5[Cc])")


def normalised(path: str) -> str:
    """Return a path as RFC 3986 normalises it, with its slashes decoded and merged.

    What stands behind a question mark is left as it is.

    Source: RFC 3986, 5.2.4 and 6.2.2; Envoy documentation, HttpConnectionManager,
    `normalize_path`, `merge_slashes` and `path_with_escaped_slashes_action`.

    >>> normalised("/v1/./a%2Fb//%61?x=//"), normalised("/a/../../b/.."), normalised("/a/")
    ('/v1/a/b/a?x=//', '/', '/a/')
    """
    head, mark, query = path.partition("?")
    plain = _UNRESERVED.sub(lambda found: chr(int(found[1], 16)), _SLASH.sub("/", head))
    kept: list[str] = []
    segments = plain.split("/")[1:]
    for place, segment in enumerate(segments):
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
        if segment in (".", "..") and place == len(segments) - 1:
            kept.append("")
    return f"{_SLASHES.sub('/', '/' + '/'.join(kept))}{mark}{query}"


class Answered(StrEnum):
    """What a proxy that normalises paths answers itself, and sends nothing on."""

    REDIRECTED = "redirected"
    """To the path in its one form: slashes in it were encoded."""
    REJECTED = "rejected"
    """With 400: it has a fragment, or an encoded zero byte."""


def answered(path: str) -> Answered | None:
    """Return what a proxy answers to a path before any policy is asked; None where it asks.

    Source: Envoy documentation, HttpConnectionManager, `path_with_escaped_slashes_action`
    (UNESCAPE_AND_REDIRECT), and release notes of 1.17.4; envoyproxy/envoy
    test/common/http/path_utility_test.cc; cilium/cilium pkg/envoy/xds_server.go.

    >>> [answered(path) for path in ("/a%2fb", "/a?b=%2f", "/a#b")][1:]
    [None, <Answered.REJECTED: 'rejected'>]
    """
    head = path.partition("?")[0]
    if "#" in path or "%00" in head:
        return Answered.REJECTED
    return Answered.REDIRECTED if _ESCAPED.search(head) else None


def ways(path: str) -> Iterator[tuple[str, str]]:
    """Yield other ways to write a path which a server may take for the same, by variant.

    >>> list(ways("/Users"))[:3]
    [('trailing-slash', '/Users/'), ('query', '/Users?q'), ('letter-case', '/users')]
    >>> list(ways("/v1/a"))[-2:]
    [('double-slash', '//v1/a'), ('encoded-slash', '/v1%2Fa')]
    """
    head, mark, query = path.partition("?")
    if head != "/":
        other = head.removesuffix("/") if head.endswith("/") else f"{head}/"
        yield "trailing-slash", f"{other}{mark}{query}"
    yield "query", head if mark else f"{head}?q"
    small = head.lower() if head != head.lower() else head.upper()
    if small != head:
        yield "letter-case", f"{small}{mark}{query}"
    yield "double-slash", f"/{path}"
    if "/" in head[1:]:
        yield "encoded-slash", f"/{head[1:].replace('/', '%2F', 1)}{mark}{query}"
