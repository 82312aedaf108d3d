"""What rules ask of the application layer, as sets of requests made when somebody asks for them.

Source: cilium/cilium pkg/envoy, pkg/policy/api/http.go, pkg/fqdn/dnsproxy.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
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
_REMEMBERED = 128
"""Conditions whose sets are kept."""


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
        return self.worked_out(request)

    def requests(self) -> RequestMatch:
        """Return it as sets; where one is not worked out, all that it may be is possible."""
        return self._sets

    @property
    def _sets(self) -> RequestMatch:
        return _worked_out(self)

    def worked_out(self, request: "Request | None") -> RequestMatch:
        """Return what it asks of a request, or of all where there is none."""
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


@lru_cache(_REMEMBERED)
def _worked_out(condition: Condition) -> RequestMatch:
    """Return a condition as sets, worked out once for equal ones."""
    return condition.worked_out(None)


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
    sure: list[Wanted] = []
    perhaps: list[Wanted] = []
    doubts: list[Caveat] = []
    for rule in rules:
        wanted, doubt = _one(rule, request)
        if wanted is None:
            continue
        if not wanted and doubt is None:
            return _left(algebra.RequestSet.http(), request), nothing, None
        (sure if doubt is None else perhaps).append(wanted)
        doubts += [doubt] if doubt is not None else []
    must, may = (_left(_any(each), request) for each in (sure, perhaps))
    return must, may, min(doubts, key=_WORST.index, default=None)


_WORST = (caveats.PATTERN_UNDECIDED, caveats.HEADER_SECRET)
Wanted: TypeAlias = dict[str, Values]
"""What headers must hold; others may hold anything."""


def _one(rule: HttpRule, request: "Request | None") -> tuple[Wanted | None, Caveat | None]:
    """Return what one rule asks of what is not told, and why that may not be all it asks.

    None for a rule that surely is not met.
    """
    known = {} if request is None else told(request)
    doubt = caveats.HEADER_SECRET if asks_secret(rule) else None
    wanted: Wanted = {}
    for each in matchers(rule):
        if not each.possible:
            return None, None
        try:
            if each.name not in known:
                values = each.values()
                before = wanted.get(each.name)
                wanted[each.name] = values if before is None else _both(before, values)
            elif not each.holds(known[each.name]):
                return None, None
        except algebra.UndecidedError:
            doubt = caveats.PATTERN_UNDECIDED
    return wanted, doubt


def _any(boxes: Iterable[Wanted]) -> "RequestSet":
    """Return the requests that are in any of some boxes.

    Most rules of a list differ in their path alone, and a union of texts is soon made.
    """
    for name in PARTS:
        boxes = _merged(boxes, name)
    found = [_set(each) for each in boxes]
    while len(found) > 1:
        odd = found[-1:] if len(found) % 2 else []
        pairs = zip(found[::2], found[1::2], strict=False)
        found = [*(one | other for one, other in pairs), *odd]
    return found[0] if found else algebra.NO_REQUESTS


def _merged(boxes: Iterable[Wanted], name: str) -> list[Wanted]:
    """Return boxes, of which those that differ in one header alone are one."""
    alike: dict[frozenset[tuple[str, Values]], list[Values | None]] = {}
    for each in boxes:
        rest = frozenset(item for item in each.items() if item[0] != name)
        alike.setdefault(rest, []).append(each.get(name))
    made: list[Wanted] = []
    for rest, values in alike.items():
        told_of = [each.texts for each in values if each is not None]
        besides = {name: Values(algebra.StringSet.union(told_of))}
        made.append(dict(rest) | (besides if len(told_of) == len(values) else {}))
    return made


def _set(wanted: Wanted) -> "RequestSet":
    method, path, host = (wanted[name].texts if name in wanted else None for name in PARTS)
    headers = {name: values for name, values in wanted.items() if name not in PARTS}
    return algebra.RequestSet.http(method, path, host, headers)


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
