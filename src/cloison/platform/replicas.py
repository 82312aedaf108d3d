"""Stores and brokers whose replicas talk among themselves: which pods, on which ports.

Source: `known/stateful.toml`, which names who says each.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from cloison.platform.calls import Configs, configs
from cloison.platform.component import ANY_VALUE, Component, ComponentPort, Found, PortUse, Role
from cloison.platform.components import component
from cloison.platform.mentions import files
from cloison.resources.world import Workload, WorkloadId, World

_STARTED: Final = (
    ("st-redis-cluster", frozenset(("redis", "valkey")), "cluster-enabled", 16379),
    ("st-redis-cluster", frozenset(("redis-cluster", "valkey-cluster")), "", 16379),
    ("st-plain-mongodb", frozenset(("mongo", "mongodb")), "replSet", None),
)
"""What no label tells: component, images, what arguments hold, a port that says so as well."""
_SET: Final = {
    "cluster-enabled": re.compile(r"(?im)^[ \t]{0,64}cluster-enabled[ \t]{1,64}[\"']?yes\b")
}
"""The same options as a file says them that is mounted."""
_SELF: Final = "self"
_TLS: Final = " tls"


@dataclass(frozen=True, slots=True)
class Group:
    """Replicas of one store or broker.

    Args:
        component: What it is.
        workloads: Its workloads.
        certain: Whether it can hardly be anything else.
        ports: Its ports, without those that no container declares and that are only there so.
    """

    component: Component
    workloads: tuple[WorkloadId, ...]
    certain: bool
    ports: tuple[ComponentPort, ...]

    @property
    def needed(self) -> tuple[tuple[ComponentPort, ...], ...]:
        """Ports on which replicas must reach each other; any one of those that stand together."""
        found: dict[str, list[ComponentPort]] = defaultdict(list)
        for port in self.ports:
            if isinstance(port.port, int) and (
                port.direction is PortUse.BOTH or "replication" in port.purpose
            ):
                found[port.purpose.removesuffix(_TLS)].append(port)
        return tuple(map(tuple, found.values()))

    @property
    def closed(self) -> tuple[ComponentPort, ...]:
        """Ports that are for replicas alone."""
        return tuple(
            port
            for port in self.ports
            if port.direction is PortUse.BOTH and port.peer == _SELF and isinstance(port.port, int)
        )


def groups(world: World, found: Iterable[Found]) -> Iterator[Group]:
    """Yield the stores and brokers of the input whose replicas have something to say.

    Args:
        world: What the cluster holds.
        found: Known components in it.
    """
    by_labels: set[WorkloadId] = set()
    kept = [each for each in found if each.component.role is Role.STATEFUL]
    for each in kept:
        if not each.component.images:
            by_labels.update(each.workloads)
            yield from _clusters(world, each, each.workloads)
    started: set[WorkloadId] = set()
    held = configs(world)
    for name, workload in world.workloads.items():
        what = _started(workload, held) if name not in by_labels and workload.endpoints else None
        if what is not None:
            started.add(name)
            if _several(world, (name,)):
                yield _group(world, component(what), (name,), certain=True)
    for each in kept:
        if each.component.images:
            names = tuple(name for name in each.workloads if name not in started)
            yield from _clusters(world, each, names)


def _clusters(world: World, found: Found, workloads: Iterable[WorkloadId]) -> Iterator[Group]:
    """Yield the clusters of one product, as far as they have more than one replica."""
    alike: dict[tuple[str, ...], list[WorkloadId]] = defaultdict(list)
    for name in workloads:
        alike[_cluster(found.component, world.workloads[name])].append(name)
    for names in alike.values():
        if _several(world, names):
            group = _group(world, found.component, tuple(names), certain=found.certain)
            # Pods of a Deployment that only share their clients' port are more likely apart.
            if group.closed or not found.component.images or names[0].kind == "StatefulSet":
                yield group


def _group(world: World, what: Component, names: tuple[WorkloadId, ...], *, certain: bool) -> Group:
    declared = {
        (port.protocol, port.number)
        for name in names
        for each in world.workloads[name].endpoints
        for port in each.ports
    }
    ports = tuple(
        each
        for each in what.ports
        if not each.if_declared or (each.protocol, each.port) in declared
    )
    return Group(what, names, certain, ports)


def _cluster(what: Component, workload: Workload) -> tuple[str, ...]:
    """Return what tells clusters of one product apart: namespace, and labels of any value."""
    labels = workload.endpoints[0].labels if workload.endpoints else {}
    keys = [
        key
        for each in (what.pod_labels, *what.other_labels)
        for key, value in each.items()
        if value == ANY_VALUE
    ]
    values = tuple(labels.get(key, "") for key in sorted(set(keys)))
    return (workload.id.namespace, *values) if keys else (workload.id.namespace, workload.id.name)


def _several(world: World, names: Iterable[WorkloadId]) -> bool:
    """Return whether workloads have more than one pod between them."""
    count = 0
    for name in names:
        workload = world.workloads[name]
        live = sum(each.pod is not None for each in workload.endpoints)
        count += max(live, workload.replicas if workload.replicas is not None else 1)
    return count > 1


def _started(workload: Workload, held: Configs) -> str | None:
    """Return the component that pods are of by their image and how it is started."""
    run = workload.endpoints[0].shape.runtime
    for container in run.containers if run is not None else ():
        image = container.image.partition("@")[0].rpartition("/")[2].partition(":")[0]
        for what, images, option, bus in _STARTED:
            if image in images and (
                any(option in each for each in container.arguments)
                or _configured(workload, held, option)
                or not option
                or any(each.number == bus for each in container.ports)
            ):
                return what
    return None


def _configured(workload: Workload, held: Configs, option: str) -> bool:
    """Return whether a file that pods mount sets an option."""
    run, wanted = workload.endpoints[0].shape.runtime, _SET.get(option)
    return wanted is not None and any(
        wanted.search(text)
        for name in (run.mounted if run is not None else ())
        for _, text, _ in files(held.get((workload.id.namespace, name)))
    )
