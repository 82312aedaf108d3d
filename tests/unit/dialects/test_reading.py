"""NetworkPolicies as Cilium reads them: rows of its sheet, and what they leave to settings."""

from dataclasses import replace
from typing import Any

import pytest
import yaml

from cloison.app import Session, load_objects
from cloison.dialects.networkpolicy.compile import compile_policies
from cloison.dialects.networkpolicy.reading import Reader
from cloison.platform import profile
from tests.unit.dialects.helpers import policy

WORLD = """
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: a, failure-domain.beta.kubernetes.io/zone: z}}
---
apiVersion: v1
kind: Namespace
metadata: {name: ops, labels: {team: b}}
---
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.0.2.11}]}
---
apiVersion: v1
kind: Node
metadata: {name: n2}
status: {addresses: [{type: InternalIP, address: 192.0.2.12}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web, controller-revision-hash: x1}}
spec: {nodeName: n1, containers: [{name: c, image: i}]}
status: {phase: Running, podIP: 10.0.1.10}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec:
  nodeName: n2
  containers: [{name: c, image: i, ports: [{name: http, containerPort: 8080}]}]
status: {phase: Running, podIP: 10.0.2.10}
---
apiVersion: v1
kind: Pod
metadata: {name: probe, namespace: ops, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: c, image: i}]}
status: {phase: Running, podIP: 10.0.1.20}
"""
WEB, PROBE, API, EXT = "shop/web", "ops/probe", "shop/api", "203.0.113.9"
NODE_1, NODE_2 = "192.0.2.11", "192.0.2.12"
ON_API = "podSelector: {matchLabels: {app: api}}"
YES, NO, OPEN = "allowed", "denied", "undetermined"


def session(spec: str, name: str = "cilium@1.19", *more: dict[str, Any], **said: str) -> Session:
    objects = list(yaml.safe_load_all(WORLD))
    policy_ = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "p", "namespace": "shop"},
        "spec": yaml.safe_load(f"{{{spec}}}"),
    }
    settings = {key.replace("_", "-"): value for key, value in said.items()}
    return load_objects([*objects, policy_, *more], profile=name, cilium=settings)


def verdict(found: Session, source: str, destination: str = API, port: int = 8080) -> str:
    return str(found.verdict(source, destination, "TCP", port))


def caveats(found: Session, source: str, destination: str = API, port: int = 8080) -> set[str]:
    return {each.id for each in found.why(source, destination, port=port).caveats}


ONE_BLOCK = f"{ON_API}, ingress: [{{from: [{{ipBlock: {{cidr: 203.0.113.0/24}}}}]}}]"


@pytest.mark.parametrize(
    ("name", "said", "web"),
    [
        ("cilium@1.19", {}, OPEN),
        ("cilium@1.19", {"patch": "4"}, YES),
        ("cilium@1.19", {"patch": "5"}, NO),
        ("cilium@1.19", {"policy_default_local_cluster": "false"}, NO),
        ("cilium@1.18", {}, NO),
        ("cilium@1.20", {}, NO),
    ],
)
def test_a_block_alone_lets_in_the_namespace_in_some_releases(
    name: str, said: dict[str, str], web: str
) -> None:
    """C91. Source: GHSA-fm8w-2m5w-9j7r."""
    found = session(ONE_BLOCK, name, **said)
    assert (verdict(found, WEB), verdict(found, PROBE), verdict(found, EXT)) == (web, NO, YES)
    assert ("IPBLOCK_ONLY_PEER_DEFECT" in caveats(found, WEB)) is (web != NO)


def test_the_defect_is_one_of_ingress_only() -> None:
    spec = "podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: "
    spec += "[{to: [{ipBlock: {cidr: 203.0.113.0/24}}]}]"
    found = session(spec, patch="4")
    assert (verdict(found, WEB), verdict(found, WEB, EXT)) == (NO, YES)


@pytest.mark.parametrize("block", ["0.0.0.0/0", "192.0.2.0/24", "10.0.0.0/8"])
@pytest.mark.parametrize("mode", ["", "nodes"])
def test_blocks_match_neither_pods_nor_by_default_nodes(block: str, mode: str) -> None:
    """C92; a whole family never means a node."""
    spec = f"{ON_API}, ingress: [{{from: [{{ipBlock: {{cidr: {block}}}}}]}}]"
    found = session(spec, "cilium@1.20", policy_cidr_match_mode=mode)
    assert verdict(found, WEB) == NO
    assert verdict(found, NODE_1) == (YES if (block, mode) == ("192.0.2.0/24", "nodes") else NO)
    assert verdict(found, EXT) == (YES if block == "0.0.0.0/0" else NO)


