"""Which objects two snapshots do not share, in the IR's own terms."""

from dataclasses import replace

import pytest

from cloison.algebra import AddressSet, LabelSelector, TrafficSet
from cloison.analyses.diff.policies import PolicyChange, PolicyKind, policy_changes
from cloison.base import Span
from cloison.ir.peers import AllOf, AnyOf, GroupsMatch, NoneOf, PodsMatch
from cloison.ir.policy import (
    EVERY_TRAFFIC,
    Action,
    AddressGroup,
    Combine,
    Direction,
    LayerSpec,
    Mode,
    NamedPort,
    Peer,
    Policy,
    PolicyId,
    PolicySet,
    Preview,
    Rule,
    TierSpec,
)

HERE = Span("here.yaml", 1)
RED = PodsMatch(pods=LabelSelector.of({"team": "red"}))
BLUE = PodsMatch(pods=LabelSelector.of({"team": "blue"}))
GROUPS = GroupsMatch(LabelSelector.of({"kind": "vendor"}))
RULE = Rule(Direction.INGRESS, Action.ALLOW, (Peer(AnyOf((RED, BLUE))),), EVERY_TRAFFIC, 1)
POLICY = Policy(
    PolicyId("Policy", "shop", "p"),
    (RED, BLUE),
    frozenset({Direction.INGRESS}),
    (RULE,),
    "guards",
    (10, "p/shop"),
    span=HERE,
)
GROUP = AddressGroup(
    PolicyId("Group", None, "vendors"), {"kind": "vendor"}, AddressSet.block("192.0.2.0/24"), HERE
)
TIER = TierSpec("guards", (Combine.FIRST_MATCH,), Action.DENY, order=(100,), span=HERE)


def known(
    *policies: Policy, tier: TierSpec = TIER, groups: tuple[AddressGroup, ...] = (GROUP,)
) -> PolicySet:
    return PolicySet(policies, (LayerSpec("cni", (tier,)),), groups)


def told(before: PolicySet, after: PolicySet) -> list[tuple[str, str]]:
    return [(f"{c.id.kind} {c.id}", str(c.kind)) for c in policy_changes(before, after)]


@pytest.mark.parametrize(
    "other",
    [
        replace(POLICY, subjects=(RED,)),
        replace(POLICY, nodes=frozenset({"worker-1"})),
        replace(POLICY, order=(20, "p/shop")),
        replace(POLICY, tier="other"),
        replace(POLICY, rules=(replace(RULE, subjects=(RED,)),)),
        replace(POLICY, rules=(replace(RULE, sources=TrafficSet.ports("TCP", 53)),)),
        replace(POLICY, rules=(replace(RULE, condition="GET /"),)),
        replace(POLICY, rules=(replace(RULE, peers=(Peer(AllOf((RED, BLUE))),)),)),
        replace(POLICY, rules=(replace(RULE, peers=(Peer(NoneOf((RED, BLUE))),)),)),
        replace(
            POLICY,
            rules=(
                replace(RULE, traffic=replace(EVERY_TRAFFIC, excepted=(NamedPort("http", "TCP"),))),
            ),
        ),
    ],
)
def test_whatever_a_policy_says_otherwise_is_a_change(other: Policy) -> None:
    assert told(known(POLICY), known(other)) == [("Policy shop/p", "changed")]


@pytest.mark.parametrize(
    "same",
    [
        replace(POLICY, subjects=(BLUE, RED)),
        replace(POLICY, span=Span("there.yaml", 9)),
        replace(POLICY, rules=(replace(RULE, peers=(Peer(AnyOf((BLUE, RED))),)),)),
    ],
)
def test_the_order_of_what_is_written_is_none(same: Policy) -> None:
    assert told(known(POLICY), known(same)) == []


def test_a_tier_that_an_object_declares_is_told() -> None:
    for other in (replace(TIER, order=(200,)), replace(TIER, end=Action.PASS)):
        assert told(known(POLICY), known(POLICY, tier=other)) == [("Tier guards", "changed")]
    builtin = replace(TIER, span=None)
    assert told(known(POLICY), known(POLICY, tier=builtin)) == [("Tier guards", "removed")]
    moved = replace(TIER, span=Span("there.yaml", 9))
    assert told(known(POLICY), known(POLICY, tier=moved)) == []


def test_the_tiers_of_the_enforcer_are_no_objects() -> None:
    one, other = (replace(TIER, span=None, end=end) for end in (Action.DENY, Action.PASS))
    assert told(known(tier=one), known(tier=other)) == []


def test_an_address_group_is_told() -> None:
    wider = replace(GROUP, addresses=AddressSet.block("192.0.0.0/16"))
    other = replace(GROUP, labels={"kind": "partner"})
    for group in (wider, other):
        found = told(known(POLICY), known(POLICY, groups=(group,)))
        assert found == [("Group vendors", "changed")]
    assert told(known(), known(groups=())) == [("Group vendors", "removed")]


def test_a_policy_renamed_among_equals_was_renamed() -> None:
    new = replace(POLICY, id=PolicyId("Policy", "shop", "q"), order=(10, "q/shop"))
    (change,) = policy_changes(known(POLICY), known(new))
    assert change == PolicyChange(new.id, PolicyKind.RENAMED, HERE, HERE, POLICY.id)


def test_an_object_of_several_policies_is_told_once() -> None:
    twice = known(POLICY, replace(POLICY, tier="forward"))
    assert told(twice, twice) == []
    assert told(twice, known(POLICY)) == [("Policy shop/p", "changed")]


def test_a_staged_policy_that_is_enforced() -> None:
    preview = Preview(PolicyId("Policy", "shop", "old"))
    staged = replace(POLICY, mode=Mode.STAGED, preview=preview)
    assert told(known(staged), known(POLICY)) == [("Policy shop/p", "enforced")]
    assert told(known(POLICY), known(staged)) == [("Policy shop/p", "changed")]
    removes = replace(staged, preview=replace(preview, removes=True))
    assert told(known(staged), known(removes)) == [("Policy shop/p", "changed")]
