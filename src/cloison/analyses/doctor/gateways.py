"""D-GW: who serves an entry is reached from outside, and reaches every backend of it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cloison.algebra import AddressSet
from cloison.analyses.ask import Explanation, Question
from cloison.analyses.doctor.admitting import nodes_let_in
from cloison.analyses.doctor.clinic import Clinic, stopped, stopped_at
from cloison.analyses.doctor.dns import isolating
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.doctor.nodes import Gap, gap
from cloison.analyses.doctor.served import Serving, listed_elsewhere, numbers, of_nodes
from cloison.analyses.ends import AddressEnd, EntryEnd, PodsEnd, ServiceEnd, SomeNodeEnd
from cloison.analyses.explain import merge_caveats
from cloison.analyses.mend import blocks as cidrs
from cloison.analyses.paths.assume import with_all
from cloison.analyses.paths.entries import inwards
from cloison.analyses.paths.model import Hop, HopRole, Stop, Way
from cloison.analyses.question import EVERYTHING
from cloison.base import QuestionError, Severity, Span
from cloison.base.words import few
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Direction
from cloison.platform.routes.model import Entry, Plane, Supposed
from cloison.resources.world import Workload, WorkloadId

_SOURCE = "kubernetes/api networking/v1/types.go IngressBackend"


@dataclass(frozen=True)
class _Closed:
    """A hop of an entry that is closed.

    Args:
        entry: The entry.
        hop: The hop.
        answer: What enforcement points make of it.
        assumed: What stands in for somebody whom the input does not hold, if anything does.
    """

    entry: Entry
    hop: Hop
    answer: Explanation
    assumed: str | None

    @property
    def cause(self) -> tuple[str, str]:
        """What has to change: the door, who serves the entry, or what is behind it."""
        source = self.hop.question.source.text
        if self.hop.role is HopRole.ENTRY:
            return "door", self.hop.question.destination.text
        if Direction.EGRESS in stopped(self.answer):
            return "out", source
        return "in", ", ".join(sorted({p.endpoint for p in stopped_at(self.answer)}))


def gateways(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for each reason for which calls through entries do not arrive."""
    stops: dict[object, tuple[Stop, list[Entry]]] = {}
    closed: dict[tuple[str, str], list[_Closed]] = defaultdict(list)
    unknown: dict[str, tuple[Entry, Hop]] = {}
    nodes: dict[str, tuple[Entry, Hop]] = {}
    entries_here = tuple(e for e in clinic.site.entries if _concerns(clinic, e))
    clinic, entries_here, assumed = _furnished(clinic, entries_here)
    for entry in entries_here:
        for way in _ways(clinic, entry):
            if way.stop is not None:
                entries = stops.setdefault((way.stop.reason, way.stop.text), (way.stop, []))[1]
                if entry not in entries:
                    entries.append(entry)
            for hop in way.hops:
                if _by_node(hop):
                    nodes.setdefault(hop.question.destination.text, (entry, hop))
                elif hop.answer is None:
                    unknown.setdefault(hop.question.destination.text, (entry, hop))
                elif _shut(hop):
                    found = _Closed(entry, hop, hop.answer, _assumed(hop, assumed))
                    closed[found.cause].append(found)
    for stop, entries in stops.values():
        yield _not_policy(stop, entries)
    for cause, group in closed.items():
        yield _finding(clinic, cause[0], group)
    for entry, hop in nodes.values():
        yield from _from_nodes(clinic, entry, hop)
    for entry, hop in unknown.values():
        yield from _unknown(clinic, entry, hop)


def _concerns(clinic: Clinic, entry: Entry) -> bool:
    """Return whether an entry, or anything behind it, is in a namespace to examine."""
    behind = (b.namespace for rule in entry.rules for b in rule.backends)
    return any(clinic.examines(each) for each in (entry.namespace, *behind))


def _furnished(
    clinic: Clinic, entries: tuple[Entry, ...]
) -> tuple[Clinic, tuple[Entry, ...], dict[str, str]]:
    """Return a clinic that has the pods that are supposed to serve entries, and those entries.

    Also what is said of those pods, by their name.
    """
    wanted: dict[object, tuple[Supposed, str]] = {}
    for plane in (plane for entry in entries for plane in entry.planes):
        if plane.supposed is not None:
            wanted.setdefault(_kind(plane), (plane.supposed, plane.name))
    if not wanted:
        return clinic, entries, {}
    engine, ends = with_all(clinic.engine, wanted.values())
    there = dict(zip(wanted, ends, strict=True))

    def served(plane: Plane) -> Plane:
        if plane.supposed is None:
            return plane
        return replace(plane, supposed=None, workloads=(there[_kind(plane)].workload.id,))

    found = tuple(replace(e, planes=tuple(served(p) for p in e.planes)) for e in entries)
    said = {end.text: end.note or "its default pods are assumed" for end in ends}
    return clinic.with_engine(engine), found, said


