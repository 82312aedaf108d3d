"""Relations on policies small enough to check by hand."""

from typing import Any

import pytest

import cloison
from cloison.algebra import ANY, LabelSelector, TrafficSet
from cloison.analyses.relate import (
    Overlap,
    Part,
    Related,
    Relation,
    Uncaptured,
    relate_one,
    relate_two,
    union_of,
)
from cloison.base import Span
from cloison.engine import Engine, Networks
from cloison.ir.fidelity import Verdict
from cloison.ir.peers import AnyMatch, PodsMatch
from cloison.ir.policy import (
    EVERY_TRAFFIC,
    Action,
    Combine,
    Direction,
    LayerSpec,
    Peer,
    Policy,
    PolicyId,
    PolicySet,
    Rule,
    TierSpec,
    TrafficMatch,
)
from cloison.ir.profile import Profile

Manifest = dict[str, Any]


def pod(name: str, *, host: bool = False, home: str = "x", **labels: str) -> Manifest:
    meta = {"name": name, "namespace": home, "labels": {"app": name, **labels}}
    spec = {"containers": [{"name": "c", "image": "i"}], "hostNetwork": host}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def policy(name: str, app: str | None, *peers: tuple[str | None, int | None]) -> Manifest:
    """A policy that lets some apps in; None is everybody, or every port."""
    ingress = []
    for peer, port in peers:
        rule: Manifest = {}
        if peer is not None:
            rule["from"] = [{"podSelector": {"matchLabels": {"app": peer}}}]
        if port is not None:
            rule["ports"] = [{"port": port}]
        ingress.append(rule)
    labels = {"matchLabels": {"app": app}} if app else {}
    spec = {"podSelector": labels, "policyTypes": ["Ingress"], "ingress": ingress}
    meta = {"name": name, "namespace": "x"}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": meta,
        "spec": spec,
    }


PODS = (pod("a"), pod("b"), pod("c"))


def load(*objects: Manifest, **said: Any) -> cloison.Session:
    return cloison.load_objects(objects, **said)


def names(found: Related) -> list[str]:
    return [each.text for each in found.found if isinstance(each, Part)]


def test_the_same_in_other_words_is_equivalent() -> None:
    one = load(*PODS, policy("p", "a", ("b", 80), ("c", 80)))
    other = load(policy("q", "a", ("b", 80)), policy("r", "a", ("c", 80)), policy("s", "a"))
    found = one.relate("equivalent", other)
    assert (found.holds, found.flow, found.found, found.reason) == (True, None, (), None)
    assert found.caveats[0].id == "NON_L4"


def test_a_witness_names_everything_that_differs_between_two_ends() -> None:
    one = load(*PODS, policy("p", "a", ("b", 80), ("b", 81)))
    other = load(*PODS, policy("p", "a", ("b", 81)))
    for relation in ("equivalent", "contained"):
        found = one.relate(relation, other)
        assert found.holds is False
        flow = found.flow
        assert flow is not None
        assert (str(flow.src), str(flow.dst), str(flow.traffic)) == ("x/b", "x/a", "TCP/80")
        assert (flow.first.verdict, flow.second.verdict) == (Verdict.ALLOWED, Verdict.DENIED)
        assert "NetworkPolicy x/p" not in str(flow)
        assert [d.rule for d in flow.first.decided_by if d.policy] == [1]
    assert other.relate("contained", one).holds is True


def test_a_spec_is_what_its_rules_name() -> None:
    spec = load(policy("needs", "a", ("b", 80)))
    closed = load(*PODS, policy("deny", "a"))
    opened = load(*PODS)
    assert spec.relate("permits", closed).holds is False
    assert spec.relate("permits", opened).holds is True
    assert spec.relate("forbids", closed).holds is True
    found = spec.relate("forbids", opened)
    assert found.holds is False
    assert found.flow is not None
    assert (found.flow.first.named, found.flow.second.named) == (True, None)
    # What is open towards `c` by default in the spec is not its business.
    assert spec.relate("permits", load(*PODS, policy("c", "c"))).holds is True
    # Without rules nothing is named, and everything is permitted of it, and forbidden.
    nothing = load(policy("deny", "a"))
    assert nothing.relate("permits", closed).holds is True
    assert nothing.relate("forbids", opened).holds is True


