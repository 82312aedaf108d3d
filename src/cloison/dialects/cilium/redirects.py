"""Traffic that Cilium leads to a pod of the same node: what a CiliumLocalRedirectPolicy comes to.

A Service's traffic keeps its Service, and goes to pods of the node where there are any. An address
becomes a Service that nobody wrote, by the name Cilium has for it; without a pod on the node, and
on other ports, traffic goes to the address itself. An address that a Service owns is left alone.

Source: cilium/cilium pkg/loadbalancer/redirectpolicy/{controller,redirectpolicy}.go.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from cloison.algebra import LabelSelector, parse_address
from cloison.base import Span
from cloison.dialects.cilium import labels
from cloison.dialects.cilium.model import CiliumLocalRedirectPolicy
from cloison.resources.objects import Redirect, Service, ServicePort
from cloison.resources.world import World

_SUFFIX = ":local-redirect"
"""What Cilium calls the Service it makes; no object can have such a name."""
_NOWHERE = Span("", 0, 0)
Key = tuple[str, str]


def redirected(world: World, redirects: Iterable[CiliumLocalRedirectPolicy]) -> World:
    """Return an inventory in which Services lead where policies redirect their traffic."""
    services = dict(world.services)
    owned = {
        point
        for service in world.services.values()
        for text in (*service.cluster_ips, *service.external_ips)
        if (point := _point(text)) is not None
    }
    for each in redirects:
        for name, service in _services(each, services):
            services[name] = replace(service, redirect=_redirect(each, service.ports))
        if each.address is not None and _point(each.address) not in (None, *owned):
            name = (each.namespace or "", f"{each.name}{_SUFFIX}")
            services[name] = _at_address(each, each.address)
    return replace(world, services=services)


def _point(text: str) -> int | None:
    try:
        return parse_address(text)
    except ValueError:
        return None  # `None` marks a headless Service


def _services(
    policy: CiliumLocalRedirectPolicy, services: Mapping[Key, Service]
) -> Iterator[tuple[Key, Service]]:
    """Yield the Service whose traffic a policy redirects; it lives where the policy does."""
    if policy.service is not None:
        name = (policy.namespace or "", policy.service)
        other = policy.service_namespace not in (None, "", policy.namespace)
        if name in services and not other:
            yield name, services[name]


def _at_address(policy: CiliumLocalRedirectPolicy, address: str) -> Service:
    """Return the Service that stands for an address, some ports of which are redirected."""
    names = (*policy.frontend_names, *("",) * len(policy.frontends))
    ports = tuple(
        ServicePort(number, protocol, name or None)
        for (protocol, number), name in zip(policy.frontends, names, strict=False)
    )
    return Service(
        policy.namespace or "",
        f"{policy.name}{_SUFFIX}",
        policy.span or _NOWHERE,
        ports=ports,
        cluster_ips=(address,),
        redirect=replace(_redirect(policy, ports), address=address),
    )


def _redirect(policy: CiliumLocalRedirectPolicy, fronts: Iterable[ServicePort]) -> Redirect:
    wanted = policy.backends.requirements if policy.backends is not None else ()
    selector = LabelSelector.of({}, map(labels.asked, wanted))
    ports: dict[tuple[str, int], int] = {}
    for front in fronts:
        key = (front.protocol, front.port)
        if policy.frontends and key not in policy.frontends:
            continue
        target = _target(policy, front)
        if target is not None:
            ports[key] = target
    return Redirect(selector, ports)


def _target(policy: CiliumLocalRedirectPolicy, front: ServicePort) -> int | None:
    """Return the port of pods that a port in front leads to; several are told apart by name."""
    names = (*policy.port_names, *("",) * len(policy.ports))
    backs = [
        (number, name)
        for (protocol, number), name in zip(policy.ports, names, strict=False)
        if protocol == front.protocol
    ]
    if len(policy.ports) > 1:
        wanted = (front.name or "").lower()
        backs = [each for each in backs if each[1].lower() == wanted]
    return backs[0][0] if backs else None
