"""The Gateway API: Gateways, listener sets, routes attached to them, and grants between namespaces.

Source: kubernetes-sigs/gateway-api apis/v1 (gateway_types.go, httproute_types.go, shared_types.go,
object_reference_types.go, referencegrant_types.go).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from cloison.base import Span
from cloison.platform.routes.grants import Grants
from cloison.platform.routes.model import Backend, EntryKind, Listener, RouteRule, Stop, Written
from cloison.platform.routes.wire import (
    AllowedW,
    BackendW,
    GatewayClassSpecW,
    GatewayClassW,
    GatewayW,
    ListenerW,
    ParentW,
    RouteW,
)
from cloison.resources.declared import Declared, GroupKind, body
from cloison.resources.world import World

GROUP: Final = "gateway.networking.k8s.io"
_ROUTES: Final = {
    "HTTPRoute": ("HTTP", "HTTPS"),
    "GRPCRoute": ("HTTP", "HTTPS"),
    "TLSRoute": ("TLS",),
    "TCPRoute": ("TCP", "TLS"),
    "UDPRoute": ("UDP",),
}
"""Kinds of routes, with the protocols of the listeners that take them."""
_GROUPS: Final = (GROUP, "gateway.networking.x-k8s.io")
_SETS: Final = ((GROUP, "ListenerSet"), ("gateway.networking.x-k8s.io", "XListenerSet"))
SHAPES: Final[Mapping[GroupKind, type[msgspec.Struct]]] = {
    (GROUP, "Gateway"): GatewayW,
    (GROUP, "GatewayClass"): GatewayClassW,
    **{(GROUP, kind): RouteW for kind in _ROUTES},
    **dict.fromkeys(_SETS, GatewayW),
}
"""How objects are read here."""


@dataclass(frozen=True, slots=True)
class _Open:
    """A listener, and which routes it takes.

    Args:
        listener: The listener.
        home: Namespace of the object that holds it.
        of: Kind and name of that object.
        wired: What is written.
    """

    listener: Listener
    home: str
    of: tuple[str, str]
    wired: ListenerW

    @property
    def passes(self) -> bool:
        """Whether it leaves TLS to the backend."""
        return self.wired.tls is not None and self.wired.tls.mode == "Passthrough"


def gateways(world: World) -> tuple[Written, ...]:
    """Return every Gateway with what is attached to it, as far as that can be read."""
    classes = dict(_classes(world))
    grants = Grants.of(world)
    routes = list(_routes(world))
    sets = _listener_sets(world)
    found = []
    for item in world.declared.get((GROUP, "Gateway"), ()):
        read, _ = body(item, GatewayW)
        if read is None or read.spec is None:
            continue
        own = list(_listeners(item, read.spec.listeners, "Gateway"))
        own += [
            each
            for each in sets.get((item.namespace, item.name), ())
            if _admits(world, read.spec.allowed_listeners, item.namespace, each.home, "None")
        ]
        rules = [
            rule
            for route, wired in routes
            for rule in _attached(world, item, own, route, wired, grants)
        ]
        name = read.spec.gateway_class_name
        listeners = tuple(each.listener for each in own)
        of_class = classes.get(name or "")
        infrastructure = read.spec.infrastructure
        settings = (
            infrastructure.parameters_ref if infrastructure else None,
            of_class.parameters_ref if of_class else None,
        )
        found.append(
            Written(
                EntryKind.GATEWAY,
                item,
                name,
                of_class.controller_name if of_class else None,
                listeners,
                tuple(rules),
                tuple(dict.fromkeys(read.addresses())),
                tuple(
                    (each.kind or "", each.namespace or item.namespace, each.name)
                    for each in settings
                    if each is not None and each.name
                ),
            )
        )
    return tuple(found)


def _classes(world: World) -> Iterator[tuple[str, GatewayClassSpecW]]:
    for item in world.declared.get((GROUP, "GatewayClass"), ()):
        read, _ = body(item, GatewayClassW)
        if read is not None and read.spec is not None:
            yield item.name, read.spec


def _routes(world: World) -> Iterator[tuple[Declared, RouteW]]:
    for kind in _ROUTES:
        for item in world.declared.get((GROUP, kind), ()):
            read, _ = body(item, RouteW)
            if read is not None and read.spec is not None:
                yield item, read


def _listener_sets(world: World) -> Mapping[tuple[str, str], list[_Open]]:
    """Return the listeners of listener sets, by the Gateway they belong to."""
    found: dict[tuple[str, str], list[_Open]] = defaultdict(list)
    for key in _SETS:
        for item in world.declared.get(key, ()):
            read, _ = body(item, GatewayW)
            parent = read.spec.parent_ref if read is not None and read.spec else None
            if read is None or read.spec is None or parent is None or not parent.name:
                continue
            home = (parent.namespace or item.namespace, parent.name)
            found[home] += _listeners(item, read.spec.listeners, "ListenerSet")
    return found


def _listeners(
    item: Declared, wired: Iterable[ListenerW | None] | None, kind: str
) -> Iterator[_Open]:
    for index, each in enumerate(wired or ()):
        if each is None or each.port is None:
            continue
        span = item.at("spec", "listeners", index)
        listener = Listener(
            each.name or "", each.port, each.protocol or "HTTP", each.hostname or None, span
        )
        yield _Open(listener, item.namespace, (kind, item.name), each)


def _attached(
    world: World,
    gateway: Declared,
    listeners: list[_Open],
    route: Declared,
    wired: RouteW,
    grants: Grants,
) -> Iterator[RouteRule]:
    """Yield the rules of a route that are behind a Gateway."""
    spec = wired.spec
    if spec is None:
        return
    taken = [
        each
        for each in listeners
        if each.listener.protocol in _ROUTES[route.kind]
        and _takes(world, each, route)
        and any(_names(parent, route, each, gateway) for parent in spec.parent_refs or () if parent)
        and _hosts_meet(each.listener.hostname, spec.hostnames or ())
    ]
    if not taken:
        return
    behind = tuple(each.listener for each in taken)
    hosts = tuple(host for host in spec.hostnames or () if host)
    for index, rule in enumerate(spec.rules or ()):
        if rule is None:
            continue
        span = route.at("spec", "rules", index)
        paths = tuple(
            text for match in rule.matches or () if match for text in match.paths() if text
        )
        backends = [
            _backend(route, each, grants, route.at("spec", "rules", index, "backendRefs", place))
            for place, each in enumerate(rule.backend_refs or ())
            if each is not None
        ]
        backends += [
            _backend(route, each, grants, span, mirror=True)
            for item in rule.filters or ()
            if item is not None and (each := item.mirrored()) is not None
        ]
        yield RouteRule(
            route.shown,
            behind,
            hosts,
            paths,
            tuple(backends),
            span,
            answers=any(each is not None and each.redirects for each in rule.filters or ()),
            passthrough=route.kind == "TLSRoute" and any(each.passes for each in taken),
            matches=tuple(match.compiled() for match in rule.matches or () if match),
            created=wired.metadata.created if wired.metadata else None,
        )


def _names(parent: ParentW, route: Declared, opened: _Open, gateway: Declared) -> bool:
    """Return whether a parent reference is to the Gateway, or to the set, of a listener."""
    kind = parent.kind or "Gateway"
    home = parent.namespace or route.namespace
    if (parent.group if parent.group is not None else GROUP) not in _GROUPS:
        return False  # a Service, say: that is routing within a mesh
    if kind == "Gateway":
        named = (home, parent.name) == (gateway.namespace, gateway.name)
        named = named and opened.of[0] == "Gateway"
    else:
        named = kind.endswith("ListenerSet") and (home, ("ListenerSet", parent.name)) == (
            opened.home,
            opened.of,
        )
    section = parent.section_name in (None, "", opened.listener.name)
    return named and section and parent.port in (None, opened.listener.port)


def _takes(world: World, opened: _Open, route: Declared) -> bool:
    """Return whether a listener takes routes of a namespace and kind."""
    allowed = opened.wired.allowed_routes
    kinds = [each.kind for each in (allowed.kinds if allowed else None) or () if each]
    if kinds and route.kind not in kinds:
        return False
    return _admits(world, allowed, opened.home, route.namespace, "Same")


def _admits(
    world: World, allowed: AllowedW | None, home: str, namespace: str, default: str
) -> bool:
    """Return whether objects of a namespace are taken in one."""
    spaces = allowed.namespaces if allowed else None
    source = (spaces.from_ if spaces else None) or default
    if source == "All":
        return True
    if source == "Same":
        return namespace == home
    if source != "Selector" or spaces is None or spaces.selector is None:
        return False
    space = world.namespaces.get(namespace)
    return space is not None and spaces.selector.compiled().matches(space.labels)


def _hosts_meet(hostname: str | None, hosts: Iterable[str | None]) -> bool:
    """Return whether a listener and a route have a host in common."""
    named = [host for host in hosts if host]
    if not hostname or not named:
        return True
    return any(_meet(hostname.lower(), host.lower()) for host in named)


def _meet(one: str, other: str) -> bool:
    if one.startswith("*.") and other.startswith("*."):
        return one.endswith(other[1:]) or other.endswith(one[1:])
    if one.startswith("*."):
        return other.endswith(one[1:])
    if other.startswith("*."):
        return one.endswith(other[1:])
    return one == other


def _backend(
    route: Declared, wired: BackendW, grants: Grants, span: Span, *, mirror: bool = False
) -> Backend:
    namespace = wired.namespace or route.namespace
    group, kind = wired.group or "", wired.kind or "Service"
    stop = None
    if (group, kind) != ("", "Service"):
        stop = Stop(
            "InvalidKind",
            f"{route.shown} leads to {kind} {namespace}/{wired.name}, which is no Service",
            "what its pods are, its controller knows; lead to a Service to have it followed",
            span,
            "kubernetes-sigs/gateway-api apis/v1/object_reference_types.go",
        )
    elif not grants.permit(route, namespace, group, kind, wired.name or ""):
        stop = Stop(
            "RefNotPermitted",
            f"no ReferenceGrant in {namespace} lets {route.kind}s of {route.namespace} "
            f"lead to Service {wired.name}",
            f"add a ReferenceGrant to namespace {namespace}, from {route.kind} in "
            f"{route.namespace} to Service",
            span,
            "kubernetes-sigs/gateway-api apis/v1/referencegrant_types.go",
        )
    weight = 1 if wired.weight is None else wired.weight
    return Backend(
        namespace,
        wired.name or "",
        wired.port,
        weight=weight,
        mirror=mirror,
        span=span,
        stop=stop,
    )
