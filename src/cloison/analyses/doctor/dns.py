"""D-DNS: every workload whose egress is restricted reaches the resolver that it asks."""

from collections.abc import Iterator
from dataclasses import replace

from cloison.algebra import TrafficSet
from cloison.analyses.ask import Explanation, Mend
from cloison.analyses.doctor.clinic import Clinic, on
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.ends import PodsEnd, ServiceEnd
from cloison.analyses.explain import merge_caveats
from cloison.analyses.paths.lookup import resolver_end
from cloison.analyses.question import Traffic
from cloison.base import QuestionError, Severity
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Direction
from cloison.platform.resolvers import Resolver, Resolvers
from cloison.resources.world import Workload

_SOURCE = "kubernetes/website services-networking/dns-pod-service.md"
_PROTOCOLS = ("UDP", "TCP")


def dns(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for each workload whose names do not resolve, or not always."""
    for workload in clinic.workloads():
        if not clinic.isolated(workload.id, Direction.EGRESS):
            continue
        pods = clinic.pods(workload.id)
        shape = workload.endpoints[0].shape
        needs = clinic.site.resolvers(shape)
        for group in needs.needed:
            yield from _asked(clinic, workload, pods, group, needs)


def _asked(
    clinic: Clinic,
    workload: Workload,
    pods: PodsEnd,
    group: tuple[Resolver, ...],
    needs: Resolvers,
) -> Iterator[Finding]:
    """Yield what is wrong with the way to resolvers of which any one would do."""
    tried = [(each, _tried(clinic, pods, each)) for each in group]
    if any(_open(answers) for _, answers in tried if answers):
        return
    for resolver, answers in tried[:1]:
        if answers:
            whole = _whole(clinic, pods, resolver, answers)
            yield _finding(workload, resolver, answers, needs, whole.mend if whole else ())


def _tried(clinic: Clinic, pods: PodsEnd, resolver: Resolver) -> dict[str, Explanation]:
    """Return what becomes of lookups by protocol; nothing where the input holds no resolver."""
    end = resolver_end(clinic.engine, resolver)
    if end is None:
        return {}
    port = resolver.service_port if isinstance(end, ServiceEnd) else resolver.port
    found = {}
    for protocol in _PROTOCOLS:
        try:
            found[protocol] = clinic.reach(pods, end, on(protocol, port))
        except QuestionError:
            continue  # the Service does not take that protocol, or nobody is behind it
    return found


def _whole(
    clinic: Clinic, pods: PodsEnd, resolver: Resolver, answers: dict[str, Explanation]
) -> Explanation | None:
    """Return what becomes of all that is closed, asked together: one change mends it."""
    closed = [name for name, answer in answers.items() if answer.verdict is not Verdict.ALLOWED]
    # A Service is followed port by port; its pods can be asked about both at once.
    end = resolver_end(clinic.engine, replace(resolver, service=None))
    if len(closed) == 1 or end is None:
        return answers[closed[0]]
    traffic = TrafficSet.ports(closed[0], resolver.port)
    traffic |= TrafficSet.ports(closed[1], resolver.port)
    return clinic.reach(pods, end, Traffic(str(traffic), traffic))


def _open(answers: dict[str, Explanation]) -> bool:
    return all(answer.verdict is Verdict.ALLOWED for answer in answers.values())


def _finding(
    workload: Workload,
    resolver: Resolver,
    answers: dict[str, Explanation],
    needs: Resolvers,
    mend: tuple[Mend, ...],
) -> Finding:
    closed = [name for name, answer in answers.items() if answer.verdict is not Verdict.ALLOWED]
    sure = any(answers[name].verdict is Verdict.DENIED for name in closed)
    whole = len(closed) == len(answers)
    name, what = str(workload.id), f"{workload.id.kind} {workload.id}"
    said = " and ".join(closed)
    if whole:
        message = f"{name} cannot resolve names: {said} to {resolver.text} is not let through"
        effect = "every call by name fails; connections that are open, and cached names, hide it"
    else:
        message = f"{name} resolves names over one protocol only: {said} is not let through"
        effect = "answers that do not fit a datagram, and caches that ask over TCP, fail"
    return Finding(
        code="DNS001" if whole else "DNS002",
        check="D-DNS",
        severity=Severity.ERROR if sure and whole else Severity.WARNING,
        message=message,
        effect=effect,
        help="let it reach its resolver on UDP and TCP",
        mode=Mode.DNS,
        workload=workload.id,
        object=what,
        span=workload.span,
        evidence=(Evidence(resolver.why, resolver.span),),
        mend=mend,
        caveats=merge_caveats([*(answers[name].caveats for name in closed), needs.caveats]),
        source=_SOURCE,
    )
