"""What a changed or deleted controller does to the pods that are already there."""

from collections.abc import Iterable
from dataclasses import replace

from cloison.app.overlay import ObjectId
from cloison.resources.inventory import Inventory
from cloison.resources.objects import Controller, Labels, PodShape
from cloison.resources.world import PodEndpoint, WorkloadId, World

Templates = dict[WorkloadId, tuple[PodShape | None, PodShape]]
"""Workloads with the template their pods were made from, if it is known, and the new one."""


def templates(before: Inventory, after: Inventory, changed: Iterable[ObjectId]) -> Templates:
    """Return the templates of controllers that a change brings.

    Args:
        before: What was read of the source.
        after: What is there once the change is made.
        changed: The objects of the change.
    """
    found: Templates = {}
    for each in changed:
        key = (each.kind, each.namespace or "", each.name)
        old, new = before.controller(*key), after.controller(*key)
        if isinstance(new, Controller) and (old is None or old.shape != new.shape):
            id_ = WorkloadId(new.namespace, new.name, new.kind)
            found[id_] = (old.shape if old is not None else None, new.shape)
    return found


def rolled_out(world: World, changed: Templates, deleted: Iterable[ObjectId]) -> World:
    """Return the world once controllers have done their work.

    Live pods of a changed controller get what its new template says and the old one did not,
    and keep what others have given them: addresses, nodes, labels of the cluster's own. Those of
    a deleted one go with it.
    """
    gone = {WorkloadId(o.namespace or "", o.name, o.kind) for o in deleted} - changed.keys()
    if not changed and not gone:
        return world
    shapes: dict[tuple[int, WorkloadId], PodShape] = {}

    def renewed(endpoint: PodEndpoint) -> PodEndpoint:
        old, new = changed[endpoint.workload]
        if endpoint.pod is None:
            return endpoint
        key = (id(endpoint.shape), endpoint.workload)
        if key not in shapes:
            shapes[key] = _reshaped(endpoint.shape, old, new)
        shape = shapes[key]
        moved = shape.host_network != endpoint.shape.host_network
        return replace(endpoint, shape=shape, addresses=() if moved else endpoint.addresses)

    return replace(
        world,
        workloads={
            id_: replace(workload, endpoints=tuple(map(renewed, workload.endpoints)))
            if id_ in changed
            else workload
            for id_, workload in world.workloads.items()
            if id_ not in gone
        },
    )


def _reshaped(live: PodShape, old: PodShape | None, new: PodShape) -> PodShape:
    """Return a live pod's shape after its controller's template has changed."""
    if old is None:
        return replace(new, labels={**live.labels, **new.labels}, node=live.node)
    labels = _labels(live.labels, old.labels, new.labels)
    if replace(old, labels=new.labels, node=new.node) == new:
        return replace(live, labels=labels)
    return replace(new, labels=labels, node=live.node)


def _labels(live: Labels, old: Labels, new: Labels) -> Labels:
    kept = {key: value for key, value in live.items() if key not in old or key in new}
    return {**kept, **new}
