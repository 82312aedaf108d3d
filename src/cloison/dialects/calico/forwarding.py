"""What hosts do to the traffic of pods: policies for forwarded traffic, as layers of their own.

A packet to a pod comes in through an interface of its node and, where a host endpoint is every
interface, leaves the node's own network through the pod's; one from a pod does so the other way
round. Each host endpoint on the way must let it pass. So rules for what comes in are asked at the
pods of the nodes they are about, in both directions where every interface is meant, and rules for
what goes out likewise, each of the two in a layer. What policies allow that are asked earlier, on
the way in, those for forwarded traffic are not asked about on the way in any more; failsafe ports
go past the early ones only.

Source: Calico documentation, Apply policy to forwarded traffic; projectcalico/calico
felix/rules/endpoints.go and dispatch.go.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from cloison.dialects.calico import caveats
from cloison.dialects.calico.felix import Felix
from cloison.dialects.calico.hosts import FIRST_MATCH, Host, failsafe, grouped, undecided
from cloison.dialects.calico.policies import DIRECTIONS, Reading
from cloison.dialects.calico.rules import compiled
from cloison.dialects.networkpolicy.model import PolicyType
from cloison.ir.peers import AnyMatch, PodsMatch, Relative, RelativeMatch
from cloison.ir.policy import (
    EVERY_TRAFFIC,
    Action,
    Direction,
    LayerSpec,
    Peer,
    Policy,
    PolicyId,
    Rule,
    TierSpec,
)

_INGRESS, _EGRESS = Direction.INGRESS, Direction.EGRESS


@dataclass(frozen=True, slots=True)
class Stage:
    """A point on the way of a forwarded packet.

    Args:
        name: What its tiers are called, before the name of the tier they stand for.
        type: Whose rules are asked.
        early: Whether it comes before destinations are rewritten: failsafe ports go on from
            there, and so does what no rule decides.
    """

    name: str
    type: PolicyType
    early: bool = False


UNTRACKED_IN = Stage("host untracked", PolicyType.INGRESS, early=True)
BEFORE_NAT = Stage("host before NAT", PolicyType.INGRESS, early=True)
FORWARD_IN = Stage("host forward in", PolicyType.INGRESS)
FORWARD_OUT = Stage("host forward out", PolicyType.EGRESS)

LAYERS = {
    FORWARD_IN.name: (UNTRACKED_IN, BEFORE_NAT, FORWARD_IN),
    FORWARD_OUT.name: (FORWARD_OUT,),
}
"""Stages of each interface a packet passes: what one of them allows, the later are not asked."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A policy and what it has come to.

    Args:
        number: Which of the dialect's objects it is.
        read: What it is made of.
        policy: Its meaning for pods, and for hosts themselves.
    """

    number: int
    read: Reading
    policy: Policy


@dataclass(frozen=True, slots=True)
class Beyond:
    """What comes besides.

    Args:
        policies: Policies, each with the number of the object it is from.
        layers: The layers they are in.
    """

    policies: tuple[tuple[Policy, int], ...] = ()
    layers: tuple[LayerSpec, ...] = ()


def forwarding(found: Sequence[Compiled], felix: Felix, tiers: Sequence[TierSpec]) -> Beyond:
    """Return the layers that traffic of pods meets on hosts.

    Args:
        found: The policies.
        felix: What is configured.
        tiers: Every tier that policies name.
    """
    policies: list[tuple[Policy, int]] = []
    layers = []
    ordered = sorted(tiers, key=lambda tier: tier.order)
    for name, stages in LAYERS.items():
        specs = []
        found_on: dict[str, Host] = {}
        for stage in stages:
            mine = [each for each in found if _stage(each, stage) and _hosts(each, stage)]
            named = {each.read.policy.tier for each in mine}
            here = [
                replace(tier, name=_tier(tier.name, stage), end=None if stage.early else tier.end)
                for tier in ordered
                if tier.name in named
            ]
            behind = {host.node: host for each in mine for host in _hosts(each, stage)}
            policies += (p for each in mine for p in _forwarded(each, stage))
            if stage.early:
                policies += (p for tier in here for p in _failsafe(tier, behind, felix))
            specs += here
            found_on |= behind
        if specs:
            local = TierSpec(f"{name}: local", FIRST_MATCH)
            policies += _local(local, [host for _, host in sorted(found_on.items())])
            layers.append(LayerSpec(name, (local, *specs)))
    to_host = _to_host(felix)
    policies += to_host.policies
    return Beyond(tuple(policies), (*layers, *to_host.layers))


def _tier(name: str, stage: Stage) -> str:
    """Return the name of a tier in a stage: no two layers share one."""
    return f"{stage.name}: {name}"


def _stage(each: Compiled, stage: Stage) -> bool:
    """Return whether a policy is asked in a stage."""
    policy = each.read.policy
    if not policy.apply_on_forward or stage.type not in policy.effective_types:
        return False
    if policy.do_not_track:
        return stage is UNTRACKED_IN
    if policy.pre_dnat:
        return stage is BEFORE_NAT
    return not stage.early


def _hosts(each: Compiled, stage: Stage) -> tuple[Host, ...]:
    """Return the hosts a policy is about. Where every interface is meant, all is tracked."""
    return tuple(
        host
        for host in each.read.hosts
        if stage is not UNTRACKED_IN or not host.everywhere or host.others
    )


def _forwarded(each: Compiled, stage: Stage) -> Iterator[tuple[Policy, int]]:
    """Yield what a policy is for the pods of the hosts it is about."""
    hosts = _hosts(each, stage)
    own = DIRECTIONS[stage.type]
    for everywhere, directions in ((False, (own,)), (True, tuple(Direction))):
        nodes = frozenset(host.node for host in hosts if host.everywhere is everywhere)
        if nodes:
            word = f"{stage.name}, all interfaces" if everywhere else stage.name
            yield _for_pods(each, stage, nodes, directions, word), each.number


def _for_pods(
    each: Compiled,
    stage: Stage,
    nodes: frozenset[str],
    directions: tuple[Direction, ...],
    word: str,
) -> Policy:
    read, policy = each.read, each.policy
    setting = read.around.setting(None)
    caveat = caveats.UNTRACKED if read.policy.do_not_track else None
    rules = read.policy.rules(stage.type)
    preview = policy.preview
    if preview is not None:
        preview = replace(preview, replaces=_renamed(preview.replaces, word))
    return replace(
        policy,
        id=_renamed(policy.id, word),
        subjects=(PodsMatch(nodes=nodes),),
        isolates=frozenset(() if stage.early else directions),
        rules=tuple(r for d in directions for r in compiled(rules, d, setting, caveat)),
        tier=_tier(read.policy.tier, stage),
        nodes=frozenset(),
        preview=preview,
        opaque=None,
    )


def _renamed(name: PolicyId, word: str) -> PolicyId:
    return replace(name, name=f"{name.name} ({word})")


def _local(tier: TierSpec, hosts: Iterable[Host]) -> Iterator[tuple[Policy, int]]:
    """Yield what spares traffic that is not forwarded through a host endpoint."""
    for group in grouped(hosts, lambda h: bool(h.others) if h.everywhere else h.node):
        first = group[0]
        matches = [RelativeMatch(Relative.OWN_NODE), RelativeMatch(Relative.SELF)]
        peers = [Peer(match) for match in matches]
        if not first.everywhere:
            peers.append(Peer(PodsMatch(nodes=frozenset({first.node}))))
        rules = [Rule(d, Action.ALLOW, tuple(peers), EVERY_TRAFFIC, 1) for d in Direction]
        if first.others:
            rules += undecided(first, Direction)
        elif first.forwarding:
            anybody, said = (Peer(AnyMatch()),), first.forwarding
            rules += (
                Rule(d, Action.LOG, anybody, EVERY_TRAFFIC, 2, caveats=said) for d in Direction
            )
        yield _beside(tier, group, "local", tuple(rules), first.endpoint.name), first.place


def _failsafe(
    tier: TierSpec, hosts: Mapping[str, Host], felix: Felix
) -> Iterator[tuple[Policy, int]]:
    """Yield what leads failsafe ports past the policies of an early tier."""
    every = [host for _, host in sorted(hosts.items())]
    for group in grouped(every, lambda h: (h.everywhere, felix.failsafe(h.node))):
        first = group[0]
        ports, _ = felix.failsafe(first.node)
        rules = [replace(rule, action=Action.PASS) for rule in failsafe(ports, _INGRESS)]
        if first.everywhere:
            everybody = (Peer(AnyMatch()),)
            leaving = [replace(rule, direction=_EGRESS, peers=everybody) for rule in rules]
            rules += [
                each
                if rule.peers == everybody
                else replace(each, subjects=tuple(peer.match for peer in rule.peers))
                for rule, each in zip(rules, leaving, strict=True)
            ]
        name = first.endpoint.name
        found = _beside(tier, group, "failsafe ports", tuple(rules), -inf, name)
        yield found, first.place


def _beside(
    tier: TierSpec,
    group: tuple[Host, ...],
    what: str,
    rules: tuple[Rule, ...],
    *order: float | str,
) -> Policy:
    """Return a policy for the pods of some hosts that no object states."""
    endpoint = group[0].endpoint
    more = f" and {len(group) - 1} more" if len(group) > 1 else ""
    return Policy(
        PolicyId(endpoint.kind, None, f"{endpoint.name}{more} {what} ({tier.name})"),
        (PodsMatch(nodes=frozenset(host.node for host in group)),),
        frozenset(),
        rules,
        tier.name,
        order,
        span=endpoint.span,
        subject_span=endpoint.span,
        stated=False,
    )


_TO_HOST = TierSpec("host input", FIRST_MATCH)
_DROP, _RETURN = "Drop", "Return"


def _to_host(felix: Felix) -> Beyond:
    """Return what becomes of traffic of pods to their own node, once their policies let it go.

    Nothing where that is accepted everywhere.
    """
    nodes: dict[str, set[str]] = defaultdict(set)
    for node in felix.world.nodes:
        nodes[felix.to_host(node)].add(node)
    usual = felix.default_to_host
    last = max((number for number, _ in felix.numbered), default=0)
    policies = []
    for action in (_DROP, _RETURN):
        if action == usual and nodes.keys() <= {usual}:
            policies.append((_input(action, PodsMatch()), last))
        elif nodes.get(action):
            policies.append((_input(action, PodsMatch(nodes=frozenset(nodes[action]))), last))
    layers = (LayerSpec(_TO_HOST.name, (_TO_HOST,)),) if policies else ()
    return Beyond(tuple(policies), layers)


def _input(action: str, subject: PodsMatch) -> Policy:
    """Return what denies pods their own node, certainly or as the host's own rules say."""
    handed_back = action == _RETURN
    rule = Rule(
        _EGRESS,
        Action.DENY,
        (Peer(RelativeMatch(Relative.OWN_NODE)),),
        EVERY_TRAFFIC,
        1,
        condition="the host's own rules drop it" if handed_back else None,
        caveats=(caveats.HOST_RULES if handed_back else caveats.ENDPOINT_TO_HOST,),
    )
    return Policy(
        PolicyId("FelixConfiguration", None, f"defaultEndpointToHostAction {action}"),
        (subject,),
        frozenset(),
        (rule,),
        _TO_HOST.name,
        (action,),
        stated=False,
    )
