"""Changes to one policy put together: what each changes is changed, whoever comes first."""

from dataclasses import replace
from itertools import permutations

from cloison.algebra import AddressSet, LabelSelector, TrafficSet
from cloison.analyses.edit import Edit, all_done
from cloison.ir.peers import BlockMatch, PodsMatch
from cloison.ir.policy import Action, Direction, Peer, Policy, PolicyId, Rule, TrafficMatch

HOME = "a"


def pods(name: str) -> Peer:
    return Peer(PodsMatch(namespace=HOME, pods=LabelSelector.of({"app": name})))


def block(cidr: str) -> Peer:
    return Peer(BlockMatch(AddressSet.block(cidr), cidr))


def rule(index: int, port: int, *peers: Peer, direction: Direction = Direction.INGRESS) -> Rule:
    traffic = TrafficMatch(TrafficSet.ports("TCP", port))
    return Rule(direction, Action.ALLOW, peers, traffic, index)


POLICY = Policy(
    PolicyId("NetworkPolicy", HOME, "p"),
    (PodsMatch(namespace=HOME),),
    frozenset({Direction.INGRESS}),
    (rule(1, 80, pods("x"), pods("y"), block("192.0.2.0/24")), rule(2, 443, pods("x"))),
    "networkpolicy",
    (),
)


def meant(*rules: Rule) -> Edit:
    """Return a change of some rules of the policy."""
    by = {each.index: each for each in rules}
    kept = tuple(by.get(each.index, each) for each in POLICY.rules)
    return Edit(POLICY, meant=replace(POLICY, rules=kept))


def test_rules_that_are_added_are_counted_on_and_added_once() -> None:
    found = all_done(POLICY, [Edit(POLICY, (rule(1, 81, pods("z")),)), Edit(POLICY, POLICY.rules)])
    assert found is not None
    assert [(each.index, each.traffic.must) for each in found.rules] == [
        (1, TrafficSet.ports("TCP", 80)),
        (2, TrafficSet.ports("TCP", 443)),
        (3, TrafficSet.ports("TCP", 81)),
    ]


def test_a_new_policy_isolates_only_as_its_rules_say() -> None:
    new = replace(POLICY, rules=(), isolates=frozenset(Direction))
    found = all_done(None, [Edit(new, (rule(7, 80, pods("x")),), new=True)])
    assert found is not None
    assert found.isolates == {Direction.INGRESS}
    assert [each.index for each in found.rules] == [1]


def test_changes_of_one_rule_by_several_are_all_made_in_any_order() -> None:
    one, two, three = pods("x"), pods("y"), block("192.0.2.0/24")
    edits = (
        meant(rule(1, 80, pods("z"), two, three)),
        meant(rule(1, 80, one, pods("w"), three)),
        meant(rule(2, 443, pods("v"))),
        Edit(POLICY, (rule(3, 81, pods("u")),)),
    )
    for order in permutations(range(len(edits))):
        numbered = [replace(edits[place], order=number) for number, place in enumerate(order)]
        found = all_done(POLICY, numbered)
        assert found is not None
        peers = [{peer.match for peer in each.peers} for each in found.rules]
        assert peers == [
            {pods("z").match, pods("w").match, three.match},
            {pods("v").match},
            {pods("u").match},
        ]


def test_what_was_made_up_for_a_rule_that_is_added_waits_for_it() -> None:
    added = Edit(POLICY, (rule(1, 81, block("0.0.0.0/0")),), order=1)
    there = added.done(POLICY)
    cut = (*POLICY.rules, replace(there.rules[-1], peers=(block("10.0.0.0/8"),)))
    edit = Edit(there, meant=replace(there, rules=cut), order=2)
    found = all_done(POLICY, [edit, added])
    assert found is not None
    assert [peer.match for peer in found.rules[-1].peers] == [block("10.0.0.0/8").match]
    assert edit.done(POLICY).rules == POLICY.rules


def test_whom_a_policy_is_about_can_be_changed_beside_its_rules() -> None:
    only = (PodsMatch(namespace=HOME, pods=LabelSelector.of({"app": "x"})),)
    edit = Edit(POLICY, meant=replace(POLICY, subjects=only))
    found = all_done(POLICY, [Edit(POLICY, (rule(1, 81, pods("z")),)), edit])
    assert found is not None
    assert found.subjects == only
    assert len(found.rules) == 3
