"""D-JOB: Jobs are governed like their neighbours, reach what those reach, and serve nobody."""

from collections.abc import Iterator, Sequence

from cloison.algebra import TrafficSet
from cloison.analyses.backends import own_port
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.doctor.judged import selects, what
from cloison.base import Severity
from cloison.base.words import few
from cloison.ir.policy import Action, Direction, Policy, Rule
from cloison.resources.objects import Service
from cloison.resources.runtime import Runtime, VariableSource
from cloison.resources.world import Workload

_KINDS = ("Job", "CronJob")
_SOURCE = "kubernetes/website concepts/workloads/controllers/job.md"
_SERVICE_SOURCE = "kubernetes/kubernetes staging/src/k8s.io/endpointslice/utils.go"
_LOOKUPS = TrafficSet.ports("UDP", 53) | TrafficSet.ports("TCP", 53)


def jobs(clinic: Clinic) -> Iterator[Finding]:
    """Yield what is amiss with the pods of Jobs: nobody sees them for long."""
    for workload in clinic.workloads():
        if workload.id.kind not in _KINDS or workload.endpoints[0].shape.host_network:
            continue
        others = [
            each
            for each in clinic.homes[workload.id.namespace]
            if each.id.kind not in _KINDS and not each.endpoints[0].shape.host_network
        ]
        yield from _forgotten(clinic, workload, others)
        yield from _cut_off(clinic, workload, others)
        yield from _serving(clinic, workload, others)


def _forgotten(clinic: Clinic, job: Workload, others: Sequence[Workload]) -> Iterator[Finding]:
    """Yield a finding where policies restrict a Job's like, or everybody else, and not the Job."""
    for direction in Direction:
        if clinic.isolated(job.id, direction):
            continue
        if direction is Direction.INGRESS and not job.endpoints[0].ports:
            continue  # it listens to nobody
        shut = [each for each in others if clinic.isolated(each.id, direction)]
        like = [each for each in shut if _shared(job, each) is not None]
        if like or (shut and len(shut) == len(others)):
            yield _unguarded(job, direction, like, shut)
            return


def _unguarded(
    job: Workload, direction: Direction, like: Sequence[Workload], shut: Sequence[Workload]
) -> Finding:
    names = few(str(each.id) for each in like or shut)
    than = "every other workload of its namespace is restricted"
    if like:
        than = f"{names} is restricted, with which it shares {_shared(job, like[0])}"
    out = direction is Direction.EGRESS
    return Finding(
        code="JOB001",
        check="D-JOB",
        severity=Severity.WARNING,
        message=f"no policy about {direction} selects the pods of {job.id}, though {than}",
        effect="while it runs, its pods may send anything anywhere; and once the namespace is "
        "isolated, they reach nothing"
        if out
        else "while it runs, anybody may reach its pods",
        help="give its pod template the labels that policies select, or isolate the whole "
        "namespace and let the Job do what it needs",
        mode=Mode.DEPENDENCY if out else Mode.BROAD,
        workload=job.id,
        object=what(job),
        span=job.span,
        evidence=(Evidence(f"policies restrict {names}"),),
        source=_SOURCE,
    )


def _cut_off(clinic: Clinic, job: Workload, others: Sequence[Workload]) -> Iterator[Finding]:
    """Yield a finding where policies let a Job's like out, and not the Job."""
    if not clinic.isolated(job.id, Direction.EGRESS):
        return
    mine = {policy.id for policy in _letting_out(clinic, job)}
    for other in others:
        shared = _shared(job, other)
        lacking = [p for p in _letting_out(clinic, other) if p.id not in mine]
        if not shared or not lacking or mine:
            continue
        policies = few(f"{policy.id.said}" for policy in lacking)
        yield Finding(
            code="JOB002",
            check="D-JOB",
            severity=Severity.WARNING,
            message=f"nothing but lookups lets the pods of {job.id} out, and {policies} lets out "
            f"{other.id}, with which it shares {shared}",
            effect="if it calls what that workload calls, such as its database, it fails when it "
            "runs, and is gone before anybody looks",
            help="let its own labels out to what it calls, or give its pod template the labels "
            "that those policies select",
            mode=Mode.DEPENDENCY,
            workload=job.id,
            object=what(job),
            span=job.span,
            evidence=tuple(
                Evidence(f"{policy.id.said} does not select it", policy.span)
                for policy in lacking[:3]
            ),
            source=_SOURCE,
        )
        return


def _letting_out(clinic: Clinic, workload: Workload) -> tuple[Policy, ...]:
    """Return the policies about a workload that let out more than lookups."""
    engine = clinic.engine
    found = {
        policy.id: policy
        for index in engine.table.by_workload[workload.id]
        for unit in engine.table.by_endpoint[index]
        for policy in engine.decision(unit, Direction.EGRESS).policies
    }
    return tuple(policy for policy in found.values() if any(map(_is_more, policy.rules)))


def _is_more(rule: Rule) -> bool:
    """Return whether a rule lets out more than lookups."""
    if rule.direction is not Direction.EGRESS:
        return False
    allowed = rule.action is Action.ALLOW and rule.peers
    return bool(allowed and (rule.traffic.named or rule.traffic.must - _LOOKUPS))


def _shared(job: Workload, other: Workload) -> str | None:
    """Return what a Job has in common with a workload that makes them call the same."""
    mine, theirs = job.endpoints[0].shape.runtime, other.endpoints[0].shape.runtime
    if mine is None or theirs is None:
        return None
    images = {c.image for c in mine.containers} & {c.image for c in theirs.containers}
    if any(images):
        return "its image"
    settings = _settings(mine) & _settings(theirs)
    return min(settings) if settings else None


def _settings(run: Runtime) -> set[str]:
    """Return the objects that a pod's environment comes from, by kind and name only."""
    kinds = {VariableSource.HIDDEN: "Secret", VariableSource.CONFIG_MAP: "ConfigMap"}
    return {
        f"{kinds[each.source]} {each.refers}"
        for container in run.containers
        for each in container.variables
        if each.source in kinds and each.refers
    } | {f"ConfigMap {name}" for container in run.containers for name in container.config_maps}


def _serving(clinic: Clinic, job: Workload, others: Sequence[Workload]) -> Iterator[Finding]:
    """Yield a finding for each Service that takes the pods of a Job for its own."""
    for service in clinic.engine.world.services.values():
        if service.namespace != job.id.namespace or not selects(service, job):
            continue
        meant = [each for each in others if selects(service, each)]
        if not meant or not any(_serves(job, service)):
            continue
        name = f"{service.namespace}/{service.name}"
        yield Finding(
            code="JOB003",
            check="D-JOB",
            severity=Severity.WARNING,
            message=f"the pods of {job.id} are endpoints of Service {name} while they run",
            effect="calls of the Service are sent to them, too, and fail",
            help="take the labels that the Service selects from the Job's pod template",
            mode=Mode.VERSION,
            workload=job.id,
            object=what(job),
            span=job.span,
            evidence=(
                Evidence(f"Service {name} selects them by their labels", service.span),
                Evidence(f"it is meant for {few(str(each.id) for each in meant)}"),
            ),
            source=_SERVICE_SOURCE,
        )


def _serves(job: Workload, service: Service) -> Iterator[bool]:
    """Yield for each port of a Service whether pods of a Job are endpoints of it."""
    for port in service.ports:
        named = isinstance(port.target, str)
        yield not named or own_port(job.endpoints[0], str(port.target), port.protocol) is not None
