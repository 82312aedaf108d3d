"""What is proposed: one finding for one cause, as few policies as say it, under plain names."""

from typing import Any

import pytest
import yaml

from cloison.analyses.doctor import Finding
from cloison.app import Session, load_texts
from cloison.app.doctor import about, doctor, examined, in_order
from cloison.base import QuestionError
from tests.support.doctoring import applied, mended
from tests.support.smallworlds import (
    HOME,
    listening,
    service,
    text,
    thing,
    workload,
)

NETWORKING = "networking.k8s.io/v1"


def policy(name: str, **spec: Any) -> dict[str, Any]:
    """Return a NetworkPolicy in namespace `a`."""
    return thing("NetworkPolicy", name, "a", api=NETWORKING, spec={"podSelector": {}, **spec})


def fronts(*names: str) -> str:
    """Return applications, each behind an Ingress that nothing in the input serves."""
    objects = []
    for each in names:
        backend = {"service": {"name": each, "port": {"number": 80}}}
        path = {"path": "/", "pathType": "Prefix", "backend": backend}
        rules = [{"host": f"{each}.example", "http": {"paths": [path]}}]
        objects += [
            workload(each, ports=listening(8080)),
            service(each, "a", {"port": 80, "targetPort": 8080}),
            thing(
                "Ingress",
                each,
                "a",
                api=NETWORKING,
                spec={"ingressClassName": "nginx", "rules": rules},
            ),
        ]
    return text(thing("Namespace", "a", labels={HOME: "a"}), *objects)


def loaded(*parts: str) -> tuple[Session, dict[str, str]]:
    """Return a session over some manifests, and those."""
    texts = {f"{place}.yaml": part for place, part in enumerate(parts)}
    return load_texts(texts), texts


CLOSED = text(policy("shut", policyTypes=["Ingress"]))
OTHER = text(workload("worker"))


def test_one_cause_is_one_finding_and_one_policy() -> None:
    session, texts = loaded(fronts("one", "three", "two"), CLOSED)
    (found,) = doctor(session)
    assert found.code == "GWY001"
    assert [each.name for each in found.workloads] == ["one", "three", "two"]
    assert found.object == "Namespace a"
    assert "3 workloads of a (a/one, a/three, a/two) do not admit" in found.message
    assert [mend.text for mend in found.mend] == [
        "create NetworkPolicy a/allow-from-ingress-nginx-controller"
    ]
    assert doctor(load_texts(mended(texts, [found]))) == ()


def test_a_policy_for_some_of_a_namespace_names_them() -> None:
    session, texts = loaded(fronts("one", "two"), CLOSED, OTHER)
    (found,) = doctor(session)
    (mend,) = found.mend
    (asked,) = yaml.safe_load(mend.manifest)["spec"]["podSelector"]["matchExpressions"]
    assert asked == {"key": "app", "operator": "In", "values": ["one", "two"]}
    after = load_texts(mended(texts, [found]))
    assert doctor(after) == ()
    assert session.diff(after).changes == ()  # nobody in the input gets through by it


def test_one_workload_alone_has_a_policy_of_its_own_name() -> None:
    session, _ = loaded(fronts("one"), CLOSED, OTHER)
    (found,) = doctor(session)
    assert found.workloads == ()
    assert found.object == "Deployment a/one"
    assert [mend.text for mend in found.mend] == [
        "create NetworkPolicy a/allow-one-from-ingress-nginx-controller"
    ]


def test_each_of_several_workloads_is_told_of() -> None:
    session, _ = loaded(fronts("one", "two"), CLOSED, OTHER)
    found = doctor(session)
    assert about(session, found, ["a/two"]) == found
    assert about(session, found, ["worker"], "a") == ()
    with pytest.raises(QuestionError):
        about(session, found, ["203.0.113.1"])


CALLS = text(
    thing("Namespace", "a", labels={HOME: "a"}),
    workload("db", ports=listening(5432)),
    service("db", "a", {"port": 5432}),
    *(
        workload(name, env=[{"name": "DB_ADDR", "value": "db:5432"}])
        for name in ("one", "three", "two")
    ),
)


def test_findings_that_differ_in_the_workload_alone_are_one() -> None:
    session, texts = loaded(CALLS, text(policy("shut", policyTypes=["Egress"])))
    found = [each for each in doctor(session) if each.code == "DEP001"]
    assert [[each.name for each in one.workloads] for one in found] == [["one", "three", "two"]]
    assert "each of 3 workloads of a (a/one, a/three, a/two)" in found[0].message
    left = doctor(load_texts(mended(texts, doctor(session))))
    assert [each.code for each in left if each.mend] == []


