"""Who calls workloads besides one another, as the path model takes it, and what flows say of that.

Probes come from the pod's own node, what a load balancer leads in from a client or a node, what a
gateway leads on from who serves it, and what goes by a proxy to that proxy. None of it is written
in a policy's favour: the model assumes it, so flows have to bear it out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Final

from cloison.algebra import EVERY_ADDRESS, TrafficSet
from cloison.analyses.backends import members
from cloison.analyses.connectivity import EndRef
from cloison.analyses.ends import AddressEnd, End, PodsEnd, ServiceEnd
from cloison.analyses.paths.serving import Served, served
from cloison.analyses.paths.site import Site
from cloison.analyses.question import EVERYTHING, Traffic
from cloison.analyses.reconcile.seen import NODES
from cloison.analyses.services import lead
from cloison.base import Span
from cloison.engine import Engine
from cloison.ir.names import host_name
from cloison.platform.names import by_search
from cloison.platform.routes.model import Backend, Entry, Supposed
from cloison.platform.routes.proxies import Proxy, proxies
from cloison.resources.objects import Service
from cloison.resources.runtime import Probe, ProbeWay
from cloison.resources.world import APART, Workload


class Sort(StrEnum):
    """What assumes a source."""

    PROBE = "probe"
    """The kubelet asks from the pod's own node."""
    BALANCER = "load-balancer"
    """What a Service takes in from outside shows its client, or a node."""
    GATEWAY = "gateway"
    """What is behind an entry is called by who serves it."""
    PROXY = "proxy"
    """A workload is told to use a proxy."""
    EGRESS = "egress-gateway"
    """What leaves the cluster by chosen nodes shows an address of theirs."""
    NAT = "translation"
    """What leaves by a pod's own node shows the node's address, or the pod's."""


CLIENTS: Final = AddressEnd("clients outside", EVERY_ADDRESS)
"""Whoever calls from outside, with an address of their own."""


@dataclass(frozen=True, slots=True)
class Assumed:
    """A source that the path model assumes.

    Args:
        sort: What assumes it.
        source: Who opens the connections.
        destination: Who is called.
        traffic: With what.
        of: What it is of: `probe of web/portal`, `svc:web/portal`, `Gateway web/public`.
        why: What says so, in a sentence without its end.
        span: Where that is written.
        supposed: The pods that are supposed to be the source, where the input holds none.
        through: The workloads whose calls it is the source of; None for all.
    """

    sort: Sort
    source: End
    destination: End
    traffic: TrafficSet
    of: str
    why: str
    span: Span | None = None
    supposed: Supposed | None = None
    through: frozenset[EndRef] | None = None

    @property
    def sort_key(self) -> tuple[str, str, str, str, str]:
        """By what assumes it, then ends and traffic."""
        ends = (self.source.text, self.destination.text)
        return (self.sort, self.of, *ends, str(self.traffic))


def assumed(engine: Engine, site: Site) -> tuple[Assumed, ...]:
    """Return every source that the path model assumes in a cluster, sorted.

    Args:
        engine: Whose world.
        site: What leads traffic in it.
    """
    every = chain(_probes(engine), _balancers(engine), _gateways(engine, site), _proxies(engine))
    found = {each.sort_key: each for each in every}
    return tuple(each for _, each in sorted(found.items()))


def _workloads(engine: Engine) -> Iterator[tuple[Workload, PodsEnd]]:
    for name, workload in engine.world.workloads.items():
        indices = engine.table.by_workload.get(name, ())
        if name.namespace != APART and indices and workload.endpoints:
            yield workload, PodsEnd(str(name), workload, indices)


def _probes(engine: Engine) -> Iterator[Assumed]:
    for workload, pods in _workloads(engine):
        if any(pod.shape.host_network for pod in workload.endpoints):
            continue
        run = workload.endpoints[0].shape.runtime
        for container in run.containers if run is not None else ():
            named = {port.name: port.number for port in container.ports if port.name}
            for probe in container.probes:
                number = _asks(probe, named)
                if number is not None:
                    yield Assumed(
                        Sort.PROBE,
                        NODES,
                        pods,
                        TrafficSet.ports("TCP", number),
                        f"probe of {workload.id.namespace}/{workload.id.name}",
                        "the kubelet asks from the pod's own node",
                        workload.span,
                    )


def _asks(probe: Probe, named: dict[str, int]) -> int | None:
    """Return the port that a probe asks at; None for one that asks nobody there."""
    if probe.way is ProbeWay.EXEC or probe.host is not None:
        return None
    return named.get(probe.port) if isinstance(probe.port, str) else probe.port


