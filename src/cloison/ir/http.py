"""HTTP requests, and what rules ask of them."""

import re
from dataclasses import dataclass
from posixpath import normpath

from cloison.ir.fidelity import Caveat


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request that somebody makes on a connection.

    Args:
        method: `GET`, in the case it is sent in; None for one that is not said.
        path: What is asked for, starting with `/`; None likewise.
    """

    method: str | None
    path: str | None

    def __str__(self) -> str:
        """Render as the first line of a request starts."""
        return " ".join(part for part in (self.method, self.path) if part is not None)


@dataclass(frozen=True, slots=True)
class HttpMatch:
    """What a rule asks of a request; each list is any of, and empty asks nothing.

    Args:
        methods: Methods as they are sent; `*` is any.
        exact: Whole paths.
        prefixes: What paths start with.
        by_segment: Whether paths are normalised first, and a prefix ends where a segment does;
            otherwise paths are text. None where it is not known.
        besides: Text of what else the rule's condition asks for; None for nothing.
        doubt: What an answer carries that would be another, were `by_segment` known.
    """

    methods: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    by_segment: bool | None = True
    besides: str | None = None
    doubt: Caveat | None = None

    def matches(self, request: HttpRequest) -> bool | None:
        """Return whether a request is one of those meant; None where nobody can say.

        >>> HttpMatch(prefixes=("/pub",)).matches(HttpRequest("GET", "/pub/../admin"))
        False
        >>> text = HttpMatch(prefixes=("/pub",), by_segment=False)
        >>> text.matches(HttpRequest("GET", "/public"))
        True
        """
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
        ways = (True, False) if self.by_segment is None else (self.by_segment,)
        found = {
            self._by_segment(each) if way else self._as_text(each)
            for way in ways
            for each in _readings(path, normal=way)
        }
        return found.pop() if len(found) == 1 else None

    def _as_text(self, path: str) -> bool:
        return path in self.exact or path.startswith(self.prefixes)

    def _by_segment(self, path: str) -> bool:
        ends = [prefix.rstrip("/") for prefix in self.prefixes]
        return path in self.exact or any(path == e or path.startswith(f"{e}/") for e in ends)


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
