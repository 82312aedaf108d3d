"""Backends of an entry that its product's pods do not reach, wherever these are installed."""

from collections.abc import Iterator
from dataclasses import replace

from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.dns import isolating
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.doctor.judged import tried
from cloison.analyses.doctor.served import numbers
from cloison.analyses.doctor.strangers import AWAY, Chance, chance, let_in_anywhere
from cloison.analyses.explain import merge_caveats
from cloison.analyses.paths.assume import with_pods
from cloison.analyses.paths.model import Hop
from cloison.base import Severity
from cloison.base.words import few
from cloison.ir.caveats import GATEWAY_NAMESPACE_UNKNOWN
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Direction
from cloison.platform.routes.model import Entry, Plane
from cloison.resources.objects import Labels
from cloison.resources.world import WorkloadId

_SOURCE = "kubernetes/api networking/v1/types.go IngressBackend"


def unplaced(clinic: Clinic, entry: Entry, hop: Hop, plane: Plane) -> Iterator[Finding]:
    """Yield a finding where who serves an entry reaches no backend, whatever its namespace is.

    Args:
        clinic: Who judges.
        entry: The entry.
        hop: The hop to a backend.
        plane: Who serves it: pods whose namespace nobody knows.
    """
    supposed = plane.somewhere
    if supposed is None:
        return
    # A namespace that no input has: rules that go by namespaces are asked about apart.
    away = replace(supposed, namespace=AWAY)
    engine, pods = with_pods(clinic.engine, away, plane.name)
    answer = tried(clinic, pods, hop.question.destination, hop.question.traffic, engine)
    if answer is None:
        return
    shut: dict[WorkloadId, str] = {}
    at_home = False
    for case in answer.cases:
        to = case.case.destination.endpoint
        inward = any(
            point.direction is Direction.INGRESS and point.verdict is not Verdict.ALLOWED
            for point in case.points
        )
        if to is None or not inward or not case.outcome.denied & case.case.traffic:
            continue
        found = [
            chance(clinic, to.workload, number, supposed.labels)
            for number in numbers(case.case.traffic)
        ]
        if found and max(found) is not Chance.SOME:
            shut[to.workload] = str(case.case.traffic)
            at_home = at_home or Chance.AT_HOME in found
    if shut:
        made = f"pods with {_shown(supposed.labels)} are assumed to serve it, in a namespace that "
        made += "is not known"
        mend = let_in_anywhere(clinic, engine, [answer], supposed.labels, plane.name)
        finding = _finding(clinic, entry, hop, plane, shut)
        yield replace(
            finding,
            effect=f"{finding.effect}{', unless it runs beside them' if at_home else ''}",
            evidence=(*finding.evidence, Evidence(made, plane.span), *isolating([answer])),
            mend=mend,
            caveats=merge_caveats((answer.caveats, (GATEWAY_NAMESPACE_UNKNOWN,))),
        )


def _finding(
    clinic: Clinic, entry: Entry, hop: Hop, plane: Plane, shut: dict[WorkloadId, str]
) -> Finding:
    name = next(iter(shut))
    span = clinic.engine.world.workloads[name].span
    ports = " and ".join(dict.fromkeys(shut.values()))
    return Finding(
        code="GWY001",
        check="D-GW",
        severity=Severity.WARNING,
        message=f"{few(str(each) for each in shut)} does not admit {plane.name} (assumed) on "
        f"{ports}, which serves {entry}",
        effect="clients get 502, 503 or 504",
        help="admit it by its labels, and by its namespace if you know it, on the pods' own port; "
        "`components` in cloison.yaml says where it is",
        mode=Mode.GATEWAY,
        workload=name,
        object=f"{name.kind} {name}",
        span=span or entry.span,
        evidence=tuple(Evidence(text, hop.span) for text in hop.why),
        source=_SOURCE,
    )


def _shown(labels: Labels) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(labels.items()))
