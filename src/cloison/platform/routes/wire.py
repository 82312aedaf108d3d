"""The parts of the Gateway API that lead traffic, as they stand in JSON."""

from collections.abc import Iterator

import msgspec

from cloison.algebra import LabelSelector, Operator, Requirement
from cloison.platform.routes.model import Match, PathKind


class ParentW(msgspec.Struct, rename="camel"):
    """`ParentReference`."""

    name: str | None = None
    namespace: str | None = None
    group: str | None = None
    kind: str | None = None
    section_name: str | None = None
    port: int | None = None


class BackendW(msgspec.Struct):
    """`BackendRef`."""

    name: str | None = None
    namespace: str | None = None
    group: str | None = None
    kind: str | None = None
    port: int | None = None
    weight: int | None = None


class RequirementW(msgspec.Struct):
    """`LabelSelectorRequirement`."""

    key: str
    operator: Operator
    values: list[str] | None = None


class SelectorW(msgspec.Struct, rename="camel"):
    """`LabelSelector`."""

    match_labels: dict[str, str] | None = None
    match_expressions: list[RequirementW] | None = None

    def compiled(self) -> LabelSelector:
        """Return it as a selector."""
        expressions = (
            Requirement(each.key, each.operator, tuple(each.values or ()))
            for each in self.match_expressions or ()
        )
        return LabelSelector.of(self.match_labels or {}, expressions)


class NamespacesW(msgspec.Struct, rename={"from_": "from"}):
    """`RouteNamespaces`."""

    from_: str | None = None
    selector: SelectorW | None = None


class KindW(msgspec.Struct):
    """`RouteGroupKind`."""

    kind: str | None = None


class AllowedW(msgspec.Struct):
    """`AllowedRoutes`."""

    namespaces: NamespacesW | None = None
    kinds: list[KindW | None] | None = None


class TlsW(msgspec.Struct):
    """`ListenerTLSConfig`."""

    mode: str | None = None


class ListenerW(msgspec.Struct, rename="camel"):
    """`Listener`, and an entry of a listener set."""

    name: str | None = None
    port: int | None = None
    protocol: str | None = None
    hostname: str | None = None
    allowed_routes: AllowedW | None = None
    tls: TlsW | None = None


class AddressW(msgspec.Struct):
    """`GatewaySpecAddress` and `GatewayStatusAddress`."""

    type: str | None = None
    value: str | None = None


class ParametersW(msgspec.Struct):
    """`ParametersReference` and `LocalParametersReference`."""

    group: str | None = None
    kind: str | None = None
    name: str | None = None
    namespace: str | None = None


class InfrastructureW(msgspec.Struct, rename="camel"):
    """`GatewayInfrastructure`."""

    parameters_ref: ParametersW | None = None


class GatewaySpecW(msgspec.Struct, rename="camel"):
    """`GatewaySpec`; a listener set has a parent instead of a class."""

    gateway_class_name: str | None = None
    parent_ref: ParentW | None = None
    listeners: list[ListenerW | None] | None = None
    addresses: list[AddressW | None] | None = None
    infrastructure: InfrastructureW | None = None
    allowed_listeners: AllowedW | None = None


class GatewayStatusW(msgspec.Struct):
    """`GatewayStatus`."""

    addresses: list[AddressW | None] | None = None


class GatewayW(msgspec.Struct):
    """`Gateway` and `ListenerSet`."""

    spec: GatewaySpecW | None = None
    status: GatewayStatusW | None = None

    def addresses(self) -> Iterator[str]:
        """Yield the addresses it asks for and those it has, host names among them."""
        for part in (self.spec, self.status):
            for each in (part.addresses if part is not None else None) or ():
                if each is not None and each.value:
                    yield each.value


class GatewayClassSpecW(msgspec.Struct, rename="camel"):
    """`GatewayClassSpec`."""

    controller_name: str | None = None
    parameters_ref: ParametersW | None = None


class GatewayClassW(msgspec.Struct):
    """`GatewayClass`."""

    spec: GatewayClassSpecW | None = None


class PathW(msgspec.Struct):
    """`HTTPPathMatch`."""

    type: str | None = None
    value: str | None = None


class MethodW(msgspec.Struct):
    """`GRPCMethodMatch`."""

    type: str | None = None
    service: str | None = None
    method: str | None = None


class ValueW(msgspec.Struct):
    """`HTTPHeaderMatch`, `GRPCHeaderMatch` and `HTTPQueryParamMatch`."""

    type: str | None = None
    name: str | None = None
    value: str | None = None


