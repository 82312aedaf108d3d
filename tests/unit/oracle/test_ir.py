"""The IR oracle against the meaning of the IR, in small."""

import pytest

from cloison.algebra import ANY, L4, AddressSet, TrafficSet, parse_address
from cloison.base import Span
from cloison.ir.fidelity import Caveat, Verdict
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
    L4_TRAFFIC,
    Action,
    Combine,
    Direction,
    LayerSpec,
    Mode,
    Peer,
    Policy,
    PolicyId,
    PolicySet,
    Rule,
    TierSpec,
    TrafficMatch,
)
from cloison.ir.profile import Profile
from cloison.resources.objects import Namespace, Node, PodShape
from cloison.resources.world import PodEndpoint, Workload, WorkloadId, World
from tests.oracle.ir import IROracle
from tests.oracle.ir_ways import End

HERE = Span("by-hand", 1)
ALLOWED, DENIED, UNDETERMINED = Verdict.ALLOWED, Verdict.DENIED, Verdict.UNDETERMINED
UNKNOWN = UnknownMatch("by hand", Caveat("UNKNOWN", "by hand"))
TIER = TierSpec("one", (Combine.UNION,), Action.DENY, L4)
FIRST = TierSpec("one", (Combine.FIRST_MATCH,), Action.DENY)
NEXT = TierSpec("two", (Combine.UNION,), Action.DENY)


def _pod(name: str, *, node: str = "n1", host: bool = False, known: bool = True) -> PodEndpoint:
    address = parse_address("10.1.0.1" if host else f"10.2.0.{ord(name)}")
    shape = PodShape({"app": name}, host_network=host, node=node)
    return PodEndpoint(WorkloadId("x", name, "Pod"), name, shape, HERE, (address,) if known else ())


A, B, C = _pod("a"), _pod("b", node="n2"), _pod("c", known=False)
HOST = _pod("h", host=True)
N1, N2 = (Node(f"n{i}", {}, (parse_address(f"10.1.0.{i}"),), (), HERE) for i in (1, 2))
WORLD = World(
    {"x": Namespace("x", {}, HERE)},
    {p.workload: Workload(p.workload, (p,)) for p in (A, B, C, HOST)},
    {"n1": N1, "n2": N2},
)


def rule(
    action: Action,
    match: PeerMatch | None = None,
    traffic: TrafficMatch = EVERY_TRAFFIC,
    condition: str | None = None,
) -> Rule:
    peers = (Peer(match or AnyMatch()),)
    return Rule(Direction.INGRESS, action, peers, traffic, 1, condition=condition)


def policy(*rules: Rule, order: float = 0, tier: str = "one", name: str = "p") -> Policy:
    isolates = frozenset((Direction.INGRESS,))
    return Policy(PolicyId("P", "x", name), (PodsMatch("x"),), isolates, rules, tier, (order,))


def ask(
    *policies: Policy,
    tiers: tuple[TierSpec, ...] = (TIER,),
    builtin: tuple[Rule, ...] = (),
    default: Action = Action.ALLOW,
    src: End = B,
    protocol: str = "TCP",
) -> Verdict:
    layers = (LayerSpec("cni", tiers, default, builtin),)
    oracle = IROracle(WORLD, PolicySet(policies, layers), Profile("p", "p", layers, "by hand"))
    return oracle.verdict(src, A, protocol, 80 if protocol == "TCP" else None, 4)


ALLOW, DENY, PASS = rule(Action.ALLOW), rule(Action.DENY), rule(Action.PASS)
MAY_ALLOW, MAY_DENY = (rule(a, UNKNOWN) for a in (Action.ALLOW, Action.DENY))


def test_defaults_and_ends() -> None:
    assert ask() is ALLOWED
    assert ask(default=Action.DENY) is DENIED
    assert ask(policy()) is DENIED
    assert ask(policy(ALLOW)) is ALLOWED
    assert ask(policy(), protocol="ICMP") is UNDETERMINED
    assert ask(policy(rule(Action.ALLOW, traffic=L4_TRAFFIC)), protocol="ICMP") is UNDETERMINED
    assert ask(policy(), tiers=(TierSpec("one", (Combine.UNION,)),)) is ALLOWED


@pytest.mark.parametrize(
    ("combine", "verdict"),
    [
        (Combine.UNION, ALLOWED),
        (Combine.DENY_OVERRIDES, DENIED),
        (Combine.FIRST_MATCH, DENIED),
    ],
)
def test_bands(combine: Combine, verdict: Verdict) -> None:
    tiers = (TierSpec("one", (combine,), Action.DENY),)
    assert ask(policy(DENY, order=1), policy(ALLOW, order=2), tiers=tiers) is verdict