def test_what_only_one_side_names_interferes() -> None:
    one = load(*PODS, policy("p", "a", ("b", 80)))
    wider = load(policy("p", "a", ("b", None)))
    assert one.relate("interferes", wider).holds is False
    found = wider.relate("interferes", one)
    assert found.holds is True
    assert found.flow is not None
    assert (found.flow.first.named, found.flow.second.named) == (True, False)
    # Open by default is not named.
    assert one.relate("interferes", load(*PODS)).holds is True


def test_each_that_could_go_is_named_with_its_place() -> None:
    session = load(
        *PODS,
        policy("deny", None),
        policy("p", "a", ("b", None), ("b", 80), ("nobody", 80)),
        policy("twin", "b", ("c", 1)),
        policy("twin-too", "b", ("c", 1)),
    )
    found = session.relate("redundant")
    assert found.holds is True
    assert names(found) == [
        "x/p ingress rule 2",
        "x/p ingress rule 3",
        "x/twin",
        "x/twin ingress rule 1",
        "x/twin-too",
        "x/twin-too ingress rule 1",
    ]
    assert all(isinstance(each, Part) and each.span for each in found.found)
    kept = load(*PODS, policy("p", "a", ("b", 80)), policy("deny", None))
    assert kept.relate("redundant").holds is False


def test_a_rule_that_the_other_end_stops_could_go() -> None:
    out = policy("out", "b")
    out["spec"] = {"podSelector": {"matchLabels": {"app": "b"}}, "policyTypes": ["Egress"]}
    session = load(*PODS, out, policy("p", "a", ("b", 80), ("c", 80)))
    assert names(session.relate("redundant")) == ["x/p ingress rule 1"]


def test_what_is_about_nobody_is_empty() -> None:
    session = load(*PODS, policy("typo", "z", ("a", 80)), policy("p", "a", ("z", 80), ("b", 80)))
    found = session.relate("empty")
    assert found.holds is True
    assert names(found) == ["x/p ingress rule 1", "x/typo", "x/typo ingress rule 1"]
    assert load(*PODS, policy("p", "a", ("b", 80))).relate("empty").holds is False


def test_policies_that_share_a_workload_are_not_disjoint() -> None:
    session = load(*PODS, policy("one", "a"), policy("two", "b"), policy("all", None))
    found = session.relate("disjoint")
    assert found.holds is False
    pairs = [
        (e.first.text, e.second.text, str(e.workload))
        for e in found.found
        if isinstance(e, Overlap)
    ]
    assert pairs == [("x/all", "x/one", "x/a"), ("x/all", "x/two", "x/b")]
    assert load(*PODS, policy("one", "a"), policy("two", "b")).relate("disjoint").holds is True


def test_workloads_no_policy_selects_are_named() -> None:
    session = load(*PODS, pod("h", host=True), policy("one", "a"), policy("two", "b"))
    found = session.relate("all-captured")
    assert found.holds is False
    left = [(str(e.workload), e.host_network) for e in found.found if isinstance(e, Uncaptured)]
    assert left == [("x/c", False), ("x/h", True)]
    assert load(*PODS, policy("all", None)).relate("all-captured").holds is True


def test_what_nobody_understands_leaves_it_open() -> None:
    unknown = {
        "apiVersion": "crd.antrea.io/v1beta1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "u", "namespace": "x"},
        "spec": {"appliedTo": [{"podSelector": {"matchLabels": {"app": "a"}}}]},
    }
    one, other = load(*PODS, unknown), load(*PODS)
    found = one.relate("equivalent", other)
    assert found.holds is None
    assert found.reason is not None
    assert found.flow is not None
    assert Verdict.UNDETERMINED in (found.flow.first.verdict, found.flow.second.verdict)
    # The same that nobody understands is the same.
    assert one.relate("equivalent", one).holds is True
    assert one.relate("all-captured").holds is None
    # One that certainly fails fails, whatever the unknown does.
    elsewhere = policy("p", "d")
    elsewhere["metadata"]["namespace"] = "y"
    more = pod("d", home="y"), pod("e", home="y")
    sure = load(*PODS, *more, unknown, elsewhere)
    assert sure.relate("equivalent", other).holds is False
    assert sure.relate("all-captured").holds is False


