"""Pods that the input does not hold, added where a way leads through them."""

from collections.abc import Iterable
from dataclasses import replace

from cloison.analyses.ends import PodsEnd
from cloison.base import Span
from cloison.engine import Engine
from cloison.platform.components import component
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
    added, (pods,) = with_all(engine, ((supposed, name),))
    return added, pods


def with_all(
    engine: Engine, wanted: Iterable[tuple[Supposed, str]]
) -> tuple[Engine, tuple[PodsEnd, ...]]:
    """Return an engine over a world with several sorts of such pods, and these in order.

    Every endpoint of the engine keeps its number: those that are added come last.

    Args:
        engine: The engine of the world as it is.
        wanted: The pods, and what to call them.
    """
    spaces = {**engine.world.namespaces}
    workloads: dict[WorkloadId, Workload] = {}
    named: list[tuple[WorkloadId, str]] = []
    for supposed, name in wanted:
        home = supposed.namespace
        shape = PodShape(dict(sorted(supposed.labels.items())), (), supposed.host_network)
        key = WorkloadId(home, f"{name} (assumed)", "Deployment")
        workloads[key] = Workload(key, (PodEndpoint(key, None, shape, _NOWHERE),))
        named.append((key, f"nothing in the input is {name}; its default pods are assumed"))
        if home not in spaces:
            known = component(supposed.component).namespace_labels
            spaces[home] = Namespace(home, {**known, NAMESPACE_NAME_LABEL: home})
    world = replace(
        engine.world,
        namespaces=dict(sorted(spaces.items())),
        workloads={**engine.world.workloads, **workloads},
    )
    added = Engine(world, engine.policies, engine.profile, engine.networks)
    return added, tuple(
        PodsEnd(str(key), workloads[key], added.table.by_workload[key], note=note)
        for key, note in named
    )
