"""Caches for names on the nodes: whether pods reach one, and at which address.

Source: kubernetes/website content/en/docs/tasks/administer-cluster/nodelocaldns.md;
kubernetes/kubernetes cluster/addons/dns/nodelocaldns; cilium/cilium
Documentation/network/kubernetes/local-redirect-policy.rst.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from cloison.base import Span
from cloison.platform import caveats as own
from cloison.platform.cluster import Platform
from cloison.platform.component import Found
from cloison.platform.components import component
from cloison.platform.configs import setting
from cloison.platform.dns import (
    CACHES,
    LOCAL_ADDRESS,
    NODE_LOCAL,
    REDIRECTED,
    Handed,
    at,
    cluster_addresses,
    shipped,
    valid,
)
from cloison.platform.resolver import DNS_PORT, Resolver, ResolverKind, Resolvers
from cloison.resources.objects import Service
from cloison.resources.world import WorkloadId, World

_GKE_LABEL: Final = "addon.gke.io/node-local-dns-ds-ready"
_CACHE: Final = "NodeLocal DNSCache"


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache on the nodes.

    Args:
        workloads: Its workloads; empty where only labels of nodes show it.
        host_network: Whether its pods use the node's network.
        addresses: Where it answers, its own address first; empty where nothing says it.
        span: Where it is written.
        why: What shows it.
    """

    workloads: tuple[WorkloadId, ...]
    host_network: bool
    addresses: tuple[str, ...]
    span: Span | None
    why: str


def cache_of(world: World, components: Iterable[Found]) -> Cache | None:
    """Return the cache that runs on the nodes, None where nothing shows any.

    Args:
        world: What the cluster holds.
        components: Known resolvers that the input holds.
    """
    for each in components:
        if each.component.id not in CACHES or not each.workloads:
            continue
        ends = [e for name in each.workloads for e in world.workloads[name].endpoints]
        host = any(end.shape.host_network for end in ends)
        addresses: tuple[str, ...] = ()
        for end in ends[:1]:
            if end.shape.runtime is not None:
                for container in end.shape.runtime.containers:
                    addresses = addresses or _local(container.arguments)
        name = each.workloads[0]
        span = each.spans[0] if each.spans else None
        return Cache(each.workloads, host, addresses, span, f"{name.kind} {name}")
    for node in world.nodes.values():
        if node.labels.get(_GKE_LABEL) == "true":
            why = f"label {_GKE_LABEL}=true of Node {node.name}"
            return Cache((), host_network=True, addresses=(), span=node.span, why=why)
    return None


