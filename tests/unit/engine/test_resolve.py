"""What enforcement points are told: policies with addresses in place of selectors."""

from dataclasses import replace

import yaml

from cloison.algebra import (
    ANY,
    EVERY_ADDRESS,
    L4,
    AddressSet,
    RequestSet,
    StringSet,
    TrafficSet,
)
from cloison.app import Session, load_objects
from cloison.engine import Engine
from cloison.engine.resolve import builtin_key, end_key, resolve, rule_key
from cloison.ir.enforcement import EnforcedRule, Enforcement, Ruleset
from cloison.ir.peers import (
    AllOf,
    AnyMatch,
    AnyOf,
    NodesMatch,
    PeerMatch,
    PodsMatch,
    Relative,
    RelativeMatch,
)
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
)
from tests.oracle.raw import Manifest
from tests.support.lab import node, pod, policy, session

A, A6, B, C = "10.0.0.1", "fd01::1", "10.0.0.3", "10.0.1.1"
N1, N2 = "192.168.0.1", "192.168.0.2"
WORLD = (
    node("n1", N1),
    node("n2", N2),
    pod("a", A, A6, ports={8080: "http"}),
    pod("b", B, ports={8081: "http"}),
    pod("c", C, node="n2"),
)
INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS


def addresses(*texts: str) -> AddressSet:
    """Return addresses, blocks among them."""
    return AddressSet(span for text in texts for span in AddressSet.block(text).spans)


def pods(name: str) -> Manifest:
    """Return a peer: pods of the same namespace, by their label."""
    return {"podSelector": {"matchLabels": {"app": name}}}


def block(cidr: str, *holes: str) -> Manifest:
    """Return a peer: a block."""
    return {"ipBlock": {"cidr": cidr} | ({"except": list(holes)} if holes else {})}


def told(of: Session, address: str, direction: Direction = INGRESS) -> Enforcement:
    """Return what is asked of an address in one direction."""
    (found,) = _all(resolve(of.engine), address, direction)
    return found


def _all(ruleset: Ruleset, address: str, direction: Direction) -> list[Enforcement]:
    return [
        each
        for each in ruleset.enforcements
        if each.direction is direction and addresses(address) <= each.subjects
    ]


def rules(enforcement: Enforcement) -> list[EnforcedRule]:
    """Return the rules of every tier, in order."""
    return [
        rule
        for layer in enforcement.layers
        for tier in layer.tiers
        for band in tier.bands
        for each in band.policies
        for rule in each.rules
    ]


def sure(enforcement: Enforcement) -> list[tuple[AddressSet, TrafficSet]]:
    """Return whom the rules certainly match, and what."""
    return [(rule.peers, rule.traffic) for rule in rules(enforcement) if rule.doubt is None]


def ingress(*peers: Manifest, ports: list[Manifest] | None = None) -> list[Manifest]:
    """Return one ingress rule."""
    return [{"from": list(peers)} | ({"ports": ports} if ports else {})]


def test_selectors_become_addresses() -> None:
    of = session(*WORLD, policy("p", "a", ingress=ingress(pods("b"), pods("c"))))
    found = told(of, A)
    assert found.subjects == addresses(A, A6)
    assert sure(found) == [(addresses(B, C), L4)]
    assert rules(found)[0].key == rule_key(PolicyId("NetworkPolicy", "web", "p"), INGRESS, 1)
    assert not found.on_host


def test_who_is_governed_alike_is_told_together() -> None:
    of = session(*WORLD, policy("p", "a"), policy("q", "b"), policy("r", "c"))
    everybody = {"podSelector": {}, "policyTypes": ["Ingress"]}
    one = load_objects(
        [*WORLD, policy("p", "a") | {"spec": everybody}],
        profile="generic",
    )
    assert len(resolve(of.engine).enforcements) == 3
    (found,) = resolve(one.engine).enforcements
    assert found.subjects == addresses(A, A6, B, C)


def test_an_end_is_met_because_policies_isolate() -> None:
    of = session(*WORLD, policy("p", "a"), policy("q", "a", ingress=ingress(pods("b"))))
    (tier,) = told(of, A).layers[0].tiers
    assert [each.name for each in tier.isolating] == ["p", "q"]
    assert (tier.end, tier.scope, tier.returned) == (Action.DENY, L4, Action.ALLOW)
    assert tier.key == end_key("networkpolicy", INGRESS)
    (band,) = tier.bands
    assert [each.id.name for each in band.policies] == ["q"]