def _balancers(engine: Engine) -> Iterator[Assumed]:
    for service in engine.world.services.values():
        if not (service.type in ("LoadBalancer", "NodePort") or service.external_ips):
            continue
        local = service.external_traffic_policy == "Local"
        why = "it keeps the client's address" if local else "a node leads it on, with its address"
        for pods, traffic in behind(engine, service, EVERYTHING):
            name = f"svc:{service.namespace}/{service.name}"
            source: End = CLIENTS if local else NODES
            yield Assumed(Sort.BALANCER, source, pods, traffic, name, why, service.span)


def behind(
    engine: Engine, service: Service, traffic: Traffic
) -> Iterator[tuple[PodsEnd, TrafficSet]]:
    """Yield the pods that a Service leads to, each with the port where it arrives."""
    end = ServiceEnd(f"svc:{service.namespace}/{service.name}", service)
    for part in lead(engine, CLIENTS, end, traffic):
        for each in part.followed:
            if isinstance(each.destination, PodsEnd) and each.traffic.traffic:
                workload = each.destination.workload
                indices = engine.table.by_workload.get(workload.id, ())
                yield PodsEnd(str(workload.id), workload, indices), each.traffic.traffic


def _gateways(engine: Engine, site: Site) -> Iterator[Assumed]:
    for entry in site.entries:
        for by in served(engine, entry):
            for service, traffic in leads(engine, entry):
                sender = by.towards(service)
                if sender.end is None and not sender.plane.on_nodes:
                    continue
                for pods, arriving in behind(engine, service, traffic):
                    yield _gateway(entry, sender, pods, arriving)


def _gateway(entry: Entry, by: Served, pods: PodsEnd, traffic: TrafficSet) -> Assumed:
    source: End = NODES if by.plane.on_nodes or by.on_host else by.sender
    return Assumed(
        Sort.GATEWAY,
        source,
        pods,
        traffic,
        str(entry),
        by.plane.why,
        by.plane.span or entry.span,
        by.plane.supposed,
    )


def leads(engine: Engine, entry: Entry) -> Iterator[tuple[Service, Traffic]]:
    """Yield the Services that an entry leads to, with the port of each."""
    for rule in entry.rules:
        for backend in rule.backends:
            service = engine.world.services.get((backend.namespace, backend.service))
            if service is not None and backend.stop is None and backend.weight > 0:
                yield from ((service, asked) for asked in _ports(engine, service, backend))


def _ports(engine: Engine, service: Service, backend: Backend) -> Iterator[Traffic]:
    """Yield the ports of a Service that a backend means."""
    wanted = backend.port
    for port in service.ports:
        target = port.target if port.target is not None else port.port
        own = {target} if backend.endpoint_port else {port.port, port.name}
        if backend.endpoint_port and isinstance(target, str):
            own |= _numbers(engine, service, target)
        if wanted is None or wanted in own:
            traffic = TrafficSet.ports(port.protocol, port.port)
            yield Traffic(f"{port.protocol}/{port.port}", traffic)


def _numbers(engine: Engine, service: Service, name: str) -> set[int | str]:
    pods = (end for end, _ in members(engine, service).ends if isinstance(end, PodsEnd))
    shapes = (engine.table.endpoints[index] for end in pods for index in end.endpoints)
    return {port.number for each in shapes for port in each.ports if port.name == name}


def _proxies(engine: Engine) -> Iterator[Assumed]:
    for workload, pods in _workloads(engine):
        run = workload.endpoints[0].shape.runtime
        for told in proxies(engine.world, workload.id.namespace, run):
            for proxy in told.by_scheme.values():
                yield from _proxied(engine, pods, proxy)


def _proxied(engine: Engine, pods: PodsEnd, proxy: Proxy) -> Iterator[Assumed]:
    home = pods.workload.id.namespace
    found = by_search(engine.world, home, host_name(proxy.host))
    if found is None or found.host is not None:
        return
    traffic = TrafficSet.ports("TCP", proxy.port)
    asked = Traffic(f"TCP/{proxy.port}", traffic)
    for pods_there, arriving in behind(engine, found.service, asked):
        of = f"{proxy.variable} of {home}/{pods.workload.id.name}"
        why = f"{proxy} in container {proxy.container}"
        yield Assumed(Sort.PROXY, pods, pods_there, arriving, of, why, pods.workload.span)
