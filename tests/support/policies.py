"""Random worlds, policy sets and profiles in the IR's own terms.

What no dialect says today is here: tiers, first match, pass, deny overrides, opaque
policies, equal orders, conditions, peers relative to the subject.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cloison.algebra import (
    ANY,
    EVERYTHING,
    L4,
    NO_TRAFFIC,
    AddressSet,
    LabelSelector,
    Operator,
    Requirement,
    TrafficSet,
    family_of,
    parse_address,
)
from cloison.base import Span
from cloison.ir.fidelity import Caveat
from cloison.ir.names import NamePattern
from cloison.ir.peers import (
    AllOf,
    AnyMatch,
    AnyOf,
    BlockMatch,
    GroupsMatch,
    NamesMatch,
    NodesMatch,
    NoneOf,
    PeerMatch,
    PodsMatch,
    Relative,
    RelativeMatch,
    UnknownMatch,
)
from cloison.ir.policy import (
    EVERY_TRAFFIC,
    L4_TRAFFIC,
    Action,
    Combine,
    Direction,
    LayerSpec,
    Mode,
    NamedPort,
    Peer,
    Policy,
    PolicyId,
    PolicySet,
    Rule,
    TierSpec,
    TrafficMatch,
)
from cloison.ir.profile import NamedPorts, OtherProtocols, Profile
from cloison.resources.objects import (
    NAMESPACE_NAME_LABEL,
    ContainerKind,
    ContainerPort,
    Namespace,
    Node,
    PodShape,
)
from cloison.resources.world import PodEndpoint, Workload, WorkloadId, World
from tests.oracle.ir_ways import End, traffic_point
from tests.support.chances import chance, pick

HERE = Span("random.yaml", 1)
CAVEAT = Caveat("UNKNOWN", "nobody knows")
BLOCKS = ("10.2.0.0/16", "10.2.0.2/32", "10.1.0.1/32", "203.0.113.0/24", "0.0.0.0/0", "::/0")
HOLES = ("10.2.0.1/32", "10.0.0.0/8", "203.0.113.10/32")
ELSEWHERE = "elsewhere"
"""A tier that no layer has."""
OUTSIDE = ("203.0.113.10", "198.51.100.7", "2001:db8::7")
FLOWS = (("TCP", 80), ("TCP", 81), ("TCP", 8080), ("UDP", 53), ("SCTP", 80), ("ICMP", None))
ACTIONS: dict[Combine, list[tuple[float, Action]]] = {
    Combine.UNION: [(8, Action.ALLOW), (1, Action.DENY), (1, Action.PASS), (1, Action.LOG)],
    Combine.DENY_OVERRIDES: [
        (5, Action.ALLOW),
        (4, Action.DENY),
        (1, Action.PASS),
        (1, Action.LOG),
    ],
    Combine.FIRST_MATCH: [
        (5, Action.ALLOW),
        (4, Action.DENY),
        (3, Action.PASS),
        (1, Action.LOG),
    ],
}


@dataclass(frozen=True)
class Snapshot:
    """A world with its policies and who enforces them."""

    world: World
    policies: PolicySet
    profile: Profile
    names: Mapping[str, AddressSet] = field(default_factory=dict)
    """What DNS names stand for."""


@dataclass(frozen=True)
class Question:
    """One flow between things of the world."""

    src: End
    dst: End
    traffic: int
    family: int


def random_snapshot(rng: random.Random) -> Snapshot:
    """Return a small world with policies of every shape."""
    layers = tuple(_layer(rng, i) for i in range(pick(rng, [(4, 1), (1, 2)])))
    tiers = [tier for layer in layers for tier in layer.tiers]
    policies = tuple(_policy(rng, i, rng.choice(tiers)) for i in range(rng.randint(2, 8)))
    return Snapshot(_world(rng), PolicySet(policies, layers), _profile(rng, layers))


def random_question(rng: random.Random, snapshot: Snapshot) -> Question:
    """Return a flow with a pod on at least one end, or a node if policies are about nodes."""
    world = snapshot.world
    pods = [e for w in world.workloads.values() for e in w.endpoints]
    others: list[End] = [*pods, *pods, *world.nodes.values(), *map(parse_address, OUTSIDE)]
    near: list[End] = [*pods]
    if any(p.nodes for p in snapshot.policies.policies):
        near += world.nodes.values()
    while True:
        one, other = rng.choice(near), rng.choice(others)
        families = _families(world, one) & _families(world, other)
        if not families:
            continue
        src, dst = (one, other) if chance(rng, 0.5) else (other, one)
        traffic = traffic_point(*rng.choice(FLOWS))
        return Question(src, dst, traffic, rng.choice(sorted(families)))


def describe(snapshot: Snapshot) -> str:
    """Return policies, layers and profile in a form that a person can follow."""
    policies = snapshot.policies.policies
    lines = [repr(replace(snapshot.profile, layers=()))]
    for layer in snapshot.policies.layers:
        lines.append(f"layer {layer.name}, default {layer.default}")
        lines += [f"  builtin {_rule_text(rule)}" for rule in layer.builtin]
        for tier in layer.tiers:
            lines.append(
                f"  tier {tier.name} {'+'.join(tier.bands)}, end {tier.end} of {tier.end_scope}"
            )
            lines += [t for p in policies if p.tier == tier.name for t in _policy_text(p)]
    lines += [text for p in policies if p.tier == ELSEWHERE for text in _policy_text(p)]
    return "\n".join(lines)


def _policy_text(policy: Policy) -> list[str]:
    isolates = " ".join(sorted(policy.isolates))
    opaque = " opaque" if policy.opaque else ""
    subjects = [*map(_match_text, policy.subjects), *sorted(policy.nodes)]
    head = (
        f"    {policy.id} {policy.mode} order {policy.order}{opaque} "
        f"on {' or '.join(subjects)} isolates [{isolates}]"
    )
    return [head, *(f"      {_rule_text(rule)}" for rule in policy.rules)]


def _rule_text(rule: Rule) -> str:
    peers = ", ".join(_match_text(peer.match) for peer in rule.peers) or "nobody"
    names = " ".join(f"{n.name}/{n.protocol}" for n in rule.traffic.named)
    names += "".join(f" but {n.name}/{n.protocol}" for n in rule.traffic.excepted)
    maybe = "?" * bool(rule.traffic.may)
    asks = " if more" if rule.asks else ""
    if rule.subjects is not None:
        asks += f" about {', '.join(map(_match_text, rule.subjects))}"
    return f"{rule.direction} {rule.action} {peers} on {rule.traffic.must}{maybe} {names}{asks}"


def _match_text(match: PeerMatch) -> str:
    match match:
        case PodsMatch():
            more = f" by {match.accounts}" if match.accounts else ""
            more += f" on {sorted(match.nodes)}" if match.nodes is not None else ""
            return f"pods({match.namespace or match.namespaces or '*'}: {match.pods or '*'}{more})"
        case BlockMatch():
            return f"block({match.cidr} - {list(match.holes)})"
        case GroupsMatch():
            return f"groups({match.labels or '*'})"
        case NamesMatch():
            return f"names({', '.join(map(str, match.names))})"
        case NodesMatch():
            return f"nodes({match.nodes or '*'})"
        case RelativeMatch():
            return str(match.relation)
        case AnyOf() | AllOf() | NoneOf():
            parts = ", ".join(map(_match_text, match.matches))
            return f"{type(match).__name__}({parts})"
    return "anybody" if isinstance(match, AnyMatch) else "somebody"


def _families(world: World, end: End) -> set[int]:
    if isinstance(end, int):
        return {family_of(end)}
    if isinstance(end, NamePattern):
        return {4, 6}
    addresses = end.addresses
    if isinstance(end, PodEndpoint) and end.shape.host_network and end.shape.node:
        addresses = addresses or world.nodes[end.shape.node].addresses
    return {family_of(a) for a in addresses} or {4, 6}


def _world(rng: random.Random) -> World:
    namespaces = {
        name: Namespace(name, {NAMESPACE_NAME_LABEL: name, **labels}, HERE)
        for name, labels in (("x", {"team": "red"}), ("y", {}))
    }
    nodes = {
        f"n{i}": Node(
            f"n{i}", {"zone": rng.choice("ab")}, (parse_address(f"10.1.0.{i}"),), (), HERE
        )
        for i in (1, 2)
    }
    workloads = dict(_workload(rng, number) for number in range(1, rng.randint(3, 6)))
    return World(namespaces, dict(sorted(workloads.items())), nodes)


def _workload(rng: random.Random, number: int) -> tuple[WorkloadId, Workload]:
    kind = pick(rng, [(6, "live"), (2, "template"), (1.5, "host"), (0.7, "anywhere")])
    id_ = WorkloadId(rng.choice("xy"), f"w{number}", "Deployment" if kind == "template" else "Pod")
    labels = {k: v for k, v in (("app", rng.choice("ab")), ("tier", "db")) if chance(rng, 0.6)}
    shape = PodShape(labels, tuple(_declared(rng)), host_network=kind in ("host", "anywhere"))
    if kind in ("live", "host") or (kind == "template" and chance(rng, 0.2)):
        shape = replace(shape, node=rng.choice(("n1", "n2")))
    addresses: tuple[int, ...] = ()
    if kind == "live":
        texts = rng.choice(((4,), (6,), (4, 6)))
        addresses = tuple(
            parse_address(f"10.2.0.{number}" if f == 4 else f"fd00:2::{number}") for f in texts
        )
    elif kind == "host":
        addresses = (parse_address(f"10.1.0.{(shape.node or '')[1:]}"),)
    pod = None if kind == "template" else id_.name
    endpoint = PodEndpoint(id_, pod, shape, HERE, addresses)
    return id_, Workload(id_, (endpoint,), span=HERE)


def _declared(rng: random.Random) -> list[ContainerPort]:
    found = []
    for name in ("http", "alt"):
        if chance(rng, 0.6):
            container = pick(rng, [(4, ContainerKind.REGULAR), (1, ContainerKind.SIDECAR)])
            protocol = pick(rng, [(4, "TCP"), (1, "UDP")])
            found.append(ContainerPort(rng.choice((80, 8080, 53)), protocol, name, container))
    return found


def _profile(rng: random.Random, layers: tuple[LayerSpec, ...]) -> Profile:
    profile = Profile("random", "random", layers, "made up")
    if chance(rng, 0.5):
        return profile
    return replace(
        profile,
        enforces=chance(rng, 0.95),
        block_matches_pods=chance(rng, 0.6),
        block_matches_nodes=chance(rng, 0.6),
        named_ports=rng.choice((NamedPorts.PER_POD, NamedPorts.WHOLE_PROTOCOL)),
        init_container_ports=chance(rng, 0.5),
        other_protocols=rng.choice(tuple(OtherProtocols)),
    )


def _layer(rng: random.Random, number: int) -> LayerSpec:
    tiers = tuple(
        TierSpec(
            f"tier{number}.{place}",
            tuple(rng.choice(tuple(Combine)) for _ in range(pick(rng, [(3, 1), (1, 2)]))),
            pick(rng, [(2, None), (4, Action.DENY), (1, Action.PASS), (1, Action.ALLOW)]),
            pick(rng, [(2, ANY), (1, L4)]),
        )
        for place in range(pick(rng, [(3, 1), (3, 2), (1, 3)]))
    )
    default = pick(rng, [(6, Action.ALLOW), (1, Action.DENY)])
    builtin = tuple(_builtin(rng, i) for i in range(1, pick(rng, [(2, 0), (2, 2), (1, 3)]) + 1))
    return LayerSpec(f"layer{number}", tiers, default, builtin)


def _builtin(rng: random.Random, index: int) -> Rule:
    direction = rng.choice(tuple(Direction))
    action = pick(rng, [(6, Action.ALLOW), (1, Action.DENY)])
    if chance(rng, 0.2):
        traffic = TrafficMatch(rng.choice((TrafficSet.protocol("ICMP"), ANY - L4)))
        return Rule(direction, action, (Peer(AnyMatch()),), traffic, index)
    peer = Peer(RelativeMatch(rng.choice(tuple(Relative))))
    return Rule(direction, action, (peer,), EVERY_TRAFFIC, index)


def _policy(rng: random.Random, number: int, tier: TierSpec) -> Policy:
    band = rng.randrange(len(tier.bands))
    rules = tuple(_rule(rng, tier.bands[band], i) for i in range(1, rng.randint(0, 5) + 1))
    policy = Policy(
        PolicyId("Random", rng.choice((None, "x")), f"p{number}"),
        (_pods(rng),),
        frozenset(d for d in Direction if chance(rng, 0.5)),
        rules,
        tier.name,
        (float(rng.randint(1, 3)),),
        pick(rng, [(12, Mode.ENFORCED), (1, Mode.STAGED), (1, Mode.AUDIT)]),
        HERE,
        band=band,
    )
    if chance(rng, 0.05):
        tier_name = ELSEWHERE if chance(rng, 0.3) else tier.name
        unknown = UnknownMatch("made up", CAVEAT)
        return replace(policy, rules=(), tier=tier_name, opaque=unknown)
    return policy


def _rule(rng: random.Random, combine: Combine, index: int) -> Rule:
    count = pick(rng, [(0.3, 0), (6, 1), (3, 2)])
    return Rule(
        rng.choice(tuple(Direction)),
        pick(rng, ACTIONS[combine]),
        tuple(Peer(random_peer(rng)) for _ in range(count)),
        _traffic(rng),
        index,
        HERE,
        sources=TrafficSet.ports("TCP", 1000) if chance(rng, 0.04) else None,
        condition="GET /" if chance(rng, 0.04) else None,
    )


def _pods(rng: random.Random) -> PodsMatch:
    if chance(rng, 0.5):
        return PodsMatch(rng.choice("xy"), pods=_selector(rng))
    spaces = LabelSelector.of({"team": "red"}) if chance(rng, 0.5) else EVERYTHING
    return PodsMatch(None, spaces, _selector(rng))


def _selector(rng: random.Random) -> LabelSelector:
    if chance(rng, 0.45):
        return EVERYTHING
    if chance(rng, 0.5):
        return LabelSelector.of({"app": rng.choice("ab")})
    operator = rng.choice(tuple(Operator))
    listed = ("a",) if operator in (Operator.IN, Operator.NOT_IN) else ()
    if operator.textual:
        listed = (rng.choice(("a", "d", "")),)
    return LabelSelector.of({}, [Requirement(rng.choice(("app", "tier")), operator, listed)])


def random_peer(rng: random.Random) -> PeerMatch:
    """Return a peer that combines no others."""
    form = pick(
        rng,
        [(6, "pods"), (4, "block"), (3, "any"), (1, "nodes"), (2, "relative"), (0.7, "unknown")],
    )
    match form:
        case "pods":
            return _pods(rng)
        case "block":
            return _block(rng)
        case "nodes":
            zone = LabelSelector.of({"zone": "a"})
            return NodesMatch(zone if chance(rng, 0.7) else EVERYTHING)
        case "relative":
            return RelativeMatch(rng.choice(tuple(Relative)))
        case "unknown":
            return UnknownMatch("made up", CAVEAT)
        case _:
            return AnyMatch()


def _block(rng: random.Random) -> BlockMatch:
    cidr = rng.choice(BLOCKS)
    whole = AddressSet.block(cidr)
    inside = [h for h in HOLES if AddressSet.block(h) <= whole and h != cidr]
    holes = tuple(rng.sample(inside, rng.randint(0, len(inside)))) if chance(rng, 0.5) else ()
    left = whole
    for hole in holes:
        left -= AddressSet.block(hole)
    return BlockMatch(left, cidr, holes, whole=cidr.endswith("/0"))


def _traffic(rng: random.Random) -> TrafficMatch:
    form = pick(rng, [(3, "port"), (2, "named"), (3, "l4"), (3, "every"), (1, "may")])
    match form:
        case "port":
            return TrafficMatch(TrafficSet.ports(*rng.choice((("TCP", 80, 81), ("UDP", 53, 53)))))
        case "named":
            name = NamedPort(rng.choice(("http", "alt")), rng.choice((None, "TCP", "UDP")))
            return TrafficMatch(NO_TRAFFIC, named=(name,))
        case "l4":
            return L4_TRAFFIC
        case "every":
            return EVERY_TRAFFIC
        case _:
            return TrafficMatch(TrafficSet.ports("TCP", 80), TrafficSet.protocol("ICMP"))
