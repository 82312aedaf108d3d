"""Egress gateways: nodes that traffic of some pods leaves the cluster by, and the address it shows.

Selectors look at the labels of identities: those of pods, and what Cilium adds to them.

Source: cilium/cilium pkg/k8s/apis/cilium.io/v2/cegp_types.go, pkg/egressgateway/policy.go,
Documentation/network/egress-gateway/egress-gateway.rst, examples/kubernetes-egress-gateway.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from cloison.algebra import NO_ADDRESSES, AddressSet, LabelSelector
from cloison.base import Span
from cloison.dialects.cilium.identities import ACCOUNT, CLUSTER, NAMESPACE, NAMESPACE_LABELS
from cloison.platform.configs import setting
from cloison.platform.routes.wire import SelectorW
from cloison.resources.declared import Declared, GroupKind, body
from cloison.resources.world import PodEndpoint, World

_KEY: Final = ("cilium.io", "CiliumEgressGatewayPolicy")


class _Subject(msgspec.Struct, rename="camel"):
    namespace_selector: SelectorW | None = None
    pod_selector: SelectorW | None = None
    node_selector: SelectorW | None = None


class _Gateway(msgspec.Struct, rename="camel"):
    node_selector: SelectorW | None = None
    interface: str | None = None
    egress_ip: str | None = msgspec.field(default=None, name="egressIP")


class _Spec(msgspec.Struct, rename="camel"):
    selectors: list[_Subject | None] | None = None
    destination_cidrs: list[str | None] | None = msgspec.field(
        default=None, name="destinationCIDRs"
    )
    excluded_cidrs: list[str | None] | None = msgspec.field(default=None, name="excludedCIDRs")
    egress_gateway: _Gateway | None = None
    egress_gateways: list[_Gateway | None] | None = None


class _Policy(msgspec.Struct):
    spec: _Spec | None = None


SHAPES: Final[Mapping[GroupKind, type[msgspec.Struct]]] = {_KEY: _Policy}
"""How objects are read here."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """A rule by which traffic leaves the cluster through chosen nodes.

    Args:
        name: What to call it: `CiliumEgressGatewayPolicy crm`.
        subjects: Whose traffic: labels of pods, of their namespaces and of their nodes.
        destinations: To where.
        nodes: The nodes of the input that it leaves by; empty where none is known.
        addresses: The source addresses that are seen outside; empty where they are those of the
            nodes' interfaces.
        span: Where it is written.
    """

    name: str
    subjects: tuple[tuple[LabelSelector, LabelSelector, LabelSelector], ...]
    destinations: AddressSet
    nodes: tuple[str, ...]
    addresses: tuple[str, ...]
    span: Span

    def takes(self, world: World, endpoint: PodEndpoint) -> bool:
        """Return whether it is about the traffic of a pod."""
        if endpoint.shape.host_network:
            return False
        space = world.namespaces.get(endpoint.namespace)
        node = world.nodes.get(endpoint.shape.node or "")
        labels = _identity(world, endpoint)
        return any(
            pods.matches(labels)
            and spaces.matches(space.labels if space else {})
            and (not nodes.requirements or (node is not None and nodes.matches(node.labels)))
            for pods, spaces, nodes in self.subjects
        )

    @property
    def seen(self) -> str:
        """The source that is seen outside, for people."""
        if self.addresses:
            return f"seen outside as {' or '.join(self.addresses)}"
        if self.nodes:
            return f"seen outside as an address of node {' or '.join(self.nodes)}"
        return "seen outside as an address of a gateway node"


def leaving(world: World) -> tuple[Leaving, ...]:
    """Return the egress gateways of a world, as far as they can be read."""
    found: list[Leaving] = []
    for item in world.declared.get(_KEY, ()):
        read, _ = body(item, _Policy)
        if read is not None and read.spec is not None:
            found.append(_read(world, item, read.spec))
    return tuple(found)


def _read(world: World, item: Declared, spec: _Spec) -> Leaving:
    gateways = [
        each for each in (spec.egress_gateway, *(spec.egress_gateways or ())) if each is not None
    ]
    destinations = _blocks(spec.destination_cidrs) - _blocks(spec.excluded_cidrs)
    nodes = {
        name
        for each in gateways
        if each.node_selector is not None
        for name, node in world.nodes.items()
        if each.node_selector.compiled().matches(node.labels)
    }
    subjects = tuple(
        (
            _compiled(each.pod_selector),
            _compiled(each.namespace_selector),
            _compiled(each.node_selector),
        )
        for each in spec.selectors or ()
        if each is not None
    )
    addresses = tuple(sorted({each.egress_ip for each in gateways if each.egress_ip}))
    return Leaving(item.shown, subjects, destinations, tuple(sorted(nodes)), addresses, item.span)


def _identity(world: World, endpoint: PodEndpoint) -> dict[str, str]:
    """Return the labels of a pod's identity, as selectors of gateways see them."""
    space = world.namespaces.get(endpoint.namespace)
    labels = space.labels if space is not None else {}
    return {
        **endpoint.labels,
        **{f"{NAMESPACE_LABELS}{key}": text for key, text in labels.items()},
        NAMESPACE: endpoint.namespace,
        ACCOUNT: endpoint.shape.service_account or "default",
        CLUSTER: setting(world, "kube-system", "cilium-config", "cluster-name") or "default",
    }


def _compiled(wired: SelectorW | None) -> LabelSelector:
    return (wired or SelectorW()).compiled()


def _blocks(texts: list[str | None] | None) -> AddressSet:
    return AddressSet(span for text in texts or () for span in _spans(text))


def _spans(text: str | None) -> Iterator[tuple[int, int]]:
    try:
        found = AddressSet.block(text) if text else NO_ADDRESSES
    except ValueError:
        return  # the policy's own reader says so
    yield from found.spans
