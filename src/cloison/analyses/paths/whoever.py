"""Ends of which nobody knows who they are: what policies stop whoever that is, they stop."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cloison.algebra import EVERY_ADDRESS, NO_ADDRESSES, AddressSet, TrafficSet
from cloison.analyses.ask import Explanation, Question
from cloison.analyses.ends import AddressEnd, PodsEnd, ServiceEnd, SomeNodeEnd
from cloison.analyses.paths.lookup import Ask
from cloison.analyses.paths.model import Hop, HopRole, Way
from cloison.analyses.question import Traffic
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.ir import caveats as known
from cloison.ir.fidelity import Verdict
from cloison.ir.names import host_name
from cloison.ir.peers import BlockMatch, PodsMatch, plain_matches
from cloison.ir.policy import Action, Direction, Peer, Rule
from cloison.platform.names import by_search
from cloison.platform.routes.model import Plane
from cloison.resources.objects import Labels

_NO_ENDPOINTS = AddressSet.block("169.254.0.0/16") | AddressSet.block("fe80::/10")
"""Addresses that no EndpointSlice may list."""


def settled(way: Way, planes: Sequence[Plane], ask: Ask, engine: Engine) -> Way:
    """Return a way with the verdict on hops of ends that nobody knows, where one is certain.

    Args:
        way: The way.
        planes: Who may serve the entry that it is through.
        ask: Judges a hop.
        engine: Who decides.
    """
    hops = tuple(
        replace(hop, answer=found)
        if hop.role is HopRole.BACKEND
        and hop.answer is None
        and (found := _refused(hop, planes, ask, engine)) is not None
        else hop
        for hop in way.hops
    )
    return replace(way, hops=hops)


def _refused(hop: Hop, planes: Sequence[Plane], ask: Ask, engine: Engine) -> Explanation | None:
    """Return why a backend lets in nobody who could serve an entry; None where it may."""
    plane = next((each for each in planes if each.name == hop.question.source.text), None)
    return None if plane is None else refused(engine, hop.question, plane, ask)


def refused(engine: Engine, question: Question, plane: Plane, ask: Ask) -> Explanation | None:
    """Return why nobody who could serve an entry is let in; None where somebody may be.

    Args:
        engine: Who decides.
        question: What is asked; its source is who serves the entry.
        plane: Who that is, as far as it is known.
        ask: Judges a connection.
    """
    elsewhere = NO_ADDRESSES
    for each in plane.elsewhere:
        elsewhere |= AddressSet.block(each)
    nodes = AddressSet.points(tuple(engine.node_addresses))
    source = AddressEnd(plane.name, EVERY_ADDRESS - elsewhere - nodes)
    answer = ask(replace(question, source=source))
    if answer.verdict is not Verdict.DENIED:
        return None
    pods = plane.unknown or plane.somewhere is not None
    labels = plane.somewhere.labels if plane.somewhere is not None else {}
    if pods and not _only_addresses(engine, answer, Direction.INGRESS, labels):
        return None
    if plane.unknown:
        # On the network of a node it gets in where it runs beside the pods at most.
        node = SomeNodeEnd(plane.name, passing=True)
        if ask(replace(question, source=node)).verdict is Verdict.ALLOWED:
            return None
    return replace(answer, mending=None)


def _only_addresses(
    engine: Engine, answer: Explanation, direction: Direction, labels: Labels
) -> bool:
    """Return whether what governs the pods of an answer can be for no pods with some labels."""
    for case in answer.cases:
        inward = direction is Direction.INGRESS
        party = case.case.destination if inward else case.case.source
        decision = engine.decision(party.unit, direction)
        if not decision.isolating:
            return False
        for policy in decision.terms.policies:
            for rule in policy.rules_for(direction):
                if _opens(rule, case.case.traffic) and _may_be_pods(rule.peers, labels):
                    return False
    return True


def _opens(rule: Rule, traffic: TrafficSet) -> bool:
    if rule.action is Action.DENY:
        return False
    return bool(rule.traffic.named) or bool(rule.traffic.must & traffic)


def _may_be_pods(peers: Iterable[Peer], labels: Labels) -> bool:
    """Return whether peers may be pods that have some labels, wherever these live."""
    matches = [match for peer in peers for match in plain_matches(peer.match)]
    if not matches:
        return True
    for match in matches:
        if isinstance(match, BlockMatch):
            continue
        if not isinstance(match, PodsMatch):
            return True
        said = [each for each in match.pods.requirements if each.key in labels]
        if all(each.matches(labels) for each in said):
            return True
    return False


def unread(way: Way, question: Question, ask: Ask, engine: Engine) -> Way:
    """Return a way to endpoints that were not read, denied where pods may call nobody at all.

    Args:
        way: The way.
        question: The call.
        ask: Judges a connection.
        engine: Who decides.
    """
    end, source = question.destination, question.source
    stop = way.stop
    if stop is None or stop.caveat != known.ENDPOINTS_NOT_READ or not isinstance(source, PodsEnd):
        return way
    if not isinstance(end, ServiceEnd):
        name = host_name(end.text.removeprefix("dns:"))
        meant = by_search(engine.world, source.workload.id.namespace, name)
        if meant is None:
            return way
        end = ServiceEnd(meant.text, meant.service)
    protocols = {each.protocol for each in end.service.ports} or {"TCP"}
    if len(protocols) != 1:
        return way
    name = protocols.pop()
    whole = Traffic(name, TrafficSet.protocol(name))
    anywhere = AddressEnd(f"whoever is behind {end.text}", EVERY_ADDRESS - _NO_ENDPOINTS)
    asked = replace(question, destination=anywhere, traffic=whole, request=None)
    try:
        answer = ask(asked)
    except QuestionError:
        return way
    api = (end.service.namespace, end.service.name) == ("default", "kubernetes")
    if answer.verdict is not Verdict.DENIED:
        return way
    if not _nobody_else(engine, answer, whole.traffic, api=api):
        return way
    hop = Hop(HopRole.CALL, asked, answer=replace(answer, mending=None))
    return replace(way, hops=(*way.hops, hop))


def _nobody_else(engine: Engine, answer: Explanation, traffic: TrafficSet, *, api: bool) -> bool:
    """Return whether what governs who asks opens nothing but addresses, or pods by their labels.

    Args:
        engine: Who decides.
        answer: What becomes of calls to addresses.
        traffic: What is called.
        api: Whether the API server is called, which no label of a pod is for.
    """
    for case in answer.cases:
        decision = engine.decision(case.case.source.unit, Direction.EGRESS)
        if not decision.isolating:
            return False
        for policy in decision.terms.policies:
            for rule in policy.rules_for(Direction.EGRESS):
                if not _opens(rule, traffic):
                    continue
                matches = [m for peer in rule.peers for m in plain_matches(peer.match)]
                kinds = (BlockMatch, PodsMatch) if api else (BlockMatch,)
                if not matches or not all(isinstance(each, kinds) for each in matches):
                    return False
    return True
