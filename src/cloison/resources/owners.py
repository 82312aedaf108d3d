"""Which workload an object belongs to, by owner references."""

from collections.abc import Mapping
from typing import TypeAlias

from cloison.resources.objects import Controller, OwnerReference, Pod
from cloison.resources.world import WorkloadId

Controllers: TypeAlias = Mapping[WorkloadId, Controller]

_HASHES = {
    "pod-template-hash": "Deployment",
    "rollouts-pod-template-hash": "Rollout",
}
"""Labels whose value ends the ReplicaSet's name, and the kind that makes such ReplicaSets.

Source: kubernetes/kubernetes pkg/controller/deployment/sync.go, getNewReplicaSet; Argo Rollouts
documentation does the same with a label of its own.
"""

_MAX_CHAIN = 8
"""References longer than this go in circles."""


def pod_workload(pod: Pod, controllers: Controllers) -> WorkloadId:
    """Return the workload of a pod: its controller's, or the pod itself."""
    owner = pod.owner
    if owner is None or (owner.kind == "Node" and owner.api_version == "v1"):
        # The kubelet makes the node the owner of a static pod's mirror.
        return WorkloadId(pod.namespace, pod.name, "Pod")
    id_ = WorkloadId(pod.namespace, owner.name, owner.kind)
    if id_ in controllers:
        return controller_workload(id_, controllers)
    if owner.kind == "ReplicaSet":
        for label, kind in _HASHES.items():
            suffix = f"-{pod.shape.labels.get(label, '')}"
            if len(suffix) > 1 and owner.name.endswith(suffix) and owner.name != suffix:
                return WorkloadId(pod.namespace, owner.name.removesuffix(suffix), kind)
    return id_


def controller_workload(id_: WorkloadId, controllers: Controllers) -> WorkloadId:
    """Return the workload a controller belongs to: its maker's where it is only a stage.

    ReplicaSets and ReplicationControllers that something owns are stages of it, and so are
    the Jobs of a CronJob. Anything else is a workload of its own, whoever created it: an
    operator's resource that owns a StatefulSet does not stand in for it.
    """
    for _ in range(_MAX_CHAIN):
        controller = controllers.get(id_)
        if controller is None or controller.owner is None or not is_stage(controller):
            break
        owner = controller.owner
        id_ = WorkloadId(id_.namespace, owner.name, owner.kind)
    return id_


def is_stage(controller: Controller) -> bool:
    """Return whether a controller only serves the one that owns it."""
    owner: OwnerReference | None = controller.owner
    if owner is None:
        return False
    if controller.kind in ("ReplicaSet", "ReplicationController"):
        return True
    return controller.kind == "Job" and owner.kind == "CronJob"
