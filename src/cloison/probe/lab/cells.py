"""From rows to cells: the flows a row means in the world as built, each with its prediction."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cloison.algebra import AddressSet, TrafficSet, address_text, family_of, parse_address
from cloison.analyses.ask import Question
from cloison.analyses.ends import AddressEnd, AnyEnd, End, NameEnd, Names, PodsEnd, ServiceEnd
from cloison.analyses.explain import CaseAnswer, case_outcome, explain_case, verdict_of
from cloison.analyses.matrix import Row
from cloison.analyses.measured import Flow, Leg
from cloison.analyses.parties import Party
from cloison.analyses.question import Case, Traffic, cases, parse_traffic
from cloison.analyses.request import requested
from cloison.analyses.services import follow
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict
from cloison.probe.lab.asking import unsendable, with_request
from cloison.probe.lab.hops import Calls, called, entering
from cloison.probe.lab.plan import Plan, Probe, ServicePlan, ServicePort, Station
from cloison.probe.lab.ports import samples, tried
from cloison.probe.lab.sent import probe_traffic
from cloison.probe.lab.stations import Place, Stations
from cloison.resources.objects import Service

if TYPE_CHECKING:
    from cloison.algebra import Request

MOST_CELLS = 256
"""Cells of one row."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A flow with its prediction, ready to be sent.

    Args:
        flow: The flow.
        predicted: The engine's verdict.
        probe: What is to be sent; None where its fate would say nothing.
        reason: Why nothing is to be sent.
        listeners: Stations and ports that have to answer, and do not from the start.
        cases: What was predicted: one case, or one for each pod behind a Service.
        request: The request that is made; None for none.
        leg: Which connection of a call it is; None where all of the row is one connection.
        sources: Addresses of which whoever answers must see one; empty where that is left open.
        targets: Stations of which one must answer, likewise.
        stopped: Whether it ends before anybody is there, though no policy is to blame.
    """

    flow: Flow
    predicted: Verdict
    probe: Probe | None = None
    reason: str | None = None
    listeners: tuple[tuple[str, str, int], ...] = ()
    cases: tuple[Case, ...] = field(default=(), compare=False)
    request: "Request | None" = None
    leg: Leg | None = None
    sources: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What a row comes to.

    Args:
        cells: Its flows.
        notes: How it was understood.
    """

    cells: tuple[Planned, ...]
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Planner:
    """Makes cells of rows; remembers what it has predicted, and lives for one run.

    Args:
        engine: Policies bound to the world as built.
        plan: What was built of it.
        unclear: Addresses about which no packet filter can be asked, each with the reason.
        request: The request that is made by whoever connects; None for none.
        plain: The engine as it is without that request.
        calls: Finds the ways of a call; None where every row is taken for one connection.
    """

    engine: Engine
    plan: Plan
    unclear: Sequence[tuple[AddressSet, str]] = ()
    stations: Stations = field(init=False)
    names: Names = field(init=False)
    request: "Request | None" = None
    plain: Engine | None = None
    calls: Calls | None = None
    _known: dict[tuple[object, ...], CaseAnswer] = field(default_factory=dict)
    _asking: "dict[Request, Planner]" = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Look at who is where."""
        self.stations = Stations(self.engine, self.plan)
        entries = self.calls.entries if self.calls is not None else ()
        self.names = Names(self.engine, None, entries)

    def row(self, row: Row) -> Asked:
        """Return the cells of a row.

        Raises:
            QuestionError: The row cannot be asked.
        """
        asked = row.application.request()
        if asked != self.request:
            return self.asking(asked).row(row)
        source, destination = self.names.end(row.source), self.names.end(row.destination)
        traffic = parse_traffic(row.port, row.protocol)
        traffic = row.application.over(traffic)
        notes = [note for note in (source.note, destination.note) if note]
        notes += [_ANY for end in (source, destination) if isinstance(end, AnyEnd)][:1]
        question = Question(source, destination, traffic)
        ways = self.calls.ways(question) if self.calls is not None and asked is None else ()
        early = unsendable(row.application)
        if early is None and not ways:
            early = _nowhere(source) or _nowhere(destination)
        if early is not None:
            return Asked((self.unsent(source, destination, traffic, early),), tuple(notes))
        if ways:
            notes += [note for way in ways for note in way.notes]
            found = list(called(self, question, ways))
        else:
            found = list(self.connection(source, destination, traffic))
        if self.request is not None and self.plain is not None:
            found = [with_request(each, self.request, self.plain) for each in found]
        found = list(dict.fromkeys(found))
        sent = [(c.flow.protocol, c.flow.port) for c in found if c.probe is not None]
        if not ways and traffic.name is None and (said := tried(sent)):
            notes.append(said)
        if len(found) > MOST_CELLS:
            notes.append(f"{len(found)} flows are meant; the first {MOST_CELLS} were measured")
        return Asked(tuple(found[:MOST_CELLS]), tuple(dict.fromkeys(notes)))

    def connection(
        self, source: End, destination: End, traffic: Traffic, door: Station | None = None
    ) -> Iterator[Planned]:
        """Yield the flows of one connection.

        Args:
            source: Who connects.
            destination: To whom.
            traffic: On what.
            door: The node that is dialled, where a question says one.

        Raises:
            QuestionError: It cannot be asked.
        """
        if isinstance(destination, ServiceEnd):
            yield from self._through(source, destination, traffic, door)
            return
        for case in cases(self.engine, source, destination, traffic):
            yield from self._direct(case, source, destination)

    def unsent(self, source: End, destination: End, traffic: Traffic, reason: str) -> Planned:
        """Return a flow that is not sent.

        Args:
            source: Who would connect.
            destination: To whom.
            traffic: On what.
            reason: Why not.
        """
        flow = Flow(source.text, destination.text, "", "", traffic.text or "", 0)
        loops = isinstance(destination, AddressEnd) and destination.loopback
        verdict = Verdict.ALLOWED if loops else Verdict.UNDETERMINED
        return Planned(flow, verdict, reason=reason)

    def asking(self, request: "Request | None") -> "Planner":
        """Return who makes cells of rows in which a request is made, with its own predictions."""
        if request is None or self.request is not None:
            return self
        if request not in self._asking:
            engine = requested(self.engine, request)
            self._asking[request] = Planner(engine, self.plan, self.unclear, request, self.engine)
        return self._asking[request]

    def between(self, source: Place, target: Place, protocol: str, port: int) -> Planned | None:
        """Return the flow between two places; None where there is none to speak of."""
        ends = self._end(source), self._end(target)
        traffic = Traffic(None, probe_traffic(protocol, port, source.family))
        try:
            found = [
                cell
                for case in cases(self.engine, *ends, traffic, source.family)
                for cell in self._cell(case, source, target, protocol, port)
            ]
        except QuestionError:
            return None
        return found[0] if found else None

    def through(self, source: Place, flow: Flow) -> Planned | None:
        """Return the flow from a place to the Service that another one leads to; None for none.

        Args:
            source: Who connects.
            flow: The other.
        """
        end = self.names.end(flow.target)
        traffic = Traffic(None, probe_traffic(flow.protocol, flow.port, source.family))
        if not isinstance(end, ServiceEnd) or source.address == parse_address(flow.address):
            return None
        try:
            found = list(self.connection(self._end(source), end, traffic))
        except QuestionError:
            return None
        return next((each for each in found if each.flow.target == flow.target), None)

    def _end(self, place: Place) -> End:
        return self.names.end(address_text(place.address))

    def _direct(self, case: Case, source: End, destination: End) -> Iterator[Planned]:
        """Yield the flows of a case whose ends speak to one another directly."""
        if case.foreign:
            yield self._unbuilt(case, 0, "the two ends share no address family")
            return
        families = (case.family,) if case.family else (4, 6)
        placed = [family for family in families if self._placed(case, source, destination, family)]
        for family in placed or families:
            # Where nobody asked for a family, one of which an end has no address is not meant.
            ends = self._pair(case, source, destination, family)
            if isinstance(ends, str):
                if ends:
                    yield self._unbuilt(case, family, ends)
                continue
            listens = [(each.protocol, each.port) for each in ends[1].station.listens]
            sampled = [
                (each.protocol, port)
                for each in samples(self.engine, case, listens)
                for port in each.ports
            ]
            echo = probe_traffic("ICMP", 0, family)
            if echo <= case.traffic:
                sampled.append(("ICMP", 0))
            for protocol, port in sampled:
                yield from self._cell(replace(case, family=family), *ends, protocol, port)
            if not sampled and not case.traffic <= _ICMP[family]:
                yield self._unbuilt(case, family, f"nothing can send {case.traffic} here")

    def _placed(self, case: Case, source: End, destination: End, family: int) -> bool:
        """Whether both ends of a case have a place, by addresses of one family."""
        return bool(
            self.stations.of(case.source, source, family)
            and self.stations.of(case.destination, destination, family)
        )

    def _pair(
        self, case: Case, source: End, destination: End, family: int
    ) -> tuple[Place, Place] | str:
        """Return where a case's flow starts and ends; why there is no such flow otherwise."""
        sources = self.stations.of(case.source, source, family)
        targets = self.stations.of(case.destination, destination, family)
        for party, found in ((case.source, sources), (case.destination, targets)):
            if not found:
                return f"{party.text} has no place in the lab"
        itself = isinstance(source, PodsEnd) and source.single and source.text == destination.text
        for one in sources:
            for other in targets:
                if itself or one.station.name != other.station.name:
                    return one, other
        if isinstance(source, AnyEnd) or isinstance(destination, AnyEnd):
            return ""
        shared = (*self.plan.nodes, self.stations.outside)
        if sources[0].address != targets[0].address or sources[0].station in shared:
            # Pods on their node's network have its address: they are many, and it is one.
            return f"{sources[0].text} and {targets[0].text} are in one network namespace"
        return f"only one pod of {case.source.text} was built, and what it sends itself stays in it"

    def _cell(
        self, case: Case, source: Place, target: Place, protocol: str, port: int
    ) -> Iterator[Planned]:
        part = replace(case, traffic=probe_traffic(protocol, port, source.family))
        verdict = self._verdict(part)
        flow = Flow(
            source.text,
            target.text,
            address_text(source.address),
            address_text(target.address),
            protocol,
            port,
            source.family,
        )
        reason = self._doubt(part, verdict, source, target)
        probe = Probe(source.station.name, flow.address, flow.target, protocol, port)
        here = flow.target in self.plan.caches  # then nodes answer from the start
        ears = _deaf([(target.station, protocol, port)]) if port and not here else ()
        yield Planned(
            flow, verdict, None if reason else probe, reason, () if reason else ears, (part,)
        )

    def _doubt(self, case: Case, verdict: Verdict, *places: Place) -> str | None:
        """Return why a measurement would say nothing about the policies, if it would not."""
        if verdict not in (Verdict.ALLOWED, Verdict.DENIED):
            ids = ", ".join(caveat.id for caveat in self._explain(case).caveats)
            return f"the prediction is {verdict}" + (f": {ids}" if ids else "")
        for place in places:
            for addresses, reason in self.unclear:
                if place.address in addresses:
                    return f"{place.text}: {reason}"
        return None

    def answers(self, cell: Planned) -> tuple[CaseAnswer, ...]:
        """Return the prediction with its reasons."""
        planner = self.asking(cell.request)
        if planner is not self:
            return planner.answers(cell)
        return tuple(map(self._explain, cell.cases))

    def _verdict(self, case: Case) -> Verdict:
        return verdict_of(case_outcome(self.engine, case), case.traffic)

    def _explain(self, case: Case) -> CaseAnswer:
        key = (
            *_side(case.source),
            *_side(case.destination),
            case.out_of,
            case.into,
            case.traffic,
            case.family,
        )
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = explain_case(self.engine, case, misses=False)
        return found

    def _unbuilt(self, case: Case, family: int, reason: str) -> Planned:
        entry = next(iter(case.traffic.entries()), None)
        protocol = entry.protocol if entry else ""
        single = entry is not None and entry.low is not None and entry.low == entry.high
        port = entry.low if entry is not None and entry.low and single else 0
        flow = Flow(case.source.text, case.destination.text, "", "", protocol, port, family)
        return Planned(flow, self._verdict(case), reason=reason, cases=(case,))

    def _through(
        self, source: End, end: ServiceEnd, traffic: Traffic, door: Station | None
    ) -> Iterator[Planned]:
        """Yield the flows through a Service, to its own address where it has one."""
        service = end.service
        if "None" in service.cluster_ips or end.direct:
            for each in follow(self.engine, source, end, traffic):
                for case in cases(self.engine, each.source, each.destination, each.traffic):
                    yield from self._direct(case, each.source, each.destination)
            return
        follow(self.engine, source, end, traffic)  # says what is wrong with the question
        name = f"{service.namespace}/{service.name}"
        built = next((each for each in self.plan.services if each.name == name), None)
        for port in built.ports if built is not None else ():
            if not _meant(service, port, traffic):
                continue
            outward = port.node_port or (built is not None and built.outside)
            if built is not None and outward and (end.outside or isinstance(source, AddressEnd)):
                yield from entering(self, source, end, built, port, door)
            else:
                yield from self._translated(source, end, built, port)

    def _translated(
        self, source: End, end: ServiceEnd, built: ServicePlan | None, port: ServicePort
    ) -> Iterator[Planned]:
        """Yield a flow from each source to a Service's port: one of several pods answers."""
        one = Traffic(f"{port.protocol}/{port.port}", TrafficSet.ports(port.protocol, port.port))
        behind: dict[Place, list[tuple[Case, End]]] = {}
        for each in follow(self.engine, source, end, one):
            for case in cases(
                self.engine, each.source, each.destination, each.traffic, returned=each.returned
            ):
                # What a pod sends to itself is of no family in particular.
                families = (case.family,) if case.family else (4, 6) if each.returned else ()
                for family in families:
                    places = self.stations.of(case.source, source, family)
                    if not places and case.family:
                        yield self._unbuilt(case, family, _APPARENT)
                    for place in places[:1]:
                        if each.returned and self.stations.node_of(place) is None:
                            continue  # its node has no such address to put in place
                        meant = (replace(case, family=family), each.destination)
                        behind.setdefault(place, []).append(meant)
        points = [parse_address(text) for text in built.addresses] if built else []
        for place, found in behind.items():
            for target in [p for p in points if family_of(p) == place.family][:1]:
                dialled = (address_text(target), port.port)
                made = self.behind(place, found, end.text, port, dialled)
                if made.predicted is not Verdict.MIXED or self.calls is None:
                    yield made
                    continue
                # Nothing says who answers: each is dialled at its own address.
                for case, to in found:
                    yield from self._direct(case, source, to)

    def behind(
        self,
        source: Place,
        behind: Sequence[tuple[Case, End]],
        name: str,
        port: ServicePort,
        dialled: tuple[str, int],
    ) -> Planned:
        """Return the flow to a Service's port, behind which one of several pods answers.

        Args:
            source: Who connects.
            behind: How each of the pods is judged, and what the question calls it.
            name: What to call the Service.
            port: Its port.
            dialled: Address and port that are dialled.
        """
        flow = Flow(
            source.text,
            name,
            address_text(source.address),
            dialled[0],
            port.protocol,
            dialled[1],
            source.family,
        )
        said = [(case, self._verdict(case)) for case, _ in behind]
        verdicts = {verdict for _, verdict in said}
        reason = next((r for r in (self._doubt(*each, source) for each in said) if r), None)
        if len(verdicts) > 1:
            reason = "the pods behind it are judged differently, and any of them may answer"
        backends = [
            (parse_address(address), number)
            for address, number in port.backends
            if family_of(parse_address(address)) == source.family
        ]
        reason = reason or next(
            (why for p, _ in backends for held, why in self.unclear if p in held), None
        )
        ears = _deaf(
            (station, port.protocol, number)
            for point, number in backends
            if (station := self.stations.at(point)) is not None
        )
        probe = Probe(source.station.name, flow.address, flow.target, port.protocol, flow.port)
        places = [p for case, to in behind for p in self.stations.of(case.destination, to, 4)]
        places += [p for case, to in behind for p in self.stations.of(case.destination, to, 6)]
        return Planned(
            flow,
            verdicts.pop() if len(verdicts) == 1 else Verdict.MIXED,
            None if reason else probe,
            reason,
            () if reason else ears,
            tuple(case for case, _ in behind),
            targets=tuple(dict.fromkeys(place.station.name for place in places)),
        )


