"""Agents on the nodes that enforce policies, and what each of them is set to.

They are told by the containers of DaemonSets, since whoever installs one may call it otherwise.
What one is set to comes from its arguments, its image and its ConfigMaps.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cloison.platform import caveats as own
from cloison.platform.cilium import VERSIONS
from cloison.platform.cluster import Platform
from cloison.platform.configs import setting
from cloison.platform.enforcer import Enforcer
from cloison.platform.evidence import Evidence
from cloison.resources.runtime import Container
from cloison.resources.world import Workload, World

_TAG: Final = re.compile(r":v?(\d{1,8}(?:\.\d{1,5}){0,3})(?![\w.])")
_LARGEST_RELEASE: Final = 1000
"""Larger numbers at the start of a tag are dates: `v20240813-c6f155d6`."""
_SINCE_KIND: Final[tuple[int, ...]] = (20240813,)
"""The kindnet of the first kind release where it enforces (0.24)."""
_LAST_IN_KIND: Final[tuple[int, ...]] = (20240513,)
"""That of the release before (0.23)."""
_SINCE_OWN: Final[tuple[int, ...]] = (1, 3)
"""The first release of kindnet's own that enforces."""
_LAST_OWN: Final[tuple[int, ...]] = (1, 2, 99)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A DaemonSet that may be an agent, by its containers.

    Args:
        workload: It.
        containers: Its containers, by name.
        images: Last parts of the names of their images.
        world: What the cluster holds.
        platform: What it is.
    """

    workload: Workload
    containers: Mapping[str, Container]
    images: frozenset[str]
    world: World
    platform: Platform

    def arguments(self, *containers: str) -> tuple[str, ...]:
        """Return the arguments of the first of some containers that is there."""
        for name in containers:
            if name in self.containers:
                return self.containers[name].arguments
        return ()

    def flag(self, name: str, *containers: str) -> bool | None:
        """Return a flag of such a container, None where no argument says it."""
        said = None
        for argument in self.arguments(*containers):
            key, _, value = argument.strip().partition("=")
            if key.lstrip("-") == name:
                said = value.strip().lower() in ("", "true", "1", "t")
        return said

    def version(self, *containers: str) -> str | None:
        """Return the version in the image's tag of the first of some containers."""
        for name in containers:
            if name in self.containers:
                last = self.containers[name].image.rpartition("/")[2].partition("@")[0]
                tag = _TAG.search(last)
                return tag[1] if tag else None
        return None

    def shown(self, version: str | None) -> str:
        """Return what to call it, with a version."""
        name = f"{self.workload.id.kind} {self.workload.id}"
        return f"{name} ({version})" if version else name

    def setting(self, namespace: str, config: str, key: str) -> str | None:
        """Return a setting of a ConfigMap, None where nothing says it."""
        return setting(self.world, namespace, config, key)


def agents(world: World, platform: Platform) -> Iterator[Enforcer]:
    """Yield the agents that DaemonSets run: of two installations of one, both.

    Args:
        world: What the cluster holds.
        platform: What it is.
    """
    for seen in _seen(world, platform):
        for tells, judge in _AGENTS:
            if tells(seen):
                yield judge(seen)
                break


def _seen(world: World, platform: Platform) -> Iterator[_Seen]:
    for name, workload in world.workloads.items():
        if name.kind != "DaemonSet":
            continue
        for endpoint in workload.endpoints[:1]:
            runtime = endpoint.shape.runtime
            if runtime is not None:
                containers = {each.name: each for each in runtime.containers}
                images = frozenset(
                    each.image.rpartition("/")[2].partition("@")[0].partition(":")[0]
                    for each in runtime.containers
                )
                yield _Seen(workload, MappingProxyType(containers), images, world, platform)


def _named(*containers: str) -> Callable[[_Seen], bool]:
    return lambda seen: any(name in seen.containers for name in containers)


def _image(*images: str) -> Callable[[_Seen], bool]:
    return lambda seen: not seen.images.isdisjoint(images)


