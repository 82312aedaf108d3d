"""What policies that were written really do, asked of the engine as if somebody else wrote them.

Each call that is wanted has to pass, and nothing else between the workloads that policies are
written for; guardrails have to hold. A difference is an error, whoever made it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice

from cloison.algebra import L4, NO_TRAFFIC, PORT_PROTOCOLS, AddressSet, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.contract.apart import Apart
from cloison.analyses.contract.compile.model import (
    DIFFERS,
    SOURCE,
    UNGUARDED,
    Compiled,
    Edge,
    ReadBack,
)
from cloison.analyses.contract.compile.peers import nodes_of, on_host
from cloison.analyses.contract.compile.subjects import is_pods
from cloison.analyses.contract.ends import Ends
from cloison.analyses.contract.prove import Proof, Status, prove
from cloison.analyses.ends import AddressEnd, AnyEnd, End, PodsEnd
from cloison.analyses.reconcile.passing import Passages
from cloison.base import Diagnostic, Severity
from cloison.base.words import few
from cloison.engine import Engine, UnitKind
from cloison.intent import Contract
from cloison.ir.allowlist import PortRange
from cloison.ir.ruleset import Outcome
from cloison.resources.names import printable
from cloison.resources.world import APART, PodEndpoint, WorkloadId

_MOST = 200_000
"""Pairs of kinds of pods that are compared before it is said that there are more."""

_Ends = tuple[WorkloadId, WorkloadId]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be read back.

    Args:
        contract: The contract.
        compiled: What it came to.
        before: The engine that the ends of its edges are of.
        ends: Finds what the contract names where its policies alone are in force.
        whole: Whether policies were written for all that the contract speaks of.
    """

    contract: Contract
    compiled: Compiled
    before: Engine
    ends: Ends
    whole: bool = True

    @property
    def engine(self) -> Engine:
        """Who enforces what was written."""
        return self.ends.names.engine


def read_back(order: Order) -> ReadBack:
    """Return what policies that were written do, and where that is not what is wanted."""
    compiled = order.compiled
    edges = [each for edge in compiled.edges if (each := _moved(edge, order)) is not None]
    said: list[Diagnostic] = []
    lost, unsure = _lost(order, edges, said)
    for name in sorted(compiled.asked - compiled.refused - _written(compiled)):
        lost.add(name)
        said.append(_differs(f"nothing came of dependency {name!r}", None))
    among, complete, more = _among(order, edges, said)
    proved = prove(order.contract, order.ends).proofs
    mine = [each for each in proved if order.whole or _ours(each, compiled.namespaces)]
    said += (_unguarded(each) for each in mine if each.status is Status.BROKEN)
    return ReadBack(
        len(compiled.asked - compiled.refused - lost),
        len(compiled.asked),
        tuple(sorted(unsure)),
        among,
        complete,
        more,
        sum(each.status is Status.HOLDS for each in mine),
        len(mine),
        tuple(said),
    )


def _written(compiled: Compiled) -> set[str]:
    return {each.entry.name for each in compiled.edges if each.entry is not None}


# What has to pass


def _lost(order: Order, edges: Iterable[Edge], said: list[Diagnostic]) -> tuple[set[str], set[str]]:
    """Return dependencies of which something does not pass, and of which nobody can say."""
    passages = Passages(order.engine)
    lost: set[str] = set()
    unsure: set[str] = set()
    for edge in edges:
        if not _missing(edge, order.engine, passages)[0]:
            # All that any pod stands for passes; who that is need not be looked at one by one.
            apiece: Iterable[Edge] = (edge,)
        else:
            apiece = islice(_apiece(order, edge), _MOST)
        name = edge.entry.name if edge.entry is not None else edge.reason
        for one in apiece:
            missing, perhaps = _missing(one, order.engine, passages)
            if missing:
                lost.add(name)
                what = f"{one.source.text} does not reach {one.destination.text} on {missing}"
                said.append(_differs(f"{what}, as {name!r} wants it", edge))
            elif perhaps:
                unsure.add(name)
    return lost, unsure


def _missing(edge: Edge, engine: Engine, passages: Passages) -> tuple[TrafficSet, TrafficSet]:
    """Return what of an edge does not pass, and of what nobody can say whether it does."""
    missing = perhaps = NO_TRAFFIC
    for to, wanted in _arriving(edge, engine):
        found = passages.between(edge.source, to)
        missing |= wanted - found.every - found.maybe
        perhaps |= wanted & found.maybe
    return missing, perhaps


def _apiece(order: Order, edge: Edge) -> Iterator[Edge]:
    """Yield an edge for each workload that any pod at its ends stands for.

    Without those that no policy can be about, which is told.
    """
    for source in _each(order, edge.source):
        for destination in _each(order, edge.destination):
            one = replace(edge, source=source, destination=destination)
            if not (isinstance(edge.source, AnyEnd | AddressEnd) and source == destination):
                yield one


