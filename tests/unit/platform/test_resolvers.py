"""Which resolver answers for a pod, on every platform of the sheet of facts."""

from typing import Any

import pytest

from cloison.platform.cluster import UNKNOWN, Platform, platform_of
from cloison.platform.components import Placed
from cloison.platform.resolvers import (
    Resolver,
    ResolverKind,
    Resolvers,
    cluster_resolvers,
    resolvers,
)
from cloison.resources.objects import PodShape
from cloison.resources.runtime import Runtime
from tests.support.platforms import (
    config,
    container,
    coredns,
    kubelet,
    node,
    node_local,
    read,
    service,
    workload,
    world,
)

Manifest = dict[str, Any]
LOCAL, VIP = "169.254.20.10", "10.96.0.10"
GKE = node(labels={"cloud.google.com/gke-nodepool": "a"})
AKS = node(labels={"kubernetes.azure.com/cluster": "a"})


def asked(*objects: Manifest, platform: Platform | None = None, **said: Any) -> Resolvers:
    here = world(*objects)
    return cluster_resolvers(here, platform or platform_of(here), **said)


def ids(found: Resolvers) -> tuple[list[list[str]], list[str], list[str]]:
    needed = [[one.id for one in group] for group in found.needed]
    return needed, [one.id for one in found.perhaps], [one.id for one in found.fallback]


def caveats(found: Resolvers) -> list[str]:
    return [each.id for each in found.caveats]


def only(found: Resolvers) -> Resolver:
    ((one,),) = found.needed
    return one


# ------------------------------------------------------------------ pods behind a Service


def test_pods_behind_the_service_that_platforms_ship() -> None:
    found = asked(coredns(), service(), config("kubeadm-config"))
    one = only(found)
    assert (one.id, one.kind, one.service) == (
        "kube-system/kube-dns",
        ResolverKind.SERVICE,
        ("kube-system", "kube-dns"),
    )
    assert [str(each) for each in one.workloads] == ["kube-system/coredns"]
    assert (one.addresses, one.port, one.service_port) == ((VIP,), 53, 53)
    assert (one.assumed, one.protocols, one.component) == (
        False,
        ("UDP", "TCP"),
        "dns-coredns-kubeadm",
    )
    assert one.is_pods
    assert one.span is not None
    assert found.why == one.why == "Service kube-system/kube-dns is the cluster's resolver"
    assert caveats(found) == []


def test_the_address_that_kubelets_hand_out_says_which_service() -> None:
    mine = {"app": "unbound"}
    found = asked(
        coredns(),
        service(),
        kubelet("10.96.0.99"),
        workload("unbound", namespace="net", labels=mine),
        service("names", "net", "10.96.0.99", mine),
    )
    assert only(found).id == "net/names"
    assert found.why.endswith(" hands out 10.96.0.99, the address of Service net/names")


def test_a_named_port_is_that_of_the_pods() -> None:
    labels = {"dns.operator.openshift.io/daemonset-dns": "default"}
    ports = [
        {"name": "dns", "containerPort": 5353, "protocol": "UDP"},
        {"name": "dns-tcp", "containerPort": 5353, "protocol": "TCP"},
    ]
    pods = workload(
        "dns-default",
        container("dns", "coredns:1", ports=ports),
        namespace="openshift-dns",
        labels=labels,
    )
    front = service("dns-default", "openshift-dns", "172.30.0.10", labels, "dns")
    one = only(asked(pods, front))
    assert (one.id, one.port, one.component) == (
        "openshift-dns/dns-default",
        5353,
        "dns-openshift",
    )
    # Without its pods the port is the one it is shipped with, and that is said.
    unseen = asked(front)
    assert only(unseen).port == 5353
    assert caveats(unseen) == ["DNS_PODS_UNSEEN"]
    assert only(unseen).pod_labels == labels


