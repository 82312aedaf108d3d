"""What workloads need of the platform, and what the platform needs of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cloison.algebra import AddressSet
from cloison.analyses.contract.compile.edges import ports_of
from cloison.analyses.contract.compile.model import Edge
from cloison.analyses.doctor.clinic import Clinic, on
from cloison.analyses.doctor.depends import wishes
from cloison.analyses.doctor.probes import asked
from cloison.analyses.doctor.resolving import asking
from cloison.analyses.doctor.scrape import scrapes
from cloison.analyses.ends import PodsEnd, ServiceEnd
from cloison.analyses.question import Traffic
from cloison.analyses.services import follow
from cloison.base import QuestionError
from cloison.intent import Contract, Platform
from cloison.ir.allowlist import PortRange
from cloison.ir.fidelity import Caveat
from cloison.platform.calls import calls, configs
from cloison.platform.caveats import DNS_OF_NODE
from cloison.platform.components import known
from cloison.platform.resolvers import Resolver
from cloison.platform.telemetry import is_telemetry
from cloison.resources.world import Workload

DNS: Final = "dns"
PROBES: Final = "probes"
METRICS: Final = "metrics"
TELEMETRY: Final = "telemetry"


@dataclass(frozen=True, slots=True)
class Lookups:
    """Whom a workload asks for names.

    Args:
        resolvers: All of them that it may ask.
        unclear: Why nobody can say of some of them; empty where everything is known.
        upstream: Whom caches on nodes ask in turn, from their nodes' addresses.
        caveats: What all that stands on.
    """

    resolvers: tuple[Resolver, ...] = ()
    unclear: tuple[str, ...] = ()
    upstream: tuple[Resolver, ...] = ()
    caveats: tuple[Caveat, ...] = ()


def roles(contract: Contract) -> dict[str, Platform]:
    """Return what the contract says that everybody depends on, by what it does."""
    found: dict[str, Platform] = {}
    by_id = {each.id: str(each.role) for each in known()}
    for each in contract.platform:
        role = by_id.get(each.id, each.id)
        found.setdefault(role, each)
    return found


def lookups(clinic: Clinic, workload: Workload) -> Lookups:
    """Return whom a workload asks for names."""
    found: dict[str, Resolver] = {}
    upstream: dict[str, Resolver] = {}
    unclear: list[str] = []
    caveats: list[Caveat] = []
    for _, needs in asking(clinic, workload):
        every = (*(one for group in needs.needed for one in _likeliest(group)), *needs.perhaps)
        for each in (*every, *needs.fallback):
            found.setdefault(each.id, each)
        for each in needs.upstream:
            upstream.setdefault(each.id, each)
        lost = (each for each in needs.every if not each.is_pods and not each.addresses)
        unclear += [f"{each.text}: {each.why}" for each in lost]
        caveats += [each for each in needs.caveats if each != DNS_OF_NODE]
        if not needs.every:
            unclear.append(needs.why or "no resolver is known")
    return Lookups(
        tuple(found.values()),
        tuple(dict.fromkeys(unclear)),
        tuple(upstream.values()),
        tuple(dict.fromkeys(caveats)),
    )


def _likeliest(group: tuple[Resolver, ...]) -> tuple[Resolver, ...]:
    """Return whom to let through of a group of which any one answers: not all that are assumed."""
    return group[:1] if all(each.assumed for each in group) else group


def probed(workload: Workload) -> tuple[PortRange, ...]:
    """Return the ports that the kubelet probes over the network."""
    return tuple(sorted({PortRange("TCP", port, port) for _, port in asked(workload)}))


def scraped(clinic: Clinic, said: Platform) -> Iterator[Edge]:
    """Yield who collects metrics where."""
    for collector, scrape, evidence in scrapes(clinic):
        if not isinstance(scrape.to, PodsEnd) or collector.engine is not None:
            continue
        ports = ports_of(scrape.traffic, scrape.to, clinic.engine)
        if ports is not None:
            reason = f"platform {said.id}: {said.reason or 'metrics are collected'}"
            yield Edge(
                collector.end, scrape.to, ports, reason=f"{reason} ({evidence.text})", role=METRICS
            )


def reported(clinic: Clinic, said: Platform, among: Sequence[Workload]) -> Iterator[Edge]:
    """Yield where workloads are told to send traces, logs and metrics, in the cluster."""
    plain = configs(clinic.engine.world)
    for workload in among:
        shape = workload.endpoints[0].shape
        if shape.host_network:
            continue
        told = calls(plain, workload.id.namespace, shape.runtime)
        mine = [each for each in told if is_telemetry(each.name)]
        source = clinic.pods(workload.id)
        for wish in wishes(clinic, workload, mine):
            if wish.port is None:
                continue
            reason = f"platform {said.id}: {said.reason or 'telemetry'} ({wish.by})"
            for to, traffic in _behind(clinic, source, wish.end, on(wish.protocol, wish.port)):
                ports = ports_of(traffic, to, clinic.engine)
                if ports is not None:
                    yield Edge(source, to, ports, reason=reason, role=TELEMETRY)


def _behind(
    clinic: Clinic, source: PodsEnd, end: ServiceEnd, traffic: Traffic
) -> Iterator[tuple[PodsEnd, Traffic]]:
    try:
        found = list(follow(clinic.engine, source, end, traffic))
    except QuestionError:
        return
    for each in found:
        if isinstance(each.destination, PodsEnd):
            yield each.destination, each.traffic


def dns_ports(resolver: Resolver) -> tuple[PortRange, ...]:
    """Return the ports of a resolver where packets arrive."""
    note = f"Service port {resolver.service_port}" if resolver.service_port != resolver.port else ""
    return tuple(
        PortRange(protocol, resolver.port, resolver.port, None, note)
        for protocol in sorted(resolver.protocols, reverse=True)
    )


def dialled(resolver: Resolver) -> AddressSet:
    """Return the addresses of a resolver that is no pod."""
    found = AddressSet()
    for each in resolver.addresses:
        found |= AddressSet.address(each)
    return found
