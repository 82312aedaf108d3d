"""What platform a cluster is, as far as the input gives it away.

Rows of data: labels of nodes, `providerID`, namespaces, objects by name, and CRDs that only one
platform has. What is not certain to belong to one platform alone is no row.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cloison.base import QuestionError, Span
from cloison.platform.evidence import Evidence
from cloison.resources.objects import Node
from cloison.resources.world import WorkloadId, World

_PARENTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "aks": ("azure",),
        "aks-automatic": ("aks", "azure"),
        "doks": (),
        "eks": ("aws",),
        "eks-auto": ("eks", "aws"),
        "gke": ("gcp",),
        "gke-autopilot": ("gke-dataplane-v2", "gke", "gcp"),
        "gke-dataplane-v2": ("gke", "gcp"),
        "k3s": (),
        "kind": ("kubeadm",),
        "kops": (),
        "kubeadm": (),
        "microk8s": (),
        "minikube": ("kubeadm",),
        "okd": ("openshift",),
        "openshift": (),
        "rke2": (),
        "self-managed": (),
    }
)
"""Every platform, with those that it is a case of: providers too."""

_LABELS: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = MappingProxyType(
    {
        "addon.gke.io": (("", "", "gke"),),
        "cloud.google.com": (("gke-", "", "gke"),),
        "doks.digitalocean.com": (("", "", "doks"),),
        "eks.amazonaws.com": (("compute-type", "auto", "eks-auto"), ("", "", "eks")),
        "k3s.io": (("", "", "k3s"),),
        "kops.k8s.io": (("", "", "kops"),),
        "kubernetes.azure.com": (("", "", "aks"),),
        "microk8s.io": (("", "", "microk8s"),),
        "minikube.k8s.io": (("", "", "minikube"),),
        "node.kubernetes.io": (
            ("instance-type", "k3s", "k3s"),
            ("instance-type", "rke2", "rke2"),
        ),
        "node.openshift.io": (("", "", "openshift"),),
    }
)
"""By the domain of a node label's key: what the rest starts with, its value where that counts,
and the platform."""

_PROVIDERS: Final = (
    ("aws://", "aws"),
    ("azure://", "azure"),
    ("gce://", "gcp"),
    ("k3s://", "k3s"),
    ("kind://", "kind"),
    ("rke2://", "rke2"),
)
"""What `providerID` starts with; the platform or the provider."""

_NODE_NAMES: Final = tuple(
    (re.compile(pattern), platform)
    for pattern, platform in (
        (r"aks-[a-z0-9]{1,12}-\d{8}-vmss[0-9a-z]{6}", "aks"),
        (r"gke-[a-z0-9-]{1,60}-[0-9a-f]{8}-[0-9a-z]{4}", "gke"),
        (r"ip-\d{1,3}(-\d{1,3}){3}\.([a-z0-9-]{1,30}\.compute|ec2)\.internal", "aws"),
        (r"kind-(control-plane|worker)\d{0,3}", "kind"),
        (r"minikube(-m\d{2})?", "minikube"),
    )
)
"""Names that platforms make for nodes, often the only thing that pods say of theirs."""

_NAMESPACES: Final = (
    ("openshift-dns", "openshift"),
    ("openshift-ingress", "openshift"),
    ("openshift-ovn-kubernetes", "openshift"),
)
_WORKLOADS: Final = (
    (WorkloadId("kube-system", "anetd", "DaemonSet"), "gke-dataplane-v2"),
    (WorkloadId("kube-system", "rke2-canal", "DaemonSet"), "rke2"),
    (WorkloadId("kube-system", "rke2-coredns-rke2-coredns", "Deployment"), "rke2"),
)
_CONFIGS: Final = (("kube-system", "kubeadm-config", "kubeadm"),)
_KINDS: Final = (
    (("config.openshift.io", "ClusterVersion"), "openshift"),
    (("config.openshift.io", "Network"), "openshift"),
    (("operator.openshift.io", "DNS"), "openshift"),
)
_CRDS: Final = (
    ("dnses.operator.openshift.io", "openshift"),
    ("ingresscontrollers.operator.openshift.io", "openshift"),
)
_CLOUDS: Final = ("aws", "azure", "gcp")


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform.

    Args:
        name: `eks`, `gke-dataplane-v2`, `kubeadm`, ...; None where nothing tells, or where what
            tells contradicts itself.
        evidence: What tells, sorted by what it speaks for.
        names: Every platform that something speaks for; several where that contradicts itself.
        said: Whether the caller says so.
        provider: `aws`, `azure` or `gcp`, whose machines the nodes are; None where nothing tells.
    """

    name: str | None = None
    evidence: tuple[Evidence, ...] = ()
    names: tuple[str, ...] = ()
    said: bool = False
    provider: str | None = None

    def is_a(self, name: str) -> bool:
        """Return whether it is a platform, or a case of one: `gke-dataplane-v2` is `gke`."""
        if name == self.provider:
            return True
        return self.name is not None and (name == self.name or name in _PARENTS[self.name])

    @property
    def chosen(self) -> str:
        """How it was chosen, for people: `detected from label k3s.io/hostname of Node a`."""
        if self.said:
            return "cloison.yaml"
        mine = [each for each in self.evidence if each.of == self.name]
        if mine:
            return f"detected from {mine[0].shown}"
        return f"unclear: {' or '.join(self.names)}" if self.names else "not detected"

    @property
    def against(self) -> Evidence | None:
        """What speaks for another cloud than the caller says; None where nothing does."""
        clouds = _clouds_of(self.name) if self.said else frozenset()
        others = (each for each in self.evidence if _clouds_of(each.of) - clouds)
        return next(others, None) if clouds else None


