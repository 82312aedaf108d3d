"""Questions that say the HTTP request: rules that ask for one then match it, or do not."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from cloison import algebra
from cloison.algebra import NO_TRAFFIC
from cloison.algebra.paths import Answered, answered, normalised
from cloison.analyses.explain import CaseAnswer
from cloison.engine import Engine
from cloison.ir.caveats import REQUESTS_TOO_LARGE
from cloison.ir.fidelity import Caveat
from cloison.ir.policy import Policy, Rule, TrafficMatch
from cloison.ir.profile import Profile
from cloison.ir.requests import RequestCondition

if TYPE_CHECKING:
    from cloison.algebra import Request, RequestSet

_NOTHING = TrafficMatch(NO_TRAFFIC)


def as_read(profile: Profile, request: "Request") -> "Request":
    """Return a request as a proxy compares it, which may write its path in another way."""
    if request.path is None or profile.normalises is None:
        return request
    return replace(request, path=normalised(request.path))


def by_proxy(profile: Profile, request: "Request") -> Answered | None:
    """Return what a proxy answers before it asks any policy; None where it asks them."""
    if request.path is None or profile.normalises is None:
        return None
    return answered(request.path)


def readings(engine: Engine, request: "Request") -> tuple[bool | None, ...]:
    """Return what each rule that asks for a request makes of this one, in order.

    Requests of equal readings are all the same to every policy.
    """
    answers = by_proxy(engine.profile, request) is not None
    request = as_read(engine.profile, request)
    return tuple(
        False if answers else rule.request.matches(request)
        for policy in engine.policies.policies
        for rule in policy.rules
        if rule.request is not None
    )


def requested(engine: Engine, request: "Request | None") -> Engine:
    """Return an engine that judges what comes with a request; the same where no rule asks.

    A rule that the request does not match keeps its text, and matches no traffic; none matches one
    that a proxy answers itself. One that asks
    for more than is known of the request keeps its condition.
    """
    if request is None:
        return engine
    before = engine.policies.policies
    if all(rule.request is None for policy in before for rule in policy.rules):
        return engine
    answers = by_proxy(engine.profile, request) is not None
    request = request if answers else as_read(engine.profile, request)
    if engine.policies.request == request:
        return engine
    policies = tuple(_of(policy, request, answers=answers) for policy in before)
    found = replace(engine.policies, policies=policies, request=request)
    return Engine(engine.world, found, engine.profile, engine.networks)


def _of(policy: Policy, request: "Request", *, answers: bool) -> Policy:
    if all(rule.request is None for rule in policy.rules):
        return policy
    rules = (_judged(rule, request, answers=answers) for rule in policy.rules)
    return replace(policy, rules=tuple(rules))


def _judged(rule: Rule, request: "Request", *, answers: bool) -> Rule:
    if rule.request is None:
        return rule
    if answers:
        return replace(rule, traffic=_NOTHING, unmet=rule.traffic)
    match rule.request.matches(request):
        case True:
            return replace(rule, request=None)
        case False:
            return replace(rule, traffic=_NOTHING, unmet=rule.traffic)
        case None:
            doubt = _doubt(rule.request, request)
            if doubt is None or doubt in rule.caveats:
                return rule
            return replace(rule, caveats=(*rule.caveats, doubt))


def _doubt(condition: RequestCondition, request: "Request") -> Caveat | None:
    """Return why nobody can say if a request meets a condition; None where too little is told."""
    try:
        return condition.given(request).doubt
    except algebra.UndecidedError:
        return REQUESTS_TOO_LARGE


def passed_over(answers: Iterable[CaseAnswer]) -> Iterator[tuple[Caveat, ...]]:
    """Yield caveats of the rules for the ends in question that another request would match."""
    for answer in answers:
        for point in answer.points:
            piece = point.point.piece
            for bound, _ in piece.rules if piece else ():
                if bound.rule.request is not None:
                    yield bound.rule.caveats


def looked_at(engine: Engine, answers: Iterable[CaseAnswer]) -> bool:
    """Return whether a rule for the ends and the traffic in question asks for a request.

    Args:
        engine: Who decides, as it is without a request.
        answers: What was answered, with a request or without.
    """
    asking: dict[tuple[object, ...], list[TrafficMatch]] = {}
    for policy in engine.policies.policies:
        for rule in policy.rules:
            if rule.request is not None:
                # One rule as it is written may be several here.
                key = (policy.id, rule.direction, rule.index)
                asking.setdefault(key, []).append(rule.traffic)
    for answer in answers if asking else ():
        for point in answer.points:
            piece = point.point.piece
            for bound, _ in piece.rules if piece else ():
                key = (bound.policy.id, bound.rule.direction, bound.rule.index)
                for said in asking.get(key, ()):
                    if said.named or (said.must | said.may) & answer.case.traffic:
                        return True
    return False


def usual(requests: "RequestSet") -> "Request | None":
    """Return a request of a set as it is mostly made, where the set has such ones."""
    for narrower in _usually():
        if not narrower.isdisjoint(requests):
            requests &= narrower
    return requests.example()


def _usually() -> "Iterator[RequestSet]":
    """Yield what most requests are, the first what almost all are."""
    texts, http = algebra.StringSet, algebra.RequestSet.http
    yield http()
    yield http(path=texts.prefix("/"))
    yield http(path=texts.pattern("(/[a-z0-9._-]+)+/?|/"))
    yield from (http(method=texts.of(method)) for method in ("GET", "POST", "PUT", "DELETE"))
