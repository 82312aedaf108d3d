"""D-GW: who serves an entry is reached from outside, and reaches every backend of it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cloison.algebra import NO_ADDRESSES, NO_TRAFFIC, AddressSet, TrafficSet
from cloison.analyses.ask import Explanation, Question, let_through
from cloison.analyses.doctor.admitting import nodes_let_in
from cloison.analyses.doctor.clinic import Clinic, stopped, stopped_at
from cloison.analyses.doctor.dns import isolating
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.doctor.nodes import Gap, gap
from cloison.analyses.doctor.served import (
    Serving,
    listed_elsewhere,
    numbers,
    of_nodes,
    subjects_of,
)
from cloison.analyses.doctor.unplaced import unplaced
from cloison.analyses.ends import AddressEnd, EntryEnd, PodsEnd, ServiceEnd, SomeNodeEnd
from cloison.analyses.explain import merge_caveats
from cloison.analyses.mend import Proposal, added
from cloison.analyses.mend import blocks as cidrs
from cloison.analyses.paths.assume import with_all
from cloison.analyses.paths.entries import inwards
from cloison.analyses.paths.model import Hop, HopRole, Stop, Way
from cloison.analyses.paths.serving import planes_of
from cloison.analyses.paths.whoever import refused
from cloison.analyses.question import EVERYTHING
from cloison.base import QuestionError, Severity, Span
from cloison.base.words import few
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict
from cloison.ir.peers import BlockMatch
from cloison.ir.policy import Action, Direction, Peer, PolicyId, Rule, TrafficMatch
from cloison.platform.routes.model import Entry, Plane, Supposed
from cloison.resources.world import APART, Workload, WorkloadId

_SOURCE = "kubernetes/api networking/v1/types.go IngressBackend"
_ANYWHERE = "0.0.0.0/0"


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


@dataclass(frozen=True)
class _Causes:
    """Tells what has to change for a hop: of what is alike, one finding is made.

    Args:
        engine: Whose policies.
    """

    engine: Engine
    _shared: dict[PolicyId, bool] = field(default_factory=dict)

    def of(self, closed: _Closed) -> tuple[object, ...]:
        """Return the cause: the door, who serves the entry, or what is behind it.

        Backends that lack the same are one cause: the same traffic from the same end, stopped by
        the same policies, or by policies of their own.
        """
        source, answer = closed.hop.question.source, closed.answer
        if closed.hop.role is HopRole.ENTRY:
            return "door", closed.hop.question.destination.text
        if Direction.EGRESS in stopped(answer):
            return "out", source.text
        subject = _workload((answer,))
        by = {
            decider.policy
            for point in stopped_at(answer)
            for decider in point.decided_by
            if decider.policy is not None and self._is_shared(decider.policy)
        }
        home = subject.namespace if subject is not None else None
        return "in", source.text, home, _traffic(closed), frozenset(by)

    def _is_shared(self, name: PolicyId) -> bool:
        """Return whether a policy is about several workloads."""
        if name not in self._shared:
            found = {
                workload
                for policy in self.engine.policies.policies
                if policy.id == name
                for workload in subjects_of(self.engine, policy)
            }
            self._shared[name] = len(found) > 1
        return self._shared[name]


def gateways(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for each reason for which calls through entries do not arrive."""
    stops: dict[object, tuple[Stop, list[Entry]]] = {}
    closed: dict[tuple[object, ...], list[_Closed]] = defaultdict(list)
    unknown: dict[str, tuple[Entry, Hop]] = {}
    nodes: dict[str, tuple[Entry, Hop]] = {}
    entries_here = tuple(e for e in clinic.site.entries if _concerns(clinic, e))
    clinic, entries_here, assumed = _furnished(clinic, entries_here)
    causes = _Causes(clinic.engine)
    client = _outside(clinic.engine)
    for entry in entries_here:
        for way in _ways(clinic, client, entry):
            if way.stop is not None and way.stop.caveat is None:
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
                    closed[causes.of(found)].append(found)
    for stop, entries in stops.values():
        yield _not_policy(stop, entries)
    for cause, group in closed.items():
        yield _finding(clinic, str(cause[0]), group)
    for entry, hop in nodes.values():
        yield from _from_nodes(clinic, entry, hop)
    serving = Serving(clinic.engine)
    for entry, hop in unknown.values():
        yield from _unknown(clinic, serving, entry, hop)


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