def test_the_chart_elsewhere_is_found_by_its_labels() -> None:
    labels = {"k8s-app": "coredns", "app.kubernetes.io/name": "coredns"}
    pods = coredns("dns", **labels)
    one = only(asked(pods, service("core-coredns", "dns", None, labels)))
    assert (one.id, one.component) == ("dns/core-coredns", "dns-coredns-helm")
    assert one.addresses == ()
    udp = asked(pods, service("core-coredns", "dns", None, labels, protocols=["UDP"]))
    assert only(udp).protocols == ("UDP",)


def test_rke2_calls_its_service_otherwise() -> None:
    labels = {"k8s-app": "kube-dns", "app.kubernetes.io/name": "rke2-coredns"}
    pods = workload("rke2-coredns-rke2-coredns", kind="Deployment", labels=labels)
    one = only(
        asked(pods, service("rke2-coredns-rke2-coredns", address="10.43.0.10", selector=labels))
    )
    assert (one.id, one.component) == ("kube-system/rke2-coredns-rke2-coredns", "dns-coredns-rke2")


def test_pods_without_a_service_answer_all_the_same() -> None:
    found = asked(coredns())
    one = only(found)
    assert (one.id, one.service, one.addresses) == ("kube-system/coredns", None, ())
    assert "no Service of it was read" in one.why


def test_two_that_look_like_it_are_unclear() -> None:
    labels = {"k8s-app": "coredns"}
    pods = [coredns(n, **labels, **{"app.kubernetes.io/name": "coredns"}) for n in ("a", "b")]
    fronts = [service("coredns", n, None, labels) for n in ("a", "b")]
    found = asked(*pods, *fronts)
    assert ids(found) == ([], ["a/coredns", "b/coredns"], [])
    assert caveats(found) == ["DNS_SEVERAL"]


def test_other_services_on_the_port_are_not_the_clusters() -> None:
    other = workload("pihole", namespace="home", labels={"app": "pihole"})
    front = service("pihole", "home", "10.96.0.77", {"app": "pihole"})
    assert only(asked(coredns(), service(), other, front)).id == "kube-system/kube-dns"
    headless = service("kube-dns", address="None")
    assert only(asked(coredns(), headless)).service is None


# ------------------------------------------------------------------ caches on the nodes


def test_a_cache_takes_the_address_of_the_service_where_kube_proxy_has_iptables() -> None:
    found = asked(coredns(), service(), node_local("-localip", f"{LOCAL},{VIP}", "-conf", "x"))
    assert ids(found) == (
        [["kube-system/kube-dns on the own node"]],
        [LOCAL],
        ["kube-system/kube-dns"],
    )
    one = only(found)
    assert (one.kind, one.addresses, one.service, one.is_pods) == (
        ResolverKind.NODE_CACHE,
        (VIP,),
        None,
        False,
    )
    assert caveats(found) == ["DNS_CACHE_UNCLEAR"]
    assert [each.id for each in found.upstream] == ["kube-system/kube-dns"]
    # The kubelets' configuration settles it.
    settled = asked(coredns(), service(), node_local(f"-localip={LOCAL},{VIP}"), kubelet(VIP))
    assert ids(settled)[:2] == ([["kube-system/kube-dns on the own node"]], [])
    assert caveats(settled) == []


def test_a_cache_with_its_own_address_alone_is_what_pods_are_told() -> None:
    found = asked(coredns(), service(), node_local("-localip", LOCAL))
    assert ids(found) == ([[LOCAL]], [], [])
    assert only(found).addresses == (LOCAL,)
    assert not only(found).assumed
    # Pods that are told the Service's address go to the pods behind it.
    told = asked(coredns(), service(), node_local("-localip", LOCAL), kubelet(VIP))
    assert only(told).kind is ResolverKind.SERVICE
    there = asked(coredns(), service(), node_local("-localip", f"{LOCAL},{VIP}"), kubelet(LOCAL))
    assert only(there).addresses == (LOCAL,)


def test_another_local_address_is_as_good() -> None:
    assert only(asked(coredns(), service(), node_local("-localip", "169.254.25.10"))).addresses == (
        "169.254.25.10",
    )


