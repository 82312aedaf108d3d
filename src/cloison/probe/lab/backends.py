"""Services and DNS names of a world as built: what leads where."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cloison.algebra import PORT_PROTOCOLS, AddressSet, address_text, parse_address
from cloison.probe.lab.plan import ServicePlan, ServicePort
from cloison.resources.objects import EndpointSlice, Service
from cloison.resources.objects import ServicePort as Port
from cloison.resources.world import PodEndpoint, World

DOMAIN = "svc.cluster.local"
"""What names of Services end in."""

_DNS = (("kube-system", "kube-dns"), ("kube-system", "coredns"), ("openshift-dns", "dns-default"))
"""Services that clusters ask for names."""

_OUTWARD = ("NodePort", "LoadBalancer")
"""Types of Services whose ports every node has, too."""
_NODE_PORTS = range(30000, 32768)
"""From which an API server gives such ports where nobody asks for one."""

_DNS_LABELS = ("kube-dns", "coredns")
_DNS_PORT = 53
_FEW = 8
"""So many addresses that a name stands for are answered."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where a pod lives.

    Args:
        name: What people call it.
        station: Its namespace's name: its own, or its node's where it is on that network.
        pod: The pod as built.
    """

    name: str
    station: str
    pod: PodEndpoint


def service_plans(world: World, homes: Iterable[Home]) -> Iterator[ServicePlan]:
    """Iterate over the Services with addresses of their own.

    Args:
        world: The world as built.
        homes: Its pods.
    """
    by_namespace: dict[str, list[Home]] = {}
    for home in homes:
        by_namespace.setdefault(home.pod.namespace, []).append(home)
    slices: dict[tuple[str, str], list[EndpointSlice]] = {}
    for piece in world.slices:
        if piece.service is not None:
            slices.setdefault((piece.namespace, piece.service), []).append(piece)
    said = {port.node_port for each in world.services.values() for port in each.ports}
    free = (number for number in _NODE_PORTS if number not in said)
    for key, service in world.services.items():
        if service.type == "ExternalName":
            continue
        pods = _selected(service, by_namespace.get(service.namespace, ()))
        outward = service.type in _OUTWARD
        ports = tuple(
            ServicePort(
                port.protocol,
                port.port,
                tuple(dict.fromkeys(_backends(port, service, pods, slices.get(key, ())))),
                port.node_port or (next(free) if outward else 0),
            )
            for port in service.ports
            if port.protocol in PORT_PROTOCOLS
        )
        addresses = tuple(_addresses((*service.cluster_ips, *service.external_ips)))
        outside = tuple(_addresses((*service.external_ips, *service.load_balancer)))
        if addresses:
            yield ServicePlan(
                "/".join(key),
                tuple(dict.fromkeys((*addresses, *outside))),
                ports,
                outside,
                service.external_traffic_policy == "Local",
                service.internal_traffic_policy == "Local",
            )


def names(
    world: World,
    services: Iterable[ServicePlan],
    homes: Sequence[Home],
    given: Mapping[str, AddressSet],
) -> dict[str, tuple[str, ...]]:
    """Return what DNS names stand for.

    Args:
        world: The world as built.
        services: Its Services with addresses.
        homes: Its pods.
        given: Names that the user gave, in small letters.
    """
    found = {name: tuple(_points(meant)) for name, meant in given.items()}
    for plan in services:
        namespace, _, name = plan.name.partition("/")
        service = world.services.get((namespace, name))
        own = service.cluster_ips if service is not None else plan.addresses
        found[f"{name}.{namespace}.{DOMAIN}"] = tuple(_addresses(own))
    aliases = []
    for service in world.services.values():
        full = f"{service.name}.{service.namespace}.{DOMAIN}"
        if service.type == "ExternalName":
            aliases.append((full, (service.external_name or "").lower().removesuffix(".")))
        elif "None" in service.cluster_ips:
            mine = [home for home in homes if home.pod.namespace == service.namespace]
            pods = _selected(service, mine)
            found[full] = tuple(dict.fromkeys(a for pod in pods for a in _texts(pod)))
            for pod in pods:
                if pod.workload.kind == "StatefulSet":
                    found[f"{_hostname(pod)}.{full}"] = _texts(pod)
    # Only now: an alias may stand for any other name.
    for alias, name in aliases:
        if name in found:
            found[alias] = found[name]
    return dict(sorted(found.items()))


def dns_server(
    world: World, services: Iterable[ServicePlan], at: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[tuple[str, int], ...]] | None:
    """Return whom pods ask for names, and the stations and ports where that is answered.

    Args:
        world: The world as built.
        services: Its Services with addresses.
        at: Stations by address.

    Returns:
        None where the world has no such Service, or nothing behind it.
    """
    for plan in sorted(services, key=lambda plan: (_rank(world, plan), plan.name)):
        if _rank(world, plan) > len(_DNS):
            break
        places = {
            (at[address], number)
            for port in plan.ports
            if port.port == _DNS_PORT
            for address, number in port.backends
            if address in at
        }
        if places:
            return plan.addresses, tuple(sorted(places))
    return None


def _rank(world: World, plan: ServicePlan) -> int:
    """Sort Services that answer for names before others: known by name, then by label."""
    namespace, _, name = plan.name.partition("/")
    if (namespace, name) in _DNS:
        return _DNS.index((namespace, name))
    service = world.services.get((namespace, name))
    selector = service.selector if service is not None and service.selector else {}
    answers = any(value in _DNS_LABELS for value in selector.values())
    return len(_DNS) if answers else len(_DNS) + 1


def _selected(service: Service, homes: Iterable[Home]) -> list[PodEndpoint]:
    selector = service.selector
    if not selector:
        return []
    chosen = (home.pod for home in homes if selector.items() <= home.pod.labels.items())
    return [pod for pod in chosen if service.publish_not_ready or _takes_part(pod)]


def _takes_part(pod: PodEndpoint) -> bool:
    return pod.ready is not False and not pod.terminating


def _backends(
    port: Port, service: Service, pods: Iterable[PodEndpoint], slices: Iterable[EndpointSlice]
) -> Iterator[tuple[str, int]]:
    """Iterate over address and port of whatever is behind one port of a Service."""
    if service.selector is None:
        for piece in slices:
            match = next((p for p in piece.ports if p.name == port.name), None)
            ready = [each for each in piece.endpoints if each.ready]
            if match is not None:
                for each in ready:
                    yield from ((text, match.port) for text in _addresses(each.addresses))
        return
    for pod in pods:
        number = _number(port, pod)
        if number:
            yield from ((text, number) for text in _texts(pod))


def _number(port: Port, pod: PodEndpoint) -> int:
    """Return the pod's own port behind a Service port; 0 where it has none of that name."""
    target = port.target if port.target is not None else port.port
    if isinstance(target, int):
        return target
    for each in pod.ports:
        if each.name == target and each.protocol == port.protocol:
            return each.number
    return 0


def _hostname(pod: PodEndpoint) -> str:
    """Return what a StatefulSet's pod calls itself; the first one's where it has no ordinal."""
    name = pod.pod or pod.workload.name
    return name if name != pod.workload.name else f"{name}-0"


def _addresses(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        try:
            yield address_text(parse_address(text))
        except ValueError:
            continue  # `None` marks a headless Service, and slices may list host names


def _texts(pod: PodEndpoint) -> tuple[str, ...]:
    return tuple(map(address_text, pod.addresses))


def _points(meant: AddressSet) -> Iterator[str]:
    """Iterate over some addresses of a set: a name may stand for a whole block."""
    for low, high in meant.spans[:_FEW]:
        yield address_text(low)
        if low < high:
            return
