"""Calls recorded on their way to a Service: policies are about its pods and their port."""

from typing import Any

import pytest

from cloison.analyses.recommend.model import Recommended
from cloison.analyses.reconcile.pairs import placed
from cloison.analyses.reconcile.seen import Became, Finder, SeenEnd
from tests.support.recommending import (
    HABIT,
    applied,
    cluster,
    passes,
    recommended,
    seen,
    service,
    workload,
)

WEB = workload("web/portal")
API = workload("shop/api", 8080)
FRONT = SeenEnd("service", "shop", "api", "Service")


def front(target: int | str = 8080, name: str = "shop/api", **spec: Any) -> dict[str, Any]:
    found = service(name, 80, 8080, {"app": "api"}, clusterIP="10.96.0.20", **spec)
    found["spec"]["ports"][0]["targetPort"] = target
    return found


def links(found: Recommended) -> list[str]:
    return [str(each.key) for each in found.fused.expected]


def test_a_service_that_is_called_as_a_workload_is_not_taken_for_it() -> None:
    session = cluster(WEB, API, front())
    found = recommended(session, [seen("web/portal", FRONT, 80)])
    assert links(found) == ["web/portal to shop/api on 8080/TCP"]
    after = applied(session, found)
    assert passes(after, "web/portal", "shop/api", "8080")
    assert not passes(after, "web/portal", "shop/api", "80")
    assert found.proved


@pytest.mark.parametrize("became", ["denied", "unknown"])
def test_what_is_asked_of_a_service_is_asked_with_the_port_of_its_pods(became: Became) -> None:
    session = cluster(WEB, API, front())
    (asked,) = recommended(session, [seen("web/portal", FRONT, 80, became=became)]).fused.questions
    assert asked.ports == ("8080/TCP",)
    assert "ports: [8080]" in (asked.write or "")


def test_a_service_of_several_ports_and_pods_leads_to_exactly_these() -> None:
    def pods(name: str, port: int) -> dict[str, Any]:
        told = {"ports": [{"name": "http", "containerPort": port, "protocol": "TCP"}]}
        return workload(name, labels={"app": "api", "track": name[-1]}, container=told)

    one, two = pods("shop/api-1", 8080), pods("shop/api-2", 9999)
    session = cluster(WEB, one, two, front("http"))
    found = recommended(session, [seen("web/portal", FRONT, 80)])
    assert links(found) == [
        "web/portal to shop/api-1 on 8080/TCP",
        "web/portal to shop/api-2 on 9999/TCP",
    ]
    after = applied(session, found)
    assert not passes(after, "web/portal", "shop/api-1", "9999")
    assert not passes(after, "web/portal", "shop/api-2", "8080")


def test_pods_that_are_led_back_to_themselves_count_once() -> None:
    session = cluster(API | {"spec": {**API["spec"], "replicas": 2}}, front())
    here, _ = placed([seen("shop/api", FRONT, 80)], Finder(session.names, session.world))
    assert [each.seen.port for each in here] == [8080]


@pytest.mark.parametrize(
    ("end", "port", "why"),
    [
        (FRONT, 81, "svc:shop/api: "),
        (SeenEnd("service", "shop", "web", "Service"), 80, "web: there is no Service 'shop/web'"),
    ],
    ids=["a port that it does not have", "one that nobody knows"],
)
def test_a_service_of_which_nobody_knows_where_it_leads_is_asked_about(
    end: SeenEnd, port: int, why: str
) -> None:
    """Even where a workload is called so."""
    session = cluster(WEB, API, workload("shop/web", 80), front())
    found = recommended(session, [seen("web/portal", end, port)])
    assert not links(found)
    (asked,) = found.fused.questions
    assert why in asked.why


def test_a_service_without_pods_stays_what_it_is() -> None:
    api_server = service("default/kubernetes", 443, 6443, {}, clusterIP="10.96.0.1")
    del api_server["spec"]["selector"]
    session = cluster(WEB, api_server)
    row = seen("web/portal", SeenEnd("service", "default", "kubernetes", "Service"), 443)
    here, rest = placed([row], Finder(session.names, session.world))
    assert not rest
    assert [each.identity for each in here] == [(id(row), None, None)]
    assert here[0].seen is row


def test_an_edge_to_a_service_is_the_same_wherever_it_is_placed() -> None:
    session = cluster(WEB, API, front())
    row = seen("web/portal", FRONT, 80)
    once, again = (placed([row], Finder(session.names, session.world))[0] for _ in range(2))
    assert once[0].seen is not again[0].seen
    assert once[0].identity == again[0].identity


# Nodes


@pytest.mark.parametrize("target", ["networkpolicy", "cilium", "calico"])
def test_that_a_node_reaches_its_own_pods_is_beyond_policies(target: str) -> None:
    session = cluster(WEB, API)
    rows = [seen("web/portal", "shop/api", 8080), seen("node", "shop/api", 8080, {50: 1})]
    found = recommended(session, rows, target)
    assert [str(each.key) for each in found.fused.refused] == ["a node to shop/api on 8080/TCP"]
    assert (found.proof.leaks, found.proof.ungoverned) == ((), 1)
    assert found.proved


def test_what_lets_other_nodes_in_is_told() -> None:
    entry = {
        "name": "blocks",
        "from": "192.0.2.0/24",
        "to": "shop/api",
        "ports": [8080],
        "owner": "team",
        "reason": "monitors",
    }
    session = cluster(WEB, API, contract={"dependencies": [entry]})
    rows = [seen("web/portal", "shop/api", 8080), seen("node", "shop/api", 8080, {50: 1})]
    found = recommended(session, rows, "networkpolicy")
    assert found.proof.ungoverned == 0
    assert [each.why for each in found.proof.leaks] == ["it is part of blocks"]


# Against today


def test_what_policy_stops_today_is_named_where_it_is_opened() -> None:
    deny = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny", "namespace": "shop"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    }
    rows = [seen("web/portal", "shop/api", 8080, HABIT)]
    (opened,) = recommended(cluster(WEB, API, deny), rows).proof.openings
    assert (opened.source, opened.destination, opened.traffic, opened.shut) == (
        "web/portal",
        "shop/api",
        "TCP/8080",
        ("shop/deny isolates ingress",),
    )
    assert not recommended(cluster(WEB, API), rows).proof.openings
