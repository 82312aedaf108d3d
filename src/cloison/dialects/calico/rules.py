"""A rule of Calico's as rules of the IR: most come to one.

Both entities of a rule are looked at in both directions: one is the peer, the other narrows
whom of the policy's subjects the rule is about.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from cloison.algebra import TrafficSet
from cloison.algebra.expressions import ALWAYS, Expression
from cloison.dialects.calico import caveats, entities, labels, services, traffic
from cloison.dialects.calico.blocks import families
from cloison.dialects.calico.entities import ANYBODY, Choice, Scope
from cloison.dialects.calico.left_out import left_out, without
from cloison.dialects.calico.model import Action as CalicoAction
from cloison.dialects.calico.model import EntityRule, ServiceMatch
from cloison.dialects.calico.model import Rule as CalicoRule
from cloison.dialects.calico.services import Backends
from cloison.ir.fidelity import Caveat
from cloison.ir.groups import exactly
from cloison.ir.http import HttpMatch
from cloison.ir.peers import NoneOf
from cloison.ir.policy import (
    EVERY_TRAFFIC,
    Action,
    AddressGroup,
    Direction,
    Peer,
    Rule,
    TrafficMatch,
)
from cloison.resources.world import World

_ACTIONS = {
    CalicoAction.ALLOW: Action.ALLOW,
    CalicoAction.DENY: Action.DENY,
    CalicoAction.PASS: Action.PASS,
    CalicoAction.LOG: Action.LOG,
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What the rules of a policy are read in.

    Args:
        scope: The policy's scope.
        world: The inventory, for Services.
        hosts: The addresses of host endpoints whose ports have names.
        http: Whether somebody may enforce the application's part of rules.
        segments: Whether that compares paths by segments; None where nobody knows.
    """

    scope: Scope
    world: World
    hosts: tuple[AddressGroup, ...] = ()
    http: bool = False
    segments: bool | None = None


def compiled(
    rules: Iterable[CalicoRule],
    direction: Direction,
    setting: Setting,
    caveat: Caveat | None = None,
) -> Iterator[Rule]:
    """Yield what rules of one direction mean, by the numbers they have in the policy.

    Args:
        rules: The rules, in order.
        direction: Which direction.
        setting: What they are read in.
        caveat: What an answer that rests on any of them carries.
    """
    for index, rule in enumerate(rules, 1):
        for each in _compiled(rule, direction, setting):
            more = () if caveat is None else (caveat,)
            tracked = caveat != caveats.UNTRACKED
            yield replace(each, index=index, caveats=(*each.caveats, *more), tracked=tracked)


def _compiled(rule: CalicoRule, direction: Direction, setting: Setting) -> Iterator[Rule]:
    present = families(rule)
    if not present:
        return
    ingress = direction is Direction.INGRESS
    there, here = rule.source, rule.destination
    if not ingress:
        there, here = here, there
    subjects = entities.match(here, setting.scope, present)
    choice = entities.match(there, setting.scope, present)
    if not any(e.nets or e.not_nets for e in (there, here)):
        choice = entities.of_families(choice, present)
    plain = Rule(
        direction,
        _ACTIONS[rule.action],
        (),
        TrafficMatch(TrafficSet()),
        0,
        rule.span,
        sources=traffic.sources(rule),
        condition=_source_names(rule),
        subjects=None if subjects == ANYBODY else subjects,
        caveats=(caveats.HTTP_RULE,) if rule.http is not None else (),
        request=_request(rule, setting),
    )
    if rule.source.services is not None or rule.destination.services is not None:
        yield from _of_service(rule, plain, choice, setting)
        return
    about = traffic.traffic(rule)
    left = left_out(about.excepted, _hosts(rule, setting)) if about.excepted else ()
    towards = replace(plain, peers=_peers(choice, there))
    for each in _by_name(rule, towards, choice, about, setting):
        yield from without(each, left)
    for each in _host_ports(rule, plain, choice, about, setting):
        yield from without(each, left)


