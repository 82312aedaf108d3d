"""Which pods are meant, and what they serve: what checks of policies' words are compared with."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from cloison.algebra.bitmaps import BitMap
from cloison.analyses.backends import own_port
from cloison.engine import Engine
from cloison.ir.peers import PodsMatch, plain_matches
from cloison.ir.policy import Mode, Peer, Policy
from cloison.resources.objects import Service, ServicePort
from cloison.resources.runtime import ProbeWay
from cloison.resources.world import PodEndpoint, Workload, WorkloadId

Number = tuple[str, int]
"""A protocol and a port."""


def enforced(engine: Engine) -> Iterator[Policy]:
    """Yield the policies that take part and that an object states."""
    for policy in engine.policies.policies:
        if policy.mode is Mode.ENFORCED and policy.stated and policy.opaque is None:
            yield policy


def workloads_of(engine: Engine, units: BitMap) -> tuple[WorkloadId, ...]:
    """Return the workloads of units, sorted."""
    found = {
        engine.table.endpoints[index].workload
        for unit in units
        for index in engine.table.units[unit].endpoints
    }
    return tuple(sorted(found))


def subjects_of(engine: Engine, policy: Policy) -> tuple[WorkloadId, ...]:
    """Return the workloads that a policy selects, sorted."""
    return workloads_of(engine, engine.binder.subject(policy))


def peers_of(engine: Engine, peers: Iterable[Peer]) -> tuple[WorkloadId, ...]:
    """Return the workloads that peers by label match; those by address are left out."""
    units = BitMap()
    for peer in peers:
        if all(isinstance(match, PodsMatch) for match in plain_matches(peer.match)):
            units |= engine.binder.peer(peer).possible
    return workloads_of(engine, units)


@dataclass(frozen=True)
class Serving:
    """What every workload serves, as far as its manifests say.

    Args:
        engine: Whose world.
    """

    engine: Engine
    _numbers: dict[WorkloadId, frozenset[Number]] = field(default_factory=dict)

    @cached_property
    def services(self) -> dict[WorkloadId, tuple[Service, ...]]:
        """The Services that select pods of each workload."""
        homes: dict[str, list[Workload]] = defaultdict(list)
        for workload in self.engine.world.workloads.values():
            homes[workload.id.namespace].append(workload)
        found: dict[WorkloadId, list[Service]] = defaultdict(list)
        for service in self.engine.world.services.values():
            wanted = (service.selector or {}).items()
            for workload in homes[service.namespace] if wanted else ():
                if any(wanted <= each.labels.items() for each in workload.endpoints):
                    found[workload.id].append(service)
        return {name: tuple(each) for name, each in found.items()}

    def behind(self, service: Service) -> tuple[Workload, ...]:
        """Return the workloads of which a Service selects pods."""
        wanted = (service.selector or {}).items()
        return tuple(
            each
            for each in self.engine.world.workloads.values()
            if each.id.namespace == service.namespace
            and wanted
            and any(wanted <= pod.labels.items() for pod in each.endpoints)
        )

    def numbers(self, name: WorkloadId) -> frozenset[Number]:
        """Return the ports that a workload declares, is probed on, or that Services lead to."""
        known = self._numbers.get(name)
        if known is None:
            workload = self.engine.world.workloads[name]
            known = self._numbers[name] = frozenset(
                found for pod in workload.endpoints for found in self._of(pod, name)
            )
        return known

    def _of(self, pod: PodEndpoint, name: WorkloadId) -> Iterator[Number]:
        yield from ((port.protocol, port.number) for port in pod.ports)
        run = pod.shape.runtime
        for container in run.containers if run is not None else ():
            for probe in container.probes:
                if isinstance(probe.port, int) and probe.way is not ProbeWay.EXEC:
                    yield "TCP", probe.port
        for service in self.services.get(name, ()):
            for port in service.ports:
                number = target_of(pod, port)
                if number is not None:
                    yield port.protocol, number


def declares(workload: Workload, protocol: str) -> bool:
    """Return whether all pods of a workload declare ports of a protocol."""
    return all(any(p.protocol == protocol for p in pod.ports) for pod in workload.endpoints)


def target_of(pod: PodEndpoint, port: ServicePort) -> int | None:
    """Return the port of a pod that a Service's port leads to; None where it is no endpoint."""
    if isinstance(port.target, str):
        return own_port(pod, port.target, port.protocol)
    return port.target or port.port
