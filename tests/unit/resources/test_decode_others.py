"""Typed objects that are no pods and control none: namespaces, nodes, Services, accounts."""

from typing import Any

import pytest

from cloison.base import Severity
from cloison.resources.objects import (
    EndpointSlice,
    Namespace,
    Node,
    Service,
    ServiceAccount,
    ServicePort,
    SliceEndpoint,
)
from tests.unit.resources.loading import both, codes, points, read


def test_namespaces_always_have_their_name_label() -> None:
    name = "kubernetes.io/metadata.name"
    plain = read("{apiVersion: v1, kind: Namespace, metadata: {name: a}}")
    assert isinstance(plain.resource, Namespace)
    assert (plain.resource.labels, plain.diagnostics) == ({name: "a"}, ())
    wrong = read(
        f"{{apiVersion: v1, kind: Namespace, metadata: {{name: a, labels: {{{name}: b, x: y}}}}}}"
    )
    assert isinstance(wrong.resource, Namespace)
    assert wrong.resource.labels == {name: "a", "x": "y"}
    assert codes(wrong.diagnostics) == ["OBJ011"]
    assert wrong.diagnostics[0].severity is Severity.WARNING


def test_nodes() -> None:
    node = both(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": "n1", "labels": {"zone": "a"}},
            "spec": {"podCIDR": "10.1.0.0/24", "podCIDRs": ["10.1.0.0/24", "fd00::/64"]},
            "status": {
                "addresses": [
                    {"type": "InternalIP", "address": "192.0.2.1"},
                    {"type": "ExternalIP", "address": "198.51.100.1"},
                    {"type": "Hostname", "address": "n1"},
                ]
            },
        }
    )
    assert isinstance(node, Node)
    assert node.addresses == points("192.0.2.1", "198.51.100.1")
    assert node.pod_cidrs == ("10.1.0.0/24", "fd00::/64")
    odd = read("{apiVersion: v1, kind: Node, metadata: {name: n}, spec: {podCIDR: '10.1'}}")
    assert codes(odd.diagnostics) == ["OBJ010"]


def service(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}


def test_services() -> None:
    found = both(
        service(
            selector={"app": "web"},
            clusterIP="10.96.0.1",
            clusterIPs=["10.96.0.1", "fd00::9"],
            externalIPs=["198.51.100.7"],
            type="NodePort",
            externalTrafficPolicy="Local",
            ports=[
                {"port": 80, "targetPort": "http", "name": "http", "nodePort": 30080},
                {"port": 81, "targetPort": 8081, "protocol": "UDP"},
                {"port": 82},
            ],
        )
    )
    assert isinstance(found, Service)
    assert found.ports == (
        ServicePort(80, "TCP", "http", "http", 30080),
        ServicePort(81, "UDP", None, 8081),
        ServicePort(82),
    )
    assert found.selector == {"app": "web"}
    assert found.cluster_ips == ("10.96.0.1", "fd00::9")
    assert found.external_ips == ("198.51.100.7",)
    assert (found.external_traffic_policy, found.internal_traffic_policy) == ("Local", "Cluster")
    headless = both(service(clusterIP="None"))
    assert (headless.cluster_ips, headless.selector) == (("None",), None)
    assert both(service(selector={})).selector is None
    assert both(service(type="ExternalName", externalName="db.example")).external_name == (
        "db.example"
    )


@pytest.mark.parametrize(
    "spec",
    [
        {"ports": [{"port": 0}]},
        {"ports": [{"port": 80, "targetPort": "8080"}]},
        {"ports": [{"port": 80, "targetPort": 70000}]},
        {"ports": [{"port": 80, "protocol": "HTTP"}]},
        {"selector": {"a b": "c"}},
    ],
)
def test_services_the_server_refuses(spec: dict[str, Any]) -> None:
    assert both(service(**spec)) is None


def test_endpoint_slices() -> None:
    for version in ("discovery.k8s.io/v1", "discovery.k8s.io/v1beta1"):
        item = {
            "apiVersion": version,
            "kind": "EndpointSlice",
            "metadata": {
                "name": "web-1",
                "namespace": "shop",
                "labels": {"kubernetes.io/service-name": "web"},
            },
            "addressType": "IPv4",
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}, {"port": None}],
            "endpoints": [
                {
                    "addresses": ["10.0.0.1"],
                    "conditions": {"ready": True},
                    "targetRef": {"kind": "Pod", "name": "web-1", "namespace": "shop"},
                    "nodeName": "n1",
                },
                {"addresses": ["10.0.0.2"], "conditions": {"ready": False}},
                {"addresses": ["10.0.0.3"]},
            ],
        }
        found = both(item)
        assert isinstance(found, EndpointSlice)
        assert found.service == "web"
        assert found.ports == (ServicePort(8080, "TCP", "http"),)
        assert found.endpoints == (
            SliceEndpoint(("10.0.0.1",), True, "web-1", "n1"),
            SliceEndpoint(("10.0.0.2",), False),
            SliceEndpoint(("10.0.0.3",), True),
        )


def test_service_accounts() -> None:
    meta = {"name": "a", "namespace": "b", "labels": {"c": "d"}}
    found = both({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
    assert isinstance(found, ServiceAccount)
    assert (found.namespace, found.name, found.labels) == ("b", "a", {"c": "d"})
