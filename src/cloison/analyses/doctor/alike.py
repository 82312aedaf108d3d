"""Findings that differ in the workload alone: one cause, told once."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from re import Pattern

from cloison.analyses.ask import Mend
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.finding import Evidence, Finding
from cloison.analyses.explain import merge_caveats
from cloison.analyses.mend import Proposal
from cloison.base.words import begun, few

_LISTED = 12
"""Workloads that a finding lists by name."""


def merged(clinic: Clinic, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield findings, those of one check that say the same of several workloads as one.

    Args:
        clinic: Who writes what is proposed.
        findings: What the check found.
    """
    groups: dict[object, list[Finding]] = {}
    for place, each in enumerate(findings):
        groups.setdefault(_cause(each) or place, []).append(each)
    for group in groups.values():
        yield group[0] if len(group) == 1 else _together(clinic, group)


def _cause(finding: Finding) -> object:
    """Return what a finding says of whichever workload; None where it is about no single one."""
    workload = finding.workload
    if workload is None or finding.workloads:
        return None
    name, said = str(workload), (finding.message, finding.effect, finding.help)
    if not _named(name).search(finding.message):
        return None
    return (
        finding.code,
        finding.severity,
        finding.mode,
        finding.source,
        workload.namespace,
        bool(finding.mend),
        *(_named(name).sub("\0", text) for text in said),
    )


def _together(clinic: Clinic, group: Sequence[Finding]) -> Finding:
    first = group[0]
    workloads = tuple(dict.fromkeys(each.workload for each in group if each.workload is not None))
    if len(workloads) == 1:
        return first
    names = [str(each) for each in workloads]
    whom = f"each of {len(names)} workloads of {workloads[0].namespace} ({few(names)})"
    other = f"each of these {len(names)}"
    named = _named(names[0])
    own = [each for each in first.evidence if named.search(each.text)]
    seen = [each for each in first.evidence if not named.search(each.text)]
    before, after = named.split(first.message, maxsplit=1)
    return replace(
        first,
        message=f"{before}{whom}{named.sub(other, after)}",
        effect=named.sub(other, first.effect),
        help=named.sub(other, first.help),
        workloads=workloads,
        # Who accepts it for one of them has not accepted it for the others.
        object=f"Namespace {workloads[0].namespace}",
        evidence=(*own, *seen, Evidence(f"it is about {begun(names, _LISTED)}")),
        mend=_mended(clinic, group),
        caveats=merge_caveats([each.caveats for each in group]),
    )


def _named(name: str) -> Pattern[str]:
    """Return what finds a name, and no other that begins or ends alike."""
    return re.compile(rf"(?<![\w/.:-]){re.escape(name)}(?![\w.-])")


def _mended(clinic: Clinic, group: Sequence[Finding]) -> tuple[Mend, ...]:
    """Return the changes of some findings: as few policies as say it."""
    mends = tuple(dict.fromkeys(mend for each in group for mend in each.mend))
    edits = [mend.edit for mend in mends]
    added = [
        Proposal(mend.edit.policy, rule, mend.edit.new, mend.also)
        for mend in mends
        if mend.edit is not None
        for rule in mend.edit.rules
    ]
    if None in edits or any(edit is not None and edit.meant is not None for edit in edits):
        return mends
    return clinic.add(added) or mends
