"""What a NetworkPolicy means."""

from dataclasses import replace

import pytest

from cloison.algebra import EVERYTHING, L4, AddressSet, LabelSelector, TrafficSet
from cloison.base import Span
from cloison.dialects.networkpolicy import model
from cloison.dialects.networkpolicy.compile import compile_policy
from cloison.ir.peers import AnyMatch, BlockMatch, PeerMatch, PodsMatch
from cloison.ir.policy import (
    L4_TRAFFIC,
    Action,
    Direction,
    Mode,
    NamedPort,
    Policy,
    PolicyId,
    TrafficMatch,
)
from cloison.ir.profile import Profile
from tests.unit.dialects.helpers import block, peer, policy, port

GENERIC = Profile("generic", "any", (), "")
IN, OUT = Direction.INGRESS, Direction.EGRESS


def compiled(spec: str, profile: Profile = GENERIC) -> Policy:
    return compile_policy(policy(spec), profile)


def only_peer(spec: str) -> PeerMatch:
    (rule,) = compiled(spec).rules
    (found,) = rule.peers
    return found.match


def only_traffic(spec: str, profile: Profile = GENERIC) -> TrafficMatch:
    (rule,) = compiled(spec, profile).rules
    return rule.traffic


ABSENT_TYPES = ("", "policyTypes: [], ", "policyTypes: null, ")


class TestPolicyTypes:
    """The table of defaults: what was written decides what is isolated."""

    @pytest.mark.parametrize("types", ABSENT_TYPES)
    @pytest.mark.parametrize("egress", ["", "egress: [], ", "egress: null, "])
    def test_absent_types_and_no_egress_rule(self, types: str, egress: str) -> None:
        assert compiled(f"{{{types}{egress}podSelector: {{}}}}").isolates == {IN}

    @pytest.mark.parametrize("types", ABSENT_TYPES)
    @pytest.mark.parametrize("rule", ["{}", "null", "{to: []}"])
    def test_absent_types_and_an_egress_rule(self, types: str, rule: str) -> None:
        found = compiled(f"{{{types}egress: [{rule}], podSelector: {{}}}}")
        assert found.isolates == {IN, OUT}
        assert [r.direction for r in found.rules] == [OUT]

    def test_egress_only_ignores_ingress_rules(self) -> None:
        found = compiled("{policyTypes: [Egress], ingress: [{}], egress: [{}]}")
        assert found.isolates == {OUT}
        assert [r.direction for r in found.rules] == [OUT]

    def test_ingress_only_ignores_egress_rules(self) -> None:
        found = compiled("{policyTypes: [Ingress], egress: [{}]}")
        assert found.isolates == {IN}
        assert found.rules == ()

    def test_repeated_types_are_harmless(self) -> None:
        assert compiled("{policyTypes: [Ingress, Ingress]}").isolates == {IN}

    def test_an_empty_spec_isolates_ingress_of_every_pod(self) -> None:
        found = compiled("{}")
        assert found.isolates == {IN}
        assert found.subjects == (PodsMatch(namespace="x", pods=EVERYTHING),)
        assert found.rules == ()


def test_the_frame() -> None:
    found = compiled("{podSelector: {matchLabels: {app: a}}}")
    assert found.id == PolicyId("NetworkPolicy", "x", "p")
    assert found.tier == "networkpolicy"
    assert found.order == ()
    assert found.mode is Mode.ENFORCED
    assert found.opaque is None
    assert found.subjects == (PodsMatch(namespace="x", pods=LabelSelector.of({"app": "a"})),)


def test_rules_are_counted_as_written_per_direction() -> None:
    found = compiled("{ingress: [{}, {}], egress: [{}, {}, {}]}")
    assert [(r.direction, r.index) for r in found.rules] == [
        *((IN, 1), (IN, 2)),
        *((OUT, 1), (OUT, 2), (OUT, 3)),
    ]
    assert {r.action for r in found.rules} == {Action.ALLOW}


