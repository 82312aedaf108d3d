"""What each thing the IR can say does to traffic, on its own in a small world."""

from dataclasses import replace

import pytest

from cloison.algebra import (
    ANY,
    NO_TRAFFIC,
    AddressSet,
    LabelSelector,
    Operator,
    Requirement,
    TrafficSet,
    parse_address,
)
from cloison.base import Span
from cloison.engine import Engine, Networks
from cloison.engine.related import ON_ONE_NODE, ON_OTHER_NODES, ON_UNKNOWN_NODES
from cloison.ir.fidelity import Caveat
from cloison.ir.names import NamePattern, exact_name, names_below
from cloison.ir.peers import (
    AllOf,
    AnyMatch,
    AnyOf,
    BlockMatch,
    GroupsMatch,
    NamesMatch,
    NoneOf,
    PeerMatch,
    PodsMatch,
    Relative,
    RelativeMatch,
)
from cloison.ir.policy import (
    EVERY_TRAFFIC,
    Action,
    AddressGroup,
    Combine,
    Direction,
    LayerSpec,
    NamedPort,
    Peer,
    Policy,
    PolicyId,
    PolicySet,
    Rule,
    TierSpec,
    TrafficMatch,
)
from cloison.ir.profile import Profile
from cloison.ir.ruleset import CLOSED, OPEN, Outcome
from cloison.resources.objects import (
    ContainerPort,
    Namespace,
    Node,
    PodShape,
    ServiceAccount,
)
from cloison.resources.world import PodEndpoint, Workload, WorkloadId, World

HERE = Span("made-up.yaml", 1)
BOTH = frozenset(Direction)
IN, OUT = Direction.INGRESS, Direction.EGRESS
MAYBE = Outcome(NO_TRAFFIC, ANY)
WEB = TrafficSet.ports("TCP", 80)


def pod(name: str, address: str, node: str | None = None, account: str = "default") -> Workload:
    id_ = WorkloadId("x", name, "Pod")
    ports = (ContainerPort(80, "TCP", "http"),) if name == "web" else ()
    shape = PodShape({"app": name}, ports, service_account=account, node=node)
    endpoint = PodEndpoint(id_, name, shape, HERE, (parse_address(address),) if address else ())
    return Workload(id_, (endpoint,), span=HERE)


WORKLOADS = (
    pod("client", "10.2.0.1", "n1", "robot"),
    pod("lost", ""),
    pod("web", "10.2.0.2", "n2"),
)
WORLD = World(
    {"x": Namespace("x", {}, HERE)},
    {w.id: w for w in WORKLOADS},
    {n: Node(n, {}, (parse_address(f"10.1.0.{n[1:]}"),), (), HERE) for n in ("n1", "n2")},
    accounts={("x", "robot"): ServiceAccount("x", "robot", {"role": "batch"}, HERE)},
)
TIER = TierSpec("t", (Combine.FIRST_MATCH,), Action.DENY)
GROUPS = (
    AddressGroup(
        PolicyId("Set", None, "a"), {"kind": "office"}, AddressSet.block("203.0.113.0/24")
    ),
    AddressGroup(PolicyId("Set", None, "b"), {"kind": "pods"}, AddressSet.block("10.2.0.1/32")),
)
NAMES = {"api.example.com": AddressSet.block("198.51.100.7/32")}


def rule(match: PeerMatch, direction: Direction = IN, action: Action = Action.ALLOW) -> Rule:
    return Rule(direction, action, (Peer(match),), EVERY_TRAFFIC, 1)


def policy(*rules: Rule, name: str = "p", order: tuple[float | str, ...] = (1,)) -> Policy:
    subject = PodsMatch("x", pods=LabelSelector.of({"app": "web"}))
    return Policy(PolicyId("Made", None, name), (subject,), BOTH, rules, "t", order)


def engine(*policies: Policy, tiers: tuple[TierSpec, ...] = (TIER,)) -> Engine:
    layers = (LayerSpec("cni", tiers),)
    said = PolicySet(policies, layers, GROUPS)
    return Engine(WORLD, said, Profile("made-up", "made up", layers, ""), Networks(names=NAMES))


def unit(found: Engine, name: str) -> int:
    if name in found.table.by_node:
        return found.table.by_node[name][0]
    if name[0].isdigit():
        return found.table.external(parse_address(name))
    return found.table.by_endpoint[[w.id.name for w in WORKLOADS].index(name)][0]


def into(found: Engine, peer: str, subject: str = "web", family: int | None = None) -> Outcome:
    return found.point(unit(found, subject), unit(found, peer), IN, family=family).outcome


def labels(key: str, operator: Operator, *values: str) -> LabelSelector:
    return LabelSelector.of({}, [Requirement(key, operator, values)])


def named(*names: NamePattern) -> NamesMatch:
    return NamesMatch(names)


