"""Who enforces, by the agents on the nodes and what they are set to."""

from typing import Any

import pytest

from cloison.platform import NO_ENFORCER, detect, profile
from cloison.platform.cluster import platform_of
from cloison.platform.enforcers import Enforcer, enforcers, enforcing
from tests.support.platforms import config, container, crd, node, read, workload, world

Manifest = dict[str, Any]
AGENT = "aws-eks-nodeagent"
AWS_NODE = "detected from DaemonSet kube-system/aws-node"
KUBE_FLANNEL = "detected from DaemonSet kube-system/kube-flannel-ds"


def calico(image: str = "calico/node:v3.32.1", *more: Manifest) -> Manifest:
    return workload(
        "calico-node", container("calico-node", image), *more, namespace="calico-system"
    )


def aws(*arguments: str, agent: bool = True) -> Manifest:
    beside = [container(AGENT, "network-policy-agent:v1.2.1", *arguments)] if agent else []
    return workload("aws-node", container("aws-node", "amazon-k8s-cni:v1.19.0-eks.1"), *beside)


def kindnet(image: str) -> Manifest:
    return workload("kindnet", container("kindnet-cni", image))


FLANNEL = workload("kube-flannel-ds", container("kube-flannel", "flannel:v0.26.1"))
AUTO = node(labels={"eks.amazonaws.com/compute-type": "auto"})
K3S = node(labels={"k3s.io/hostname": "a"})


def found(*objects: Manifest) -> tuple[Enforcer, ...]:
    here = world(*objects)
    return enforcers(here, platform_of(here))


@pytest.mark.parametrize(
    ("objects", "name", "judged_by", "enforces", "version"),
    [
        ([calico()], "calico", "calico", True, "3.32.1"),
        ([calico("registry.test:5000/calico/node:v3.30.1-1")], "calico", "calico@3.31", True, None),
        ([calico("calico/node:v3.9.0")], "calico", "calico@3.31", True, "3.9.0"),
        ([calico("calico/node@sha256:0")], "calico", "calico", True, None),
        # Canal: Calico's agent enforces what Flannel moves.
        (
            [calico("calico/node:v3.32.0", container("kube-flannel"))],
            "calico",
            "calico",
            True,
            None,
        ),
        ([FLANNEL], "flannel", "flannel", False, "0.26.1"),
        (
            [workload("x", container("cilium-agent", "cilium:v1.19.4"))],
            "cilium",
            "cilium@1.19",
            True,
            "1.19.4",
        ),
        (
            [workload("anetd", container("cilium-agent", "cilium:v1.14.0-gke.1"))],
            "gke-dataplane-v2",
            "gke-dataplane-v2",
            True,
            None,
        ),
        ([aws("--enable-network-policy=true")], "aws-vpc-cni", "aws-vpc-cni", True, "1.19.0"),
        ([aws("--enable-network-policy=false")], "aws-vpc-cni", "aws-vpc-cni", False, None),
        ([aws(agent=False)], "aws-vpc-cni", "aws-vpc-cni", False, None),
        ([aws()], "aws-vpc-cni", "aws-vpc-cni", None, None),
        (
            [
                aws("--enable-network-policy=true"),
                config("amazon-vpc-cni", enable_network_policy_controller="false"),
            ],
            "aws-vpc-cni",
            "aws-vpc-cni",
            None,
            None,
        ),
        ([workload("azure-npm", container("azure-npm"))], "azure-npm", "azure-npm", True, None),
        ([workload("antrea-agent", container("antrea-agent"))], "antrea", "antrea", True, None),
        (
            [workload("ovnkube-node", container("ovnkube-controller"))],
            "ovn-kubernetes",
            "ovn-kubernetes",
            True,
            None,
        ),
        ([workload("kr", container("kube-router"))], "kube-router", "kube-router", True, None),
        (
            [workload("kr", container("kube-router", "", "--run-firewall=false"))],
            "kube-router",
            "kube-router",
            False,
            None,
        ),
        ([workload("weave-net", container("weave"))], "weave", None, False, None),
        (
            [workload("weave-net", container("weave"), container("weave-npc"))],
            "weave",
            None,
            True,
            None,
        ),
        (
            [kindnet("kindest/kindnetd:v20240813-c6f155d6")],
            "kindnet",
            "kube-network-policies",
            True,
            None,
        ),
        ([kindnet("kindest/kindnetd:v20240513-cd2ac642")], "kindnet", None, False, None),
        ([kindnet("kindest/kindnetd:v20240701-00000000")], "kindnet", None, None, None),
        ([kindnet("kindest/kindnetd:latest")], "kindnet", None, None, None),
        ([kindnet("aojea/kindnetd:v1.8.0")], "kindnet", "kube-network-policies", True, "1.8.0"),
        ([kindnet("aojea/kindnetd:v1.2.1")], "kindnet", None, False, None),
        (
            [workload("x", container("main", "npwg/kube-network-policies:v1.1.0"))],
            "kube-network-policies",
            "kube-network-policies",
            True,
            None,
        ),
        ([workload("kube-ovn-cni", container("cni-server"))], "kube-ovn", None, True, None),
        ([K3S], "kube-router", "kube-router", True, None),
        ([AUTO], "aws-vpc-cni", "aws-vpc-cni", None, None),
        (
            [AUTO, config("amazon-vpc-cni", enable_network_policy_controller="true")],
            "aws-vpc-cni",
            "aws-vpc-cni",
            True,
            None,
        ),
    ],
)
def test_an_agent_and_what_it_is_set_to(
    objects: list[Manifest],
    name: str,
    judged_by: str | None,
    enforces: object,
    version: str | None,
) -> None:
    (only,) = found(*objects)
    assert (only.id, only.profile, only.enforces) == (name, judged_by, enforces)
    assert only.why
    assert only.source
    assert all(each.span is not None for each in only.evidence)
    if version is not None:
        assert only.version == version
    if judged_by is not None:
        assert profile(judged_by).name.startswith(judged_by)


