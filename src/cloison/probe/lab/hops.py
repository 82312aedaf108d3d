"""Calls of several connections: the flows of each hop, and whether it went as was predicted."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cloison.algebra import AddressSet, TrafficSet, address_text, family_of, parse_address
from cloison.analyses.ask import Question
from cloison.analyses.ends import (
    AddressEnd,
    End,
    NameEnd,
    NodeEnd,
    PodsEnd,
    ServiceEnd,
    SomeNodeEnd,
)
from cloison.analyses.measured import Agreement, Arrival, Cell, Leg
from cloison.analyses.paths.model import Hop, HopRole, Stop, Way
from cloison.analyses.question import Case, Traffic, as_node, cases
from cloison.analyses.services import follow
from cloison.analyses.untranslated import applies
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict
from cloison.platform.routes.model import Entry
from cloison.probe.lab.edge import edge
from cloison.probe.lab.plan import Plan, Probe, ServicePlan, ServicePort, Station
from cloison.probe.lab.stations import Place

if TYPE_CHECKING:
    from cloison.probe.lab.cells import Planned, Planner


@dataclass(frozen=True, slots=True)
class Calls:
    """What makes several connections of one row.

    Args:
        ways: Finds the ways of a call; none of what is a single connection.
        entries: Gateways and routes that rows may name.
    """

    ways: Callable[[Question], tuple[Way, ...]]
    entries: tuple[Entry, ...] = ()


_WORDS = 3
"""What a listener says: who it is, and the address and port that it saw."""
_NO_DOOR = (
    "every node has a pod behind it: there the filter looks before the client's address is "
    "replaced, and on no other node it would be"
)
_NO_LOCAL = "no node has a pod behind it, and it keeps calls on the node they arrive at"


def called(planner: "Planner", question: Question, ways: Sequence[Way]) -> "Iterator[Planned]":
    """Yield the flows of every hop of a call.

    Args:
        planner: Predicts them.
        question: The call.
        ways: The ways it may take.
    """
    before: set[tuple[int, str]] = set()
    for number, way in enumerate(ways, 1):
        for place, hop in enumerate(way.hops, 1):
            leg = Leg(number, place, hop.role)
            if leg.beside:
                if (place, str(hop.question)) in before:
                    continue  # who calls asks once, whatever way it takes then
                before.add((place, str(hop.question)))
            for each in _of_hop(planner, hop, question):
                yield _as_hop(planner, each, leg)
        if way.stop is not None and way.stop.caveat is None:
            leg = Leg(number, len(way.hops) + 1, HopRole.CALL)
            yield replace(_stopped(planner, question, way.stop), leg=leg)


def _as_hop(planner: "Planner", cell: "Planned", leg: Leg) -> "Planned":
    """Return a flow as that of a hop, of which it is known whom each end must see."""
    sources, targets = cell.sources, cell.targets
    own = {a for each in (*planner.plan.nodes, *planner.plan.pods) for a in each.addresses}
    if not sources and cell.flow.target in own:
        sources = (cell.flow.address,)
    if not sources and targets and cell.flow.address in own:
        # Who is led back to itself must see answers: they come by way of the node.
        station = planner.stations.at(parse_address(cell.flow.address))
        back = station is not None and station.name in targets
        nodes = _nodes(planner.plan) if back else ()
        sources = (cell.flow.address, *nodes)
    return replace(cell, leg=leg, sources=sources)


def _of_hop(planner: "Planner", hop: Hop, call: Question) -> "Iterator[Planned]":
    asked = hop.question
    source, destination = asked.source, _addressed(asked.destination)
    reason = _unmeasured(planner.engine, hop)
    if reason is not None:
        yield _unsent(planner, asked, reason, hop.verdict)
        return
    traffics = [asked.traffic]
    if hop.role is HopRole.LOOKUP and asked.traffic.traffic <= _UDP:
        # Long answers come over TCP.
        ports = (entry.low for entry in asked.traffic.traffic.entries() if entry.low)
        traffics += [Traffic(f"TCP/{n}", TrafficSet.ports("TCP", n)) for n in ports]
    door = None
    if isinstance(call.destination, NodeEnd) and isinstance(destination, ServiceEnd):
        door = _station(planner.plan, call.destination)
    for traffic in traffics:
        try:
            yield from planner.connection(source, destination, traffic, door)
        except QuestionError as error:
            one = replace(asked, traffic=traffic)
            yield _unsent(planner, one, error.message, Verdict.UNDETERMINED)


_UDP = TrafficSet.protocol("UDP")


def _addressed(end: End) -> End:
    """Return a name by its addresses, where they are known."""
    if isinstance(end, NameEnd) and end.addresses:
        return AddressEnd(end.text, end.addresses, name=end.text)
    return end


def _unmeasured(engine: Engine, hop: Hop) -> str | None:
    """Return why a hop is not measured; None where it is."""
    asked = hop.question
    ends = (asked.source, asked.destination)
    for end in ends:
        if isinstance(end, PodsEnd) and end.workload.id not in engine.world.workloads:
            return f"{hop.assumed or end.text}: what is only assumed is not built"
        if isinstance(end, AddressEnd) and end.loopback:
            return "loopback traffic never leaves the pod"
        if isinstance(end, AddressEnd) and end.own_node and as_node(engine.profile):
            return "a lab's nodes have no address besides their own"
        if isinstance(end, NameEnd) and not end.addresses:
            return f"which addresses {end.text} stands for is not known"
    if isinstance(asked.destination, ServiceEnd) and asked.destination.service.redirect is not None:
        return "a redirect to pods of the own node, before policies look, is in no lab"
    if applies(engine, asked):
        return "policies judge it by the Service's own address, and a lab's filters by the pod's"
    if hop.answer is None:
        return f"nobody here stands for {asked.source.text} or {asked.destination.text}"
    return None


def _unsent(planner: "Planner", asked: Question, reason: str, verdict: Verdict) -> "Planned":
    made = planner.unsent(asked.source, asked.destination, asked.traffic, reason)
    return replace(made, predicted=verdict)


def _stopped(planner: "Planner", asked: Question, stop: Stop) -> "Planned":
    """Return the flow that shows that a way ends early, where there is one to send."""
    end, source = asked.destination, asked.source
    made = _unsent(planner, asked, f"it ends before that: {stop.text}", Verdict.DENIED)
    if not isinstance(end, ServiceEnd) or not isinstance(source, PodsEnd):
        return made
    name = f"{end.service.namespace}/{end.service.name}"
    built = next((each for each in planner.plan.services if each.name == name), None)
    entry = next(iter(asked.traffic.traffic.entries()), None)
    if built is None or entry is None or not entry.low or entry.low != entry.high:
        return made
    for index in source.endpoints:
        for point in planner.engine.table.endpoints[index].addresses:
            station = planner.stations.at(point)
            target = _of_family(built.addresses, family_of(point))
            if station is None or target is None:
                continue
            address = address_text(point)
            probe = Probe(station.name, address, target, entry.protocol, entry.low)
            flow = replace(
                made.flow,
                address=address,
                target=target,
                protocol=entry.protocol,
                port=entry.low,
                family=family_of(point),
            )
            return replace(made, flow=flow, probe=probe, reason=None, stopped=True)
    return made


def entering(
    planner: "Planner",
    source: End,
    end: ServiceEnd,
    built: ServicePlan,
    port: ServicePort,
    door: Station | None,
) -> "Iterator[Planned]":
    """Yield the flows to what a Service has for clients outside: addresses, or ports of nodes.

    Args:
        planner: Predicts them.
        source: Who calls.
        end: The Service.
        built: What was built of it.
        port: Its port.
        door: The node that is dialled, where a question says one.
    """
    one = Traffic(f"{port.protocol}/{port.port}", TrafficSet.ports(port.protocol, port.port))
    through = door or edge(planner.plan, built)
    if through is None or (door is not None and _looks_first(planner.plan, built, door, source)):
        reason = _NO_LOCAL if built.local else _NO_DOOR
        yield planner.unsent(source, end, one, reason)
        return
    for family in (4, 6):
        dialled = _dialled(built, port, through, family, by_node=door is not None)
        if dialled is None:
            continue
        behind: dict[Place, list[tuple[Case, End]]] = {}
        replaced = False
        for each in follow(planner.engine, source, end, one):
            seen: End = each.source
            if isinstance(seen, SomeNodeEnd):
                replaced = True
                seen = NodeEnd(seen.text, planner.engine.world.nodes[through.node])
            for place, case in _meant(
                planner, source, seen, each.destination, each.traffic, family
            ):
                behind.setdefault(place, []).append((case, each.destination))
        for place, found in behind.items():
            made = planner.behind(place, found, end.text, port, dialled)
            sources = through.addresses if replaced else (made.flow.address,)
            if isinstance(source, PodsEnd):
                # Whether it is replaced for pods depends on where the one that answers runs.
                sources = (made.flow.address, *_nodes(planner.plan))
            yield replace(made, sources=sources)


def _meant(
    planner: "Planner", source: End, seen: End, to: End, traffic: Traffic, family: int
) -> Iterator[tuple[Place, Case]]:
    """Yield where a flow starts, with each case of how it is seen further on."""
    place = planner.stations.client(source, family)
    try:
        found = list(cases(planner.engine, seen, to, traffic, family))
    except QuestionError:
        return  # not over this family
    for case in found:
        if place is not None:
            yield place, case
            continue
        for own in planner.stations.of(case.source, source, family)[:1]:
            yield own, case


def _looks_first(plan: Plan, built: ServicePlan, door: Station, source: End) -> bool:
    """Whether a node's filter looks before it replaces the address of who calls by it."""
    if isinstance(source, PodsEnd) or built.local:
        return False
    backends = {address for port in built.ports for address, _ in port.backends}
    own = {a for pod in plan.pods if pod.node == door.node for a in pod.addresses}
    return not backends.isdisjoint(own)