def test_a_cache_that_does_not_say_where_it_answers_is_unclear() -> None:
    found = asked(coredns(), service(), node_local("-localip", "__PILLAR__LOCAL__DNS__"))
    assert ids(found) == (
        [],
        ["kube-system/kube-dns on the own node", LOCAL],
        ["kube-system/kube-dns"],
    )
    assert all(each.assumed for each in found.perhaps)
    assert caveats(found) == ["DNS_CACHE_UNCLEAR"]


def redirect() -> Manifest:
    ports = [{"port": "53", "name": p.lower(), "protocol": p} for p in ("UDP", "TCP")]
    return {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumLocalRedirectPolicy",
        "metadata": {"name": "nodelocaldns", "namespace": "kube-system"},
        "spec": {
            "redirectFrontend": {
                "serviceMatcher": {"serviceName": "kube-dns", "namespace": "kube-system"}
            },
            "redirectBackend": {
                "localEndpointSelector": {"matchLabels": {"k8s-app": "node-local-dns"}},
                "toPorts": ports,
            },
        },
    }


def test_a_redirect_leads_to_pods_of_the_cache() -> None:
    cache = node_local("-localip", f"{LOCAL},{VIP}", host=False)
    session = read(coredns(), service(), cache, redirect(), profile="cilium@1.19")
    found = cluster_resolvers(session.seen, UNKNOWN)
    one = only(found)
    assert (one.kind, one.is_pods, one.port) == (ResolverKind.REDIRECT, True, 53)
    assert [str(each) for each in one.workloads] == ["kube-system/node-local-dns"]
    assert one.pod_labels == {"k8s-app": "node-local-dns"}
    assert [each.id for each in found.fallback] == ["kube-system/kube-dns"]
    # Without the object it is unclear where pods go.
    unclear = asked(coredns(), service(), cache)
    assert ids(unclear) == ([], ["dns-nodelocal-lrp", "kube-system/kube-dns"], [])
    assert caveats(unclear) == ["DNS_CACHE_UNCLEAR"]


def test_a_node_takes_no_packet_that_is_translated_in_the_pod() -> None:
    settings = config("cilium-config", kube_proxy_replacement="true")
    cache = node_local("-localip", f"{LOCAL},{VIP}")
    assert only(asked(coredns(), service(), cache, settings)).kind is ResolverKind.SERVICE


# ------------------------------------------------------------------ providers


def test_gke_cloud_dns_is_an_address_and_no_pod() -> None:
    found = asked(GKE, coredns(), service(), kubelet("169.254.169.254"))
    one = only(found)
    assert (one.kind, one.addresses, one.component) == (
        ResolverKind.CLOUD,
        ("169.254.169.254",),
        "dns-gke-cloud-dns",
    )
    assert not one.assumed
    assert caveats(found) == []
    said = asked(GKE, coredns(), service(), said={"dns-gke-cloud-dns": Placed()})
    assert only(said).kind is ResolverKind.CLOUD
    assert only(said).why.startswith("as cloison.yaml says")


def test_on_gke_pods_of_kube_dns_may_be_there_for_nothing() -> None:
    assert caveats(asked(GKE, coredns(), service())) == ["DNS_OF_PROVIDER"]
    assert caveats(asked(GKE, coredns(), service(), kubelet(VIP))) == []


def test_the_cache_of_gke_shows_in_a_label_of_nodes() -> None:
    ready = node(labels={"addon.gke.io/node-local-dns-ds-ready": "true"})
    found = asked(ready, coredns(), service())
    assert ids(found)[1] == ["kube-system/kube-dns on the own node", LOCAL]
    v2 = asked(ready, coredns(), service(), workload("anetd"))
    assert (only(v2).kind, only(v2).assumed) == (ResolverKind.REDIRECT, True)
    assert caveats(v2) == ["DNS_CACHE_UNCLEAR"]