def _local(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Return the addresses of `-localip a,b`, in whatever way it is written."""
    for number, argument in enumerate(arguments):
        key, equals, value = argument.strip().partition("=")
        if key.lstrip("-") == "localip":
            after = arguments[number + 1] if number + 1 < len(arguments) else ""
            return tuple(valid((value if equals else after).replace('"', "").split(",")))
    return ()


def redirected(world: World, service: Service, main: Resolver) -> Resolvers | None:
    """Return what pods ask where an object leads a Service's traffic to pods of the own node."""
    redirect = service.redirect
    if redirect is None:
        return None
    wanted = redirect.pods
    pods = tuple(
        sorted(
            name
            for name, workload in world.workloads.items()
            if name.namespace == service.namespace
            and any(wanted.matches(end.labels) for end in workload.endpoints)
        )
    )
    port = redirect.ports.get(("UDP", DNS_PORT), DNS_PORT)
    why = f"a redirect leads traffic of Service {main.id} to pods of the own node"
    one = Resolver(
        f"{main.id} redirected",
        f"the cache that Service {main.id} is redirected to",
        ResolverKind.REDIRECT,
        main.service,
        pods,
        cluster_addresses(service),
        port,
        assumed=False,
        why=why,
        span=service.span,
        component=REDIRECTED,
        namespace=service.namespace,
        pod_labels=component(REDIRECTED).pod_labels,
    )
    return Resolvers(((one,),), fallback=(main,), upstream=(main,), why=why)


def cached(
    world: World,
    cache: Cache,
    main: Resolver,
    platform: Platform,
    dialled: Handed | None,
) -> Resolvers:
    """Return what pods ask where a cache runs on the nodes.

    Args:
        world: What the cluster holds.
        cache: The cache.
        main: The resolver behind it.
        platform: What the cluster is.
        dialled: The addresses that pods dial, where something says them.
    """
    if not cache.host_network or platform.is_a("gke-dataplane-v2"):
        return _as_pods(cache, main, platform)
    if _bypassed(world):
        why = f"{cache.why} is not asked: its traffic is translated before it reaches the node"
        return Resolvers(((main,),), why=why)
    own_address, *others = cache.addresses or (LOCAL_ADDRESS,)
    taken = main.addresses or tuple(others)
    there = _at_service(cache, main, taken)
    here = at(own_address, ResolverKind.NODE_CACHE, f"{_CACHE} on the own node", cache.why)
    here = replace(here, span=cache.span, assumed=not cache.addresses)
    if dialled is not None:
        if own_address in dialled.addresses:
            why = f"{dialled.shown} hands out {own_address}, where {cache.why} answers"
            return Resolvers(((here,),), upstream=(main,), why=why)
        if others:
            why = f"{dialled.shown} hands out an address that {cache.why} takes on the own node"
            return Resolvers(((there,),), fallback=(main,), upstream=(main,), why=why)
    if others:
        why = f"{cache.why} takes the address of {main.id} on every node"
        return Resolvers(
            ((there,),),
            perhaps=(here,),
            fallback=(main,),
            upstream=(main,),
            caveats=(own.DNS_CACHE_UNCLEAR,),
            why=why,
        )
    if cache.addresses and dialled is None:
        why = f"{cache.why} answers at {own_address} alone, so that pods are told that address"
        return Resolvers(((here,),), upstream=(main,), why=why)
    if cache.addresses:
        why = f"{cache.why} answers at {own_address}, which pods are not told"
        return Resolvers(((main,),), why=why)
    return Resolvers(
        perhaps=(there, here),
        fallback=(main,),
        upstream=(main,),
        caveats=(own.DNS_CACHE_UNCLEAR,),
        why=f"{cache.why} does not say at which address it answers",
    )


def _at_service(cache: Cache, main: Resolver, addresses: tuple[str, ...]) -> Resolver:
    """Return the cache at the address of the Service that it stands in for."""
    return Resolver(
        f"{main.id} on the own node",
        f"{_CACHE} on the own node, at the address of {main.id}",
        ResolverKind.NODE_CACHE,
        None,
        (),
        addresses,
        DNS_PORT,
        assumed=not cache.addresses,
        why=f"{cache.why} takes that address on every node",
        span=cache.span,
        component=NODE_LOCAL,
    )


def _as_pods(cache: Cache, main: Resolver, platform: Platform) -> Resolvers:
    """Return what pods ask where the cache's pods are ones like others, as policies see them."""
    google = platform.is_a("gke-dataplane-v2")
    why = f"{cache.why} has addresses of its own"
    if google:
        why = f"{cache.why}: GKE Dataplane V2 leads DNS to the cache's pod on the own node"
    one = replace(
        shipped(component(REDIRECTED), why),
        workloads=cache.workloads,
        span=cache.span,
        addresses=main.addresses,
        assumed=not cache.workloads,
    )
    unclear = (own.DNS_CACHE_UNCLEAR,)
    if google:
        return Resolvers(((one,),), fallback=(main,), upstream=(main,), caveats=unclear, why=why)
    return Resolvers(
        perhaps=(one, main),
        upstream=(main,),
        caveats=unclear,
        why=f"{why}, and nothing that was read leads there",
    )


def _bypassed(world: World) -> bool:
    """Return whether Services are translated in the pod, before a node could take the packet."""
    said = setting(world, "kube-system", "cilium-config", "kube-proxy-replacement")
    return (said or "").strip().lower() in ("true", "strict")
