"""What findings say of pods that are not in the input, because an operator has yet to make them."""

from collections.abc import Container, Sequence
from dataclasses import replace

from cloison.analyses.ask import Explanation
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.finding import Evidence, Finding
from cloison.analyses.explain import merge_caveats
from cloison.base import Severity
from cloison.base.words import few
from cloison.ir.caveats import OPERATOR_PODS
from cloison.platform.made import Made
from cloison.resources.objects import Labels
from cloison.resources.world import WorkloadId


def told(clinic: Clinic, finding: Finding) -> Finding:
    """Return a finding that says which pods it assumes; no error rests on such pods alone.

    Args:
        clinic: Who knows of them.
        finding: The finding.
    """
    named = [each for name, each in clinic.assumed.items() if _names(finding, str(name))]
    if not named:
        return finding
    softer = finding.severity is Severity.ERROR and _alone(clinic, finding, named)
    return replace(
        finding,
        severity=Severity.WARNING if softer else finding.severity,
        evidence=(*finding.evidence, *(evidence(each) for each in named[:3])),
        caveats=merge_caveats((finding.caveats, (OPERATOR_PODS,))),
    )


def marked(answer: Explanation, assumed: Container[WorkloadId]) -> Explanation:
    """Return an answer that says so where it is about pods that are assumed.

    Args:
        answer: The answer.
        assumed: Workloads that an operator has yet to make.
    """
    parties = (p for each in answer.cases for p in (each.case.source, each.case.destination))
    if any(p.endpoint is not None and p.endpoint.workload in assumed for p in parties):
        return replace(answer, caveats=merge_caveats((answer.caveats, (OPERATOR_PODS,))))
    return answer


def evidence(made: Made) -> Evidence:
    """Return what says that there will be such pods."""
    return Evidence(
        f"{made.item.shown} makes {made.id}, with {_shown(made.labels)}", made.item.span
    )


def _alone(clinic: Clinic, finding: Finding, named: Sequence[Made]) -> bool:
    """Return whether a finding is about such pods, and about no others."""
    name = finding.workload
    if finding.workloads:
        return all(each in clinic.assumed for each in finding.workloads)
    if name is None or name not in clinic.assumed:
        return any(str(each.id) in finding.effect for each in named)
    if finding.object is not None and finding.object.startswith("Namespace "):
        return False  # of several workloads, this is the first
    text = finding.message
    for each in named:
        text = text.replace(str(each.id), "")
    others = (each.id for each in clinic.homes.get(name.namespace, ()))
    return not any(str(each) in text for each in others if each not in clinic.assumed)


def _names(finding: Finding, name: str) -> bool:
    texts = (finding.message, finding.effect, *(each.text for each in finding.evidence))
    return any(name in text for text in texts)


def _shown(labels: Labels) -> str:
    return few(f"{key}={value}" for key, value in sorted(labels.items()))
