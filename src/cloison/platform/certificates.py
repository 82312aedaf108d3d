"""Who issues certificates, and whom it has to reach for that.

Source: cert-manager/cert-manager pkg/apis/certmanager/v1/types_issuer.go,
pkg/apis/acme/v1/types_issuer.go, pkg/issuer/acme/http/http.go.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import msgspec

from cloison.base import Span
from cloison.resources.declared import Declared, GroupKind, body
from cloison.resources.world import World

CONTROLLER: Final = "cert-manager-controller"
"""The component that calls issuers, by its id."""
_GROUP: Final = "cert-manager.io"
_HTTPS: Final = 443


@dataclass(frozen=True, slots=True)
class Issuer:
    """An ACME server that certificates come from.

    Args:
        item: The Issuer or ClusterIssuer.
        host: The server.
        port: Its port.
        over_http: Whether it is proven over HTTP that a name is one's own.
        span: Where the server is written.
    """

    item: Declared
    host: str
    port: int
    over_http: bool
    span: Span


class _Solver(msgspec.Struct):
    http01: dict[str, object] | None = None


class _Acme(msgspec.Struct):
    server: str | None = None
    solvers: list[_Solver | None] | None = None


class _Spec(msgspec.Struct):
    acme: _Acme | None = None


class _Issuer(msgspec.Struct):
    spec: _Spec | None = None


SHAPES: Final[Mapping[GroupKind, type[msgspec.Struct]]] = {
    (_GROUP, "ClusterIssuer"): _Issuer,
    (_GROUP, "Issuer"): _Issuer,
}
"""How objects are read here."""


def issuers(world: World) -> Iterator[Issuer]:
    """Yield the ACME servers that Issuers and ClusterIssuers name."""
    for kind in ("ClusterIssuer", "Issuer"):
        for item in world.declared.get((_GROUP, kind), ()):
            read, _ = body(item, _Issuer)
            acme = read.spec.acme if read is not None and read.spec is not None else None
            if acme is None or not acme.server:
                continue
            try:
                url = urlsplit(acme.server)
                host, port = url.hostname, url.port or _HTTPS
            except ValueError:
                continue  # no URL, or a port that is none
            if host:
                http = any(s is not None and s.http01 is not None for s in acme.solvers or ())
                yield Issuer(item, host, port, http, item.at("spec", "acme", "server"))