def test_who_no_policy_is_about_is_told_nothing() -> None:
    of = session(*WORLD, policy("p", "a"))
    found = resolve(of.engine)
    assert _all(found, B, INGRESS) == []
    assert _all(found, A, EGRESS) == []


def test_port_names_are_the_subjects_own() -> None:
    both = policy("p", "a", ingress=ingress(pods("c"), ports=[{"port": "http"}]))
    both["spec"]["podSelector"] = {}
    of = session(*WORLD, both)
    assert sure(told(of, A)) == [(addresses(C), TrafficSet.ports("TCP", 8080))]
    assert sure(told(of, B)) == [(addresses(C), TrafficSet.ports("TCP", 8081))]
    assert sure(told(of, C)) == []


def test_port_names_mean_something_towards_some_peers_only() -> None:
    spec = {"to": [pods("a"), pods("b"), pods("c")], "ports": [{"port": "http"}]}
    of = session(*WORLD, policy("p", "c", policyTypes=["Egress"], egress=[spec]))
    assert sure(told(of, C, EGRESS)) == [
        (addresses(A, A6), TrafficSet.ports("TCP", 8080)),
        (addresses(B), TrafficSet.ports("TCP", 8081)),
    ]


def test_blocks_are_addresses_and_the_pods_in_them() -> None:
    peers = block("10.0.0.0/8", "10.0.1.0/24")
    of = session(*WORLD, policy("p", "a", ingress=ingress(peers)))
    assert sure(told(of, A)) == [(addresses("10.0.0.0/8") - addresses("10.0.1.0/24"), L4)]


def test_blocks_match_no_pods_where_they_do_not() -> None:
    spec = policy("p", "a", ingress=ingress(block("10.0.0.0/8")))
    of = load_objects([*WORLD, spec], profile="cilium@1.20")
    assert sure(told(of, A)) == [(addresses("10.0.0.0/8") - addresses(A, B, C), ANY)]


def test_everybody_is_every_address() -> None:
    of = session(*WORLD, policy("p", "a", ingress=[{}]))
    assert sure(told(of, A)) == [(EVERY_ADDRESS, L4)]


def test_the_own_node_and_oneself_come_first() -> None:
    of = session(*WORLD, policy("p", "a"))
    own, itself = told(of, A).layers[0].builtin
    assert (own.key, own.action) == (builtin_key("cni", INGRESS, 1), Action.ALLOW)
    assert own.relations == {Relative.OWN_NODE}
    assert itself.relations == {Relative.SELF}
    assert not own.peers


def test_pods_on_their_nodes_network_are_the_node() -> None:
    hosted = pod("h", N1)
    hosted["spec"]["hostNetwork"] = True
    everybody = policy("p", "a", ingress=ingress({"podSelector": {}}))
    everybody["spec"]["podSelector"] = {}
    of = session(*WORLD, hosted, everybody)
    (found,) = (e for e in resolve(of.engine).enforcements)
    assert found.subjects == addresses(A, A6, B, C)
    assert sure(found) == [(addresses(A, A6, B, C), L4)]


def test_what_the_api_does_not_say_is_in_doubt() -> None:
    spec = policy("p", "a", ingress=ingress(pods("b")))
    _, doubtful = rules(told(session(*WORLD, spec), A))
    assert doubtful.doubt == "whether the rule means this traffic is not defined"
    assert doubtful.traffic == ANY - L4
    (only,) = rules(told(load_objects([*WORLD, spec], profile="calico"), A))
    assert only.traffic == ANY


def test_what_a_policy_keeps_closed_besides_is_let_through() -> None:
    """Some enforcers keep the later tier out of both directions of whom a policy isolates."""
    spec = policy("p", "a", policyTypes=["Egress"])
    of = load_objects([*WORLD, spec], profile="aws-vpc-cni")
    (tier,) = told(of, A).layers[0].tiers
    assert (tier.end, tier.scope, tier.bands) == (Action.ALLOW, ANY, ())


def test_connections_outlive_policies_or_do_not() -> None:
    of = load_objects([*WORLD, policy("p", "a")], profile="calico")
    assert resolve(of.engine).keeps_connections
    cut = replace(of, profile=replace(of.profile, keeps_connections=False))
    assert not resolve(cut.engine).keeps_connections