def _kind(plane: Plane) -> object:
    supposed = plane.supposed
    labels = sorted(supposed.labels.items()) if supposed is not None else []
    home = supposed.namespace if supposed is not None else ""
    return plane.name, home, tuple(labels), supposed is not None and supposed.host_network


def _assumed(hop: Hop, assumed: Mapping[str, str]) -> str | None:
    ends = (hop.question.source.text, hop.question.destination.text)
    return next((assumed[text] for text in ends if text in assumed), None)


def _ways(clinic: Clinic, entry: Entry) -> Iterator[Way]:
    engine = clinic.engine
    inside = of_nodes(engine)
    for node in engine.world.nodes.values():
        for cidr in node.pod_cidrs:
            inside |= AddressSet.block(cidr)
    client = AddressEnd("clients outside", AddressSet.block("0.0.0.0/0") - inside)
    end = EntryEnd(f"gw:{entry.namespace}/{entry.name}", entry)

    def ask(question: Question, engine: Engine | None = None) -> Explanation:
        return clinic.reach(question.source, question.destination, question.traffic, engine)

    try:
        yield from inwards(clinic.engine, clinic.site, Question(client, end, EVERYTHING), end, ask)
    except QuestionError:
        return  # an entry without listeners: there is nothing to reach


def _shut(hop: Hop) -> bool:
    # Who may come in from outside is for policies to say: closed is a door that admits nobody.
    closed = (Verdict.DENIED,) if hop.role is HopRole.ENTRY else (Verdict.DENIED, Verdict.MIXED)
    return hop.verdict in closed


def _by_node(hop: Hop) -> bool:
    """Return whether a backend sees a node's address, and whether that is let in is not clear."""
    source = hop.question.source
    if hop.role is not HopRole.BACKEND or hop.verdict is Verdict.ALLOWED:
        return False
    if isinstance(source, SomeNodeEnd):
        return True
    pods = source.workload.endpoints if isinstance(source, PodsEnd) else ()
    return any(pod.shape.host_network for pod in pods)


def _from_nodes(clinic: Clinic, entry: Entry, hop: Hop) -> Iterator[Finding]:
    """Yield a finding for backends that do not admit nodes, one of which serves an entry."""
    answer, source = hop.answer, hop.question.source.text
    if answer is None:
        return
    shut: dict[WorkloadId, Gap] = {}
    for case in answer.cases:
        to = case.case.destination.endpoint
        for number in numbers(case.case.traffic) if to is not None else ():
            found = gap(clinic, to.workload, number) if to is not None else None
            if to is not None and found is not None:
                shut[to.workload] = found
    if not shut:
        return
    name = next(iter(shut))
    pods = few(str(each) for each in shut)
    yield Finding(
        code="GWY001",
        check="D-GW",
        severity=Severity.WARNING if all(part for _, part in shut.values()) else Severity.ERROR,
        message=f"{pods} does not admit {source}, which serves {entry} on the network of its node",
        effect="clients get 502, 503 or 504, but where both run on one node",
        help="admit the addresses of the nodes, with an overlay those of its tunnels, too: "
        "selectors do not match pods on the host network",
        mode=Mode.GATEWAY,
        workload=name,
        object=f"{name.kind} {name}",
        span=_span(clinic, name) or entry.span,
        evidence=(
            *(Evidence(text, hop.span) for text in hop.why),
            *isolating(found for found, _ in shut.values()),
        ),
        mend=nodes_let_in(clinic, [found for found, _ in shut.values()]),
        source=_SOURCE,
    )


def _not_policy(stop: Stop, entries: Sequence[Entry]) -> Finding:
    """Return the finding for what no policy is to blame for."""
    first = entries[0]
    named = few(str(each) for each in entries)
    return Finding(
        code="GWY003",
        check="D-GW",
        severity=Severity.WARNING,
        message=f"{named} leads nowhere: {stop.text} ({stop.reason})",
        effect="clients get an error from whoever serves it; no policy is to blame",
        help=stop.help,
        mode=Mode.GATEWAY,
        object=str(first),
        span=stop.span or first.span,
        source=stop.source or _SOURCE,
    )


