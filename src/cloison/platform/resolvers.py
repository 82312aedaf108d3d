"""Which DNS resolver answers for a pod, and at which address and port policies see it.

In the order in which it is decided: the pod's own DNS policy; what the caller says; the address
that kubelets hand out; the Service that owns it; caches and redirects in front of that; and what
the platform ships where nothing of it was read, which is then said to be assumed.

Source: kubernetes/website content/en/docs/concepts/services-networking/dns-pod-service.md;
documentation of the platforms.
"""

from dataclasses import replace
from typing import Final

from cloison.ir.fidelity import Caveat
from cloison.platform import caveats as own
from cloison.platform.cluster import Platform
from cloison.platform.component import Found, Role, Said
from cloison.platform.components import component, found
from cloison.platform.dns import (
    CACHES,
    CLOUD_ADDRESS,
    CLOUD_DNS,
    LOCAL_DNS,
    NODE_LOCAL,
    Handed,
    at,
    behind,
    cluster_addresses,
    handed,
    is_link_local,
    is_local_dns,
    of_pods,
    services,
    shipped,
    valid,
)
from cloison.platform.dnscache import cache_of, cached, redirected
from cloison.platform.resolver import DNS_PORT, Resolver, ResolverKind, Resolvers
from cloison.resources.objects import PodShape, Service
from cloison.resources.runtime import DEFAULT_RUNTIME
from cloison.resources.world import World

__all__ = [
    "DNS_PORT",
    "Resolver",
    "ResolverKind",
    "Resolvers",
    "cluster_resolvers",
    "resolvers",
]

_COMMON: Final = ("dns-coredns-kubeadm", "dns-openshift", NODE_LOCAL, CLOUD_DNS, LOCAL_DNS)
"""What resolvers there are on the platforms that are common, the likeliest first."""
_OF_PLATFORM: Final = (
    ("aks-automatic", (LOCAL_DNS,)),
    ("aks", ("dns-coredns-aks", LOCAL_DNS)),
    ("eks", ("dns-coredns-eks",)),
    ("gke-dataplane-v2", ("dns-kubedns-gke", "dns-nodelocal-lrp", CLOUD_DNS)),
    ("gke", ("dns-kubedns-gke", NODE_LOCAL, CLOUD_DNS)),
    ("k3s", ("dns-coredns-k3s",)),
    ("kops", ("dns-coredns-kops",)),
    ("kubeadm", ("dns-coredns-kubeadm",)),
    ("openshift", ("dns-openshift",)),
    ("rke2", ("dns-coredns-rke2",)),
)
"""What a platform ships, the likeliest first: any of several, where its own settings decide."""


def resolvers(
    world: World,
    platform: Platform,
    shape: PodShape,
    *,
    said: Said | None = None,
    cluster: Resolvers | None = None,
) -> Resolvers:
    """Return what a pod asks to resolve names.

    Args:
        world: What the cluster holds, as the enforcer sees it: redirects count.
        platform: What it is.
        shape: The pod: its DNS policy, name servers and host network count.
        said: What the caller says of components.
        cluster: What pods ask that leave it to the cluster, where somebody has found that out
            before: `cluster_resolvers`.
    """
    runtime = shape.runtime or DEFAULT_RUNTIME
    listed = tuple(valid(runtime.nameservers))
    policy = runtime.dns_policy
    if policy == "None":
        named = _named(world, platform, listed, said, cluster)
        return Resolvers((named,) if named else (), why="the pod names its own servers")
    host = shape.host_network and policy == "ClusterFirst"
    if policy == "Default" or host:
        why = "a host-network pod asks what its node asks" if host else "dnsPolicy is Default"
        extra = _named(world, platform, listed, said, cluster)
        return Resolvers(perhaps=(_node(why),), fallback=extra, caveats=(own.DNS_OF_NODE,), why=why)
    base = cluster if cluster is not None else cluster_resolvers(world, platform, said)
    if not listed:
        return base
    extra = _named(world, platform, listed, said, base)
    return replace(base, fallback=(*base.fallback, *extra))