def _one(
    seen: _Seen,
    name: str,
    title: str,
    profile: str | None,
    *,
    enforces: bool | None = True,
    why: str,
    source: str,
    version: str | None = None,
) -> Enforcer:
    evidence = Evidence(profile or name, seen.shown(version), seen.workload.span)
    caveats = [own.UNPROFILED_CNI] if profile is None and enforces is not False else []
    caveats += [own.MAY_NOT_ENFORCE] if enforces is None else []
    return Enforcer(
        name,
        title,
        profile,
        enforces,
        (evidence,),
        why,
        version,
        caveats=tuple(caveats),
        source=source,
    )


def _calico(seen: _Seen) -> Enforcer:
    version = seen.version("calico-node")
    old = version is not None and _numbers(version)[:2] < (3, 32)
    return _one(
        seen,
        "calico",
        "Calico",
        "calico@3.31" if old else "calico",
        why="calico-node programs policies on every node",
        source="projectcalico/calico manifests/calico.yaml",
        version=version,
    )


def _cilium(seen: _Seen) -> Enforcer:
    version = seen.version("cilium-agent")
    name = f"cilium@{nearest_cilium(version)}" if version else "cilium"
    azure = seen.platform.is_a("aks")
    return _one(
        seen,
        "cilium",
        "Azure CNI powered by Cilium" if azure else "Cilium",
        name,
        why="the Cilium agent enforces, as far as `enable-policy` says",
        source="Cilium documentation, Policy Enforcement Modes",
        version=version,
    )


def nearest_cilium(version: str) -> str:
    """Return the version of the Cilium profile that is nearest to a release."""
    wanted = _numbers(version)[:2]
    earlier = [each for each in VERSIONS if _numbers(each) <= wanted]
    return max(earlier, key=_numbers, default=min(VERSIONS, key=_numbers))


_AWS_AGENTS: Final = ("aws-eks-nodeagent", "aws-network-policy-agent")
_AWS_SOURCE: Final = "aws/amazon-vpc-cni-k8s charts/aws-vpc-cni; Amazon EKS User Guide"


def _aws(seen: _Seen) -> Enforcer:
    agent = any(name in seen.containers for name in _AWS_AGENTS)
    on = seen.flag("enable-network-policy", *_AWS_AGENTS)
    controller = seen.setting("kube-system", "amazon-vpc-cni", "enable-network-policy-controller")
    off = controller is not None and controller.strip().lower() == "false"
    enforces: bool | None
    if not agent:
        enforces, why = False, "its network policy agent is not installed"
    elif on is False:
        enforces, why = False, "its agent runs with --enable-network-policy=false"
    elif on is None:
        enforces, why = None, "no argument says whether its network policy agent is on"
    elif off:
        enforces, why = None, "its agent is on and its controller is off in amazon-vpc-cni"
    else:
        enforces, why = True, "its agent runs with --enable-network-policy=true"
    return _one(
        seen,
        "aws-vpc-cni",
        "Amazon VPC CNI",
        "aws-vpc-cni",
        enforces=enforces,
        why=why,
        source=_AWS_SOURCE,
        version=seen.version("aws-node"),
    )


def _kube_router(seen: _Seen) -> Enforcer:
    firewall = seen.flag("run-firewall", "kube-router")
    return _one(
        seen,
        "kube-router",
        "kube-router",
        "kube-router",
        enforces=firewall is not False,
        why="it runs with --run-firewall=false" if firewall is False else "its firewall is on",
        source="cloudnativelabs/kube-router docs/user-guide.md",
        version=seen.version("kube-router"),
    )


def _kindnet(seen: _Seen) -> Enforcer:
    version = seen.version("kindnet-cni", "kindnet", "kindnetd")
    number = _numbers(version) if version else ()
    dated = bool(number) and number[0] > _LARGEST_RELEASE
    since = _SINCE_KIND if dated else _SINCE_OWN
    last = _LAST_IN_KIND if dated else _LAST_OWN
    enforces: bool | None = None
    why = "no tag of its image says whether it is one that enforces"
    if number and number >= since:
        enforces, why = True, "it enforces since kind 0.24, and by itself since 1.3"
    elif number and number <= last:
        enforces, why = False, "this version moves packets and reads no policies"
    return _one(
        seen,
        "kindnet",
        "kindnet",
        "kube-network-policies" if enforces else None,
        enforces=enforces,
        why=why,
        source="kubernetes-sigs/kind issue 842 and pull request 3612; kubernetes/minikube "
        "issue 19871",
        version=version,
    )


