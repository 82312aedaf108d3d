"""What leads traffic to pods besides Services: Ingress, the Gateway API, routes of platforms."""

from collections.abc import Sequence

from cloison.base import Diagnostic, sort_diagnostics
from cloison.platform.component import Found
from cloison.platform.routes.gateway import gateways
from cloison.platform.routes.ingress import ingresses
from cloison.platform.routes.model import Entry
from cloison.platform.routes.openshift import routes
from cloison.platform.routes.planes import planes
from cloison.resources.world import World

__all__ = ["entries"]

_READERS = (ingresses, gateways, routes)
"""A routing API each: what it has written, and what cannot be read of it."""


def entries(
    world: World, components: Sequence[Found]
) -> tuple[tuple[Entry, ...], tuple[Diagnostic, ...]]:
    """Return everything that takes connections in, and what cannot be read of it.

    Args:
        world: What the cluster holds.
        components: Known components in it.
    """
    found: list[Entry] = []
    said: list[Diagnostic] = []
    for read in _READERS:
        written, faults = read(world)
        said += faults
        found += (
            Entry(
                each.kind,
                each.item.namespace,
                each.item.name,
                each.class_name,
                each.listeners,
                each.rules,
                planes(world, components, each),
                each.item.span,
            )
            for each in written
        )
    found.sort(key=lambda entry: (entry.namespace, entry.name, entry.kind))
    return tuple(found), sort_diagnostics(said)
