"""Calls to a Service where what leaves a pod is judged before the address is translated.

Rules about blocks then look at the Service's own address and port. Rules about pods let a Service
through whose selector has the labels that the rule asks for; their ports are those that the
Service leads to.

Source: aws/amazon-network-policy-controller-k8s pkg/resolvers/endpoints.go,
pkg/k8s/service_utils.go.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from cloison.algebra import EVERY_ADDRESS, AddressSet, TrafficSet, parse_address
from cloison.analyses.backends import members, own_port
from cloison.analyses.ends import AddressEnd, PodsEnd, ServiceEnd
from cloison.analyses.explain import CaseAnswer, PointAnswer, merge_caveats
from cloison.analyses.question import Traffic
from cloison.analyses.services import matching
from cloison.base import Span
from cloison.engine import Engine
from cloison.ir import caveats as known
from cloison.ir.fidelity import Verdict
from cloison.ir.peers import PodsMatch
from cloison.ir.policy import Direction, Policy, Rule
from cloison.resources.objects import ContainerPort, PodShape, Service, ServicePort
from cloison.resources.world import PodEndpoint, Workload, WorkloadId, World

if TYPE_CHECKING:
    from cloison.analyses.ask import Explanation, Question

Asks: TypeAlias = "Callable[[Engine, Question], Explanation]"

_NOWHERE = Span("", 0, 0)
_NO_NUMBER = 65535
"""Stands for the port of pods that disagree about it: rules by number do not match any."""
_BEST = (Verdict.ALLOWED, Verdict.MIXED, Verdict.UNDETERMINED, Verdict.DENIED)
_WORST = (Verdict.DENIED, Verdict.MIXED, Verdict.UNDETERMINED, Verdict.ALLOWED)


@dataclass(frozen=True, slots=True)
class _Halves:
    """An engine taken apart.

    Args:
        blocks: Judges what leaves, by all its rules.
        pods: Judges what leaves, by its rules about pods only; Services stand in its world as
            pods with the labels that they select.
        entering: Judges what enters.
        services: Those pods, by the Service and its port.
    """

    blocks: Engine
    pods: Engine
    entering: Engine
    services: dict[tuple[str, str, str, int], WorkloadId]


def applies(engine: Engine, question: "Question") -> bool:
    """Return whether a question is about such a call.

    Args:
        engine: Who decides.
        question: The question.
    """
    end = question.destination
    return (
        engine.profile.egress_before_translation
        and isinstance(question.source, PodsEnd)
        and isinstance(end, ServiceEnd)
        and not end.direct
        and end.service.type != "ExternalName"
        and "None" not in end.service.cluster_ips
        and bool(matching(end.service, question.traffic))
    )


def judged(engine: Engine, question: "Question", ask: Asks) -> "Explanation":
    """Return what becomes of such a call.

    Args:
        engine: Who decides.
        question: A question that it `applies` to.
        ask: Answers a question by an engine that judges every packet as it arrives.

    Raises:
        QuestionError: Nobody is behind the Service.
    """
    halves = engine.derived("untranslated", _taken_apart, _Halves)
    end = question.destination
    if not isinstance(end, ServiceEnd):
        return ask(halves.entering, question)
    entering = ask(halves.entering, question)
    leaving = [
        _leaving(halves, question, end.service, port, ask)
        for port in matching(end.service, question.traffic)
    ]
    answers = [*leaving, entering]
    told = {each.verdict for each in answers}
    worst = min(answers, key=lambda each: _WORST.index(each.verdict))
    if len({each.verdict for each in leaving}) > 1 and entering.verdict is Verdict.ALLOWED:
        verdict = Verdict.MIXED  # port by port
    else:
        verdict = next(each for each in _WORST if each in told)
    caveats = merge_caveats([each.caveats for each in answers])
    first = min(leaving, key=lambda each: _WORST.index(each.verdict))
    return replace(
        worst,
        question=question,
        verdict=verdict,
        shown=_both(first, entering),
        caveats=tuple(each for each in caveats if each is not known.SERVICE_NAT),
        notes=tuple(dict.fromkeys(note for each in answers for note in each.notes)),
        mending=None if worst is entering else (lambda _: ()),
    )


def _both(leaving: "Explanation", entering: "Explanation") -> CaseAnswer | None:
    """Return one case of what leaves and what enters, each as it was judged."""
    one, other = leaving.shown, entering.shown
    if one is None or other is None:
        return one or other
    points = (
        *(point for point in one.points if point.direction is Direction.EGRESS),
        *(point for point in other.points if point.direction is Direction.INGRESS),
    )
    verdict = min((one.verdict, other.verdict), key=_WORST.index)
    return replace(other, points=points, verdict=verdict)


def _leaving(
    halves: _Halves, question: "Question", service: Service, port: ServicePort, ask: Asks
) -> "Explanation":
    """Return whether a call to one port leaves the pod: some rule has to let it."""
    dialled = _on(port.protocol, port.port)
    name = f"svc:{service.namespace}/{service.name}"
    address = AddressEnd(f"{name} at its own address", _addresses(halves.blocks, service))
    by_block = ask(halves.blocks, replace(question, destination=address, traffic=dialled))
    if by_block.verdict is Verdict.MIXED and not _known(service):
        by_block = replace(by_block, verdict=Verdict.UNDETERMINED)
    key = (service.namespace, service.name, port.protocol, port.port)
    stand_in = halves.services.get(key)
    note = (
        f"what leaves a pod is judged before translation: by {name[4:]} and its port {port.port}, "
        "and by the labels that it selects"
    )
    if stand_in is None:
        return replace(by_block, notes=(*by_block.notes, note))
    workload = halves.pods.world.workloads[stand_in]
    indices = halves.pods.table.by_workload[stand_in]
    pods = PodsEnd(f"{name} by the labels it selects", workload, indices, single=True)
    number = workload.endpoints[0].ports[0].number
    by_pods = ask(
        halves.pods,
        replace(question, destination=pods, traffic=_on(port.protocol, number)),
    )
    if number == _NO_NUMBER:
        note += (
            f"; its pods disagree about the number of port {port.target}: only a rule with that "
            "name, or with all ports, lets the call out"
        )
        by_pods = _by_name(by_pods, port)
    best = min((by_pods, by_block), key=lambda each: _BEST.index(each.verdict))
    return replace(best, notes=(*best.notes, note))


def _by_name(answer: "Explanation", port: ServicePort) -> "Explanation":
    """Return an answer that says the name of a port where a number stands for it."""
    number, name = f"{port.protocol}/{_NO_NUMBER}", f"port {port.target}, which has no one number"

    def told(point: PointAnswer) -> PointAnswer:
        considered = tuple(
            replace(each, nearest_miss=(each.nearest_miss or "").replace(number, name) or None)
            for each in point.considered
        )
        return replace(point, considered=considered)

    def case(one: CaseAnswer) -> CaseAnswer:
        return replace(one, points=tuple(map(told, one.points)))

    shown = None if answer.shown is None else case(answer.shown)
    return replace(answer, shown=shown, cases=tuple(map(case, answer.cases)))


def _on(protocol: str, port: int) -> Traffic:
    return Traffic(f"{protocol}/{port}", TrafficSet.ports(protocol, port))


def _known(service: Service) -> bool:
    return bool(_points(service))


def _points(service: Service) -> tuple[int, ...]:
    return tuple(parse_address(text) for text in service.cluster_ips if text != "None")


def _addresses(engine: Engine, service: Service) -> AddressSet:
    """Return a Service's own addresses, or all that it may have."""
    points = _points(service)
    if points:
        return AddressSet.points(points)
    taken = AddressSet.points((*engine.holders, *engine.node_addresses))
    return (engine.networks.services or EVERY_ADDRESS) - taken