def _outside(engine: Engine) -> AddressEnd:
    """Return the clients that are neither nodes nor pods, as far as those are known."""
    inside = of_nodes(engine)
    for node in engine.world.nodes.values():
        for cidr in node.pod_cidrs:
            inside |= AddressSet.block(cidr)
    return AddressEnd("clients outside", AddressSet.block(_ANYWHERE) - inside)


def _ways(clinic: Clinic, client: AddressEnd, entry: Entry) -> Iterator[Way]:
    end = EntryEnd(f"gw:{entry.namespace}/{entry.name}", entry)

    def ask(question: Question, engine: Engine | None = None) -> Explanation:
        source, to, traffic = question.source, question.destination, question.traffic
        # Of a Service with addresses outside it counts why, too: as whom it arrives is not known.
        plain = not (isinstance(to, ServiceEnd) and to.outside)
        if plain and clinic.passes(source, to, traffic, engine):
            return let_through(question)
        return clinic.reach(source, to, traffic, engine)

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
    hop, answers = first.hop, list({id(each.answer): each.answer for each in group}.values())
    entries = tuple(dict.fromkeys(str(each.entry) for each in group))
    serving = hop.question.source.text if cause != "door" else hop.question.destination.text
    shown = " and ".join(dict.fromkeys(_traffic(each) for each in group))
    subjects = _subjects(answers)
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
        targets = few({p.endpoint for a in answers for p in stopped_at(a)})
        verb = "does"
        if len(subjects) > 1:
            targets = f"{len(subjects)} workloads of {subjects[0].namespace} ({targets})"
            verb = "do"
        message = f"{targets} {verb} not admit {serving} on {shown}, which serves {few(entries)}"
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
    subject = subjects[0] if subjects else None
    apart = subject is None or subject.namespace == APART
    return Finding(
        code=code,
        check="D-GW",
        severity=severity,
        message=message,
        effect=effect,
        help=advice,
        mode=mode,
        workload=subject,
        workloads=subjects if len(subjects) > 1 else (),
        object=_object(subjects) or entries[0],
        span=first.entry.span if apart else _span(clinic, subject) or first.entry.span,
        evidence=(
            *dict.fromkeys(
                Evidence(text, each.hop.span) for each in group[:2] for text in each.hop.why
            ),
            *(Evidence(each.assumed) for each in group[:1] if each.assumed),
            *isolating(answers),
        ),
        mend=clinic.add(_clients(clinic, group)) if cause == "door" else clinic.mend(answers),
        caveats=merge_caveats([each.caveats for each in answers]),
        source=_SOURCE,
    )


def _clients(clinic: Clinic, group: Sequence[_Closed]) -> Iterator[Proposal]:
    """Yield rules that admit clients outside, on the port of the pods.

    Those whom rules admit on the port that clients dial are who is meant; without such a rule that
    is everybody.
    """
    engine = clinic.engine
    dialled = NO_TRAFFIC
    for each in group:
        for door in each.entry.listeners:
            dialled |= TrafficSet.ports(door.transport, door.port)
    for answer in {id(each.answer): each.answer for each in group}.values():
        for case in answer.cases:
            to, traffic = case.case.destination, TrafficMatch(case.case.traffic)
            if to.endpoint is not None:
                clients = _admitted(engine, to.unit, dialled) or _everybody(engine)
                rule = Rule(Direction.INGRESS, Action.ALLOW, clients, traffic, 1)
                yield from added(engine, Direction.INGRESS, to, rule, "outside")


def _admitted(engine: Engine, unit: int, dialled: TrafficSet) -> tuple[Peer, ...]:
    """Return the blocks that rules admit on a port; none where one admits anybody, or none does."""
    found: dict[object, Peer] = {}
    for policy in engine.decision(unit, Direction.INGRESS).terms.policies:
        for rule in policy.rules_for(Direction.INGRESS):
            if rule.action is not Action.ALLOW or not rule.traffic.must & dialled:
                continue
            if not rule.peers:
                return ()
            for peer in rule.peers:
                if isinstance(peer.match, BlockMatch):
                    found[peer.match] = Peer(peer.match)
    return tuple(found.values())


