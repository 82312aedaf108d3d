"""What leads traffic to pods besides Services: Ingress, the Gateway API, routes of platforms."""

from collections.abc import Sequence

from cloison.platform.component import Found
from cloison.platform.routes.gateway import gateways
from cloison.platform.routes.ingress import ingresses
from cloison.platform.routes.model import Entry
from cloison.platform.routes.openshift import routes
from cloison.platform.routes.planes import planes
from cloison.resources.world import World

__all__ = ["entries"]

_READERS = (ingresses, gateways, routes)
"""A routing API each."""


def entries(world: World, components: Sequence[Found]) -> tuple[Entry, ...]:
    """Return everything that takes connections in, as far as it can be read.

    Args:
        world: What the cluster holds.
        components: Known components in it.
    """
    found: list[Entry] = []
    for read in _READERS:
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
            for each in read(world)
        )
    found.sort(key=lambda entry: (entry.namespace, entry.name, entry.kind))
    return tuple(found)