def _weave(seen: _Seen) -> Enforcer:
    npc = "weave-npc" in seen.containers
    return _one(
        seen,
        "weave",
        "Weave Net",
        None,
        enforces=npc,
        why="weave-npc enforces" if npc else "weave-npc, which enforces, is not installed",
        source="weaveworks/weave site/kubernetes/kube-addon.md",
        version=seen.version("weave-npc", "weave"),
    )


def _simple(
    name: str, title: str, profile: str | None, container: str, why: str, source: str
) -> Callable[[_Seen], Enforcer]:
    def judge(seen: _Seen) -> Enforcer:
        version = seen.version(container)
        return _one(seen, name, title, profile, why=why, source=source, version=version)

    return judge


def _flannel(seen: _Seen) -> Enforcer:
    return _one(
        seen,
        "flannel",
        "Flannel",
        "flannel",
        enforces=False,
        why="Flannel moves packets and reads no policies",
        source="flannel-io/flannel README",
        version=seen.version("kube-flannel"),
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in version.split("."))


_AGENTS: Final[tuple[tuple[Callable[[_Seen], bool], Callable[[_Seen], Enforcer]], ...]] = (
    # Canal has kube-flannel beside calico-node, and charts put policy agents beside kube-flannel.
    (_named("calico-node"), _calico),
    (
        _image("kube-network-policies"),
        _simple(
            "kube-network-policies",
            "kube-network-policies",
            "kube-network-policies",
            "kube-network-policies",
            "its agent runs on every node",
            "kubernetes-sigs/kube-network-policies README",
        ),
    ),
    (
        lambda seen: seen.workload.id.name == "anetd",
        _simple(
            "gke-dataplane-v2",
            "GKE Dataplane V2",
            "gke-dataplane-v2",
            "cilium-agent",
            "GKE Dataplane V2 always enforces",
            "Google Cloud documentation, GKE Dataplane V2",
        ),
    ),
    (_named("cilium-agent"), _cilium),
    (_named("aws-node", *_AWS_AGENTS), _aws),
    (
        _named("azure-npm"),
        _simple(
            "azure-npm",
            "Azure Network Policy Manager",
            "azure-npm",
            "azure-npm",
            "azure-npm runs on every node",
            "Azure/azure-container-networking npm/azure-npm.yaml",
        ),
    ),
    (
        _named("antrea-agent"),
        _simple(
            "antrea",
            "Antrea",
            "antrea",
            "antrea-agent",
            "the Antrea agent runs on every node",
            "antrea-io/antrea build/yamls/antrea.yml",
        ),
    ),
    (
        _named("ovnkube-controller", "ovnkube-node"),
        _simple(
            "ovn-kubernetes",
            "OVN-Kubernetes",
            "ovn-kubernetes",
            "ovnkube-controller",
            "OVN-Kubernetes runs on every node",
            "ovn-kubernetes/ovn-kubernetes dist/templates",
        ),
    ),
    (_named("kube-router"), _kube_router),
    (
        lambda seen: seen.workload.id.name == "kube-ovn-cni",
        _simple(
            "kube-ovn",
            "Kube-OVN",
            None,
            "cni-server",
            "Kube-OVN enforces unless started with --enable-np=false",
            "kubeovn/kube-ovn dist/images/install.sh",
        ),
    ),
    (_named("weave-npc", "weave"), _weave),
    (lambda seen: "kindnetd" in seen.images or "kindnet-cni" in seen.containers, _kindnet),
    (
        lambda seen: seen.workload.id.namespace == "openshift-sdn",
        _simple(
            "openshift-sdn",
            "OpenShift SDN",
            None,
            "sdn",
            "OpenShift SDN enforces in its mode NetworkPolicy",
            "Red Hat OpenShift documentation, Network policy",
        ),
    ),
    (_named("kube-flannel"), _flannel),
)
"""What tells an agent, and what it is; the first that tells counts."""
