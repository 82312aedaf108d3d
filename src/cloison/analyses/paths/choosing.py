"""Which rule of an entry a request is for, and which gets it where several are.

A request may be told in part, rules may ask for patterns, and some orders are left to whoever
serves an entry: what may get the request then stays, and is said to be open.

Source: kubernetes-sigs/gateway-api apis/v1 httproute_types.go (HTTPRouteSpec.Hostnames,
HTTPRouteRule.Matches), grpcroute_types.go; kubernetes/website concepts/services-networking
ingress.md (multiple matches); kubernetes/api networking/v1 types.go IngressRule.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from cloison.platform.routes.model import EntryKind, Listener, Match, PathKind, RouteRule

if TYPE_CHECKING:
    from cloison.algebra import Request

_PATTERN = re.compile(r"[*+?()\[\]{}|^$\\]")
"""What a path has that is a pattern for certain."""
_EVERYTHING = Match()


@dataclass(frozen=True, slots=True)
class Chosen:
    """What may get a request.

    Args:
        rules: The rules; several where the request does not settle it.
        unsettled: Whether that is left to whoever serves the entry, or hangs on what is unknown.
        perhaps_none: Whether it may be that no rule is for the request.
    """

    rules: tuple[RouteRule, ...]
    unsettled: bool = False
    perhaps_none: bool = False


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A rule by one of its matches.

    Args:
        rule: The rule.
        match: The match.
        holds: Whether the request meets it; None where nobody can say.
        place: Its place among all.
        behind: The listeners that lead to it.
    """

    rule: RouteRule
    match: Match
    holds: bool | None
    place: int
    behind: tuple[Listener, ...]


def choose(
    kind: EntryKind,
    rules: Iterable[RouteRule],
    listeners: Sequence[Listener],
    request: "Request | None",
) -> Chosen:
    """Return the rules behind listeners that a request may be for, as far as those are settled.

    Args:
        kind: What the entry is written as.
        rules: Its rules, in order.
        listeners: The listeners that are asked about.
        request: The request; None for every one.
    """
    behind = [(rule, mine) for rule in rules if (mine := _mine(rule, listeners))]
    if request is None:
        return Chosen(tuple(rule for rule, _ in behind))
    host = request.host.partition(":")[0].lower() if request.host else None
    one_label = kind is EntryKind.INGRESS
    candidates: list[_Candidate] = []
    for rule, mine in behind:
        served = tuple(e for e in mine if host is None or _serves(host, e, rule, one=one_label))
        for match in (rule.matches or (_EVERYTHING,)) if served else ():
            holds = _holds(match, request)
            if holds is not False:
                candidates.append(_Candidate(rule, match, holds, len(candidates), served))
    first = _first(kind, host)
    left = [
        each
        for each in candidates
        if not any(other.holds and first(other, each) for other in candidates if other != each)
    ]
    kept: dict[int, RouteRule] = {id(each.rule): each.rule for each in left}
    unsettled = any(
        one.holds and other.holds and one.rule is not other.rule and _meet(host, one, other)
        for one, other in combinations(left, 2)
    )
    unsettled |= any(each.match.kind is PathKind.OWN and not each.holds for each in left)
    none = request.path is not None and bool(left) and not any(each.holds for each in candidates)
    return Chosen(tuple(kept.values()), unsettled and len(kept) + none > 1, none)


def _meet(host: str | None, one: _Candidate, other: _Candidate) -> bool:
    """Return whether two candidates are for one host, as far as that is told."""
    return host is not None or set(one.rule.hosts) == set(other.rule.hosts)


def _mine(rule: RouteRule, listeners: Sequence[Listener]) -> tuple[Listener, ...]:
    return tuple(each for each in listeners if not rule.listeners or each in rule.listeners)


def _serves(host: str, listener: Listener, rule: RouteRule, *, one: bool) -> bool:
    """Return whether a host is one of a listener and of a rule behind it."""
    if listener.hostname and not _is_host(host, listener.hostname, one=one):
        return False
    return not rule.hosts or any(_is_host(host, each, one=one) for each in rule.hosts)


def _is_host(host: str, pattern: str, *, one: bool) -> bool:
    """Return whether a host is one that a route names.

    A star stands for one label or more; for `one` where an Ingress has it.
    """
    pattern = pattern.lower()
    if not pattern.startswith("*."):
        return host == pattern
    label = host.removesuffix(pattern[1:])
    return bool(label) and label != host and not (one and "." in label)