def test_nobody_to_ask_about_is_no_answer() -> None:
    alone = load(policy("p", "a"))
    for relation in Relation:
        found = alone.relate(relation, alone if relation.of_two else None)
        assert found.holds is None
        assert "no workload was read" in (found.reason or "")
    assert load(*PODS, profile="flannel").relate("disjoint").holds is None


@pytest.mark.parametrize(
    ("relation", "others", "says"),
    [
        ("equals", 1, "is not a relation"),
        ("equivalent", 0, "is about two sources"),
        ("redundant", 1, "is about one source"),
    ],
)
def test_questions_that_make_no_sense(relation: str, others: int, says: str) -> None:
    session = load(*PODS)
    with pytest.raises(cloison.QuestionError, match=says):
        session.relate(relation, *[session] * others)


def test_two_profiles_are_asked_about() -> None:
    one, other = load(*PODS, profile="calico@3.32"), load(*PODS, profile="antrea")
    with pytest.raises(cloison.QuestionError, match="one source is judged"):
        one.relate("equivalent", other)
    assert one.relate("equivalent", load(*PODS)).holds is True


def test_the_union_takes_the_second_and_says_so() -> None:
    one = load(pod("a", tier="old"), pod("b"))
    other = load(pod("a", tier="new"), pod("c"), {**_namespace("x", team="red")})
    world, differing = union_of(one.world, other.world)
    assert [str(w) for w in world.workloads] == ["x/a", "x/b", "x/c"]
    (endpoint,) = next(iter(world.workloads.values())).endpoints
    assert endpoint.labels["tier"] == "new"
    assert differing == ("Pod x/a",)
    back, again = union_of(other.world, one.world)
    assert again == differing
    # Declared in one and only mentioned in the other: nothing differs.
    assert back.namespaces["x"].labels["team"] == "red"
    assert union_of(one.world, one.world) == (one.world, ())


def test_the_union_keeps_what_leads_traffic() -> None:
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "spec": {}}
    names = [{**kind, "metadata": {"name": name, "namespace": "x"}} for name in ("a", "b", "c")]
    world, differing = union_of(load(*names[:2]).world, load(*names[1:]).world)
    found = [each.name for each in world.declared["networking.k8s.io", "Ingress"]]
    assert (found, differing) == (["a", "b", "c"], ())


