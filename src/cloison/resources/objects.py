"""Typed Kubernetes objects, as far as they matter to who may talk to whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from cloison.algebra import LabelSelector
from cloison.base import Span
from cloison.resources.cron import Schedule

if TYPE_CHECKING:
    from cloison.resources.runtime import Runtime

Labels: TypeAlias = Mapping[str, str]

NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name"
"""The label the control plane keeps on every namespace; added where manifests omit it."""

ACCOUNT_NAME_LABEL = "kubernetes.io/service-account.name"
"""What stands for a service account's name among its labels. No cluster keeps such a label."""


class ContainerKind(StrEnum):
    """Which list of a pod spec declared a container."""

    REGULAR = "container"
    INIT = "init"
    SIDECAR = "sidecar"
    """An init container with `restartPolicy: Always`."""


@dataclass(frozen=True, slots=True)
class ContainerPort:
    """A port that a container declares. Numeric policy ports need no declaration.

    Args:
        number: Its number.
        protocol: Its protocol.
        name: Its name, if it has one.
        container: Which container declares it.
        last: Of a pod that may come and could declare any number: the last; `number` is the first.
    """

    number: int
    protocol: str = "TCP"
    name: str | None = None
    container: ContainerKind = ContainerKind.REGULAR
    last: int | None = None

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last number."""
        return self.number, self.last or self.number


@dataclass(frozen=True, slots=True)
class OwnerReference:
    """The controller an object belongs to (the reference with `controller: true`)."""

    api_version: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace, declared by an object or implied by objects that live in it."""

    name: str
    labels: Labels
    span: Span | None = None
    """None when no Namespace object was read, and `labels` then holds only the name label."""


@dataclass(frozen=True, slots=True)
class PodShape:
    """What a pod template and a pod have in common, and policies can tell apart.

    Args:
        host_ports: Protocols and ports of its node that lead to it. Policies see none of them.
        runtime: How its containers are run, which no policy sees; None of an end that was made up.
    """

    labels: Labels
    ports: tuple[ContainerPort, ...] = ()
    host_network: bool = False
    service_account: str = "default"
    node: str | None = None
    host_ports: tuple[tuple[str, int], ...] = ()
    runtime: "Runtime | None" = field(default=None, compare=False, repr=False)


class Pod(msgspec.Struct, frozen=True, gc=False):
    """A pod object, live or written by hand.

    No dataclass: a load makes a hundred thousand of them.

    Args:
        addresses: Points of the address axis from `status.podIPs`, else `status.podIP`;
            empty when unknown. For a host-network pod these are its node's addresses.
        phase: `status.phase`, or None when the object carries no status.
        host_addresses: `status.hostIPs`: addresses of the node it runs on.
        terminating: Whether it has a deletion timestamp. It still counts while it has an address.
        ready: Whether its status says that it is ready; None where it says nothing of it.
    """

    namespace: str
    name: str
    shape: PodShape
    span: Span
    addresses: tuple[int, ...] = ()
    host_addresses: tuple[int, ...] = ()
    phase: str | None = None
    terminating: bool = False
    owner: OwnerReference | None = None
    ready: bool | None = None

    @property
    def finished(self) -> bool:
        """Whether it ran to its end, so that its address may belong to another pod by now."""
        return self.phase in ("Succeeded", "Failed")

    @property
    def pending(self) -> bool:
        """Whether it is known to wait for an address."""
        return self.phase == "Pending" and not self.addresses


@dataclass(frozen=True, slots=True)
class Controller:
    """An object with a pod template: Deployment, StatefulSet, CronJob, or one we never heard of."""

    api_version: str
    kind: str
    namespace: str
    name: str
    shape: PodShape
    span: Span
    replicas: int | None = None
    """What the object asks for; None where the kind has no such number."""
    owner: OwnerReference | None = None
    finished: bool = False
    """A Job whose status says Complete or Failed."""
    selects: frozenset[str] = frozenset()
    """Keys of the labels by which it finds its pods, where that can never change."""
    schedule: Schedule | None = None
    """When a CronJob runs."""
    ready: tuple[int, int] | None = None
    """Of a DaemonSet, how many pods its status says are ready, and how many there should be."""


