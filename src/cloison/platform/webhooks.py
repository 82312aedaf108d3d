"""Services that the API server calls: admission webhooks, aggregated APIs, conversions of CRDs.

Source: kubernetes/api admissionregistration/v1 types.go; kubernetes/kube-aggregator
pkg/apis/apiregistration/v1/types.go; kubernetes/apiextensions-apiserver
pkg/apis/apiextensions/v1/types.go.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from cloison.base import Span
from cloison.resources.declared import Declared, GroupKind, body
from cloison.resources.world import World

_PORT: Final = 443
"""The Service's port that is called where none is written."""


class Called(StrEnum):
    """Why the API server calls a Service."""

    VALIDATING = "validating webhook"
    MUTATING = "mutating webhook"
    API = "aggregated API"
    CONVERSION = "conversion webhook"


@dataclass(frozen=True, slots=True)
class Hook:
    """A Service that the API server calls.

    Args:
        called: Why.
        item: The object that says so.
        name: The webhook's name; the object's where it has no other.
        namespace: The Service's namespace.
        service: The Service.
        port: The Service's port.
        span: Where that is written.
        needed: Whether requests of others fail where it does not answer.
    """

    called: Called
    item: Declared
    name: str
    namespace: str
    service: str
    port: int
    span: Span
    needed: bool


class _Service(msgspec.Struct):
    namespace: str | None = None
    name: str | None = None
    port: int | None = None


class _Client(msgspec.Struct):
    service: _Service | None = None


class _Webhook(msgspec.Struct, rename="camel"):
    name: str | None = None
    client_config: _Client | None = None
    failure_policy: str | None = None


class _Configuration(msgspec.Struct):
    webhooks: list[_Webhook | None] | None = None


class _ApiSpec(msgspec.Struct):
    service: _Service | None = None


class _Api(msgspec.Struct):
    spec: _ApiSpec | None = None


class _Conversion(msgspec.Struct, rename="camel"):
    strategy: str | None = None
    webhook: _Webhook | None = None


class _CrdSpec(msgspec.Struct):
    conversion: _Conversion | None = None


class _Crd(msgspec.Struct):
    spec: _CrdSpec | None = None


SHAPES: Final[Mapping[GroupKind, type[msgspec.Struct]]] = {
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): _Configuration,
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): _Configuration,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _Crd,
    ("apiregistration.k8s.io", "APIService"): _Api,
}
"""How objects are read here."""


def hooks(world: World) -> Iterator[Hook]:
    """Yield the Services that the API server calls, in the order of the objects that say so."""
    for kind, called in (
        ("MutatingWebhookConfiguration", Called.MUTATING),
        ("ValidatingWebhookConfiguration", Called.VALIDATING),
    ):
        for item in world.declared.get(("admissionregistration.k8s.io", kind), ()):
            yield from _webhooks(item, called)
    for item in world.declared.get(("apiregistration.k8s.io", "APIService"), ()):
        read, _ = body(item, _Api)
        spec = read.spec if read is not None else None
        yield from _hook(Called.API, item, item.name, spec, item.at("spec", "service"))
    for item in world.declared.get(("apiextensions.k8s.io", "CustomResourceDefinition"), ()):
        crd, _ = body(item, _Crd)
        conversion = crd.spec.conversion if crd is not None and crd.spec is not None else None
        if conversion is not None and conversion.webhook is not None:
            span = item.at("spec", "conversion", "webhook", "clientConfig", "service")
            client = conversion.webhook.client_config
            yield from _hook(Called.CONVERSION, item, item.name, client, span)


def _webhooks(item: Declared, called: Called) -> Iterator[Hook]:
    read, _ = body(item, _Configuration)
    for index, each in enumerate((read.webhooks if read is not None else None) or ()):
        if each is not None:
            span = item.at("webhooks", index, "clientConfig", "service")
            needed = each.failure_policy != "Ignore"
            name = each.name or item.name
            yield from _hook(called, item, name, each.client_config, span, needed=needed)


def _hook(
    called: Called,
    item: Declared,
    name: str,
    client: _Client | _ApiSpec | None,
    span: Span,
    *,
    needed: bool = True,
) -> Iterator[Hook]:
    service = client.service if client is not None else None
    if service is not None and service.namespace and service.name:
        port = service.port or _PORT
        yield Hook(called, item, name, service.namespace, service.name, port, span, needed)