def _node(why: str) -> Resolver:
    return Resolver(
        "node",
        "what the pod's node asks",
        ResolverKind.NODE,
        None,
        (),
        (),
        DNS_PORT,
        assumed=True,
        why=why,
    )


def _named(
    world: World,
    platform: Platform,
    addresses: tuple[str, ...],
    said: Said | None,
    cluster: Resolvers | None,
) -> tuple[Resolver, ...]:
    """Return the resolvers at addresses that a pod names; the cluster's own is one of them."""
    if not addresses:
        return ()
    base = cluster if cluster is not None else cluster_resolvers(world, platform, said)
    mine = {address: one for one in reversed(base.every) for address in one.addresses}
    why = "the pod's dnsConfig names it"
    return tuple(
        mine.get(each) or at(each, ResolverKind.ADDRESS, f"name server {each}", why)
        for each in addresses
    )


def cluster_resolvers(world: World, platform: Platform, said: Said | None = None) -> Resolvers:
    """Return what pods ask that leave it to the cluster: `dnsPolicy: ClusterFirst`.

    Args:
        world: What the cluster holds, as the enforcer sees it: redirects count.
        platform: What it is.
        said: What the caller says of components.
    """
    components = tuple(
        each for each in found(world, platform, said) if each.component.role is Role.DNS
    )
    away = {} if said is None else said
    told = _told(components, away)
    if told is not None:
        return told
    dialled = handed(world)
    fixed = _fixed(dialled) if dialled is not None else ()
    if dialled is not None and fixed:
        return Resolvers((fixed,), why=f"{dialled.shown} hands out {dialled.addresses[0]}")
    there = _services(world, components, dialled)
    if len(there) > 1:
        why = "more than one Service looks like the cluster's resolver"
        several = tuple(behind(world, each, components, platform, why) for each in there)
        return Resolvers(perhaps=several, caveats=(own.DNS_SEVERAL,), why=why)
    if there:
        return _of_service(world, platform, components, there[0], dialled)
    pods = [each for each in components if each.workloads and each.component.id not in CACHES]
    if pods:
        why = f"{pods[0].component.name} was found {pods[0].how}; no Service of it was read"
        return _in_front(world, platform, components, of_pods(pods[0], why), dialled, why)
    gone = frozenset(name for name, where in away.items() if where is None)
    return _shipped(world, platform, components, dialled, gone)


def _told(components: tuple[Found, ...], said: Said) -> Resolvers | None:
    """Return the resolver that the caller says there is, where no pods of it were read."""
    for each in components:
        where = said.get(each.component.id)
        if where is None or each.workloads:
            continue
        one = shipped(each.component, each.how)
        if not one.is_pods:
            return Resolvers(((replace(one, assumed=False),),), why=each.how)
        one = replace(
            one,
            namespace=where.namespace or one.namespace,
            pod_labels=where.pod_labels or one.pod_labels,
        )
        return Resolvers(((one,),), caveats=(own.DNS_PODS_UNSEEN,), why=each.how)
    return None


def _fixed(dialled: Handed) -> tuple[Resolver, ...]:
    """Return resolvers at addresses that are no Service's: of the provider or of the node."""
    found: list[Resolver] = []
    for address in dialled.addresses:
        why = f"{dialled.shown} hands it out"
        kind, text = ResolverKind.NODE_CACHE, f"a cache on the own node, at {address}"
        if address == CLOUD_ADDRESS:
            kind, text = ResolverKind.CLOUD, component(CLOUD_DNS).name
        elif ":" not in address and is_local_dns(address):
            text = component(LOCAL_DNS).name
        if is_link_local(address):
            found.append(at(address, kind, text, why, dialled.span))
    return tuple(found)


