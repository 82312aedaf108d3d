"""Ingress: hosts and paths that lead to Services of its own namespace.

Source: kubernetes/api networking/v1 types.go; kubernetes/website services-networking/ingress.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import msgspec

from cloison.base import Span
from cloison.platform.routes.model import (
    Backend,
    EntryKind,
    Listener,
    Match,
    PathKind,
    RouteRule,
    Stop,
    Written,
)
from cloison.resources.declared import Declared, GroupKind, body
from cloison.resources.world import World

_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"
_GROUPS = ("networking.k8s.io", "extensions")


class _Port(msgspec.Struct):
    name: str | None = None
    number: int | None = None


class _Service(msgspec.Struct):
    name: str | None = None
    port: _Port | None = None


class _Backend(msgspec.Struct, rename="camel"):
    service: _Service | None = None
    resource: object | None = None
    service_name: str | None = None
    service_port: int | str | None = None


class _Path(msgspec.Struct, rename="camel"):
    path: str | None = None
    path_type: str | None = None
    backend: _Backend | None = None


class _Paths(msgspec.Struct):
    paths: list[_Path | None] | None = None


class _Rule(msgspec.Struct):
    host: str | None = None
    http: _Paths | None = None


class _Tls(msgspec.Struct):
    hosts: list[str | None] | None = None


class _Spec(msgspec.Struct, rename="camel"):
    ingress_class_name: str | None = None
    default_backend: _Backend | None = None
    backend: _Backend | None = None
    rules: list[_Rule | None] | None = None
    tls: list[_Tls | None] | None = None


class _Address(msgspec.Struct):
    ip: str | None = None
    hostname: str | None = None


class _Addresses(msgspec.Struct):
    ingress: list[_Address | None] | None = None


class _Status(msgspec.Struct, rename="camel"):
    load_balancer: _Addresses | None = None


class _Ingress(msgspec.Struct):
    spec: _Spec | None = None
    status: _Status | None = None

    def addresses(self) -> Iterator[str]:
        """Yield the addresses it has, host names among them."""
        balancer = self.status.load_balancer if self.status else None
        for each in (balancer.ingress if balancer else None) or ():
            if each is not None:
                yield from (text for text in (each.ip, each.hostname) if text)


class _ClassSpec(msgspec.Struct):
    controller: str | None = None


class _Class(msgspec.Struct):
    spec: _ClassSpec | None = None


SHAPES: Final[Mapping[GroupKind, type[msgspec.Struct]]] = {
    ("networking.k8s.io", "IngressClass"): _Class,
    **{(group, "Ingress"): _Ingress for group in _GROUPS},
}
"""How objects are read here."""


def ingresses(world: World) -> tuple[Written, ...]:
    """Return every Ingress that can be read."""
    classes = dict(_classes(world))
    default = next((name for name, (_, chosen) in sorted(classes.items()) if chosen), None)
    found = []
    for group in _GROUPS:
        for item in world.declared.get((group, "Ingress"), ()):
            read, _ = body(item, _Ingress)
            if read is not None:
                written = _read(item, read.spec or _Spec(), classes, default)
                found.append(replace(written, addresses=tuple(read.addresses())))
    return tuple(found)


def _classes(world: World) -> Iterator[tuple[str, tuple[str | None, bool]]]:
    """Yield the classes by name: the controller, and whether it is the default."""
    for item in world.declared.get(("networking.k8s.io", "IngressClass"), ()):
        read, _ = body(item, _Class)
        if read is not None:
            controller = read.spec.controller if read.spec else None
            yield item.name, (controller, item.annotations.get(_DEFAULT_CLASS) == "true")


def _read(
    item: Declared,
    spec: _Spec,
    classes: dict[str, tuple[str | None, bool]],
    default: str | None,
) -> Written:
    name = spec.ingress_class_name or item.annotations.get(_CLASS_ANNOTATION) or default
    listeners = [Listener("http", 80, "HTTP", None, item.span)]
    if spec.tls:
        listeners.append(Listener("https", 443, "HTTPS", None, item.at("spec", "tls")))
    rules = tuple(_rules(item, spec, tuple(listeners)))
    controller = classes[name][0] if name in classes else None
    return Written(EntryKind.INGRESS, item, name, controller, tuple(listeners), rules)


def _rules(item: Declared, spec: _Spec, listeners: tuple[Listener, ...]) -> Iterator[RouteRule]:
    for index, rule in enumerate(spec.rules or ()):
        if rule is None:
            continue
        for place, path in enumerate((rule.http and rule.http.paths) or ()):
            if path is None:
                continue
            span = item.at("spec", "rules", index, "http", "paths", place)
            hosts = (rule.host,) if rule.host else ()
            backend = _backend(item, path.backend, span)
            yield RouteRule(
                item.shown,
                listeners,
                hosts,
                _paths(path),
                (backend,),
                span,
                matches=_matches(path),
            )
    for key, fallback in (("defaultBackend", spec.default_backend), ("backend", spec.backend)):
        if fallback is not None:
            span = item.at("spec", key)
            backend = _backend(item, fallback, span)
            yield RouteRule(item.shown, listeners, (), (), (backend,), span, last=True)


def _paths(path: _Path) -> tuple[str, ...]:
    if not path.path:
        return ()
    if path.path_type == "Exact":
        return (path.path,)
    # What `ImplementationSpecific` means is the controller's affair; most take it as a prefix.
    return () if path.path.rstrip("/") == "" else (f"{path.path.rstrip('/')}*",)


def _matches(path: _Path) -> tuple[Match, ...]:
    kind = _KINDS.get(path.path_type or "", PathKind.OWN)
    return (Match(path.path, kind),) if path.path and path.path != "/" else _rooted(kind)


def _rooted(kind: PathKind) -> tuple[Match, ...]:
    """Return what `/` asks: everything, unless it stands for itself alone."""
    return (Match("/", PathKind.EXACT),) if kind is PathKind.EXACT else ()


_KINDS = {"Exact": PathKind.EXACT, "Prefix": PathKind.PREFIX}


def _backend(item: Declared, wired: _Backend | None, span: Span) -> Backend:
    namespace = item.namespace
    if wired is None or (wired.service is None and wired.service_name is None):
        kind = "a resource that is no Service" if wired and wired.resource else "no Service"
        stop = Stop(
            "NoService",
            f"{item.shown} leads to {kind}",
            "name a Service, if pods are meant to answer",
            span,
            "kubernetes/api networking/v1 types.go IngressBackend",
        )
        return Backend(namespace, "", span=span, stop=stop)
    if wired.service is None:
        return Backend(namespace, wired.service_name or "", wired.service_port, span=span)
    port = wired.service.port
    named = None if port is None else port.name or port.number
    return Backend(namespace, wired.service.name or "", named, span=span)