def test_first_match_goes_by_order_and_place() -> None:
    ordered = (policy(ALLOW, order=2, name="a"), policy(DENY, order=1, name="b"))
    assert ask(*ordered, tiers=(FIRST,)) is DENIED
    assert ask(policy(rule(Action.LOG), ALLOW, DENY), tiers=(FIRST,)) is ALLOWED


def test_equal_orders_are_undetermined_only_where_they_differ() -> None:
    assert ask(policy(ALLOW), policy(DENY), tiers=(FIRST,)) is UNDETERMINED
    assert ask(policy(ALLOW), policy(ALLOW, DENY), tiers=(FIRST,)) is ALLOWED
    assert ask(policy(), policy(ALLOW), policy(DENY, order=1), tiers=(FIRST,)) is ALLOWED


def test_pass_skips_the_end_of_its_tier_only() -> None:
    tiers = (FIRST, NEXT)
    assert ask(policy(PASS), tiers=tiers) is ALLOWED
    assert ask(policy(PASS, DENY), policy(tier="two"), tiers=tiers) is DENIED
    assert ask(policy(PASS), policy(ALLOW, tier="two"), tiers=tiers) is ALLOWED


def test_what_only_may_match_leaves_both_ways_open() -> None:
    assert ask(policy(MAY_ALLOW)) is UNDETERMINED
    assert ask(policy(MAY_ALLOW, ALLOW)) is ALLOWED
    assert ask(policy(MAY_DENY, ALLOW), tiers=(FIRST,)) is UNDETERMINED
    assert ask(policy(MAY_DENY, DENY), tiers=(FIRST,)) is DENIED
    assert ask(policy(rule(Action.ALLOW, condition="GET /"))) is UNDETERMINED


def test_relations() -> None:
    own = rule(Action.ALLOW, RelativeMatch(Relative.OWN_NODE))
    for src, verdict in ((N1, ALLOWED), (HOST, ALLOWED), (N2, DENIED), (B, DENIED)):
        assert ask(policy(), builtin=(own,), src=src) is verdict
    itself = rule(Action.ALLOW, RelativeMatch(Relative.SELF))
    assert ask(policy(), builtin=(itself,), src=A) is ALLOWED
    assert ask(policy(), builtin=(itself,)) is DENIED
    nobody_knows = PodEndpoint(
        WorkloadId("x", "d", "Deployment"), None, PodShape({}, host_network=True), HERE
    )
    assert ask(policy(), builtin=(own,), src=nobody_knows) is UNDETERMINED


def _block(cidr: str, *holes: str) -> BlockMatch:
    left = AddressSet.block(cidr)
    for hole in holes:
        left -= AddressSet.block(hole)
    return BlockMatch(left, cidr, holes, whole=cidr.endswith("/0"))


def test_unknown_addresses() -> None:
    def through(block: BlockMatch, src: End) -> Verdict:
        return ask(policy(rule(Action.ALLOW, block)), src=src)

    assert through(_block("10.0.0.0/8"), B) is ALLOWED
    assert through(_block("10.0.0.0/8"), C) is DENIED
    assert through(_block("0.0.0.0/0"), C) is ALLOWED
    assert through(_block("0.0.0.0/0", "10.0.0.0/8"), C) is ALLOWED
    assert through(_block("0.0.0.0/0", "10.0.0.0/8"), B) is DENIED
    assert through(_block("10.1.0.2/32"), parse_address("10.1.0.2")) is ALLOWED


def test_opaque_staged_and_unselected() -> None:
    opaque = Policy(
        PolicyId("P", "x", "o"),
        (PodsMatch("x"),),
        frozenset((Direction.INGRESS,)),
        (),
        "one",
        opaque=UNKNOWN,
    )
    assert ask(opaque, policy(ALLOW)) is UNDETERMINED
    always = rule(Action.ALLOW, traffic=TrafficMatch(ANY))
    assert ask(opaque, builtin=(always,)) is ALLOWED
    staged = Policy(
        PolicyId("P", "x", "s"),
        (PodsMatch("x"),),
        frozenset(Direction),
        (),
        "one",
        mode=Mode.STAGED,
    )
    assert ask(staged) is ALLOWED
    elsewhere = Policy(PolicyId("P", "y", "e"), (PodsMatch("y"),), frozenset(Direction), (), "one")
    assert ask(elsewhere) is ALLOWED
    tcp = TrafficMatch(TrafficSet.ports("TCP", 80))
    assert ask(policy(rule(Action.ALLOW, traffic=tcp))) is ALLOWED