MANY = {"labels": {"team": "a", "app.kubernetes.io/name": "shop"}, "annotations": {"owner": "shop"}}
ONE = {"key": "app", "operator": "In", "values": ["shop"]}
PEER = {"from": [{"namespaceSelector": {"matchLabels": {"team": "shops"}}}]}
TWICE = text(
    thing("Namespace", "a", labels={HOME: "a"}),
    thing("Namespace", "b", labels={HOME: "b", "team": "shop"}),
    workload("web", "b"),
    workload("near"),
    workload("shop", ports=listening(8080)),
    service("shop", "a", {"port": 80, "targetPort": 8080}),
    thing(
        "NetworkPolicy",
        "shop",
        "a",
        api=NETWORKING,
        spec={
            "podSelector": {
                "matchExpressions": [{"key": "app", "operator": "In", "values": ["shop"]}]
            },
            "ingress": [
                {**PEER, "ports": [{"port": 8080}]},
                {
                    "from": [{"podSelector": {"matchLabels": {"app": "near"}}}],
                    "ports": [{"port": 80}],
                },
            ],
        },
        **MANY,
    ),
)


def _specs(found: tuple[Finding, ...]) -> list[dict[str, Any]]:
    return [yaml.safe_load(mend.manifest) for each in found for mend in each.mend]


def test_what_is_proposed_for_one_policy_adds_up_in_the_order_printed() -> None:
    session, texts = loaded(TWICE)
    found = doctor(session)
    assert [each.code for each in found] == ["PRT001", "SEL003"]
    first, second = _specs(found)
    assert [len(each["spec"]["ingress"]) for each in (first, second)] == [3, 4]
    assert second["spec"]["ingress"][:3] == first["spec"]["ingress"]
    assert second["metadata"]["labels"] == MANY["labels"]
    assert second["metadata"]["annotations"] == MANY["annotations"]
    assert doctor(load_texts(mended(texts, found))) == ()


def test_what_is_not_shown_is_not_in_what_is_applied() -> None:
    session, _ = loaded(TWICE)
    every = examined(session)
    (alone,) = _specs(in_order(session, [each for each in every if each.code == "SEL003"]))
    assert len(alone["spec"]["ingress"]) == 3


EITHER = text(
    thing("Namespace", "a", labels={HOME: "a"}),
    thing("Namespace", "b", labels={HOME: "b"}),
    workload("web", "b"),
    workload("other", "b"),
    workload("near"),
    workload("shop", ports=listening(8080)),
    service("shop", "a", {"port": 80, "targetPort": 8080}),
    thing(
        "NetworkPolicy",
        "shop",
        "a",
        api=NETWORKING,
        spec={
            "podSelector": {"matchLabels": {"app": "shop"}},
            "ingress": [
                {
                    "from": [
                        {"namespaceSelector": {"matchLabels": {HOME: "b"}}},
                        {"podSelector": {"matchLabels": {"app": "web"}}},
                    ],
                    "ports": [{"port": 8080}],
                },
                {
                    "from": [{"podSelector": {"matchLabels": {"app": "near"}}}],
                    "ports": [{"port": 80}],
                },
            ],
        },
        **MANY,
    ),
)


def test_a_policy_written_anew_and_one_with_more_rules_are_one() -> None:
    session, texts = loaded(EITHER)
    found = doctor(session)
    assert [each.code for each in found] == ["PRT001", "SEL004"]
    last = _specs(found)[-1]
    both = {
        "namespaceSelector": {"matchLabels": {HOME: "b"}},
        "podSelector": {"matchLabels": {"app": "web"}},
    }
    rules = last["spec"]["ingress"]
    assert rules[0]["from"] == [both]
    assert rules[1] == yaml.safe_load(EITHER.split("---")[-1])["spec"]["ingress"][1]
    assert len(rules) == 3
    assert last["metadata"]["labels"] == MANY["labels"]
    assert "policyTypes" not in last["spec"]  # what nobody wrote, nobody writes
    after = load_texts(mended(texts, found))
    assert doctor(after) == ()
    backwards = load_texts(applied(texts, [_text(found[-1])]))
    assert after.diff(backwards).changes == ()  # the last one has everything


def _text(finding: Finding) -> str:
    (mend,) = finding.mend
    return mend.manifest


CILIUM = "cilium.io/v2"
GATEWAY = "gateway.networking.k8s.io/v1"


def _gateway() -> str:
    """Return a Gateway that Cilium itself serves, whose backend a NetworkPolicy guards."""
    parent = {"parentRefs": [{"name": "gw"}]}
    backend = {"backendRefs": [{"name": "front", "port": 80}]}
    listener = {"name": "http", "port": 80, "protocol": "HTTP"}
    return text(
        thing("Namespace", "a", labels={HOME: "a"}),
        workload("front", ports=listening(8080)),
        workload("other"),
        service("front", "a", {"port": 80, "targetPort": 8080}),
        thing(
            "GatewayClass",
            "cilium",
            api=GATEWAY,
            spec={"controllerName": "io.cilium/gateway-controller"},
        ),
        thing(
            "Gateway",
            "gw",
            "a",
            api=GATEWAY,
            spec={"gatewayClassName": "cilium", "listeners": [listener]},
        ),
        thing("HTTPRoute", "r", "a", api=GATEWAY, spec={**parent, "rules": [backend]}),
        policy("in", podSelector={"matchLabels": {"app": "front"}}, policyTypes=["Ingress"]),
        thing(
            "CiliumClusterwideNetworkPolicy",
            "shut",
            api=CILIUM,
            spec={"endpointSelector": {}, "ingress": [{}]},
        ),
    )


