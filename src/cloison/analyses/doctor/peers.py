"""D-PEER: replicas of a store reach each other, before they are ready too, and nobody else does."""

from collections.abc import Iterable, Iterator

from cloison.analyses.ask import Explanation
from cloison.analyses.doctor.clinic import Clinic, on
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.doctor.judged import about, closed, denied, opened, outside, tried, what
from cloison.analyses.doctor.replicated import without
from cloison.analyses.ends import PodsEnd
from cloison.analyses.explain import merge_caveats
from cloison.base import Severity
from cloison.base.words import few, listed
from cloison.ir.policy import Direction
from cloison.platform.component import ComponentPort, Operator, Role
from cloison.platform.replicas import Group, groups
from cloison.resources.objects import Service
from cloison.resources.runtime import ProbeRole
from cloison.resources.world import Workload, WorkloadId

_READY_SOURCE = "kubernetes/api core/v1/types.go ServiceSpec.publishNotReadyAddresses"
_MAY = frozenset({Role.METRICS, Role.CONTROLLER})
"""Who may have business with every port of a store."""
_Asked = tuple[ComponentPort, Explanation]


def peers(clinic: Clinic) -> Iterator[Finding]:
    """Yield what keeps replicas apart, and who gets at what is between them alone."""
    for group in groups(clinic.engine.world, clinic.site.components):
        names = [each for each in group.workloads if clinic.examines(each.namespace)]
        for name in names:
            yield from _apart(clinic, group, name)
            yield from _unattended(clinic, group, name)
            yield from _exposed(clinic, group, name)
            yield from _unready(clinic, group, name)


def _apart(clinic: Clinic, group: Group, name: WorkloadId) -> Iterator[Finding]:
    """Yield a finding where replicas cannot reach each other on ports that they need."""
    shut: list[_Asked] = []
    for other in group.workloads:
        for choice in group.needed:
            asked = [(port, _between(clinic, name, other, port)) for port in choice]
            known = [(port, answer) for port, answer in asked if answer is not None]
            if known and all(closed(answer) for _, answer in known):
                shut.append(known[0])
    if not shut:
        return
    workload = clinic.engine.world.workloads[name]
    told = [answer for _, answer in shut]
    sure = group.certain and any(map(denied, told))
    yield Finding(
        code="PEE001",
        check="D-PEER",
        severity=Severity.ERROR if sure else Severity.WARNING,
        message=f"replicas of {name} cannot reach each other on {_ports(p for p, _ in shut)}",
        effect="they form no cluster, or fall out of it: no election, no replication",
        help="let its pods send to and take from its own pods on those ports, by number: a "
        "port that no container declares has no name",
        mode=Mode.DEPENDENCY,
        **about(workload),
        evidence=(_is(group, workload),),
        mend=clinic.mend(told),
        caveats=merge_caveats(each.caveats for each in told),
        source=group.component.source,
    )


def _between(
    clinic: Clinic, name: WorkloadId, other: WorkloadId, port: ComponentPort
) -> Explanation | None:
    pods, others = clinic.pods(name), clinic.pods(other)
    return tried(clinic, pods, others, on(port.protocol, int(port.port)))


def _ports(ports: Iterable[ComponentPort]) -> str:
    said = dict.fromkeys(f"{p.protocol}/{p.port} ({p.purpose})" for p in ports)
    return listed(list(said))


def _is(group: Group, workload: Workload) -> Evidence:
    ports = _ports(port for choice in group.needed for port in choice)
    return Evidence(f"{workload.id} is {group.component.name}: it uses {ports}", workload.span)


def _unattended(clinic: Clinic, group: Group, name: WorkloadId) -> Iterator[Finding]:
    """Yield a finding where the operator of replicas, if it is there, does not reach them."""
    for operator, how in _operators(clinic, group).items():
        asked = [
            (port, tried(clinic, clinic.pods(operator), clinic.pods(name), on(port.protocol, n)))
            for port in group.ports
            if isinstance(n := port.port, int) and n in how.ports
        ]
        shut = [(port, answer) for port, answer in asked if answer is not None and closed(answer)]
        if not shut:
            continue
        workload = clinic.engine.world.workloads[name]
        told = [answer for _, answer in shut]
        sure = group.certain and any(map(denied, told))
        yield Finding(
            code="PEE004",
            check="D-PEER",
            severity=Severity.ERROR if sure else Severity.WARNING,
            message=f"{operator} runs {name} and cannot reach it on {_ports(p for p, _ in shut)}",
            effect="it does not see how replicas are: no failover, no updates, no repairs",
            help="let its pods in on those ports, and let them out where their egress is "
            "restricted",
            mode=Mode.DEPENDENCY,
            **about(workload),
            evidence=(_is(group, workload),),
            mend=clinic.mend(told),
            caveats=merge_caveats(each.caveats for each in told),
            source=how.source,
        )


