"""Who enforces policies here: agents that are installed, and what a platform brings besides."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from cloison.platform import caveats as own
from cloison.platform.agents import agents
from cloison.platform.cluster import UNKNOWN, Platform
from cloison.platform.configs import setting
from cloison.platform.enforcer import Enforcer
from cloison.platform.evidence import Evidence
from cloison.resources.declared import Declared
from cloison.resources.world import World

__all__ = ["Enforcer", "enforcers", "enforcing"]


def enforcers(world: World, platform: Platform | None = None) -> tuple[Enforcer, ...]:
    """Return who is installed that enforces policies, or might, sorted by id.

    Args:
        world: What the cluster holds.
        platform: What it is; a platform may bring an enforcer that leaves no object.
    """
    where = platform or UNKNOWN
    found: dict[str, Enforcer] = {}
    for one in agents(world, where):
        held = found.get(one.id)
        found[one.id] = one if held is None else _both(held, one)
    for one in _without_objects(world, where, frozenset(found)):
        found.setdefault(one.id, one)
    return tuple(found[name] for name in sorted(found))


def enforcing(found: Iterable[Enforcer]) -> tuple[Enforcer, ...]:
    """Return those that enforce, and where none does those that may."""
    found = tuple(found)
    do = tuple(one for one in found if one.enforces)
    return do or tuple(one for one in found if one.enforces is None)


def _both(one: Enforcer, other: Enforcer) -> Enforcer:
    """Return what two installations of one agent come to: what is not the same is not known."""
    enforces = one.enforces if one.enforces == other.enforces else None
    version = one.version if one.version == other.version else None
    profile = one.profile if one.profile == other.profile else None
    why = one.why if enforces == one.enforces else f"{one.why}; elsewhere {other.why}"
    evidence = (*one.evidence, *other.evidence)
    return Enforcer(
        one.id,
        one.title,
        profile,
        enforces,
        evidence,
        why,
        version,
        caveats=tuple(sorted({*one.caveats, *other.caveats})),
        source=one.source,
    )


def _without_objects(world: World, platform: Platform, found: frozenset[str]) -> Iterator[Enforcer]:
    """Yield enforcers that leave no DaemonSet of their own."""
    network = _openshift_network(world)
    if network is not None:
        yield network
    if found or network is not None:
        return
    traces = tuple(_traces(world)) if not platform.is_a("gke-dataplane-v2") else ()
    yield from traces
    if traces:
        return
    if platform.is_a("k3s"):
        yield _brought(
            platform,
            "kube-router",
            "kube-router (in k3s)",
            "kube-router",
            "k3s runs kube-router's policy controller in its own process, unless it is started "
            "with --disable-network-policy, which no object shows",
            "k3s-io/k3s pkg/agent/netpol; docs.k3s.io, Networking Services",
        )
    elif platform.is_a("gke-dataplane-v2"):
        yield _brought(
            platform,
            "gke-dataplane-v2",
            "GKE Dataplane V2",
            "gke-dataplane-v2",
            "GKE Dataplane V2 always enforces",
            "Google Cloud documentation, GKE Dataplane V2",
        )
    elif platform.is_a("openshift"):
        yield _brought(
            platform,
            "ovn-kubernetes",
            "OVN-Kubernetes",
            "ovn-kubernetes",
            "OpenShift comes with OVN-Kubernetes unless another network type was chosen",
            "Red Hat OpenShift documentation, About the OVN-Kubernetes network plugin",
        )
    elif platform.is_a("eks-auto"):
        key = "enable-network-policy-controller"
        on = setting(world, "kube-system", "amazon-vpc-cni", key)
        yield _brought(
            platform,
            "aws-vpc-cni",
            "Amazon VPC CNI (EKS Auto Mode)",
            "aws-vpc-cni",
            f"the ConfigMap amazon-vpc-cni says {key}: {on}"
            if on is not None
            else f"Auto Mode enforces only where the ConfigMap amazon-vpc-cni says {key}",
            "Amazon EKS User Guide, Use Network Policies with EKS Auto Mode",
            enforces=None if on is None else on.strip().lower() == "true",
        )


_CRDS: Final = (
    (".crd.antrea.io", "antrea", "Antrea"),
    (".crd.projectcalico.org", "calico", "Calico"),
    (".projectcalico.org", "calico", "Calico"),
    (".cilium.io", "cilium", "Cilium"),
    (".k8s.ovn.org", "ovn-kubernetes", "OVN-Kubernetes"),
)
"""What the names of a product's CRDs end with; its profile."""
_CONFIGS: Final = (
    ("antrea-config", "antrea", "Antrea"),
    ("azure-npm-config", "azure-npm", "Azure Network Policy Manager"),
    ("calico-config", "calico", "Calico"),
    ("canal-config", "calico", "Calico"),
    ("cilium-config", "cilium", "Cilium"),
    ("kube-router-cfg", "kube-router", "kube-router"),
)
"""ConfigMaps of products in `kube-system`; their profiles."""


