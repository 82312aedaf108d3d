"""What rules ask of the application layer, as sets of requests made when somebody asks for them.

Source: cilium/cilium pkg/envoy, pkg/policy/api/http.go, pkg/fqdn/dnsproxy.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from cloison import algebra
from cloison.algebra.values import PRESENT, Values
from cloison.dialects.cilium import caveats, names
from cloison.dialects.cilium.cluster import Cluster
from cloison.dialects.cilium.model_rules import HeaderMatch, HttpRule, L7Rules, PortRule
from cloison.ir.fidelity import Caveat
from cloison.ir.names import NamePattern, names_within
from cloison.ir.requests import RequestMatch

if TYPE_CHECKING:
    from cloison.algebra import Request, RequestSet, StringSet

_REMEMBERED = 512
"""Patterns whose texts are kept."""


@dataclass(frozen=True)
class Condition:
    """What a port rule asks of requests. Each of its parts asks nothing where it is None.

    Args:
        http: HTTP requests, any of these.
        names: Names that are looked up, any of these.
        servers: Names that TLS is opened with, any of these.
    """

    http: tuple[HttpRule, ...] | None = None
    names: tuple[NamePattern, ...] | None = None
    servers: tuple[NamePattern, ...] | None = None

    @property
    def doubt(self) -> Caveat | None:
        """What an answer carries of which it is not known whether it matches."""
        return self._sets.doubt

    def matches(self, request: "Request") -> bool | None:
        """Return whether it is met by a request; None where nobody can say."""
        return self._sets.matches(request)

    def requests(self) -> RequestMatch:
        """Return it as sets; where one is not worked out, all that it may be is possible."""
        return self._sets

    @cached_property
    def _sets(self) -> RequestMatch:
        try:
            return self._worked_out()
        except algebra.UndecidedError:
            every = algebra.EVERY_REQUEST
            return RequestMatch(algebra.NO_REQUESTS, every, caveats.PATTERN_UNDECIDED, str(self))

    def _worked_out(self) -> RequestMatch:
        must, may, doubt = _http(self.http or ())
        if self.http is None:
            must = algebra.EVERY_REQUEST
        if self.names is not None:
            must = algebra.RequestSet.dns(_union(self.names))
        if self.servers is not None:
            opened = algebra.RequestSet.sni(_union(self.servers))
            must, may = must & opened, may & opened
        may -= must
        return RequestMatch(must, may or None, doubt if may else None, str(self))

    def __str__(self) -> str:
        """Render for people, in the words of the policy."""
        parts = []
        if self.http is not None:
            parts.append(" or ".join(dict.fromkeys(map(_said, self.http))))
        if self.names is not None:
            parts.append(f"DNS {' or '.join(map(str, self.names))}")
        if self.servers is not None:
            parts.append(f"TLS for {' or '.join(map(str, self.servers))}")
        return " and ".join(parts)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a port rule asks besides its ports.

    Args:
        request: Of requests; None for nothing.
        condition: Text of what is not modelled; None for nothing.
        caveats: What an answer that rests on it carries.
    """

    request: Condition | None = None
    condition: str | None = None
    caveats: tuple[Caveat, ...] = ()


NOTHING = Asked()
_TOKEN = re.compile(r"[-!#$%&'*+.^_`|~0-9a-z]+")
"""What names of headers are made of, in small letters. Source: RFC 9110, 5.6.2."""


def asked(rule: PortRule, cluster: Cluster) -> Asked:
    """Return what a port rule asks besides its ports."""
    rules = rule.rules or L7Rules()
    opaque = tuple(_opaque(rule, rules))
    if opaque:
        return Asked(None, " and ".join(opaque), (caveats.L7_NOT_MODELLED,))
    found = Condition(
        rules.http or None,
        names.patterns(rules.dns, cluster) if rules.dns else None,
        tuple(map(server_name, rule.server_names)) if rule.server_names else None,
    )
    return NOTHING if found == Condition() else Asked(found)


