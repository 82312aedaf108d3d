"""Questions that say the HTTP request: rules that ask for one then match it, or do not."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.analyses.explain import CaseAnswer
from cloison.analyses.question import Traffic
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.ir.fidelity import Caveat
from cloison.ir.http import HttpRequest
from cloison.ir.policy import Policy, Rule, TrafficMatch
from cloison.resources.names import shown

_HELP = "write a method and a path, as in GET /pub/x"
_TCP = TrafficSet.protocol(6)
_NOTHING = TrafficMatch(NO_TRAFFIC)


def parse_request(text: str) -> HttpRequest:
    """Read a request: `GET /pub/x`, or a mapping with `method` and `path`, as JSON.

    What is left out may be anything.

    Raises:
        QuestionError: it is neither.
    """
    method, path = _mapped(text) if text.startswith("{") else _split(text)
    if method is None and path is None:
        msg = f"{shown(text)} is not a request"
        raise QuestionError(msg, _HELP)
    if method is not None and not re.fullmatch(r"[A-Za-z-]{1,64}", method):
        msg = f"{shown(method)} is not a method"
        raise QuestionError(msg, _HELP)
    if path is not None and not (re.fullmatch(r"/\S*", path) and path.isprintable()):
        msg = f"{shown(path)} is not a path: it does not start with /, or has blanks"
        raise QuestionError(msg, _HELP)
    return HttpRequest(method, path)


def _split(text: str) -> tuple[str | None, str | None]:
    first, _, rest = text.strip().partition(" ")
    if first.startswith("/"):
        first, rest = "", text.strip()
    return first or None, rest.strip() or None


def _mapped(text: str) -> tuple[str | None, str | None]:
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        return None, None
    unknown = sorted(set(held) - {"method", "path"})
    if unknown:
        msg = f"a request has a method and a path, not {shown(unknown[0])}"
        raise QuestionError(msg, "write http: {method: GET, path: /pub/x}")
    method, path = (held.get(name) for name in ("method", "path"))
    return None if method is None else str(method), None if path is None else str(path)


def of_request(traffic: Traffic) -> Traffic:
    """Return what a question that says a request is about: TCP, of whatever it asks.

    Raises:
        QuestionError: it asks about other traffic only.
    """
    if traffic.name is not None:
        return traffic
    tcp = traffic.traffic & _TCP
    if not tcp:
        msg = f"no HTTP request is made over {traffic.text}"
        raise QuestionError(msg, "ask about a TCP port, or leave the request out")
    return replace(traffic, traffic=tcp)


def readings(engine: Engine, request: HttpRequest) -> tuple[bool | None, ...]:
    """Return what each rule that asks for a request makes of this one, in order.

    Requests of equal readings are all the same to every policy.
    """
    return tuple(
        rule.http.matches(request)
        for policy in engine.policies.policies
        for rule in policy.rules
        if rule.http is not None
    )


def requested(engine: Engine, request: HttpRequest | None) -> Engine:
    """Return an engine that judges what comes with a request; the same where no rule asks.

    A rule that the request does not match keeps its text, and matches no traffic. One of which
    nobody can say whether it does keeps its condition.
    """
    if request is None:
        return engine
    before = engine.policies.policies
    policies = tuple(_of(policy, request) for policy in before)
    if policies == before:
        return engine
    found = replace(engine.policies, policies=policies)
    return Engine(engine.world, found, engine.profile, engine.networks)


def _of(policy: Policy, request: HttpRequest) -> Policy:
    if all(rule.http is None for rule in policy.rules):
        return policy
    return replace(policy, rules=tuple(_judged(rule, request) for rule in policy.rules))


def _judged(rule: Rule, request: HttpRequest) -> Rule:
    if rule.http is None:
        return rule
    match rule.http.matches(request):
        case True:
            return replace(rule, condition=rule.http.besides, http=None)
        case False:
            return replace(rule, traffic=_NOTHING)
        case None:
            doubt = rule.http.doubt if rule.http.by_segment is None else None
            if doubt is None or doubt in rule.caveats:
                return rule
            return replace(rule, caveats=(*rule.caveats, doubt))


def passed_over(answers: Iterable[CaseAnswer]) -> Iterator[tuple[Caveat, ...]]:
    """Yield caveats of the rules for the ends in question that another request would match."""
    for answer in answers:
        for point in answer.points:
            piece = point.point.piece
            for bound, _ in piece.rules if piece else ():
                if bound.rule.http is not None:
                    yield bound.rule.caveats