def _finding(clinic: Clinic, cause: str, group: Sequence[_Closed]) -> Finding:
    first = group[0]
    hop, answers = first.hop, [each.answer for each in group]
    entries = tuple(dict.fromkeys(str(each.entry) for each in group))
    serving = hop.question.source.text if cause != "door" else hop.question.destination.text
    ports = dict.fromkeys(_traffic(each) for each in group)
    shown = " and ".join(ports)
    if cause == "door":
        code, severity = "GWY002", Severity.WARNING
        message = f"{serving} admits nobody from outside on {shown}"
        effect = f"{few(entries)} cannot be called from outside the cluster"
        advice = "admit clients on the port of its pods, which need not be the listener's"
    elif cause == "out":
        code, severity = "GWY001", Severity.ERROR
        targets = few(each.hop.question.destination.text for each in group)
        message = f"{serving} may not call {targets}, to which {few(entries)} leads"
        effect = "clients get 502, 503 or 504"
        advice = "let whoever serves the entry send to the pods behind it, on their own ports"
    else:
        code, severity = "GWY001", Severity.ERROR
        sources = few({each.hop.question.source.text for each in group})
        targets = few({p.endpoint for a in answers for p in stopped_at(a)})
        message = f"{targets} does not admit {sources} on {shown}, which serves {few(entries)}"
        effect = "clients get 502, 503 or 504"
        advice = "admit whoever serves the entry, on the pods' own port: the client is never seen"
    mode = Mode.GATEWAY
    own = hop.question.source
    if cause == "in" and isinstance(own, AddressEnd):
        mode = Mode.HEALTH
        effect = "health checks fail, and clients get 502, 503 or 504"
        dialled = " and ".join(cidrs(own.addresses))
        advice = f"admit {dialled} on the pods' own port: the load balancer dials from there"
    if any(each.assumed for each in group) and severity is Severity.ERROR:
        severity = Severity.WARNING
    subject = _workload(answers)
    return Finding(
        code=code,
        check="D-GW",
        severity=severity,
        message=message,
        effect=effect,
        help=advice,
        mode=mode,
        workload=subject,
        object=f"{subject.kind} {subject}" if subject else entries[0],
        span=_span(clinic, subject) or first.entry.span,
        evidence=(
            *(Evidence(text, each.hop.span) for each in group[:2] for text in each.hop.why),
            *(Evidence(each.assumed) for each in group[:1] if each.assumed),
            *isolating(answers),
        ),
        mend=clinic.mend(answers),
        caveats=merge_caveats([each.caveats for each in answers]),
        source=_SOURCE,
    )


def _span(clinic: Clinic, name: WorkloadId | None) -> Span | None:
    found = clinic.engine.world.workloads.get(name) if name is not None else None
    return found.span if found is not None else None


def _traffic(closed: _Closed) -> str:
    """Return what a hop carries where it arrives: Services are followed by then."""
    found = dict.fromkeys(
        str(case.case.traffic)
        for case in closed.answer.cases
        if any(point.verdict is not Verdict.ALLOWED for point in case.points)
    )
    return " and ".join(found)


def _workload(answers: Iterable[Explanation]) -> WorkloadId | None:
    """Return the workload whose policies stop it."""
    for answer in answers:
        for case in answer.cases:
            for point in case.points:
                if point.verdict is not Verdict.ALLOWED:
                    inward = point.direction is Direction.INGRESS
                    party = case.case.destination if inward else case.case.source
                    if party.endpoint is not None:
                        return party.endpoint.workload
    return None


def _unknown(clinic: Clinic, entry: Entry, hop: Hop) -> Iterator[Finding]:
    """Yield a finding where whoever serves an entry cannot be found, and the backend is guarded."""
    to = hop.question.destination
    if hop.role is not HopRole.BACKEND:
        return
    behind = Serving(clinic.engine).behind(to.service) if isinstance(to, ServiceEnd) else ()
    for workload in behind:
        name = workload.id
        if not clinic.isolated(name, Direction.INGRESS) or listed_elsewhere(clinic.engine, name):
            continue
        yield _not_known(hop, entry, workload)


def _not_known(hop: Hop, entry: Entry, workload: Workload) -> Finding:
    name = workload.id
    return Finding(
        code="GWY004",
        check="D-GW",
        severity=Severity.WARNING,
        message=f"whether {name} admits {hop.question.source.text} is not known: it serves {entry}",
        effect="if it does not, clients get 502, 503 or 504, and health checks fail",
        help="admit the addresses that it dials from, on the pods' own port; where those are in "
        "no manifest, the provider says them",
        mode=Mode.HEALTH,
        workload=name,
        object=f"{name.kind} {name}",
        span=workload.span,
        evidence=tuple(Evidence(text, hop.span) for text in hop.why),
        source=_SOURCE,
    )
