"""D10: ways past the gateway or the egress proxy, where others take the way by it.

Which workloads these are, manifests and the contract say. Traffic only suggests it: whoever calls
a frontend that calls an outside service, and calls that service itself, looks no different.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from cloison.analyses.drift.edge import BALANCERS, Edge
from cloison.analyses.drift.model import Code, Evidence, Key, Sign
from cloison.analyses.drift.newflows import known, recorded
from cloison.analyses.drift.scene import Scene
from cloison.analyses.drift.windows import SLOW
from cloison.analyses.ends import PodsEnd
from cloison.analyses.past.brief import below
from cloison.analyses.past.link import shown
from cloison.analyses.past.sorts import Sort
from cloison.analyses.reconcile.seen import Outside
from cloison.base import Severity
from cloison.base.words import few, plural
from cloison.intent import WorkloadClass
from cloison.platform.components import Role
from cloison.platform.ranges import public
from cloison.resources.world import WorkloadId

_SHARED: Final = 2
"""Callers from which on something may be what others leave by, and not a part of one of them."""
_OUTSIDE: Final = ("LoadBalancer", "NodePort")
"""Types of Services that are there for the outside."""
_NO_GATEWAY: Final = (
    "no gateway is known that leads there: if one does, say which in the contract (workloads: "
    "class: gateway)"
)
_NO_PROXY: Final = (
    "no egress proxy is known: if there is one, say which in the contract (workloads: class: "
    "gateway), or in what its callers run with (HTTPS_PROXY)"
)
_GUESSED: Final = (
    "only what was seen says so: if it is one, say so in the contract (workloads: class: gateway)"
)


def bypass(scene: Scene) -> Iterator[Sign]:
    """Yield a sign for each flow past a gateway or proxy by which its ends are joined, too."""
    ways = _Ways(scene)
    checks = 0
    lone: dict[str, int] = defaultdict(int)
    for edge in scene.edges:
        if edge.meant or not edge.allowed.hours or known(scene, edge):
            continue
        source, destination = edge.ends
        if isinstance(source, Outside) and isinstance(destination, PodsEnd):
            name = destination.workload.id
            if name in ways.gateways:
                continue
            if edge.source == BALANCERS:
                checks += 1
                continue
            by, guessed = ways.leading_in(name)
            how, unknown = "which leads there", _NO_GATEWAY
        elif isinstance(source, PodsEnd) and isinstance(destination, Outside):
            name = source.workload.id
            if name in ways.proxies or not _public(destination):
                continue
            by, guessed = ways.leading_out(name, edge)
            how, unknown = "by which others leave the cluster", _NO_PROXY
        else:
            continue
        if by:
            yield _sign(scene, edge, f"past {few(sorted(map(str, by)))}, {how}", guessed=guessed)
        elif guessed:
            lone[unknown] += 1
    scene.skip(Code.BYPASS, "it is a health check of a load balancer", checks)
    for reason, count in lone.items():
        scene.skip(Code.BYPASS, reason, count)


_Calls = Mapping[WorkloadId, set[WorkloadId]]


@dataclass(frozen=True)
class _Ways:
    """By whom traffic comes in and goes out, as far as anybody says, or it seems so.

    Args:
        scene: What is meant, and what was seen.
    """

    scene: Scene

    def leading_in(self, name: WorkloadId) -> tuple[Collection[WorkloadId], bool]:
        """Return the gateways that lead to a workload, and whether these are only guessed."""
        if self.gateways:
            return {each for each in self.gateways if name in below(self._graph, each)}, False
        fronts = self._fronts - {name}
        return {each for each in fronts if name in self._graph.get(each, ())}, True

    def leading_out(self, name: WorkloadId, edge: Edge) -> tuple[Collection[WorkloadId], bool]:
        """Return the proxies by which others leave, and whether these are only guessed."""
        if self.proxies:
            return self.proxies & self._called, False
        there = self._leaving.get((edge.destination, edge.protocol, edge.port), set())
        asked = self._graph.get(name, set())
        return {
            each
            for each in there & asked
            if sum(each in called for called in self._graph.values()) >= _SHARED
        }, True

    @cached_property
    def gateways(self) -> frozenset[WorkloadId]:
        """The workloads by which the outside is meant to come in."""
        found: set[WorkloadId] = set(self._said)
        for each in self.scene.site.components:
            if each.component.role is Role.GATEWAY:
                found.update(each.workloads)
        return frozenset(found - self.proxies)

    @cached_property
    def proxies(self) -> frozenset[WorkloadId]:
        """The workloads by which the inside is meant to leave."""
        leaving = {name for names in self._leaving.values() for name in names}
        # A gateway that pods call, and nobody outside does or could, is one for the way out.
        out = (self._said & leaving & self._called) - self._entered - self._published
        return self.scene.proxies | out

    @cached_property
    def _said(self) -> frozenset[WorkloadId]:
        """The workloads that the contract calls gateways."""
        if self.scene.placed is None:
            return frozenset()
        places = self.scene.placed.places.items()
        return frozenset(n for n, p in places if p.workload_class is WorkloadClass.GATEWAY)

    @cached_property
    def _graph(self) -> _Calls:
        """Who is meant, or was seen, to call whom inside the cluster."""
        found: dict[WorkloadId, set[WorkloadId]] = defaultdict(set)
        for one in self.scene.wanted:
            if isinstance(one.source, PodsEnd) and isinstance(one.destination, PodsEnd):
                found[one.source.workload.id].add(one.destination.workload.id)
        for edge in self.scene.edges:
            source, destination = edge.ends
            if edge.allowed and isinstance(source, PodsEnd) and isinstance(destination, PodsEnd):
                found[source.workload.id].add(destination.workload.id)
        return found

    @cached_property
    def _called(self) -> frozenset[WorkloadId]:
        return frozenset(name for called in self._graph.values() for name in called)

    @cached_property
    def _entered(self) -> frozenset[WorkloadId]:
        """The workloads that the outside was seen to call."""
        return frozenset(
            edge.ends[1].workload.id
            for edge in self.scene.edges
            if edge.allowed
            and isinstance(edge.ends[0], Outside)
            and isinstance(edge.ends[1], PodsEnd)
        )

    @cached_property
    def _published(self) -> frozenset[WorkloadId]:
        """The workloads to which Services lead from outside."""
        engine = self.scene.engine
        return frozenset(
            endpoint.workload
            for service in engine.world.services.values()
            if service.selector and (service.type in _OUTSIDE or service.external_ips)
            for endpoint in engine.table.living_in(service.namespace)
            if service.selector.items() <= endpoint.labels.items()
        )

    @cached_property
    def _fronts(self) -> frozenset[WorkloadId]:
        """The workloads that the outside calls as it always did, or as it is meant to."""
        return frozenset(
            edge.ends[1].workload.id
            for edge in self._usual()
            if isinstance(edge.ends[0], Outside) and isinstance(edge.ends[1], PodsEnd)
        )

    @cached_property
    def _leaving(self) -> Mapping[tuple[str, str, int], set[WorkloadId]]:
        """Who calls what outside as it always did, or as it is meant to."""
        found: dict[tuple[str, str, int], set[WorkloadId]] = defaultdict(set)
        for edge in self._usual():
            source, destination = edge.ends
            if isinstance(source, PodsEnd) and isinstance(destination, Outside):
                found[edge.destination, edge.protocol, edge.port].add(source.workload.id)
        return found

    def _usual(self) -> Iterable[Edge]:
        return (e for e in self.scene.edges if e.allowed and (e.meant or known(self.scene, e)))


def _public(end: Outside) -> bool:
    return end.address is None or end.address.addresses <= public()


def _sign(scene: Scene, edge: Edge, how: str, *, guessed: bool) -> Sign:
    once = edge.why if edge.sort in (Sort.PERSON, Sort.SCAN) else None
    times = plural(edge.allowed.total, "connection")
    return Sign(
        key=Key(Code.BYPASS, edge.source, edge.destination, edge.protocol, edge.port_text),
        severity=Severity.ERROR,
        message=f"{edge.text} goes {how}",
        help="take away the rule that lets it pass, or record why it has to be direct",
        workloads=edge.inside,
        course=edge.allowed,
        pace=SLOW,
        evidence=(Evidence(f"{times} from {shown(edge.source)} ({', '.join(edge.adapters)})"),),
        asked=scene.question(edge),
        brief=edge.text,
        doubt=f"{how.partition(',')[0].removeprefix('past ')}: {_GUESSED}" if guessed else once,
        namespaces=edge.namespaces,
        allow=recorded(edge),
    )
