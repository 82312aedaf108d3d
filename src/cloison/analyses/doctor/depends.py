"""D-CALL: what the environment of a workload tells it to call is let through."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cloison.analyses.ask import Explanation, Mend
from cloison.analyses.backends import members
from cloison.analyses.doctor.admitting import service_let_out
from cloison.analyses.doctor.clinic import Clinic, on, stopped
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.doctor.judged import about, certain, closed, tried
from cloison.analyses.ends import PodsEnd, ServiceEnd
from cloison.base import Severity
from cloison.base.words import few, listed
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Direction
from cloison.platform.calls import Call, calls, configs
from cloison.platform.names import service_of
from cloison.platform.telemetry import is_telemetry
from cloison.resources.objects import Service
from cloison.resources.world import Workload

_EARLY = (
    "let it out by labels that the Service itself selects and by the Service's target port, or "
    "take the setting away: the call is judged before the Service is translated"
)
_SOURCE = "kubernetes/website concepts/services-networking/service.md"


@dataclass(frozen=True, slots=True)
class Wish:
    """A Service that the environment of a workload names.

    Args:
        service: The Service.
        port: The port that is called; None where nothing says.
        protocol: `TCP` or `UDP`.
        said: What says so.
    """

    service: Service
    port: int | None
    protocol: str
    said: tuple[Call, ...]

    @property
    def end(self) -> ServiceEnd:
        """The Service as the end of a question."""
        return ServiceEnd(f"svc:{self.service.namespace}/{self.service.name}", self.service)

    @property
    def by(self) -> str:
        """What says so, for people."""
        return listed(sorted({each.by for each in self.said}))


def depends(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for each Service that a workload is told to call and does not reach."""
    known, shared = configs(clinic.engine.world), _shared(clinic)
    for workload in clinic.workloads():
        shape = workload.endpoints[0].shape
        if shape.host_network:
            continue
        pods = clinic.pods(workload.id)
        common = shared[workload.id.namespace]
        told = calls(known, workload.id.namespace, shape.runtime)
        wanted = [each for each in told if not is_telemetry(each.name)]
        for wish in wishes(clinic, workload, wanted):
            # Settings that many take in whole do not say that each of them uses all.
            sure = not all(call.whole in common for call in wish.said)
            yield from _asked(clinic, workload, pods, wish, sure=sure)