def _operators(clinic: Clinic, group: Group) -> dict[WorkloadId, Operator]:
    """Return the workloads of the input whose labels say that they run replicas."""
    return {
        workload.id: each
        for workload in clinic.everyone()
        for each in group.component.operators
        if each.labels.items() <= workload.endpoints[0].labels.items()
    }


def _exposed(clinic: Clinic, group: Group, name: WorkloadId) -> Iterator[Finding]:
    """Yield a finding that names who else gets at ports between replicas.

    Where no policy restricts who comes in, everything is open, and that is another matter.
    """
    if not group.closed or not clinic.isolated(name, Direction.INGRESS):
        return
    pods = clinic.pods(name)
    open_to: dict[str, list[_Asked]] = {}
    for source in _others(clinic, group):
        for port in group.closed:
            answer = tried(clinic, source, pods, on(port.protocol, int(port.port)))
            if answer is not None and opened(answer):
                open_to.setdefault(source.text, []).append((port, answer))
    if not open_to:
        return
    every = outside("any address outside", ("0.0.0.0/0", "::/0"))
    for port in group.closed:
        answer = tried(clinic, every, pods, on(port.protocol, int(port.port)))
        if answer is not None and opened(answer):
            open_to.setdefault(every.text, []).append((port, answer))
    asked = [each for found in open_to.values() for each in found]
    workload = clinic.engine.world.workloads[name]
    rules = dict.fromkeys(
        Evidence(f"{each.text} lets it in", each.span)
        for _, answer in asked
        for each in answer.deciders
        if each.policy is not None and each.direction is Direction.INGRESS
    )
    yield Finding(
        code="PEE002",
        check="D-PEER",
        severity=Severity.WARNING,
        message=f"{few(open_to)} may reach {name} on {_ports(port for port, _ in asked)}, which "
        "is between its replicas",
        effect="who gets there can read what is replicated, or take part in elections, past the "
        "checks that clients have to pass",
        help="let only its own pods in on those ports, and clients on the port for clients",
        mode=Mode.BROAD,
        workload=name,
        object=what(workload),
        span=next((each.span for each in rules if each.span is not None), workload.span),
        evidence=(*tuple(rules)[:3], _is(group, workload)),
        mend=without(clinic, group, (answer for _, answer in asked)),
        caveats=merge_caveats(answer.caveats for _, answer in asked),
        source=group.component.source,
    )


def _others(clinic: Clinic, group: Group) -> Iterator[PodsEnd]:
    """Yield the pods of everybody with no business between replicas, alike ones once."""
    known = {
        name
        for found in clinic.site.components
        if found.component.role in _MAY
        for name in found.workloads
    } | set(_operators(clinic, group))
    seen = set()
    for workload in clinic.everyone():
        name = workload.id
        if name in group.workloads or name in known or workload.endpoints[0].shape.host_network:
            continue
        pods = clinic.pods(name)
        units = frozenset(u for i in pods.endpoints for u in clinic.engine.table.by_endpoint[i])
        if units not in seen:
            seen.add(units)
            yield pods


def _unready(clinic: Clinic, group: Group, name: WorkloadId) -> Iterator[Finding]:
    """Yield a finding where replicas find each other by names that only ready ones have."""
    workload = clinic.engine.world.workloads[name]
    if name.kind != "StatefulSet" or not group.closed or not _waits(workload):
        return
    labels = workload.endpoints[0].labels.items()
    headless = [
        service
        for service in clinic.engine.world.services.values()
        if service.namespace == name.namespace
        and "None" in service.cluster_ips
        and service.selector
        and service.selector.items() <= labels
    ]
    if not headless or any(each.publish_not_ready for each in headless):
        return
    first: Service = headless[0]
    yield Finding(
        code="PEE003",
        check="D-PEER",
        severity=Severity.INFO,
        message=f"replicas of {name} have names only when they are ready: Service "
        f"{first.namespace}/{first.name} does not publish others",
        effect="if they are ready only once they have found each other, a new cluster never starts",
        help="set publishNotReadyAddresses: true on the headless Service",
        mode=Mode.DEPENDENCY,
        workload=name,
        object=f"Service {first.namespace}/{first.name}",
        span=first.span,
        evidence=(_is(group, workload),),
        source=_READY_SOURCE,
    )


def _waits(workload: Workload) -> bool:
    """Return whether something says when a pod is ready."""
    run = workload.endpoints[0].shape.runtime
    return run is not None and any(
        probe.role is ProbeRole.READINESS for each in run.containers for probe in each.probes
    )