def _namespace(name: str, **labels: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


# ------------------------------------------------------------------ tiers, said in the IR


HERE = Span("here.yaml", 1)
HTTP = TrafficMatch(TrafficSet.ports("TCP", 80))


def _app(name: str) -> PodsMatch:
    return PodsMatch("x", pods=LabelSelector.of({"app": name}))


def _rule(action: Action, index: int, traffic: TrafficMatch = EVERY_TRAFFIC) -> Rule:
    return Rule(Direction.INGRESS, action, (Peer(AnyMatch()),), traffic, index, HERE)


def _policy(name: str, tier: str, order: float, *rules: Rule, isolates: bool = True) -> Policy:
    ends = frozenset({Direction.INGRESS} if isolates else ())
    return Policy(PolicyId("P", "x", name), (_app("a"),), ends, rules, tier, (order,), span=HERE)


def _tiers(*policies: Policy, end: Action | None = Action.DENY) -> PolicySet:
    layer = LayerSpec(
        "cni",
        (TierSpec("admin", (Combine.FIRST_MATCH,)), TierSpec("team", (Combine.FIRST_MATCH,), end)),
    )
    return PolicySet(policies, (layer,))


def _redundant(known: PolicySet) -> list[str]:
    profile = Profile("tiers", "tiers", known.layers, "made up")
    return names(relate_one(Relation.REDUNDANT, Engine(load(*PODS).world, known, profile)))


def _holds(relation: Relation, one: PolicySet, other: PolicySet) -> bool | None:
    profile = Profile("tiers", "tiers", one.layers, "made up")
    world = load(*PODS).world
    return relate_two(relation, world, (one, other), profile, Networks()).holds


def test_a_rule_behind_a_decision_could_go() -> None:
    deny, allow = _rule(Action.DENY, 1, HTTP), _rule(Action.ALLOW, 1, HTTP)
    first = _policy("first", "admin", 1, deny, isolates=False)
    second = _policy("second", "team", 1, allow, _rule(Action.ALLOW, 2))
    # Nothing is denied by default, so all of it could go as well.
    assert _redundant(_tiers(first, second)) == ["x/second", "x/second ingress rule 1"]


def test_a_pass_that_keeps_a_later_deny_away_may_not_go() -> None:
    passing = _policy("pass", "admin", 1, _rule(Action.PASS, 1, HTTP), isolates=False)
    denying = _policy("deny", "admin", 2, _rule(Action.DENY, 1), isolates=False)
    team = _policy("team", "team", 1, _rule(Action.ALLOW, 1))
    assert _redundant(_tiers(passing, denying, team)) == ["x/team"]
    # Nothing comes after it in its tier: the pass says what would happen anyway.
    assert _redundant(_tiers(passing, team, end=None)) == [
        "x/pass",
        "x/pass ingress rule 1",
        "x/team",
        "x/team ingress rule 1",
    ]


def test_the_end_of_a_tier_names_nothing() -> None:
    open_end = _tiers(_policy("p", "team", 1), end=Action.ALLOW)
    ruled = _tiers(_policy("p", "team", 1, _rule(Action.ALLOW, 1)), end=Action.ALLOW)
    assert _holds(Relation.EQUIVALENT, open_end, ruled) is True
    assert _holds(Relation.INTERFERES, ruled, open_end) is True
    assert _holds(Relation.INTERFERES, open_end, ruled) is False


def test_order_matters_and_what_is_in_no_order_is_in_doubt() -> None:
    allow, deny = _rule(Action.ALLOW, 1), _rule(Action.DENY, 1, HTTP)
    one = _tiers(_policy("a", "team", 1, deny), _policy("b", "team", 2, allow))
    other = _tiers(_policy("a", "team", 2, deny), _policy("b", "team", 1, allow))
    tied = _tiers(_policy("a", "team", 1, deny), _policy("b", "team", 1, allow))
    assert _holds(Relation.EQUIVALENT, one, other) is False
    assert _holds(Relation.CONTAINED, one, other) is True
    assert _holds(Relation.EQUIVALENT, one, tied) is None
    assert _holds(Relation.CONTAINED, one, tied) is True
    assert _holds(Relation.EQUIVALENT, tied, tied) is True


def test_every_protocol_counts_where_policies_speak_of_it() -> None:
    icmp = TrafficMatch(TrafficSet.icmp())
    one = _tiers(_policy("p", "team", 1, _rule(Action.ALLOW, 1)))
    other = _tiers(_policy("p", "team", 1, _rule(Action.ALLOW, 1, TrafficMatch(ANY - icmp.must))))
    assert _holds(Relation.EQUIVALENT, one, other) is False


def test_logging_is_not_there_to_permit() -> None:
    log = _rule(Action.LOG, 1)
    assert _redundant(_tiers(_policy("p", "team", 1, log, _rule(Action.ALLOW, 2, HTTP)))) == []


def by_block(*blocks: str, holes: tuple[str, ...] = (), app: str = "a") -> Manifest:
    """A policy that lets addresses in."""
    made = policy("p", app)
    rules = [{"ipBlock": {"cidr": block, "except": list(holes)}} for block in blocks]
    made["spec"]["ingress"] = [{"from": rules}]
    return made


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (by_block("0.0.0.0/0"), by_block("0.0.0.0/1", "128.0.0.0/1")),
        (by_block("::/0"), by_block("::/1", "8000::/1")),
        (
            by_block("10.0.0.0/8", holes=("10.0.0.0/10",)),
            by_block("10.64.0.0/10", "10.128.0.0/9"),
        ),
        (by_block("0.0.0.0/0", holes=("128.0.0.0/1",)), by_block("0.0.0.0/1")),
    ],
)
def test_how_blocks_are_cut_is_no_difference_to_pods_without_addresses(
    one: Manifest, other: Manifest
) -> None:
    for ours, theirs in ((one, other), (other, one)):
        first, second = load(*PODS, ours), load(*PODS, theirs)
        for relation in ("equivalent", "contained", "permits"):
            found = first.relate(relation, second)
            assert (found.holds, found.flow) == (True, None)
            said = [caveat.id for caveat in found.caveats]
            assert "EVERY_PLACEMENT" in said
            assert "POD_ADDRESS_UNKNOWN" not in said
        assert first.relate("interferes", second).holds is False


