"""Settings of Envoy Gateway that move its proxies, or what they dial.

Source: envoyproxy/gateway api/v1alpha1 (envoyproxy_types.go, envoygateway_types.go),
internal/gatewayapi/listener.go, internal/infrastructure/kubernetes/proxy/resource.go.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from cloison.platform.routes.model import Written
from cloison.resources.declared import GroupKind, body
from cloison.resources.world import World

_BESIDE = re.compile(r"\bdeploy:\s+type:\s*[\"']?GatewayNamespace\b")


class _Spec(msgspec.Struct, rename="camel"):
    merge_gateways: bool | None = None
    routing_type: str | None = None
    provider: "_Provider | None" = None


class _Kubernetes(msgspec.Struct, rename="camel"):
    use_listener_port_as_container_port: bool | None = None


class _Provider(msgspec.Struct):
    kubernetes: _Kubernetes | None = None


class _EnvoyProxy(msgspec.Struct):
    spec: _Spec | None = None


class _Config(msgspec.Struct):
    data: dict[str, str | None] | None = None


_KEY: Final = ("gateway.envoyproxy.io", "EnvoyProxy")
SHAPES: Final[Mapping[GroupKind, type[msgspec.Struct]]] = {_KEY: _EnvoyProxy}
"""How objects are read here."""


@dataclass(frozen=True, slots=True)
class EnvoyGateway:
    """How proxies are run.

    Args:
        merged: Whether Gateways of one class share their proxies.
        beside: Whether proxies live with their Gateway.
        same_ports: Whether their ports are those of the listeners.
        by_service: Whether they dial Services instead of endpoints.
        said: What says so, to follow on a statement.
    """

    merged: bool = False
    beside: bool = False
    same_ports: bool = False
    by_service: bool = False
    said: str = ""


def envoy_gateway(world: World, wanted: Written) -> EnvoyGateway:
    """Return how the proxies of a Gateway are run.

    Args:
        world: What the cluster holds.
        wanted: The Gateway.
    """
    beside = [
        item
        for item in world.declared.get(("", "ConfigMap"), ())
        if item.name == "envoy-gateway-config" and _mode(body(item, _Config)[0])
    ]
    said = f"; {beside[0].shown} puts proxies beside their Gateway" if beside else ""
    for kind, namespace, name in wanted.settings:
        for item in world.declared.get(_KEY, ()):
            if (kind, namespace, name) != ("EnvoyProxy", item.namespace, item.name):
                continue
            read, _ = body(item, _EnvoyProxy)
            spec = (read.spec if read else None) or _Spec()
            own = spec.provider.kubernetes if spec.provider else None
            return EnvoyGateway(
                merged=spec.merge_gateways is True,
                beside=bool(beside),
                same_ports=own is not None and own.use_listener_port_as_container_port is True,
                by_service=spec.routing_type == "Service",
                said=f"{said}; settings of {item.shown}",
            )
    return EnvoyGateway(beside=bool(beside), said=said)


def _mode(config: _Config | None) -> bool:
    texts = (config.data if config else None) or {}
    return any(_BESIDE.search(text) for text in texts.values() if text)