def test_aks_local_dns_is_on_the_node() -> None:
    found = asked(AKS, coredns(), service(), kubelet("169.254.10.11"))
    one = only(found)
    assert (one.kind, one.addresses, one.component) == (
        ResolverKind.NODE_CACHE,
        ("169.254.10.11",),
        "dns-aks-localdns",
    )
    assert caveats(asked(AKS, coredns(), service())) == ["DNS_OF_PROVIDER"]
    automatic = asked(platform=Platform("aks-automatic"))
    assert only(automatic).addresses == ("169.254.10.10", "169.254.10.11")
    assert caveats(automatic) == ["DNS_ASSUMED"]


def test_nodes_of_eks_auto_mode_answer_themselves() -> None:
    auto = node(labels={"eks.amazonaws.com/compute-type": "auto"})
    found = asked(auto, service())
    assert (only(found).kind, only(found).addresses, only(found).assumed) == (
        ResolverKind.NODE_CACHE,
        (VIP,),
        True,
    )
    assert caveats(found) == ["DNS_ON_NODE"]
    mixed = asked(auto, service(), coredns())
    assert ids(mixed) == ([], ["eks-auto", "kube-system/kube-dns"], [])


# ------------------------------------------------------------------ nothing read


def test_without_any_resolver_the_common_ones_are_assumed_and_said() -> None:
    found = asked()
    (group,) = found.needed
    assert [one.id for one in group] == [
        "dns-coredns-kubeadm",
        "dns-openshift",
        "dns-nodelocal",
        "dns-gke-cloud-dns",
        "dns-aks-localdns",
    ]
    assert all(one.assumed and not one.workloads for one in group)
    assert caveats(found) == ["DNS_ASSUMED"]
    first, second = group[:2]
    assert (first.namespace, first.pod_labels) == ("kube-system", {"k8s-app": "kube-dns"})
    assert (second.namespace, second.port) == ("openshift-dns", 5353)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kind", ["dns-coredns-kubeadm"]),
        ("okd", ["dns-openshift"]),
        ("rke2", ["dns-coredns-rke2"]),
        ("eks", ["dns-coredns-eks"]),
        ("aks", ["dns-coredns-aks", "dns-aks-localdns"]),
        ("gke", ["dns-kubedns-gke", "dns-nodelocal", "dns-gke-cloud-dns"]),
        ("gke-dataplane-v2", ["dns-kubedns-gke", "dns-nodelocal-lrp", "dns-gke-cloud-dns"]),
    ],
)
def test_a_platform_that_is_known_ships_its_own(name: str, expected: list[str]) -> None:
    found = asked(platform=Platform(name))
    assert ids(found)[0] == [expected]
    assert found.why.startswith("no resolver was read; this one is assumed, since")


def test_what_is_nowhere_is_not_assumed() -> None:
    found = asked(platform=Platform("aks"), said={"dns-aks-localdns": None})
    assert only(found).id == "dns-coredns-aks"
    none = asked(platform=Platform("eks"), said={"dns-coredns-eks": None})
    assert (none.needed, caveats(none)) == ((), ["DNS_ASSUMED"])


def test_where_the_caller_says_it_is() -> None:
    labels = {"app": "unbound"}
    said = {"dns-coredns-helm": Placed("net", labels)}
    unseen = asked(said=said)
    assert (only(unseen).namespace, only(unseen).pod_labels) == ("net", labels)
    assert caveats(unseen) == ["DNS_PODS_UNSEEN"]
    pods = workload("unbound", namespace="net", labels=labels)
    front = service("names", "net", "10.96.0.99", labels)
    assert only(asked(coredns(), service(), pods, front, said=said)).id == "net/names"


# ------------------------------------------------------------------ the pod's own say


def shape(policy: str = "ClusterFirst", *servers: str, host: bool = False) -> PodShape:
    return PodShape({}, host_network=host, runtime=Runtime((), policy, servers))


