"""Known components: the data, and which workloads they are."""

import tomllib
from dataclasses import fields
from importlib.resources import files
from typing import Any

import pytest
import yaml

from cloison.base import QuestionError
from cloison.platform.cluster import Platform, platform_names
from cloison.platform.components import (
    ANY_VALUE,
    Component,
    ComponentPort,
    Found,
    Placed,
    Role,
    component,
    found,
    known,
)
from tests.support.cli import ROOT
from tests.support.platforms import container, coredns, workload, world

SHEET = ROOT.parent / "shared" / "semantics" / "platform-profiles.yaml"


def test_ids_are_each_once_and_every_row_has_its_source() -> None:
    ids = [each.id for each in known()]
    assert len(ids) == len(set(ids)) > 80
    assert all(each.source and each.name for each in known())
    assert {each.role for each in known()} == set(Role)


def test_rows_say_nothing_that_is_not_read() -> None:
    names = {each.name for each in fields(Component)}
    ports = {each.name for each in fields(ComponentPort)}
    rows = [
        row
        for file in files("cloison.platform").joinpath("known").iterdir()
        for row in tomllib.loads(file.read_text("utf-8"))["component"]
    ]
    assert len(rows) == len(known())
    assert not {key for row in rows for key in row} - names
    assert not {key for row in rows for port in row.get("ports", ()) for key in port} - ports


def test_platforms_of_rows_are_platforms_products_or_providers() -> None:
    others = {"any", "alibaba", "aws", "azure", "cilium", "consul", "gcp", "istio"}
    others |= {"istio-ambient", "kuma", "linkerd"}
    named = {name for each in known() for name in each.platforms}
    assert named <= others | set(platform_names())


def _port(port: ComponentPort) -> dict[str, Any]:
    said = {
        "protocol": port.protocol,
        "port": port.port,
        "purpose": port.purpose,
        "direction": port.direction.value,
        "servicePort": port.service_port,
        "servicePortName": port.service_port_name,
        "peer": port.peer,
    }
    return {key: value for key, value in said.items() if value is not None}


@pytest.mark.skipif(not SHEET.exists(), reason="the sheet of facts is not beside the checkout")
def test_the_data_is_that_of_the_sheet() -> None:
    sheet = yaml.safe_load(SHEET.read_text("utf-8"))["components"]
    assert [each["id"] for each in sheet] != []
    plain = {each.id for each in known() if each.id.startswith("st-plain-")}
    assert {each["id"] for each in sheet} == {each.id for each in known()} - plain
    for row in sheet:
        ours = component(row["id"])
        assert {
            "id": ours.id,
            "name": ours.name,
            "kind": ours.role.value,
            "platforms": list(ours.platforms),
            "namespace": ours.namespace,
            "namespaceLabels": dict(ours.namespace_labels),
            "podLabels": dict(ours.pod_labels),
            "ports": [_port(port) for port in ours.ports],
            "cidrs": list(ours.blocks),
            "hostNetwork": ours.host_network,
            "evidence": "primary" if ours.certain else "secondary",
            "source": ours.source,
        } == {key: value for key, value in row.items() if key != "notes"}


def test_nobody_is_called_otherwise() -> None:
    with pytest.raises(QuestionError) as raised:
        component("dns-coredns-help")
    assert "dns-coredns-helm" in str(raised.value.help)
    with pytest.raises(QuestionError, match="no component is called 'x'"):
        component("x")


def one(*objects: Any, **said: Any) -> Found:
    (only,) = found(world(*objects), **said)
    return only


def test_by_labels_in_its_namespace() -> None:
    dns = one(coredns())
    assert dns.component.id == "dns-coredns-kubeadm"
    assert [str(each) for each in dns.workloads] == ["kube-system/coredns"]
    assert (dns.how, dns.certain, dns.said) == ("by its labels in kube-system", True, False)
    # Like pods are shipped by many: only the platform tells.
    assert "dns-coredns-eks" in dns.alike
    assert len(dns.spans) == 1


def test_the_platform_tells_like_components_apart() -> None:
    dns = one(coredns(), platform=Platform("gke-dataplane-v2"))
    assert (dns.component.id, dns.alike) == ("dns-kubedns-gke", ())


