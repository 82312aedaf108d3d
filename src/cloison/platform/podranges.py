"""Where pod addresses come from, as far as the input says it.

What the network plugin's own objects say comes first, then what the control plane hands out to
nodes where the plugin takes its addresses from there. Nodes say where pods of theirs lie; as the
input may not hold every node, that is only likely of pods elsewhere.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from cloison.algebra import AddressSet
from cloison.platform.cluster import Platform
from cloison.platform.configs import setting
from cloison.resources.declared import Declared
from cloison.resources.world import World

_SYSTEM: Final = "kube-system"
_LONGEST: Final = 1 << 16
"""Characters of a ConfigMap's value that are looked at."""
_SUBNET: Final = re.compile(
    r"^[ \t]{0,20}\"?podSubnet\"?:[ \t]{0,20}[\"']?([0-9a-fA-F.:/,]{1,200})", re.MULTILINE
)
_FROM_NODES: Final = frozenset(
    (
        "antrea",
        "flannel",
        "generic",
        "gke-dataplane-v2",
        "kindnet",
        "kube-network-policies",
        "kube-router",
    )
)
"""Plugins that give pods addresses of `spec.podCIDRs` of their node; `generic` is any.

Source: antrea-io/antrea docs/getting-started.md; flannel-io/flannel Documentation/kubernetes.md;
kubernetes-sigs/kind images/kindnetd; cloudnativelabs/kube-router docs/user-guide.md; Google Cloud
documentation, VPC-native clusters.
"""
_POOLS: Final = (("crd.projectcalico.org", "IPPool"), ("projectcalico.org", "IPPool"))
_OPENSHIFT: Final = ("config.openshift.io", "Network")
_CONTROLLER: Final = "kube-controller-manager"


@dataclass(frozen=True, slots=True)
class PodRanges:
    """Where pod addresses come from.

    Args:
        known: Blocks that every pod's address is of; none where nothing tells.
        likely: Blocks that they probably are of.
        why: What says so, for people.
    """

    known: tuple[str, ...] = ()
    likely: tuple[str, ...] = ()
    why: str = ""


def pod_ranges(world: World, platform: Platform, plugins: Iterable[str]) -> PodRanges:
    """Return where the addresses of pods come from, as far as the input says it.

    Args:
        world: The input.
        platform: What the cluster is.
        plugins: Names of the network plugins that are known to be there, without versions;
            none where nothing tells which.
    """
    names = frozenset(plugins) - {"generic"} or frozenset(("generic",))
    own = tuple(found for found in _own(world, names) if found.known)
    if len(own) == 1:
        return own[0]
    pools = bool(names & {"calico", "cilium"}) and not _nodes_hand_out(world, names)
    if own or platform.is_a("eks") or not names <= _FROM_NODES | {"calico", "cilium"}:
        return PodRanges()
    found = next(_handed_out(world), PodRanges())
    if pools:
        # Who sets up Calico gives it the cluster's range, as a rule; Cilium has one of its own.
        return PodRanges() if "cilium" in names else PodRanges((), found.known, found.why)
    if names == {"generic"} and platform.provider is not None:
        # Plugins of clouds may take addresses of the machines' network.
        return PodRanges((), found.known or found.likely, found.why)
    return found


def _own(world: World, names: frozenset[str]) -> Iterator[PodRanges]:
    """Yield what objects of plugins say."""
    if names & {"calico", "generic"}:
        pools = [item for kind in _POOLS for item in world.declared.get(kind, ())]
        texts = [text for item in pools if (text := _written(item, "spec", "cidr"))]
        yield _known(texts, f"IPPool {', '.join(sorted(item.name for item in pools))}")
    if "cilium" in names and _cilium(world, "ipam") in (None, "cluster-pool"):
        keys = ("cluster-pool-ipv4-cidr", "cluster-pool-ipv6-cidr")
        texts = [part for key in keys for part in (_cilium(world, key) or "").split()]
        yield _known(texts, "ConfigMap kube-system/cilium-config")
    if names & {"flannel", "calico", "generic"}:
        for space in ("kube-flannel", _SYSTEM):
            for config in ("kube-flannel-cfg", "canal-config"):
                conf = setting(world, space, config, "net-conf.json")
                if conf is not None:
                    yield _known(_net_conf(conf), f"ConfigMap {space}/{config}")
    if names & {"ovn-kubernetes", "openshift-sdn", "generic"}:
        for item in world.declared.get(_OPENSHIFT, ()):
            yield _known(_cluster_network(item), item.shown)


def _known(texts: Iterable[str], why: str) -> PodRanges:
    found = tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))
    return PodRanges(found, why=why) if found and all(map(_is_block, found)) else PodRanges()


def _nodes_hand_out(world: World, names: frozenset[str]) -> bool:
    """Return whether a plugin with pools of its own is set to take what nodes are given."""
    if "cilium" in names:
        return _cilium(world, "ipam") == "kubernetes"
    network = setting(world, _SYSTEM, "calico-config", "cni_network_config") or ""
    return '"host-local"' in network and "usePodCidr" in network


def _handed_out(world: World) -> Iterator[PodRanges]:
    """Yield what the control plane hands out to nodes, the surest first."""
    text = (setting(world, _SYSTEM, "kubeadm-config", "ClusterConfiguration") or "")[:_LONGEST]
    subnet = _SUBNET.search(text)
    said = _known(subnet[1].split(",") if subnet else (), "ConfigMap kube-system/kubeadm-config")
    if said.known:
        yield said
    for name, workload in world.workloads.items():
        if name.namespace != _SYSTEM or not name.name.startswith(_CONTROLLER):
            continue
        for endpoint in workload.endpoints[:1]:
            run = endpoint.shape.runtime
            for container in run.containers if run is not None else ():
                for argument in container.arguments:
                    key, _, value = argument.strip().partition("=")
                    flag = _known(value.split(","), f"--cluster-cidr of {name.kind} {name}")
                    if key == "--cluster-cidr" and flag.known:
                        yield flag
    nodes = [(n.name, tuple(filter(_is_block, n.pod_cidrs))) for n in world.nodes.values()]
    given = tuple(dict.fromkeys(text for _, texts in nodes for text in texts))
    if given:
        first = next(name for name, texts in nodes if texts)
        more = " and others" if sum(1 for _, texts in nodes if texts) > 1 else ""
        yield PodRanges((), given, f"spec.podCIDRs of Node {first}{more}")


def _cilium(world: World, key: str) -> str | None:
    said = setting(world, _SYSTEM, "cilium-config", key)
    return said.strip() if said is not None else None


def _net_conf(text: str) -> tuple[str, ...]:
    try:
        read = json.loads(text[:_LONGEST])
    except ValueError:
        return ()
    if not isinstance(read, dict):
        return ()
    found = (read.get(key) for key in ("Network", "IPv6Network"))
    return tuple(each for each in found if isinstance(each, str))


def _cluster_network(item: Declared) -> tuple[str, ...]:
    for part in ("status", "spec"):
        node = item.document.root.get(part, "clusterNetwork")
        if node is not None and isinstance(node.value, list):
            found = (each.get("cidr") for each in node.value)
            texts = tuple(e.value for e in found if e is not None and isinstance(e.value, str))
            if texts:
                return texts
    return ()


def _written(item: Declared, *path: str) -> str:
    node = item.document.root.get(*path)
    return node.value if node is not None and isinstance(node.value, str) else ""


def _is_block(text: str) -> bool:
    try:
        return bool(AddressSet.block(text))
    except ValueError:
        return False
