"""Flows with a request: what of it can be sent, and what a lab's proxy can judge."""

from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec.structs import replace as with_changes

from cloison import algebra
from cloison.algebra import MAX_PORT, TrafficSet
from cloison.analyses.application import Application
from cloison.analyses.explain import rule_text
from cloison.engine import Engine
from cloison.ir.requests import of_http
from cloison.probe.lab.plan import Ask

if TYPE_CHECKING:
    from cloison.algebra import Request
    from cloison.probe.lab.cells import Planned

_TCP = TrafficSet.ports("TCP", 1, MAX_PORT)
_HTTP_PORT = 80


def unsendable(said: Application) -> str | None:
    """Return why what is said of the application is not sent in a lab; None where it is.

    A gRPC call is: to policies it is a POST to a path, and that is sent.

    Args:
        said: What a row says of it.
    """
    others = [part for part in said.said if part in _NAMES]
    if not others:
        return None
    return f"labs send no {' or '.join(_NAMES[part] for part in others)}, only plain HTTP"


_NAMES = {"sni": "TLS", "dns": "queries of names that rules ask about"}


def unjudged(engine: Engine, traffic: TrafficSet) -> str | None:
    """Return what on some traffic no proxy of a lab can judge; None for nothing.

    Args:
        engine: The policies, as they are without a request.
        traffic: Of the flow.
    """
    for policy in engine.ordered:
        for rule in policy.rules:
            if rule.request is None or not (rule.traffic.must | rule.traffic.may) & traffic & _TCP:
                continue
            if rule.condition is not None or of_http(rule.request) is None:
                return f"{rule_text(policy, rule)} asks for more than the lab's proxy reads"
    return None


def with_request(cell: "Planned", request: "Request", engine: Engine) -> "Planned":
    """Return a flow on which a request is made.

    Args:
        cell: The flow, with what is predicted for the request.
        request: The request, or what is known of it: the rest is made up.
        engine: The policies, as they are without a request.
    """
    flow = replace(cell.flow, request=str(request))
    made = replace(cell, flow=flow, request=request)
    if cell.probe is None:
        return made
    why = next((w for case in cell.cases if (w := unjudged(engine, case.traffic))), None)
    if why is not None:
        return replace(made, probe=None, reason=why, listeners=())
    host = f"[{flow.target}]" if ":" in flow.target else flow.target
    host += "" if flow.port == _HTTP_PORT else f":{flow.port}"
    return replace(made, probe=with_changes(cell.probe, ask=_ask(request, host)))


def _ask(request: "Request", host: str) -> Ask:
    whole = algebra.RequestSet.of(request).example() or request
    sent = tuple((name, value) for name, value in whole.headers if value is not None)
    return Ask(whole.method or "GET", whole.path or "/", whole.host or host, sent)
