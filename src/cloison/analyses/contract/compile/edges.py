"""The calls that a contract wants let through, each with the end that names it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from cloison.algebra import PORT_PROTOCOLS, LabelSelector, TrafficSet
from cloison.analyses.backends import services_in
from cloison.analyses.contract.borders import CROSSING, crossings
from cloison.analyses.contract.compile.doors import Leg, legs, part
from cloison.analyses.contract.compile.model import EXPIRED, TODAY, UNSAID, Edge, Notes
from cloison.analyses.contract.ends import Ends
from cloison.analyses.contract.fronted import EFFECT as NOT_THERE
from cloison.analyses.contract.fronted import FRONTED, fronted
from cloison.analyses.contract.headless import EFFECT, UNHEARD, unheard
from cloison.analyses.contract.intended import Edges, Intended, intended
from cloison.analyses.contract.placed import Placed
from cloison.analyses.ends import AddressEnd, AnyEnd, End, NameEnd, PodsEnd, ServiceEnd
from cloison.analyses.question import EVERYTHING, Traffic
from cloison.base import QuestionError, Severity
from cloison.engine import Engine
from cloison.intent import Contract, ContractEnd, Dependency, EndForm
from cloison.ir.allowlist import Asked, PortRange
from cloison.ir.peers import PeerMatch, PodsMatch
from cloison.resources.objects import Service
from cloison.resources.world import PodEndpoint, WorkloadId

_CODES = 255
_SPELT = {"ICMPV6": "ICMPv6"}
"""Protocols as languages write them, where sets of traffic write them otherwise."""
_OUTSIDE = (AddressEnd, NameEnd)
_MANY = (EndForm.PODS, EndForm.ZONE)
"""Forms of ends that stand for several workloads."""


def wanted(contract: Contract, ends: Ends, today: date, notes: Notes) -> Iterator[Edge]:
    """Yield what dependencies come to, but for those that have expired.

    Args:
        contract: The contract.
        ends: Finds what it names.
        today: The day it is.
        notes: Takes what cannot be said.
    """
    old = {each.name for each in contract.dependencies if each.expires and each.expires < today}
    for entry in contract.dependencies:
        if entry.name in old:
            notes.of(
                entry,
                EXPIRED,
                f"it expired on {entry.expires}",
                "nothing is written for it",
                "renew it with its owner, or take it out",
                Severity.WARNING,
            )
    found = intended(contract, ends)
    for unmet in found.unmet:
        if unmet.entry.name not in old:
            notes.lacks(unmet.entry, unmet.message, unmet.help)
    governed = frozenset(each.key for each in contract.namespace_labels)
    engine = ends.names.engine
    callers = _callers(found.edges, ends)
    without: dict[str, Intended] = {}
    going: set[str] = set()
    current = [each for each in found.edges if each.entry.name not in old]
    meant = _within_borders(replace(found, edges=tuple(current)), ends.placed, notes)
    for told in unheard(meant):
        notes.of(told.entry, UNHEARD, told.message, EFFECT, told.help, Severity.INFO)
    for other in fronted(meant, ends.names.engine.world):
        notes.of(other.entry, FRONTED, other.message, NOT_THERE, other.help, Severity.WARNING)
    # By the labels of all, those would be let through as well that a border shuts out.
    whole = Counter(each.entry.name for each in current)
    left = Counter(each.entry.name for each in meant)
    cut = {name for name, number in whole.items() if left[name] < number}
    for leg in (leg for each in meant for leg in _legs(each, engine, notes)):
        each = leg.edge
        ports = ports_of(each.traffic, each.destination, engine)
        if ports is None:
            # Among many, those that do not declare the port are not meant.
            one = each.entry.destination.form not in _MANY
            without.setdefault(each.destination.text if one else each.entry.name, each)
            continue
        going.add(each.entry.name)
        some = callers[each.entry.name]
        overlap = not leg.onward and len(some) > 1 and _workload(each.destination) in some
        for made in _edges(each, ports, governed, notes, overlap=overlap):
            yield _of_leg(_one_by_one(made) if each.entry.name in cut else made, leg)
    for each in without.values():
        if each.entry.name not in going or each.entry.destination.form not in _MANY:
            notes.lacks(
                each.entry,
                f"no pod of {each.entry.destination} has a port {each.traffic.name!r}",
                "declare the port on the container, or write its number",
            )


def _within_borders(found: Edges, placed: Placed, notes: Notes) -> list[Intended]:
    """Return the edges that cross no border which the contract keeps closed."""
    closed: set[int] = set()
    for each in crossings(found, placed):
        closed.add(id(each.edge))
        notes.shut(each.edge.entry, CROSSING, f"it {each.message}", part(each.edge), each.help)
    return [each for each in found.edges if id(each) not in closed]


def _legs(edge: Intended, engine: Engine, notes: Notes) -> Iterator[Leg]:
    try:
        yield from legs(edge, engine, notes)
    except QuestionError as error:
        notes.lacks(edge.entry, str(error), error.help)


def _one_by_one(edge: Edge) -> Edge:
    """Return an edge whose ends are named by themselves, and not by what the contract says."""
    return replace(edge, source_peer=None, destination_peer=None, dialled=None)


def _of_leg(edge: Edge, leg: Leg) -> Edge:
    """Return an edge that names ends as a leg of it does."""
    if leg.onward:
        edge = _one_by_one(edge)
    return replace(
        edge,
        source_peer=leg.caller or edge.source_peer,
        destination_peer=leg.called or edge.destination_peer,
        out=edge.out and leg.caller is None,
        into=edge.into and leg.called is None,
    )


def _callers(edges: Iterable[Intended], ends: Ends) -> dict[str, set[WorkloadId]]:
    """Return who calls by each dependency that names several workloads as callers.

    Those too that are no caller because they are the called one.
    """
    found: dict[str, set[WorkloadId]] = defaultdict(set)
    for entry in {each.entry.name: each.entry for each in edges}.values():
        if entry.source.form in _MANY:
            held = ends.of(entry.source)
            found[entry.name] = {e.workload.id for e in held if isinstance(e, PodsEnd)}
    return found


def _workload(end: End) -> WorkloadId | None:
    return end.workload.id if isinstance(end, PodsEnd) else None


def _edges(
    edge: Intended,
    ports: tuple[PortRange, ...],
    governed: frozenset[str],
    notes: Notes,
    *,
    overlap: bool,
) -> Iterator[Edge]:
    """Yield an edge; callers are named one by one where the called is among them.

    By the labels of all it would be let call itself.
    """
    entry = edge.entry
    for end in (edge.source, edge.destination):
        if isinstance(end, ServiceEnd):
            notes.of(
                entry,
                UNSAID,
                f"{end.text} is no end that a policy can name",
                "nothing is written for it",
                "name the workload behind it, as NAMESPACE/NAME",
            )
            return
    if isinstance(edge.source, _OUTSIDE) and isinstance(edge.destination, _OUTSIDE):
        notes.of(
            entry,
            UNSAID,
            f"{edge.source.text} and {edge.destination.text} are both outside the cluster",
            "no policy is about that, and nothing is written for it",
            "leave it out",
        )
        return
    asked = entry.http
    http = Asked(asked.method, asked.path, asked.host) if asked is not None else None
    callers = _peer(entry, entry.source, governed, notes)
    if overlap and callers is not None:
        notes.of(
            entry,
            TODAY,
            f"its callers are named one by one, because {edge.destination.text} is one of them",
            "pods that come later are not let through, though they may have the labels",
            "compile again whenever workloads come or go",
            Severity.INFO,
        )
        callers = None
    called = _peer(entry, entry.destination, governed, notes)
    dialled = ports
    if edge.traffic.name is not None and called is not None:
        # Pods by label may give the name different numbers.
        protocols = sorted({each.protocol for each in ports})
        dialled = tuple(PortRange(each, name=edge.traffic.name) for each in protocols)
    yield Edge(
        edge.source,
        edge.destination,
        ports,
        http if http is not None and http != Asked() else None,
        reason_of(entry),
        entry,
        entry.direction != "ingress",
        entry.direction != "egress",
        callers,
        called,
        dialled,
    )


def reason_of(entry: Dependency) -> str:
    """Return why a call is let through, as policies say it."""
    ticket = f" ({entry.ticket})" if entry.ticket else ""
    reason = f": {entry.reason}" if entry.reason else ""
    until = f", until {entry.expires}" if entry.expires else ""
    return f"{entry.name}{ticket}{until}{reason}"


def _peer(
    entry: Dependency, end: ContractEnd, governed: frozenset[str], notes: Notes
) -> PeerMatch | None:
    """Return pods that the contract names by labels as it names them; None for others.

    Namespaces by label only where the contract says who may change the label: anybody who may
    label a namespace could join otherwise.
    """
    pods = end.pods
    if end.form is not EndForm.PODS or pods is None:
        return None
    if pods.namespace is not None:
        return PodsMatch(namespace=pods.namespace, pods=pods.pods)
    keys = {each.key for each in pods.namespaces.requirements}
    if keys and keys <= governed:
        return PodsMatch(namespaces=pods.namespaces, pods=pods.pods)
    loose = ", ".join(sorted(keys - governed)) or "no label"
    notes.of(
        entry,
        TODAY,
        f"its namespaces are told by {loose}, which the contract does not govern",
        "those that have it today are named instead; others that get it later are not let through",
        "say under `namespaceLabels` who may change the label",
        Severity.INFO,
    )
    return None


def ports_of(traffic: Traffic, destination: End, engine: Engine) -> tuple[PortRange, ...] | None:
    """Return the ports that traffic is for, at the pods; None for a name that no pod has.

    A name is kept only where pods give it different numbers, and all have it.
    """
    pods = _pods(destination, engine)
    services = _fronts(destination, engine)
    if traffic.name is not None and isinstance(destination, AnyEnd):
        return (PortRange(traffic.protocol or "TCP", name=traffic.name),)
    if traffic.name is not None:
        return _named(traffic, pods, services)
    if traffic == EVERYTHING or traffic.traffic == EVERYTHING.traffic:
        return ()
    return tuple(_ranges(traffic.traffic, pods, services))


def _pods(end: End, engine: Engine) -> Sequence[PodEndpoint]:
    return [engine.table.endpoints[i] for i in end.endpoints] if isinstance(end, PodsEnd) else ()


def _fronts(end: End, engine: Engine) -> Sequence[Service]:
    """Return the Services in front of pods."""
    pods = _pods(end, engine)
    homes = {pod.namespace for pod in pods}
    return [
        each
        for home in sorted(homes)
        for each in services_in(engine, home)
        if each.selector and any(each.selector.items() <= pod.labels.items() for pod in pods)
    ]


def _named(
    traffic: Traffic, pods: Sequence[PodEndpoint], services: Sequence[Service]
) -> tuple[PortRange, ...] | None:
    name = traffic.name or ""
    numbers: dict[str, set[int]] = {}
    holders: dict[str, int] = {}
    for pod in pods:
        mine = {
            (p.protocol, p.number)
            for p in pod.ports
            if p.name == name and traffic.protocol in (None, p.protocol)
        }
        for protocol, number in mine:
            numbers.setdefault(protocol, set()).add(number)
        for protocol in {protocol for protocol, _ in mine}:
            holders[protocol] = holders.get(protocol, 0) + 1
    if not numbers:
        return None
    found: list[PortRange] = []
    for protocol, values in sorted(numbers.items()):
        if len(values) > 1 and holders[protocol] == len(pods):
            found.append(PortRange(protocol, name=name))
            continue
        for number in sorted(values):
            note = note_of(protocol, number, pods, services) or f"port {name}"
            found.append(PortRange(protocol, number, number, None, note))
    return tuple(found)


def _ranges(
    traffic: TrafficSet, pods: Sequence[PodEndpoint], services: Sequence[Service]
) -> Iterator[PortRange]:
    for entry in traffic.entries():
        protocol = _SPELT.get(entry.protocol, entry.protocol)
        if entry.low is None or entry.high is None:
            yield PortRange(protocol)
        elif entry.protocol in PORT_PROTOCOLS:
            note = note_of(entry.protocol, entry.low, pods, services)
            single = entry.low == entry.high
            yield PortRange(entry.protocol, entry.low, entry.high, None, note if single else "")
        elif entry.low == entry.high:
            yield PortRange(protocol, *divmod(entry.low, _CODES + 1))
        else:
            yield PortRange(protocol, entry.low // (_CODES + 1))


def note_of(
    protocol: str, number: int, pods: Sequence[PodEndpoint], services: Sequence[Service]
) -> str:
    """Return which ports of Services lead to a port of pods, where that is another number."""
    said = []
    for service in services:
        for port in service.ports:
            if port.protocol != protocol:
                continue
            target = port.target if port.target is not None else port.port
            held = {
                p.number
                for pod in pods
                for p in pod.ports
                if isinstance(target, str) and (p.name, p.protocol) == (target, protocol)
            }
            if target == number or number in held:
                name = f" ({port.name})" if port.name else ""
                said.append(f"Service {service.namespace}/{service.name} port {port.port}{name}")
    return ", ".join(dict.fromkeys(said))


def selected(namespace: str, labels: Mapping[str, str]) -> PodsMatch:
    """Return pods of a namespace by their labels."""
    return PodsMatch(namespace=namespace, pods=LabelSelector.of(labels))
