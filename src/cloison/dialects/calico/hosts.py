"""Hosts under policy: which host endpoint is in force on a node, and what comes around policies.

A host's traffic meets failsafe ports first, then policies that look before connections are
tracked, then those that look before destinations are rewritten, then the tiers everybody's
traffic meets, and last the host endpoint's profiles, without which it is denied. What a host
exchanges with its own pods is nothing to its host endpoint, and nothing with itself to one of a
single interface.

Source: projectcalico/calico felix/rules/endpoints.go and static.go; Calico documentation, Host
endpoints.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cloison.algebra import AddressSet, TrafficSet
from cloison.algebra.expressions import Expression
from cloison.dialects.calico import caveats
from cloison.dialects.calico.felix import Felix
from cloison.dialects.calico.model import HostEndpoint, Profile, ProtoPort
from cloison.dialects.calico.rules import Setting, compiled
from cloison.dialects.reading.blocks import block, together
from cloison.ir.fidelity import Caveat
from cloison.ir.peers import (
    AnyMatch,
    BlockMatch,
    PeerMatch,
    PodsMatch,
    Relative,
    RelativeMatch,
    UnknownMatch,
)
from cloison.ir.policy import (
    EVERY_TRAFFIC,
    Action,
    Combine,
    Direction,
    Peer,
    Policy,
    PolicyId,
    Rule,
    TierSpec,
    TrafficMatch,
)
from cloison.resources.world import World

ALLOW_ALL = "projectcalico-default-allow"
"""The profile of automatic host endpoints."""

FIRST_MATCH = (Combine.FIRST_MATCH,)

# Stages of a host's traffic, in the order of tiers: those of everybody are 0, those that do not
# exist 1. No tier can have such a name, so none is mistaken for one of these.
NAMED_PODS = TierSpec("host interfaces", FIRST_MATCH, order=(-5, 0.0, ""))
FAILSAFE = TierSpec("failsafe ports", FIRST_MATCH, order=(-4, 0.0, ""))
UNCLEAR = TierSpec("other host interfaces", FIRST_MATCH, order=(-3.5, 0.0, ""))
UNTRACKED, PRE_NAT = -3, -2
OWN_PODS = TierSpec("host to own pods", FIRST_MATCH, order=(-1, 0.0, ""))
PROFILES = TierSpec("host profiles", FIRST_MATCH, Action.DENY, order=(2, 0.0, ""))

STAGES = {UNTRACKED: "untracked", PRE_NAT: "before NAT"}
"""How tiers of the early stages are called, before the name of the tier they stand for."""


@dataclass(frozen=True, slots=True)
class Host:
    """A node under policy.

    Args:
        endpoint: The host endpoint that is in force.
        place: Which of the dialect's objects that is.
        caveats: What an answer about the node's traffic carries.
        others: Host endpoints that may see traffic of the node in its stead, and differ.
    """

    endpoint: HostEndpoint
    place: int
    caveats: tuple[Caveat, ...] = ()
    others: tuple[HostEndpoint, ...] = ()

    @property
    def node(self) -> str:
        """The node's name."""
        return self.endpoint.node

    @property
    def everywhere(self) -> bool:
        """Whether the host endpoint is every interface of the node, those of pods included."""
        return self.endpoint.interface_name == "*"

    @property
    def forwarding(self) -> tuple[Caveat, ...]:
        """What an answer about traffic of pods carries: it may take interfaces of tunnels."""
        return self.caveats or (() if self.everywhere else (caveats.HOST_INTERFACE,))

    def found_by(self, expression: Expression) -> bool:
        """Whether an expression about labels finds a host endpoint of the node in force."""
        return any(expression.matches(each.labels) for each in (self.endpoint, *self.others))


def active(endpoints: Iterable[tuple[int, HostEndpoint]], world: World) -> Mapping[str, Host]:
    """Return the host endpoint in force on each node, by the node's name.

    Of several for one interface the first by name is in force. Where several interfaces have
    one each, the one that is every interface speaks for the node, or that has all of its
    addresses, or the first by name. Where others differ, it is not known which of them matters.
    """
    by_node: dict[str, dict[object, tuple[int, HostEndpoint]]] = {}
    for place, each in sorted(endpoints, key=lambda item: item[1].name):
        interface = each.interface_name or each.expected_ips
        by_node.setdefault(each.node, {}).setdefault(interface, (place, each))
    return {
        node: _chosen(tuple(found.values()), node, world) for node, found in sorted(by_node.items())
    }