def _holds(match: Match, request: "Request") -> bool | None:
    """Return whether a request meets a match; None where nobody can say."""
    parts = [_path_holds(match, request.path)]
    if match.method is not None:
        parts.append(None if request.method is None else request.method == match.method)
    told = {name.lower(): value for name, value in request.headers}
    for name, value in match.headers:
        key = name.lower()
        parts.append(_value_holds(told[key], value) if key in told else None)
    query = request.path.partition("?")[2] if request.path is not None else None
    asked = dict(reversed(parse_qsl(query, keep_blank_values=True))) if query else {}
    for name, value in match.query:
        parts.append(None if request.path is None else _value_holds(asked.get(name), value))
    if False in parts:
        return False
    return None if None in parts else True


def _value_holds(told: str | None, wanted: str | None) -> bool | None:
    """Return whether a value is the one wanted; None wants a pattern, and None is told of none."""
    if told is None:
        return False
    return None if wanted is None else told == wanted


def _path_holds(match: Match, told: str | None) -> bool | None:
    written, kind = match.path, match.kind
    below = written.rstrip("/")
    if kind is PathKind.PREFIX and not below:
        return True
    if told is None:
        return None
    path = told.partition("?")[0]
    if kind is PathKind.EXACT:
        return path == written
    if kind is PathKind.PREFIX:
        return path == below or path.startswith(f"{below}/")
    if _PATTERN.search(written):
        return None
    if path == written:
        return True
    return None if written in path else False


_Rank = Callable[[_Candidate], tuple[int, int]]


def _first(kind: EntryKind, host: str | None) -> Callable[[_Candidate, _Candidate], bool]:
    """Return what tells whether one candidate surely gets a request that both are for."""

    def own(each: _Candidate) -> tuple[int, int]:
        return _specific(host, each.rule.hosts)

    def met(each: _Candidate) -> tuple[int, int]:
        hosts = each.rule.hosts or tuple(e.hostname for e in each.behind if e.hostname)
        return _specific(host, hosts)

    def first(one: _Candidate, other: _Candidate) -> bool:
        if one.rule.last != other.rule.last:
            return other.rule.last
        if host is None:
            same = set(one.rule.hosts) == set(other.rule.hosts)
            return same and one.behind == other.behind and _before(kind, one, other)
        # Routes without a host may count as having the listener's.
        return all(_ahead(kind, one, other, rank) for rank in (own, met))

    return first


def _ahead(kind: EntryKind, one: _Candidate, other: _Candidate, rank: _Rank) -> bool:
    ours, theirs = rank(one), rank(other)
    return ours > theirs if ours != theirs else _before(kind, one, other)


def _specific(host: str | None, hosts: Iterable[str]) -> tuple[int, int]:
    """Return how closely a host is named: by itself before a wildcard, a long one before others."""
    found = [
        (0 if each.startswith("*.") else len(each), len(each))
        for each in hosts
        if host is not None and _is_host(host, each, one=False)
    ]
    return max(found, default=(0, 0))


def _before(kind: EntryKind, one: _Candidate, other: _Candidate) -> bool:
    """Return whether one candidate surely comes before another for the same host."""
    if kind is not EntryKind.INGRESS and (one.match.kind is PathKind.OWN) != (
        other.match.kind is PathKind.OWN
    ):
        return False  # where patterns stand is left to whoever serves the entry
    ours, theirs = _closeness(one.match), _closeness(other.match)
    if ours != theirs:
        patterns = any(
            each.match.kind is PathKind.OWN and _PATTERN.search(each.match.path)
            for each in (one, other)
        )
        return ours > theirs and not patterns
    if kind is EntryKind.INGRESS:
        return False
    if one.rule.route == other.rule.route:
        return one.place < other.place
    made, later = one.rule.created, other.rule.created
    if made is None or later is None:
        return False
    return (made, _home(one.rule)) < (later, _home(other.rule))


def _closeness(match: Match) -> tuple[bool, int, bool, int, int]:
    """Return how closely a match describes a request, to compare: the greater comes first."""
    return (
        match.kind is PathKind.EXACT,
        len(match.path),
        match.method is not None,
        len(match.headers),
        len(match.query),
    )


def _home(rule: RouteRule) -> str:
    """Return the namespace and name of the route of a rule."""
    return rule.route.partition(" ")[2]
