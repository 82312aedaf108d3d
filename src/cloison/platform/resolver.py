"""What a resolver is: how a pod reaches it, and how sure that is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cloison.base import Span
from cloison.ir.fidelity import Caveat
from cloison.resources.world import WorkloadId

DNS_PORT = 53
"""Port that pods dial for names."""


class ResolverKind(StrEnum):
    """What a resolver is to whoever judges the packet."""

    SERVICE = "service"
    """Pods behind a Service: the packet goes to one of them."""
    REDIRECT = "redirect"
    """Pods that a redirect leads to instead of those behind the Service."""
    NODE_CACHE = "node-cache"
    """A cache on the pod's own node, at an address: no selector matches it."""
    CLOUD = "cloud"
    """An address of the provider: no selector matches it."""
    ADDRESS = "address"
    """An address that the pod's own configuration names."""
    NODE = "node"
    """What the node itself asks: its `resolv.conf`, which no manifest says."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """A resolver that a pod asks.

    Args:
        id: Its name here, stable for the same input: `kube-system/kube-dns`, `169.254.20.10`.
        text: What it is, for people.
        kind: What it is to whoever judges the packet.
        service: The Service in front of it, (namespace, name).
        workloads: Its workloads; empty where it is no pod, or where they are not in the input.
        addresses: Addresses that pods dial: of the Service, or of itself where it is no pod.
            Empty where they are not known.
        port: Port of the packet where it arrives: on the pod, or at the address.
        assumed: Whether the input does not show it.
        why: How it was found, or why it is assumed, for people.
        span: Where that is written.
        service_port: Port that pods dial.
        protocols: What it answers over. Names need both: longer answers come over TCP.
        component: Id of the component it is, if it is a known one.
        namespace: Where its pods are, if it has any.
        pod_labels: Labels that its pods have, and that select them.
    """

    id: str
    text: str
    kind: ResolverKind
    service: tuple[str, str] | None
    workloads: tuple[WorkloadId, ...]
    addresses: tuple[str, ...]
    port: int
    assumed: bool
    why: str
    span: Span | None = None
    service_port: int = DNS_PORT
    protocols: tuple[str, ...] = ("UDP", "TCP")
    component: str | None = None
    namespace: str | None = None
    pod_labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_pods(self) -> bool:
        """Whether the packet arrives at a pod of its own, so that selectors can match it."""
        return self.kind in (ResolverKind.SERVICE, ResolverKind.REDIRECT)


@dataclass(frozen=True, slots=True)
class Resolvers:
    """What a pod needs for its names to resolve.

    Args:
        needed: All of these must be reachable; of each, any one will do.
        perhaps: One of these is asked instead or besides; which one, nothing says.
        fallback: What answers while the first does not.
        upstream: What a cache on the node asks in turn, from the node's address.
        caveats: What stays unclear.
        why: Why the pod asks these, for people.
    """

    needed: tuple[tuple[Resolver, ...], ...] = ()
    perhaps: tuple[Resolver, ...] = ()
    fallback: tuple[Resolver, ...] = ()
    upstream: tuple[Resolver, ...] = ()
    caveats: tuple[Caveat, ...] = ()
    why: str = ""

    @property
    def every(self) -> tuple[Resolver, ...]:
        """All that the pod itself may ask, each once."""
        asked = (*(one for group in self.needed for one in group), *self.perhaps, *self.fallback)
        found: dict[str, Resolver] = {}
        for one in asked:
            found.setdefault(one.id, one)
        return tuple(found.values())
