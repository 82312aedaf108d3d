"""Who serves an entry: pods of the input, those its product would have, or a load balancer."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from cloison.platform.component import ANY_VALUE, Component, Found
from cloison.platform.components import component
from cloison.platform.routes.balancers import balancer
from cloison.platform.routes.envoygateway import EnvoyGateway, envoy_gateway
from cloison.platform.routes.model import Dials, EntryKind, Listener, Plane, Supposed, Written
from cloison.platform.routes.wire import SelectorW
from cloison.resources.declared import GroupKind, body
from cloison.resources.objects import Service
from cloison.resources.world import WorkloadId, World

_MAX_PORT = 65535
_PRIVILEGED = 1024
_SERVICE_UPSTREAM = "nginx.ingress.kubernetes.io/service-upstream"
_CONTROLLER_CLASS = "--controller-class="
_INGRESS_CLASS = "--ingress-class="
_GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"


class _Row(msgspec.Struct, frozen=True):
    """A row of `planes.toml`, which says what the fields mean."""

    controllers: list[str]
    classes: list[str]
    components: list[str] = []
    ports: str | dict[str, int] = "same"
    labels: dict[str, str] = {}
    class_labels: dict[str, str] = {}
    settings: bool = False
    home: str | None = None
    apis: list[EntryKind] = []
    apart: str | None = None
    balancer: str | None = None


class _Strategy(msgspec.Struct):
    type: str | None = None


class _Table(msgspec.Struct, frozen=True):
    plane: list[_Row]


def planes(world: World, components: Sequence[Found], wanted: Written) -> tuple[Plane, ...]:
    """Return who serves an entry; several where the input does not say which, or none.

    Args:
        world: What the cluster holds.
        components: Known components in it.
        wanted: The entry.
    """
    rows = [row for row in _table().plane if _fits(row, wanted)]
    if rows:
        return tuple(plane for row in rows for plane in _of_row(row, world, components, wanted))
    if wanted.controller is not None:
        # Somebody whom we do not know, and whose pods may be there all the same.
        linked = _linked(world, wanted) or tuple(_argued(world, components, wanted))
        return linked or _told(components, wanted)
    linked = _linked(world, wanted)
    if linked:
        return linked
    others = [row for row in _table().plane if wanted.kind in (row.apis or [wanted.kind])]
    return tuple(
        plane
        for row in others
        if not row.labels
        for plane in _present(row, components, wanted, "the input says no class")
    )


@cache
def _table() -> _Table:
    text = files(__package__).joinpath("planes.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), _Table)


def _fits(row: _Row, wanted: Written) -> bool:
    if row.apis and wanted.kind not in row.apis:
        return False
    if wanted.controller is not None:
        return wanted.controller in row.controllers
    return wanted.class_name is not None and wanted.class_name in row.classes


def _of_row(
    row: _Row, world: World, components: Sequence[Found], wanted: Written
) -> Iterator[Plane]:
    if wanted.kind is EntryKind.ROUTE:
        why = "Routes are served by the platform's router"
    elif wanted.controller is not None:
        why = f"class {wanted.class_name} says controller {wanted.controller}"
    else:
        why = f"class {wanted.class_name} is that of {_named(row)}"
    if row.apart is not None:
        field = "ingressClassName" if wanted.kind is EntryKind.INGRESS else "gatewayClassName"
        yield Plane(_named(row), why, apart=row.apart, span=wanted.item.at("spec", field))
    elif row.balancer is not None:
        yield balancer(row.balancer, world, wanted, why)
    elif row.labels:
        said = [each for each in components if each.said and each.component.id in row.components]
        if said:
            yield from _present(row, components, wanted, why)
            return
        yield _made(row, world, wanted, why)
    elif wanted.kind is EntryKind.ROUTE:
        yield from _routers(row, world, components, wanted, why)
    else:
        here = tuple(_present(row, _of_class(world, components, wanted), wanted, why))
        yield from here or _linked(world, wanted) or _shipped(row, wanted, why)


def _named(row: _Row) -> str:
    if row.components:
        return component(row.components[0]).name
    return "an AWS load balancer" if row.balancer == "aws" else "a Google load balancer"


def _present(row: _Row, components: Sequence[Found], wanted: Written, why: str) -> Iterator[Plane]:
    """Yield the planes that the input, or the caller, holds of a row."""
    for each in components:
        if each.component.id not in row.components:
            continue
        name = each.component.name
        said = f"{why}; found {each.how}" if not each.said else f"{why}; {each.how}"
        span = each.spans[0] if each.spans else wanted.item.span
        ports, dials = _ports(row, wanted.listeners), _dials(wanted)
        if each.workloads:
            yield Plane(name, said, workloads=each.workloads, ports=ports, dials=dials, span=span)
        elif each.said and each.namespace and each.pod_labels:
            supposed = Supposed(
                each.component.id, each.namespace, each.pod_labels, each.component.host_network
            )
            yield Plane(name, said, supposed=supposed, ports=ports, dials=dials, span=span)


def _of_class(world: World, components: Sequence[Found], wanted: Written) -> tuple[Found, ...]:
    """Return components without workloads whose arguments say that another class is theirs.

    Source: kubernetes/ingress-nginx docs/user-guide/multiple-ingress.md.
    """
    return tuple(
        replace(each, workloads=kept)
        for each in components
        if (kept := tuple(n for n in each.workloads if _fits_class(world, n, wanted)))
        or not each.workloads
    )


def _fits_class(world: World, name: WorkloadId, wanted: Written) -> bool:
    controllers = _argument(world, name, _CONTROLLER_CLASS)
    if wanted.controller is not None:
        return not controllers or wanted.controller in controllers
    classes = _argument(world, name, _INGRESS_CLASS)
    return not classes or wanted.class_name in classes


def _argued(world: World, components: Sequence[Found], wanted: Written) -> Iterator[Plane]:
    """Yield the pods whose arguments name the controller of an entry."""
    for row in _table().plane:
        for each in components if not row.labels else ():
            if each.component.id in row.components:
                there = tuple(
                    name
                    for name in each.workloads
                    if wanted.controller in _argument(world, name, _CONTROLLER_CLASS)
                )
                why = f"its arguments name controller {wanted.controller}"
                yield from _present(row, (replace(each, workloads=there),), wanted, why)


def _argument(world: World, name: WorkloadId, key: str) -> frozenset[str]:
    """Return what the containers of a workload are given by an argument."""
    return frozenset(
        text.removeprefix(key)
        for endpoint in world.workloads[name].endpoints[:1]
        if endpoint.shape.runtime is not None
        for container in endpoint.shape.runtime.containers
        for text in container.arguments
        if text.startswith(key)
    )


def _told(components: Sequence[Found], wanted: Written) -> tuple[Plane, ...]:
    """Return who serves an entry of an unknown controller, as the caller says where one is."""
    rows = [row for row in _table().plane if wanted.kind in (row.apis or [wanted.kind])]
    said = [each for each in components if each.said]
    why = f"controller {wanted.controller} is not known"
    return tuple(plane for row in rows for plane in _present(row, said, wanted, why))


def _linked(world: World, wanted: Written) -> tuple[Plane, ...]:
    """Return the pods that an entry names: by the address of their Service, or by their labels.

    Sources: kubernetes-sigs/gateway-api geps/gep-1762 (the label that pods of a Gateway carry, and
    addresses of a Gateway that is deployed by hand).
    """
    services = [
        service
        for text in wanted.addresses
        for service in world.services.values()
        if _is_of(text, service) and service.selector
    ]
    for service in services:
        there = tuple(_labelled(world, service.selector or {}, service.namespace))
        if there:
            name = f"{service.namespace}/{service.name}"
            why = f"{wanted.item.shown} has the address of Service {name}"
            return (
                Plane(
                    f"Service {name}",
                    why,
                    workloads=there,
                    span=wanted.item.at("spec", "addresses"),
                    service=(service.namespace, service.name),
                    dials=_dials(wanted),
                ),
            )
    if wanted.kind is not EntryKind.GATEWAY:
        return ()
    labels = {_GATEWAY_NAME: wanted.item.name}
    there = tuple(_labelled(world, labels, wanted.item.namespace))
    if not there:
        return ()
    why = f"its pods carry {_GATEWAY_NAME}={wanted.item.name}"
    return (Plane(str(there[0]), why, workloads=there, span=wanted.item.span),)


def _is_of(text: str, service: Service) -> bool:
    """Return whether an address or host name is a Service's."""
    addresses = (*service.cluster_ips, *service.external_ips, *service.load_balancer)
    if text != "None" and text in addresses:
        return True
    names = text.rstrip(".").split(".")
    own = [service.name, service.namespace]
    return names[:2] == own and names[2:3] in ([], ["svc"])


