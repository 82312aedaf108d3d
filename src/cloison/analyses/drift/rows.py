"""Drift by workload: what is expected, what is new, denied or unused, and what to do."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from cloison.analyses.drift.model import Code, Finding, Row, State
from cloison.analyses.drift.scene import Scene
from cloison.analyses.ends import PodsEnd
from cloison.analyses.reconcile.seen import ref
from cloison.resources.world import WorkloadId

_MOST: Final = 3
"""What is told to do about one workload: the worst comes first, and findings have the rest."""
_NEW: Final = (Code.NEW_FLOW, Code.BYPASS, Code.NOT_ENFORCED)


def rows(scene: Scene, found: Iterable[Finding]) -> tuple[Row, ...]:
    """Return a row for each workload that a finding is about, sorted by name.

    Args:
        scene: What is meant.
        found: What has drifted, the worst first.
    """
    by_workload: dict[WorkloadId, list[Finding]] = defaultdict(list)
    for each in found:
        if each.state is State.CONFIRMED:
            for name in each.sign.workloads:
                by_workload[name].append(each)
    expected: dict[WorkloadId, dict[str, None]] = defaultdict(dict)
    for one in scene.wanted:
        if isinstance(one.source, PodsEnd) and not one.because.implied:
            end = one.destination
            whom = str(ref(end)) if isinstance(end, PodsEnd) else end.text
            text = f"{whom} on {one.traffic}"
            expected[one.source.workload.id][text] = None
    return tuple(
        Row(
            name,
            tuple(sorted(expected.get(name, {}))),
            _of(name, some, _NEW),
            _of(name, some, (Code.DENIED,)),
            _of(name, some, (Code.UNUSED,)),
            _actions(some),
        )
        for name, some in sorted(by_workload.items())
    )


def _actions(found: Sequence[Finding]) -> tuple[str, ...]:
    """Return what to do about a workload's findings, each with the check that says so."""
    told: dict[str, list[str]] = defaultdict(list)
    for each in found:
        codes = told[each.sign.help]
        if each.key.code not in codes:
            codes.append(each.key.code)
    most = [f"{', '.join(codes)}: {text}" for text, codes in told.items()]
    more = (f"and {len(most) - _MOST} more",) if len(most) > _MOST else ()
    return (*most[:_MOST], *more)


def _of(name: WorkloadId, found: Iterable[Finding], codes: tuple[Code, ...]) -> tuple[str, ...]:
    """Return what some checks found of a workload, in a few words each."""
    told: dict[str, None] = {}
    for each in found:
        if each.key.code in codes:
            for sign in each.members or (each.sign,):
                if name in sign.workloads:
                    told[sign.brief or sign.message] = None
    return tuple(told)