@pytest.mark.parametrize(
    ("trace", "name"),
    [
        (crd("felixconfigurations.crd.projectcalico.org"), "calico@3.32"),
        (crd("tiers.projectcalico.org"), "calico@3.32"),
        (crd("ciliumendpoints.cilium.io"), "cilium@1.20"),
        (crd("egressips.k8s.ovn.org"), "ovn-kubernetes"),
        (crd("tiers.crd.antrea.io"), "antrea"),
        (config("calico-config"), "calico@3.32"),
        (config("canal-config"), "calico@3.32"),
    ],
)
def test_traces_of_a_product_whose_agent_was_not_read(trace: Manifest, name: str) -> None:
    (only,) = found(trace)
    assert (only.enforces, [each.id for each in only.caveats]) == (None, ["MAY_NOT_ENFORCE"])
    session = read(trace)
    assert session.profile.name == name
    assert "MAY_NOT_ENFORCE" in {each.id for each in session.profile.known}
    # An agent says more, and what a platform brings says less.
    assert [each.id for each in found(trace, FLANNEL)] == ["flannel"]
    assert [each.profile for each in found(trace, K3S)] == [only.profile]


def test_objects_that_a_product_reads_say_more_than_traces() -> None:
    kinds = {("projectcalico.org", "GlobalNetworkPolicy")}
    seen = detect(kinds, None, found(crd("ciliumendpoints.cilium.io")))
    assert seen is not None
    assert seen.profile.name == "calico@3.32"


def test_traces_of_two_are_unclear() -> None:
    both = (crd("tiers.crd.antrea.io"), config("calico-config"))
    assert [each.id for each in found(*both)] == ["antrea", "calico"]
    assert read(*both).settings.profile_chosen == "default"


def test_what_a_platform_brings_without_an_object_is_assumed() -> None:
    (only,) = found(K3S)
    assert only.assumed
    assert [each.id for each in only.caveats] == ["CNI_OF_PLATFORM"]
    (seen,) = found(K3S, calico())
    assert (seen.id, seen.assumed) == ("calico", False)


@pytest.mark.parametrize(
    ("written", "name", "enforces"),
    [("OVNKubernetes", "ovn-kubernetes", True), ("Kuryr", "kuryr", None)],
)
def test_openshift_names_its_network(written: str, name: str, enforces: object) -> None:
    network = {
        "apiVersion": "config.openshift.io/v1",
        "kind": "Network",
        "metadata": {"name": "cluster"},
        "spec": {"networkType": written},
    }
    (only,) = found(network)
    assert (only.id, only.enforces) == (name, enforces)
    assert only.evidence[0].shown == f"Network cluster ({written})"


