"""Resolvers one by one: behind a Service, at an address, or as a platform ships them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final

from cloison.base import Span
from cloison.platform.cluster import Platform
from cloison.platform.component import Component, Found
from cloison.platform.resolver import DNS_PORT, Resolver, ResolverKind
from cloison.resources.objects import ContainerKind, PodShape, Service, ServicePort
from cloison.resources.world import WorkloadId, World

NODE_LOCAL: Final = "dns-nodelocal"
REDIRECTED: Final = "dns-nodelocal-lrp"
CLOUD_DNS: Final = "dns-gke-cloud-dns"
LOCAL_DNS: Final = "dns-aks-localdns"
CACHES: Final = (NODE_LOCAL, REDIRECTED)
LOCAL_ADDRESS: Final = "169.254.20.10"
"""Where NodeLocal DNSCache answers unless somebody chose another address."""
CLOUD_ADDRESS: Final = "169.254.169.254"
LOCAL_DNS_ADDRESSES: Final = ("169.254.10.10", "169.254.10.11")
_LOCAL_DNS_BLOCK: Final = ip_network("169.254.10.0/24")

_NAMES: Final = (
    ("kube-system", "kube-dns"),
    ("kube-system", "rke2-coredns-rke2-coredns"),
    ("openshift-dns", "dns-default"),
)
"""Services that platforms give the cluster's resolver."""
_APPS: Final = ("coredns", "kube-dns")
_UPSTREAM: Final = "kube-dns-upstream"
"""The Service through which a cache on the nodes asks; no pod is told of it."""

_CLUSTER_DNS: Final = re.compile(
    r"^[ \t]*\"?clusterDNS\"?:[ \t]*(\[[^\]]{0,400}\]|(?:\n[ \t]*-[ \t]*\S{1,60}[ \t]*){1,8})",
    re.MULTILINE,
)
_ADDRESS: Final = re.compile(r"[0-9A-Fa-f:.]{3,45}")
_LONGEST: Final = 1 << 16
"""Characters of a kubelet's configuration that are looked at."""


@dataclass(frozen=True, slots=True)
class Handed:
    """Addresses that kubelets hand to pods.

    Args:
        addresses: The addresses.
        shown: What says so.
        span: Where.
    """

    addresses: tuple[str, ...]
    shown: str
    span: Span | None


def handed(world: World) -> Handed | None:
    """Return the addresses that kubelets hand out as name servers, None where nothing says it."""
    for each in world.declared.get(("", "ConfigMap"), ()):
        named = each.name == "kubelet-config" or each.name.startswith("kubelet-config-1.")
        if each.namespace != "kube-system" or not named:
            continue
        node = each.document.root.get("data", "kubelet")
        text = node.value if node is not None and isinstance(node.value, str) else ""
        match = _CLUSTER_DNS.search(text[:_LONGEST])
        addresses = tuple(valid(_ADDRESS.findall(match[1]))) if match else ()
        if addresses:
            return Handed(addresses, each.shown, each.at("data", "kubelet"))
    return None


def valid(texts: Iterable[str]) -> Iterator[str]:
    """Yield those of some texts that are addresses, in their usual form."""
    for text in texts:
        try:
            yield str(ip_address(text))
        except ValueError:
            continue


def cluster_addresses(service: Service) -> tuple[str, ...]:
    """Return the addresses of a Service; none of a headless one."""
    return tuple(valid(service.cluster_ips))


def services(world: World, components: Iterable[Found]) -> tuple[Service, ...]:
    """Return the Services that look like the cluster's resolver: the likeliest ones alone.

    Those of pods that the caller names come first, then those called as platforms call theirs.

    Args:
        world: What the cluster holds.
        components: Known resolvers that the input holds.
    """
    found = tuple(components)
    caches = _pods(each for each in found if each.component.id in CACHES)
    pods = _pods(each for each in found if each.component.id not in CACHES)
    said = _pods(each for each in found if each.said) - caches
    told, named, likely = [], [], []
    for key, service in world.services.items():
        if "None" in service.cluster_ips or key[1] == _UPSTREAM or not _may_answer(service):
            continue
        behind = set(selected(world, service))
        if behind and behind <= caches:
            continue
        if behind & said:
            told.append(service)
        elif key in _NAMES:
            named.append(service)
        elif behind & pods or (_is_called_so(service) and not behind):
            likely.append(service)
    return tuple(told or named or likely)


def _pods(components: Iterable[Found]) -> set[WorkloadId]:
    return {name for each in components for name in each.workloads}


def _may_answer(service: Service) -> bool:
    """Return whether a Service has the port for names, or is called as a resolver's is."""
    known = (service.namespace, service.name) in _NAMES
    return known or any(port.port == DNS_PORT for port in service.ports)


def _is_called_so(service: Service) -> bool:
    labels = service.labels
    return (
        labels.get("kubernetes.io/name") in ("CoreDNS", "KubeDNS") or labels.get("k8s-app") in _APPS
    )


def selected(world: World, service: Service) -> Iterator[WorkloadId]:
    """Yield the workloads whose pods a Service selects."""
    if not service.selector:
        return
    wanted = service.selector.items()
    for name, workload in world.workloads.items():
        if name.namespace == service.namespace and any(
            wanted <= endpoint.labels.items() for endpoint in workload.endpoints
        ):
            yield name


