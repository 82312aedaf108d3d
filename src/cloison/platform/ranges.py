"""Address ranges that people know by name: private ones, metadata, providers, the cluster's own."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pkgutil import get_data

import msgspec

from cloison.algebra import EVERY_ADDRESS, NO_ADDRESSES, NO_TRAFFIC, AddressSet, TrafficSet
from cloison.platform.cluster import Platform
from cloison.platform.metadata import served
from cloison.resources.world import World


class RangeKind(StrEnum):
    """What a rule that opens a range opens."""

    METADATA = "metadata"
    """Where a cloud tells a machine about itself, its credentials among it."""
    CREDENTIALS = "credentials"
    """Where a cloud hands out the credentials that are meant for the pod."""
    POD = "pod"
    SERVICE = "service"
    NODE = "node"
    PROVIDER = "provider"
    PRIVATE = "private"
    NAME = "name"
    """What somebody said a DNS name stands for."""
    SPECIAL = "special"
    """What no router forwards to the internet."""


@dataclass(frozen=True, slots=True)
class NamedRange:
    """An address range with a name.

    Args:
        name: Its name, for people.
        kind: What it is.
        addresses: Its addresses.
        source: Who says so.
        traffic: The traffic that matters there; nothing where all does.
        sure: Whether it certainly is there: a cloud's, in that cloud.
        blocks: Its blocks as they are published; none of what is put together here.
    """

    name: str
    kind: RangeKind
    addresses: AddressSet
    source: str
    traffic: TrafficSet = NO_TRAFFIC
    sure: bool = True
    blocks: tuple[str, ...] = ()


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    kind: RangeKind
    blocks: tuple[str, ...]
    source: str


class _File(msgspec.Struct, frozen=True):
    range: tuple[_Row, ...]


@cache
def fixed() -> tuple[NamedRange, ...]:
    """Return the ranges that are the same everywhere."""
    text = get_data(__name__, "ranges.toml") or b""
    read = msgspec.convert(tomllib.loads(text.decode()), _File)
    return tuple(
        NamedRange(r.name, r.kind, _blocks(r.blocks), r.source, blocks=r.blocks) for r in read.range
    )


def _blocks(texts: Iterable[str]) -> AddressSet:
    return AddressSet(span for text in texts for span in AddressSet.block(text).spans)


@cache
def public() -> AddressSet:
    """Return the addresses of the internet: all that no range of the others holds."""
    taken = NO_ADDRESSES
    for each in fixed():
        if each.kind in (RangeKind.PRIVATE, RangeKind.SPECIAL):
            taken |= each.addresses
    rest = EVERY_ADDRESS - taken
    return rest.family(4) | (rest & AddressSet.block("2000::/3"))


@cache
def public_of(family: int) -> AddressSet:
    """Return those of the internet of one family."""
    return public().family(family)


def ranges(
    world: World,
    platform: Platform,
    pods: AddressSet = NO_ADDRESSES,
    nodes: AddressSet = NO_ADDRESSES,
    services: AddressSet = NO_ADDRESSES,
    names: Mapping[str, AddressSet] | None = None,
) -> tuple[NamedRange, ...]:
    """Return the ranges with names, those that tell most first.

    Args:
        world: What the cluster holds: addresses of nodes, pods and Services.
        platform: What it is: whose metadata there is.
        pods: Where somebody said pod addresses come from.
        nodes: Where somebody said node addresses come from.
        services: Where somebody said Service addresses come from.
        names: What somebody said DNS names stand for.
    """
    said = "cloison.yaml or an option"
    own = [
        NamedRange("pod addresses", RangeKind.POD, pods | _of_pods(world), said),
        NamedRange("node addresses", RangeKind.NODE, nodes | _of_nodes(world), said),
        NamedRange("Service addresses", RangeKind.SERVICE, services | _of_services(world), said),
    ]
    own += [
        NamedRange(name, RangeKind.NAME, addresses, said)
        for name, addresses in sorted((names or {}).items())
    ]
    return (*_metadata(platform), *(each for each in own if each.addresses), *fixed())


def _of_pods(world: World) -> AddressSet:
    spans = [s for node in world.nodes.values() for t in node.pod_cidrs for s in _spans(t)]
    points = (
        (point, point)
        for workload in world.workloads.values()
        for endpoint in workload.endpoints
        if not endpoint.shape.host_network
        for point in endpoint.addresses
    )
    return AddressSet([*spans, *points])


def _of_nodes(world: World) -> AddressSet:
    return AddressSet.points(tuple(p for n in world.nodes.values() for p in n.addresses))


def _of_services(world: World) -> AddressSet:
    texts = (ip for each in world.services.values() for ip in each.cluster_ips if ip != "None")
    return AddressSet(span for text in texts for span in _spans(text))


def _spans(text: str) -> Iterator[tuple[int, int]]:
    try:
        found = AddressSet.block(text)
    except ValueError:
        return  # whoever reads the object says so
    yield from found.spans


def _metadata(platform: Platform) -> Iterator[NamedRange]:
    """Yield where this cloud hands out credentials, or any does where nobody knows which it is."""
    for each in served(platform):
        kind = RangeKind.METADATA if each.exposes else RangeKind.CREDENTIALS
        who = each.component
        yield NamedRange(
            who.name, kind, each.addresses, who.source, each.traffic, each.certain, who.blocks
        )
