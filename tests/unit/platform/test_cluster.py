"""What platform the input is from."""

from typing import Any

import pytest

from cloison.base import QuestionError
from cloison.platform.cluster import UNKNOWN, Platform, platform_names, platform_of
from tests.support.platforms import config, crd, node, workload, world

Manifest = dict[str, Any]


def namespace(name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


@pytest.mark.parametrize(
    ("objects", "name", "chosen"),
    [
        (
            [node(labels={"eks.amazonaws.com/nodegroup": "a"})],
            "eks",
            "detected from label eks.amazonaws.com/nodegroup of Node n1",
        ),
        (
            [node(labels={"eks.amazonaws.com/compute-type": "auto"})],
            "eks-auto",
            "detected from label eks.amazonaws.com/compute-type=auto of Node n1",
        ),
        ([node(labels={"cloud.google.com/gke-nodepool": "a"})], "gke", None),
        (
            [node(labels={"cloud.google.com/gke-nodepool": "a"}), workload("anetd")],
            "gke-dataplane-v2",
            "detected from DaemonSet kube-system/anetd",
        ),
        ([node(labels={"kubernetes.azure.com/cluster": "a"})], "aks", None),
        ([node(labels={"k3s.io/hostname": "a"})], "k3s", None),
        ([node(labels={"node.kubernetes.io/instance-type": "rke2"})], "rke2", None),
        ([node(provider="rke2://a")], "rke2", None),
        ([node(provider="k3s://a")], "k3s", None),
        (
            [node(provider="kind://docker/kind/kind-control-plane"), config("kubeadm-config")],
            "kind",
            "detected from providerID kind://... of Node n1",
        ),
        ([node(labels={"minikube.k8s.io/name": "a"}), config("kubeadm-config")], "minikube", None),
        ([config("kubeadm-config")], "kubeadm", None),
        ([node(labels={"kops.k8s.io/instancegroup": "a"})], "kops", None),
        ([crd("dnses.operator.openshift.io")], "openshift", None),
        ([namespace("openshift-dns")], "openshift", "detected from Namespace openshift-dns"),
        ([node(labels={"node.openshift.io/os_id": "rhcos"})], "openshift", None),
    ],
)
def test_what_gives_a_platform_away(objects: list[Manifest], name: str, chosen: str | None) -> None:
    seen = platform_of(world(*objects))
    assert (seen.name, seen.names, seen.said) == (name, (name,), False)
    assert all(each.span is not None for each in seen.evidence)
    if chosen is not None:
        assert seen.chosen == chosen


@pytest.mark.parametrize(
    ("name", "platform", "provider"),
    [
        ("aks-nodepool1-12345678-vmss000000", "aks", "azure"),
        ("gke-web-default-pool-1a2b3c4d-x9z1", "gke", "gcp"),
        ("ip-10-0-1-22.eu-west-1.compute.internal", None, "aws"),
        ("ip-10-0-1-22.ec2.internal", None, "aws"),
        ("kind-worker2", "kind", None),
        ("minikube", "minikube", None),
        ("gke-mine", None, None),
        ("web-worker", None, None),
    ],
)
def test_pods_say_the_names_of_their_nodes(
    name: str, platform: str | None, provider: str | None
) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "a"},
        "spec": {"nodeName": name, "containers": [{"name": "a", "image": "a"}]},
    }
    seen = platform_of(world(pod))
    assert (seen.name, seen.provider) == (platform, provider)
    if platform is not None:
        assert seen.chosen == f"detected from the name of Node {name}"


@pytest.mark.parametrize(
    "objects",
    [
        [],
        [node(labels={"node-role.kubernetes.io/control-plane": ""})],
        [node(labels={"cloud.google.com": "a", "node.kubernetes.io/instance-type": "m5"})],
        [config("kubeadm-config", "other")],
        [workload("anetd", namespace="other")],
    ],
)
def test_what_gives_none_away(objects: list[Manifest]) -> None:
    assert platform_of(world(*objects)) == UNKNOWN
    assert UNKNOWN.chosen == "not detected"


def test_what_contradicts_itself_is_said_and_none_is_chosen() -> None:
    nodes = (
        node("a", {"k3s.io/hostname": "a"}),
        node("b", {"kops.k8s.io/kops-controller-pki": ""}),
    )
    seen = platform_of(world(*nodes))
    assert (seen.name, seen.names, seen.chosen) == (None, ("k3s", "kops"), "unclear: k3s or kops")
    assert len(seen.evidence) == 2


def test_many_nodes_say_one_thing_once() -> None:
    nodes = [node(f"n{number}", {"k3s.io/hostname": f"n{number}"}) for number in range(9)]
    assert len(platform_of(world(*nodes)).evidence) == 1


def test_whose_machines_they_are_is_no_platform() -> None:
    seen = platform_of(world(node(provider="aws:///eu-west-1a/i-0")))
    assert (seen.name, seen.provider) == (None, "aws")
    assert seen.is_a("aws")
    assert not seen.is_a("eks")
    both = platform_of(world(node("a", provider="aws://a"), node("b", provider="gce://b")))
    assert both.provider is None


def test_a_platform_is_what_it_is_a_case_of() -> None:
    platform = Platform("gke-autopilot", provider="gcp")
    assert all(platform.is_a(name) for name in ("gke-autopilot", "gke-dataplane-v2", "gke", "gcp"))
    assert not platform.is_a("aks")
    assert not UNKNOWN.is_a("gke")


def test_the_caller_counts_over_everything() -> None:
    seen = platform_of(world(node(labels={"k3s.io/hostname": "a"})), "eks")
    assert (seen.name, seen.said, seen.chosen, seen.provider) == (
        "eks",
        True,
        "cloison.yaml",
        "aws",
    )
    assert [each.of for each in seen.evidence] == ["k3s"]
    with pytest.raises(QuestionError) as raised:
        platform_of(world(), "eksx")
    assert ", ".join(platform_names()) in str(raised.value.help)
