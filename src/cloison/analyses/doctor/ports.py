"""D-PORT: ports of policies are ports that somebody serves, on the pod, under that name."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypedDict

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.analyses.doctor.clinic import Clinic, on, stopped
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.doctor.served import (
    Number,
    Serving,
    declares,
    enforced,
    numbers,
    on_ports,
    peers_of,
    subjects_of,
    target_of,
)
from cloison.analyses.ends import ServiceEnd
from cloison.analyses.mend import Proposal
from cloison.base import QuestionError, Severity, Span
from cloison.base.words import few, listed
from cloison.ir.policy import Action, Direction, NamedPort, Policy, Rule, TrafficMatch
from cloison.ir.profile import NamedPorts
from cloison.platform.component import Role
from cloison.platform.replicas import groups
from cloison.resources.objects import Service, ServicePort
from cloison.resources.world import Workload, WorkloadId

_TYPES = "kubernetes/api networking/v1/types.go NetworkPolicyPort"
_SLICES = "kubernetes/kubernetes staging/src/k8s.io/endpointslice/utils.go"
_TRIED = 12
"""Pairs of which one must be cut off before a port is called wrong."""


def ports(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for each port of a policy that cannot mean what it says."""
    serving = Serving(clinic.engine)
    used = _used(clinic)
    undeclared: dict[object, list[Finding]] = {}
    for policy in enforced(clinic.engine):
        if not clinic.examines(policy.id.namespace):
            continue
        for rule in policy.rules:
            for found in _rule(clinic, serving, used, policy, rule) if _allows(rule) else ():
                if found.code == "PRT002":
                    undeclared.setdefault(found.effect, []).append(found)
                else:
                    yield found
    yield from (_as_one(group) for group in undeclared.values())
    for service in clinic.engine.world.services.values():
        if clinic.examines(service.namespace):
            yield from _service(clinic, serving, service)


def _allows(rule: Rule) -> bool:
    return rule.action is Action.ALLOW


def _as_one(group: Sequence[Finding]) -> Finding:
    """Return one finding for a port that rules of several policies open to nobody."""
    first = group[0]
    if len(group) == 1:
        return first
    others = few({str(each.object) for each in group[1:]})
    return replace(
        first,
        evidence=(Evidence(f"so do {len(group) - 1} more rules: {others}"),),
        workload=None,
    )


def _used(clinic: Clinic) -> frozenset[tuple[WorkloadId, Number]]:
    """Return the ports between replicas: products listen there, and few manifests declare them."""
    return frozenset(
        (name, (port.protocol, int(port.port)))
        for group in groups(clinic.engine.world, clinic.site.components)
        for name in group.workloads
        for choice in group.needed
        for port in choice
    )


def _rule(
    clinic: Clinic,
    serving: Serving,
    used: frozenset[tuple[WorkloadId, Number]],
    policy: Policy,
    rule: Rule,
) -> Iterator[Finding]:
    engine = clinic.engine
    inward = rule.direction is Direction.INGRESS
    subjects, peers = subjects_of(engine, policy), peers_of(engine, rule.peers)
    listening = subjects if inward else peers
    # What else pods that an operator makes declare is not known.
    if not listening or any(name in clinic.assumed for name in listening):
        return
    for number in numbers(rule.traffic.must):
        if any(number in serving.numbers(name) or (name, number) in used for name in listening):
            continue
        dialled = list(_dialled(serving, listening, number))
        if dialled:
            callers = peers if inward else subjects
            yield from _translated(clinic, policy, rule, number, dialled, callers)
        elif all(declares(engine.world.workloads[name], number[0]) for name in listening):
            yield _nobody(policy, rule, number, listening, serving)
    for name in rule.traffic.named:
        if not any(_has(engine.world.workloads[each], name) for each in listening):
            yield _unnamed(policy, rule, name, listening)


def _dialled(
    serving: Serving, listening: Sequence[WorkloadId], number: Number
) -> Iterator[tuple[Service, ServicePort, Workload, int]]:
    """Yield the Services in front of pods that translate a port, with what becomes of it."""
    for name in listening:
        workload = serving.engine.world.workloads[name]
        for service in serving.services.get(name, ()):
            for port in service.ports:
                if (port.protocol, port.port) != number or "None" in service.cluster_ips:
                    continue
                for target in {target_of(pod, port) for pod in workload.endpoints}:
                    if target is not None and target != number[1]:
                        yield service, port, workload, target


