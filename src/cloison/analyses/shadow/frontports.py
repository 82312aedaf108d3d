"""Rules that name the port of a Service, where policies see the one that it leads to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cloison.algebra import TrafficSet
from cloison.analyses.backends import own_port
from cloison.analyses.ends import End, PodsEnd
from cloison.analyses.reconcile.seen import Outside
from cloison.analyses.shadow.model import Edge, FrontPort
from cloison.engine import Engine
from cloison.ir.policy import Action, Direction
from cloison.resources.objects import Service, ServicePort
from cloison.resources.world import PodEndpoint

_Led = tuple[str, str, int]
"""A Service, and its protocol and port that lead to some port of a pod."""


@dataclass(frozen=True)
class FrontPorts:
    """Finds rules that would let a denied edge through, did the pods have the Service's port.

    Args:
        engine: Who decides.
    """

    engine: Engine
    _homes: dict[str, list[Service]] = field(default_factory=dict, compare=False)

    def of(self, edges: Iterable[Edge]) -> tuple[FrontPort, ...]:
        """Return such rules, each once."""
        return tuple(dict.fromkeys(found for edge in edges for found in self._of(edge)))

    def _of(self, edge: Edge) -> Iterator[FrontPort]:
        called, key = edge.link.destination, edge.key
        if not isinstance(called, PodsEnd):
            return
        fronts = tuple(self._fronts(called, key.protocol, key.port))
        if not fronts:
            return
        for side in edge.sides:
            ends = (edge.link.source, called)
            subject, peer = ends if side.direction is Direction.EGRESS else ends[::-1]
            yield from self._named(side.direction, subject, peer, fronts, key.port)

    def _fronts(self, called: PodsEnd, protocol: str, port: int) -> Iterator[_Led]:
        for service in self._at_home(called.workload.id.namespace):
            wanted = (service.selector or {}).items()
            pods = [e for e in called.workload.endpoints if wanted and wanted <= e.labels.items()]
            for each in service.ports:
                leads = any(_led(each, pod) == port for pod in pods)
                if leads and each.protocol == protocol and each.port != port:
                    yield f"{service.namespace}/{service.name}", protocol, each.port

    def _at_home(self, namespace: str) -> list[Service]:
        if not self._homes:
            for service in self.engine.world.services.values():
                self._homes.setdefault(service.namespace, []).append(service)
        return self._homes.get(namespace, [])

    def _named(
        self,
        direction: Direction,
        subject: End | Outside,
        peer: End | Outside,
        fronts: tuple[_Led, ...],
        port: int,
    ) -> Iterator[FrontPort]:
        """Yield the rules of a subject's policies that let a peer through at the wrong port."""
        ours, theirs = self._units(subject), self._units(peer)
        binder, table = self.engine.binder, self.engine.table
        for policy in self.engine.policies.policies:
            subjects = binder.subject(policy)
            if not policy.rules_for(direction) or not any(unit in subjects for unit in ours):
                continue
            ports = table.units[next(iter(ours))].ports
            for bound in binder.rules(policy, direction, ports):
                met = any(u in bound.must or u in bound.may for u in theirs)
                if bound.rule.action is not Action.ALLOW or not met:
                    continue
                for service, protocol, number in fronts:
                    if TrafficSet.ports(protocol, number) <= bound.traffic:
                        named = f"{policy.id.said} {bound.rule.label}"
                        yield FrontPort(named, bound.rule.span, service, protocol, number, port)

    def _units(self, end: End | Outside) -> frozenset[int]:
        table = self.engine.table
        if isinstance(end, PodsEnd):
            return frozenset(u for index in end.endpoints for u in table.by_endpoint[index])
        if isinstance(end, Outside) and end.address is not None:
            return frozenset(table.external_range(end.address.addresses))
        return frozenset()


def _led(port: ServicePort, pod: PodEndpoint) -> int | None:
    """Return the port of a pod that a port of a Service leads to."""
    target = port.port if port.target is None else port.target
    return target if isinstance(target, int) else own_port(pod, target, port.protocol)
