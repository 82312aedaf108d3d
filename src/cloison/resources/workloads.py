"""Workloads: live pods joined to their controllers, and templates where there are none."""

from collections.abc import Iterable, Sequence

from cloison.algebra import address_text
from cloison.base import Diagnostic, Severity
from cloison.resources import faults
from cloison.resources.kinds import KINDS
from cloison.resources.names import shown
from cloison.resources.objects import Controller, Pod
from cloison.resources.owners import Controllers, controller_workload, is_stage, pod_workload
from cloison.resources.world import PodEndpoint, Workload, WorkloadId


def workloads(controllers: list[Controller], pods: list[Pod]) -> dict[WorkloadId, Workload]:
    """Return the workloads that controllers and pods add up to, sorted by id.

    Args:
        controllers: Every object with a pod template, each once.
        pods: Every pod, each once.
    """
    own: dict[WorkloadId, list[Controller]] = {}
    for controller in controllers:
        id_ = WorkloadId(controller.namespace, controller.name, controller.kind)
        own.setdefault(id_, []).append(controller)
    by_id = {id_: same[-1] for id_, same in own.items()}
    stages: dict[WorkloadId, list[Controller]] = {}
    for controller in controllers:
        if is_stage(controller):
            id_ = WorkloadId(controller.namespace, controller.name, controller.kind)
            stages.setdefault(controller_workload(id_, by_id), []).append(controller)
    members: dict[WorkloadId, list[Pod]] = {}
    for pod in pods:
        members.setdefault(pod_workload(pod, by_id), []).append(pod)
    delegating = _delegating(controllers, by_id)
    tops = {id_ for id_, controller in by_id.items() if not is_stage(controller)} - delegating
    return {
        id_: _workload(id_, own.get(id_, ()), stages.get(id_, ()), members.get(id_, ()))
        # Pods come sorted, and so do most workloads by them: what is nearly in order sorts fast.
        for id_ in sorted(dict.fromkeys([*members, *stages, *tops]))
    }


def _delegating(controllers: Iterable[Controller], by_id: Controllers) -> set[WorkloadId]:
    """Return the controllers whose pods are made by another one that they own.

    A custom resource with a template that owns a Deployment makes no pods itself: counting
    both would invent a workload.
    """
    found = set()
    for controller in controllers:
        above = _owner(controller)
        if above in by_id and not is_stage(controller):
            owner = by_id[above]
            built_in = (owner.api_version, owner.kind) in KINDS
            if not built_in and not _owned_by(owner, _id(controller), by_id):
                found.add(above)
    return found


def _owned_by(controller: Controller, ancestor: WorkloadId, by_id: Controllers) -> bool:
    """Return whether following the owners of `controller` leads to `ancestor`."""
    seen = {_id(controller)}
    above = _owner(controller)
    while above in by_id and above not in seen:
        if above == ancestor:
            return True
        seen.add(above)
        above = _owner(by_id[above])
    return ancestor in seen


def _owner(controller: Controller) -> WorkloadId:
    """Return the id of what owns a controller; one that nothing has when there is no owner."""
    owner = controller.owner
    if owner is None:
        return WorkloadId(controller.namespace, "", "")
    return WorkloadId(controller.namespace, owner.name, owner.kind)


def _workload(
    id_: WorkloadId, own: Sequence[Controller], stages: Sequence[Controller], pods: Sequence[Pod]
) -> Workload:
    """Return one workload.

    Args:
        id_: Its name.
        own: The controllers of that name: one, none when it is inferred, or several that
            share a `generateName`.
        stages: ReplicaSets or Jobs that serve it.
        pods: Its pods.
    """
    if len(pods) > 1:
        pods = sorted(pods, key=lambda pod: (pod.name, pod.span))
    live = [pod for pod in pods if not pod.finished]
    settled = [pod for pod in live if pod.addresses or not pod.pending]
    endpoints = tuple([_endpoint(id_, pod) for pod in settled or live])
    if not endpoints:
        endpoints = _from_templates(id_, own, stages)
    bare = id_.kind == "Pod"
    span = own[-1].span if own else pods[-1].span if bare and pods else None
    return Workload(
        id=id_,
        endpoints=endpoints,
        finished=()
        if len(live) == len(pods)
        else tuple(_endpoint(id_, pod) for pod in pods if pod.finished),
        replicas=own[-1].replicas if own else None,
        span=span,
        inferred=not own and not bare,
        selects=own[-1].selects if own else frozenset(),
        schedule=own[-1].schedule if own else None,
        ready=own[-1].ready if own else None,
    )


def _from_templates(
    id_: WorkloadId, own: Sequence[Controller], stages: Sequence[Controller]
) -> tuple[PodEndpoint, ...]:
    """Return the pods that templates will make."""
    if own:
        makers = [controller for controller in own if not controller.finished]
    else:
        # The controller was not read; its ReplicaSets and Jobs carry copies of its template.
        makers = [stage for stage in stages if stage.replicas != 0 and not stage.finished]
        makers = makers or sorted(stages, key=lambda stage: stage.span)[-1:]
    return tuple(
        PodEndpoint(id_, None, maker.shape, maker.span)
        for maker in sorted(makers, key=lambda maker: maker.span)
    )


def _endpoint(id_: WorkloadId, pod: Pod) -> PodEndpoint:
    return PodEndpoint(
        id_,
        pod.name,
        pod.shape,
        pod.span,
        pod.addresses,
        pod.pending,
        pod.finished,
        pod.ready,
        pod.terminating,
    )


def _id(controller: Controller) -> WorkloadId:
    return WorkloadId(controller.namespace, controller.name, controller.kind)


def shared_addresses(pods: Iterable[Pod]) -> list[Diagnostic]:
    """Return a warning for each pod whose address an earlier live pod has too."""
    holders: dict[int, Pod] = {}
    found = []
    for pod in pods:
        if pod.finished or pod.shape.host_network:
            continue
        for point in pod.addresses:
            other = holders.setdefault(point, pod)
            if other is not pod:
                found.append(
                    Diagnostic(
                        faults.ADDRESS_SHARED,
                        Severity.WARNING,
                        f"address {address_text(point)} also belongs to pod "
                        f"{shown(other.namespace)}/{shown(other.name)} at {other.span.place}",
                        pod.span,
                        f"Pod {shown(pod.namespace)}/{shown(pod.name)}",
                        "answers about this address concern both pods",
                        "read both from one moment, or drop the stale one",
                    )
                )
    return found