class MatchW(msgspec.Struct, rename="camel"):
    """`HTTPRouteMatch` and `GRPCRouteMatch`; their `method` is a text in the one only."""

    path: PathW | None = None
    method: str | MethodW | None = None
    headers: list[ValueW | None] | None = None
    query_params: list[ValueW | None] | None = None

    def compiled(self) -> Match:
        """Return it as what a rule asks of a request."""
        path, kind, method = "/", PathKind.PREFIX, None
        if isinstance(self.method, MethodW):
            named = self.method
            sure = (named.type or "Exact") == "Exact" and named.service
            kind = PathKind.EXACT if named.method else PathKind.PREFIX
            path = f"/{named.service}/{named.method or ''}"
            if not sure:
                path, kind = f"/{named.service or '.*'}/{named.method or ''}", PathKind.OWN
        else:
            method = self.method
        if self.path is not None and self.path.value:
            path = self.path.value
            kind = _KINDS.get(self.path.type or "PathPrefix", PathKind.OWN)
        return Match(path, kind, method, _values(self.headers), _values(self.query_params))

    def paths(self) -> Iterator[str]:
        """Yield the path it is for, a prefix with a star behind it; nothing where it is any."""
        if isinstance(self.method, MethodW):
            named = self.method
            if named.service and (named.type or "Exact") == "Exact":
                yield f"/{named.service}/{named.method}" if named.method else f"/{named.service}/*"
        if self.path is not None and self.path.value:
            kind = self.path.type or "PathPrefix"
            if kind == "Exact":
                yield self.path.value
            elif kind == "PathPrefix" and self.path.value.rstrip("/"):
                yield f"{self.path.value.rstrip('/')}*"


_KINDS = {"Exact": PathKind.EXACT, "PathPrefix": PathKind.PREFIX}


def _values(written: list[ValueW | None] | None) -> tuple[tuple[str, str | None], ...]:
    """Return what headers or parameters have to be; None stands for a pattern."""
    return tuple(
        (each.name, each.value if (each.type or "Exact") == "Exact" else None)
        for each in written or ()
        if each is not None and each.name
    )


class MirrorW(msgspec.Struct, rename="camel"):
    """`HTTPRequestMirrorFilter`."""

    backend_ref: BackendW | None = None


class FilterW(msgspec.Struct, rename="camel"):
    """`HTTPRouteFilter`, as far as it sends traffic somewhere."""

    type: str | None = None
    request_mirror: MirrorW | None = None

    @property
    def redirects(self) -> bool:
        """Whether the client gets an answer at once."""
        return self.type == "RequestRedirect"

    def mirrored(self) -> BackendW | None:
        """Return who gets a copy of each request."""
        return self.request_mirror.backend_ref if self.request_mirror else None


class RuleW(msgspec.Struct, rename="camel"):
    """A rule of any route."""

    matches: list[MatchW | None] | None = None
    filters: list[FilterW | None] | None = None
    backend_refs: list[BackendW | None] | None = None


class RouteSpecW(msgspec.Struct, rename="camel"):
    """The `spec` of any route."""

    parent_refs: list[ParentW | None] | None = None
    hostnames: list[str | None] | None = None
    rules: list[RuleW | None] | None = None


class MetadataW(msgspec.Struct, rename="camel"):
    """`ObjectMeta`, as far as it orders routes."""

    creation_timestamp: object = None

    @property
    def created(self) -> str | None:
        """When the object was created, if that is said as it should be."""
        said = self.creation_timestamp
        return said if isinstance(said, str) else None


class RouteW(msgspec.Struct):
    """A route of any kind."""

    metadata: MetadataW | None = None
    spec: RouteSpecW | None = None


class GrantFromW(msgspec.Struct):
    """`ReferenceGrantFrom`."""

    group: str | None = None
    kind: str | None = None
    namespace: str | None = None


class GrantToW(msgspec.Struct):
    """`ReferenceGrantTo`."""

    group: str | None = None
    kind: str | None = None
    name: str | None = None


class GrantSpecW(msgspec.Struct, rename={"from_": "from"}):
    """`ReferenceGrantSpec`."""

    from_: list[GrantFromW | None] | None = None
    to: list[GrantToW | None] | None = None


class GrantW(msgspec.Struct):
    """`ReferenceGrant`."""

    spec: GrantSpecW | None = None