def _traces(world: World) -> Iterator[Enforcer]:
    """Yield products that left CRDs or ConfigMaps, while no agent of theirs was read."""
    seen: dict[str, tuple[str, Declared]] = {}
    for crd in world.declared.get(("apiextensions.k8s.io", "CustomResourceDefinition"), ()):
        for end, profile, title in _CRDS:
            if crd.name.endswith(end):
                seen.setdefault(profile, (title, crd))
                break
    for config in world.declared.get(("", "ConfigMap"), ()):
        for name, profile, title in _CONFIGS:
            if (config.namespace, config.name) == ("kube-system", name):
                seen[profile] = (title, config)
    for profile, (title, item) in sorted(seen.items()):
        yield Enforcer(
            profile,
            title,
            profile,
            None,
            (Evidence(profile, item.shown, item.span),),
            f"{item.shown} is {title}'s, and no agent of it was read",
            caveats=(own.MAY_NOT_ENFORCE,),
            source=f"installation manifests of {title}",
        )


def _brought(
    platform: Platform,
    name: str,
    title: str,
    profile: str,
    why: str,
    source: str,
    *,
    enforces: bool | None = True,
) -> Enforcer:
    by = platform.chosen.removeprefix("detected from ")
    shown = f"platform {platform.name} ({by})"
    mine = [each for each in platform.evidence if each.of == platform.name]
    evidence = Evidence(profile, shown, mine[0].span if mine else None)
    return Enforcer(
        name,
        title,
        profile,
        enforces,
        (evidence,),
        why,
        assumed=True,
        caveats=(own.CNI_OF_PLATFORM if enforces else own.MAY_NOT_ENFORCE,),
        source=source,
    )


_NETWORK_TYPES: Final[Mapping[str, tuple[str, str, str | None]]] = MappingProxyType(
    {
        "calico": ("calico", "Calico", "calico"),
        "cilium": ("cilium", "Cilium", "cilium"),
        "openshiftsdn": ("openshift-sdn", "OpenShift SDN", None),
        "ovnkubernetes": ("ovn-kubernetes", "OVN-Kubernetes", "ovn-kubernetes"),
    }
)


def _openshift_network(world: World) -> Enforcer | None:
    """Return the network that OpenShift's own objects name."""
    for kind in (("config.openshift.io", "Network"), ("operator.openshift.io", "Network")):
        for each in world.declared.get(kind, ()):
            for path in _NETWORK_FIELDS:
                found = _network(each, path)
                if found is not None:
                    return found
    return None


_NETWORK_FIELDS: Final[tuple[tuple[str, ...], ...]] = (
    ("status", "networkType"),
    ("spec", "networkType"),
    ("spec", "defaultNetwork", "type"),
)


def _network(item: Declared, path: tuple[str, ...]) -> Enforcer | None:
    node = item.document.root.get(*path)
    written = node.value if node is not None and isinstance(node.value, str) else ""
    if not written:
        return None
    unknown = (written[:63].lower(), written[:63], None)
    name, title, profile = _NETWORK_TYPES.get(written.lower(), unknown)
    known = written.lower() in _NETWORK_TYPES
    return Enforcer(
        name,
        title,
        profile,
        True if known else None,
        (Evidence(profile or name, f"{item.shown} ({written[:63]})", item.at(*path)),),
        "it is the network type of this cluster",
        caveats=() if profile else (own.UNPROFILED_CNI, *(() if known else (own.MAY_NOT_ENFORCE,))),
        source="openshift/api config/v1/types_network.go",
    )
