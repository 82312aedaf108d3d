"""What there is to go by: the contract as it counts, what it lets through, what manifests say."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from cloison.algebra import TrafficSet
from cloison.analyses.contract.compile import platform
from cloison.analyses.contract.compile.model import Compiled
from cloison.analyses.contract.compile.peers import on_host
from cloison.analyses.draft.model import Edge, Hint, Party
from cloison.analyses.ends import AddressEnd, End, PodsEnd
from cloison.analyses.past.link import Link
from cloison.analyses.past.listening import Listening, Ports
from cloison.analyses.recommend.covering import Covers, Let, let
from cloison.analyses.recommend.known import Known
from cloison.analyses.recommend.spelling import Spelling
from cloison.analyses.recommend.static import Statics, statics
from cloison.analyses.reconcile.seen import NODES
from cloison.analyses.reconcile.seen import Outside as Beyond
from cloison.analyses.reconcile.sources import Assumed, assumed
from cloison.analyses.reconcile.sources import Sort as Source
from cloison.base import QuestionError
from cloison.intent import Contract, Dependency, Placement, Platform, WorkloadMatch
from cloison.resources.world import WorkloadId

PROBES = "probes"


@dataclass(frozen=True)
class Basis:
    """What there is to go by, worked out once.

    Args:
        known: What is known.
    """

    known: Known

    @cached_property
    def spelling(self) -> Spelling:
        """What writes ends as contracts do."""
        return Spelling(self.known.engine.world)

    @cached_property
    def statics(self) -> Statics:
        """What manifests say."""
        return statics(self.known.clinic)

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """What was seen of whom policies are written for."""
        return tuple(
            each
            for each in self.known.links
            if self.governs(each.source) or self.governs(each.destination)
        )

    def governs(self, end: End | Beyond) -> bool:
        """Return whether policies are written for an end."""
        if not isinstance(end, PodsEnd) or on_host(end.workload):
            return False
        return not self.known.only or end.workload.id.namespace in self.known.only

    @cached_property
    def old(self) -> tuple[Dependency, ...]:
        """What the contract says that counts no more."""
        return tuple(e for e in self.known.contract.dependencies if e.expired(self.known.today))

    @cached_property
    def ground(self) -> Contract:
        """The contract as it counts today, with what the platform does in any case."""
        said = self.known.contract
        roles = platform.roles(said)
        needs = [platform.DNS] if said.names else [platform.DNS, *self.statics.needs]
        more = [Platform(each) for each in dict.fromkeys(needs) if each not in roles]
        spoken = {each.match.namespace for each in said.workloads}
        places = [Placement(WorkloadMatch(each)) for each in sorted(self.known.only - spoken)]
        return replace(
            said,
            dependencies=tuple(e for e in said.dependencies if e not in self.old),
            workloads=(*said.workloads, *places),
            platform=(*said.platform, *more),
        )

    @cached_property
    def compiled(self) -> Compiled:
        """What the contract and the platform come to."""
        return self.known.build(self.ground)

    @cached_property
    def covers(self) -> Covers:
        """What the contract and the platform let through."""
        return Covers(
            (
                *let(self.compiled.edges, self.known.engine),
                *self._lookups(),
                *(
                    Let(each.source, each.destination, each.traffic, role=PROBES)
                    for each in self.assumed
                    if each.sort is Source.PROBE
                ),
            )
        )

    @cached_property
    def assumed(self) -> tuple[Assumed, ...]:
        """What the cluster does by itself."""
        return assumed(self.known.engine, self.known.clinic.site)

    def _lookups(self) -> Iterator[Let]:
        """Yield lookups at resolvers that are no pods, and of caches on nodes."""
        clinic = self.known.clinic
        for workload in clinic.everyone():
            found = platform.lookups(clinic, workload)
            source = clinic.pods(workload.id)
            for each in found.resolvers:
                traffic = _traffic(each.protocols, each.port)
                if not each.is_pods and each.addresses:
                    end = AddressEnd(each.text, platform.dialled(each))
                    yield Let(source, end, traffic, role=platform.DNS)
                    yield Let(source, NODES, traffic, role=platform.DNS)
            for each in found.upstream:
                for name in each.workloads:
                    if name in clinic.engine.world.workloads:
                        traffic = _traffic(each.protocols, each.port)
                        yield Let(NODES, clinic.pods(name), traffic, role=platform.DNS)

    @cached_property
    def hinted(self) -> Covers:
        """What manifests say, sure or not; the name of each is its place among them."""
        every = [*self.statics.sure, *self.statics.likely]
        found = ((at, self.let_of(each)) for at, each in enumerate(every))
        return Covers(tuple(replace(one, name=str(at)) for at, one in found if one is not None))

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """What manifests say, in the order of `hinted`."""
        return (*self.statics.sure, *self.statics.likely)

    def let_of(self, edge: Edge) -> Let | None:
        """Return what manifests say with ends of the world; None where it has none of them."""
        source, destination = self._end(edge.source), self._end(edge.destination)
        if source is None or destination is None or edge.port is None:
            return None
        return Let(source, destination, TrafficSet.ports(edge.protocol, edge.port))

    def _end(self, party: Party) -> End | None:
        """Return an end of the draft as one of the world."""
        known = self.known
        if isinstance(party, WorkloadId):
            there = party in known.engine.table.by_workload
            return known.clinic.pods(party) if there else None
        if isinstance(party, str):
            return AddressEnd(party, known.ends.outside)
        try:
            return known.ends.names.end(party.host if party.block else f"dns:{party.host}")
        except QuestionError:
            return None

    def meant(self, link: Link) -> bool:
        """Return whether the contract, the platform or a manifest means an edge."""
        return bool(self.covers.of(link)) or any(
            self.edges[int(each.name)] in self.statics.sure for each in self.hinted.of(link)
        )

    def said(self, link: Link) -> bool:
        """Return whether anything says that the port of an edge is listened at."""
        return self._listening.said(link) or bool(self.hinted.of(link))

    @cached_property
    def _listening(self) -> Listening:
        return Listening(self.known.engine.world)

    def hints_of(self, link: Link) -> tuple[Hint, ...]:
        """Return what manifests say of an edge."""
        found = [self._hints[self.edges[int(each.name)]] for each in self.hinted.of(link)]
        return tuple(hint for some in found for hint in some)

    @cached_property
    def _hints(self) -> Mapping[Edge, tuple[Hint, ...]]:
        return {**self.statics.sure, **self.statics.likely}

    @cached_property
    def old_covers(self) -> Covers:
        """What expired entries of the contract would let through."""
        if not self.old:
            return Covers(())
        again = tuple(replace(each, expires=None) for each in self.old)
        compiled = self.known.build(replace(self.ground, dependencies=again))
        named = (each for each in compiled.edges if each.entry is not None)
        return Covers(tuple(let(named, self.known.engine)))

    def opens(self, to: PodsEnd, protocol: str, port: int) -> bool:
        """Return whether something lets clients outside in at a port."""
        held = self._doors.get(to.workload.id, TrafficSet())
        return TrafficSet.ports(protocol, port) <= held

    @cached_property
    def _doors(self) -> Mapping[WorkloadId, TrafficSet]:
        """What addresses outside are let through to, by workload."""
        found: dict[WorkloadId, TrafficSet] = {}
        for each in (*self.covers.every, *self.hinted.every):
            if isinstance(each.source, AddressEnd) and isinstance(each.destination, PodsEnd):
                name = each.destination.workload.id
                found[name] = found.get(name, TrafficSet()) | each.traffic
        return found

    def declared(self, name: WorkloadId | None) -> Ports:
        """Return the ports that containers or Services name of a workload."""
        workload = self.known.engine.world.workloads.get(name) if name is not None else None
        return () if workload is None else self._listening.of(workload)

    def undeclared(self, link: Link) -> bool:
        """Return whether neither contract nor platform nor any manifest names an edge's port."""
        named = self._listening.declares(link) or self.hinted.of(link)
        return not named and not self.covers.of(link) and not self.old_covers.of(link)


def _traffic(protocols: Iterable[str], port: int) -> TrafficSet:
    found = TrafficSet()
    for each in protocols:
        found |= TrafficSet.ports(each, port)
    return found