def behind(
    world: World, service: Service, components: Iterable[Found], platform: Platform, why: str
) -> Resolver:
    """Return the resolver that is the pods behind a Service.

    Args:
        world: What the cluster holds.
        service: The Service.
        components: Known resolvers that the input holds.
        platform: What the cluster is.
        why: How it was found.
    """
    pods = tuple(sorted(selected(world, service)))
    known = next((f.component for f in components if set(f.workloads) & set(pods)), None)
    ports = [port for port in service.ports if port.port == DNS_PORT]
    protocols = tuple(p for p in ("UDP", "TCP") if any(port.protocol == p for port in ports))
    shapes = [e.shape for name in pods for e in world.workloads[name].endpoints]
    numbers = sorted({n for p in ports for shape in shapes if (n := target(p, shape)) is not None})
    openshift = platform.is_a("openshift") or service.namespace == "openshift-dns"
    guess = next((p.target for p in ports if isinstance(p.target, int)), None)
    guess = guess or (5353 if openshift and not numbers else DNS_PORT)
    key = (service.namespace, service.name)
    return Resolver(
        f"{service.namespace}/{service.name}",
        f"{known.name if known else 'pods'} behind Service {service.namespace}/{service.name}",
        ResolverKind.SERVICE,
        key,
        pods,
        cluster_addresses(service),
        numbers[0] if numbers else guess,
        assumed=False,
        why=why,
        span=service.span,
        protocols=protocols or ("UDP", "TCP"),
        component=known.id if known else None,
        namespace=service.namespace,
        pod_labels=service.selector or {},
    )


def target(port: ServicePort, shape: PodShape) -> int | None:
    """Return the port of a pod that a Service's port leads to; None where it has no such port."""
    if isinstance(port.target, str):
        named = [
            each
            for each in shape.ports
            if each.name == port.target and each.protocol == port.protocol
        ]
        usual = [each for each in named if each.container is ContainerKind.REGULAR]
        beside = [each for each in named if each.container is ContainerKind.SIDECAR]
        return (usual or beside)[0].number if usual or beside else None
    return port.target or port.port


def of_pods(found: Found, why: str) -> Resolver:
    """Return the resolver that is the pods of a component, where no Service of theirs was read."""
    what = found.component
    first = found.workloads[0]
    return Resolver(
        str(first),
        f"{what.name}: {first.kind} {first}",
        ResolverKind.SERVICE,
        None,
        found.workloads,
        (),
        port_of(what),
        assumed=False,
        why=why,
        span=found.spans[0] if found.spans else None,
        component=what.id,
        namespace=first.namespace,
        pod_labels=what.pod_labels,
    )


def port_of(what: Component) -> int:
    """Return the port at which a component answers for names."""
    numbers = [p.port for p in what.ports if p.purpose.startswith("dns")]
    return next((number for number in numbers if isinstance(number, int)), DNS_PORT)


def shipped(what: Component, why: str, addresses: tuple[str, ...] = ()) -> Resolver:
    """Return a resolver as its product ships it, where the input shows none.

    Args:
        what: The component.
        why: Why it is taken to be there.
        addresses: Its addresses, where those are known; else those that it is shipped with.
    """
    pods = bool(what.pod_labels) and what.id != NODE_LOCAL
    kind = ResolverKind.SERVICE if pods else ResolverKind.NODE_CACHE
    if what.id == CLOUD_DNS:
        kind = ResolverKind.CLOUD
    elif what.id == REDIRECTED:
        kind = ResolverKind.REDIRECT
    return Resolver(
        what.id,
        what.name,
        kind,
        None,
        (),
        addresses or (() if pods else _addresses(what)),
        port_of(what),
        assumed=True,
        why=why,
        component=what.id,
        namespace=what.namespace if pods else None,
        pod_labels=what.pod_labels if pods else {},
    )


def _addresses(what: Component) -> tuple[str, ...]:
    if what.id == LOCAL_DNS:
        return LOCAL_DNS_ADDRESSES
    return tuple(block.partition("/")[0] for block in what.blocks)


def at(address: str, kind: ResolverKind, text: str, why: str, span: Span | None = None) -> Resolver:
    """Return the resolver at an address.

    Args:
        address: The address.
        kind: What it is.
        text: What it is, for people.
        why: How it was found.
        span: Where that is written.
    """
    known = {ResolverKind.CLOUD: CLOUD_DNS}.get(kind)
    if kind is ResolverKind.NODE_CACHE:
        known = LOCAL_DNS if is_local_dns(address) else NODE_LOCAL
    return Resolver(
        address,
        text,
        kind,
        None,
        (),
        (address,),
        DNS_PORT,
        assumed=False,
        why=why,
        span=span,
        component=known,
    )


def is_local_dns(address: str) -> bool:
    """Return whether an address is one of those at which nodes of AKS answer themselves."""
    return ip_address(address) in _LOCAL_DNS_BLOCK


def is_link_local(address: str) -> bool:
    """Return whether an address is on the node or at its provider, never a pod's or a Service's."""
    return ip_address(address).is_link_local