def _clouds_of(name: str | None) -> frozenset[str]:
    """Return the clouds that a platform, or a cloud itself, belongs to."""
    return frozenset(_CLOUDS).intersection((name, *_PARENTS.get(name or "", ())))


UNKNOWN: Final = Platform()
"""Of an input that gives nothing away."""


def platform_names() -> tuple[str, ...]:
    """Return the names of all platforms, sorted."""
    return tuple(sorted(_PARENTS))


def platform_of(world: World, said: str | None = None) -> Platform:
    """Return what platform the input is from.

    Args:
        world: What the cluster holds.
        said: What the caller says it is; counts over everything else.

    Raises:
        QuestionError: there is no such platform as the caller says.
    """
    if said is not None and said not in _PARENTS:
        message = f"no platform is called {said!r}"
        raise QuestionError(message, help=f"use one of: {', '.join(platform_names())}")
    read = tuple(sorted(set(_signs(world)), key=lambda one: (one.of, one.span or _NOWHERE)))
    evidence = _first_of_each(read)
    spoken = {each.of for each in evidence}
    clouds = spoken.intersection(_CLOUDS)
    spoken -= clouds
    clouds.update(p for name in (said, *spoken) if name for p in _PARENTS[name] if p in _CLOUDS)
    provider = min(clouds) if len(clouds) == 1 else None
    if said is not None:
        return Platform(said, evidence, (said,), said=True, provider=provider)
    names = tuple(sorted(_most_telling(spoken)))
    name = names[0] if len(names) == 1 else None
    return Platform(name, evidence, names, provider=provider)


_NOWHERE: Final = Span("", 0, 0)


def _most_telling(names: set[str]) -> set[str]:
    """Return names without those that others are cases of."""
    implied = {parent for name in names for parent in _PARENTS[name]}
    # Whoever installs with kubeadm may run on anything that nodes are told apart by.
    return names - implied - ({"kubeadm"} if len(names) > 1 else set())


def _first_of_each(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Return evidence without what says the same of another node."""
    kept: dict[tuple[str, str], Evidence] = {}
    for each in evidence:
        kept.setdefault((each.of, each.shown.partition("of Node ")[0]), each)
    return tuple(kept.values())


def _signs(world: World) -> Iterator[Evidence]:
    for node in world.nodes.values():
        yield from _node(node)
    for name, platform in _NAMESPACES:
        namespace = world.namespaces.get(name)
        if namespace is not None:
            yield Evidence(platform, f"Namespace {name}", namespace.span)
    for workload, platform in _WORKLOADS:
        found = world.workloads.get(workload)
        if found is not None:
            yield Evidence(platform, f"{workload.kind} {workload}", found.span)
    for config in world.declared.get(("", "ConfigMap"), ()):
        for namespace_name, name, platform in _CONFIGS:
            if (config.namespace, config.name) == (namespace_name, name):
                yield Evidence(platform, config.shown, config.span)
    for kind, platform in _KINDS:
        for each in world.declared.get(kind, ())[:1]:
            yield Evidence(platform, each.shown, each.span)
    for each in world.declared.get(("apiextensions.k8s.io", "CustomResourceDefinition"), ()):
        for name, platform in _CRDS:
            if each.name == name:
                yield Evidence(platform, each.shown, each.span)


def _node(node: Node) -> Iterator[Evidence]:
    for start, platform in _PROVIDERS:
        if node.provider.startswith(start):
            shown = f"providerID {start}... of Node {node.name}"
            yield Evidence(platform, shown, node.span)
    for pattern, platform in _NODE_NAMES:
        if pattern.fullmatch(node.name):
            yield Evidence(platform, f"the name of Node {node.name}", node.span)
    for key, value in node.labels.items():
        domain, slash, rest = key.partition("/")
        for start, wanted, platform in _LABELS.get(domain, ()) if slash else ():
            if rest.startswith(start) and wanted in ("", value):
                shown = f"label {key}{f'={wanted}' if wanted else ''} of Node {node.name}"
                yield Evidence(platform, shown, node.span)
