"""The ends of a contract as ends of the world."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from cloison.algebra import EVERY_ADDRESS, NO_ADDRESSES, AddressSet
from cloison.analyses.contract.placed import Placed
from cloison.analyses.ends import AddressEnd, End, Names, PodsEnd, SomeNodeEnd
from cloison.analyses.question import Traffic, parse_traffic
from cloison.base import QuestionError
from cloison.intent import WORLD, ContractEnd, EndForm, External, PodSet, Port
from cloison.resources.world import APART, PodEndpoint, WorkloadId, World

Published = Mapping[str, AddressSet]
"""What the lists say that providers publish, by the name of the external."""

EVERY_NODE: Final = SomeNodeEnd("a node")
"""What `node:` stands for, which only contracts say that were made of flows: whichever node."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Finds the ends that a contract names.

    Args:
        names: Finds what questions name.
        placed: What the contract says of workloads.
        published: What providers' lists say.
    """

    names: Names
    placed: Placed
    published: Published = field(default_factory=dict)

    def of(self, end: ContractEnd) -> tuple[End, ...]:
        """Return what an end means: several ends for a zone, an external or labels.

        Raises:
            QuestionError: It means nothing here.
        """
        match end.form:
            case EndForm.ZONE:
                found = tuple(self._zone(end.rest))
                if not found:
                    msg = f"no workload here is in the zone {end.rest!r}"
                    raise QuestionError(msg, "place workloads in it, under `workloads`")
                return found
            case EndForm.EXTERNAL:
                return tuple(self._external(end.rest))
            case EndForm.PODS:
                return self._labelled(end)
            case EndForm.NODE if not end.rest:
                return (EVERY_NODE,)
            case _:
                return (self.names.end(end.text),)

    def _zone(self, zone: str) -> Iterator[End]:
        if zone == WORLD:
            yield AddressEnd("zone:world", self.outside)
            return
        for workload in self.placed.members(zone):
            yield self.workload(workload)
        for external in self.placed.contract.externals:
            if external.zone == zone:
                yield from self._external(external.name)

    def workload(self, workload: WorkloadId) -> End:
        """Return a workload as an end."""
        return self.names.end(f"{workload.namespace}/{workload.kind}/{workload.name}")

    @property
    def outside(self) -> AddressSet:
        """Every address that is not known to be the cluster's own, or in another zone."""
        engine = self.names.engine
        known = engine.networks
        found = EVERY_ADDRESS - known.pods - known.nodes - known.services
        found -= AddressSet.points(tuple({*engine.holders, *engine.node_addresses}))
        for external in self.placed.contract.externals:
            if external.zone not in (None, WORLD):
                found -= self.addresses(external)
        return found

    def _external(self, name: str) -> Iterator[End]:
        external = self.placed.contract.external(name)
        if external is None:
            msg = f"no external of the contract is called {name!r}"
            raise QuestionError(msg, "declare it under `externals`")
        addresses = self.addresses(external)
        if addresses:
            yield AddressEnd(f"external:{name}", addresses)
        elif not external.hosts:
            msg = f"the addresses of external {name!r} are not known"
            raise QuestionError(msg, "its list of ranges could not be read, or holds none")
        for host in external.hosts:
            yield self.names.end(f"dns:{host}")

    def addresses(self, external: External) -> AddressSet:
        """Return the addresses of an external, without those of its names."""
        found = self.published.get(external.name, NO_ADDRESSES)
        for text in external.cidrs:
            found |= AddressSet.block(text)
        return found

    def _labelled(self, end: ContractEnd) -> tuple[End, ...]:
        engine = self.names.engine
        chosen: dict[WorkloadId, list[int]] = {}
        for index, endpoint in enumerate(engine.table.endpoints):
            if end.pods is not None and labelled(engine.world, end.pods, endpoint):
                chosen.setdefault(endpoint.workload, []).append(index)
        if not chosen:
            msg = f"there are no {end.text} here"
            raise QuestionError(msg, "write labels that some pod has")
        worlds = engine.world.workloads
        return tuple(
            PodsEnd(str(name), worlds[name], tuple(indices), single=name.kind == "Pod")
            for name, indices in sorted(chosen.items())
        )


def labelled(world: World, pods: PodSet, endpoint: PodEndpoint) -> bool:
    """Return whether a pod is one of those that labels mean."""
    if endpoint.namespace == APART:
        return False
    if pods.namespace is not None:
        if pods.namespace != endpoint.namespace:
            return False
    else:
        home = world.namespaces.get(endpoint.namespace)
        if home is None or not pods.namespaces.matches(home.labels):
            return False
    return pods.pods.matches(endpoint.labels)


def traffic_of(port: Port) -> Traffic:
    """Return the traffic of a port; one by name is looked up on each destination.

    Raises:
        QuestionError: There is no such traffic.
    """
    if not port.icmp and port.first is None and port.name is None:
        return parse_traffic(None, port.protocol)
    return parse_traffic(port.text)