def _dialled(
    built: ServicePlan, port: ServicePort, door: Station, family: int, *, by_node: bool
) -> tuple[str, int] | None:
    """Return address and port that clients outside dial."""
    address = None if by_node else _of_family(built.outside, family)
    if address is not None:
        return address, port.port
    own = _of_family(door.addresses, family)
    return (own, port.node_port) if own is not None and port.node_port else None


def _of_family(addresses: Iterable[str], family: int) -> str | None:
    return next((a for a in addresses if family_of(parse_address(a)) == family), None)


def _station(plan: Plan, end: NodeEnd) -> Station | None:
    return next((node for node in plan.nodes if node.node == end.node.name), None)


def _nodes(plan: Plan) -> tuple[str, ...]:
    return tuple(address for node in plan.nodes for address in node.addresses)


def as_seen(cell: Cell, planned: "Planned", detail: str) -> Cell:
    """Return what was measured of a flow, held to who had to answer and whom that one saw.

    Args:
        cell: What came of it, by its arrival alone.
        planned: What was predicted.
        detail: What whoever answered said.
    """
    found = replace(cell, leg=planned.leg)
    if planned.stopped and cell.arrival in (Arrival.NO_ROUTE, Arrival.DROPPED):
        return replace(found, agreement=Agreement.AGREES, reason=None)
    words = detail.split()
    if cell.arrival is not Arrival.OPEN or len(words) != _WORDS:
        return found
    station, address, _ = words
    if len(planned.targets) <= 1 or len(planned.sources) == 1:
        # Else it depends on whose turn it is, and is not said.
        found = replace(found, seen=address)
    if planned.targets and station not in planned.targets:
        meant = " or ".join(planned.targets)
        said = f"{station} answered, and {meant} was to"
    elif planned.sources and not _same(address, planned.sources):
        said = f"{station} saw {address}, and {' or '.join(planned.sources)} was predicted"
    else:
        return found
    return replace(found, agreement=Agreement.DIFFERS, reason=said)


def _same(address: str, others: Sequence[str]) -> bool:
    try:
        point = parse_address(address)
    except ValueError:
        return True  # something else spoke than a listener of the lab
    return AddressSet.points((point,)) <= AddressSet.points(tuple(map(parse_address, others)))