def _each(order: Order, end: End) -> Iterator[End]:
    if not isinstance(end, AnyEnd):
        yield end
        return
    engine = order.engine
    for name, indices in engine.table.by_workload.items():
        workload = engine.world.workloads[name]
        here = end.namespace in (None, name.namespace) and name not in order.compiled.shut
        if here and is_pods(workload) and not on_host(workload):
            yield PodsEnd(str(name), workload, indices, single=name.kind == "Pod")


def _arriving(edge: Edge, engine: Engine) -> Iterator[tuple[End, TrafficSet]]:
    """Yield who is called with what: each pod for itself where ports have names."""
    fixed, names = _traffic(edge.ports)
    end = edge.destination
    for each in nodes_of(end, engine) if fixed else ():
        yield each, fixed
    for index in _endpoints(engine, end) if names else ():
        pod = engine.table.endpoints[index]
        found = _named(names, pod)
        if found:
            home = engine.world.workloads[pod.workload]
            yield PodsEnd(pod.name, home, (index,)), found


def _traffic(ports: Sequence[PortRange]) -> tuple[TrafficSet, Sequence[PortRange]]:
    """Return the traffic of ports, and those of them that pods say."""
    found = NO_TRAFFIC if ports else L4
    names = [each for each in ports if each.name is not None]
    for each in ports:
        if each.name is not None:
            continue
        if each.protocol.startswith("ICMP"):
            version = 6 if each.protocol == "ICMPv6" else 4
            found |= TrafficSet.icmp(each.first, each.last, version)
        elif each.first is None or each.protocol not in PORT_PROTOCOLS:
            found |= TrafficSet.protocol(each.protocol)
        else:
            found |= TrafficSet.ports(each.protocol, each.first, each.last)
    return found, names


def _named(names: Iterable[PortRange], pod: PodEndpoint) -> TrafficSet:
    found = NO_TRAFFIC
    for each in names:
        for port in pod.ports:
            if (port.name, port.protocol) == (each.name, each.protocol):
                found |= TrafficSet.ports(port.protocol, *port.span)
    return found


# What else may


@dataclass(frozen=True)
class _Wanted:
    """What is wanted between pods, by how they stand to the edges.

    Args:
        edges: The edges.
        engine: Whose pods.
    """

    edges: Sequence[Edge]
    engine: Engine
    _known: dict[object, TrafficSet] = field(default_factory=dict)

    @cached_property
    def roles(self) -> Mapping[int, tuple[frozenset[int], frozenset[int]]]:
        """The edges that an endpoint calls by, and is called by."""
        out: dict[int, set[int]] = defaultdict(set)
        into: dict[int, set[int]] = defaultdict(set)
        for number, edge in enumerate(self.edges):
            for end, held in ((edge.source, out), (edge.destination, into)):
                for index in _endpoints(self.engine, end):
                    held[index].add(number)
        return {i: (frozenset(out[i]), frozenset(into[i])) for i in {*out, *into}}

    def between(self, source: int, destination: int) -> TrafficSet:
        """Return what is wanted from one endpoint to another."""
        nothing = frozenset[int](), frozenset[int]()
        both = self.roles.get(source, nothing)[0] & self.roles.get(destination, nothing)[1]
        ports = self.engine.table.endpoints[destination].ports
        key = (both, ports)
        if key not in self._known:
            found = NO_TRAFFIC
            for number in both:
                fixed, names = _traffic(self.edges[number].ports)
                found |= fixed | _named(names, self.engine.table.endpoints[destination])
            self._known[key] = found
        return self._known[key]


def _among(order: Order, edges: Sequence[Edge], said: list[Diagnostic]) -> tuple[int, bool, int]:
    """Return how many workloads were compared, whether all pairs were, and what passes besides."""
    engine, table = order.engine, order.engine.table
    spoken = frozenset(order.compiled.namespaces)
    units = BitMap(u for u in table.kinds[UnitKind.POD] if table.home(u) in spoken)
    found: dict[_Ends, list[TrafficSet]] = {}
    wanted = _Wanted(edges, engine)
    pairs = _passing(engine, units)
    for source, destination, outcome in islice(pairs, _MOST):
        passes = outcome.passing & L4
        for one in _kinds(wanted, engine, source):
            for other in _kinds(wanted, engine, destination):
                more = passes - wanted.between(one, other)
                if more and not _alone(engine, one, other):
                    ends = table.endpoints[one].workload, table.endpoints[other].workload
                    held = found.setdefault(ends, [NO_TRAFFIC, NO_TRAFFIC])
                    held[0] |= more & outcome.allowed
                    held[1] |= more - outcome.allowed
    for (caller, called), (sure, perhaps) in sorted(found.items()):
        what = f"{caller} reaches {called} on {sure or perhaps}, as no dependency says"
        if {caller, called} & order.compiled.shut or _told(order, caller, called):
            continue  # which is an error, or a warning, already
        if sure:
            said.append(_differs(what, None))
        else:
            said.append(_differs(f"perhaps {what}", None, Severity.WARNING))
    names = {table.endpoints[i].workload for u in units for i in table.units[u].endpoints}
    return len(names), next(pairs, None) is None, sum(bool(sure) for sure, _ in found.values())


