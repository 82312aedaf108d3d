"""`map --logical`: who calls whom, through Services, gateways and names.

The same rectangles as the map of what arrives, read the other way round: what passes to those
behind a front passes to the front, on the port that callers dial. No pair of ends is asked about
by itself, except a workload and a Service that may lead it back to itself.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from cloison.algebra import EVERY_ADDRESS, L4, NO_TRAFFIC, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.ask import Explanation, Question, ask
from cloison.analyses.chosen import check_namespace
from cloison.analyses.connectivity import EndRef, Map, MapOptions, Passage, Role
from cloison.analyses.ends import Names, PodsEnd, ServiceEnd, SomeNodeEnd
from cloison.analyses.explain import CaseAnswer, case_outcome, explain_case
from cloison.analyses.fronts import (
    Front,
    Lead,
    Nodes,
    asked_ports,
    entry_end,
    entry_front,
    exact,
    leads_to,
    names_of_aliases,
    service_front,
)
from cloison.analyses.marks import served_by
from cloison.analyses.paths.assume import with_all
from cloison.analyses.paths.entries import outwards
from cloison.analyses.paths.model import Way
from cloison.analyses.question import EVERYTHING, Case, Traffic, cases
from cloison.analyses.survey import Survey, ref_of
from cloison.engine import Engine, Rectangle, UnitKind
from cloison.ir.fidelity import Caveat
from cloison.platform.routes.model import Entry, EntryKind, Plane
from cloison.resources.world import APART, WorkloadId


@dataclass(frozen=True, slots=True)
class Assumed:
    """A world with whoever serves its entries, where the input does not hold them.

    Args:
        engine: Over that world.
        entries: The entries, served by pods of that world.
        served: Who serves them, by their kind, namespace and name, as a role of theirs.
        hidden: Workloads that are no ends of a map: they are assumed, or no pods.
    """

    engine: Engine
    entries: tuple[Entry, ...]
    served: Mapping[tuple[EntryKind, str, str], Role]
    hidden: frozenset[WorkloadId] = frozenset()


def assumed(engine: Engine, entries: Sequence[Entry]) -> Assumed:
    """Return a world with the pods that are supposed to serve entries.

    Args:
        engine: The engine of the world as it is.
        entries: Its entries.
    """
    apart = frozenset(name for name in engine.world.workloads if name.namespace == APART)
    served = {(each.kind, each.namespace, each.name): served_by(each) for each in entries}
    wanted = {
        plane.supposed: plane.name
        for entry in entries
        for plane in entry.planes
        if plane.supposed is not None
    }
    if not wanted:
        return Assumed(engine, tuple(entries), served, apart)
    added, pods = with_all(engine, wanted.items())
    names = {each: end.workload.id for each, end in zip(wanted, pods, strict=True)}

    def real(plane: Plane) -> Plane:
        if plane.supposed is None:
            return plane
        return replace(plane, supposed=None, workloads=(names[plane.supposed],))

    found = tuple(replace(each, planes=tuple(map(real, each.planes))) for each in entries)
    return Assumed(added, found, served, apart | frozenset(names.values()))


def calls(there: Assumed, options: MapOptions, names: Names) -> Map:
    """Return who may call whom, as far as `options` ask.

    Args:
        there: The world, with whoever serves its entries.
        options: What is asked for.
        names: Finds the ends that options name.

    Raises:
        QuestionError: a filter names nothing, or a port that is none.
    """
    check_namespace(there.engine, options)
    named = [name for end in names_of_aliases(there.engine) for name in end.names]
    engine = there.engine.with_hosts(named) if named else there.engine
    return _Calls(replace(there, engine=engine), options, names).map()


class _Calls(Survey):
    """Collects rows from callers to fronts; lives for one call."""

    def __init__(self, there: Assumed, options: MapOptions, names: Names) -> None:
        super().__init__(there.engine, options, names, there.hidden)
        self._entries = there.entries
        self._served = there.served
        self._members: dict[int, list[int]] = defaultdict(list)
        """Endpoints by the place of the end they are part of."""
        places = {ref: place for place, ref in enumerate(self.ends)}
        self._place_of: dict[int, int] = {}
        for index, endpoint in enumerate(self.table.endpoints):
            ref = ref_of(endpoint, options)
            if ref is not None and ref in places:
                self._members[places[ref]].append(index)
                self._place_of[index] = places[ref]
        self._leads: list[tuple[int, Lead]] = []
        """Where calls from within arrive, each with the place of its front."""
        self._outer: list[tuple[int, Lead]] = []
        self._fronts: dict[int, Front] = {}
        self._services: dict[int, ServiceEnd] = {}
        self._place_fronts()
        self._of_lead = _by_unit(self._leads)
        self._of_outer = _by_unit(self._outer)
        self._behind = BitMap(list(self._of_lead))
        self._behind_outer = BitMap(list(self._of_outer))
        self._touched: dict[bytes, list[tuple[int, Lead]]] = {}
        self._on_node: dict[str | None, dict[int, set[int]]] = {}
        self._kept: dict[object, Passage] = {}

    def map(self) -> Map:
        """Return the map."""
        return replace(super().map(), logical=True)

    def _place_fronts(self) -> None:
        nodes = self._nodes()
        fronts: list[tuple[EndRef, Front]] = []
        start = len(self.ends)
        for entry in self._entries:
            ref = EndRef("gateway", entry.namespace, entry.name, str(entry.kind))
            ref = replace(ref, roles=(self._served[entry.kind, entry.namespace, entry.name],))
            fronts.append((ref, entry_front(self.engine, entry, nodes)))
        for service in self.engine.world.services.values():
            if service.redirected is not None:
                continue  # it stands for an address
            end = ServiceEnd(f"svc:{service.namespace}/{service.name}", service)
            self._services[start + len(fronts)] = end
            front = service_front(self.engine, end, nodes)
            ref = EndRef("service", service.namespace, service.name, roles=(leads_to(front),))
            fronts.append((ref, front))
        for place, (_, front) in enumerate(fronts, start):
            self._fronts[place] = front
            self._leads += ((place, each) for each in front.leads)
            self._outer += ((place, each) for each in front.outer)
        self.ends = (*self.ends, *(ref for ref, _ in fronts))

    def _nodes(self) -> Nodes:
        """Return a pod of each node."""
        found: dict[str | None, PodsEnd] = {}
        for indices in self._members.values():
            for index in indices:
                endpoint = self.table.endpoints[index]
                node = endpoint.shape.node
                if node not in found:
                    workload = self.engine.world.workloads[endpoint.workload]
                    found[node] = PodsEnd(endpoint.name, workload, (index,), single=True)
        return found

    def _take(self, rectangle: Rectangle, inside: BitMap) -> None:
        outside = self.table.kinds[UnitKind.EXTERNAL]
        targets = rectangle.destinations & self._behind
        if targets:
            callers = rectangle.sources & inside
            for sources, by_source in self._split(callers, rectangle.from_address):
                for units, by_target in self._split(targets, rectangle.to_address & inside):
                    stands = tuple(sorted({*by_source, *by_target}))
                    self._called(self._passage(rectangle, stands), sources, units)
        pods = inside - self.quiet
        self._leaving(rectangle, pods)
        atoms = rectangle.sources & outside
        entered = rectangle.destinations & self._behind_outer
        if atoms and entered:
            passage = self._passage(rectangle)
            for place, lead in self._touching(entered, self._of_outer, self._outer):
                carried = self._carried(passage, lead)
                if carried:
                    self._add(self.outer_in[place], carried, atoms)

    def _called(self, passage: Passage, sources: BitMap, targets: BitMap) -> None:
        """Add what passes from callers to the fronts of those they reach."""
        found: dict[tuple[bool, str | None], dict[int, Passage]] = defaultdict(dict)
        for place, lead in self._touching(targets, self._of_lead, self._leads):
            carried = self._carried(passage, lead)
            if carried:
                here = found[lead.local, lead.node]
                here[place] = here[place].join(carried) if place in here else carried
        for (local, node), fronts in found.items():
            alike: dict[Passage, BitMap] = {}
            for place, carried in fronts.items():
                alike.setdefault(carried, BitMap()).add(place)
            for caller in self._callers(sources, node) if local else self._places(sources):
                for carried, places in alike.items():
                    self._add(self.rows[caller], carried, places)

    def _touching(
        self, units: BitMap, index: dict[int, BitMap], leads: list[tuple[int, Lead]]
    ) -> list[tuple[int, Lead]]:
        key = units.serialize() + (b"o" if leads is self._outer else b"i")
        found = self._touched.get(key)
        if found is None:
            numbers = BitMap()
            for unit in units:
                numbers |= index[unit]
            found = self._touched[key] = [leads[number] for number in numbers]
        return found

    def _carried(self, passage: Passage, lead: Lead) -> Passage:
        """Return what passes, as it is dialled; the same object for the same."""
        key = (passage, lead.dialled, lead.arriving, lead.caveats)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = lead.carried(passage)
        return found

    def _callers(self, units: BitMap, node: str | None) -> BitMap:
        """Return the ends that have pods of some units on a node."""
        held = self._on_node.get(node)
        if held is None:
            held = self._on_node[node] = defaultdict(set)
            for place, indices in self._members.items():
                for index in indices:
                    if self.table.endpoints[index].shape.node == node:
                        for unit in self.table.by_endpoint[index]:
                            held[unit].add(place)
        return BitMap([place for unit in units for place in held.get(unit, ())])

    def _among_replicas(self) -> None:
        """Settle what fronts do besides: lead callers back, and take calls as a node's."""
        for place, end in self._services.items():
            for caller in self._callers_behind(place):
                self._lead_back(caller, place, end)
        for place, front in self._fronts.items():
            self._from_nodes(place, front)
        ends = {(e.namespace, e.name): place for place, e in self._named_services()}
        for place, entry in zip(self._fronts, self._entries, strict=False):
            self._backends(place, entry, ends)

    def _named_services(self) -> Iterator[tuple[int, EndRef]]:
        return ((place, self.ends[place]) for place in self._services)

    def _callers_behind(self, place: int) -> list[int]:
        """Return the ends that have pods behind a Service."""
        behind = {
            self._place_of[index]
            for lead in self._fronts[place].leads
            if isinstance(lead.to, PodsEnd)
            for index in lead.to.endpoints
            if index in self._place_of
        }
        return sorted(behind)

    def _lead_back(self, caller: int, place: int, end: ServiceEnd) -> None:
        """Put right what a caller gets from a Service that it is behind itself."""
        row = self.rows[caller]
        for passage in [each for each, places in row.items() if place in places]:
            row[passage] = row[passage] - BitMap([place])
            if not row[passage]:
                del row[passage]
        indices = tuple(self._members[caller])
        endpoint = self.table.endpoints[indices[0]]
        workload = self.engine.world.workloads[endpoint.workload]
        alone = self.ends[caller].kind == "pod"
        pods = PodsEnd(str(workload.id), workload, indices, single=alone)
        found: list[Passage] = []
        for dialled in asked_ports(self.engine, end):
            for each in exact(self.engine, pods, end, dialled):
                arriving = dialled if each.traffic == EVERYTHING else each.traffic.traffic
                lead = Lead(dialled, arriving, each.destination, BitMap(), each.caveats)
                found += (
                    lead.carried(self._outcome(case))
                    for case in cases(
                        self.engine,
                        each.source,
                        each.destination,
                        each.traffic,
                        returned=each.returned,
                    )
                )
        passage = reduce(Passage.join, (each for each in found if each), Passage(NO_TRAFFIC))
        if passage:
            row[passage] = row.get(passage, BitMap()) | BitMap([place])

    def _outcome(self, case: Case) -> Passage:
        return Passage.of(case_outcome(self.engine, case))

    def _from_nodes(self, place: int, front: Front) -> None:
        """Add what arrives from outside as a node's, and what no policy sees."""
        found = [
            lead.carried(self._outcome(case))
            for lead in front.noded
            for case in cases(
                self.engine,
                SomeNodeEnd("a node", passing=True),
                lead.to,
                Traffic(str(lead.arriving), lead.arriving),
            )
        ]
        if front.passed:
            found.append(Passage(front.passed))
        passage = reduce(Passage.join, (each for each in found if each), Passage(NO_TRAFFIC))
        if passage:
            held = self.inward[place]
            self.inward[place] = {each.join(passage): where for each, where in held.items()}
            rest = EVERY_ADDRESS
            for where in held.values():
                rest -= where
            if rest:
                found_here = self.inward[place]
                found_here[passage] = found_here.get(passage, rest) | rest
        if front.admits is not None:
            kept = {each: where & front.admits for each, where in self.inward[place].items()}
            self.inward[place] = {each: where for each, where in kept.items() if where}

    def _backends(self, place: int, entry: Entry, services: dict[tuple[str, str], int]) -> None:
        """Add what passes from whoever serves an entry to the Services behind it."""
        wanted = {
            (backend.namespace, backend.service): None
            for rule in entry.rules
            for backend in rule.backends
        }
        for name in wanted:
            if name not in services:
                continue
            end = self._services[services[name]]
            asked = Question(entry_end(entry), end, EVERYTHING)
            ways = outwards(self.engine, asked, entry_end(entry), self._judged)
            found = [each for way in ways for each in self._backed(way, end)]
            passage = reduce(Passage.join, found, Passage(NO_TRAFFIC))
            if passage:
                self._add(self.rows[place], passage, BitMap([services[name]]))

    def _judged(self, question: Question, engine: Engine | None = None) -> Explanation:
        return ask(engine or self.engine, question, _brief)

    def _backed(self, way: Way, end: ServiceEnd) -> Iterator[Passage]:
        """Yield what passes on the last hop of a way, on the port that is dialled."""
        hop = way.hops[-1] if way.hops else None
        if hop is None or way.stop is not None or hop.answer is None:
            return
        dialled = _dialled(end, hop.question.traffic)
        caveats: tuple[Caveat, ...] = (*hop.caveats, *hop.answer.caveats)
        for each in hop.answer.cases:
            lead = Lead(dialled or each.case.traffic, each.case.traffic, end, BitMap(), caveats)
            yield lead.carried(Passage.of(each.outcome))


def _brief(engine: Engine, case: Case) -> CaseAnswer:
    return explain_case(engine, case, misses=False)


def _dialled(end: ServiceEnd, traffic: Traffic) -> TrafficSet:
    """Return the port of a Service that is dialled; nothing where nobody says."""
    if traffic.name is None:
        return NO_TRAFFIC if traffic.traffic == L4 else traffic.traffic
    for port in end.service.ports:
        if port.name == traffic.name:
            return TrafficSet.ports(port.protocol, port.port)
    return NO_TRAFFIC


def _by_unit(leads: Iterable[tuple[int, Lead]]) -> dict[int, BitMap]:
    found: dict[int, BitMap] = defaultdict(BitMap)
    for number, (_, lead) in enumerate(leads):
        for unit in lead.units:
            found[unit].add(number)
    return found