def _made(row: _Row, world: World, wanted: Written, why: str) -> Plane:
    """Return the pods that are made for one Gateway, as they are or as they would be."""
    known = component(row.components[0])
    settings = envoy_gateway(world, wanted) if row.settings else EnvoyGateway()
    written = row.class_labels if settings.merged else row.labels
    labels = {key: _filled(value, wanted) for key, value in written.items()}
    entry_home = row.home == "entry" or settings.beside
    home = wanted.item.namespace if entry_home else known.namespace or wanted.item.namespace
    there = tuple(_labelled(world, labels, home if entry_home else None))
    ports = {each.port: each.port for each in wanted.listeners}
    ports = ports if settings.same_ports else _ports(row, wanted.listeners)
    dials = Dials.SERVICE if settings.by_service else _dials(wanted)
    why = f"{why}{settings.said}"
    if there:
        return Plane(
            known.name, why, workloads=there, ports=ports, dials=dials, span=wanted.item.span
        )
    supposed = Supposed(known.id, home, labels, known.host_network)
    return Plane(
        known.name, why, supposed=supposed, ports=ports, dials=dials, span=wanted.item.span
    )


def _labelled(
    world: World, labels: Mapping[str, str], namespace: str | None = None
) -> Iterator[WorkloadId]:
    for name, workload in world.workloads.items():
        if namespace in (None, name.namespace) and any(
            labels.items() <= each.labels.items() for each in workload.endpoints
        ):
            yield name


