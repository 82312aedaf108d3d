"""What is written as Cilium's policies, and what is refused with which field."""

from typing import Any

import pytest
import yaml

from cloison.app.convert import Conversion
from cloison.base import Severity
from tests.support.texts import convert_texts

WORLD = """
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: a}}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {containers: [{name: c, image: i, ports: [{name: http, containerPort: 8080}]}]}
"""


def policy(spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "p", "namespace": "shop"},
        "spec": spec,
    }


def calico(spec: dict[str, Any], kind: str = "NetworkPolicy", **meta: str) -> dict[str, Any]:
    return {
        "apiVersion": "projectcalico.org/v3",
        "kind": kind,
        "metadata": {"name": "p", **meta},
        "spec": spec,
    }


def convert(*objects: dict[str, Any], to: str = "cilium", **said: Any) -> Conversion:
    texts = {"world.yaml": WORLD, "in.yaml": yaml.safe_dump_all(objects)}
    return convert_texts(texts, to=to, **{"profile": "cilium@1.19", **said})


def spec(found: Conversion) -> Any:
    (text,) = found.texts
    return yaml.safe_load(text)["spec"]


def refusals(found: Conversion) -> list[str]:
    return [d.message for d in found.written.refusals if d.severity is Severity.ERROR]


def test_isolation_alone_is_an_empty_element() -> None:
    found = convert(policy({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}))
    assert spec(found) == {"endpointSelector": {}, "ingress": [{}], "egress": [{}]}
    assert not found.difference


def test_no_peers_are_everybody() -> None:
    found = convert(policy({"podSelector": {}, "ingress": [{}]}))
    assert spec(found)["ingress"] == [{"fromEntities": ["all"]}]


def test_each_kind_of_peer_is_an_element_of_its_own() -> None:
    peers = [
        {"podSelector": {"matchLabels": {"app": "web"}}},
        {"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.8/30"]}},
        {"namespaceSelector": {}},
    ]
    found = convert(policy({"podSelector": {}, "ingress": [{"from": peers}]}))
    assert spec(found)["ingress"] == [
        {
            "fromEndpoints": [
                {"matchLabels": {"k8s:app": "web"}},
                {
                    "matchExpressions": [
                        {"key": "k8s:io.kubernetes.pod.namespace", "operator": "Exists"}
                    ]
                },
            ]
        },
        {"fromCIDRSet": [{"cidr": "203.0.113.0/24", "except": ["203.0.113.8/30"]}]},
    ]


def test_a_port_that_is_not_written_is_port_zero() -> None:
    found = convert(policy({"podSelector": {}, "ingress": [{"ports": [{}]}]}))
    assert spec(found)["ingress"] == [
        {
            "fromEntities": ["all"],
            "toPorts": [{"ports": [{"port": "0", "protocol": "TCP"}]}],
        }
    ]


def test_no_list_has_more_than_forty_ports() -> None:
    ports = [{"port": 1000 + 2 * number} for number in range(95)]
    found = convert(policy({"podSelector": {}, "ingress": [{"ports": ports}]}))
    (element,) = spec(found)["ingress"]
    assert [len(each["ports"]) for each in element["toPorts"]] == [40, 40, 15]
    assert not [d for d in found.after.diagnostics if d.severity is Severity.ERROR]


def test_lists_that_types_leave_out_are_dropped_but_where_cilium_counts_them() -> None:
    written = {"podSelector": {}, "policyTypes": ["Egress"], "ingress": [{}]}
    dropped = convert(policy(written), profile="generic", target_cni="cilium@1.19")
    assert spec(dropped) == {"endpointSelector": {}, "egress": [{}]}
    kept = convert(policy(written))
    assert spec(kept)["ingress"] == [{"fromEntities": ["all"]}]
    assert not kept.difference


def test_namespaces_by_what_they_are_not_are_still_namespaces() -> None:
    peer = {
        "namespaceSelector": {
            "matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a"]}]
        }
    }
    found = convert(policy({"podSelector": {}, "ingress": [{"from": [peer]}]}))
    ((selector,),) = (each["fromEndpoints"] for each in spec(found)["ingress"])
    assert [term["operator"] for term in selector["matchExpressions"]] == ["NotIn", "Exists"]


