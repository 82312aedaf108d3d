"""D-API: controllers reach the API server at its endpoints (P68, P69)."""

from typing import Any

from tests.support.doctoring import examined, mended
from tests.support.smallworlds import (
    Manifest,
    block,
    found,
    peer,
    policy,
    rule,
    service,
    text,
    thing,
    workload,
)

RBAC = "rbac.authorization.k8s.io/v1"
OPERATOR = (
    thing("ServiceAccount", "op", "a"),
    thing("ClusterRole", "op", api=RBAC, rules=[{"verbs": ["get"], "resources": ["pods"]}]),
    thing(
        "ClusterRoleBinding",
        "op",
        api=RBAC,
        roleRef={"kind": "ClusterRole", "name": "op"},
        subjects=[{"kind": "ServiceAccount", "name": "op", "namespace": "a"}],
    ),
)
POD = workload("op", pod={"serviceAccountName": "op"})
FRONT = service(
    "kubernetes", "default", {"port": 443, "targetPort": 6443}, clusterIP="10.96.0.1", selector={}
)
SLICE = thing(
    "EndpointSlice",
    "kubernetes",
    "default",
    api="discovery.k8s.io/v1",
    labels={"kubernetes.io/service-name": "kubernetes"},
    addressType="IPv4",
    endpoints=[{"addresses": ["172.18.0.2"]}],
    ports=[{"name": "https", "port": 6443}],
)
STATIC = thing(
    "Pod",
    "kube-apiserver-cp",
    "kube-system",
    labels={"component": "kube-apiserver"},
    spec={"hostNetwork": True, "nodeName": "cp", "containers": [{"name": "a", "image": "b"}]},
    status={"podIP": "172.18.0.2", "phase": "Running"},
)
BY_LABEL = rule("to", peer("kube-system", component="kube-apiserver"), ports=(6443,))
BY_FRONT = rule("to", block("10.96.0.1/32"), ports=(443,))
BY_ENDPOINT = rule("to", block("172.18.0.2/32"), ports=(6443,))


def told(*rules: Manifest, pod: Manifest = POD, **said: Any) -> list[str]:
    """Return the codes of what is found about an operator that may send so much."""
    here = (*OPERATOR, pod, FRONT, SLICE, STATIC, policy(egress=list(rules)))
    return [each.code for each in found("D-API", *here, **said)]


def test_labels_of_the_static_pod_match_nothing() -> None:
    assert told(BY_LABEL) == ["API001"]


def test_the_address_of_the_service_is_translated_before() -> None:
    assert told(BY_FRONT) == ["API001"]


def test_the_endpoint_with_the_port_of_the_service_is_not_enough() -> None:
    assert told(rule("to", block("172.18.0.2/32"), ports=(443,))) == ["API001"]


def test_the_endpoint_on_its_port_is() -> None:
    assert told(BY_ENDPOINT) == []


def test_who_judges_before_translation_asks_for_the_service_too() -> None:
    assert told(BY_ENDPOINT, profile="aws-vpc-cni") == ["API001"]
    assert told(BY_ENDPOINT, BY_FRONT, profile="aws-vpc-cni") == []


def test_what_is_proposed_mends_it() -> None:
    here = text(*OPERATOR, POD, FRONT, SLICE, policy(egress=[BY_FRONT]))
    first = examined(here, "D-API")
    assert [each.code for each in first] == ["API001"]
    after = mended({"all.yaml": here}, first)["mended.yaml"]
    assert examined(after, "D-API") == ()


def test_the_entity_of_cilium_will_do() -> None:
    named = thing(
        "CiliumNetworkPolicy",
        "p",
        "a",
        api="cilium.io/v2",
        spec={"endpointSelector": {}, "egress": [{"toEntities": ["kube-apiserver"]}]},
    )
    here = (*OPERATOR, POD, FRONT, SLICE)
    assert found("D-API", *here, named) == ()
    named["spec"]["egress"] = [{"toEntities": ["cluster"], "toPorts": [{"ports": [{"port": "1"}]}]}]
    assert [each.code for each in found("D-API", *here, named)] == ["API001"]