def _chosen(found: Sequence[tuple[int, HostEndpoint]], node: str, world: World) -> Host:
    known = world.nodes.get(node)
    addresses = AddressSet.points(known.addresses if known is not None else ())
    wide = [(place, each) for place, each in found if each.interface_name == "*"]
    whole = [
        (place, each)
        for place, each in found
        if addresses and addresses <= together(each.expected_ips)
    ]
    place, first = (*wide, *whole, *found)[0]
    others = tuple(each for _, each in found if each is not first and not _alike(each, first))
    if others and (wide or len(whole) != 1):
        return Host(first, place, (caveats.HOST_SEVERAL,), others)
    return Host(first, place, () if wide or whole else (caveats.HOST_INTERFACE,))


def _alike(one: HostEndpoint, other: HostEndpoint) -> bool:
    """Whether it makes no difference which of two host endpoints sees a packet."""
    wide = "*" in (one.interface_name, other.interface_name)
    return not wide and (one.labels, one.profiles) == (other.labels, other.profiles)


def policies(
    hosts: Mapping[str, Host], felix: Felix, around: Setting, profiles: Mapping[str, Profile]
) -> Iterator[tuple[Policy, int]]:
    """Yield the policies that stand for what hosts meet around policies, with their objects.

    Args:
        hosts: The hosts, by node.
        felix: What is configured.
        around: What rules of profiles are read in.
        profiles: The profiles that are in the input, by name.
    """
    every = tuple(hosts.values())
    for group in grouped(every, lambda h: (h.everywhere, bool(h.others))):
        rules = tuple(_unclear(group[0]))
        if rules:
            yield _policy("interfaces", group, UNCLEAR, rules), group[0].place
    for group in grouped(every, lambda h: (h.everywhere, h.caveats, _accepts(h, felix))):
        yield from _interfaces(group, felix)
    for group in grouped(every, lambda h: felix.failsafe(h.node)):
        into, out = felix.failsafe(group[0].node)
        rules = (*failsafe(into, Direction.INGRESS), *failsafe(out, Direction.EGRESS))
        yield _policy("failsafe ports", group, FAILSAFE, rules), group[0].place
    for group in grouped(every, lambda h: h.endpoint.profiles or h.node):
        yield _profiles(group, around, profiles), group[0].place


def grouped(hosts: Iterable[Host], key: Callable[[Host], Hashable]) -> list[tuple[Host, ...]]:
    """Return hosts that are alike in something together: of some clusters each node is one."""
    found: dict[Hashable, list[Host]] = {}
    for host in hosts:
        found.setdefault(key(host), []).append(host)
    return [tuple(each) for each in found.values()]


def _unclear(host: Host) -> Iterator[Rule]:
    """Yield what leaves open what it is not known of a host: rules that may hold or not.

    Whatever other host endpoints say, they say it before early policies; all let a host reach
    its own pods.
    """
    if host.everywhere:
        own = RelativeMatch(Relative.LOOPBACK)
        if host.others:
            yield allow(Direction.EGRESS, RelativeMatch(Relative.OWN_POD), host)
        for direction in Direction:
            rule = allow(direction, own, host, 2)
            yield replace(rule, condition=_LOOPBACK, caveats=(caveats.HOST_LOOPBACK,))
    if host.others:
        yield from undecided(host, Direction)


def undecided(host: Host, directions: Iterable[Direction]) -> Iterator[Rule]:
    """Yield rules that leave all traffic open, where it is not known which endpoint sees it."""
    for direction in directions:
        for index, action in enumerate((Action.ALLOW, Action.DENY), 3):
            rule = allow(direction, AnyMatch(), host, index)
            yield replace(
                rule, action=action, condition=_ELSEWHERE, caveats=(caveats.HOST_SEVERAL,)
            )


_LOOPBACK = "the host endpoint does not see the loopback interface"
_ELSEWHERE = "another host endpoint of the node sees the packet"


def _interfaces(group: tuple[Host, ...], felix: Felix) -> Iterator[tuple[Policy, int]]:
    """Yield what is said of interfaces, and what spares traffic with own pods and itself."""
    first = group[0]
    own = _own_pods(first, accepts=_accepts(first, felix))
    if first.everywhere:
        yield _policy("own pods", group, OWN_PODS, own), first.place
        return
    loopback = (allow(d, RelativeMatch(Relative.LOOPBACK), first) for d in Direction)
    doubtful = () if first.others else first.forwarding
    whom = AnyMatch() if first.caveats else PodsMatch()
    noted = (_noted(d, doubtful, whom) for d in Direction) if doubtful else ()
    yield _policy("interface", group, NAMED_PODS, (*own, *loopback, *noted)), first.place


