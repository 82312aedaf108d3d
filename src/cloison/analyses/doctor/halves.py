"""D-METRICS: pods that somebody is let out to by the name of a port, and that do not let it in.

That is how collectors of metrics are set up where no monitor says what they collect: their own
policy names a port, and pods that declare a port of that name say that they wait for it.
"""

from collections import defaultdict
from collections.abc import Iterator

from cloison.analyses.ask import Explanation
from cloison.analyses.doctor.clinic import Clinic, on
from cloison.analyses.doctor.dns import isolating
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.doctor.served import enforced, peers_of, subjects_of
from cloison.analyses.ends import PodsEnd
from cloison.base import Severity
from cloison.base.words import few
from cloison.ir.policy import Action, Direction, Policy, Rule
from cloison.resources.world import WorkloadId

_SOURCE = "kubernetes/api networking/v1/types.go NetworkPolicyPort"
_INWARD = frozenset({Direction.INGRESS})
_Shut = dict[WorkloadId, tuple[str, int]]


def halves(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for the pods of each namespace that refuse whom a policy sends there."""
    for policy in enforced(clinic.engine):
        for rule in policy.rules_for(Direction.EGRESS):
            if rule.action is Action.ALLOW and rule.traffic.named:
                for caller in subjects_of(clinic.engine, policy):
                    yield from _refusing(clinic, policy, rule, caller)


def _refusing(clinic: Clinic, policy: Policy, rule: Rule, caller: WorkloadId) -> Iterator[Finding]:
    source = clinic.pods(caller)
    homes: dict[str, _Shut] = defaultdict(dict)
    for name in peers_of(clinic.engine, rule.peers):
        if name == caller or not clinic.examines(name.namespace):
            continue
        for number in sorted(_declared(clinic, name, rule)):
            if clinic.denied(source, clinic.pods(name), number) == _INWARD:
                homes[name.namespace][name] = number
    for shut in homes.values():
        yield _finding(clinic, policy, rule, source, shut)


def _declared(clinic: Clinic, name: WorkloadId, rule: Rule) -> set[tuple[str, int]]:
    """Return the ports of a workload that have a name that a rule opens."""
    names = {(each.name, each.protocol) for each in rule.traffic.named}
    return {
        (port.protocol, port.number)
        for pod in clinic.engine.world.workloads[name].endpoints
        if not pod.shape.host_network
        for port in pod.ports
        if (port.name, port.protocol) in names or (port.name, None) in names
    }


def _finding(clinic: Clinic, policy: Policy, rule: Rule, source: PodsEnd, shut: _Shut) -> Finding:
    answers: list[Explanation] = [
        clinic.reach(source, clinic.pods(name), on(*number)) for name, number in shut.items()
    ]
    first = clinic.engine.world.workloads[next(iter(shut))]
    pods = few(str(name) for name in shut)
    ports = few(each.name for each in rule.traffic.named)
    metrics = any("metrics" in each.name for each in rule.traffic.named)
    return Finding(
        code="SCR009",
        check="D-METRICS",
        severity=Severity.ERROR if metrics else Severity.WARNING,
        message=f"{pods} does not admit {source.text} on its port {ports!r}",
        effect="its metrics are not collected, and alarms that rest on them never fire"
        if metrics
        else f"{source.text} gets no answer there, though it may ask",
        help="admit it on that port alone",
        mode=Mode.SCRAPE if metrics else Mode.DEPENDENCY,
        workload=first.id,
        object=f"{first.id.kind} {first.id}",
        span=first.span,
        evidence=(
            Evidence(f"{policy.id} lets {source.text} out to every port {ports!r}", rule.span),
            *isolating(answers),
        ),
        mend=clinic.mend(answers),
        source=_SOURCE,
    )