def _taken_apart(engine: Engine) -> _Halves:
    profile = replace(engine.profile, egress_before_translation=False)
    every = engine.policies.policies
    leaving = tuple(_one_way(each, Direction.EGRESS) for each in every)
    about_pods = tuple(_about_pods(each) for each in leaving if each is not None)
    entering = tuple(_one_way(each, Direction.INGRESS) for each in every)
    services = dict(_stand_ins(engine))
    world = replace(
        engine.world,
        workloads={**engine.world.workloads, **{each.id: each for each in services.values()}},
    )

    def made(policies: tuple[Policy | None, ...], over: World) -> Engine:
        held = replace(
            engine.policies, policies=tuple(each for each in policies if each is not None)
        )
        return Engine(over, held, profile, engine.networks)

    return _Halves(
        made(leaving, engine.world),
        made(about_pods, world),
        made(entering, engine.world),
        {key: each.id for key, each in services.items()},
    )


def _one_way(policy: Policy, direction: Direction) -> Policy | None:
    """Return the part of a policy that is about one direction, None where there is none."""
    rules = tuple(rule for rule in policy.rules if rule.direction is direction)
    isolates = policy.isolates & {direction}
    return replace(policy, rules=rules, isolates=isolates) if rules or isolates else None


def _about_pods(policy: Policy) -> Policy:
    return replace(policy, rules=tuple(found for rule in policy.rules for found in _pods(rule)))


def _pods(rule: Rule) -> Iterator[Rule]:
    """Yield a rule with its peers that are pods, if it has some."""
    peers = tuple(each for each in rule.peers if isinstance(each.match, PodsMatch))
    if peers:
        yield replace(rule, peers=peers)


def _stand_ins(engine: Engine) -> Iterator[tuple[tuple[str, str, str, int], Workload]]:
    """Yield a pod for each port of a Service, with the labels that it selects."""
    for (namespace, name), service in engine.world.services.items():
        if not service.selector or service.type == "ExternalName":
            continue
        for port in service.ports:
            number, names = _target(engine, service, port)
            ports = tuple(ContainerPort(number, port.protocol, each) for each in names)
            shape = PodShape(service.selector, ports or (ContainerPort(number, port.protocol),))
            key = WorkloadId(namespace, f"{name}:{port.port}/{port.protocol}", "Service")
            made = Workload(key, (PodEndpoint(key, None, shape, _NOWHERE),))
            yield (namespace, name, port.protocol, port.port), made


def _target(engine: Engine, service: Service, port: ServicePort) -> tuple[int, tuple[str, ...]]:
    """Return the number that rules have to name for a Service's port, and the names for it."""
    ends = [
        engine.table.endpoints[index]
        for end, _ in members(engine, service).ends
        for index in (end.endpoints if isinstance(end, PodsEnd) else ())
    ]
    target = port.target if port.target is not None else port.port
    if isinstance(target, str):
        numbers = {own_port(each, target, port.protocol) for each in ends}
        number = numbers.pop() if len(numbers) == 1 else None
        return number or _NO_NUMBER, (target,)
    named = [
        {p.name for p in each.ports if (p.number, p.protocol) == (target, port.protocol)}
        for each in ends
    ]
    common = set.intersection(*named) if named else set()
    return target, tuple(sorted(each for each in common if each))
