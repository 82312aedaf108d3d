"""D-LB: pods behind a Service that is open to the outside admit those whom they then see."""

from collections.abc import Iterator, Sequence

from cloison.analyses.ask import Explanation, Mend
from cloison.analyses.doctor.admitting import nodes_let_in
from cloison.analyses.doctor.clinic import Clinic, blocks_end, on, stopped
from cloison.analyses.doctor.dns import isolating
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.doctor.nodes import gap
from cloison.analyses.doctor.served import (
    Number,
    Serving,
    listed_elsewhere,
    of_nodes,
    target_of,
)
from cloison.analyses.mend import blocks as cidrs
from cloison.base import Severity
from cloison.base.words import few
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Direction
from cloison.platform.routes.arrivals import Apparent, Arrival, arrivals
from cloison.resources.objects import Service, ServicePort
from cloison.resources.world import WorkloadId


def balancers(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for each Service that nobody outside reaches, though it is open to them."""
    serving = Serving(clinic.engine)
    doors = frozenset(
        name for entry in clinic.site.entries for plane in entry.planes for name in plane.workloads
    )
    for service in clinic.engine.world.services.values():
        if not clinic.examines(service.namespace):
            continue
        for arrival in arrivals(service, clinic.site.platform):
            behind = serving.behind(service)
            if behind and not any(w.id in doors for w in behind):
                yield from _closed(clinic, serving, service, arrival)


_State = tuple[WorkloadId, ServicePort, int, tuple[Explanation, ...], bool]
"""A workload behind a Service, the port, the pods' own, what stops it, and whether for certain."""


def _closed(
    clinic: Clinic, serving: Serving, service: Service, arrival: Arrival
) -> Iterator[Finding]:
    """Yield a finding where connections that arrive in a way do not get through."""
    shut: list[_State] = []
    for workload in serving.behind(service):
        for port in service.ports:
            for target in sorted({t for p in workload.endpoints if (t := target_of(p, port))}):
                if any(p.shape.host_network for p in workload.endpoints):
                    continue
                state = _state(clinic, workload.id, (port.protocol, target), arrival)
                if state is not None:
                    shut.append((workload.id, port, target, *state))
    if not shut:
        return
    answers = [answer for state in shut for answer in state[3]]
    pods = few(dict.fromkeys(str(state[0]) for state in shut))
    ports = few(dict.fromkeys(f"{port.protocol}/{port.port}" for _, port, *_ in shut))
    name = f"Service {service.namespace}/{service.name}"
    partly = all(state[4] for state in shut)
    whom = {
        Apparent.NODE: "the nodes, whose addresses it sees",
        Apparent.CLIENT: "any client outside",
        Apparent.BALANCER: "the load balancer",
    }[arrival.apparent]
    effect = f"{name} does not answer from outside on {ports}"
    if partly:
        whom = "the nodes' addresses on an overlay, only their own"
        effect = f"where pods have an overlay, {name} answers on nodes that run one of them only"
    elif arrival.checks:
        effect = f"health checks fail, and {name} gets no traffic from outside"
    elif arrival.nodes:
        effect += "; the probe takes that for the state of the node, and whole nodes drop out"
    unknown = arrival.apparent is Apparent.BALANCER and not arrival.blocks
    first = clinic.engine.world.workloads[shut[0][0]]
    severity = Severity.ERROR
    if partly or service.type == "NodePort" or unknown:
        severity = Severity.WARNING
    yield Finding(
        code="LBS003" if partly else "LBS002" if arrival.checks else "LBS001",
        check="D-LB",
        severity=severity,
        message=f"{pods} does not admit {whom}, though {name} is open to the outside",
        effect=effect,
        help=_help(clinic, arrival, unknown=unknown),
        mode=Mode.HEALTH,
        workload=first.id,
        object=name,
        span=first.span,
        evidence=(Evidence(arrival.why, service.span), *isolating(answers)),
        mend=_mend(clinic, arrival, answers, unknown=unknown),
        source=arrival.source,
    )


def _mend(
    clinic: Clinic, arrival: Arrival, answers: Sequence[Explanation], *, unknown: bool
) -> tuple[Mend, ...]:
    if arrival.apparent is Apparent.NODE:
        return nodes_let_in(clinic, answers)
    return () if unknown else clinic.mend(answers)


def _state(
    clinic: Clinic, name: WorkloadId, number: Number, arrival: Arrival
) -> tuple[tuple[Explanation, ...], bool] | None:
    """Return what stops connections at a port; None where they pass, or where it is not known."""
    engine, pods = clinic.engine, clinic.pods(name)
    if arrival.apparent is Apparent.NODE:
        found = gap(clinic, name, number)
        return None if found is None else ((found[0],), found[1])
    source = blocks_end("clients outside", arrival.blocks or ("0.0.0.0/0",))
    answer = clinic.reach(source, pods, on(*number))
    if Direction.INGRESS not in stopped(answer):
        return None
    if not arrival.blocks:
        return None if listed_elsewhere(engine, name, number) else ((answer,), False)
    worst = (Verdict.DENIED, Verdict.MIXED) if arrival.checks else (Verdict.DENIED,)
    return ((answer,), False) if answer.verdict in worst else None


def _help(clinic: Clinic, arrival: Arrival, *, unknown: bool) -> str:
    if arrival.apparent is Apparent.NODE:
        known = few(cidrs(of_nodes(clinic.engine)))
        theirs = f" ({known})" if known else ""
        return (
            f"admit the addresses of the nodes{theirs}, with an overlay those of its tunnels, too; "
            "or set externalTrafficPolicy: Local and admit the clients"
        )
    if unknown:
        return "admit the subnets of the load balancer on the pods' own port"
    return "admit them on the pods' own port, or make the Service a ClusterIP"
