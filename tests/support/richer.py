"""Random policy sets with everything the IR can say, made of those in `policies`."""

import random
from dataclasses import replace

from cloison.algebra import (
    EVERYTHING,
    AddressSet,
    LabelSelector,
    Operator,
    Requirement,
    TrafficSet,
    parse_address,
)
from cloison.ir.names import exact_name, names_below, names_within
from cloison.ir.peers import (
    AllOf,
    AnyOf,
    BlockMatch,
    GroupsMatch,
    NamesMatch,
    NoneOf,
    PeerMatch,
    PodsMatch,
    RelativeMatch,
)
from cloison.ir.policy import AddressGroup, NamedPort, Peer, Policy, PolicyId, Rule, TierSpec
from cloison.ir.profile import NamedPorts
from cloison.resources.objects import ACCOUNT_NAME_LABEL, ServiceAccount
from cloison.resources.world import World
from tests.support.chances import chance, pick
from tests.support.policies import HERE, OUTSIDE, Snapshot, random_peer, random_snapshot

ACCOUNTS = ("builder", "runner", "default")
NAMES = {
    "api.example.com": AddressSet.points((parse_address(OUTSIDE[0]),)),
    "db.example.com": AddressSet.points((parse_address(OUTSIDE[1]), parse_address(OUTSIDE[2]))),
}
PATTERNS = (
    exact_name("api.example.com"),
    exact_name("www.example.com"),
    names_below("*.example.com"),
    names_below("*.example.net"),
    names_within("*.example.com"),
    names_within("**.example.com"),
    names_within("**.example.com", deep=False),
    names_within("a*.*.com"),
    names_within("*"),
)
RANGES = (
    "203.0.113.0/24",
    "198.51.100.0/25",
    "10.2.0.0/30",
    "10.1.0.1/32",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "::/0",
    "fd00:2::/64",
)


def rich_snapshot(rng: random.Random) -> Snapshot:
    """Return a small world with policies that say all the IR can."""
    return enriched(rng, random_snapshot(rng))


def enriched(rng: random.Random, snapshot: Snapshot) -> Snapshot:
    """Return a snapshot that says more than it did."""
    tiers = {
        tier.name: replace(tier, ends_both=chance(rng, 0.25))
        for layer in snapshot.policies.layers
        for tier in layer.tiers
    }
    layers = tuple(
        replace(layer, tiers=tuple(tiers[tier.name] for tier in layer.tiers))
        for layer in snapshot.policies.layers
    )
    policies = tuple(_policy(rng, p, tiers.get(p.tier)) for p in snapshot.policies.policies)
    profile = replace(snapshot.profile, layers=layers)
    if chance(rng, 0.1):
        profile = replace(profile, named_ports=NamedPorts.UNION)
    said = replace(snapshot.policies, policies=policies, layers=layers, groups=_groups(rng))
    names = {name: meant for name, meant in NAMES.items() if chance(rng, 0.7)}
    return Snapshot(_world(rng, snapshot.world), said, profile, names)


def _world(rng: random.Random, world: World) -> World:
    """Give pods accounts, of which not all were read."""
    workloads = {}
    for id_, workload in world.workloads.items():
        endpoints = tuple(
            replace(e, shape=replace(e.shape, service_account=rng.choice(ACCOUNTS)))
            for e in workload.endpoints
        )
        workloads[id_] = replace(workload, endpoints=endpoints)
    accounts = {
        (space, name): ServiceAccount(space, name, {"role": rng.choice("ab")}, HERE)
        for space in sorted(world.namespaces)
        for name in ACCOUNTS
        if chance(rng, 0.7)
    }
    return replace(world, workloads=workloads, accounts=accounts)