def _by_name(
    rule: CalicoRule, plain: Rule, choice: Choice, about: TrafficMatch, setting: Setting
) -> Iterator[Rule]:
    """Yield a rule apart for ends on which its port names stand for numbers, and for others.

    Names are looked up on endpoints whose labels the selector matches; one that only has an
    address of a network set gives them no number.
    """
    wanted = entities.positive(rule.destination, setting.scope)
    known = setting.scope.known
    if not (about.named or about.excepted) or wanted is None or not known:
        yield replace(plain, traffic=about)
        return
    pods = labels.pods(wanted)
    if pods is None:
        yield replace(plain, traffic=about)
        return
    rest = TrafficMatch(about.must, about.may)
    ends = [(pods, about)] if not rest.must and not rest.may else [(pods, about), (None, rest)]
    for these, traffic_ in ends:
        end: Choice = (NoneOf(pods),) if these is None else these
        if plain.direction is Direction.EGRESS:
            parts = [end] if choice == ANYBODY else [choice, end]
            peers = _peers(entities.together(parts), rule.destination)
            yield replace(plain, peers=peers, traffic=traffic_)
        else:
            own = [end] if plain.subjects is None else [plain.subjects, end]
            yield replace(plain, subjects=entities.together(own), traffic=traffic_)


def _peers(choice: Choice, entity: EntityRule) -> tuple[Peer, ...]:
    return tuple(Peer(match, entity.span) for match in choice)


def _of_service(rule: CalicoRule, plain: Rule, choice: Choice, setting: Setting) -> Iterator[Rule]:
    """Yield the rules for the endpoints of a Service: with its ports on the way to them."""
    sending = rule.source.services is not None
    peers_are_it = sending is (plain.direction is Direction.INGRESS)
    entity = rule.source if plain.direction is Direction.INGRESS else rule.destination
    for each in _backends(rule.source.services or rule.destination.services, setting):
        about = traffic.traffic(rule)
        if not sending:
            about = services.only(each.traffic, traffic.protocols(rule))
        found = replace(plain, traffic=about, caveats=(*plain.caveats, *each.caveats))
        if peers_are_it:
            yield replace(found, peers=_peers(each.choice, entity))
        else:
            yield replace(found, peers=_peers(choice, entity), subjects=each.choice)


def _backends(match: ServiceMatch | None, setting: Setting) -> tuple[Backends, ...]:
    """Return the endpoints of a Service that a rule names.

    Where the rule leaves the namespace out, the API promises the policy's own; Felix looks in
    none, and finds nobody.
    """
    if match is None or match.namespace is None:
        return (Backends((), EVERY_TRAFFIC),)
    return services.backends(match.namespace, match.name, setting.world)


def _host_ports(
    rule: CalicoRule, plain: Rule, choice: Choice, about: TrafficMatch, setting: Setting
) -> Iterator[Rule]:
    """Yield rules for hosts on which a port name of the rule stands for a number."""
    names = {each.name for each in about.named}
    mine = traffic.protocols(rule) - about.without
    hosts = _hosts(rule, setting) if names else ()
    for host, (name, port) in ((h, each) for h in hosts for each in h.ports):
        if name not in names or not port <= mine:
            continue
        there = exactly(host.addresses)
        must = TrafficMatch(port)
        if plain.direction is Direction.INGRESS:
            here = there if plain.subjects is None else entities.together([plain.subjects, there])
            peers = _peers(choice, rule.source)
            yield replace(plain, peers=peers, subjects=here, traffic=must)
        else:
            parts = [there] if choice == ANYBODY else [choice, there]
            peers = _peers(entities.together(parts), rule.destination)
            yield replace(plain, peers=peers, traffic=must)


def _hosts(rule: CalicoRule, setting: Setting) -> tuple[AddressGroup, ...]:
    """Return the host endpoints on which port names of a rule are looked up."""
    wanted: Expression = entities.positive(rule.destination, setting.scope) or ALWAYS
    return tuple(host for host in setting.hosts if wanted.matches(host.labels))


def _source_names(rule: CalicoRule) -> str | None:
    """Return what else must hold, of things that the IR has no words for."""
    names = traffic.source_names(rule)
    return f"the source port is as {', '.join(names)} says" if names else None


def _request(rule: CalicoRule, setting: Setting) -> HttpMatch | None:
    """Return what the rule asks of requests, where somebody may enforce that."""
    if rule.http is None or not setting.http:
        return None
    return HttpMatch(
        rule.http.methods,
        tuple(path.exact for path in rule.http.paths if path.exact is not None),
        tuple(path.prefix for path in rule.http.paths if path.prefix is not None),
        setting.segments,
        caveats.HTTP_PATHS,
    )