def _passing(engine: Engine, units: BitMap) -> Iterator[tuple[int, int, Outcome]]:
    """Yield pairs of units of some between which something passes or may."""
    apart = Apart.of(engine)
    for rectangle in engine.rectangles():
        here, there = rectangle.sources & units, rectangle.destinations & units
        for some, others in apart.together(here, there) if here and there else ():
            for source in some:
                for destination in others:
                    yield source, destination, rectangle.outcome
    for outcome, some, others in apart.again(engine, L4, units, units):
        for source in some:
            for destination in others:
                yield source, destination, outcome


def _kinds(wanted: _Wanted, engine: Engine, unit: int) -> Iterable[int]:
    """Return an endpoint of each kind in a unit, told by the edges they are at and their ports."""
    found: dict[object, int] = {}
    for index in engine.table.units[unit].endpoints:
        pod = engine.table.endpoints[index]
        found.setdefault((wanted.roles.get(index), pod.workload, pod.ports), index)
    return found.values()


def _alone(engine: Engine, one: int, other: int) -> bool:
    """Return whether two ends are one pod, which may always call itself."""
    pod = engine.table.endpoints[one]
    if one != other:
        return False
    return pod.pod is not None and len(engine.table.by_workload[pod.workload]) == 1


def _told(order: Order, caller: WorkloadId, called: WorkloadId) -> bool:
    """Return whether it is told that two blocks together may let one workload reach another."""
    ones, others = ((str(each), f"any:{each.namespace}", "any:") for each in (caller, called))
    said = [f": {one} may reach {other} by" for one in ones for other in others]
    return any(text in each.message for text in said for each in order.compiled.findings)


# Ends


def _moved(edge: Edge, order: Order) -> Edge | None:
    """Return an edge with ends of the world that is read back; None where policies are not asked.

    Pods that were only assumed are not in it. Of addresses, those are left out that known pods
    and nodes have: an external means who is outside.
    """
    source, destination = _there(edge.source, order), _there(edge.destination, order)
    if source is None or destination is None:
        return None
    return replace(edge, source=source, destination=destination)


def _there(end: End, order: Order) -> End | None:
    engine = order.engine
    if isinstance(end, PodsEnd):
        old = order.before.table.by_workload.get(end.workload.id, ())
        new = engine.table.by_workload.get(end.workload.id, ())
        places = {index: place for place, index in enumerate(old)}
        found = [new[p] for i in end.endpoints if (p := places.get(i)) is not None and p < len(new)]
        if not found or on_host(end.workload):
            return None
        workload = engine.world.workloads[end.workload.id]
        return replace(end, endpoints=tuple(found), workload=workload)
    if isinstance(end, AddressEnd) and not end.own_node:
        inside = AddressSet.points((*engine.holders, *engine.node_addresses))
        left = end.addresses - inside - engine.networks.nodes
        return replace(end, addresses=left) if left else None
    return end


def _endpoints(engine: Engine, end: End) -> Iterable[int]:
    table = engine.table
    if isinstance(end, PodsEnd):
        return end.endpoints
    if isinstance(end, AnyEnd) and end.namespace is not None:
        return table.by_namespace.get(end.namespace, ())
    if isinstance(end, AnyEnd):
        return [i for i, each in enumerate(table.endpoints) if each.namespace != APART]
    return ()


# What is said of it


def _differs(what: str, edge: Edge | None, severity: Severity = Severity.ERROR) -> Diagnostic:
    entry = edge.entry if edge is not None else None
    return Diagnostic(
        DIFFERS,
        severity,
        printable(f"what is written was read back, and {what}"),
        entry.span if entry is not None else None,
        None,
        "the policies do not do what the contract says",
        "do not apply them, and report this",
        SOURCE,
    )


def _ours(proof: Proof, namespaces: Sequence[str]) -> bool:
    """Return whether policies of some namespaces decide about a guardrail."""
    if proof.status is not Status.BROKEN:
        return proof.status is Status.HOLDS
    spoken = tuple(f"{each}/" for each in namespaces)
    return any(
        each.source.text.startswith(spoken) and each.destination.text.startswith(spoken)
        for each in proof.breaches
    )


def _unguarded(proof: Proof) -> Diagnostic:
    shown = few(
        f"{each.source.text} reaches {each.destination.text} on {each.port or each.traffic}"
        for each in proof.breaches
    )
    guardrail = proof.guardrail
    return Diagnostic(
        UNGUARDED,
        Severity.ERROR,
        printable(f"guardrail {guardrail.name!r} does not hold with these policies: {shown}"),
        guardrail.span,
        None,
        guardrail.reason,
        "narrow the dependency that lets it through, or compile to a language that can keep it out",
        SOURCE,
    )