def _shared(clinic: Clinic) -> Mapping[str, frozenset[str]]:
    """Return the ConfigMaps that several workloads take in whole, by namespace."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for workload in clinic.everyone():
        run = workload.endpoints[0].shape.runtime
        containers = run.containers if run is not None else ()
        names = {name for each in containers for name in each.config_maps}
        found[workload.id.namespace].update(names)
    return {
        space: frozenset(name for name, count in counts.items() if count > 1)
        for space, counts in found.items()
    }


def wishes(clinic: Clinic, workload: Workload, told: list[Call]) -> Iterator[Wish]:
    """Yield the Services of the input that calls name, but for those of the workload itself."""
    found: dict[tuple[str, str, int | None, str], list[Call]] = {}
    for call in told:
        key = service_of(clinic.engine.world, workload.id.namespace, call.host)
        if key is not None:
            found.setdefault((*key, call.port, call.protocol), []).append(call)
    for (namespace, name, port, protocol), said in found.items():
        service = clinic.engine.world.services[namespace, name]
        if not _own(workload, service):
            number, spoken = _port(service, port, protocol)
            if not any(call.sure for call in said) and all(
                each.port != number for each in service.ports
            ):
                continue
            yield Wish(service, number, spoken, tuple(said))


def _own(workload: Workload, service: Service) -> bool:
    """Return whether a Service leads to the workload itself: it is told its own name, then."""
    labels = workload.endpoints[0].labels.items()
    return bool(service.selector) and (
        service.namespace == workload.id.namespace and (service.selector or {}).items() <= labels
    )


def _port(service: Service, port: int | None, protocol: str) -> tuple[int | None, str]:
    """Return the port of a Service that a call means, and its protocol."""
    if port is None and len(service.ports) == 1:
        return service.ports[0].port, service.ports[0].protocol
    spoken = {each.protocol for each in service.ports if each.port == port}
    return port, protocol if protocol in spoken or len(spoken) != 1 else spoken.pop()


def _asked(
    clinic: Clinic, workload: Workload, pods: PodsEnd, wish: Wish, *, sure: bool
) -> Iterator[Finding]:
    if wish.port is None or wish.service.type == "ExternalName":
        return
    if _lacks(wish):
        if members(clinic.engine, wish.service).ends:
            yield _no_port(workload, wish)
        return
    asked = on(wish.protocol, wish.port)
    if clinic.passes(pods, wish.end, asked):
        return
    answer = tried(clinic, pods, wish.end, asked)
    if answer is not None and closed(answer):
        yield _finding(clinic, workload, wish, answer, sure=sure)


def _lacks(wish: Wish) -> bool:
    """Return whether a Service has no such port; a headless one has all that its pods have."""
    if "None" in wish.service.cluster_ips or not wish.service.ports:
        return False
    return all(each.port != wish.port for each in wish.service.ports)


def _finding(
    clinic: Clinic, workload: Workload, wish: Wish, answer: Explanation, *, sure: bool
) -> Finding:
    name = f"{wish.end.text}:{wish.port}/{wish.protocol}"
    whole = answer.verdict is Verdict.DENIED
    state = "is not let through" if whole else "is let through to some pods of it only"
    return Finding(
        code="DEP001",
        check="D-CALL",
        severity=_severity(clinic, wish, answer, sure=sure),
        message=f"{workload.id} is told to call {name} by {wish.by}, and that {state}",
        effect="the call fails when the application makes it"
        + ("" if sure else "; others have the same settings, and it may not use all of them"),
        help=_EARLY
        if clinic.engine.profile.egress_before_translation
        else "let it reach the pods behind that Service if it is meant to, or take the setting "
        "away",
        mode=Mode.DEPENDENCY,
        **about(workload),
        evidence=evidence(wish),
        mend=_mend(clinic, workload, wish, answer) if sure else (),
        caveats=answer.caveats,
        source=_SOURCE,
    )


def _severity(clinic: Clinic, wish: Wish, answer: Explanation, *, sure: bool) -> Severity:
    """Return how bad it is: what is surely called and never arrives is an outage."""
    if not sure:
        return Severity.INFO
    told = any(call.sure for call in wish.said)
    return Severity.ERROR if told and certain(clinic, answer) else Severity.WARNING


def _mend(clinic: Clinic, workload: Workload, wish: Wish, answer: Explanation) -> tuple[Mend, ...]:
    early = clinic.engine.profile.egress_before_translation
    if early and Direction.EGRESS in stopped(answer):
        for port in wish.service.ports:
            if (port.port, port.protocol) == (wish.port, wish.protocol):
                return service_let_out(clinic, clinic.pods(workload.id), wish.service, port)
    return clinic.mend([answer])


def evidence(wish: Wish) -> tuple[Evidence, ...]:
    """Return what says that a Service is called; of values no more than host and port."""
    return tuple(
        Evidence(
            f"{call.by} names {call.host}" + (f" and port {call.port}" if call.port else ""),
            call.span,
        )
        for call in wish.said
    )


def _no_port(workload: Workload, wish: Wish) -> Finding:
    service = wish.service
    have = few(f"{each.port}/{each.protocol}" for each in service.ports)
    return Finding(
        code="DEP002",
        check="D-CALL",
        severity=Severity.WARNING,
        message=f"{workload.id} is told to call port {wish.port} of {wish.end.text} by {wish.by}, "
        "which has no such port",
        effect="nothing answers there, whatever policies let through",
        help=f"call a port that it has: {have}",
        mode=Mode.DEPENDENCY,
        **about(workload),
        evidence=(
            *evidence(wish),
            Evidence(f"Service {service.namespace}/{service.name} has {have}", service.span),
        ),
        source=_SOURCE,
    )
