"""What a rule of HTTP asks of a request, as the matchers that the agent makes for its proxy.

Each is about one header. Method, path and host are headers, too, which begin with a colon; the
proxy keeps the header `host` as `:authority`.

Source: cilium/cilium pkg/envoy/policy/envoy_l7_rules_translator.go; envoyproxy/envoy
source/common/http/header_map_impl.cc.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from cloison import algebra
from cloison.algebra.values import PRESENT, Values
from cloison.dialects.cilium.model_rules import HttpRule

if TYPE_CHECKING:
    from cloison.algebra import Request, StringSet

METHOD: Final = ":method"
PATH: Final = ":path"
HOST: Final = ":authority"
_ALIASES = MappingProxyType({"host": HOST})
_PSEUDO = (METHOD, PATH, HOST, ":scheme", ":protocol")
"""Of a request. Source: RFC 9113, 8.3.1; RFC 8441, 4."""
_TOKEN = re.compile(r"[-!#$%&'*+.^_`|~0-9a-z]+")
"""What names of headers are made of, in small letters. Source: RFC 9110, 5.6.2."""
_REMEMBERED = 512
"""Patterns whose texts are kept."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """What one header must be.

    Args:
        name: In small letters.
        text: Its pattern, or its text; None where it must only be there.
        pattern: Whether that is a pattern, of all of it.
    """

    name: str
    text: str | None = None
    pattern: bool = False

    @property
    def possible(self) -> bool:
        """Whether a request can have such a header at all."""
        return self.name in _PSEUDO or _TOKEN.fullmatch(self.name) is not None

    @property
    def refused(self) -> bool:
        """Whether the proxy takes no policy with it: it has no name, or no pattern is one."""
        return not self.name or (self.pattern and not is_pattern(self.text or ""))

    def values(self) -> Values:
        """Return what the header may hold.

        Raises:
            UndecidedError: That is not worked out.
        """
        if self.text is None:
            return PRESENT
        found = texts_of(self.text) if self.pattern else algebra.StringSet.of(self.text)
        return Values.of(found)

    def holds(self, value: str | None) -> bool:
        """Return whether the header may be one text, or with None may be left out.

        Raises:
            UndecidedError: That is not worked out.
        """
        if value is None or self.text is None:
            return value is not None
        if not self.pattern:
            return value == self.text
        try:
            return value in texts_of(self.text)
        except algebra.TooLargeError:
            return algebra.matches(self.text, value)


def matchers(rule: HttpRule) -> Iterator[Matcher]:
    """Yield what a rule asks of headers, all of which must hold.

    A value behind `mismatch` is not asked for: what does not match is changed or logged, and
    passes. Of one that a Secret holds only that the header is there is known.
    """
    for name, pattern in ((METHOD, rule.method), (PATH, rule.path), (HOST, rule.host)):
        if pattern is not None:
            yield Matcher(name, pattern, pattern=True)
    for text in rule.headers:
        name, blank, value = text.partition(" ")
        yield Matcher(_key(name.rstrip(":")), value) if blank else Matcher(_key(name))
    for match in rule.header_matches:
        if match.mismatch is None:
            yield Matcher(_key(match.name), None if match.secret is not None else match.value)


def _key(name: str) -> str:
    key = name.lower()
    return _ALIASES.get(key, key)


def asks_secret(rule: HttpRule) -> bool:
    """Return whether a Secret says more of what a rule asks."""
    return any(m.secret is not None and m.mismatch is None for m in rule.header_matches)


def told(request: "Request") -> Mapping[str, str | None]:
    """Return what is told of a request's headers, with None for one that is left out."""
    found = {_key(name): value for name, value in request.headers}
    parts = ((METHOD, request.method), (PATH, request.path), (HOST, request.host))
    return found | {name: value for name, value in parts if value is not None}


@lru_cache(_REMEMBERED)
def texts_of(pattern: str) -> "StringSet":
    """Return the texts of a pattern, worked out once for all that ask.

    Raises:
        PatternError: It is none.
        UndecidedError: It is not supported, or is too large.
    """
    return algebra.StringSet.pattern(pattern)


@lru_cache(_REMEMBERED)
def is_pattern(text: str) -> bool:
    """Return whether a text is a pattern, whether or not its texts are worked out."""
    try:
        texts_of(text)
    except algebra.PatternError:
        return False
    except algebra.UndecidedError:
        return True
    return True
