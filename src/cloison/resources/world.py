"""The World: what a cluster holds at one moment, as far as it is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from cloison.base import Span
from cloison.resources.cron import Schedule
from cloison.resources.declared import Declared, GroupKind
from cloison.resources.objects import (
    ACCOUNT_NAME_LABEL,
    ContainerPort,
    EndpointSlice,
    Labels,
    Namespace,
    Node,
    PodShape,
    Service,
    ServiceAccount,
)

APART = "reserved:"
"""Where ends live that an enforcer has besides pods; no namespace can have this name."""


def ended(namespace: str, name: str) -> str:
    """Return what an end is called: by its namespace, if it has one.

    >>> ended("shop", "web"), ended("reserved:", "ingress")
    ('shop/web', 'reserved:ingress')
    """
    return f"{namespace}{name}" if namespace == APART else f"{namespace}/{name}"


class WorkloadId(msgspec.Struct, frozen=True, order=True, gc=False):
    """Names a workload: `Deployment web/portal`, or `Pod web/shell` for a pod of its own.

    No dataclass, because a load sorts and looks up a hundred thousand of them: that takes a
    quarter of the time so.
    """

    namespace: str
    name: str
    kind: str

    def __str__(self) -> str:
        """Render as `namespace/name`, the form questions use."""
        return ended(self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class PodEndpoint:
    """A pod that can send and receive: a live one, or the one a template will make.

    Args:
        workload: The workload it belongs to.
        pod: Name of the live pod; None for a template's pod.
        shape: Labels, ports, host network, account, node.
        addresses: Points of the address axis; empty when unknown.
        pending: A live pod known to have no address yet: nothing can be matched by address.
        finished: A live pod that ran to its end. Kept so that it can be named; it takes
            part in nothing.
        span: Where it was written.
        ready: Whether a live pod is ready; None where nothing says so.
        terminating: Whether a live pod is being deleted.
    """

    workload: WorkloadId
    pod: str | None
    shape: PodShape
    span: Span
    addresses: tuple[int, ...] = ()
    pending: bool = False
    finished: bool = False
    ready: bool | None = None
    terminating: bool = False

    @property
    def namespace(self) -> str:
        """The namespace it lives in."""
        return self.workload.namespace

    @property
    def name(self) -> str:
        """`namespace/pod` for a live pod, else the workload's name."""
        return ended(self.workload.namespace, self.pod or self.workload.name)

    @property
    def labels(self) -> Labels:
        """Its labels."""
        return self.shape.labels

    @property
    def ports(self) -> tuple[ContainerPort, ...]:
        """The ports its containers declare."""
        return self.shape.ports


@dataclass(frozen=True, slots=True)
class Workload:
    """Like endpoints under one name.

    Args:
        id: Its name.
        endpoints: Its live pods that have not finished, else the one its template will
            make. Empty when there is nothing to talk to: a finished Job, a finished pod.
        finished: Its finished pods, by name only.
        replicas: What the controller asks for, if it says.
        span: Where the controller, or the pod itself, was written.
        inferred: The controller itself was not read; owner references name it.
        selects: Keys of the labels by which its controller finds pods, where that never changes.
        schedule: When a CronJob runs; None of anything else, and where nothing says it.
        ready: Of a DaemonSet, how many pods its status says are ready, and how many there should
            be; None where nothing says it.
    """

    id: WorkloadId
    endpoints: tuple[PodEndpoint, ...]
    finished: tuple[PodEndpoint, ...] = ()
    replicas: int | None = None
    span: Span | None = None
    inferred: bool = False
    selects: frozenset[str] = frozenset()
    schedule: Schedule | None = None
    ready: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class World:
    """Inventory at one moment. Every mapping is sorted by key, so reading order cannot show.

    Args:
        namespaces: By name; the name label is always present.
        workloads: By id.
        nodes: By name; also nodes that only pods mention.
        services: By (namespace, name).
        slices: EndpointSlices, sorted by namespace and name.
        accounts: By (namespace, name).
        kinds: Number of objects read, by `apiVersion/Kind`; what was not understood too.
        declared: What starts traffic or leads it somewhere (routes, monitors, webhooks), as
            written, by API group and kind; sorted by namespace and name.
        domains: What the names of its Services end in, that of search lists first; empty where
            nobody says it.
    """

    namespaces: Mapping[str, Namespace] = field(default_factory=dict)
    workloads: Mapping[WorkloadId, Workload] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    services: Mapping[tuple[str, str], Service] = field(default_factory=dict)
    slices: tuple[EndpointSlice, ...] = ()
    accounts: Mapping[tuple[str, str], ServiceAccount] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)
    declared: Mapping[GroupKind, tuple[Declared, ...]] = field(default_factory=dict)
    domains: tuple[str, ...] = ()

    def account_labels(self, namespace: str, account: str) -> Labels:
        """Return the labels of a service account, its name among them.

        Of an account that was not read only the name is known.
        """
        found = self.accounts.get((namespace, account))
        named = {ACCOUNT_NAME_LABEL: account}
        return {**found.labels, **named} if found is not None else named
