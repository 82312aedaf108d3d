"""Metrics that somebody asks to be collected, where no collector is in the input.

Prometheus often lives in manifests of its own, and rules may be meant for it that nobody can tell
from others. Where no rule can be for it, whoever collects is shut out for certain.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cloison.analyses.ask import Explanation
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.dns import isolating
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.doctor.judged import denied, tried
from cloison.analyses.doctor.served import numbers
from cloison.analyses.doctor.strangers import Chance, chance
from cloison.analyses.ends import End, PodsEnd
from cloison.analyses.explain import merge_caveats
from cloison.analyses.paths.assume import with_pods
from cloison.analyses.question import Traffic
from cloison.base import Severity
from cloison.base.words import few
from cloison.engine import Engine
from cloison.ir.caveats import COLLECTOR_UNKNOWN
from cloison.platform.routes.model import Supposed
from cloison.resources.world import WorkloadId

_SERVER = "metrics-prometheus-operator"
_HOME = "monitoring"
_LABELS = {"app.kubernetes.io/name": "prometheus"}
_COLLECTORS = re.compile(
    r"prom|metric|monitor|observe|observa|scrap|victoria|vmagent|alloy|agent|collector|otel|telegraf|datadog"
)
"""In names of what may collect metrics besides Prometheus."""
_SOURCE = (
    "prometheus-operator/prometheus-operator pkg/prometheus/server/operator.go; "
    "prometheus-operator/kube-prometheus manifests"
)


@dataclass(frozen=True, slots=True)
class Unseen:
    """A collector that is not in the input.

    Args:
        end: Its pods, as they are assumed.
        engine: Who decides about them.
        where: What is assumed, for people.
        placed: Whether the caller says where it is.
    """

    end: PodsEnd
    engine: Engine
    where: str
    placed: bool


def unseen(clinic: Clinic) -> Unseen | None:
    """Return the collector to assume; None where the caller says that there is none."""
    said = clinic.site.said
    if _SERVER in said and said[_SERVER] is None:
        return None
    placed = said.get(_SERVER)
    home = (placed.namespace if placed is not None else None) or _HOME
    labels = (placed.pod_labels if placed is not None else None) or _LABELS
    engine, end = with_pods(clinic.engine, Supposed(_SERVER, home, labels), "Prometheus")
    shown = ", ".join(f"{key}={value}" for key, value in sorted(labels.items()))
    whole = placed is not None and placed.namespace is not None
    where = (
        f"cloison.yaml says that pods with {shown} in {home} are Prometheus"
        if whole
        else f"nothing in the input is Prometheus; pods with {shown} in namespace {home} are "
        "assumed"
    )
    return Unseen(end, engine, where, whole)


def shut(clinic: Clinic, by: Unseen, to: End, traffic: Traffic) -> Explanation | None:
    """Return the answer about a target that no collector can reach; None where one may.

    Args:
        clinic: Who judges.
        by: The collector that is assumed.
        to: The target's pods.
        traffic: What is collected from.
    """
    answer = tried(clinic, by.end, to, traffic, by.engine)
    if answer is None or not denied(answer):
        return None
    for case in answer.cases:
        pod = case.case.destination.endpoint
        if pod is None or pod.shape.host_network:
            return None
        asked = () if by.placed else numbers(case.case.traffic)
        if any(
            chance(clinic, pod.workload, each, {}, _may_collect) is not Chance.NONE
            for each in asked
        ):
            return None
    return answer


def _may_collect(name: WorkloadId) -> bool:
    return _COLLECTORS.search(str(name)) is not None


def unscraped(
    clinic: Clinic,
    by: Unseen,
    found: Iterable[tuple[End, Explanation]],
    said: tuple[Evidence, ...],
    what: str,
) -> Finding:
    """Return the finding for targets that nobody can collect from.

    Args:
        clinic: Who judges.
        by: The collector that is assumed.
        found: The targets, with the answers about them.
        said: What asks for them to be collected from.
        what: What these have in common: the monitor, or their namespace.
    """
    pairs = list(found)
    answers = [answer for _, answer in pairs]
    ends = [end for end, _ in pairs if isinstance(end, PodsEnd)]
    alone = ends[0].workload.id if len({end.text for end in ends}) == 1 else None
    shown = few(f"{end.text} on {answer.question.traffic.text}" for end, answer in pairs)
    return Finding(
        code="SCR003",
        check="D-SCRAPE",
        severity=Severity.WARNING,
        message=f"nobody can collect the metrics of {shown}, wherever Prometheus runs",
        effect="the targets are down for whoever collects: their metrics are missing, and alerts "
        "that stand on them are silent",
        help="let the pods of Prometheus in on the pods' own port; `components` in cloison.yaml "
        f"says where it is ({_SERVER})",
        mode=Mode.SCRAPE,
        workload=alone,
        object=what,
        span=said[0].span if said else None,
        evidence=(*said[:3], Evidence(by.where), *isolating(answers)),
        mend=clinic.mend(answers, by.engine),
        caveats=merge_caveats(
            (() if by.placed else (COLLECTOR_UNKNOWN,), *(each.caveats for each in answers))
        ),
        source=_SOURCE,
    )