def _services(
    world: World, components: tuple[Found, ...], dialled: Handed | None
) -> tuple[Service, ...]:
    """Return the Service that owns the address that pods dial; else those that look like it."""
    if dialled is not None:
        for service in world.services.values():
            if set(cluster_addresses(service)) & set(dialled.addresses):
                return (service,)
    return services(world, components)


def _of_service(
    world: World,
    platform: Platform,
    components: tuple[Found, ...],
    service: Service,
    dialled: Handed | None,
) -> Resolvers:
    owner = dialled is not None and set(cluster_addresses(service)) & set(dialled.addresses)
    name = f"Service {service.namespace}/{service.name}"
    why = f"{name} is the cluster's resolver"
    if dialled is not None and owner:
        why = f"{dialled.shown} hands out {min(owner)}, the address of {name}"
    main = behind(world, service, components, platform, why)
    led = redirected(world, service, main)
    if led is not None:
        return led
    return _in_front(world, platform, components, main, dialled, why)


def _in_front(
    world: World,
    platform: Platform,
    components: tuple[Found, ...],
    main: Resolver,
    dialled: Handed | None,
    why: str,
) -> Resolvers:
    """Return what pods ask, with the cache on the nodes if there is one."""
    unseen = () if main.workloads else (own.DNS_PODS_UNSEEN,)
    cache = cache_of(world, components)
    if cache is not None:
        one = cached(world, cache, main, platform, dialled)
        asked = any(each.is_pods for each in one.every)
        return replace(one, caveats=(*one.caveats, *(unseen if asked else ())))
    if platform.is_a("eks-auto"):
        here = _auto(main.addresses)
        if main.workloads:
            # Nodes of both kinds: those that answer themselves, and those where CoreDNS does.
            return Resolvers(perhaps=(here, main), caveats=(own.DNS_ON_NODE,), why=here.why)
        return Resolvers(((here,),), caveats=(own.DNS_ON_NODE,), why=here.why)
    possible = () if dialled is not None else _possible(platform)
    return Resolvers(((main,),), caveats=(*unseen, *possible), why=why)


def _possible(platform: Platform) -> tuple[Caveat, ...]:
    return (own.DNS_OF_PROVIDER,) if platform.is_a("aks") or platform.is_a("gke") else ()


def _auto(addresses: tuple[str, ...]) -> Resolver:
    why = "nodes of EKS Auto Mode answer for names themselves, at the address of the DNS Service"
    return Resolver(
        "eks-auto",
        "the own node, at the address of the DNS Service",
        ResolverKind.NODE_CACHE,
        None,
        (),
        addresses,
        DNS_PORT,
        assumed=True,
        why=why,
    )


def _shipped(
    world: World,
    platform: Platform,
    components: tuple[Found, ...],
    dialled: Handed | None,
    gone: frozenset[str],
) -> Resolvers:
    """Return what a platform ships, for want of anything in the input."""
    addresses = dialled.addresses if dialled is not None else ()
    if platform.is_a("eks-auto"):
        here = _auto(addresses)
        return Resolvers(((here,),), caveats=(own.DNS_ASSUMED, own.DNS_ON_NODE), why=here.why)
    names = next((ids for name, ids in _OF_PLATFORM if platform.is_a(name)), _COMMON)
    where = platform.name if names is not _COMMON else None
    why = "no resolver was read; this one is assumed"
    why = f"{why}, since {where} ships it" if where else f"{why}, as one of those that are common"
    group = tuple(shipped(component(name), why) for name in names if name not in gone)
    if not group:
        return Resolvers(caveats=(own.DNS_ASSUMED,), why="none of those that are known is there")
    first = group[0]
    if addresses and first.is_pods:
        group = (replace(first, addresses=addresses),)
    cache = cache_of(world, components)
    if cache is not None:
        one = cached(world, cache, first, platform, dialled)
        return replace(one, caveats=(*one.caveats, own.DNS_ASSUMED))
    return Resolvers((group,), caveats=(own.DNS_ASSUMED,), why=why)