@dataclass(frozen=True, slots=True)
class Node:
    """A cluster node; `span` is None when only pods mention it."""

    name: str
    labels: Labels = field(default_factory=dict)
    addresses: tuple[int, ...] = ()
    pod_cidrs: tuple[str, ...] = ()
    span: Span | None = None
    provider: str = ""
    """`spec.providerID`, which says whose machine it is: `gce://…`."""
    resting: bool = False
    """`spec.unschedulable`: it is cordoned, or drained."""


@dataclass(frozen=True, slots=True)
class ServicePort:
    """One port of a Service."""

    port: int
    protocol: str = "TCP"
    name: str | None = None
    target: int | str | None = None
    """`targetPort`: a number, a container port's name, or None for the same number."""
    node_port: int | None = None
    app_protocol: str | None = None


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where traffic of a Service goes instead, on nodes that have such a pod.

    Args:
        pods: Which pods of the Service's namespace get it.
        ports: Their ports, by protocol and port of the Service; what is missing is as before.
        address: The address it is about, of which the Service only stands for what is redirected;
            None where the Service is there by itself.
    """

    pods: LabelSelector
    ports: Mapping[tuple[str, int], int] = field(default_factory=dict, hash=False)
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A Service.

    Args:
        selector: None when it has none, so that its endpoints are kept by hand.
        cluster_ips: As written, so `None` marks a headless Service.
        redirect: Where its traffic goes instead, if an object leads it elsewhere.
        publish_not_ready: Whether pods count before they are ready.
        load_balancer: Addresses of its load balancer, as its status or its spec says them.
        load_balancer_class: `loadBalancerClass`: who makes the load balancer.
        source_ranges: `loadBalancerSourceRanges`.
        health_check_port: `healthCheckNodePort`.
        annotations: Its annotations.
    """

    namespace: str
    name: str
    span: Span
    type: str = "ClusterIP"
    selector: Labels | None = None
    ports: tuple[ServicePort, ...] = ()
    cluster_ips: tuple[str, ...] = ()
    external_ips: tuple[str, ...] = ()
    external_name: str | None = None
    external_traffic_policy: str = "Cluster"
    internal_traffic_policy: str = "Cluster"
    labels: Labels = field(default_factory=dict)
    redirect: Redirect | None = None
    publish_not_ready: bool = False
    load_balancer: tuple[str, ...] = ()
    load_balancer_class: str | None = None
    source_ranges: tuple[str, ...] = ()
    health_check_port: int | None = None
    annotations: Labels = field(default_factory=dict)

    @property
    def redirected(self) -> str | None:
        """The address it only stands for because some of its traffic is redirected."""
        return self.redirect.address if self.redirect is not None else None


@dataclass(frozen=True, slots=True)
class SliceEndpoint:
    """One endpoint of an EndpointSlice."""

    addresses: tuple[str, ...]
    ready: bool = True
    pod: str | None = None
    """Name of the pod it refers to, in the slice's own namespace."""
    node: str | None = None


@dataclass(frozen=True, slots=True)
class EndpointSlice:
    """An EndpointSlice of a Service (label `kubernetes.io/service-name`)."""

    namespace: str
    name: str
    span: Span
    service: str | None
    endpoints: tuple[SliceEndpoint, ...] = ()
    ports: tuple[ServicePort, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A ServiceAccount."""

    namespace: str
    name: str
    labels: Labels
    span: Span
    annotations: Labels = field(default_factory=dict)
    mounts_token: bool | None = None
    """`automountServiceAccountToken`; None where it says nothing, which means yes."""