def test_a_placement_that_differs_is_named() -> None:
    beyond = by_block("10.0.0.0/8")
    beyond["spec"]["ingress"][0]["from"].append({"podSelector": {}})
    found = load(*PODS, beyond).relate("contained", load(*PODS, by_block("10.0.0.0/8")))
    assert found.holds is False
    flow = found.flow
    assert flow is not None
    assert (str(flow.src), str(flow.dst), flow.if_dst) == ("x/b", "x/a", None)
    assert str(flow.if_src) == "0.0.0.0-9.255.255.255"
    # All pods are inside, so they are let in either way.
    cluster = {"pod_cidrs": ("10.1.0.0/16",)}
    one, other = load(*PODS, beyond, **cluster), load(*PODS, by_block("10.0.0.0/8"), **cluster)
    assert one.relate("equivalent", other).holds is True
    assert [p.rule for p in one.relate("redundant").found if isinstance(p, Part)] == []


def test_a_witness_whose_address_does_not_count_has_no_place() -> None:
    found = load(*PODS, by_block("10.0.0.0/8")).relate("equivalent", load(*PODS))
    assert found.holds is False
    assert found.flow is not None
    one = load(*PODS, by_block("10.0.0.0/8"), policy("q", "b", ("c", 80)))
    other = load(*PODS, by_block("10.0.0.0/9", "10.128.0.0/9"), policy("q", "b", ("c", 81)))
    flow = one.relate("equivalent", other).flow
    assert flow is not None
    assert (str(flow.src), str(flow.dst)) == ("x/c", "x/b")
    assert (flow.if_src, flow.if_dst) == (None, None)


def test_a_rule_whose_blocks_others_cover_could_go() -> None:
    made = by_block("10.0.0.0/9")
    for cidr in ("10.128.0.0/9", "10.0.0.0/8"):
        made["spec"]["ingress"].append({"from": [{"ipBlock": {"cidr": cidr}}]})
    session = load(*PODS, made)
    found = session.relate("redundant")
    assert names(found) == [f"x/p ingress rule {n}" for n in (1, 2, 3)]
    assert all(part.sure for part in found.found if isinstance(part, Part))
    assert "EVERY_PLACEMENT" in [caveat.id for caveat in found.caveats]
    # Whom policies select is no matter of addresses.
    said = [caveat.id for caveat in session.relate("all-captured").caveats]
    assert not {"EVERY_PLACEMENT", "POD_ADDRESS_UNKNOWN"} & set(said)


def test_one_address_is_one_pods_at_a_time() -> None:
    def closed(block: str) -> list[Manifest]:
        out = policy("out", "b")
        egress = [{"to": [{"ipBlock": {"cidr": block}}]}]
        out["spec"] |= {"policyTypes": ["Egress"], "ingress": [], "egress": egress}
        return [by_block(block), out]

    asked = load(*PODS, policy("p", "a", ("b", 80)))
    # Only if both were at that address could the one talk to the other.
    assert asked.relate("forbids", load(*closed("10.0.0.1/32"))).holds is True
    found = asked.relate("forbids", load(*closed("10.0.0.0/31")))
    assert found.holds is False
    assert found.flow is not None
    assert str(found.flow.if_src) == str(found.flow.if_dst) == "10.0.0.0/31"
