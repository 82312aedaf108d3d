"""An element of a policy as rules of the IR: most come to one, one more for each list of requests.

Source: cilium/cilium pkg/policy/api, pkg/policy/l4.go, pkg/policy/rules.go.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cloison.algebra import ANY, NO_TRAFFIC
from cloison.base import Span
from cloison.dialects.cilium import caveats, l7, peers, traffic
from cloison.dialects.cilium.cluster import Cluster
from cloison.dialects.cilium.labels import Scope
from cloison.dialects.cilium.model import Rule as Written
from cloison.dialects.cilium.model_rules import Element
from cloison.ir.fidelity import Caveat
from cloison.ir.policy import EVERY_TRAFFIC, Action, Direction, Given, Rule, TrafficMatch

ALWAYS_FAILS = "test-always-fail"
REQUIRED = "required"
_AUTHENTICATED = "both ends authenticate each other"


@dataclass(frozen=True, slots=True)
class Piece:
    """Traffic of an element that is asked the same besides.

    Args:
        traffic: The traffic.
        asked: What is asked besides.
        span: Where it is written.
        caveats: What an answer that rests on it carries.
    """

    traffic: TrafficMatch
    asked: l7.Asked = l7.NOTHING
    span: Span | None = None
    caveats: tuple[Caveat, ...] = ()


def elements(
    written: Written, direction: Direction
) -> Iterator[tuple[Action, tuple[Element, ...]]]:
    """Yield the lists of a direction by what they do."""
    ingress = direction is Direction.INGRESS
    yield Action.ALLOW, (written.ingress if ingress else written.egress) or ()
    yield Action.DENY, (written.ingress_deny if ingress else written.egress_deny) or ()


def compiled(written: Written, direction: Direction, scope: Scope) -> Iterator[Rule]:
    """Yield what the elements of one direction mean."""
    for action, listed in elements(written, direction):
        name = _list_name(written, direction, action)
        for element in listed:
            for rule in _compiled(element, action, direction, scope):
                yield replace(rule, listed=name)


def _list_name(written: Written, direction: Direction, action: Action) -> str | None:
    """Return what a list of elements is called, where the direction does not say it."""
    name = f"{direction}Deny" if action is Action.DENY else str(direction)
    if written.index > 1:
        return f"spec {written.index} {name}"
    return name if action is Action.DENY else None


def _compiled(
    element: Element, action: Action, direction: Direction, scope: Scope
) -> Iterator[Rule]:
    whom = peers.of(element, scope, resolves=action is Action.ALLOW)
    about = tuple(pieces(element, direction, scope.cluster))
    if whom.wildcard and not _filters(element):
        about = ()
    of_names = peers.named(whom.names, element.span, scope.cluster)
    for piece in about:
        plain = Rule(
            direction,
            action,
            (*whom.peers, *of_names),
            piece.traffic,
            element.index,
            piece.span or element.span,
            condition=piece.asked.condition,
            caveats=(*piece.caveats, *piece.asked.caveats),
            request=piece.asked.request,
        )
        yield from _authenticated(plain, element)
    if not about:
        # It lets nothing through, and is there to be shown.
        nothing = TrafficMatch(NO_TRAFFIC)
        yield Rule(direction, action, whom.peers, nothing, element.index, element.span)


def _authenticated(rule: Rule, element: Element) -> Iterator[Rule]:
    """Yield a rule as authentication leaves it.

    What one rule asks for may count for others about the same traffic, so it is open there, too.
    """
    if element.authentication not in (REQUIRED, ALWAYS_FAILS) or rule.action is Action.DENY:
        yield rule
        return
    noted = replace(rule, caveats=(*rule.caveats, caveats.AUTHENTICATION))
    required = element.authentication == REQUIRED
    if required:
        words = [each for each in (rule.condition, _AUTHENTICATED) if each]
        alone = Given(_AUTHENTICATED) if rule.condition is None else None
        yield replace(noted, condition=" and ".join(words), given=alone)
    yield replace(
        noted,
        action=Action.DENY,
        request=None,
        condition="the ends do not authenticate each other",
        given=Given(_AUTHENTICATED, holds=False) if required else None,
    )


def _filters(element: Element) -> bool:
    """Return whether an element is about some traffic only; about none, if no port or type is said.

    Source: cilium/cilium pkg/policy/api/icmp.go, GetPortRule.
    """
    return bool(element.ports) or element.icmps is not None


def pieces(element: Element, direction: Direction, cluster: Cluster) -> Iterator[Piece]:
    """Yield the traffic of an element, that without further conditions together."""
    if not _filters(element):
        yield Piece(EVERY_TRAFFIC)
        return
    if element.icmps:
        yield Piece(traffic.of_messages(element.icmps).traffic)
    plain: list[traffic.Ports] = []
    for rule in element.ports or ():
        found = traffic.of_ports(rule.ports or (), direction, cluster)
        asked = l7.asked(rule, cluster)
        if asked == l7.NOTHING:
            plain.append(found)
            continue
        yield Piece(found.traffic, asked, rule.span, found.caveats)
        if found.unclear:
            words = " and ".join(each for each in (_RANGE, asked.condition) if each)
            asked = replace(asked, condition=words)
            yield _unclear(found, asked, rule.span)
    if plain:
        yield _together(plain)
    for found in plain:
        if found.unclear:
            yield _unclear(found, l7.Asked(condition=_RANGE), None)


_RANGE = "the range of ports is taken so"


def _unclear(found: traffic.Ports, asked: l7.Asked, span: Span | None) -> Piece:
    return Piece(TrafficMatch(found.unclear), asked, span, (*found.caveats, caveats.PORT_RANGE))


def _together(plain: list[traffic.Ports]) -> Piece:
    must = NO_TRAFFIC
    for each in plain:
        must |= each.traffic.must
    named = tuple(dict.fromkeys(name for each in plain for name in each.traffic.named))
    said = tuple(dict.fromkeys(c for each in plain for c in each.caveats))
    return Piece(TrafficMatch(must, named=named), caveats=said)


def every_port(rule: Rule) -> bool:
    """Whether a rule is about all traffic with its peers, without a condition."""
    return rule.traffic.must | rule.traffic.may == ANY and not rule.asks
