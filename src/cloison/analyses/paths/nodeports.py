"""A call to a port that every node takes for a Service: which pods get it, and whom they see.

The node that is dialled puts its own address in the place of the caller's, unless the Service
keeps calls on that node. Whether who enforces there looks before or after it does so is not
defined, and callers within the cluster may be led on without ever leaving their node.

Source: kubernetes/api core/v1 types.go (ServiceExternalTrafficPolicy); kubernetes/kubernetes
pkg/proxy/iptables/proxier.go; kubernetes/website concepts/services-networking/network-policies.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.analyses.ask import Explanation, Question
from cloison.analyses.backends import members, nodes_of
from cloison.analyses.ends import AddressEnd, Landing, NodeEnd, PodsEnd, ServiceEnd
from cloison.analyses.explain import merge_caveats
from cloison.analyses.paths.calls import leaving_stops, parts
from cloison.analyses.paths.early import early
from cloison.analyses.paths.lookup import Ask
from cloison.analyses.paths.model import Hop, HopRole, Stop, Way
from cloison.analyses.question import parse_traffic
from cloison.base import Span
from cloison.engine import Engine
from cloison.ir import caveats as known
from cloison.ir.fidelity import Caveat, Verdict
from cloison.resources.objects import Service, ServicePort


@dataclass(frozen=True, slots=True)
class _View:
    """One way in which a call to a node's port may be led on.

    Args:
        text: What it is, for people.
        landing: What becomes of the call; None where it is dropped on that node.
        caveat: Why it is not certain that this is the one.
    """

    text: str
    landing: Landing | None
    caveat: Caveat


def by_node(engine: Engine, question: Question, end: NodeEnd, ask: Ask) -> Iterator[Way]:
    """Yield the ways of a call to a port that nodes take for a Service; none where it is no such.

    Args:
        engine: Who decides.
        question: What is asked; its destination is `end`.
        end: The node.
        ask: Judges a hop.
    """
    found = _service(engine, question)
    if found is None:
        return
    service, port = found
    name = f"{service.namespace}/{service.name}"
    behind = {
        node
        for each, _ in members(engine, service).ends
        for node in (nodes_of(engine, each) if isinstance(each, PodsEnd) else (None,))
    }
    local = service.external_traffic_policy == "Local"
    nobody = local and behind and None not in behind and end.node.name not in behind
    within = not isinstance(question.source, AddressEnd)
    if nobody and not within:
        yield Way((), _not_on(name, end.node.name, service.span))
        return
    views = _local(end.node.name, nobody=bool(nobody)) if local else _cluster(end.node.name)
    views = views if within or not local else views[:1]
    first = next(each.landing for each in views if each.landing is not None)
    to = ServiceEnd(f"svc:{name}", service, outside=True, landing=first)
    asked = replace(question, destination=to, traffic=parse_traffic(str(port.port), port.protocol))
    before = tuple(early(engine, question, ask))
    why = (f"port {port.node_port} of nodes is that of Service {name}",)
    for part, stop in parts(engine, asked):
        if stop is not None:
            yield Way(before, stop)
            continue
        answer = _answer(replace(question, source=part.source), part, to, views, ask)
        yield Way((*before, Hop(HopRole.CALL, part, why, answer=answer)))


def _service(engine: Engine, question: Question) -> tuple[Service, ServicePort] | None:
    """Return the port of a Service that nodes take what is asked for."""
    for service in engine.world.services.values():
        for port in service.ports:
            number = port.node_port
            if number is not None and question.traffic.traffic == TrafficSet.ports(
                port.protocol, number
            ):
                return service, port
    return None


def _cluster(node: str) -> tuple[_View, ...]:
    """Return how a call may be led on where pods of every node get it."""
    return (
        _View("where pods see the node", Landing(node), known.NODE_PORT_ORDER),
        _View(
            "where pods of that node see the caller",
            Landing(node, early=True),
            known.NODE_PORT_ORDER,
        ),
    )


def _local(node: str, *, nobody: bool) -> tuple[_View, ...]:
    """Return how a call may be led on that the Service keeps on its node, from outside first."""
    kept = None if nobody else Landing(node, kept=True, masked=False)
    told = known.NODE_PORT_LOCAL
    return (
        _View("where only pods of that node get it", kept, told),
        _View("where every pod may get it", Landing(node, masked=False), told),
        _View("where every pod may get it from the node", Landing(node), told),
    )


def _answer(
    dialled: Question, asked: Question, to: ServiceEnd, views: Sequence[_View], ask: Ask
) -> Explanation:
    """Return what becomes of a call, where every way of leading it on agrees about that."""
    if isinstance(asked.source, PodsEnd):
        # Pods behind the Service may see the caller itself, where nothing takes its place.
        bare = Landing(views[-1].landing.node if views[-1].landing else "", masked=False)
        plain = ask(replace(asked, destination=replace(to, landing=bare)))
        stopped = leaving_stops(plain)
        if stopped != leaving_stops(ask(dialled)):
            # Where the caller is, its packet may be to the node still, or to a pod already.
            side = "a pod behind it" if stopped else "the node"
            said = f"leaving {asked.source.text} is denied as a call to {side}, and allowed else"
            return _open(replace(plain, question=asked), said, [(known.SERVICE_NAT,)])
        if stopped:
            return replace(plain, question=asked)
        views = (*views, _View("where pods see the caller", bare, known.SHORT_CIRCUIT))
    answers: list[Explanation] = []
    differing: dict[Verdict, _View] = {}
    for each in views:
        verdict = Verdict.DENIED  # what is dropped arrives nowhere
        if each.landing is not None:
            answers.append(ask(replace(asked, destination=replace(to, landing=each.landing))))
            verdict = answers[-1].verdict
        differing.setdefault(verdict, each)
    base = min(answers, key=lambda answer: _BADNESS.index(answer.verdict))
    base = replace(base, question=asked)
    if len(differing) == 1:
        # Whichever it is, the first tells what most who lead calls on do.
        return replace(answers[0], question=asked)
    said = ", ".join(f"{verdict} {view.text}" for verdict, view in differing.items())
    doubts: list[tuple[Caveat, ...]] = [answer.caveats for answer in answers]
    doubts += [(view.caveat,) for view in list(differing.values())[1:]]
    return _open(base, f"how the node leads it on is not certain: {said}", doubts)


def _open(answer: Explanation, said: str, doubts: Sequence[tuple[Caveat, ...]]) -> Explanation:
    """Return an answer that leaves open what becomes of a call, and says why."""
    return replace(
        answer,
        verdict=Verdict.UNDETERMINED,
        allowed=NO_TRAFFIC,
        witnesses=(),
        caveats=merge_caveats([answer.caveats, *doubts]),
        notes=(*answer.notes, said),
    )


_BADNESS = (Verdict.DENIED, Verdict.MIXED, Verdict.UNDETERMINED, Verdict.ALLOWED)


def _not_on(service: str, node: str, span: Span) -> Stop:
    return Stop(
        "NoLocalEndpoint",
        f"externalTrafficPolicy of Service {service} is Local, and no pod behind it is on {node}",
        "dial a node that has one, or set externalTrafficPolicy: Cluster",
        span,
        "kubernetes/api core/v1/types.go ServiceExternalTrafficPolicy",
    )
