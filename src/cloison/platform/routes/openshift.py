"""OpenShift Routes: a host that leads to one Service, or to several by weight.

Source: openshift/api route/v1/types.go; openshift/router pkg/router/template.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from cloison.platform.routes.model import Backend, EntryKind, Listener, Match, RouteRule, Written
from cloison.resources.declared import Declared, GroupKind, body
from cloison.resources.world import World

_ROUTER = "openshift.io/ingress-to-route"
_MOST_WEIGHT = 100
"""Of a target that says no weight."""


class _Target(msgspec.Struct):
    kind: str | None = None
    name: str | None = None
    weight: int | None = None


class _Port(msgspec.Struct, rename="camel"):
    target_port: int | str | None = None


class _Tls(msgspec.Struct, rename="camel"):
    termination: str | None = None
    insecure_edge_termination_policy: str | None = None


class _Spec(msgspec.Struct, rename="camel"):
    host: str | None = None
    path: str | None = None
    to: _Target | None = None
    alternate_backends: list[_Target | None] | None = None
    port: _Port | None = None
    tls: _Tls | None = None


class _Route(msgspec.Struct):
    spec: _Spec | None = None


_KEY: Final = ("route.openshift.io", "Route")
SHAPES: Final[Mapping[GroupKind, type[msgspec.Struct]]] = {_KEY: _Route}
"""How objects are read here."""


def routes(world: World) -> tuple[Written, ...]:
    """Return every Route that can be read."""
    found = []
    for item in world.declared.get(_KEY, ()):
        read, _ = body(item, _Route)
        if read is not None and read.spec is not None:
            found.append(_read(item, read.spec))
    return tuple(found)


def _read(item: Declared, spec: _Spec) -> Written:
    listeners = tuple(_listeners(item, spec.tls))
    targets = [(spec.to, item.at("spec", "to"))]
    targets += [
        (each, item.at("spec", "alternateBackends", place))
        for place, each in enumerate(spec.alternate_backends or ())
    ]
    port = spec.port.target_port if spec.port else None
    backends = tuple(
        Backend(
            item.namespace,
            each.name,
            port,
            endpoint_port=port is not None,
            weight=_MOST_WEIGHT if each.weight is None else each.weight,
            span=span,
        )
        for each, span in targets
        if each is not None and each.name
    )
    hosts = (spec.host,) if spec.host else ()
    paths = (f"{spec.path.rstrip('/')}*",) if spec.path and spec.path.rstrip("/") else ()
    passthrough = spec.tls is not None and spec.tls.termination == "passthrough"
    rule = RouteRule(
        item.shown,
        listeners,
        hosts,
        paths,
        backends,
        item.span,
        passthrough=passthrough,
        matches=(Match(spec.path),) if paths and spec.path else (),
    )
    return Written(EntryKind.ROUTE, item, None, _ROUTER, listeners, (rule,))


def _listeners(item: Declared, tls: _Tls | None) -> list[Listener]:
    """Return the router's ports: plain HTTP unless TLS is all that is let in."""
    plain = Listener("http", 80, "HTTP", None, item.span)
    if tls is None:
        return [plain]
    secure = Listener("https", 443, "HTTPS", None, item.at("spec", "tls"))
    insecure = (tls.insecure_edge_termination_policy or "None") != "None"
    return [plain, secure] if insecure else [secure]