def test_who_has_no_rules_or_no_token_needs_nothing() -> None:
    silent = workload("op", pod={"serviceAccountName": "op", "automountServiceAccountToken": False})
    assert told(BY_FRONT, pod=silent) == []
    assert told(BY_FRONT, pod=workload("op")) == []


def test_who_may_only_be_admitted_under_a_policy_calls_nobody() -> None:
    admitted = (
        OPERATOR[0],
        thing("ClusterRole", "op", api=RBAC, rules=[{"verbs": ["use"], "resources": ["x"]}]),
        OPERATOR[2],
    )
    assert found("D-API", *admitted, POD, FRONT, SLICE, policy(egress=[])) == ()


def test_evidence_names_the_binding_and_the_endpoints() -> None:
    (one,) = found("D-API", *OPERATOR, POD, FRONT, SLICE, policy(egress=[]))
    said = [each.text for each in one.evidence]
    assert said[0] == "ClusterRoleBinding op gives service account a/op ClusterRole op"
    assert "172.18.0.2, on port 6443" in said[1]
    assert one.message == (
        "a/op cannot call the API server: 172.18.0.2 on TCP/6443 is not let through"
    )


def test_all_accounts_of_a_namespace_are_a_group() -> None:
    group = thing(
        "RoleBinding",
        "all",
        "b",
        api=RBAC,
        roleRef={"kind": "ClusterRole", "name": "view"},
        subjects=[{"kind": "Group", "name": "system:serviceaccounts:a"}],
    )
    (one,) = found("D-API", group, workload("x"), FRONT, SLICE, policy(egress=[]))
    assert "ClusterRole view, whose rules are not in the input" in one.evidence[0].text


def test_an_api_server_that_is_nowhere_may_be_anywhere() -> None:
    (one,) = found("D-API", *OPERATOR, POD, policy(egress=[]))
    assert one.code == "API002"
    assert found("D-API", *OPERATOR, POD, policy(egress=[BY_ENDPOINT])) == ()


def test_nodes_of_the_control_plane_stand_in_for_endpoints() -> None:
    nodes = [
        thing(
            "Node",
            name,
            labels={role: ""},
            status={"addresses": [{"type": "InternalIP", "address": address}]},
        )
        for name, role, address in (
            ("cp", "node-role.kubernetes.io/control-plane", "172.18.0.2"),
            ("w", "example.org/worker", "172.18.0.3"),
        )
    ]
    assert [
        each.code for each in found("D-API", *OPERATOR, POD, *nodes, policy(egress=[BY_FRONT]))
    ] == ["API001"]
    assert found("D-API", *OPERATOR, POD, *nodes, policy(egress=[BY_ENDPOINT])) == ()


def test_known_controllers_need_no_binding_in_the_input() -> None:
    dns = {"app.kubernetes.io/name": "external-dns"}
    solver = {"acme.cert-manager.io/http01-solver": "true"}
    here = (FRONT, SLICE, policy(egress=[]))
    (one,) = found("D-API", workload("x", pod={"labels": dns}), *here)
    assert one.evidence[0].text == "a/x is external-dns"
    assert found("D-API", workload("x", pod={"labels": solver}), *here) == ()


def test_nobody_is_let_out_to_it_who_does_not_work_through_it() -> None:
    door = {"name": "https", "port": 443, "targetPort": 6443}
    front = service("kubernetes", "default", door, clusterIP="10.96.0.1", selector={})
    here = (*OPERATOR, POD, workload("plain"), front, SLICE, policy(egress=[BY_FRONT]))
    findings = examined(text(*here), "D-API", "D-DEAD")
    assert [(e.code, str(e.workload), bool(e.mend)) for e in findings] == [
        ("API001", "a/op", True),
        ("DEA002", "a/plain", False),
    ]
    assert findings[1].help.startswith("nothing in the input says that a/plain works through")
