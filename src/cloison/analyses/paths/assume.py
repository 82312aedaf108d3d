"""Pods that the input does not hold, added where a way leads through them."""

from dataclasses import replace

from cloison.analyses.ends import PodsEnd
from cloison.base import Span
from cloison.engine import Engine
from cloison.platform.routes.model import Supposed
from cloison.resources.objects import NAMESPACE_NAME_LABEL, Namespace, PodShape
from cloison.resources.world import PodEndpoint, Workload, WorkloadId

_NOWHERE = Span("", 0, 0)


def with_pods(engine: Engine, supposed: Supposed, name: str) -> tuple[Engine, PodsEnd]:
    """Return an engine over a world that also has pods that are supposed to be there, and these.

    Args:
        engine: The engine of the world as it is.
        supposed: The pods.
        name: What to call them.
    """
    home = supposed.namespace
    shape = PodShape(dict(sorted(supposed.labels.items())), (), supposed.host_network)
    workload_id = WorkloadId(home, f"{name} (assumed)", "Deployment")
    workload = Workload(workload_id, (PodEndpoint(workload_id, None, shape, _NOWHERE),))
    spaces = {**engine.world.namespaces}
    if home not in spaces:
        spaces[home] = Namespace(home, {NAMESPACE_NAME_LABEL: home})
    # They come last, so that every endpoint keeps its number.
    world = replace(
        engine.world,
        namespaces=dict(sorted(spaces.items())),
        workloads={**engine.world.workloads, workload_id: workload},
    )
    added = Engine(world, engine.policies, engine.profile, engine.networks)
    indices = added.table.by_workload[workload_id]
    note = f"nothing in the input is {name}; its default pods are assumed in {home}"
    return added, PodsEnd(str(workload_id), workload, indices, note=note)