@pytest.mark.parametrize(
    ("block", "said", "web"),
    [
        ("10.0.0.0/8", {}, OPEN),
        ("10.0.0.0/8", {"U4": "other"}, OPEN),
        ("10.0.0.0/8", {"U4": "matches-like-nodes"}, YES),
        ("0.0.0.0/0", {}, OPEN),
        ("0.0.0.0/0", {"U4": "matches-like-nodes"}, NO),
    ],
)
def test_how_blocks_match_pods_is_open(block: str, said: dict[str, str], web: str) -> None:
    spec = f"{ON_API}, ingress: [{{from: [{{ipBlock: {{cidr: {block}}}}}]}}]"
    found = session(spec, "cilium@1.20", policy_cidr_match_mode="pods", **said)
    assert verdict(found, WEB) == web
    assert ("cilium.U4" in caveats(found, WEB)) is (web == OPEN)


def test_rules_count_whatever_policy_types_says() -> None:
    """C93."""
    spec = f"{ON_API}, policyTypes: [Egress], ingress: "
    spec += "[{from: [{podSelector: {matchLabels: {app: web}}}]}]"
    found = session(spec)
    assert (verdict(found, WEB), verdict(found, PROBE)) == (YES, NO)
    assert verdict(found, API, WEB) == NO
    assert verdict(session(spec, "generic"), PROBE) == YES


def test_an_empty_list_does_not_isolate_a_direction_left_out() -> None:
    found = session(f"{ON_API}, policyTypes: [Egress], ingress: []")
    assert (verdict(found, WEB), verdict(found, API, WEB)) == (YES, NO)


def test_no_peers_are_all_peers() -> None:
    """C94."""
    found = session(f"{ON_API}, ingress: [{{}}]")
    assert [verdict(found, each) for each in (WEB, EXT, NODE_1)] == [YES, YES, YES]


@pytest.mark.parametrize(
    ("selector", "isolated"),
    [
        ("{matchLabels: {controller-revision-hash: x1}}", False),
        ("{matchExpressions: [{key: controller-revision-hash, operator: Exists}]}", False),
        (
            "{matchExpressions: [{key: controller-revision-hash, operator: In, values: [x1]}]}",
            False,
        ),
        ("{matchExpressions: [{key: controller-revision-hash, operator: DoesNotExist}]}", True),
        ("{matchExpressions: [{key: pod-template-hash, operator: NotIn, values: [x1]}]}", True),
    ],
)
def test_a_label_that_is_left_out_does_not_exist(selector: str, *, isolated: bool) -> None:
    """C95, and what is said of absence."""
    spec = f"podSelector: {selector}"
    assert verdict(session(spec), PROBE, WEB) == (NO if isolated else YES)


def test_what_is_left_out_is_a_setting() -> None:
    spec = f"{ON_API}, ingress: [{{from: [{{podSelector: {{matchLabels: {{app: web}}}}}}]}}]"
    assert verdict(session(spec, labels="!app"), WEB) == YES
    assert verdict(session(spec, labels="!app"), PROBE) == YES
    assert verdict(session(spec), PROBE) == NO


def test_namespace_labels_are_left_out_too() -> None:
    spec = f"{ON_API}, ingress: [{{from: [{{namespaceSelector: {{matchLabels: "
    spec += "{failure-domain.beta.kubernetes.io/zone: z}}}]}]"
    assert verdict(session(spec), WEB) == NO
    assert verdict(session(spec, "generic"), WEB) == YES


@pytest.mark.parametrize(
    ("said", "outside"), [({}, NO), ({"policy_default_local_cluster": "false"}, OPEN)]
)
def test_namespaces_by_what_they_are_not(said: dict[str, str], outside: str) -> None:
    """Source: cilium issue 46949."""
    spec = f"{ON_API}, ingress: [{{from: [{{namespaceSelector: {{matchExpressions: "
    spec += "[{key: team, operator: NotIn, values: [b]}]}}]}]"
    found = session(spec, **said)
    assert (verdict(found, WEB), verdict(found, PROBE)) == (YES, NO)
    assert (verdict(found, EXT), verdict(found, NODE_1)) == (outside, outside)


def test_a_positive_requirement_keeps_a_peer_among_pods() -> None:
    spec = f"{ON_API}, ingress: [{{from: [{{namespaceSelector: {{matchExpressions: "
    spec += (
        "[{key: team, operator: NotIn, values: [b]}]}, podSelector: {matchLabels: {app: web}}}]}]"
    )
    found = session(spec, policy_default_local_cluster="false")
    assert (verdict(found, WEB), verdict(found, EXT)) == (YES, NO)


OTHER = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "other", "namespace": "ops", "labels": {"app": "other"}},
    "spec": {
        "containers": [
            {"name": "c", "image": "i", "ports": [{"name": "http", "containerPort": 8081}]}
        ]
    },
    "status": {"phase": "Running", "podIP": "10.0.1.21"},
}
BY_NAME = "podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: "
BY_NAME += "[{ports: [{port: http}]}]"


