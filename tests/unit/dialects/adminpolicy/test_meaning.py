"""What policies compile to, and what is said of several of them together."""

import pytest

from cloison.algebra import AddressSet
from cloison.ir.names import names_below
from cloison.ir.peers import AnyMatch, AnyOf, BlockMatch, NamesMatch
from cloison.ir.policy import Action, Direction, NamedPort
from tests.unit.dialects.adminpolicy.helpers import anp, banp, cnp, codes, session, text

DENY_Y = "ingress: [{action: Deny, from: [{namespaces: {matchLabels: {team: blue}}}]}]"
ACCEPT_ALL = "ingress: [{action: Accept, from: [{namespaces: {}}]}]"


def test_tiers_stand_around_networkpolicy() -> None:
    made = session(cnp("a", DENY_Y), cnp("b", DENY_Y, tier="Baseline"), banp(DENY_Y))
    (layer,) = made.policies.layers
    assert [tier.name for tier in layer.tiers] == ["admin", "networkpolicy", "baseline"]
    places = {p.id.said: (p.tier, p.order, p.isolates) for p in made.policies.policies}
    assert places == {
        "ClusterNetworkPolicy a": ("admin", (10,), frozenset()),
        "ClusterNetworkPolicy b": ("baseline", (10,), frozenset()),
        "BaselineAdminNetworkPolicy default": ("baseline", (1001,), frozenset()),
    }


def test_blocks_names_and_ports_keep_what_was_written() -> None:
    (policy,) = session(
        cnp(
            "a",
            "egress: [{action: Accept, to: [{networks: [10.1.2.3/8, '::/0']}, {domainNames: "
            "['*.Example.com.']}]}, {action: Deny, to: [{namespaces: {}}], protocols: "
            "[{destinationNamedPort: dns}]}]",
        )
    ).policies.policies
    first, second = policy.rules_for(Direction.EGRESS)
    one, two, names = (peer.match for peer in first.peers)
    assert isinstance(one, BlockMatch)
    assert isinstance(two, BlockMatch)
    assert one.addresses == AddressSet.block("10.0.0.0/8")
    assert (one.cidr, one.whole) == ("10.1.2.3/8", False)
    assert two.whole
    assert names == NamesMatch((names_below("*.example.com"),))
    assert second.traffic.named == (NamedPort("dns"),)
    assert not second.traffic.must


@pytest.mark.parametrize(
    ("profile", "action", "expected"),
    [
        ("calico@3.32", "Deny", (Action.DENY, True)),
        ("calico@3.32", "Pass", (Action.DENY, True)),
        ("calico@3.32", "Accept", (Action.ALLOW, False)),
        ("generic", "Pass", (Action.PASS, True)),
    ],
)
def test_what_an_enforcer_lacks_fails_closed(
    profile: str, action: str, expected: tuple[Action, bool]
) -> None:
    manifest = cnp("a", f"egress: [{{action: {action}, to: [{{nodes: {{}}}}]}}]")
    (policy,) = session(manifest, profile=profile).policies.policies
    (rule,) = policy.rules
    assert (rule.action, bool(rule.peers)) == expected
    if profile != "generic" and rule.peers:
        assert rule.peers[0].match == AnyMatch()


def test_namespaces_find_groups_where_the_enforcer_makes_no_difference() -> None:
    (policy,) = session(cnp("a", DENY_Y), profile="calico@3.32").policies.policies
    match = policy.rules[0].peers[0].match
    assert isinstance(match, AnyOf)
    assert [str(getattr(m, "labels", "")) for m in match.matches][1] == "pcns.team=blue"


@pytest.mark.parametrize(
    ("profile", "code", "policies"),
    [("kube-router", "ADL032", 0), ("gke-dataplane-v2", "ADL033", 1), ("generic", None, 1)],
)
def test_who_does_not_enforce_is_said_once(profile: str, code: str | None, policies: int) -> None:
    made = session(cnp("a", DENY_Y), profile=profile)
    assert codes(made.diagnostics) == ([code] if code else [])
    assert len(made.policies.policies) == policies