class _ControllerSpec(msgspec.Struct, rename="camel"):
    endpoint_publishing_strategy: _Strategy | None = None
    route_selector: SelectorW | None = None
    namespace_selector: SelectorW | None = None


class _Controller(msgspec.Struct):
    spec: _ControllerSpec | None = None


_KEY: Final = ("operator.openshift.io", "IngressController")
SHAPES: Final[Mapping[GroupKind, type[msgspec.Struct]]] = {_KEY: _Controller}
"""How objects are read here."""


def _routers(
    row: _Row, world: World, components: Sequence[Found], wanted: Written, why: str
) -> Iterator[Plane]:
    """Yield the routers that serve a Route: of every ingress controller that takes it.

    Source: openshift/api operator/v1/types_ingress.go; openshift/cluster-ingress-operator
    pkg/operator/controller/ingress/deployment.go.
    """
    known = component(row.components[0])
    found = 0
    for item in world.declared.get(_KEY, ()):
        read, _ = body(item, _Controller)
        spec = (read.spec if read else None) or _ControllerSpec()
        if not _takes(world, spec, wanted):
            continue
        found += 1
        labels = dict.fromkeys(known.pod_labels, item.name)
        there = tuple(_labelled(world, labels, known.namespace))
        strategy = spec.endpoint_publishing_strategy
        host = strategy is not None and strategy.type == "HostNetwork"
        said = f"{item.shown} serves it" + (", on the network of its nodes" if host else "")
        ports = _ports(row, wanted.listeners)
        if there:
            yield Plane(known.name, said, workloads=there, ports=ports, span=item.span)
        else:
            supposed = Supposed(known.id, known.namespace or item.namespace, labels, host)
            yield Plane(known.name, said, supposed=supposed, ports=ports, span=item.span)
    if not found:
        yield from tuple(_present(row, components, wanted, why)) or _shipped(row, wanted, why)


def _takes(world: World, spec: _ControllerSpec, wanted: Written) -> bool:
    """Return whether an ingress controller takes a Route."""
    space = world.namespaces.get(wanted.item.namespace)
    labels = space.labels if space is not None else {}
    pairs = ((spec.route_selector, wanted.item.labels), (spec.namespace_selector, labels))
    return all(selector is None or selector.compiled().matches(on) for selector, on in pairs)


def _filled(value: str, wanted: Written) -> str:
    return value.format(
        **{
            "name": wanted.item.name,
            "namespace": wanted.item.namespace,
            "class": wanted.class_name or "",
        }
    )


def _shipped(row: _Row, wanted: Written, why: str) -> Iterator[Plane]:
    """Yield the pods that a product ships with, where the input holds none of them."""
    known = component(row.components[0])
    if not _plain(known):
        yield Plane(known.name, f"{why}; nothing in the input is it", span=wanted.item.span)
        return
    home = known.namespace or ""
    supposed = Supposed(known.id, home, dict(known.pod_labels), known.host_network)
    ports = _ports(row, wanted.listeners)
    dials = _dials(wanted)
    if not home:
        # Where it is installed, whoever installs it chooses.
        labels = ", ".join(f"{key}={value}" for key, value in known.pod_labels.items())
        said = f"{why}; nothing in the input is it: pods with {labels} are assumed, somewhere"
        span = wanted.item.span
        yield Plane(known.name, said, ports=ports, dials=dials, span=span, somewhere=supposed)
        return
    yield Plane(known.name, why, supposed=supposed, ports=ports, dials=dials, span=wanted.item.span)


def _plain(known: Component) -> bool:
    return bool(known.pod_labels) and ANY_VALUE not in known.pod_labels.values()


def _dials(wanted: Written) -> Dials:
    upstream = wanted.item.annotations.get(_SERVICE_UPSTREAM) == "true"
    return Dials.SERVICE if upstream else Dials.ENDPOINTS


def _ports(row: _Row, listeners: Sequence[Listener]) -> dict[int, int]:
    """Return the pods' ports by the listeners' ports."""
    if isinstance(row.ports, dict):
        return {int(port): number for port, number in row.ports.items()}
    return {each.port: _port(row.ports, each.port) for each in listeners}


def _port(rule: str, port: int) -> int:
    """Return a port of pods that are made for a Gateway.

    Sources: projectcontour/contour internal/gatewayapi/listeners.go; envoyproxy/gateway
    internal/gatewayapi/listener.go.
    """
    if rule == "listener+8000":
        moved = port + 8000
        moved = moved - _MAX_PORT if moved > _MAX_PORT else moved
        return moved + 1023 if moved < _PRIVILEGED else moved
    if rule == "listener<1024+10000" and port < _PRIVILEGED:
        return port + 10000
    return port