def test_elsewhere_is_said() -> None:
    dns = one(coredns("dns"))
    assert (dns.how, dns.certain) == ("by its labels, in dns and not in kube-system", False)
    assert one(
        coredns("dns", **{"k8s-app": "coredns", "app.kubernetes.io/name": "coredns"})
    ).how == ("by its labels")


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({"k8s-app": "kube-dns", "app.kubernetes.io/name": "rke2-coredns"}, "dns-coredns-rke2"),
        ({"app": "istiod", "istio": "pilot"}, "mesh-istiod"),
        ({"app": "istio-ingressgateway", "istio": "ingressgateway"}, "gw-istio-ingress-legacy"),
        ({"app": "public", "istio": "public"}, "gw-istio-chart"),
        (
            {
                "gateway.networking.k8s.io/gateway-name": "web",
                "gateway.istio.io/managed": "istio.io-gateway-controller",
            },
            "gw-istio-gatewayapi",
        ),
        (
            {
                "gateway.networking.k8s.io/gateway-name": "web",
                "projectcontour.io/owning-gateway-name": "web",
            },
            "gw-contour-provisioned",
        ),
        ({"app.kubernetes.io/name": "prometheus"}, "metrics-prometheus-operator"),
        ({"cnpg.io/cluster": "orders", "role": "primary"}, "st-cloudnative-pg"),
        ({"app.kubernetes.io/name": "prometheus-node-exporter"}, "metrics-node-exporter"),
    ],
)
def test_the_labels_that_say_most_count(labels: dict[str, str], name: str) -> None:
    assert one(workload("x", labels=labels, namespace="any")).component.id == name


def test_labels_that_others_have_too_are_not_certain() -> None:
    gateway = one(
        workload("web", namespace="a", labels={"gateway.networking.k8s.io/gateway-name": "web"})
    )
    assert (gateway.component.id, gateway.certain) == ("gw-ngf-data", False)


def test_an_image_counts_where_labels_say_nothing() -> None:
    images = ("registry.test:5000/coreos/etcd:v3.5.1", "etcd@sha256:0", "registry.test/etcd")
    for image in images:
        store = one(workload("x", container("main", image), labels={"app": "x"}))
        assert (store.component.id, store.how) == ("st-etcd", "by its image etcd")
        assert not store.certain
    assert not found(world(workload("x", container("main", "etcd-backup:1"), labels={"app": "x"})))


def test_the_caller_says_where() -> None:
    objects = (workload("resolver", namespace="net", labels={"app": "unbound"}), coredns())
    said = {"dns-coredns-helm": Placed("net", {"app": "unbound"}), "dns-coredns-kubeadm": None}
    first, second = found(world(*objects), Platform("eks"), said)
    assert (first.component.id, first.said) == ("dns-coredns-helm", True)
    assert [str(each) for each in first.workloads] == ["net/resolver"]
    assert first.how == "as cloison.yaml says"
    assert second.component.id == "dns-coredns-eks"
    absent = one(said={"gw-traefik": Placed("web")})
    assert (absent.workloads, absent.how) == (
        (),
        "as cloison.yaml says; the input has no such pods",
    )


def test_what_is_nowhere_leaves_its_pods_to_those_like_it() -> None:
    everything = {each.id: None for each in known() if each.role is Role.DNS}
    assert found(world(coredns()), said=everything) == ()


def test_stars_stand_for_values_only() -> None:
    stars = [each for each in known() if ANY_VALUE in each.pod_labels.values()]
    assert stars
    assert not [each for each in known() if ANY_VALUE in each.pod_labels]


def test_an_operator_will_make_pods_of_what_was_read() -> None:
    server = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "Prometheus",
        "metadata": {"name": "k8s", "namespace": "monitoring"},
        "spec": {"podMetadata": {"labels": {"app.kubernetes.io/part-of": "kube-prometheus"}}},
    }
    made = one(server)
    assert (made.component.id, made.workloads, made.namespace) == (
        "metrics-prometheus-operator",
        (),
        "monitoring",
    )
    assert made.how == "by Prometheus monitoring/k8s, of which an operator makes pods"
    assert made.pod_labels["app.kubernetes.io/part-of"] == "kube-prometheus"
    assert made.pod_labels["prometheus"] == "k8s"
    pods = workload(
        "prometheus-k8s",
        kind="StatefulSet",
        namespace="monitoring",
        labels={"app.kubernetes.io/name": "prometheus"},
    )
    assert one(server, pods).workloads