def _translated(
    clinic: Clinic,
    policy: Policy,
    rule: Rule,
    number: Number,
    dialled: Sequence[tuple[Service, ServicePort, Workload, int]],
    callers: Sequence[WorkloadId],
) -> Iterator[Finding]:
    """Yield a finding for the port of a Service, where nothing else opens the pods' own."""
    inward = rule.direction is Direction.INGRESS
    cut_off = [each for each in dialled if _cut_off(clinic, rule, each, callers)]
    if not cut_off:
        return
    protocol, port = number
    targets = sorted({target for *_, target in cut_off})
    pods = few(str(workload.id) for _, _, workload, _ in cut_off)
    service = cut_off[0][0]
    more = on_ports(rule, protocol, targets)
    shown = " or ".join(str(each) for each in targets)
    yield Finding(
        code="PRT001",
        check="D-PORT",
        severity=Severity.ERROR,
        message=f"{rule.label} of {policy.id} opens {protocol} {port}, the port of a Service: "
        f"{pods} listens on {shown}",
        effect=f"calls to Service {service.namespace}/{service.name} are dropped at "
        f"{'its pods' if inward else 'the caller'}",
        help=f"write port {shown}: policies are judged at the pod, after the Service",
        mode=_mode(clinic, callers, inward=inward),
        workload=cut_off[0][2].id if inward else (callers[0] if callers else None),
        **_written(policy, rule),
        evidence=tuple(
            dict.fromkeys(
                Evidence(
                    f"Service {s.namespace}/{s.name} leads port {p.port} to {target} of {w.id}",
                    s.span,
                )
                for s, p, w, target in cut_off
            )
        ),
        mend=clinic.add((Proposal(policy, more, new=False),)),
        source=_TYPES,
    )


def _mode(clinic: Clinic, callers: Sequence[WorkloadId], *, inward: bool) -> Mode:
    """Return how it shows: to collectors of metrics, to callers, to the application itself."""
    collectors = {
        name
        for found in clinic.site.components
        if found.component.role is Role.METRICS
        for name in found.workloads
    }
    if callers and set(callers) <= collectors:
        return Mode.SCRAPE
    return Mode.GATEWAY if inward else Mode.DEPENDENCY


def _cut_off(
    clinic: Clinic,
    rule: Rule,
    dialled: tuple[Service, ServicePort, Workload, int],
    callers: Sequence[WorkloadId],
) -> bool:
    """Return whether somebody whom a rule is about does not get through because of its port."""
    service, port, workload, target = dialled
    if not callers:
        # The peers are no pods of the input: another rule for the same peers may open the port.
        wanted = TrafficSet.ports(port.protocol, target)
        matches = {peer.match for peer in rule.peers}
        return not any(
            wanted <= other.traffic.must and matches <= {peer.match for peer in other.peers}
            for each in enforced(clinic.engine)
            if workload.id in subjects_of(clinic.engine, each)
            for other in each.rules_for(rule.direction)
        )
    end = ServiceEnd(f"svc:{service.namespace}/{service.name}", service)
    for name in callers[:_TRIED]:
        try:
            answer = clinic.reach(clinic.pods(name), end, on(port.protocol, port.port))
        except QuestionError:
            continue
        if rule.direction in stopped(answer):
            return True
    return False


def _nobody(
    policy: Policy,
    rule: Rule,
    number: Number,
    listening: Sequence[WorkloadId],
    serving: Serving,
) -> Finding:
    protocol, port = number
    there = sorted({p for name in listening for q, p in serving.numbers(name) if q == protocol})
    pods = few(str(name) for name in listening)
    return Finding(
        code="PRT002",
        check="D-PORT",
        severity=Severity.INFO,
        message=f"{rule.label} of {policy.id} opens {protocol} {port}, which nobody it is about "
        "declares",
        effect=f"{protocol} {port} is open to nobody, unless a pod listens there without "
        "declaring it",
        help=f"{pods} declares {listed([str(each) for each in there])}; write what is meant, or "
        "declare the port",
        mode=Mode.NO_EFFECT,
        workload=listening[0] if len(listening) == 1 else None,
        **_written(policy, rule),
        source=_TYPES,
    )


class _Written(TypedDict):
    """What a finding about a rule says of it."""

    object: str
    span: Span | None


def _written(policy: Policy, rule: Rule) -> _Written:
    return _Written(object=f"{policy.id.kind} {policy.id}", span=rule.span or policy.span)


def _has(workload: Workload, name: NamedPort) -> bool:
    return any(
        port.name == name.name and name.protocol in (None, port.protocol)
        for pod in workload.endpoints
        for port in pod.ports
    )


def _unnamed(
    policy: Policy, rule: Rule, name: NamedPort, listening: Sequence[WorkloadId]
) -> Finding:
    pods = few(str(each) for each in listening)
    return Finding(
        code="PRT003",
        check="D-PORT",
        severity=Severity.WARNING,
        message=f"{rule.label} of {policy.id} opens port {name.name!r}, a name that no pod it is "
        "about declares",
        effect="the rule lets nothing through",
        help=f"give the port that name in {pods}, or write its number",
        mode=Mode.NO_EFFECT,
        workload=listening[0] if len(listening) == 1 else None,
        **_written(policy, rule),
        source=_TYPES,
    )