class TestPeers:
    """Whom one item of `from` or `to` matches."""

    @pytest.mark.parametrize("text", ["{}", "null", "{from: []}", "{from: null}"])
    def test_no_items_are_everybody(self, text: str) -> None:
        assert only_peer(f"{{ingress: [{text}]}}") == AnyMatch()

    def test_a_pod_selector_alone_stays_at_home(self) -> None:
        assert only_peer(peer("{podSelector: {}}")) == PodsMatch(namespace="x")
        assert only_peer(peer("{podSelector: {matchLabels: {a: b}}}")) == PodsMatch(
            namespace="x", pods=LabelSelector.of({"a": "b"})
        )

    def test_a_namespace_selector_alone_takes_every_pod(self) -> None:
        assert only_peer(peer("{namespaceSelector: {}}")) == PodsMatch()
        assert only_peer(peer("{namespaceSelector: {matchLabels: {a: b}}}")) == PodsMatch(
            namespaces=LabelSelector.of({"a": "b"})
        )

    def test_null_is_absent_and_empty_is_not(self) -> None:
        one = only_peer(peer("{podSelector: {}, namespaceSelector: null}"))
        two = only_peer(peer("{podSelector: null, namespaceSelector: {}}"))
        assert one == PodsMatch(namespace="x")
        assert two == PodsMatch()

    def test_both_selectors_must_match(self) -> None:
        text = "{namespaceSelector: {matchLabels: {team: m}}, podSelector: {matchLabels: {a: b}}}"
        assert only_peer(peer(text)) == PodsMatch(
            namespaces=LabelSelector.of({"team": "m"}), pods=LabelSelector.of({"a": "b"})
        )

    def test_two_items_are_two_peers(self) -> None:
        (rule,) = compiled(peer("{podSelector: {}}, {namespaceSelector: {}}")).rules
        assert [p.match for p in rule.peers] == [PodsMatch(namespace="x"), PodsMatch()]

    def test_a_block_without_its_holes(self) -> None:
        match = only_peer(block("10.0.0.0/8", "10.1.0.0/16", "10.2.0.0/16"))
        left = AddressSet.block("10.0.0.0/8") - AddressSet.block("10.1.0.0/16")
        assert match == BlockMatch(
            left - AddressSet.block("10.2.0.0/16"), "10.0.0.0/8", ("10.1.0.0/16", "10.2.0.0/16")
        )

    @pytest.mark.parametrize("text", ["10.9.9.9/8", "010.0.0.0/8", "::ffff:10.0.0.0/104"])
    def test_sloppy_blocks_mean_what_the_server_takes_them_for(self, text: str) -> None:
        match = only_peer(block(text))
        assert isinstance(match, BlockMatch)
        assert match.addresses == AddressSet.block("10.0.0.0/8")
        assert match.cidr == text

    def test_expressions_and_labels_are_one_selector(self) -> None:
        text = (
            "{podSelector: {matchLabels: {a: b}, matchExpressions: "
            "[{key: t, operator: NotIn, values: [y1, x1]}, {key: a, operator: Exists}]}}"
        )
        match = only_peer(peer(text))
        assert isinstance(match, PodsMatch)
        assert str(match.pods) == "a,a=b,t notin (x1,y1)"


class TestPorts:
    """What `ports` lets through."""

    @pytest.mark.parametrize("text", ["{}", "{ports: []}", "{ports: null}"])
    def test_no_entries_are_all_traffic(self, text: str) -> None:
        assert only_traffic(f"{{ingress: [{text}]}}") == L4_TRAFFIC
        assert L4_TRAFFIC.must == L4

    @pytest.mark.parametrize(
        ("text", "traffic"),
        [
            ("{}", "TCP"),
            ("null", "TCP"),
            ("{port: 53}", "TCP/53"),
            ("{protocol: UDP}", "UDP"),
            ("{protocol: null, port: 80}", "TCP/80"),
            ("{port: 8000, endPort: 8100}", "TCP/8000-8100"),
            ("{port: 80, endPort: 80}", "TCP/80"),
            ("{protocol: UDP, port: 8000, endPort: 8100}", "UDP/8000-8100"),
            ("{protocol: SCTP, port: 80}", "SCTP/80"),
            ("{port: 80}, {port: 443}, {protocol: UDP, port: 53}", "TCP/80,443, UDP/53"),
        ],
    )
    def test_numbers(self, text: str, traffic: str) -> None:
        found = only_traffic(port(text))
        assert str(found.must) == traffic
        assert not found.may
        assert found.named == ()

    def test_names_keep_their_protocol(self) -> None:
        found = only_traffic(
            port("{port: dns, protocol: UDP}, {port: http}, {port: 80}, {port: http}")
        )
        assert found.named == (NamedPort("dns", "UDP"), NamedPort("http", "TCP"))
        assert found.must == TrafficSet.ports("TCP", 80)

    def test_end_port_is_ignored_by_those_who_do_not_know_it(self) -> None:
        old = replace(GENERIC, end_port=False)
        assert str(only_traffic(port("{port: 8000, endPort: 8100}"), old).must) == "TCP/8000"


def test_spans_lead_back_to_the_text() -> None:
    found = compiled("{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}")
    (rule,) = found.rules
    assert found.span == Span("test.yaml", 1, 1)
    for span in (found.subject_span, rule.span, rule.peers[0].span):
        assert span is not None
        assert span > found.span


def test_a_policy_built_by_hand_compiles() -> None:
    rule = model.NetworkPolicyRule(ports=(model.NetworkPolicyPort(port=80),))
    found = compile_policy(model.NetworkPolicy("x", "p", ingress=(rule,)), GENERIC)
    assert found.span is None
    assert found.rules[0].traffic.must == TrafficSet.ports("TCP", 80)


def test_what_validation_refuses_is_the_callers_mistake() -> None:
    rule = model.NetworkPolicyRule(peers=(model.NetworkPolicyPeer(),))
    with pytest.raises(ValueError, match="without any field"):
        compile_policy(model.NetworkPolicy("x", "p", ingress=(rule,)), GENERIC)