def _everybody(engine: Engine) -> tuple[Peer, ...]:
    """Return every address, but for those of pods.

    Those of nodes stay in: they stand for clients where a node passes on what comes from outside.
    """
    pods: list[str] = []
    if engine.profile.block_matches_pods:
        found = {cidr for node in engine.world.nodes.values() for cidr in node.pod_cidrs}
        inside = NO_ADDRESSES
        for cidr in found:
            inside |= AddressSet.block(cidr) & AddressSet.block(_ANYWHERE)
        pods = list(cidrs(inside)) if inside else []
    block = BlockMatch(AddressSet.block(_ANYWHERE), _ANYWHERE, whole=True)
    for hole in pods:
        block = replace(block, addresses=block.addresses - AddressSet.block(hole))
    return (Peer(replace(block, holes=tuple(pods))),)


def _object(subjects: Sequence[WorkloadId]) -> str | None:
    """Return what a finding is about: a workload, the namespace of several; None for no pods."""
    pods = [each for each in subjects if each.namespace != APART]
    if len(pods) == 1:
        return f"{pods[0].kind} {pods[0]}"
    return f"Namespace {pods[0].namespace}" if pods else None


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
    return next(iter(_subjects(answers)), None)


def _subjects(answers: Iterable[Explanation]) -> tuple[WorkloadId, ...]:
    """Return the workloads whose policies stop some traffic, in order."""
    found: dict[WorkloadId, None] = {}
    for answer in answers:
        for case in answer.cases:
            for point in case.points:
                if point.verdict is not Verdict.ALLOWED:
                    inward = point.direction is Direction.INGRESS
                    party = case.case.destination if inward else case.case.source
                    if party.endpoint is not None:
                        found.setdefault(party.endpoint.workload)
    return tuple(found)


def _unknown(clinic: Clinic, serving: Serving, entry: Entry, hop: Hop) -> Iterator[Finding]:
    """Yield a finding where whoever serves an entry cannot be found, and the backend is guarded."""
    to = hop.question.destination
    if hop.role is not HopRole.BACKEND:
        return
    behind = serving.behind(to.service) if isinstance(to, ServiceEnd) else ()
    named = [p for p in entry.planes if p.somewhere and p.name == hop.question.source.text]
    if named:
        yield from unplaced(clinic, entry, hop, named[0])
        return
    for workload in behind:
        name = workload.id
        if not clinic.isolated(name, Direction.INGRESS) or listed_elsewhere(clinic.engine, name):
            continue
        yield _not_known(clinic, hop, entry, workload)


def _not_known(clinic: Clinic, hop: Hop, entry: Entry, workload: Workload) -> Finding:
    name, by = workload.id, hop.question.source.text
    serves = "" if by.endswith(str(entry)) else f", which serves {entry}"
    message = f"whether {name} admits {by} is not known"
    message += f": it serves {entry}" if serves else ""
    advice = "admit the addresses that it dials from, on the pods' own port; where those are in "
    advice += "no manifest, the provider says them"
    effect = "if it does not, clients get 502, 503 or 504, and health checks fail"
    plane = next((each for each in planes_of(entry) if each.name == by), None)

    def ask(question: Question, engine: Engine | None = None) -> Explanation:
        return clinic.reach(question.source, question.destination, question.traffic, engine)

    if plane is not None and plane.unknown:
        advice = "add the controller's workload to the input, or name it in cloison.yaml; policies "
        advice += "have to admit it on the pods' own port"
    if plane is not None and refused(clinic.engine, hop.question, plane, ask) is not None:
        message = f"{name} does not admit {by}{serves}"
        effect = "clients get 502, 503 or 504"
    return Finding(
        code="GWY004",
        check="D-GW",
        severity=Severity.WARNING,
        message=message,
        effect=effect,
        help=advice,
        mode=Mode.GATEWAY if plane is not None and plane.unknown else Mode.HEALTH,
        workload=name,
        object=f"{name.kind} {name}",
        span=workload.span,
        evidence=tuple(Evidence(text, hop.span) for text in hop.why),
        source=_SOURCE,
    )