def _service(clinic: Clinic, serving: Serving, service: Service) -> Iterator[Finding]:
    """Yield what pods behind a Service are left out, or differ in the port that a policy opens."""
    named = any(isinstance(port.target, str) for port in service.ports)
    behind = serving.behind(service) if named else ()
    behind = tuple(each for each in behind if each.id not in clinic.assumed)
    for port in service.ports if behind else ():
        if not isinstance(port.target, str):
            continue
        by_workload = {
            each.id: {own for pod in each.endpoints if (own := target_of(pod, port)) is not None}
            for each in behind
        }
        without = [each for each in behind if not by_workload[each.id]]
        if without:
            yield _left_out(service, port, without, every=len(without) == len(behind))
        numbers = {n for each in by_workload.values() for n in each}
        if len(numbers) > 1:
            yield from _some_only(clinic, service, port, by_workload)


def _left_out(
    service: Service, port: ServicePort, without: Sequence[Workload], *, every: bool
) -> Finding:
    first = without[0]
    pods = few(str(each.id) for each in without)
    pods_ports = (p for each in without for pod in each.endpoints for p in pod.ports)
    given = sorted({port.name for port in pods_ports if port.name})
    near = f"they are called {listed(given)} there" if given else "no port has a name there"
    return Finding(
        code="PRT004",
        check="D-PORT",
        severity=Severity.ERROR if every else Severity.WARNING,
        message=f"{pods} is no endpoint of Service {service.namespace}/{service.name}: no "
        f"{port.protocol} port of it is called {port.target!r}",
        effect="it gets none of the Service's traffic, whatever policies say",
        help=f"give a containerPort the name {port.target!r} ({near})",
        mode=Mode.DEPENDENCY if every else Mode.VERSION,
        workload=first.id,
        object=f"Service {service.namespace}/{service.name}",
        span=service.span,
        evidence=tuple(Evidence(f"{each.id} is selected", each.span) for each in without[:3]),
        source=_SLICES,
    )


def _some_only(
    clinic: Clinic,
    service: Service,
    port: ServicePort,
    by_workload: dict[WorkloadId, set[int]],
) -> Iterator[Finding]:
    """Yield a finding where a policy opens the port that only some pods of a Service serve."""
    every = {n for each in by_workload.values() for n in each}
    for policy in enforced(clinic.engine):
        chosen = set(subjects_of(clinic.engine, policy)) & set(by_workload)
        for rule in policy.rules_for(Direction.INGRESS):
            if rule.action is not Action.ALLOW or len(chosen) <= 1:
                continue
            opened = {n for n in every if TrafficSet.ports(port.protocol, n) <= rule.traffic.must}
            shut = sorted(n for n in {n for c in chosen for n in by_workload[c]} - opened)
            if not opened or not shut or rule.traffic.named:
                continue
            losers = [c for c in sorted(chosen) if by_workload[c] & set(shut)]
            if not any(_closed(clinic, c, port.protocol, n, rule) for c in losers for n in shut):
                continue
            more = on_ports(rule, port.protocol, shut)
            per_pod = clinic.engine.profile.named_ports is NamedPorts.PER_POD
            if per_pod and isinstance(port.target, str):
                # By its name it is each pod's own number: none gets one that it does not serve.
                name = NamedPort(port.target, port.protocol)
                more = replace(more, traffic=TrafficMatch(NO_TRAFFIC, named=(name,)))
            yield Finding(
                code="PRT005",
                check="D-PORT",
                severity=Severity.ERROR,
                message=f"{rule.label} of {policy.id} opens {port.protocol} "
                f"{listed([str(n) for n in sorted(opened)])}, but {few(str(c) for c in losers)} "
                f"serves {port.target!r} on {listed([str(n) for n in shut])}",
                effect=f"of the pods behind Service {service.namespace}/{service.name}, only some "
                "answer",
                help=f"open port {port.target!r} by its name, or all of its numbers",
                mode=Mode.VERSION,
                workload=losers[0],
                **_written(policy, rule),
                evidence=(Evidence(f"targetPort is {port.target!r}", service.span),),
                mend=clinic.add((Proposal(policy, more, new=False),)),
                source=_SLICES,
            )


def _closed(clinic: Clinic, name: WorkloadId, protocol: str, port: int, rule: Rule) -> bool:
    """Return whether a port of pods is closed to whom a rule is about."""
    engine = clinic.engine
    wanted = TrafficSet.ports(protocol, port)
    peers = engine.binder.peers(rule.peers).must
    for index in engine.table.by_workload[name]:
        for unit in engine.table.by_endpoint[index]:
            for piece in engine.decision(unit, Direction.INGRESS).pieces:
                if piece.peers & peers and not wanted <= piece.outcome.allowed:
                    return True
    return False