def _deaf(ears: Iterable[tuple[Station, str, int]]) -> tuple[tuple[str, str, int], ...]:
    """Return where something has to be made to listen, since nothing does from the start."""
    return tuple(
        (station.name, protocol, port)
        for station, protocol, port in ears
        if all((each.protocol, each.port) != (protocol, port) for each in station.listens)
    )


_ANY = "any: is measured for the pods that were built; of pods nobody has yet only why can speak"
_APPARENT = "who connects comes through a load balancer or node port, with an address not its own"


def _meant(service: Service, port: ServicePort, traffic: Traffic) -> bool:
    """Whether a question through a Service is about a port of it."""
    if traffic.name is not None:
        return any(
            each.name == traffic.name and (each.protocol, each.port) == (port.protocol, port.port)
            for each in service.ports
        )
    return TrafficSet.ports(port.protocol, port.port) <= traffic.traffic


def _nowhere(end: End) -> str | None:
    """Return why nothing can be sent to or from an end."""
    if isinstance(end, AddressEnd) and end.loopback:
        return "loopback traffic never leaves the pod"
    if isinstance(end, PodsEnd) and end.gone:
        return f"{end.text} has run to its end"
    if isinstance(end, NameEnd):
        return f"which addresses {end.text} stands for is not known"
    return None


_ICMP = {4: TrafficSet.protocol("ICMPV6"), 6: TrafficSet.protocol("ICMP")}
"""What only travels over the other family."""


def _side(party: Party) -> tuple[object, ...]:
    endpoint = party.endpoint
    return (party.unit, party.text) if endpoint is None else (party.unit, id(endpoint))
