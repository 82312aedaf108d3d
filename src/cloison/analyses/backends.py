"""Who is behind a Service: its pods, what EndpointSlices list, and who of them is an endpoint now.

Source: kubernetes/kubernetes staging/src/k8s.io/endpointslice/utils.go; kubernetes/api
discovery/v1 types.go, core/v1 types.go.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from cloison.algebra import AddressSet, parse_address
from cloison.analyses.ends import AddressEnd, End, NodeEnd, PodsEnd
from cloison.engine import Engine
from cloison.platform.endpoints import mirrored
from cloison.resources.objects import (
    ContainerKind,
    EndpointSlice,
    Service,
    ServicePort,
)
from cloison.resources.world import PodEndpoint, WorkloadId

Listed: TypeAlias = tuple[ServicePort, ...] | None
"""Ports that an EndpointSlice gives; they are the endpoints' own. None where none is asked."""


@dataclass(frozen=True, slots=True)
class Members:
    """Who of a Service's pods takes part.

    Args:
        ends: Those that do, with the ports that are listed for them.
        left_out: Those that do not, and why, for people.
        unread: Whether nothing in the input says who they are.
    """

    ends: tuple[tuple[PodsEnd | AddressEnd, Listed], ...] = ()
    left_out: tuple[str, ...] = ()
    unread: bool = False


def itself(service: Service) -> AddressEnd | None:
    """Return the address that a Service only stands for because some of it is redirected."""
    address = service.redirected
    if address is None:
        return None
    return AddressEnd(address, AddressSet.points((parse_address(address),)))


def members(engine: Engine, service: Service) -> Members:
    """Return who is behind a Service."""
    own = itself(service)
    if own is not None:
        return Members(((own, None),))
    if service.selector:
        return _selected(engine, service, service.selector.items())
    listed = list(_listed(engine, service))
    ready = tuple((end, ports) for end, ports, ok in listed if ok)
    out = tuple(f"{end.text} is not ready" for end, _, ok in listed if not ok)
    return Members(ready, out, unread=not _slices(engine, service))


def services_in(engine: Engine, namespace: str) -> Sequence[Service]:
    """Return the Services of a namespace, sorted by name."""
    found: dict[str, list[Service]] = engine.derived("services", _by_home, dict)
    return found.get(namespace, ())


def _by_home(engine: Engine) -> dict[str, list[Service]]:
    found: dict[str, list[Service]] = {}
    for service in engine.world.services.values():
        found.setdefault(service.namespace, []).append(service)
    return found


def _selected(engine: Engine, service: Service, wanted: Iterable[tuple[str, str]]) -> Members:
    ends: list[tuple[PodsEnd | AddressEnd, Listed]] = []
    ending: list[tuple[PodsEnd | AddressEnd, Listed]] = []
    out: list[str] = []
    meant: dict[WorkloadId, list[int]] = {}
    for index in engine.table.wearing(service.namespace, wanted):
        meant.setdefault(engine.table.endpoints[index].workload, []).append(index)
    for name in sorted(meant, key=lambda each: engine.table.by_workload[each][0]):
        workload, chosen = engine.world.workloads[name], meant[name]
        end = PodsEnd(str(name), workload, (), single=name.kind == "Pod")
        ready = [i for i in chosen if _counts(engine.table.endpoints[i], service)]
        last = [i for i in chosen if i not in ready and _ends(engine.table.endpoints[i])]
        if ready:
            ends.append((replace(end, endpoints=tuple(ready)), None))
        if last:
            ending.append((replace(end, endpoints=tuple(last)), None))
        for index in chosen:
            if index not in ready:
                each = engine.table.endpoints[index]
                state = "is being deleted" if each.terminating else "is not ready"
                out.append(f"pod {each.name} {state}, so it is no endpoint")
    # Where all are being deleted, those that still are ready get the traffic.
    return Members(tuple(ends or ending), tuple(out))


def _counts(endpoint: PodEndpoint, service: Service) -> bool:
    """Return whether a pod is an endpoint of a Service that selects it."""
    if service.publish_not_ready:
        return True
    return endpoint.ready is not False and not endpoint.terminating


def _ends(endpoint: PodEndpoint) -> bool:
    return endpoint.terminating and endpoint.ready is True


def _listed(
    engine: Engine, service: Service
) -> Iterator[tuple[PodsEnd | AddressEnd, Listed, bool]]:
    """Iterate over what is listed for a Service without a selector, and whether it is ready."""
    for piece in _slices(engine, service):
        for each in piece.endpoints:
            counts = each.ready or service.publish_not_ready
            for text in each.addresses:
                try:
                    point = parse_address(text)
                except ValueError:
                    continue  # a slice may list host names
                held = engine.holders.get(point, ())
                for index in held:
                    endpoint = engine.table.endpoints[index]
                    workload = engine.world.workloads[endpoint.workload]
                    pod = PodsEnd(endpoint.name, workload, (index,), single=True)
                    yield pod, piece.ports, counts
                if not held:
                    yield AddressEnd(text, AddressSet.points((point,))), piece.ports, counts


def _slices(engine: Engine, service: Service) -> tuple[EndpointSlice, ...]:
    """Return the slices of a Service; a cluster makes them of an Endpoints object, too."""
    key = (service.namespace, service.name)
    found = tuple(each for each in engine.world.slices if (each.namespace, each.service) == key)
    return found or tuple(mirrored(engine.world, service))


def own_port(endpoint: PodEndpoint, name: str, protocol: str) -> int | None:
    """Return the number that a pod gives a port name; None makes it no endpoint of that port.

    The first container that declares it counts, sidecars after the others.
    """
    for kind in (ContainerKind.REGULAR, ContainerKind.SIDECAR):
        for each in endpoint.ports:
            if each.container is kind and (each.name, each.protocol) == (name, protocol):
                return each.number
    return None


def nodes_of(engine: Engine, end: End) -> frozenset[str | None]:
    """Return the nodes that somebody is on, None among them for one that is not known."""
    if isinstance(end, NodeEnd):
        return frozenset((end.node.name,))
    if isinstance(end, PodsEnd):
        ends = engine.table.endpoints
        return frozenset(ends[index].shape.node for index in end.endpoints)
    return frozenset()


def on_node(engine: Engine, end: PodsEnd, node: str | None) -> PodsEnd | None:
    """Return the pods of an end that are on a node; None where there are none."""
    ends = engine.table.endpoints
    chosen = tuple(index for index in end.endpoints if ends[index].shape.node == node)
    return replace(end, endpoints=chosen) if chosen else None