def test_an_address_of_two_pods_is_said_to_be_unclear() -> None:
    of = session(*WORLD, pod("d", A), policy("p", "a"), policy("q", "d"))
    found = resolve(of.engine)
    assert (addresses(A), "several ends have this address") in found.unclear
    assert len(_all(found, A, INGRESS)) == 1


def _objects(text: str) -> list[Manifest]:
    return [each for each in yaml.safe_load_all(text) if each]


UNREAD = """
apiVersion: crd.antrea.io/v1beta1
kind: NetworkPolicy
metadata: {name: x, namespace: web}
spec: {appliedTo: []}
"""


def test_policies_that_nobody_understood_leave_their_subjects_open() -> None:
    of = session(*WORLD, *_objects(UNREAD))
    ((where, why),) = {(a, r) for a, r in resolve(of.engine).unclear}
    assert where == addresses(A, A6, B, C)
    assert "web/x" in why


ADMIN = """
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: first}
spec:
  tier: Admin
  priority: 10
  subject: {namespaces: {}}
  egress:
  - {action: Accept, to: [{domainNames: [gone.example.com, known.example.com]}]}
  - {action: Pass, to: [{networks: [10.0.0.0/24]}]}
  - {action: Deny, to: [{networks: [0.0.0.0/0]}]}
"""


def test_names_are_the_addresses_that_are_known() -> None:
    names = {"known.example.com": ["198.51.100.7"]}
    of = load_objects([*WORLD, *_objects(ADMIN)], profile="generic", names=names)
    known, other, passing, denying = rules(told(of, A, EGRESS))
    assert known.peers == addresses("198.51.100.7")
    assert other.doubt == "not all addresses of gone.example.com, known.example.com are known"
    assert not addresses("198.51.100.7", A) & other.peers
    assert (passing.action, denying.action) == (Action.PASS, Action.DENY)
    assert [r.key[-1] for r in (known, other, passing, denying)] == ["1", "1", "2", "3"]
    (tier,) = told(of, A, EGRESS).layers[0].tiers
    assert (tier.name, tier.end) == ("admin", None)


HANDED_BACK = """
apiVersion: projectcalico.org/v3
kind: FelixConfiguration
metadata: {name: default}
spec: {defaultEndpointToHostAction: Return}
"""


def test_conditions_are_not_for_filters() -> None:
    of = load_objects([*WORLD, *_objects(HANDED_BACK)], profile="calico")
    (rule,) = rules(told(of, A, EGRESS))
    assert (rule.action, rule.doubt) == (Action.DENY, "the host's own rules drop it")
    assert rule.relations == {Relative.OWN_NODE}


ASKING = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: p, namespace: web}
spec:
  endpointSelector: {}
  ingress:
  - toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{method: GET}]}}]
  - toPorts: [{ports: [{port: '443', protocol: TCP}], serverNames: [a.x]}]
"""


def test_what_is_asked_of_http_is_for_a_proxy_and_what_is_asked_of_tls_for_nobody() -> None:
    of = load_objects([*WORLD, *_objects(ASKING)], profile="cilium")
    found = [rule for rule in rules(told(of, A)) if rule.traffic != ANY]
    get = RequestSet.http(StringSet.of("GET"))
    asked = [(r.request and r.request.requests().must, r.doubt) for r in found]
    assert asked == [(get, None), (None, "TLS for a.x")]


HOSTS = """
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: n1, labels: {role: node}}
spec: {node: n1, interfaceName: "*", expectedIPs: [192.168.0.1]}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: nodes}
spec:
  selector: role == 'node'
  types: [Ingress]
  ingress:
  - {action: Allow, protocol: TCP, source: {nets: [198.51.100.0/24], ports: [1000]}}
  - {action: Log}
"""


def test_nodes_are_subjects_where_policies_name_them() -> None:
    of = load_objects([*WORLD, *_objects(HOSTS)], profile="calico")
    found = told(of, N1)
    assert found.on_host
    assert found.subjects == addresses(N1)
    mine = [r for r in rules(found) if r.key.startswith("GlobalNetworkPolicy nodes ")]
    assert [(r.action, r.sources, r.doubt is None) for r in mine] == [
        (Action.ALLOW, TrafficSet.ports("TCP", 1000), True),
        (Action.LOG, None, True),
    ]
    own = next(r for r in rules(found) if Relative.OWN_POD in r.relations)
    assert own.action is Action.ALLOW
    assert _all(resolve(of.engine), N2, INGRESS) == []


UNTRACKED = """
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: early}
spec:
  selector: role == 'node'
  types: [Ingress]
  doNotTrack: true
  applyOnForward: true
  ingress: [{action: Allow, protocol: UDP, destination: {ports: [53]}}]