def test_a_port_name_outward_is_one_number_for_the_cluster() -> None:
    """C48, for a NetworkPolicy."""
    found = session(BY_NAME)
    assert [verdict(found, WEB, each) for each in (API, EXT, PROBE)] == [YES, YES, YES]
    assert "PORT_NAME_TABLE" in caveats(found, WEB)
    found = session(BY_NAME, "cilium@1.19", OTHER)
    assert verdict(found, WEB) == NO
    assert verdict(found, WEB, "ops/other", 8081) == NO


def test_since_then_it_is_looked_up_on_each_peer() -> None:
    found = session(BY_NAME, "cilium@1.20", OTHER)
    assert verdict(found, WEB) == YES
    assert verdict(found, WEB, "ops/other", 8081) == YES
    assert (verdict(found, WEB, "ops/other", 8080), verdict(found, WEB, EXT)) == (NO, NO)


def test_of_ports_by_one_name_the_last_counts() -> None:
    """Source: cilium/cilium pkg/types/portmap.go."""
    ports = [
        {"name": "web", "containerPort": n, "protocol": p} for n, p in ((1, "TCP"), (2, "UDP"))
    ]
    containers = [{"name": f"c{n}", "image": "i", "ports": [each]} for n, each in enumerate(ports)]
    twice = {**OTHER, "spec": {"containers": containers}}
    rule = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "twice", "namespace": "ops"},
        "spec": {
            "podSelector": {"matchLabels": {"app": "other"}},
            "ingress": [{"ports": [{"port": "web", "protocol": p} for p in ("TCP", "UDP")]}],
        },
    }
    found = load_objects([*yaml.safe_load_all(WORLD), twice, rule], profile="cilium@1.20")
    assert str(found.verdict(WEB, "ops/other", "TCP", 1)) == NO
    assert str(found.verdict(WEB, "ops/other", "UDP", 2)) == YES


@pytest.mark.parametrize(
    ("said", "own", "web"),
    [
        ({}, YES, NO),
        ({"allow_localhost": "policy"}, NO, NO),
        ({"enable_policy": "never"}, YES, YES),
        ({"policy_audit_mode": "true"}, YES, YES),
        ({"enable_k8s_networkpolicy": "false"}, YES, YES),
    ],
)
def test_switches_of_enforcement(said: dict[str, str], own: str, web: str) -> None:
    found = session(ON_API, **said)
    assert (verdict(found, NODE_2), verdict(found, WEB)) == (own, web)


def test_always_closes_what_no_policy_selects() -> None:
    """C13."""
    found = session(ON_API, enable_policy="always")
    assert (verdict(found, WEB, PROBE), verdict(found, NODE_1, WEB)) == (NO, YES)


def test_policies_of_one_form_mean_the_same_elsewhere() -> None:
    """What is compiled once and moved is what compiling it there gives."""
    here = policy(f"{{{ONE_BLOCK}}}", namespace="shop")
    there = replace(here, namespace="ops")
    both = compile_policies([here, there], profile("cilium@1.19")).policies
    alone = compile_policies([there], profile("cilium@1.19")).policies
    matches = [
        [peer.match for rule in each.rules for peer in rule.peers] for each in (*both, *alone)
    ]
    assert matches[1] == matches[2]
    assert matches[1] != matches[0]


def test_nothing_is_read_otherwise_by_the_specification() -> None:
    reader = Reader(profile("generic"))
    assert reader.profile.reading.caveats == ()
    assert reader.numbers("http", "TCP").size() == 0


BETA = "{matchLabels: {x.beta.kubernetes.io/y: z}}"


def codes(spec: str, name: str = "cilium@1.19") -> list[tuple[str, str | None]]:
    found = [each for each in session(spec, name).suspicions if each.code.startswith("NPS02")]
    return [(each.code, each.effect) for each in found]


@pytest.mark.parametrize(
    ("spec", "effect"),
    [
        ("podSelector: {matchLabels: {pod-template-hash: x}}", "it selects nobody"),
        (
            "podSelector: {matchExpressions: [{key: controller-uid, operator: DoesNotExist}]}",
            "it is as if that were not asked",
        ),
        (
            f"{ON_API}, ingress: [{{from: [{{podSelector: {{matchLabels: {{k8s.io/x: y}}}}}}]}}]",
            "it selects nobody",
        ),
        (
            f"{ON_API}, ingress: [{{from: [{{namespaceSelector: {BETA}}}]}}]",
            "it selects nobody",
        ),
    ],
)
def test_selectors_on_labels_that_are_left_out_are_told(spec: str, effect: str) -> None:
    assert codes(spec) == [("NPS022", effect)]
    assert codes(spec, "generic") == []


def test_rules_that_count_all_the_same_are_told_in_place_of_rules_that_do_nothing() -> None:
    spec = f"{ON_API}, policyTypes: [Egress], ingress: [{{}}]"
    assert [code for code, _ in codes(spec)] == ["NPS023"]
    assert "NPS003" not in {each.code for each in session(spec).suspicions}
    assert "NPS003" in {each.code for each in session(spec, "generic").suspicions}