def _groups(rng: random.Random) -> tuple[AddressGroup, ...]:
    found = []
    for number in range(rng.randint(1, 4)):
        spans = [s for text in rng.sample(RANGES, 2) for s in AddressSet.block(text).spans]
        labels = {key: rng.choice("ab") for key in ("kind", "zone") if chance(rng, 0.6)}
        found.append(AddressGroup(PolicyId("Group", None, f"g{number}"), labels, AddressSet(spans)))
    return tuple(found)


def _policy(rng: random.Random, policy: Policy, tier: TierSpec | None) -> Policy:
    subjects = tuple(_pods(rng, each) for each in policy.subjects)
    nodes: frozenset[str] = frozenset()
    if chance(rng, 0.3):
        nodes = frozenset(rng.sample(("n1", "n2"), rng.randint(1, 2)))
        subjects = subjects if chance(rng, 0.5) else ()
    order = (*policy.order, rng.choice("ab")) if tier is not None else policy.order
    rules = tuple(_rule(rng, rule) for rule in policy.rules)
    return replace(policy, subjects=subjects, nodes=nodes, order=order, rules=rules)


def _rule(rng: random.Random, rule: Rule) -> Rule:
    subjects: tuple[PeerMatch, ...] | None = None
    if chance(rng, 0.25):
        subjects = tuple(_match(rng, 1, relative=False) for _ in range(rng.randint(0, 2)))
    traffic = rule.traffic
    if chance(rng, 0.2):
        name = NamedPort(rng.choice(("http", "alt")), rng.choice((None, "TCP", "UDP")))
        traffic = replace(traffic, excepted=(name,))
    if traffic.named and chance(rng, 0.3):
        left = TrafficSet.ports("TCP", 80, rng.choice((80, 8080)))
        traffic = replace(traffic, must=traffic.must - left, may=traffic.may - left, without=left)
    peers = tuple(p if chance(rng, 0.4) else Peer(_match(rng, 2)) for p in rule.peers)
    return replace(rule, peers=peers, subjects=subjects, traffic=traffic)


def _match(rng: random.Random, depth: int, *, relative: bool = True) -> PeerMatch:
    """Return a match that may combine others.

    Args:
        rng: Where chance comes from.
        depth: How deep they may be nested.
        relative: Whether it may be about how the peer stands to the subject.
    """
    form = pick(rng, [(4, "plain"), (2, "groups"), (1, "names"), (4 if depth else 0, "several")])
    if form == "several":
        kind = rng.choice((AnyOf, AllOf, NoneOf))
        count = pick(rng, [(0.3, 0), (2, 1), (4, 2), (1, 3)])
        return kind(tuple(_match(rng, depth - 1, relative=relative) for _ in range(count)))
    if form == "groups":
        return GroupsMatch(_labels(rng, ("kind", "zone")))
    if form == "names":
        return NamesMatch(tuple(rng.sample(PATTERNS, rng.randint(1, 2))))
    match = random_peer(rng)
    if isinstance(match, RelativeMatch) and not relative:
        return BlockMatch(AddressSet.block("10.2.0.0/16"), "10.2.0.0/16")
    return _pods(rng, match) if isinstance(match, PodsMatch) else match


def _pods(rng: random.Random, match: PodsMatch) -> PodsMatch:
    if chance(rng, 0.25):
        accounts = _labels(rng, ("role",))
        if chance(rng, 0.5):
            accounts = LabelSelector.of({ACCOUNT_NAME_LABEL: rng.choice(ACCOUNTS)})
        match = replace(match, accounts=accounts)
    if chance(rng, 0.2):
        nodes = frozenset(rng.sample(("n1", "n2"), rng.randint(0, 2)))
        match = replace(match, nodes=nodes)
    return match


def _labels(rng: random.Random, keys: tuple[str, ...]) -> LabelSelector:
    if chance(rng, 0.2):
        return EVERYTHING
    operator = rng.choice(tuple(Operator))
    values = () if operator in (Operator.EXISTS, Operator.DOES_NOT_EXIST) else ("a",)
    return LabelSelector.of({}, [Requirement(rng.choice(keys), operator, values)])