def test_what_one_language_cannot_say_is_proposed_in_another_one() -> None:
    session, texts = loaded(_gateway())
    found = doctor(session)
    assert [each.code for each in found] == ["GWY001", "GWY002"]
    backend, door = _specs(found)
    assert (backend["kind"], backend["metadata"]["namespace"]) == ("CiliumNetworkPolicy", "a")
    assert backend["spec"] == {
        "endpointSelector": {"matchLabels": {"app": "front"}},
        "ingress": [
            {
                "fromEntities": ["ingress"],
                "toPorts": [{"ports": [{"port": "8080", "protocol": "TCP"}]}],
            }
        ],
    }
    assert (door["kind"], door["metadata"]) == (
        "CiliumClusterwideNetworkPolicy",
        {"name": "allow-ingress-from-outside"},
    )
    marked = {"matchExpressions": [{"key": "reserved:ingress", "operator": "Exists"}]}
    assert door["spec"]["endpointSelector"] == marked
    assert [found[1].object, found[1].span and found[1].span.line] == ["Gateway a/gw", _line()]
    assert doctor(load_texts(mended(texts, found))) == ()


def _line() -> int:
    """Return where the Gateway starts."""
    before = _gateway().split('"kind": "Gateway"')[0]
    return before[: before.rindex("{\n")].count("\n") + 1


def test_where_only_policies_of_the_cluster_isolate_one_pod_is_opened_and_not_all() -> None:
    objects = [each for each in _gateway().split("\n---\n") if '"NetworkPolicy"' not in each]
    session, texts = loaded("\n---\n".join(objects))
    found = doctor(session)
    backend, _ = _specs(found)
    assert (backend["kind"], backend["metadata"]) == (
        "CiliumNetworkPolicy",
        {"name": "allow-front-from-ingress", "namespace": "a"},
    )
    assert backend["spec"]["endpointSelector"] == {"matchLabels": {"app": "front"}}
    assert doctor(load_texts(mended(texts, found))) == ()


ENVOY = {
    "app.kubernetes.io/component": "proxy",
    "app.kubernetes.io/managed-by": "envoy-gateway",
    "app.kubernetes.io/name": "envoy",
    "gateway.envoyproxy.io/owning-gateway-name": "gw",
    "gateway.envoyproxy.io/owning-gateway-namespace": "a",
}


@pytest.mark.parametrize(
    ("blocks", "proposed"),
    [
        (["203.0.113.0/24", "198.51.100.0/24"], {"203.0.113.0/24", "198.51.100.0/24"}),
        ([], {"0.0.0.0/0"}),
    ],
)
def test_a_gateway_admits_whom_rules_for_its_listener_mean(
    blocks: list[str], proposed: set[str]
) -> None:
    home = "envoy-gateway-system"
    meant = {"from": [{"ipBlock": {"cidr": each}} for each in blocks], "ports": [{"port": 443}]}
    tls = {"name": "tls", "port": 443, "protocol": "HTTPS"}
    controller = {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"}
    guarded = {"podSelector": {}, "ingress": [meant] if blocks else [], "policyTypes": ["Ingress"]}
    here = text(
        thing("Namespace", "a", labels={HOME: "a"}),
        thing("Namespace", home, labels={HOME: home}),
        workload("envoy", home, ports=listening(10443), pod={"labels": ENVOY}),
        thing("GatewayClass", "eg", api=GATEWAY, spec=controller),
        thing(
            "Gateway", "gw", "a", api=GATEWAY, spec={"gatewayClassName": "eg", "listeners": [tls]}
        ),
        thing("NetworkPolicy", "in", home, api=NETWORKING, spec=guarded),
    )
    session, texts = loaded(here)
    (door,) = (each for each in doctor(session, checks=("D-GW",)) if each.mend)
    assert door.code == "GWY002"
    (spec,) = _specs((door,))
    rule = spec["spec"]["ingress"][-1]
    assert {peer["ipBlock"]["cidr"] for peer in rule["from"]} == proposed
    assert rule["ports"] == [{"protocol": "TCP", "port": 10443}]
    left = doctor(load_texts(mended(texts, [door])), checks=("D-GW",))
    assert "GWY002" not in [each.code for each in left]


def test_pods_of_a_product_are_named_by_all_labels_that_it_ships() -> None:
    labels = {
        "app.kubernetes.io/name": "ingress-nginx",
        "app.kubernetes.io/component": "controller",
    }
    home = "ingress-nginx"
    here = (
        thing("Namespace", home, labels={HOME: home}),
        workload(
            "ingress-nginx-controller",
            home,
            image="registry.k8s.io/ingress-nginx/controller:v1.12.1",
            pod={"labels": labels},
        ),
        policy("shut", policyTypes=["Ingress"]),
    )
    session, _ = loaded("\n---\n".join((fronts("web"), text(*here))))
    (shut,) = doctor(session, checks=("D-GW",))
    (spec,) = _specs((shut,))
    (peer,) = spec["spec"]["ingress"][0]["from"]
    assert peer["podSelector"] == {"matchLabels": labels}
