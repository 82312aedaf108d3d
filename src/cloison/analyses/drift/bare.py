"""D4: workloads that no policy restricts, by direction."""

import json
from collections.abc import Iterator

from cloison.algebra.bitmaps import BitMap
from cloison.analyses.connectivity import EndRef
from cloison.analyses.drift.model import Atom, Code, Evidence, Key, Sign, Step
from cloison.analyses.drift.nobody import enforced
from cloison.analyses.drift.scene import Scene
from cloison.analyses.ends import End, PodsEnd
from cloison.analyses.parties import Party
from cloison.analyses.past.link import shown, text
from cloison.analyses.reconcile.seen import Outside
from cloison.analyses.telling import telling_labels
from cloison.base import Severity
from cloison.base.words import few, plural
from cloison.ir.policy import Direction, Policy
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
        for direction in Direction:
            if not restricted(scene, workload, direction):
                yield _sign(scene, workload, direction)
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


def _sign(scene: Scene, workload: Workload, direction: Direction) -> Sign:
    name = workload.id
    into = direction is Direction.INGRESS
    word = "into" if into else "out of"
    where = "every pod reaches it" if into else "it reaches everything"
    key = Key(Code.UNPROTECTED, _text(name), str(direction))
    other = _other(scene, workload)
    return Sign(
        key=key,
        severity=Severity.WARNING,
        message=f"no policy restricts what goes {word} {name}, so {where}",
        help="deny by default what goes in and out, and allow what is needed beside it: "
        f"cloison recommend -n {name.namespace} says what was seen",
        workloads=(name,),
        evidence=tuple(_evidence(scene, workload, direction, other)),
        atom=None if other is None else Atom(_selecting(other), other.subject_span or other.span),
        namespaces=(name.namespace,),
        place=workload.span,
        group=("direction", str(direction), name.namespace),
        allow=Step(
            "let a policy say that it is open on purpose",
            _manifest(scene, workload, direction, open_=True),
        ),
        remove=Step(
            "deny what no rule allows" + ("" if into else "; names are still looked up"),
            _manifest(scene, workload, direction, open_=False),
        ),
    )


def _other(scene: Scene, workload: Workload) -> Policy | None:
    """Return a policy that selects a workload, though not in the direction in question."""
    table = scene.engine.table
    indices = table.by_workload.get(workload.id, ())
    units = BitMap([unit for index in indices for unit in table.by_endpoint[index]])
    return next((p for p in enforced(scene.engine) if scene.engine.binder.subject(p) & units), None)


def _selecting(policy: Policy) -> str:
    ways = " and ".join(sorted(map(str, policy.isolates))) or "nothing"
    return f"{policy.id.said} restricts {ways} of it only"


def _evidence(
    scene: Scene, workload: Workload, direction: Direction, other: Policy | None
) -> Iterator[Evidence]:
    name = workload.id
    if other is None:
        yield Evidence(f"no policy selects {name.kind} {name}", workload.span)
    else:
        yield Evidence(f"no policy that selects it is for {direction}", workload.span)
    side = 0 if direction is Direction.EGRESS else 1
    seen = [edge for edge in scene.edges if edge.allowed and _is(edge.ends[side], name)]
    if not seen:
        return
    whom = few(shown((edge.destination, edge.source)[side]) for edge in seen)
    times = plural(sum(edge.allowed.total for edge in seen), "connection")
    yield Evidence(f"{times} {'from' if side else 'to'} {whom}")


def _is(end: End | Outside, name: WorkloadId) -> bool:
    return isinstance(end, PodsEnd) and end.workload.id == name


def _manifest(scene: Scene, workload: Workload, direction: Direction, *, open_: bool) -> str:
    """Return a policy of one workload and direction: everything allowed, or all but DNS denied."""
    name = workload.id
    engine = scene.engine
    endpoint = workload.endpoints[0]
    labels = telling_labels(engine, Party(0, endpoint.name, endpoint))
    selector = f"{{matchLabels: {json.dumps(labels)}}}" if labels else "{}"
    title = f"{name.name}-{'open' if open_ else 'deny'}-{direction}"
    if open_:
        rules = f"  {direction}:\n  - {{}}\n"
    elif direction is Direction.EGRESS:
        rules = "  egress:\n  - ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]\n"
    else:
        rules = ""
    return (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        f"metadata: {{name: {title}, namespace: {name.namespace}}}\n"
        f"spec:\n  podSelector: {selector}\n  policyTypes: [{str(direction).title()}]\n{rules}"
    )


def _text(name: WorkloadId) -> str:
    return text(EndRef("workload", name.namespace, name.name, name.kind))
