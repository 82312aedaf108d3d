"""What rules ask of the application layer, as sets of requests made when somebody asks for them.

Source: cilium/cilium pkg/envoy, pkg/policy/api/http.go, pkg/fqdn/dnsproxy.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from cloison import algebra
from cloison.algebra.values import Values
from cloison.dialects.cilium import caveats, names
from cloison.dialects.cilium.cluster import Cluster
from cloison.dialects.cilium.headers import (
    HOST,
    METHOD,
    PATH,
    asks_secret,
    matchers,
    told,
)
from cloison.dialects.cilium.model_rules import HttpRule, L7Rules, PortRule
from cloison.ir.caveats import REQUESTS_TOO_LARGE
from cloison.ir.fidelity import Caveat
from cloison.ir.names import NamePattern, names_within
from cloison.ir.requests import RequestMatch

if TYPE_CHECKING:
    from cloison.algebra import Request, RequestSet, StringSet

HTTP = "http"
PARTS = (METHOD, PATH, HOST)


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
        return self.given(request).matches(request)

    def given(self, request: "Request") -> RequestMatch:
        """Return what it still asks of a request, rule by rule: no set holds what is told of it."""
        return self._worked_out(request)

    def requests(self) -> RequestMatch:
        """Return it as sets; where one is not worked out, all that it may be is possible."""
        return self._sets

    @cached_property
    def _sets(self) -> RequestMatch:
        return self._worked_out(None)

    def _worked_out(self, request: "Request | None") -> RequestMatch:
        try:
            must, may, doubt = _http(self.http, request)
            if self.names is not None:
                must = _left(algebra.RequestSet.dns(_union(self.names)), request)
            if self.servers is not None:
                opened = _left(algebra.RequestSet.sni(_union(self.servers)), request)
                must, may = must & opened, may & opened
            may -= must
        except algebra.UndecidedError:
            every = algebra.EVERY_REQUEST if self.http is None else algebra.RequestSet.http()
            every = _left(every, request)
            return RequestMatch(algebra.NO_REQUESTS, every, REQUESTS_TOO_LARGE, str(self))
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


def _left(found: "RequestSet", request: "Request | None") -> "RequestSet":
    return found if request is None else found.given(request)


Met: TypeAlias = "tuple[RequestSet, RequestSet, Caveat | None]"
"""Requests that certainly match, those that may, and why that is not known."""


def _http(rules: "Sequence[HttpRule] | None", request: "Request | None") -> Met:
    """Return the requests that some rule matches, by what is not told of them."""
    nothing, every = algebra.NO_REQUESTS, algebra.EVERY_REQUEST
    if rules is None:
        return every, nothing, None
    if request is not None and request.kind not in (HTTP, None):
        return nothing, nothing, None
    if any(each.refused for rule in rules for each in matchers(rule)):
        # The proxy keeps the policy that it had.
        return nothing, _left(algebra.RequestSet.http(), request), caveats.PROXY_REFUSES
    found = [_one(rule, request) for rule in rules]
    if any(must == every for must, _, _ in found):
        return every, nothing, None
    must, may, doubts = nothing, nothing, []
    for sure, perhaps, doubt in found:
        must, may = must | sure, may | perhaps
        doubts += [doubt] if doubt is not None else []
    return must, may, min(doubts, key=_WORST.index, default=None)


_WORST = (caveats.PATTERN_UNDECIDED, caveats.HEADER_SECRET)


def _one(rule: HttpRule, request: "Request | None") -> Met:
    """Return the requests that one rule matches, by what is not told of them."""
    nothing = algebra.NO_REQUESTS
    known = {} if request is None else told(request)
    doubt = caveats.HEADER_SECRET if asks_secret(rule) else None
    wanted: dict[str, Values] = {}
    for each in matchers(rule):
        if not each.possible:
            return nothing, nothing, None
        try:
            if each.name not in known:
                values = each.values()
                before = wanted.get(each.name)
                wanted[each.name] = values if before is None else _both(before, values)
            elif not each.holds(known[each.name]):
                return nothing, nothing, None
        except algebra.UndecidedError:
            doubt = caveats.PATTERN_UNDECIDED
    method, path, host = (wanted[name].texts if name in wanted else None for name in PARTS)
    headers = {name: values for name, values in wanted.items() if name not in PARTS}
    found = _left(algebra.RequestSet.http(method, path, host, headers), request)
    return (found, nothing, None) if doubt is None else (nothing, found, doubt)


def _both(one: Values, other: Values) -> Values:
    return Values(one.texts & other.texts, one.absent and other.absent)


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