def _accepts(host: Host, felix: Felix) -> bool:
    """Whether it is only taken to be so that pods reach the host."""
    return felix.said_to_host(host.node) is None


def tiers(found: Iterable[Policy]) -> tuple[TierSpec, ...]:
    """Return the tiers that some of `policies` are in."""
    named = {policy.tier for policy in found}
    return tuple(tier for tier in _TIERS if tier.name in named)


_TIERS = (NAMED_PODS, FAILSAFE, UNCLEAR, OWN_PODS, PROFILES)


def _policy(
    what: str,
    group: tuple[Host, ...],
    tier: TierSpec,
    rules: Iterable[Rule],
    isolates: Iterable[Direction] = (),
) -> Policy:
    endpoint = group[0].endpoint
    name = endpoint.name
    if len(group) > 1:
        name += f" and {len(group) - 1} more"
    return Policy(
        PolicyId(HostEndpoint.kind, None, f"{name} {what}".rstrip()),
        (),
        frozenset(isolates),
        tuple(rules),
        tier.name,
        (endpoint.name,),
        span=endpoint.span,
        subject_span=endpoint.span,
        nodes=frozenset(host.node for host in group),
        stated=False,
    )


def _own_pods(host: Host, *, accepts: bool) -> tuple[Rule, ...]:
    """Return what spares traffic of a host with its own pods; theirs meets a setting besides."""
    into, out = (allow(d, RelativeMatch(Relative.OWN_POD), host) for d in Direction)
    taken = (caveats.ENDPOINT_TO_HOST,) if accepts else ()
    return replace(into, caveats=taken), out


def allow(direction: Direction, match: PeerMatch, host: Host, index: int = 1) -> Rule:
    """Return a rule that lets all traffic with a peer pass."""
    peers = (Peer(match, host.endpoint.span),)
    return Rule(direction, Action.ALLOW, peers, EVERY_TRAFFIC, index, host.endpoint.span)


def _noted(direction: Direction, said: tuple[Caveat, ...], whom: PeerMatch) -> Rule:
    """Return a rule that decides nothing, and says what answers about some peers stand on."""
    peers = (Peer(whom),)
    return Rule(direction, Action.LOG, peers, EVERY_TRAFFIC, 2, caveats=said)


def failsafe(ports: Iterable[ProtoPort], direction: Direction) -> Iterator[Rule]:
    """Yield rules that keep ports open, whatever policies say."""
    for index, each in enumerate(ports, 1):
        match: PeerMatch = AnyMatch()
        if each.net is not None:
            match = BlockMatch(block(each.net), each.net)
        traffic = TrafficMatch(TrafficSet.ports(each.protocol, each.port))
        yield Rule(direction, Action.ALLOW, (Peer(match),), traffic, index)


def _profiles(group: tuple[Host, ...], around: Setting, profiles: Mapping[str, Profile]) -> Policy:
    """Return what decides after the last tier: nothing but profiles lets a host's traffic pass."""
    host = group[0]
    found = _policy("", group, PROFILES, (), Direction)
    rules: list[Rule] = []
    for name in host.endpoint.profiles:
        for direction in Direction:
            rules += _of_profile(name, direction, host, around, profiles.get(name))
    if any(rule.action is Action.PASS for rule in rules):
        return replace(found, opaque=_PASSES)
    return replace(found, rules=tuple(rules))


def _of_profile(
    name: str, direction: Direction, host: Host, around: Setting, profile: Profile | None
) -> Iterator[Rule]:
    """Yield the rules of a profile. One that does not exist denies everything."""
    if profile is not None:
        rules = profile.ingress if direction is Direction.INGRESS else profile.egress
        yield from compiled(rules, direction, around)
    elif name == ALLOW_ALL or name.startswith(_OF_NAMESPACE):
        yield allow(direction, AnyMatch(), host)
    elif not name.startswith(_OF_ACCOUNT):
        yield replace(allow(direction, AnyMatch(), host), action=Action.DENY)


_OF_NAMESPACE, _OF_ACCOUNT = "kns.", "ksa."
"""Profiles that stand for namespaces let everything pass, those for accounts say nothing."""
_PASSES = UnknownMatch(
    "a profile passes on, and dataplanes differ in what comes after", caveats.PROFILE_PASS
)