def test_a_pod_may_name_its_own_servers() -> None:
    here = world(coredns(), service())
    found = resolvers(here, UNKNOWN, shape("None", "10.9.9.9", "::1:9", "x", VIP))
    ((first, second, third),) = found.needed
    assert (first.kind, first.addresses, first.port) == (ResolverKind.ADDRESS, ("10.9.9.9",), 53)
    assert second.addresses == ("::1:9",)
    assert third.id == "kube-system/kube-dns"
    assert not first.assumed
    assert resolvers(here, UNKNOWN, shape("None")).needed == ()


def test_servers_beside_the_clusters_come_after_it() -> None:
    found = resolvers(world(coredns(), service()), UNKNOWN, shape("ClusterFirst", "10.9.9.9"))
    assert ids(found) == ([["kube-system/kube-dns"]], [], ["10.9.9.9"])


@pytest.mark.parametrize(
    "pod", [shape("Default"), shape("ClusterFirst", host=True), shape("Default", host=True)]
)
def test_some_pods_ask_what_their_node_asks(pod: PodShape) -> None:
    found = resolvers(world(coredns(), service()), UNKNOWN, pod)
    assert found.needed == ()
    (one,) = found.perhaps
    assert (one.kind, one.addresses, one.assumed) == (ResolverKind.NODE, (), True)
    assert caveats(found) == ["DNS_OF_NODE"]


def test_a_host_network_pod_may_ask_the_cluster() -> None:
    pod = shape("ClusterFirstWithHostNet", host=True)
    assert only(resolvers(world(coredns(), service()), UNKNOWN, pod)).id == "kube-system/kube-dns"
    bare = PodShape({})
    assert only(resolvers(world(coredns(), service()), UNKNOWN, bare)).id == "kube-system/kube-dns"


def test_what_is_found_once_is_used_again() -> None:
    here = world(coredns(), service())
    cluster = cluster_resolvers(here, UNKNOWN)
    assert resolvers(here, UNKNOWN, shape(), cluster=cluster) is cluster


# ------------------------------------------------------------------ kubelets


@pytest.mark.parametrize(
    "written",
    [
        "clusterDNS:\n- 10.96.0.10\nx: y\n",
        "a: b\nclusterDNS:\n  - 10.96.0.10\n  - fd00:10:96::a\n",
        "clusterDNS: [10.96.0.10]\n",
        'clusterDNS: ["10.96.0.10", "fd00:10:96::a"]\n',
        '{\n  "clusterDNS": [\n    "10.96.0.10"\n  ],\n  "a": 1\n}',
    ],
)
def test_what_kubelets_hand_out_is_read_in_every_form(written: str) -> None:
    found = asked(coredns(), service(), config("kubelet-config-1.31", kubelet=written))
    assert found.why.startswith("ConfigMap kube-system/kubelet-config-1.31 hands out 10.96.0.10")


@pytest.mark.parametrize(
    "other",
    [
        config("kubelet-config", kubelet="clusterDNS: 7\n"),
        config("kubelet-config", kubelet="clusterDNS:\n- nowhere\n"),
        config("kubelet-config", other="clusterDNS: [10.9.9.9]\n"),
        config("kubelet-config", "default", kubelet="clusterDNS: [169.254.169.254]\n"),
        config("other", kubelet="clusterDNS: [169.254.169.254]\n"),
        config("kubelet-config", kubelet="clusterDNS:" + "\n- x" * 20_000),
    ],
)
def test_what_is_no_such_configuration_is_passed_over(other: Manifest) -> None:
    assert only(asked(coredns(), service(), other)).kind is ResolverKind.SERVICE


def test_an_address_of_no_service_that_was_read_is_that_of_what_is_assumed() -> None:
    found = asked(kubelet("10.43.0.10"), platform=Platform("rke2"))
    assert (only(found).id, only(found).addresses) == ("dns-coredns-rke2", ("10.43.0.10",))
    assert caveats(found) == ["DNS_ASSUMED"]