def test_a_name_of_a_port_stays_a_name() -> None:
    found = convert(policy({"podSelector": {}, "egress": [{"ports": [{"port": "http"}]}]}))
    ((rule,),) = (each["toPorts"] for each in spec(found)["egress"])
    assert rule["ports"] == [{"port": "http", "protocol": "TCP"}]


def test_denials_come_first_where_that_is_the_same() -> None:
    rules = [
        {"action": "Deny", "source": {"selector": "app == 'web'"}},
        {"action": "Log"},
        {"action": "Allow", "source": {"serviceAccounts": {"names": ["runner"]}}},
    ]
    source = calico({"selector": "all()", "types": ["Ingress"], "ingress": rules}, namespace="shop")
    found = convert(source, profile="calico@3.32", target_cni="cilium@1.19")
    account = "k8s:io.cilium.k8s.policy.serviceaccount"
    assert spec(found) == {
        "endpointSelector": {},
        "ingress": [{"fromEndpoints": [{"matchLabels": {account: "runner"}}]}],
        "ingressDeny": [{"fromEndpoints": [{"matchLabels": {"k8s:app": "web"}}]}],
    }


def test_passing_everything_on_is_not_isolating() -> None:
    rules = [
        {"action": "Deny", "destination": {"nets": ["169.254.169.254/32"]}},
        {"action": "Pass"},
    ]
    source = calico(
        {"selector": "all()", "namespaceSelector": "all()", "types": ["Egress"], "egress": rules},
        "GlobalNetworkPolicy",
    )
    found = convert(source, profile="calico@3.32", target_cni="cilium@1.19")
    assert spec(found)["enableDefaultDeny"] == {"egress": False}
    assert [d.code for d in found.written.refusals] == ["CNV004"]


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        (
            [{"action": "Allow"}, {"action": "Deny", "source": {"selector": "app == 'web'"}}],
            "spec.ingress[1].action",
        ),
        ([{"action": "Pass"}, {"action": "Allow"}], "spec.ingress[0].action"),
        (
            [{"action": "Allow", "protocol": "TCP", "source": {"ports": [53]}}],
            "spec.ingress[0].source.ports",
        ),
        ([{"action": "Allow", "protocol": 47}], "spec.ingress[0].protocol"),
        (
            [{"action": "Allow", "protocol": "ICMP", "icmp": {"type": 3, "code": 4}}],
            "spec.ingress[0].icmp",
        ),
    ],
)
def test_refusals_name_the_field(rules: list[dict[str, Any]], field: str) -> None:
    source = calico({"selector": "all()", "ingress": rules}, namespace="shop")
    found = convert(source, profile="calico@3.32")
    assert not found.texts
    assert any(f"`{field}`" in each for each in refusals(found)), refusals(found)


def test_a_label_that_is_not_seen_there_is_refused() -> None:
    source = policy({"podSelector": {"matchLabels": {"pod-template-hash": "x"}}})
    found = convert(source, profile="generic", target_cni="cilium@1.19")
    assert not found.texts
    assert "pod-template-hash" in refusals(found)[0]
    # Where it was not seen before, nothing is lost.
    assert convert(source).texts


def test_what_is_written_is_what_is_read() -> None:
    text = yaml.safe_dump_all([policy({"podSelector": {}, "egress": [{"ports": [{"port": 53}]}]})])
    found = convert_texts(
        {"world.yaml": WORLD, "in.yaml": text}, to="cilium", profile="cilium@1.19"
    )
    again = convert_texts(
        {"world.yaml": WORLD, "in.yaml": found.texts[0]}, to="networkpolicy", profile="cilium@1.19"
    )
    assert not again.refused
    assert yaml.safe_load(again.texts[0])["spec"]["egress"] == [
        {"ports": [{"protocol": "TCP", "port": 53}]}
    ]
