"""Endpoints objects, of which a cluster makes EndpointSlices.

Source: kubernetes/kubernetes pkg/controller/endpointslicemirroring.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from cloison.resources.declared import GroupKind, body
from cloison.resources.objects import EndpointSlice, Service, ServicePort, SliceEndpoint
from cloison.resources.world import World


class _Address(msgspec.Struct, rename="camel"):
    ip: str | None = None
    node_name: str | None = None


class _Port(msgspec.Struct):
    name: str | None = None
    port: int | None = None
    protocol: str | None = None


class _Subset(msgspec.Struct, rename="camel"):
    addresses: list[_Address | None] | None = None
    not_ready_addresses: list[_Address | None] | None = None
    ports: list[_Port | None] | None = None


class _Endpoints(msgspec.Struct):
    subsets: list[_Subset | None] | None = None


_KEY: Final = ("", "Endpoints")
SHAPES: Final[Mapping[GroupKind, type[msgspec.Struct]]] = {_KEY: _Endpoints}
"""How objects are read here."""


def mirrored(world: World, service: Service) -> Iterator[EndpointSlice]:
    """Yield the slices that a cluster makes of the Endpoints object of a Service.

    Args:
        world: What the cluster holds.
        service: The Service.
    """
    for item in world.declared.get(_KEY, ()):
        if (item.namespace, item.name) != (service.namespace, service.name):
            continue
        read, _ = body(item, _Endpoints)
        for subset in (read.subsets if read else None) or ():
            if subset is None:
                continue
            endpoints = [
                SliceEndpoint((each.ip,), ready, node=each.node_name)
                for ready, held in ((True, subset.addresses), (False, subset.not_ready_addresses))
                for each in held or ()
                if each is not None and each.ip
            ]
            ports = tuple(
                ServicePort(each.port, each.protocol or "TCP", each.name or None)
                for each in subset.ports or ()
                if each is not None and each.port is not None
            )
            yield EndpointSlice(
                item.namespace, item.name, item.span, item.name, tuple(endpoints), ports
            )
