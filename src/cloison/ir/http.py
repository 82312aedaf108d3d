"""HTTP conditions of methods and paths, which may be normalised before they are compared."""

import re
from dataclasses import dataclass
from posixpath import normpath
from typing import TYPE_CHECKING

from cloison import algebra
from cloison.ir.fidelity import Caveat
from cloison.ir.requests import RequestMatch

if TYPE_CHECKING:
    from cloison.algebra import Request, StringSet


@dataclass(frozen=True, slots=True)
class HttpMatch:
    """What a rule asks of an HTTP request; each list is any of, and empty asks nothing.

    Args:
        methods: Methods as they are sent; `*` is any.
        exact: Whole paths.
        prefixes: What paths start with.
        by_segment: Whether paths are normalised first, and a prefix ends where a segment does;
            otherwise paths are text. None where it is not known.
        unsaid: What an answer carries that would be another, were `by_segment` known.
    """

    methods: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    by_segment: bool | None = True
    unsaid: Caveat | None = None

    @property
    def doubt(self) -> Caveat | None:
        """What an answer carries of which it is not known whether it matches."""
        return self.unsaid if self.by_segment is None else None

    def matches(self, request: "Request") -> bool | None:
        """Return whether a request is one of those meant; None where nobody can say.

        >>> from cloison.algebra import Request
        >>> HttpMatch(prefixes=("/pub",)).matches(Request(method="GET", path="/pub/../admin"))
        False
        >>> text = HttpMatch(prefixes=("/pub",), by_segment=False)
        >>> text.matches(Request(method="GET", path="/public"))
        True
        """
        if request.kind != "http":
            return False
        asked = self._method(request.method), self._path(request.path)
        return False if False in asked else None if None in asked else True

    def _method(self, method: str | None) -> bool | None:
        if not self.methods or "*" in self.methods:
            return True
        return None if method is None else method in self.methods

    def _path(self, path: str | None) -> bool | None:
        if not self.exact and not self.prefixes:
            return True
        if path is None:
            return None
        found = {
            self._by_segment(each) if way else self._as_text(each)
            for way in self._ways
            for each in _readings(path, normal=way)
        }
        return found.pop() if len(found) == 1 else None

    @property
    def _ways(self) -> tuple[bool, ...]:
        return (True, False) if self.by_segment is None else (self.by_segment,)

    def _as_text(self, path: str) -> bool:
        return path in self.exact or path.startswith(self.prefixes)

    def _by_segment(self, path: str) -> bool:
        ends = [prefix.rstrip("/") for prefix in self.prefixes]
        return path in self.exact or any(path == e or path.startswith(f"{e}/") for e in ends)

    def given(self, request: "Request") -> RequestMatch:
        """Return what it still asks of a request, of what is not told of that."""
        met = self.matches(request)
        if met is None:
            return self.requests().given(request)
        return RequestMatch(algebra.EVERY_REQUEST if met else algebra.NO_REQUESTS, text=str(self))

    def requests(self) -> RequestMatch:
        """Return it as sets.

        A path that may be written in a shorter way, or whose end is read in two ways, is in
        neither, but among those that may be meant: no automaton counts the steps up of a path.
        """
        method = None
        if self.methods and "*" not in self.methods:
            method = algebra.StringSet.of(*self.methods)
        if not self.exact and not self.prefixes:
            return RequestMatch(algebra.RequestSet.http(method), text=str(self))
        ways = [_by_segment(self) if way else _as_text(self) for way in self._ways]
        must, some = ways[0]
        for also, besides in ways[1:]:
            must, some = must & also, some | besides
        rest = algebra.StringSet.pattern("([?#].*)?")
        certain = algebra.RequestSet.http(method, must + rest)
        possible = algebra.RequestSet.http(method, (some - must) + rest)
        return RequestMatch(certain, possible or None, self.doubt, str(self))

    def __str__(self) -> str:
        """Render for people."""
        methods = ", ".join(self.methods) or "any method"
        paths = ", ".join((*self.exact, *(f"{prefix}..." for prefix in self.prefixes)))
        return f"HTTP {methods} {paths or 'any path'}"


def _decoded(path: str) -> str:
    found = re.sub(
        rb"%([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), path.encode(errors="replace")
    )
    return found.decode(errors="replace")


def _readings(path: str, *, normal: bool) -> set[str]:
    """Return what a path may be taken for: whether `%2e` and a last `/` stay is not said."""
    path = path.partition("#")[0].partition("?")[0]
    if not normal:
        return {path}
    found = set()
    for each in (path, _decoded(path)):
        plain = normpath(f"/{each.lstrip('/')}")
        found |= {plain, f"{plain}/"} if each.endswith("/") and plain != "/" else {plain}
    return found


def _as_text(match: HttpMatch) -> "tuple[StringSet, StringSet]":
    """Return paths, their queries left out, that a match certainly and possibly means as texts."""
    paths = algebra.StringSet.of(*match.exact)
    for prefix in match.prefixes:
        paths |= algebra.StringSet.prefix(prefix)
    paths &= algebra.StringSet.pattern("[^?#]*")
    return paths, paths


def _by_segment(match: HttpMatch) -> "tuple[StringSet, StringSet]":
    """Return the same, of paths that are normalised before they are compared."""
    paths = algebra.StringSet.of(*match.exact)
    for prefix in match.prefixes:
        end = prefix.rstrip("/")
        paths |= algebra.StringSet.of(end) | algebra.StringSet.prefix(f"{end}/")
    plain = algebra.StringSet.pattern(_PLAIN)
    closed = plain + algebra.StringSet.of("/")
    slashed = (paths & plain) + algebra.StringSet.of("/")
    root = algebra.StringSet.of("/")
    certain = paths & (plain | root) | (paths & closed & slashed)
    written = algebra.StringSet.pattern("[^?#]*") - plain - closed - root
    return certain, certain | (closed & (paths | slashed)) | written


_PLAIN = r"(/([^/?#%.][^/?#%]*|\.[^/?#%.][^/?#%]*|\.\.[^/?#%]+))+"
"""Paths that normalising leaves as they are, without a last slash."""