"""


def test_rules_say_what_is_not_tracked() -> None:
    eth0 = _objects(HOSTS.replace('"*"', "eth0"))
    of = load_objects([*WORLD, *eth0, *_objects(UNTRACKED)], profile="calico")
    tracked = {r.key: r.tracked for r in rules(told(of, N1))}
    assert tracked["GlobalNetworkPolicy early ingress 1"] is False
    assert tracked["GlobalNetworkPolicy nodes ingress 1"] is True


FORWARDED = """
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: forwarded}
spec:
  selector: role == 'node'
  types: [Ingress]
  applyOnForward: true
  ingress: [{action: Allow, source: {nets: [198.51.100.0/24]}}]
"""


def test_whom_a_policy_may_select_is_said_to_be_open() -> None:
    """Nobody knows on which node the pod runs, so what holds on nodes may hold for it or not."""
    somewhere = pod("s", "10.0.2.1")
    del somewhere["spec"]["nodeName"]
    eth0 = _objects(HOSTS.replace('"*"', "eth0"))
    of = load_objects([*WORLD, somewhere, *eth0, *_objects(FORWARDED)], profile="calico")
    found = resolve(of.engine)
    reasons = [why for where, why in found.unclear if addresses("10.0.2.1") <= where]
    assert reasons
    assert all("forwarded" in why and "may select it or not" in why for why in reasons)
    doubtful = [r for r in rules(told(of, "10.0.2.1")) if "forwarded" in r.key]
    assert {r.doubt for r in doubtful} == {"the rule may be about this end or not"}
    tiers = [tier for layer in told(of, "10.0.2.1").layers for tier in layer.tiers]
    assert {tier.end for tier in tiers} == {None}
    mine = [r for r in rules(told(of, A)) if "forwarded" in r.key]
    assert [r.doubt for r in mine] == [None]


def test_bands_keep_their_policies_apart() -> None:
    bands = (Combine.FIRST_MATCH, Combine.UNION)
    peers = (Peer(AnyMatch()),)

    def made(name: str, band: int) -> Policy:
        rule = Rule(INGRESS, Action.DENY, peers, EVERY_TRAFFIC, 1)
        mine = PolicyId("Made", None, name)
        return Policy(mine, (PodsMatch(),), frozenset(), (rule,), "t", band=band)

    layers = (LayerSpec("cni", (TierSpec("t", bands),)),)
    policies = PolicySet((made("late", 1), made("early", 0)), layers)
    of = session(*WORLD)
    engine = Engine(of.world, policies, of.profile)
    for each in resolve(engine).enforcements:
        (tier,) = each.layers[0].tiers
        said = [(band.combine, [p.id.name for p in band.policies]) for band in tier.bands]
        assert said == [(Combine.FIRST_MATCH, ["early"]), (Combine.UNION, ["late"])]


def others(*parts: PeerMatch) -> EnforcedRule:
    """Return the rule towards a peer that is all of those, as one of `web` is told."""
    rule = Rule(EGRESS, Action.ALLOW, (Peer(AllOf(parts)),), EVERY_TRAFFIC, 1)
    mine = PolicyId("Made", None, "p")
    made = Policy(mine, (PodsMatch(),), frozenset(), (rule,), "t")
    layers = (LayerSpec("cni", (TierSpec("t", (Combine.FIRST_MATCH,)),)),)
    of = session(*WORLD)
    engine = Engine(of.world, PolicySet((made,), layers), of.profile)
    (each,) = _all(resolve(engine), A, EGRESS)
    (found,) = rules(each)
    return found


def test_nodes_that_are_chosen_match_where_they_are_not_the_subjects_own() -> None:
    found = others(NodesMatch(), RelativeMatch(Relative.OTHER_NODE))
    assert (found.others, found.relations, found.doubt) == (addresses(N1, N2), frozenset(), None)
    assert not found.peers


def test_how_a_peer_stands_to_the_subject_is_in_doubt_where_more_depends_on_it() -> None:
    away = RelativeMatch(Relative.OTHER_NODE)
    found = others(NodesMatch(), AnyOf((away, PodsMatch())))
    assert found.doubt is not None
    assert not found.others
