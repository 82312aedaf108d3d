"""What a known component of a platform is: its pods, its ports, what the caller says of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from cloison.base import Span
from cloison.resources.objects import Labels
from cloison.resources.world import WorkloadId

ANY_VALUE = "*"
"""Stands for any value of a label among the labels of a component."""


class Role(StrEnum):
    """What a component does for the others."""

    DNS = "dns"
    GATEWAY = "gateway"
    GATEWAY_CONTROL = "gateway-control"
    MESH_CONTROL = "mesh-control"
    MESH_PROXY = "mesh-proxy"
    METRICS = "metrics"
    TELEMETRY = "telemetry"
    CERTIFICATES = "cert"
    CONTROLLER = "controller"
    API_SERVER = "apiserver"
    NODE = "node"
    LOAD_BALANCER = "lb-health"
    METADATA = "metadata"
    STATEFUL = "stateful"


class PortUse(StrEnum):
    """Which way the traffic of a port goes, seen from the component."""

    INGRESS = "ingress"
    EGRESS = "egress"
    """What clients, or the component, must be allowed to send."""
    BOTH = "both"
    """Between its own pods: in at one, out at another."""
    POD_INTERNAL = "pod-internal"
    """Never leaves the pod, so that no policy needs to allow it."""


@dataclass(frozen=True, slots=True)
class ComponentPort:
    """A port of a component.

    Args:
        protocol: `TCP` or `UDP`.
        port: Number on the pod, a container port's name, or in words what it depends on.
        purpose: What it is for.
        direction: Which way its traffic goes.
        service_port: The Service's port that leads to it.
        service_port_name: That port's name.
        peer: Who is at the other end, where it is not anybody: `self`, `kube-apiserver`.
        if_declared: Whether it is there only where a container declares it.
    """

    protocol: str
    port: int | str
    purpose: str
    direction: PortUse
    service_port: int | None = None
    service_port_name: str | None = None
    peer: str | None = None
    if_declared: bool = False


@dataclass(frozen=True, slots=True)
class Operator:
    """Who runs a component.

    Args:
        labels: Labels of its pods.
        ports: The component's ports that it needs.
        source: What says so.
    """

    labels: Labels
    ports: tuple[int, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Component:
    """A component as its product ships it.

    Args:
        id: Its name here: `dns-coredns-kubeadm`.
        name: Its name for people.
        role: What it does.
        source: What says all that is here.
        platforms: Where it is shipped; empty for anywhere.
        namespace: Where it lives; None where whoever installs it chooses.
        namespace_labels: Labels that its namespace has.
        pod_labels: Labels that its pods have; `*` stands for any value. Empty where labels
            select no pods of it.
        ports: Its ports.
        blocks: Address blocks that are it, where it is no pod.
        host_network: Whether its pods use the node's network.
        certain: Whether a manifest, code or the vendor's documentation says so.
        note: What else there is to know.
        other_labels: Other sets of labels that tell its pods, as other installations have them.
        images: Last parts of image names that tell its pods where labels do not.
        shared_labels: Whether pods of other products have such labels, too.
        operators: Who runs it, and is no part of it.
    """

    id: str
    name: str
    role: Role
    source: str
    platforms: tuple[str, ...] = ()
    namespace: str | None = None
    namespace_labels: Labels = field(default_factory=dict)
    pod_labels: Labels = field(default_factory=dict)
    ports: tuple[ComponentPort, ...] = ()
    blocks: tuple[str, ...] = ()
    host_network: bool = False
    certain: bool = True
    note: str | None = None
    other_labels: tuple[Labels, ...] = ()
    images: tuple[str, ...] = ()
    shared_labels: bool = False
    operators: tuple[Operator, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the caller says that a component is.

    Args:
        namespace: Its namespace; None for any.
        pod_labels: Labels of its pods; empty for those that the component has anyway.
        span: Where that is said.
    """

    namespace: str | None = None
    pod_labels: Labels = field(default_factory=dict)
    span: Span | None = None


Said: TypeAlias = Mapping[str, Placed | None]
"""What the caller says of components, by id; None for one that is not there."""


@dataclass(frozen=True, slots=True)
class Found:
    """A component in the input.

    Args:
        component: The component.
        workloads: Its workloads, sorted; empty where the caller names pods that are not there,
            and where an operator will make them.
        how: How it was found, for people: `by its labels in kube-system`.
        spans: Where its workloads stand.
        certain: Whether it can hardly be anything else.
        alike: Other components that the same pods could be.
        said: Whether the caller says so.
        namespace: Where its pods will be, if the input holds what makes them and not themselves.
        pod_labels: Labels that those will have.
    """

    component: Component
    workloads: tuple[WorkloadId, ...]
    how: str
    spans: tuple[Span, ...]
    certain: bool = True
    alike: tuple[str, ...] = ()
    said: bool = False
    namespace: str | None = None
    pod_labels: Labels = field(default_factory=dict)
