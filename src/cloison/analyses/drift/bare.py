"""D4: workloads that no policy restricts, by direction."""

from collections.abc import Iterator

from cloison.analyses.connectivity import EndRef
from cloison.analyses.drift.model import Code, Key, Sign
from cloison.analyses.drift.scene import Scene
from cloison.analyses.past.link import text
from cloison.base import Severity
from cloison.ir.policy import Direction
from cloison.resources.world import Workload, WorkloadId

_DONE = ("Job",)
"""Kinds of workloads whose pods end by themselves."""


def bare(scene: Scene) -> Iterator[Sign]:
    """Yield a sign for each workload and direction that no policy in force restricts."""
    hosted = 0
    for workload in scene.workloads():
        if workload.id.namespace in scene.exempt:
            continue
        if all(pod.shape.host_network for pod in workload.endpoints):
            hosted += 1
            continue
        if workload.id.kind in _DONE and _ended(workload):
            continue
        open_ = [d for d in Direction if not restricted(scene, workload, d)]
        for direction in open_:
            yield _sign(workload, direction)
    reason = "it is on its node's network, where policies for pods are not asked"
    scene.skip(Code.UNPROTECTED, reason, hosted, "workload")


def restricted(scene: Scene, workload: Workload, direction: Direction) -> bool:
    """Return whether policies isolate every pod of a workload in a direction."""
    engine = scene.engine
    if not engine.profile.enforces:
        return False
    indices = engine.table.by_workload.get(workload.id, ())
    return all(
        bool(engine.decision(unit, direction).terms.isolating)
        for index in indices
        for unit in engine.table.by_endpoint[index]
        if not engine.table.endpoints[index].shape.host_network
    )


def _ended(workload: Workload) -> bool:
    """Return whether a Job has run, and nothing of it runs now."""
    return bool(workload.finished) and all(pod.pod is None for pod in workload.endpoints)


def _sign(workload: Workload, direction: Direction) -> Sign:
    name = workload.id
    word = "into" if direction is Direction.INGRESS else "out of"
    where = "every pod reaches it" if direction is Direction.INGRESS else "it reaches everything"
    return Sign(
        key=Key(Code.UNPROTECTED, _text(name), str(direction)),
        severity=Severity.WARNING,
        message=f"no policy restricts what goes {word} {name}, so {where}",
        help=f"add a default deny for {direction} to {name.namespace}, and what it needs beside it",
        workloads=(name,),
        namespaces=(name.namespace,),
        group=("direction", str(direction), name.namespace),
    )


def _text(name: WorkloadId) -> str:
    return text(EndRef("workload", name.namespace, name.name, name.kind))
