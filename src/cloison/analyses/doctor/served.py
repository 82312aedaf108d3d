"""Which pods are meant, and what they serve: what checks of policies' words are compared with."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from cloison.algebra import NO_ADDRESSES, NO_TRAFFIC, AddressSet, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.backends import own_port
from cloison.engine import Engine
from cloison.ir.peers import BlockMatch, PodsMatch, plain_matches
from cloison.ir.policy import Action, Direction, Mode, Peer, Policy, Rule, TrafficMatch
from cloison.platform.components import Role, known
from cloison.platform.monitors import ANNOTATION
from cloison.resources.objects import Service, ServicePort
from cloison.resources.runtime import ProbeWay
from cloison.resources.world import PodEndpoint, Workload, WorkloadId

PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
"""Where addresses of nodes, and of load balancers, may be that nobody told of."""
_DIGITS = 5
"""Of a port's number, at most."""
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


def admitted(engine: Engine, name: WorkloadId, number: Number | None = None) -> list[BlockMatch]:
    """Return the blocks that policies admit to a workload, on a port if one is given."""
    found: dict[BlockMatch, None] = {}
    wanted = None if number is None else TrafficSet.ports(*number)
    for unit in engine.table.workload_units(name):
        for policy in engine.decision(unit, Direction.INGRESS).terms.policies:
            for rule in policy.rules_for(Direction.INGRESS):
                said = rule.traffic.must
                if rule.action is not Action.ALLOW or not (
                    wanted is None or rule.traffic.named or wanted <= said
                ):
                    continue
                blocks = (peer.match for peer in rule.peers)
                found.update(dict.fromkeys(b for b in blocks if isinstance(b, BlockMatch)))
    return list(found)


def all_listed(engine: Engine, name: WorkloadId, number: Number) -> bool:
    """Return whether policies admit all nodes to a workload by their addresses, tunnels as well."""
    listed = NO_ADDRESSES
    for each in admitted(engine, name, number):
        listed |= each.addresses
    nodes = of_nodes(engine)
    return bool(nodes) and nodes | tunnels(engine) <= listed


def of_nodes(engine: Engine) -> AddressSet:
    """Return the addresses of the nodes, as far as they are known."""
    points = (a for node in engine.world.nodes.values() for a in node.addresses)
    return AddressSet.points(tuple(points))


def tunnels(engine: Engine) -> AddressSet:
    """Return the first addresses of what nodes hand out to pods, which overlays send from."""
    points: list[int] = []
    for node in engine.world.nodes.values():
        points += [AddressSet.block(each).spans[0][0] for each in node.pod_cidrs]
    return AddressSet.points(tuple(points))


def listed_elsewhere(engine: Engine, name: WorkloadId, number: Number | None = None) -> bool:
    """Return whether policies admit private addresses that may be those of a load balancer."""
    nodes, others = of_nodes(engine), NO_ADDRESSES
    for each in known():
        if each.role is Role.LOAD_BALANCER:
            for block in each.blocks:
                others |= AddressSet.block(block)
    inside = NO_ADDRESSES
    for block in PRIVATE:
        inside |= AddressSet.block(block)
    return any(
        (match.whole and not match.holes)
        or (
            match.addresses <= inside
            and not match.addresses & nodes
            and not match.addresses <= others
        )
        for match in admitted(engine, name, number)
    )


@dataclass(frozen=True)
class Serving:
    """What every workload serves, as far as its manifests say.

    Args:
        engine: Whose world.
    """

    engine: Engine
    _numbers: dict[WorkloadId, frozenset[Number]] = field(default_factory=dict)

    @cached_property
    def _homes(self) -> dict[str, list[Workload]]:
        """All workloads, by namespace."""
        homes: dict[str, list[Workload]] = {}
        for workload in self.engine.world.workloads.values():
            homes.setdefault(workload.id.namespace, []).append(workload)
        return homes

    @cached_property
    def services(self) -> dict[WorkloadId, tuple[Service, ...]]:
        """The Services that select pods of each workload."""
        homes = self._homes
        found: dict[WorkloadId, list[Service]] = defaultdict(list)
        for service in self.engine.world.services.values():
            wanted = (service.selector or {}).items()
            for workload in homes.get(service.namespace, ()) if wanted else ():
                if any(wanted <= each.labels.items() for each in workload.endpoints):
                    found[workload.id].append(service)
        return {name: tuple(each) for name, each in found.items()}

    def behind(self, service: Service) -> tuple[Workload, ...]:
        """Return the workloads of which a Service selects pods."""
        wanted = (service.selector or {}).items()
        return tuple(
            each
            for each in (self._homes.get(service.namespace, ()) if wanted else ())
            if any(wanted <= pod.labels.items() for pod in each.endpoints)
        )

    def numbers(self, name: WorkloadId) -> frozenset[Number]:
        """Return the ports that a workload declares, or is probed, scraped or called on."""
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
        scraped = (run.annotation(f"{ANNOTATION}port") if run is not None else None) or ""
        if scraped.isascii() and scraped.isdecimal() and len(scraped) <= _DIGITS:
            yield "TCP", int(scraped)
        for service in self.services.get(name, ()):
            for port in service.ports:
                number = target_of(pod, port)
                if number is not None:
                    yield port.protocol, number


def numbers(traffic: TrafficSet) -> Iterator[Number]:
    """Yield the single ports that traffic lists; what is open as a whole names none."""
    for entry in traffic.entries():
        one = entry.low is not None and entry.low == entry.high
        if one and entry.low is not None and entry.protocol in ("TCP", "UDP", "SCTP"):
            yield entry.protocol, entry.low


def declares(workload: Workload, protocol: str) -> bool:
    """Return whether all pods of a workload declare ports of a protocol."""
    return all(any(p.protocol == protocol for p in pod.ports) for pod in workload.endpoints)


def on_ports(rule: Rule, protocol: str, ports: Iterable[int]) -> Rule:
    """Return a rule for other ports, to be added beside it.

    Args:
        rule: The rule.
        protocol: `TCP`, `UDP` or `SCTP`.
        ports: The ports.
    """
    traffic = NO_TRAFFIC
    for each in ports:
        traffic |= TrafficSet.ports(protocol, each)
    return replace(rule, traffic=TrafficMatch(traffic), index=1)


def target_of(pod: PodEndpoint, port: ServicePort) -> int | None:
    """Return the port of a pod that a Service's port leads to; None where it is no endpoint."""
    if isinstance(port.target, str):
        return own_port(pod, port.target, port.protocol)
    return port.target or port.port