def server_name(text: str) -> NamePattern:
    """Return the names in TLS that `serverNames` means: `*.` is one label, `**.` one or more."""
    return names_within(text)


def _opaque(rule: PortRule, rules: L7Rules) -> Iterator[str]:
    if rules.kafka:
        yield "a Kafka rule lets it pass"
    if rules.proto is not None:
        yield f"the parser {rules.proto} lets it pass"
    if rule.listener is not None:
        yield f"the listener {rule.listener} lets it pass"


def _union(patterns: Iterable[NamePattern]) -> "StringSet":
    return algebra.StringSet.union(each.strings for each in patterns)


def _http(rules: Iterable[HttpRule]) -> "tuple[RequestSet, RequestSet, Caveat | None]":
    """Return the requests that some rule certainly matches, those that one may match, and why."""
    must, may = algebra.NO_REQUESTS, algebra.NO_REQUESTS
    doubt = None
    for rule in rules:
        wanted, secret = _headers(rule)
        if not all(map(_TOKEN.fullmatch, wanted)):
            continue  # No request has a header of such a name.
        sets = [_pattern(text) for text in (rule.method, rule.path, rule.host)]
        method, path, host = (texts for texts, _ in sets)
        found = algebra.RequestSet.http(method, path, host, wanted)
        undecided = not all(known for _, known in sets)
        if secret or undecided:
            may |= found
            doubt = caveats.PATTERN_UNDECIDED if undecided else doubt or caveats.HEADER_SECRET
        else:
            must |= found
    return must, may, doubt


@lru_cache(_REMEMBERED)
def texts_of(pattern: str) -> "StringSet":
    """Return the texts of a pattern, worked out once for all that ask.

    Raises:
        PatternError: It is none.
        UndecidedError: It is not supported, or is too large.
    """
    return algebra.StringSet.pattern(pattern)


def _pattern(text: str | None) -> "tuple[StringSet | None, bool]":
    """Return the texts of a pattern, None for any, and whether they are worked out."""
    if text is None:
        return None, True
    try:
        return texts_of(text), True
    except algebra.UndecidedError:
        return None, False


def _headers(rule: HttpRule) -> tuple[dict[str, Values], bool]:
    """Return what headers must hold, and whether a Secret says more of one."""
    wanted: dict[str, Values] = {}
    secret = False
    for name, values in (*map(_header, rule.headers), *_matches(rule.header_matches)):
        key = name.lower()
        known = wanted.get(key)
        wanted[key] = values if known is None else _both(known, values)
    for match in rule.header_matches:
        secret |= match.secret is not None and match.mismatch is None
    return wanted, secret


def _both(one: Values, other: Values) -> Values:
    return Values(one.texts & other.texts, one.absent and other.absent)


def _header(text: str) -> tuple[str, Values]:
    """Return a header as `headers` has it: what stands behind the first blank is its value."""
    name, blank, value = text.partition(" ")
    if not blank:
        return name, PRESENT
    return name.removesuffix(":"), Values.of(algebra.StringSet.of(value))


def _matches(matches: Iterable[HeaderMatch]) -> Iterator[tuple[str, Values]]:
    for match in matches:
        if match.mismatch is not None:
            continue  # What does not match is changed or logged, and passes.
        if match.value is None or match.secret is not None:
            yield match.name, PRESENT
        else:
            yield match.name, Values.of(algebra.StringSet.of(match.value))


def _said(rule: HttpRule) -> str:
    """Return a rule of HTTP as people write a request."""
    first = " ".join(each for each in (rule.method, rule.path) if each is not None)
    parts = [first] if first else []
    parts += [f"host {rule.host}"] if rule.host is not None else []
    parts += [f"header {each}" for each in rule.headers]
    for match in rule.header_matches:
        if match.mismatch is None:
            held = "" if match.value is None else f": {match.value}"
            parts.append(f"header {match.name}{held}")
    return f"HTTP {', '.join(parts)}" if parts else "any HTTP request"


__all__ = ["NOTHING", "Asked", "Condition", "asked", "server_name"]