def test_two_that_say_different_things_are_unclear() -> None:
    both = [
        workload(n, container("cilium-agent", f"c:v1.{v}.0")) for n, v in (("a", 18), ("b", 19))
    ]
    (only,) = found(*both)
    assert (only.profile, only.version, only.enforces) == (None, None, True)
    assert len(only.evidence) == 2


def test_who_does_counts_before_who_may() -> None:
    agents = found(aws("--enable-network-policy=false"), calico(), kindnet("k:latest"))
    assert [each.id for each in enforcing(agents)] == ["calico"]
    assert [each.id for each in enforcing(found(kindnet("k:latest")))] == ["kindnet"]
    assert enforcing(found(FLANNEL)) == ()


@pytest.mark.parametrize(
    ("objects", "name", "chosen"),
    [
        (
            [calico("calico/node:v3.30.2")],
            "calico@3.31",
            "detected from DaemonSet calico-system/calico-node (3.30.2)",
        ),
        (
            [aws("--enable-network-policy=false"), calico()],
            "calico@3.32",
            "detected from DaemonSet calico-system/calico-node (3.32.1)",
        ),
        (
            [aws("--enable-network-policy=true")],
            "aws-vpc-cni",
            f"{AWS_NODE} (1.19.0)",
        ),
        (
            [aws("--enable-network-policy=false")],
            NO_ENFORCER,
            f"{AWS_NODE} (1.19.0), its agent runs with --enable-network-policy=false",
        ),
        (
            [FLANNEL],
            "flannel",
            f"{KUBE_FLANNEL} (0.26.1), Flannel moves packets and reads no policies",
        ),
        (
            [workload("weave-net", container("weave-npc"))],
            "generic",
            "detected from DaemonSet kube-system/weave-net: Weave Net, which has no profile here",
        ),
        ([K3S], "kube-router", "detected from platform k3s (label k3s.io/hostname of Node n1)"),
        ([calico(), workload("antrea-agent", container("antrea-agent"))], "generic", "default"),
        ([node()], "generic", "default"),
    ],
)
def test_a_session_says_what_was_chosen_and_why(
    objects: list[Manifest], name: str, chosen: str
) -> None:
    session = read(*objects)
    assert (session.profile.name, session.settings.profile_chosen) == (name, chosen)
    assert read(*objects, profile="auto").settings.profile_chosen == chosen
    assert read(*objects, profile="antrea").settings.profile_chosen == "profile="


def test_agents_are_told_whatever_else_is_kept_of_pods() -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "calico-node-x",
            "namespace": "kube-system",
            "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "ds", "controller": True}
            ],
        },
        "spec": {"containers": [container("calico-node", "calico/node:v3.32.0")]},
    }
    other = workload("web", kind="Deployment")
    for objects in ([calico()], [pod]):
        session = read(*objects, other, runtime=False)
        assert session.profile.name == "calico@3.32"
        kept = {w.id.name: w.endpoints[0].shape.runtime for w in session.world.workloads.values()}
        assert kept.pop("web") is None
        assert all(kept.values())


def test_answers_carry_what_is_not_known_of_who_enforces() -> None:
    caveats = {
        "UNPROFILED_CNI": [workload("weave-net", container("weave-npc"))],
        "MAY_NOT_ENFORCE": [aws()],
        "CNI_OF_PLATFORM": [K3S],
    }
    for name, objects in caveats.items():
        assert name in {each.id for each in read(*objects).profile.known}


def test_where_nobody_enforces_everything_is_allowed() -> None:
    deny = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny", "namespace": "a"},
        "spec": {"podSelector": {}},
    }
    pods = [workload(name, kind="Deployment", namespace="a") for name in ("x", "y")]
    assert read(deny, *pods).verdict("a/x", "a/y", port=80).value == "denied"
    off = read(deny, *pods, aws("--enable-network-policy=false"))
    assert off.verdict("a/x", "a/y", port=80).value == "allowed"


def test_objects_of_cilium_are_read_by_what_is_built_on_it() -> None:
    (anetd,) = found(workload("anetd", container("cilium-agent")))
    kinds = {("cilium.io", "CiliumClusterwideNetworkPolicy")}
    seen = detect(kinds, None, (anetd,))
    assert seen is not None
    assert seen.profile.name.startswith("cilium@")
    assert detect({("projectcalico.org", "GlobalNetworkPolicy")}, None, found(FLANNEL)) is not None