ROBOT = PodsMatch("x", accounts=LabelSelector.of({"role": "batch"}))
ON_N1 = PodsMatch("x", nodes=frozenset({"n1"}))
OFFICE = GroupsMatch(LabelSelector.of({"kind": "office"}))


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (ROBOT, {"client": OPEN, "lost": CLOSED, "n1": CLOSED}),
        (ON_N1, {"client": OPEN, "lost": MAYBE, "n1": CLOSED}),
        (PodsMatch("x", nodes=frozenset()), {"client": CLOSED, "lost": CLOSED}),
        (PodsMatch("x", pods=labels("app", Operator.STARTS_WITH, "cli")), {"client": OPEN}),
        (PodsMatch("x", pods=labels("app", Operator.NOT_CONTAINS, "os")), {"lost": CLOSED}),
        (OFFICE, {"203.0.113.9": OPEN, "203.0.114.1": CLOSED, "client": CLOSED, "lost": CLOSED}),
        (GroupsMatch(labels("kind", Operator.EXISTS)), {"client": OPEN, "203.0.113.9": OPEN}),
        (named(exact_name("api.example.com")), {"198.51.100.7": OPEN, "198.51.100.8": CLOSED}),
        (named(names_below("*.example.com")), {"198.51.100.7": OPEN, "198.51.100.8": MAYBE}),
        (named(exact_name("db.example.com")), {"198.51.100.8": MAYBE, "client": CLOSED}),
        (AnyOf((ROBOT, OFFICE)), {"client": OPEN, "203.0.113.9": OPEN, "lost": CLOSED}),
        (AllOf((ON_N1, ROBOT)), {"client": OPEN, "lost": CLOSED}),
        (NoneOf((ON_N1, OFFICE)), {"client": CLOSED, "lost": MAYBE, "198.51.100.7": OPEN}),
        (AllOf(()), {"client": OPEN, "198.51.100.7": OPEN}),
        (AnyOf(()), {"client": CLOSED, "198.51.100.7": CLOSED}),
    ],
)
def test_a_peer_matches(match: PeerMatch, expected: dict[str, Outcome]) -> None:
    found = engine(policy(rule(match)))
    assert {peer: into(found, peer) for peer in expected} == expected


def test_an_unknown_address_is_outside_what_is_not_a_whole_family_of_the_flow() -> None:
    block = BlockMatch(AddressSet.block("0.0.0.0/0"), "0.0.0.0/0", whole=True)
    found = engine(policy(rule(NoneOf((block,)))))
    assert [into(found, "lost", family=family) for family in (4, 6)] == [CLOSED, OPEN]
    assert into(found, "lost") == MAYBE


def test_a_rule_is_about_those_of_the_subjects_that_it_names() -> None:
    web = LabelSelector.of({"app": "web"})
    some = replace(rule(AnyMatch()), subjects=(PodsMatch("x", pods=web),))
    several = replace(policy(some), subjects=(PodsMatch("x"),))
    found = engine(several)
    assert (into(found, "client"), into(found, "web", "client")) == (OPEN, CLOSED)
    perhaps = replace(some, subjects=(PodsMatch("x", nodes=frozenset({"n2"})),))
    found = engine(replace(several, rules=(perhaps,)))
    assert into(found, "client", "lost") == MAYBE


def test_a_policy_that_may_select_a_pod_may_isolate_it() -> None:
    found = engine(replace(policy(), subjects=(ON_N1,)))
    assert [into(found, "web", name) for name in ("client", "lost")] == [CLOSED, MAYBE]


def test_named_ports_are_left_out_where_they_are_declared() -> None:
    but = replace(rule(PodsMatch(), OUT), traffic=TrafficMatch(ANY, excepted=(NamedPort("http"),)))
    found = engine(replace(policy(but), subjects=(PodsMatch("x"),)))
    reached = [
        found.point(unit(found, "client"), unit(found, name), OUT).outcome.allowed
        for name in ("web", "lost")
    ]
    assert reached == [ANY - WEB, ANY]


def test_policies_govern_the_nodes_they_name() -> None:
    own = rule(RelativeMatch(Relative.OWN_POD))
    found = engine(replace(policy(own), subjects=(), nodes=frozenset({"n1"})))
    n1, n2, client, web = (unit(found, name) for name in ("n1", "n2", "client", "web"))
    assert found.point(n1, client, IN, ON_ONE_NODE).outcome == OPEN
    assert found.point(n1, client, IN, ON_UNKNOWN_NODES).outcome == MAYBE
    assert found.point(n1, web, IN, ON_OTHER_NODES).outcome == CLOSED
    assert found.point(n1, n2, OUT).outcome == CLOSED
    assert found.point(n2, web, IN).outcome == OPEN
    pairs = {(s, d) for r in found.rectangles() for s in r.sources for d in r.destinations}
    assert (web, n2) in pairs
    assert (web, n1) not in pairs


def test_a_tier_may_end_the_direction_that_is_not_isolated() -> None:
    last = TierSpec("last", (Combine.FIRST_MATCH,))
    deny = replace(policy(rule(AnyMatch(), action=Action.DENY), name="q"), tier="last")
    outward = replace(policy(), isolates=frozenset({OUT}))
    outcomes = [
        into(engine(outward, deny, tiers=(replace(TIER, ends_both=ends), last)), "client")
        for ends in (True, False)
    ]
    assert outcomes == [OPEN, CLOSED]


def test_equal_orders_that_conflict_are_told() -> None:
    allow, deny = rule(AnyMatch()), replace(rule(ROBOT, action=Action.DENY), index=1)
    one, other = policy(allow, name="a", order=(1, "x")), policy(deny, name="b", order=(1, "x"))
    found = engine(one, other)
    point = found.point(unit(found, "web"), unit(found, "client"), IN)
    assert point.outcome == MAYBE
    assert {(p.id.name, traffic) for p, traffic in found.ties(point)} == {("a", ANY), ("b", ANY)}
    peaceful = found.point(unit(found, "web"), unit(found, "lost"), IN)
    assert (peaceful.outcome, found.ties(peaceful)) == (OPEN, ())
    ordered = engine(one, replace(other, order=(1, "y")))
    assert into(ordered, "client") == OPEN


def test_what_a_rule_stands_on_is_told_whatever_it_does() -> None:
    caveat = Caveat("ODD", "it is odd")
    deny = replace(rule(AnyMatch(), action=Action.DENY), caveats=(caveat,))
    found = engine(policy(deny))
    piece = found.point(unit(found, "web"), unit(found, "client"), IN).piece
    assert piece is not None
    assert [caveat in bound.caveats for bound, _ in piece.rules] == [True]