def test_a_priority_too_late_for_the_enforcer_is_said() -> None:
    made = session(anp("a", DENY_Y, priority=100), anp("b", DENY_Y), profile="ovn-kubernetes")
    assert codes(made.diagnostics) == ["ADL034"]
    assert [p.id.name for p in made.policies.policies] == ["b"]


@pytest.mark.parametrize(("action", "effect"), [("Accept", "nothing"), ("Deny", "everything")])
def test_a_field_the_enforcer_does_not_know_is_said(action: str, effect: str) -> None:
    policy = cnp("a", f"egress: [{{action: {action}, to: [{{nodes: {{}}}}]}}]")
    made = session(policy, profile="calico@3.32")
    (said,) = [d for d in made.diagnostics if d.code == "ADL035"]
    assert effect in str(said.effect)
    assert "`nodes`" in said.message
    answer = made.why("x/a", "y/a", port=80)
    assert str(answer.verdict) == ("allowed" if action == "Accept" else "denied")
    closed = "RULE_FAILS_CLOSED" in {c.id for c in answer.caveats}
    assert closed is (action == "Deny")


def test_a_rule_of_a_newer_server_may_match_less() -> None:
    rules = DENY_Y[:-2] + ", hours: office}]"
    spec = f"{{tier: Admin, priority: 1, subject: {{namespaces: {{}}}}, {rules}}}"
    made = session(text("ClusterNetworkPolicy", "a", spec, uid=", uid: u"))
    answer = made.why("y/a", "x/a", port=80)
    assert str(answer.verdict) == "undetermined"
    assert "POLICY_NOT_MODELLED" in {c.id for c in answer.caveats}


class TestTies:
    """Policies of equal priority."""

    @pytest.mark.parametrize(
        ("other", "reported"),
        [
            (cnp("b", ACCEPT_ALL), ["ADL030"]),
            (anp("b", ACCEPT_ALL.replace("Accept", "Allow")), ["ADL030"]),
            (cnp("b", ACCEPT_ALL, priority=11), []),
            (cnp("b", ACCEPT_ALL, tier="Baseline"), []),
            (cnp("b", DENY_Y), []),
            (cnp("b", DENY_Y.replace("blue", "red").replace("Deny", "Accept")), []),
            (cnp("b", ACCEPT_ALL.replace("ingress", "egress").replace("from", "to")), []),
        ],
    )
    def test_only_what_can_disagree_is_reported(self, other: str, reported: list[str]) -> None:
        assert codes(session(cnp("a", DENY_Y), other).diagnostics) == reported

    def test_what_an_earlier_rule_takes_away_is_no_conflict(self) -> None:
        both = "ingress: [{action: Deny, from: [{namespaces: {}}]}, {action: Accept, from: "
        one = cnp("a", f"{both}[{{namespaces: {{}}}}]}}]")
        assert codes(session(one, cnp("b", DENY_Y)).diagnostics) == []

    def test_ports_that_do_not_meet_are_no_conflict(self) -> None:
        def at(name: str, action: str, number: int) -> str:
            port = f"protocols: [{{tcp: {{destinationPort: {{number: {number}}}}}}}]"
            return cnp(
                name, f"ingress: [{{action: {action}, from: [{{namespaces: {{}}}}], {port}}}]"
            )

        assert codes(session(at("a", "Deny", 80), at("b", "Accept", 81)).diagnostics) == []
        assert codes(session(at("a", "Deny", 80), at("b", "Accept", 80)).diagnostics) == ["ADL030"]

    def test_an_enforcer_that_has_an_order_has_no_ties(self) -> None:
        made = session(cnp("a", DENY_Y), cnp("b", ACCEPT_ALL), profile="kube-network-policies")
        assert codes(made.diagnostics) == []
        assert str(made.why("y/a", "x/a", port=80).verdict) == "denied"
